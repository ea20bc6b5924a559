import pickle
from dataclasses import replace
from datetime import date, timedelta

import polars as pl
import pytest
from marks import slow_but
from polars.testing import assert_frame_equal

import segmenter
from segmenter.demo.shop import simulate
from segmenter.errors import InputError
from segmenter.evaluation.as_of import sampling_of, terms_of
from segmenter.launch_plan import INVITE_COLUMNS
from segmenter.launch_stages import plan_launch
from segmenter.measures.aggregator import aggregate
from segmenter.measures.shop_orders import AggregatedOrders, SingleOrders
from segmenter.measures.spec import MONEY
from segmenter.report.plan_words import in_words
from segmenter.sources.samples import sample_of
from segmenter.tracking.served_model import ServedModel


@pytest.fixture(scope="module")
def shop():
    demo = simulate(600, 400, date(2026, 7, 1), 3)
    settings = segmenter.launch_settings(
        {"launch.as_of": "2026-07-01", "plan.size": 100, "plan.holdout": 0, "rules.spend.min": 200, "data.customers.contact": ["phone"]}
        | {"segments.bootstraps": 2}
    )
    frames = {"orders": demo.orders, "customers": demo.customers, "events": demo.events, "referrals": demo.referrals}
    return segmenter.canonical_tables(frames, settings.data, settings.launch), settings


def test_every_customer_ends_with_one_verdict_and_the_counts_add_up(shop):
    tables, settings = shop
    stages = []
    plan = plan_launch(tables, settings, progress=stages.append)
    assert stages == ["history", "rules", "scoring", "segments", "planning"]
    assert plan.customers.height == plan.counts["customers"] == 600
    assert plan.customers["customer_id"].is_sorted()
    assert plan.customers["verdict"].null_count() == 0
    eligible = plan.customers.filter(verdict="eligible")
    assert eligible.height == plan.counts["eligible"] == plan.segments["size"].sum()
    assert eligible["segment"].null_count() == 0
    assert plan.customers.filter(pl.col("verdict") != "eligible").select(pl.col("segment").count(), pl.col("invited").sum()).row(0) == (
        0,
        0,
    )
    assert tuple(plan.invite_list.columns) == tuple(name for name in INVITE_COLUMNS if name not in ("persona", "topic"))
    assert plan.invite_list.height == plan.counts["invited"] == 100 == plan.groups["size"].sum()
    assert plan.invite_list["score"].is_sorted(descending=True)
    assert plan.valid_until == date(2026, 7, 15)


def by(settings, ranking):
    learning = {"scoring.trees": 20, "scoring.trials": 2} if ranking == "auto" else {}
    return settings.model_copy(update={"scoring": segmenter.launch_settings({"scoring": ranking, **learning}).scoring})


@pytest.fixture(scope="module", params=["weighted", "auto"])
def ranked(request, shop):
    """A launch by a score, and one by what is learned from its own past."""
    tables, settings = shop
    return tables, by(settings, request.param)


def test_row_order_and_the_future_change_nothing(ranked):
    tables, settings = ranked
    plan = plan_launch(tables, settings)
    later = (
        tables.orders.single().head(200).with_columns(time=pl.lit(date(2026, 7, 1)).cast(pl.Datetime("us")), amount=pl.lit(10**9, pl.Int64))
    )
    orders = SingleOrders(pl.concat([tables.orders.single(), later]).sample(fraction=1, shuffle=True, seed=1))
    if few := sampling_of(settings):  # as where many orders are aggregated as they are read
        summary = orders.summary(terms_of(settings))
        orders = AggregatedOrders(summary, sample_of(orders.frame, summary, few))
    mixed = replace(
        tables,
        orders=orders,
        customers=tables.customers.reverse(),
        events=tables.events.reverse(),
    )
    again = plan_launch(mixed, settings)
    for name in ("customers", "invite_list", "funnel", "what_if", "segments", "groups"):
        assert_frame_equal(getattr(again, name), getattr(plan, name), check_exact=True)


@pytest.mark.slow
@pytest.mark.parametrize("ranked", slow_but(["weighted", "auto"], "weighted"), indirect=True)
def test_earlier_launches_on_the_same_tables_see_only_their_past(ranked):
    tables, settings = ranked
    early = settings.model_copy(update={"launch": settings.launch.model_copy(update={"as_of": date(2026, 7, 1) - timedelta(days=150)})})
    past = replace(
        tables,
        orders=SingleOrders(tables.orders.single().filter(pl.col("time") < early.launch.as_of)),
        events=tables.events.filter(pl.col("time") < early.launch.as_of),
    )
    assert_frame_equal(plan_launch(tables, early).customers, plan_launch(past, early).customers, check_exact=True)


KINDS = ["weighted", "spend", "decayed", "recency", "rfm", "clv", "learned", "auto"]


@pytest.fixture(scope="module", params=slow_but(KINDS, "weighted", "rfm", "clv"))
def planned(request, shop):
    """A launch by each ranking: on customers of whom some never ordered, ordered once, or only gave back."""
    tables, settings = shop
    learning = {"scoring.trees": 20} if request.param in ("learned", "auto") else {}
    trials = {"scoring.trials": 1} if request.param == "auto" else {}
    scoring = segmenter.launch_settings({"scoring": request.param, **learning, **trials}).scoring
    plan = settings.plan.model_copy(update={"size": "all"})
    return plan_launch(tables, settings.model_copy(update={"scoring": scoring, "plan": plan, "rules": segmenter.launch_settings({}).rules}))


