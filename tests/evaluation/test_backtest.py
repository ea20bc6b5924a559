import json
from dataclasses import replace
from datetime import date, timedelta

import polars as pl
import pytest
from jobs import run_python, settings_of
from polars.testing import assert_frame_equal

import segmenter
from segmenter.errors import ConfigError, InputError
from segmenter.evaluation.backtest import _recommend, backtest
from segmenter.measures.shop_orders import AggregatedOrders, SingleOrders
from segmenter.tables import EVENTS, ORDERS, Summary, Terms

SIMPLE = ["spend", "decayed", "recency", "rfm"]
LAST = date(2026, 6, 1)  # the demo shop's last day but the horizon


def settings(rankings=("spend",), **overrides):
    dotted = {key.replace("__", "."): value for key, value in overrides.items()}
    return segmenter.backtest_settings({"launch.as_of": "2026-07-01", "scoring": "weighted", "backtest.rankings": list(rankings), **dotted})


@pytest.fixture(scope="module")
def found(small_shop):
    return backtest(small_shop, settings(SIMPLE, plan__size=40, backtest__max_cuts=3))


def test_every_ranking_is_judged_by_what_the_eligible_spent(found, small_shop):
    assert found.cuts == found.compared == (date(2026, 4, 2), date(2026, 5, 2), date(2026, 6, 1))
    assert found.current == "weighted"
    assert found.warnings == ()
    names = [*SIMPLE, "weighted", "best", "random"]
    assert found.results["ranking"].to_list() == names * 4
    cut = found.cuts[1]
    # The launch of that day, and what its customers then spent.
    launch = segmenter.launch_settings({"launch.as_of": str(cut), "plan.size": 40, "plan.holdout": 0, "scoring": "spend"})
    plan = segmenter.plan_launch(small_shop, launch)
    later = small_shop.orders.single().filter(pl.col("time") >= cut, pl.col("time") < cut + timedelta(days=30))
    spent = later.group_by("customer_id").agg(pl.col("amount").sum())
    eligible = plan.customers.filter(verdict="eligible")
    whole = eligible.join(spent, on="customer_id")["amount"].sum()
    row = found.results.filter(cut=cut, ranking="spend").row(0, named=True)
    assert (row["customers"], row["eligible"], row["later_spend"]) == (plan.customers.height, eligible.height, whole)
    assert row["spend_share_size"] == plan.invite_list.join(spent, on="customer_id")["amount"].sum() / whole
    buyers = later.filter("is_order", pl.col("customer_id").is_in(eligible["customer_id"]))["customer_id"].n_unique()
    assert row["later_buyers"] == buyers
    means = found.results.filter(pl.col("cut").is_null())
    shares = found.results.filter(pl.col("cut").is_not_null(), ranking="rfm")["spend_share_10"]
    assert means.filter(ranking="rfm")["spend_share_10"].item() == pytest.approx(shares.mean())
    assert means["spend_share_10"].max() == means.filter(ranking="best")["spend_share_10"].item()
    assert found.intervals["ranking"].to_list() == names[:-2]
    assert found.intervals["share"].to_list() == pytest.approx(means["spend_share_10"].to_list()[:-2])
    assert found.differences.height == 5 * 4
    assert found.curves.height == 7 * 101
    assert found.calibration.is_empty()
    assert found.choices.is_empty()
    better = found.differences.filter("clearly_better", against="weighted").sort("difference", descending=True)["ranking"]
    assert found.recommended == (better[0] if better.len() else "weighted")
    assert found.intervals["beats_chance"].all()
    assert found.chance.low < found.chance.share < found.chance.high < found.intervals["share"].min()
    assert row["later_buyers"] < found.chance.buyers <= found.results.filter(ranking="random").drop_nulls("cut")["later_buyers"].sum()
    before = small_shop.orders.single().filter(pl.col("time") >= cut - timedelta(days=30), pl.col("time") < cut)
    assert row["previous_spend"] == eligible.join(before, on="customer_id")["amount"].sum()


