"""The lift against other programs, its definition and its laws."""

import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_launches import Shop, launch, regions, story

from segmenter.evaluation.lift import estimate_lift
from segmenter.evaluation.lift_sums import fit_slope, sum_arms

HILLSTROM = Path(__file__).parents[3] / "shared" / "data" / "hillstrom.parquet"


CLOSE = 1e-6


@pytest.fixture(scope="module", params=["Mens E-Mail", "Womens E-Mail"])
def arms(request):
    """One of Hillstrom's arms against those who got no e-mail, in seven strata by past spend."""
    if not HILLSTROM.exists():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{HILLSTROM} is missing")
        pytest.skip(f"{HILLSTROM} is not here")
    data = pl.read_parquet(HILLSTROM).filter(pl.col("segment").is_in(["No E-Mail", request.param]))
    cents = {name: (data[name] * 100).round().cast(pl.Int64) for name in ("spend", "history")}
    return launch(data["segment"] != "No E-Mail", data["history_segment"], cents["spend"], cents["history"])


def by_method(lift):
    return {each.method: each for each in lift.estimates}


@pytest.mark.parametrize("pooled", [True, False])
def test_plain_and_cuped_are_those_of_tea_tasting(arms, pooled):
    import tea_tasting as tt

    metrics = {"plain": tt.Mean("spend", equal_var=pooled), "cuped": tt.Mean("spend", covariate="before", equal_var=pooled)}
    theirs = tt.Experiment(metrics, variant="invited").analyze(arms, control=False)
    ours = by_method(estimate_lift(arms, pooled=pooled))
    for method in metrics:
        one, other = ours[method], theirs[method]
        assert (one.effect, one.low, one.high, one.p, one.effect / one.error) == pytest.approx(
            (other.effect_size, other.effect_size_ci_lower, other.effect_size_ci_upper, other.pvalue, other.statistic), rel=CLOSE
        )


def design(arms):
    """Cells of strata and arms as columns, and the contrast that weighs their differences like the invited."""
    names = arms["stratum"].unique().sort()
    k = names.search_sorted(arms["stratum"]).to_numpy()
    invited = arms["invited"].to_numpy()
    cells = np.zeros((arms.height, 2 * len(names)))
    cells[np.arange(arms.height), k] = 1
    cells[invited, len(names) + k[invited]] = 1
    weights = np.bincount(k[invited], minlength=len(names)) / invited.sum()
    return k, cells, np.concatenate([np.zeros(len(names)), weights])


