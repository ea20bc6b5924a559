import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmenter.report.language import translate
from segmenter.segments.archetypes import ARCHETYPES
from segmenter.segments.names import fits, names
from segmenter.segments.profiles import PROFILED

USUAL = {
    **dict.fromkeys(PROFILED, 0.0),
    **{"spend": 3_000.0, "orders": 4.0, "days_since_order": 55.0, "average_order": 700.0, "average_gap_days": 36.0, "days_known": 500.0},
}
LOYAL = USUAL | {"spend": 20_000.0, "orders": 26.0, "days_since_order": 14.0}
ONCE = USUAL | {"spend": 400.0, "orders": 1.0, "average_order": 400.0}


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("loyal big buyers", LOYAL),
        ("regulars", {"days_since_order": 20.0}),
        ("repeat buyers", {"orders": 2.0, "days_since_order": 40.0}),
        ("on the way up", {"days_since_order": 20.0, "days_known": 200.0, "spend_90d": 900.0}),
        ("frequent small baskets", {"orders": 9.0, "average_order": 300.0}),
        ("small but active", {"spend": 1_500.0, "orders": 3.0}),
        ("big but rare", {"spend": 9_000.0, "orders": 2.0, "average_order": 4_500.0}),
        ("large-order buyers", {"spend": 7_000.0, "average_order": 1_600.0}),
        ("promising new", {"orders": 2.0, "days_since_order": 20.0, "days_known": 80.0}),
        ("new customers", {"spend": 500.0, "orders": 1.0, "days_since_order": 20.0, "days_known": 40.0}),
        ("one-timers", ONCE | {"days_since_order": 120.0}),
        ("occasional buyers", {"orders": 3.0, "average_gap_days": 90.0}),
        ("big buyers slipping away", {"spend": 9_000.0, "orders": 9.0, "days_since_order": 90.0}),
        ("slipping away", {"days_since_order": 90.0}),
        ("lost", {"spend": 1_000.0, "orders": 2.0, "days_since_order": 300.0}),
        ("browsers who never bought", {"orders": 0.0, "spend": 0.0, "events": 4.0, "days_since_order": None}),
        ("hardly bought", {"orders": 0.0, "spend": 0.0, "ordered": 0.4}),
        ("yet to buy", {"orders": 0.0, "spend": 0.0, "days_since_order": None, "average_order": None}),
        ("ordinary customers", {"orders": None, "average_order": None}),
    ],
)
def test_segments_are_called_what_they_are(name, changed):
    other = LOYAL if name != "loyal big buyers" else ONCE
    called = [str(each) for each in names([USUAL | changed, other], USUAL, "CNY")]
    assert called[0] == name or name == "ordinary customers"
    assert called[1] in ("loyal big buyers", "one-timers")


def test_each_archetype_is_given_once_as_far_as_that_goes():
    second = LOYAL | {"spend": 6_000.0, "orders": 9.0}
    assert names([LOYAL, second, ONCE], USUAL, "CNY") == ["loyal big buyers", "regulars", "one-timers"]
    # Where the medians bear out one only, what tells them apart is added: a measure, else a figure, else the number.
    dear = ONCE | {"spend": 900.0}
    assert names([dear, ONCE], USUAL, "CNY") == ["one-timers, higher spend", "one-timers, lower spend"]
    assert names([ONCE | {"spend": 2_340.0}, ONCE | {"spend": 2_350.0}], USUAL, "JPY") == [
        "one-timers, about 2,340 JPY",
        "one-timers, about 2,350 JPY",
    ]
    assert names([ONCE, ONCE], USUAL, "CNY") == ["one-timers, about 4 CNY, no. 1", "one-timers, about 4 CNY, no. 2"]


def test_who_has_no_orders_is_told_apart_by_none():
    looks = {"orders": 0.0, "spend": 0.0, "events": 3.0}
    two = [USUAL | looks | {"days_since_order": 300.0, "days_known": 700.0}, USUAL | looks | {"days_known": 90.0}]
    assert [str(name).partition(", ")[2] for name in names(two, USUAL, "CNY")] == ["known for longer", "known for less"]


def test_one_segment_and_none():
    assert names([USUAL], USUAL, "CNY") == ["all eligible customers"]
    assert names([], USUAL, "CNY") == []


medians = st.fixed_dictionaries(
    {
        name: st.none()
        | st.sampled_from([0.0, 1.0, 2.0, 40.0])
        | st.floats(-1e6, 1e12 if name == "spend" else 1e6).map(lambda x: round(x, 1))
        for name in PROFILED
    }
)


@given(st.lists(medians, min_size=2, max_size=12), medians, st.sampled_from(["CNY", "JPY"]))
def test_never_two_alike_in_any_language_and_every_name_is_true(found, everyone, currency):
    called = names(found, everyone, currency)
    assert len({str(name) for name in called}) == len({translate(name, "zh") for name in called}) == len(found)
    by_name = {archetype.name: key for key, archetype in ARCHETYPES.items()}
    for name, mine in zip(called, found, strict=True):
        assert by_name[name.facts["words"][0]] in fits(mine, everyone)


def test_a_hundred_segments():
    many = [LOYAL | {"spend": 20_000.0 + 50 * number, "orders": 26.0 + number % 7} for number in range(100)]
    assert len(set(names(many, USUAL, "CNY"))) == 100
    assert len(set(names([ONCE] * 100, USUAL, "CNY"))) == 100
