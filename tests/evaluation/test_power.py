"""The minimum detectable effect, known before the launch."""

import polars as pl
import pytest
from made_up_launches import Shop, regions

from segmenter.errors import ConfigError
from segmenter.evaluation.lift import estimate_lift
from segmenter.evaluation.power import ExpectedSpend, expect_spend, solve_detectable_effect

CLOSE = 1e-6


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


def test_a_share_that_leaves_fewer_than_two_is_refused():
    with pytest.raises(ConfigError, match="got 1 of 20 held out"):
        solve_detectable_effect(20, 0.05, ExpectedSpend(1.0, 1.0, 0.0))


def test_where_regions_differ_more_customers_help_little():
    frame = regions(count=30)
    by_region, by_customer = expect_spend(frame), expect_spend(frame.drop("cluster"))
    assert solve_detectable_effect(30, 0.2, by_region).effect > solve_detectable_effect(frame.height, 0.2, by_customer).effect