@pytest.mark.slow
def test_the_order_of_rows_changes_nothing(small_shop):
    def mix(table):
        return table.sample(fraction=1, shuffle=True, seed=8)

    orders = SingleOrders(mix(small_shop.orders.single()))
    mixed = replace(small_shop, orders=orders, **{name: mix(getattr(small_shop, name)) for name in ("customers", "events", "referrals")})
    asked = settings(["learned", "clv", "auto"], backtest__max_cuts=2, rankings__auto__trials=2, rankings__auto__trees=20)
    one, other = (backtest(shop, asked) for shop in (small_shop, mixed))
    for name in ("results", "intervals", "differences", "curves", "calibration", "choices"):
        assert_frame_equal(getattr(other, name), getattr(one, name), check_exact=True)
    assert (other.recommended, other.warnings) == (one.recommended, one.warnings)
    assert set(one.calibration["ranking"]) >= {"learned", "clv"}
    assert one.choices["cut"].to_list() == list(one.cuts)
    assert one.results.filter(pl.col("cut").is_null(), ranking="clv")["calibration"].item() == pytest.approx(1, abs=0.5)


@pytest.mark.slow
def test_threads_change_nothing():
    code = """
import json, segmenter
from datetime import date
from segmenter.evaluation.backtest import _recommend, backtest
from segmenter.demo.shop import simulate
small = {f"{where}.{key}": value for where in ("scoring", "rankings.auto") for key, value in (("trials", 1), ("trees", 20))}
asked = segmenter.backtest_settings({"launch.as_of": "2026-07-01", "backtest.max_cuts": 1, "scoring": "auto", **small, "segments.k": 2,
    "rankings.learned.trees": 20})
shop = simulate(500, 200, date(2026, 7, 1), 3)
frames = {"orders": shop.orders, "customers": shop.customers, "events": shop.events, "referrals": shop.referrals}
tables = segmenter.canonical_tables(frames, asked.data, asked.launch)
found = backtest(tables, asked)
print(json.dumps([frame.write_json() for frame in (found.results, found.intervals, found.differences, found.calibration, found.choices)]))
print(segmenter.plan_launch(tables, asked).customers.write_json())
"""
    printed = [run_python("-c", code, POLARS_MAX_THREADS=count, OMP_NUM_THREADS=count).stdout for count in ("1", "4")]
    assert printed[0] == printed[1]
    assert len(json.loads(printed[0].splitlines()[0])) == 5


def test_shops_that_cannot_be_replayed(small_shop):
    with pytest.raises(InputError, match="no past to replay"):
        backtest(replace(small_shop, orders=SingleOrders(ORDERS.to_frame())), settings())
    with pytest.raises(InputError, match=r"launch\.as_of: is needed"):
        backtest(small_shop, segmenter.backtest_settings({}))
    with pytest.raises(InputError, match="engine=local"):
        backtest(
            replace(small_shop, orders=AggregatedOrders(Summary(pl.DataFrame(), Terms(LAST, 90, None), date(2025, 1, 1), LAST))),
            settings(backtest__max_cuts=1),
        )
    with pytest.raises(InputError, match="no ranking could be computed at any past date\n2026-05-02 is left out: nobody was eligible\n"):
        backtest(small_shop, settings(rules__spend__min=1e12, backtest__max_cuts=2))