@pytest.mark.slow
def test_stratified_estimates_are_those_of_statsmodels(arms):
    import statsmodels.api as sm

    k, cells, contrast = design(arms)
    invited, spend, before = (arms[name].to_numpy().astype(float) for name in ("invited", "spend", "before"))
    slope = sm.OLS(spend, np.column_stack([cells[:, : cells.shape[1] // 2], before])).fit().params[-1]
    separate, pooled = by_method(estimate_lift(arms, pooled=False)), by_method(estimate_lift(arms))
    for method, outcome in (("stratified", spend), ("stratified_cuped", spend - slope * before)):
        # Neyman's variance is White's with the correction HC2.
        told = sm.OLS(outcome, cells).fit(cov_type="HC2").t_test(contrast, use_t=True)
        assert (separate[method].effect, separate[method].error) == pytest.approx((told.effect.item(), told.sd.item()), rel=CLOSE)
        # Variances pooled over arms only: least squares with a variance of its own in each stratum.
        residual = sm.OLS(outcome, cells).fit().resid
        within = np.bincount(k, residual**2) / (np.bincount(k) - 2)
        told = sm.WLS(outcome, cells, weights=1 / within[k]).fit(cov_type="fixed scale").t_test(contrast)
        assert (pooled[method].effect, pooled[method].error) == pytest.approx((told.effect.item(), told.sd.item()), rel=CLOSE)
    assert invited.sum() == estimate_lift(arms).invited


def test_intervals_of_strata_come_from_the_degrees_of_satterthwaite(arms):
    from scipy.stats import t

    for pooled in (True, False):
        parts = []
        for (_,), rows in arms.group_by("stratum"):
            one, other = (rows.filter(invited=side)["spend"].to_numpy() for side in (True, False))
            weight = len(one) / arms["invited"].sum()
            if pooled:
                both = np.concatenate([one - one.mean(), other - other.mean()])
                parts.append((weight**2 * (both @ both) / (len(both) - 2) * (1 / len(one) + 1 / len(other)), len(both) - 2))
            else:
                parts += [(weight**2 * side.var(ddof=1) / len(side), len(side) - 1) for side in (one, other)]
        part, degrees = np.array(parts).T
        mine = by_method(estimate_lift(arms, pooled=pooled))["stratified"]
        law = t(part.sum() ** 2 / (part**2 / degrees).sum(), loc=mine.effect, scale=part.sum() ** 0.5)
        assert (mine.low, mine.high) == pytest.approx(law.interval(0.95), rel=CLOSE)
        assert mine.p == pytest.approx(2 * law.cdf(min(0, 2 * mine.effect)), rel=CLOSE)


def test_whole_regions_have_the_variance_of_bell_and_mccaffrey_by_its_definition():
    frame = regions()
    lift = estimate_lift(frame)
    assert (lift.measured, lift.regions, lift.regions_held_out, lift.best.method) == ("total", 12, 4, "cuped")
    x = np.column_stack([np.ones(frame.height), frame["invited"].to_numpy()]).astype(float)
    bread, region = np.linalg.inv(x.T @ x), frame["cluster"].to_numpy()
    slope = fit_slope(sum_arms(frame.with_columns(one=pl.lit("")), "one").values())
    for estimate, outcome in zip(lift.estimates, (frame["spend"], frame["spend"] - slope * frame["before"]), strict=True):
        y = outcome.to_numpy().astype(float)
        beta = bread @ x.T @ y
        maker = np.eye(len(y)) - x @ bread @ x.T
        columns, variance = [], 0.0
        for name in np.unique(region):
            rows = region == name
            values, vectors = np.linalg.eigh(maker[np.ix_(rows, rows)])
            root = vectors @ np.diag(values**-0.5) @ vectors.T
            pick = root @ x[rows] @ bread[:, 1]
            variance += (pick @ (y - x @ beta)[rows]) ** 2
            columns.append(maker[:, rows] @ pick)
        values = np.linalg.eigvalsh(np.array(columns) @ np.array(columns).T)
        assert (estimate.effect, estimate.error, estimate.degrees) == pytest.approx(
            (beta[1], variance**0.5, values.sum() ** 2 / (values**2).sum()), rel=CLOSE
        )


def test_whole_regions_of_one_size_are_compared_by_their_means():
    from statsmodels.stats.weightstats import CompareMeans

    frame = regions(same_size=True)
    means = frame.group_by("cluster").agg(pl.col("invited").first(), pl.col("spend").mean())
    told = CompareMeans.from_data(*(means.filter(invited=side)["spend"].to_numpy() for side in (True, False)))
    plain = estimate_lift(frame).estimates[0]
    assert (plain.effect, plain.error) == pytest.approx((told.d1.mean - told.d2.mean, told.std_meandiff_separatevar), rel=CLOSE)


@pytest.mark.slow
@pytest.mark.parametrize(("effect", "rate", "sigma"), [(0, 0.05, 1.3), (0.25, 0.15, 1.0)])
def test_the_interval_covers_the_truth_and_no_effect_is_rarely_called_one(effect, rate, sigma):
    shop, repetitions, covered, said = Shop(20_000, rate, sigma), 1_000, 0, 0
    for _ in range(repetitions):
        frame, truth = shop.launched(effect)
        best = estimate_lift(frame).best
        covered += best.low <= truth <= best.high
        said += not best.low <= 0 <= best.high
    assert 0.93 <= covered / repetitions <= 0.97
    assert effect or said / repetitions <= 0.07


amount = st.one_of(st.just(0), st.integers(-(10**6), 10**12))


@st.composite
def launches(draw):
    """Few customers in uneven strata, with refunds and huge orders, at least two on either side."""
    arms = [True, True, False, False, *draw(st.lists(st.booleans(), max_size=20))]
    strata = [draw(st.sampled_from("abcd")) for _ in arms]
    return launch(arms, strata, [draw(amount) for _ in arms], [draw(amount) for _ in arms])


@given(launches(), st.integers(0, 10**6), st.booleans())
def test_the_order_of_rows_changes_no_bit(frame, seed, pooled):
    assert estimate_lift(frame.sample(fraction=1, shuffle=True, seed=seed), pooled=pooled) == estimate_lift(frame, pooled=pooled)


@given(launches(), st.integers(-(10**11), 10**11), st.booleans())
def test_who_spends_the_same_more_on_both_sides_changes_nothing_and_another_unit_only_the_unit(frame, more, pooled):
    lift = estimate_lift(frame, pooled=pooled)
    shifted = estimate_lift(frame.with_columns(pl.col("spend") + more, pl.col("before") - more), pooled=pooled)
    scaled = estimate_lift(frame.with_columns(pl.col("spend", "before") * 100), pooled=pooled)
    largest = 1 + max(abs(frame["spend"]).max(), abs(frame["before"]).max())
    for one, moved, other in zip(lift.estimates, shifted.estimates, scaled.estimates, strict=True):
        assert one.low <= one.effect <= one.high
        assert one.total == pytest.approx(one.effect * lift.invited, abs=0.51, rel=1e-12)
        assert (moved.effect, moved.error) == pytest.approx((one.effect, one.error), rel=1e-6, abs=1e-6 * largest)
        assert (other.effect, other.error) == pytest.approx((100 * one.effect, 100 * one.error), rel=1e-6, abs=1e-4 * largest)
    assert shifted.sales == lift.sales + more * lift.invited == frame.filter("invited")["spend"].sum() + more * lift.invited
    assert shifted.held_out_sales == lift.held_out_sales + more * lift.held_out


@given(launches(), st.booleans())
def test_one_stratum_is_none(frame, pooled):
    plain, stratified, cuped, both = estimate_lift(frame.with_columns(stratum=pl.lit("all")), pooled=pooled).estimates
    for one, other in ((plain, stratified), (cuped, both)):
        assert (one.effect, one.error, one.p, one.total) == (other.effect, other.error, other.p, other.total)


def test_small_strata_join_their_neighbours_in_past_spend():
    # Three of the four lack a side; what is spent afterwards does not matter.
    stratum = ["rich"] * 3 + ["upper"] * 6 + ["lower"] * 6 + ["poor"] * 3
    invited = [True] * 3 + [True, False] * 6 + [True, True, False]
    before = [900] * 3 + [500] * 6 + [300] * 6 + [0] * 3
    lift = estimate_lift(launch(invited, stratum, list(range(18)), before))
    assert (lift.strata, lift.merged) == (2, 2)
    joined = ["upper"] * 9 + ["lower"] * 9
    by_hand = estimate_lift(launch(invited, joined, list(range(18)), before))
    assert by_method(by_hand)["stratified"] == by_method(lift)["stratified"]


def test_nobody_spends_anything():
    lift = estimate_lift(launch([True, True, False, False], "all", 0, [1, 2, 3, 4]))
    assert (lift.best.low, lift.best.high, lift.best.p, lift.anyway) == (0, 0, 1, None)


def test_what_the_invited_spent_is_parted_into_what_they_brought_and_the_rest():
    lift = estimate_lift(story(5_000))
    assert (lift.sales, lift.best.total, lift.anyway) == (12_500_000, 2_500_000, 0.8)
