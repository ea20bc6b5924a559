"""What the control group of a launch will be able to show."""

import polars as pl
import pytest
from made_up_launches import Shop, regions

import segmenter
from segmenter.evaluation.detectable_effect import (
    ExpectedSpend,
    describe_detectable_effect,
    describe_share,
    expect_spend,
    solve_detectable_effect,
)
from segmenter.evaluation.lift import estimate_lift
from segmenter.report.language import translate

CLOSE = 1e-6


def described(invited, held, province="四川", **overrides):
    people = invited + held
    frame = pl.DataFrame(
        {
            "customer_id": [f"{i:04}" for i in range(people)],
            "invited": [True] * invited + [False] * held,
            "held_out": [False] * invited + [True] * held,
            "stratum": "四川|1",
            "spend": [1000 + 7 * i for i in range(people)],
            "spend_30d": [i % 9 for i in range(people)],
            "spend_90d": 0,
            "province": province,
            "city": None,
        }
    )
    return describe_detectable_effect(frame, segmenter.launch_settings(overrides))


def test_the_sentence_counts_those_who_are_held_out():
    # 10.05 %, which as 0.101 would be 119 of them.
    (note,), (warning,) = described(1056, 118)
    assert note.startswith("Holding out 10.1 % (118 of 1,174 customers)")
    assert warning.startswith("Only 118 customers are held out")
    assert described(1131, 126)[0][0].count("10 %") == 1  # 10.02 % is the same share


def test_too_few_to_measure_anything():
    assert described(5, 0)[0][0].startswith("Nobody is held out (the launch is too small)")
    assert described(1, 1)[0][0].startswith("Only 1 held out of 2 (the launch is too small)")
    assert described(5, 0, **{"plan.holdout": 0})[0][0].startswith("Nobody is held out (plan.holdout=0)")


def test_of_whole_regions_those_count_and_not_who_has_none():
    places = ["四川", "云南", None, "重庆", "贵州", "贵州"]
    terms = {"plan.holdout": 0.2, "plan.holdout_by": "region"}
    assert described(3, 3, pl.Series(places), **terms)[0][0].startswith("Holding out 50 % (2 of 4 regions)")
    assert described(4, 2, pl.Series(places), **terms)[0][0].startswith("Only 1 held out of 4 (the launch is too small)")


EXPECTED = ExpectedSpend(mean=5_000, variance=20_000.0**2, explained=0.2)


def test_shares_are_put_side_by_side():
    (note,), warnings = describe_share(20_000, 0.1, EXPECTED, "CNY")
    assert warnings == ()
    assert note == (
        "Holding out 10 % (2,000 of 20,000 customers) can show a lift of 11 per customer or more, 23.6 % of what they are expected to "
        "spend; with 5 % it would be 32.5 %, with 20 % 17.7 %."
    )
    assert translate(note, "zh").count("%") == 6
    (note,), _ = describe_share(31, 0.1, EXPECTED, "CNY", by="region")
    assert "(3 of 31 regions)" in note


def test_who_all_spent_nothing_lately_shows_nothing():
    (note,), _ = describe_share(20_000, 0.1, ExpectedSpend(mean=0, variance=0, explained=0), "CNY")
    assert note.code == "lift.undetectable"


def test_a_control_group_that_is_too_small_is_said_to_be():
    _, (warning,) = describe_share(4_000, 0.1, EXPECTED, "CNY")
    assert warning.endswith("Hold out 12.5 %, or invite more.")
    _, (warning,) = describe_share(800, 0.1, EXPECTED, "CNY")
    assert warning.endswith("A launch this small can hardly be measured.")


@pytest.mark.slow
def test_the_minimum_detectable_effect_is_shown_as_often_as_promised():
    shop = Shop(20_000, 0.15, 1.0)
    past, _ = shop.launched(0)
    expected = expect_spend(past)
    minimum = solve_detectable_effect(20_000, 0.1, expected)
    assert expected.explained > 0.02
    repetitions, shown = 200, 0
    for _ in range(repetitions):
        frame, _ = shop.launched(0)
        more = pl.when("invited").then(round(minimum.effect)).otherwise(0)
        shown += estimate_lift(frame.with_columns(pl.col("spend") + more)).best.low > 0
    assert 0.7 <= shown / repetitions <= 0.9


def test_the_minimum_detectable_effect_has_the_power_that_tea_tasting_gives_it():
    import tea_tasting as tt

    frame, _ = Shop(5_000, 0.15, 1.0).launched(0)
    for share, covariate in ((0.05, None), (0.2, "before")):
        expected = expect_spend(frame.with_columns(stratum=pl.lit("all"), before=pl.col("before") * (covariate is not None)))
        mine = solve_detectable_effect(20_000, share, expected)
        metric = tt.Mean(
            "spend", covariate=covariate, ratio=1 / share - 1, alpha=0.05, equal_var=True, n_obs=20_000, effect_size=mine.effect
        )
        (theirs,) = tt.Experiment(spend=metric).solve_power(frame, "power")["spend"]
        assert mine.percent == pytest.approx(100 * theirs.rel_effect_size, rel=CLOSE)
        assert theirs.power == pytest.approx(0.8, abs=1e-3)  # as closely as statsmodels solves


def test_where_regions_differ_more_customers_help_little():
    frame = regions(count=30)
    by_region, by_customer = expect_spend(frame), expect_spend(frame.drop("cluster"))
    assert solve_detectable_effect(30, 0.2, by_region).effect > solve_detectable_effect(frame.height, 0.2, by_customer).effect
