"""With what chance people bring each other: pairs counted once, no leak, guesses until past launches tell enough."""

from datetime import date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import segmenter
from segmenter.errors import ConfigError, InputError
from segmenter.spread.tie_chances import edge_chances, members
from segmenter.tables import REFERRALS, TIES

AS_OF = date(2026, 7, 1)
PEOPLE = "abcdef"
PAIRS = st.lists(st.tuples(st.sampled_from(PEOPLE), st.sampled_from(PEOPLE)), max_size=15)
NOTHING = pl.DataFrame(schema=REFERRALS)


def chances(ties=(), referrals=(), customers=None, past=None, as_of=AS_OF, **overrides):
    asked = segmenter.launch_settings({"spread": "referrals", "launch.as_of": str(as_of), **overrides})
    weighed = [(*tie, 1.0) if len(tie) == 2 else tie for tie in ties]
    known = pl.DataFrame({"customer_id": [*PEOPLE]}) if customers is None else customers
    tied = pl.DataFrame(weighed, schema=TIES, orient="row")
    return edge_chances(tied, pl.DataFrame(list(referrals), schema=REFERRALS, orient="row"), known, past, asked, as_of)


def launched(joined, name="spring", began=date(2026, 4, 1), community="space"):
    """Give a past launch of 30 days into which people came: (who, on which day, by whom)."""
    rows = [
        {"launch": name, "community": community, "as_of": began, "ends_on": began + timedelta(days=30), "customer_id": who}
        | {"answer": "joined", "answered_on": began + timedelta(days=day), "brought_by": by}
        for who, day, by in joined
    ]
    dated = {"as_of": pl.Date, "ends_on": pl.Date, "answered_on": pl.Date}
    return pl.DataFrame(rows, schema_overrides={**dated, "brought_by": pl.String})


def star(brought, asked, who="a"):
    """Give a member who knows so many others, some of whom they brought: the ties, and who came."""
    ties = [(who, f"{who}{number}") for number in range(asked)]
    return ties, [(who, 1, None), *((f"{who}{number}", 5, who) for number in range(brought))]


@given(PAIRS, PAIRS, st.booleans(), st.integers(1, 5))
@settings(deadline=None)
def test_each_pair_is_an_edge_once_and_nobody_brings_more_than_they_can(ties, brought, both, friends):
    if not {(one, other) for one, other in [*ties, *brought] if one != other}:
        return
    told = [(one, other, datetime(2026, 5, 1)) for one, other in brought]
    found = chances(ties, told, **{"spread.both_ways": both, "spread.friends": friends, "plan.join_chance": 0.5})
    pairs = {*ties, *brought, *((other, one) for one, other in brought if both)}
    assert set(found.edges.select("from_id", "to_id").rows()) == {(one, other) for one, other in pairs if one != other}
    assert found.edges["chance"].is_between(0, 0.5, closed="right").all()
    assert (found.edges.group_by("from_id").agg(pl.col("chance").sum())["chance"] <= friends + 1e-9).all()
    assert (found.edges.group_by("to_id").agg(pl.col("chance").sum())["chance"] <= 0.5 + 1e-9).all()
    assert found.edges.equals(
        chances(ties[::-1], told[::-1], **{"spread.both_ways": both, "spread.friends": friends, "plan.join_chance": 0.5}).edges
    )


def test_weights_share_a_person_and_what_has_none_is_no_edge():
    found = chances([("a", "c", 3.0), ("b", "c", 1.0), ("b", "d", 0.0)], [("b", "c", None)], **{"plan.join_chance": 0.5})
    assert found.edges.rows() == [("a", "c", 0.3), ("b", "c", 0.2)]
    assert (found.learned, found.asked, found.joined) == (False, 0, 0)
    assert found.notes[0].code == "spread.chances_guessed"


def test_referrals_from_the_date_on_are_not_known():
    told = [("a", "b", datetime(2026, 6, 30, 23, 59)), ("a", "c", datetime(2026, 7, 1))]
    assert chances(referrals=told).edges.select("from_id", "to_id").rows() == [("a", "b")]


def test_who_shares_an_attribute_knows_each_other_unless_very_many_do():
    many = [f"x{number}" for number in range(501)]
    shop = pl.DataFrame({"customer_id": ["a", "b", "c", "d", *many], "chain": ["one", "one", None, "two", *["large"] * 501], "orders": 1})
    found = chances(customers=shop, **{"spread.same": ["chain"]})
    assert found.edges.select("from_id", "to_id").rows() == [("a", "b"), ("b", "a")]
    assert [(note.facts["count"], note.facts["largest"]) for note in found.notes if note.code == "spread.many_share"] == [(1, 501)]
    with pytest.raises(ConfigError, match=r"chains.*chain") as caught:
        chances([("a", "b")], customers=shop, **{"spread.same": ["chains", "orders"]})
    assert len(caught.value.problems) == 2