@pytest.mark.slow
def test_rankings_and_launches_that_come_too_early(small_shop):
    first = small_shop.orders.single()["time"].min().date()
    early, late = first + timedelta(days=20), first + timedelta(days=200)
    asked = settings(["learned", "spend"], backtest__cuts=[str(early), str(late)], rankings__learned__trees=5)
    found = backtest(small_shop, asked)
    assert (found.cuts, found.compared) == ((early, late), (late,))
    (warning,) = found.warnings
    assert warning.startswith(f"learned could not be computed at 1 of the 2 dates ({early}), and is compared")
    assert found.results.filter(cut=early)["ranking"].to_list() == ["spend", "weighted", "best", "random"]
    # The others keep the date, and with the one that failed they are compared on the date that both have.
    means = {row["ranking"]: row for row in found.results.filter(pl.col("cut").is_null()).to_dicts()}
    shares = dict(found.results.filter(ranking="spend").drop_nulls("cut").select("cut", "spend_share_10").rows())
    assert means["spend"]["spend_share_10"] == pytest.approx((shares[early] + shares[late]) / 2)
    assert [means[name]["dates"] for name in ("spend", "learned", "random")] == [2, 1, 2]
    pair = found.differences.filter(ranking="learned", against="spend").row(0, named=True)
    assert (pair["dates"], pair["difference"]) == (1, pytest.approx(means["learned"]["spend_share_10"] - shares[late]))
    # The one that the launch uses can be computed nowhere: it is not said to be as good.
    only = backtest(small_shop, settings(backtest__cuts=[str(early)], scoring="learned"))
    assert only.warnings[0].startswith("learned could not be computed at any date: scoring: the history is too short")
    assert (only.current, only.recommended) == ("learned", "spend")
    with pytest.raises(InputError, match="at any past date\nlearned could not be computed at any date"):
        backtest(small_shop, settings([], backtest__cuts=[str(early)], scoring="learned"))
    # Nobody had ordered ten times at first.
    few = backtest(small_shop, settings(rules__orders__min=10, backtest__cuts=[str(first + timedelta(days=2)), str(late)]))
    assert few.cuts == (late,)
    assert few.warnings == (f"{first + timedelta(days=2)} is left out: nobody was eligible",)


def test_a_rule_on_events_of_which_there_were_none_yet(small_shop):
    shop = replace(small_shop, events=small_shop.events.filter((pl.col("kind") != "review") | (pl.col("time") > date(2026, 4, 20))))
    rule = [{"name": "talks", "keep": "events_review > 0 OR orders > 3"}]
    found = backtest(shop, settings(rules__custom=rule, backtest__max_cuts=3))
    assert found.cuts == (date(2026, 5, 2), date(2026, 6, 1))
    (warning,) = found.warnings
    assert warning.startswith("2026-04-02 is left out: rules.custom.0.keep (talks): there is no measure")


@pytest.mark.slow
def test_customers_at_random(small_shop):
    asked = settings(["spend"], plan__size=80, backtest__max_cuts=2)
    few = asked.model_copy(update={"backtest": asked.backtest.model_copy(update={"customers": 100})})
    whole, part = backtest(small_shop, asked), backtest(small_shop, few)
    first = small_shop.orders.single().filter(pl.col("time") < part.cuts[0])["customer_id"].n_unique()
    (warning,) = part.warnings
    assert warning == "replayed on one in 4 of the customers, drawn at random (backtest.customers=100); the intervals allow for that"
    assert 100 * 2 < first < 100 * 5
    eligible = part.results["eligible"][0]
    assert 20 < eligible < 140 < whole.results["eligible"][0]  # a few of them without orders
    # 80 of all are 20 of a quarter.
    row = part.results.filter(cut=part.cuts[0], ranking="random").row(0, named=True)
    assert row["spend_share_size"] == pytest.approx(20 / eligible)
    everyone = backtest(small_shop, few.model_copy(update={"plan": few.plan.model_copy(update={"size": "all"})}))
    assert set(everyone.results["spend_share_size"]) == {1.0}
    beyond = backtest(small_shop, asked.model_copy(update={"plan": asked.plan.model_copy(update={"size": 10**6})}))
    assert set(beyond.results["spend_share_size"]) == {1.0}


@pytest.mark.slow
def test_rankings_of_the_user_s_own_and_seeds_of_any_sign(small_shop):
    own = {
        "kind": "decayed",
        **{name: value for name, value in settings().scoring.model_dump().items() if name != "kind"},
        "half_life_days": 10.0,
    }
    asked = settings(["mine", "decayed"], **{"rankings.mine": own, "seed": -5, "scoring": "spend"}, backtest__max_cuts=1)
    found = backtest(small_shop, asked)
    assert found.intervals["ranking"].to_list() == ["mine", "decayed", "spend"]
    assert found.current == "spend"
    # A score that is like none of them stands beside them under its own name.
    other = backtest(small_shop, settings(["decayed"], scoring="decayed", scoring__half_life_days=33, backtest__max_cuts=1))
    assert (other.current, other.intervals["ranking"].to_list()) == ("decayed (scoring)", ["decayed", "decayed (scoring)"])
    with pytest.raises(ConfigError, match="nearest: spend"):
        settings(["spent"])
    with pytest.raises(ConfigError, match="two ends of every comparison"):
        settings(**{"rankings.best": own})


