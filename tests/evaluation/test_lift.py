import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmenter.errors import ConfigError, InputError
from segmenter.evaluation.lift import measure
from segmenter.evaluation.lift_sums import sums, theta
from segmenter.evaluation.power import Outlook, holdout_advice, holdout_table, outlook, smallest_lift
from segmenter.report.lift_words import doubts, sentence

HILLSTROM = Path(__file__).parents[3] / "shared" / "data" / "hillstrom.parquet"
CLOSE = 1e-6


def launch(invited, stratum, spend, before, **more):
    columns = {"invited": invited, "stratum": stratum, "spend": spend, "before": before, **more}
    frame = pl.DataFrame(
        columns, {"invited": pl.Boolean, "stratum": pl.String, "spend": pl.Int64, "before": pl.Int64} | dict.fromkeys(more, pl.String)
    )
    return frame.select(pl.format("C{}", pl.int_range(pl.len())).alias("customer_id"), pl.all())


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
    ours = by_method(measure(arms, pooled=pooled))
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


def test_stratified_estimates_are_those_of_statsmodels(arms):
    import statsmodels.api as sm

    k, cells, contrast = design(arms)
    invited, spend, before = (arms[name].to_numpy().astype(float) for name in ("invited", "spend", "before"))
    slope = sm.OLS(spend, np.column_stack([cells[:, : cells.shape[1] // 2], before])).fit().params[-1]
    separate, pooled = by_method(measure(arms, pooled=False)), by_method(measure(arms))
    for method, outcome in (("stratified", spend), ("stratified_cuped", spend - slope * before)):
        # Neyman's variance is White's with the correction HC2.
        told = sm.OLS(outcome, cells).fit(cov_type="HC2").t_test(contrast, use_t=True)
        assert (separate[method].effect, separate[method].error) == pytest.approx((told.effect.item(), told.sd.item()), rel=CLOSE)
        # Variances pooled over arms only: least squares with a variance of its own in each stratum.
        residual = sm.OLS(outcome, cells).fit().resid
        within = np.bincount(k, residual**2) / (np.bincount(k) - 2)
        told = sm.WLS(outcome, cells, weights=1 / within[k]).fit(cov_type="fixed scale").t_test(contrast)
        assert (pooled[method].effect, pooled[method].error) == pytest.approx((told.effect.item(), told.sd.item()), rel=CLOSE)
    assert invited.sum() == measure(arms).invited


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
        mine = by_method(measure(arms, pooled=pooled))["stratified"]
        law = t(part.sum() ** 2 / (part**2 / degrees).sum(), loc=mine.effect, scale=part.sum() ** 0.5)
        assert (mine.low, mine.high) == pytest.approx(law.interval(0.95), rel=CLOSE)
        assert mine.p == pytest.approx(2 * law.cdf(min(0, 2 * mine.effect)), rel=CLOSE)


def regions(seed=3, count=12, held=4, same_size=False):
    chance = np.random.default_rng(seed)
    sizes = np.full(count, 20) if same_size else chance.integers(5, 60, count)
    level = chance.normal(1000, 200, count).repeat(sizes)
    region = np.arange(count).repeat(sizes)
    before = (level + chance.normal(0, 100, len(level))).astype(int)
    spend = (level + chance.exponential(300, len(level))).astype(int)
    return launch(region >= held, "all", spend, before, cluster=pl.Series(region).cast(pl.String))


def test_whole_regions_have_the_variance_of_bell_and_mccaffrey_by_its_definition():
    frame = regions()
    lift = measure(frame)
    assert (lift.measured, lift.regions, lift.regions_held_out, lift.best.method) == ("total", 12, 4, "cuped")
    x = np.column_stack([np.ones(frame.height), frame["invited"].to_numpy()]).astype(float)
    bread, region = np.linalg.inv(x.T @ x), frame["cluster"].to_numpy()
    slope = theta(sums(frame.with_columns(one=pl.lit("")), "one").values())
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
    plain = measure(frame).estimates[0]
    assert (plain.effect, plain.error) == pytest.approx((told.d1.mean - told.d2.mean, told.std_meandiff_separatevar), rel=CLOSE)


class Shop:
    """Most buy nothing and a few a lot; who bought much before does so again. A tenth of each of ten strata is held out."""

    def __init__(self, customers, rate, sigma):
        self.chance = np.random.default_rng(7)
        self.customers, self.sigma = customers, sigma
        self.taste = self.chance.normal(size=customers)
        self.rate = rate * np.exp(0.4 * self.taste)
        before = np.exp(9 + 0.8 * self.taste + 0.5 * self.chance.normal(size=customers)) * (self.chance.random(customers) < 0.7)
        self.by_past = np.lexsort((self.chance.random(customers), before))
        stratum = np.empty(customers, int)
        stratum[self.by_past] = np.arange(customers) * 10 // customers
        self.frame = launch(True, pl.Series(stratum).cast(pl.String), 0, before.round().astype(int))

    def launched(self, effect):
        """One launch, whose invitations make so much more of the invited buy, and what they truly brought per customer."""
        rest = (self.sigma**2 - 0.36) ** 0.5 * self.chance.normal(size=self.customers)
        amounts = np.exp(8.5 + 0.6 * self.taste + rest).round().astype(int)
        luck = self.chance.random(self.customers)
        without, with_it = amounts * (luck < self.rate), amounts * (luck < self.rate * (1 + effect))
        size = self.customers // 10
        invited = np.ones(self.customers, bool)
        invited[self.by_past.reshape(10, -1)[:, self.chance.permutation(size)[: size // 10]]] = False
        spend = np.where(invited, with_it, without)
        return self.frame.with_columns(invited=pl.Series(invited), spend=pl.Series(spend)), (with_it - without)[invited].mean()


@pytest.mark.slow
@pytest.mark.parametrize(("effect", "rate", "sigma"), [(0, 0.05, 1.3), (0.25, 0.15, 1.0)])
def test_the_interval_covers_the_truth_and_no_effect_is_rarely_called_one(effect, rate, sigma):
    shop, repetitions, covered, said = Shop(20_000, rate, sigma), 1_000, 0, 0
    for _ in range(repetitions):
        frame, truth = shop.launched(effect)
        best = measure(frame).best
        covered += best.low <= truth <= best.high
        said += not best.low <= 0 <= best.high
    assert 0.93 <= covered / repetitions <= 0.97
    assert effect or said / repetitions <= 0.07


def test_the_smallest_lift_is_shown_as_often_as_promised():
    shop = Shop(20_000, 0.15, 1.0)
    past, _ = shop.launched(0)
    expected = outlook(past)
    smallest = smallest_lift(20_000, 0.1, expected)
    assert expected.explained > 0.02
    repetitions, shown = 200, 0
    for _ in range(repetitions):
        frame, _ = shop.launched(0)
        more = pl.when("invited").then(round(smallest.effect)).otherwise(0)
        shown += measure(frame.with_columns(pl.col("spend") + more)).best.low > 0
    assert 0.7 <= shown / repetitions <= 0.9


def test_the_smallest_lift_has_the_power_that_tea_tasting_gives_it():
    import tea_tasting as tt

    frame, _ = Shop(5_000, 0.15, 1.0).launched(0)
    for share, covariate in ((0.05, None), (0.2, "before")):
        expected = outlook(frame.with_columns(stratum=pl.lit("all"), before=pl.col("before") * (covariate is not None)))
        mine = smallest_lift(20_000, share, expected)
        metric = tt.Mean(
            "spend", covariate=covariate, ratio=1 / share - 1, alpha=0.05, equal_var=True, n_obs=20_000, effect_size=mine.effect
        )
        (theirs,) = tt.Experiment(spend=metric).solve_power(frame, "power")["spend"]
        assert mine.percent == pytest.approx(100 * theirs.rel_effect_size, rel=CLOSE)
        assert theirs.power == pytest.approx(0.8, abs=1e-3)  # as closely as statsmodels solves


amount = st.one_of(st.just(0), st.integers(-(10**6), 10**12))


@st.composite
def launches(draw):
    """Few customers in uneven strata, with refunds and huge orders, at least two on either side."""
    arms = [True, True, False, False, *draw(st.lists(st.booleans(), max_size=20))]
    strata = [draw(st.sampled_from("abcd")) for _ in arms]
    return launch(arms, strata, [draw(amount) for _ in arms], [draw(amount) for _ in arms])


@given(launches(), st.integers(0, 10**6), st.booleans())
def test_the_order_of_rows_changes_no_bit(frame, seed, pooled):
    assert measure(frame.sample(fraction=1, shuffle=True, seed=seed), pooled=pooled) == measure(frame, pooled=pooled)


@given(launches(), st.integers(-(10**11), 10**11), st.booleans())
def test_who_spends_the_same_more_on_both_sides_changes_nothing_and_another_unit_only_the_unit(frame, more, pooled):
    lift = measure(frame, pooled=pooled)
    shifted = measure(frame.with_columns(pl.col("spend") + more, pl.col("before") - more), pooled=pooled)
    scaled = measure(frame.with_columns(pl.col("spend", "before") * 100), pooled=pooled)
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
    plain, stratified, cuped, both = measure(frame.with_columns(stratum=pl.lit("all")), pooled=pooled).estimates
    for one, other in ((plain, stratified), (cuped, both)):
        assert (one.effect, one.error, one.p, one.total) == (other.effect, other.error, other.p, other.total)


def test_small_strata_join_their_neighbours_in_past_spend():
    # Three of the four lack a side; what is spent afterwards does not matter.
    stratum = ["rich"] * 3 + ["upper"] * 6 + ["lower"] * 6 + ["poor"] * 3
    invited = [True] * 3 + [True, False] * 6 + [True, True, False]
    before = [900] * 3 + [500] * 6 + [300] * 6 + [0] * 3
    lift = measure(launch(invited, stratum, list(range(18)), before))
    assert (lift.strata, lift.merged) == (2, 2)
    joined = ["upper"] * 9 + ["lower"] * 9
    by_hand = measure(launch(invited, joined, list(range(18)), before))
    assert by_method(by_hand)["stratified"] == by_method(lift)["stratified"]


def test_nobody_spends_anything():
    lift = measure(launch([True, True, False, False], "all", 0, [1, 2, 3, 4]))
    assert (lift.best.low, lift.best.high, lift.best.p, lift.anyway) == (0, 0, 1, None)
    assert sentence(lift, currency="CNY", lang="en").startswith("No effect could be shown: it lies between 0 and 0")


def story(gain, held=500, cluster=False):
    """A launch of a hundred customers in each of ten regions, who spend 100 or 300 by turns and those invited `gain` more."""
    region = np.arange(2 * held) // (held // 5)
    invited = region % 2 == 0
    spend = 10_000 + 20_000 * (np.arange(2 * held) // 10 % 2) + gain * invited
    more = {"cluster": pl.Series(region).cast(pl.String)} if cluster else {}
    return launch(invited, "all", spend, 100 + np.arange(2 * held) % 10, **more)


@pytest.mark.parametrize(
    ("gain", "cluster", "en", "zh"),
    [
        (5_000, False, "The invitation brought 25,000, between ", "邀请带来 25,000（95% 置信区间："),
        (5_000, False, "; 8 in 10 of the sales would have come anyway. It is the direct effect", "约有 8 成本来就会发生"),
        (10**7, False, "; hardly any of the sales would have come anyway.", "几乎都不会发生"),
        (-5_000, False, "The invitation cost sales: 25,000, between ", "邀请反而使销售额减少 25,000"),
        (500, False, "No effect could be shown: it lies between -", "未能证实邀请有效果：其效果介于 -"),
        (5_000, True, "It is the total effect on a region", "这是对整个地区的总效果"),
    ],
)
def test_the_sentence(gain, cluster, en, zh):
    lift = measure(story(gain, cluster=cluster))
    assert en in sentence(lift, currency="CNY", lang="en")
    assert zh in sentence(lift, currency="CNY", lang="zh")
    if gain == 5_000:
        assert (lift.sales, lift.best.total, lift.anyway) == (12_500_000, 2_500_000, 0.8)


def test_a_sound_measurement_raises_no_doubt_and_each_fault_its_own():
    sound = {"share": 0.5, "days": 30, "horizon_days": 30, "joined": 0}
    frame = story(5_000)

    def told(frame, lang="en", **change):
        return doubts(frame, measure(frame), **sound | change, lang=lang)

    assert told(frame) == told(story(5_000, cluster=True)) == ()
    unbalanced = frame.with_columns(before=pl.col("before") + 10 * pl.col("invited"))
    faults = [
        (told(frame, days=29), "Only 29 of 30 days"),
        (told(frame, share=0.3), "500 of 1,000 customers are held out, where the plan has 300"),
        (told(frame, joined=20), "20 of the 500 held-out customers (4 %) joined"),
        (told(unbalanced), "Those invited had spent 9.6 % more than those held out"),
        (told(story(5_000, held=495)), "Only 495 customers were held out"),
    ]
    for warnings, start in faults:
        (warning,) = warnings
        assert warning.startswith(start)
    one_region = story(5_000, cluster=True).filter(pl.col("invited") | pl.col("cluster").is_in(["1", "3"]))
    assert any("2 of 7 regions were held out" in each for each in told(one_region, share=0.9))
    chinese = told(unbalanced.head(900), "zh", share=0.3, days=3, joined=20)
    assert len(chinese) == 5
    assert not any(letter.isascii() and letter.isalpha() for letter in "".join(chinese))


def test_the_balance_test_cries_wolf_about_once_in_a_thousand():
    shop = Shop(5_000, 0.15, 1.0)
    cried = sum(
        len(doubts(frame, measure(frame), share=0.1, days=1, horizon_days=1, joined=0, lang="en"))
        for frame, _ in (shop.launched(0) for _ in range(100))
    )
    assert cried <= 1


def test_what_cannot_be_measured_says_so():
    with pytest.raises(InputError, match="held out: should be at least 2 customers to measure a lift \\(got 0\\)"):
        measure(launch([True] * 4, "all", 1, 1))
    with pytest.raises(InputError, match="region b: should be invited or held out as a whole \\(got 1 invited, 1 held out\\)"):
        measure(launch([True, True, False, False], "all", 1, 1, cluster=["a", "b", "b", "c"]))
    with pytest.raises(InputError, match="regions held out: should be at least 2 to measure a lift \\(got 1\\)"):
        measure(launch([True, True, False, False], "all", 1, 1, cluster=["a", "b", "c", "c"]))
    frame = launch([True, True, False, False], "all", 1, 1)
    for wrong, what in (
        (frame.drop("before"), "before \\(none\\)"),
        (frame.with_columns(pl.col("spend").cast(pl.Float64)), "spend \\(Float64\\)"),
        (frame.with_columns(spend=pl.lit(None, pl.Int64)), "no nulls"),
        (pl.concat([frame, frame]), "each customer once"),
    ):
        with pytest.raises(ValueError, match=what):
            measure(wrong)
    with pytest.raises(ConfigError, match="got 1 of 20 held out"):
        smallest_lift(20, 0.05, Outlook(1.0, 1.0, 0.0))


def test_advice_on_the_share():
    expected = Outlook(mean=5_000, variance=20_000.0**2, explained=0.2)
    table = holdout_table(20_000, expected)
    assert table["effect"].is_sorted(descending=True)
    assert table.rows()[1] == tuple(vars(smallest_lift(20_000, 0.1, expected)).values())
    (told,) = holdout_advice(20_000, 0.1, expected, currency="CNY", lang="zh")
    assert told.startswith(
        "留出 10 %（20,000 位客户中的 2,000 位），能验证出的最小提升为每位客户 11，相当于其预期消费的 23.6 %；若留出 5 % 则为 32.5 %"
    )
    told, warned = holdout_advice(800, 0.1, expected, currency="CNY", lang="en")
    assert warned.endswith("A launch this small can hardly be measured.")
    (told,) = holdout_advice(31, 0.1, expected, currency="CNY", lang="en", by="region")
    assert "(3 of 31 regions)" in told
    # Where regions differ, more customers help little: what counts is how many regions there are.
    by_region = outlook(regions(count=30))
    assert (
        smallest_lift(30, 0.2, by_region).effect
        > smallest_lift(regions(count=30).height, 0.2, outlook(regions(count=30).drop("cluster"))).effect
    )