def test_nobody_known_is_said_with_the_way_out():
    for ties in ([], [("a", "a")], [("a", "b", 0.0)]):
        with pytest.raises(InputError, match=r"data\.ties.*spread=off"):
            chances(ties)
    with pytest.raises(ConfigError, match="spread"):
        chances([("a", "b")], **{"spread": "off"})


def test_twenty_who_were_brought_are_enough_and_nineteen_are_not():
    for brought, learned in ((20, True), (19, False)):
        ties, joined = star(brought, 100)
        found = chances([*ties, ("b", "c")], past=launched(joined), **{"launch.community": "other", "spread.friends": 1_000})
        assert (found.learned, found.asked, found.joined) == (learned, 100, brought)
    ties, joined = star(0, 200)
    assert chances(ties, past=launched(joined)).learned


def test_rates_are_drawn_towards_that_of_all_and_that_towards_the_guess():
    one, came = star(30, 60)
    other, also = star(0, 40, "b")
    setup = {"launch.community": "other", "spread.friends": 1_000, "plan.join_chance": 0.1, "spread.evidence": 10}
    edges = chances([*one, *other, ("c", "d")], past=launched([*came, *also]), **setup).edges
    overall = (30 + 10 * 0.1) / (100 + 10)
    of = {who: edges.filter(from_id=who)["chance"].unique().to_list() for who in "abc"}
    assert of["a"] == pytest.approx([(30 + 10 * overall) / 70])
    assert of["b"] == pytest.approx([10 * overall / 50])
    assert of["c"] == pytest.approx([overall])


@pytest.mark.slow
@given(st.integers(0, 29), st.integers(30, 60), st.integers(0, 40), st.floats(0.5, 200), st.integers(1, 60))
@settings(deadline=None, max_examples=40)
def test_who_brought_one_more_never_has_a_lower_chance(brought, asked, others, evidence, friends):
    more, came = star(others, 200, "b")
    setup = {"launch.community": "other", "spread.evidence": evidence, "spread.friends": friends}

    def chance(count):
        ties, joined = star(count, asked)
        found = chances([*ties, *more], past=launched([*joined, *came]), **setup).edges
        assert found["chance"].is_between(0, 1).all()
        return found.filter(from_id="a")["chance"].max()

    assert chance(brought + 1) >= chance(brought) - 1e-12


def test_what_somebody_did_who_knows_more_than_they_can_ask_is_not_lowered_twice():
    ties, joined = star(20, 400)
    found = chances(ties, past=launched(joined), **{"launch.community": "other", "spread.friends": 20, "spread.evidence": 1e-6})
    assert found.edges["chance"].unique().to_list() == pytest.approx([20 / 400])


def test_who_joined_otherwise_or_before_was_not_there_to_be_brought():
    ties, joined = star(20, 100)
    joined += [("a30", 3, None), ("a31", 0, "z"), ("a32", 9, "a1")]
    earlier = launched([("a33", 2, None)], "winter", date(2026, 1, 1))
    past = pl.concat([launched(joined), earlier], how="diagonal")
    setup = {"launch.community": "other"}
    assert (chances(ties, past=past, **setup).asked, chances(ties, past=past, **setup).joined) == (96, 20)
    # Whom a member met by the launch itself was not known before.
    assert chances(ties, [("a", "new", datetime(2026, 4, 9)), ("a", "old", datetime(2026, 3, 9))], past=past, **setup).asked == 97


def test_launches_that_run_and_answers_of_later_tell_nothing():
    ties, joined = star(25, 100)
    past = launched(joined, began=date(2026, 6, 15))
    assert (chances(ties, past=past).asked, chances(ties, past=past, as_of=date(2026, 7, 15)).asked) == (0, 100)
    late = past.with_columns(answered_on=pl.lit(AS_OF))
    assert members(late, "space", AS_OF).is_empty()


def test_members_are_brought_no_more():
    ties, joined = star(3, 5)
    here = segmenter.launch_settings({}).launch.community
    found = chances(ties, past=launched(joined, community=here))
    assert found.edges["to_id"].to_list() == ["a3", "a4"]
    assert members(launched(joined), "space", AS_OF)["customer_id"].to_list() == ["a", "a0", "a1", "a2"]