def test_a_launch_by_any_ranking(planned, request):
    kind = request.node.callspec.params["planned"]
    customers = planned.customers
    assert planned.ranking.kind == kind
    assert customers["score"].is_between(0, 100).all()
    assert ("expected_spend" in customers.columns) == (kind in ("clv", "learned") or planned.ranking.choice == "learned")
    eligible = customers.filter(verdict="eligible")
    assert customers.filter(pl.col("orders") == 0).height > 0
    assert eligible["average_gap_days"].null_count() > 0
    assert kind == "weighted" or eligible["score"].max() == 100
    # Whom the ranking puts first is first on the list, ties by id.
    values = pl.Series(planned.model.score.ranking.values(eligible))
    assert eligible["score"].n_unique() == values.n_unique()
    order = eligible.with_columns(value=values).sort("value", "customer_id", descending=[True, False])
    assert planned.invite_list["customer_id"].to_list() == order["customer_id"].to_list()
    assert planned.invite_list["reasons"].null_count() == 0
    if kind == "recency":
        assert planned.invite_list["days_since_order"].drop_nulls().is_sorted()


def test_the_model_scores_others_by_the_same_map(planned):
    names = [name for name in planned.model.columns if name in MONEY]
    rows = segmenter.to_units(planned.customers, names, "CNY").select(pl.col(planned.model.columns).cast(pl.Float64))
    predicted = planned.model.predict(rows)
    assert predicted["score"].to_list() == planned.customers["score"].to_list()
    known = planned.customers["segment"].is_not_null()
    assert predicted["segment"].filter(known).to_list() == planned.customers["segment"].filter(known).to_list()
    # As MLflow serves it: pickled, from pandas, where missing values are NaN, and rows come in any order.
    served = ServedModel(pickle.loads(pickle.dumps(planned.model)))
    pandas = rows.reverse().to_pandas()
    assert served.predict(pandas)["score"].to_list() == planned.customers["score"].to_list()[::-1]
    assert served.predict(pandas.head(1).astype(object))["score"].to_list() == planned.customers["score"].to_list()[-1:]


@pytest.mark.slow
def test_events_that_nobody_gave_points_for_are_said(shop):
    tables, settings = shop[0], by(shop[1], "weighted")
    odd = replace(tables, events=tables.events.with_columns(kind=pl.col("kind").replace("visit", "浏览")))
    plan = plan_launch(tables, settings)
    assert plan.warnings == ()
    (warning,) = plan_launch(odd, settings).warnings
    assert warning.endswith("name them: 浏览")
    named = settings.model_copy(update={"scoring": settings.scoring.model_copy(update={"engagement": {"VISIT": 1.0, "campaign": 4.0}})})
    assert_frame_equal(plan_launch(tables, named).invite_list, plan.invite_list)


def test_a_brand_that_has_no_sales_yet_picks_its_first_backers_from_events(shop):
    _, settings = shop
    phones = [f"138001380{number:02}" for number in range(30)]
    customers = pl.DataFrame({"customer_id": [f"c{number}" for number in range(30)], "joined": "2026-05-01", "phone": phones})
    events = pl.DataFrame({"customer_id": ["c7", "c7", "c8"], "kind": ["feedback", "review", "visit"], "time": "2026-06-20"})
    tables = segmenter.canonical_tables({"customers": customers, "events": events}, settings.data, settings.launch)
    chosen = segmenter.launch_settings({"launch.as_of": "2026-07-01", "plan.size": 10, "plan.key_users": 1})
    plan = plan_launch(tables, chosen)
    assert in_words(plan, chosen).invite_list.select("customer_id", "wave", "reason").rows() == [
        ("c7", 1, "gave feedback once, wrote a review"),
        ("c8", 2, "visited once"),
    ]
    assert plan.warnings == (
        "scoring=auto: nobody has ordered yet; ranking by the weighted score of what else customers did",
        "2 eligible, 10 asked for (plan.size): all who are eligible are on the list",
    )
    weighted = segmenter.launch_settings({"launch.as_of": "2026-07-01", "plan.size": 10, "plan.key_users": 1, "scoring": "weighted"})
    assert plan_launch(tables, weighted).invite_list.equals(plan.invite_list)


@pytest.mark.parametrize(("refund", "counts"), [(None, (30, 0)), ("kind = 'R'", (24, 6))])
@pytest.mark.parametrize("summarized", [False, True])
def test_refunds_and_nothing_else_are_told_as_such_with_counts(refund, counts, summarized):
    settings = segmenter.launch_settings({"launch.as_of": "2026-07-01", "data.orders.refund": refund, "data.max_reject_share": 1.0})
    amounts = [float(n) if refund and n % 5 == 0 else -float(n) for n in range(1, 31)]
    raw = pl.DataFrame({"customer_id": [f"c{n}" for n in range(30)], "time": "2026-06-01", "amount": amounts})
    raw = raw.with_columns(kind=pl.when(pl.col("amount") > 0).then(pl.lit("R")).otherwise(pl.lit("")))
    later = raw.head(3).with_columns(time=pl.lit("2026-08-01"), amount=pl.lit(5.0))
    tables = segmenter.canonical_tables({"orders": pl.concat([raw, later])}, settings.data, settings.launch)
    if summarized:
        tables = replace(tables, orders=AggregatedOrders(aggregate(tables.orders.single(), terms_of(settings))))
    with pytest.raises(InputError, match="refunds or cancellations") as told:
        plan_launch(tables, settings)
    (problem,) = told.value.problems
    assert problem.startswith("data.orders: ")
    assert "should be after some orders" not in problem
    for count in (30,) if summarized else (30, *counts):
        assert f" {count} " in problem.replace(",", " ").replace(")", " ").replace(";", " ")