@pytest.mark.slow
def test_who_is_eligible_by_a_rule_on_decayed_spend_is_so_by_the_launch_s_own_half_life(small_shop):
    rule = [{"name": "recent", "keep": "decayed_spend > 3000"}]
    asked = settings(["spend"], rules__custom=rule, scoring__half_life_days=20, backtest__max_cuts=1)
    launch = segmenter.launch_settings({"launch.as_of": "2026-06-01", "rules.custom": rule, "scoring.half_life_days": 20})
    assert backtest(small_shop, asked).results["eligible"][0] == segmenter.plan_launch(small_shop, launch).counts["eligible"]


@pytest.mark.slow
def test_nobody_bought_anything_after_a_date(small_shop):
    last = pl.DataFrame({"customer_id": ["nobody"], "time": [date(2026, 6, 30)], "amount": 1, "refund": 0, "is_order": True},
        schema_overrides={"time": ORDERS["time"], "amount": pl.Int64, "refund": pl.Int64})  # fmt: skip
    quiet = small_shop.orders.single().filter(pl.col("time") < date(2026, 5, 1))
    shop = replace(small_shop, orders=SingleOrders(pl.concat([quiet, last], how="diagonal")), events=EVENTS.to_frame())
    found = backtest(shop, settings(backtest__cuts=["2026-05-15"]))
    assert found.results["spend_share_10"].null_count() == found.results.height
    assert (found.recommended, found.results["later_spend"].sum()) == ("weighted", 0)
    both = backtest(shop, settings(backtest__cuts=["2026-03-15", "2026-05-15"]))
    share = both.results.filter(cut=date(2026, 3, 15), ranking="spend")["spend_share_10"].item()
    assert both.intervals.filter(ranking="spend")["share"].item() == share


def test_it_reads_the_same_by_both_ways_of_asking():
    job = settings_of("backtest", "launch.as_of=2026-07-01", "scoring=rfm", "launch.horizon_days=45")
    asked = segmenter.backtest_settings({"launch.as_of": "2026-07-01", "scoring": "rfm", "launch.horizon_days": 45})
    for section in ("launch", "rules", "scoring", "plan", "backtest", "rankings"):
        assert getattr(job, section).model_dump() if section == "launch" else getattr(job, section) == getattr(asked, section)


def test_what_is_recommended_is_ahead_on_the_dates_that_both_have():
    # a is ahead of the launch's own by more than b, but on other dates: where both can be computed b is.
    pairs = [("a", "own", 0.05, True, 2), ("b", "own", 0.04, True, 3), ("b", "a", 0.01, False, 2), ("c", "own", 0.09, True, 1)]
    rows = [(*pair[:2], pair[2] * sign, pair[3] and sign > 0, pair[4]) if sign > 0 else (pair[1], pair[0], -pair[2], False, pair[4])
        for pair in pairs for sign in (1, -1)]  # fmt: skip
    differences = pl.DataFrame(rows, ["ranking", "against", "difference", "clearly_better", "dates"], orient="row")
    intervals = pl.DataFrame({"ranking": ["own", "a", "b", "c"], "share": [0.3, 0.4, 0.4, 0.4], "dates": [3, 2, 3, 1]})
    assert _recommend(intervals, differences, ["own", "a", "b"], "own") == "b"  # c may be chance
    assert _recommend(intervals, differences, ["own", "a"], "own") == "a"
    assert _recommend(intervals, differences, ["own"], "own") == _recommend(intervals, differences, [], "own") == "own"
    assert _recommend(intervals, differences, ["own", "a", "b"], "gone") == "b"
    assert _recommend(intervals, differences, [], "gone") == "own"
    # Nothing was spent at the dates of the launch's own, or at any.
    quiet = intervals.with_columns(share=pl.when(pl.col("ranking") != "own").then("share"))
    assert _recommend(quiet, differences.filter(pl.col("against") != "own"), ["b"], "own") == "b"
    assert _recommend(intervals.with_columns(share=pl.lit(None, pl.Float64)), differences, [], "own") == "own"
