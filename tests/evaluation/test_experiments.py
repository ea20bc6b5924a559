"""Past launches as experiments: which count, when they are too small, and what the ranking says of itself."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

import segmenter
from segmenter.errors import InputError
from segmenter.evaluation.experiments import check_size, fit_uplift, list_experiments
from segmenter.measures.past import past_of
from segmenter.measures.spec import MONEY
from segmenter.tables import INVITED, PRECEDENTS, PastLaunches

AS_OF, DAYS = date(2026, 5, 1), 30
SETTINGS = segmenter.launch_settings({"launch.as_of": "2026-07-01", "scoring": "uplift", "scoring.detectable": 0.5}).scoring


def shop(customers=1_500, gain=1.0, held_out=0.4, seed=3):
    """A shop with one launch, invitations to which make those who had spent least buy `gain` times as often more."""
    chance = np.random.default_rng(seed)
    ids = np.array([f"C{number:04}" for number in range(customers)])
    often = chance.gamma(2, 2, customers)
    held = chance.random(customers) < held_out
    rows = []
    for first, days, rate in ((AS_OF - timedelta(days=120), 120, often), (AS_OF, DAYS, often / 4 * (1 + gain * (often < 3) * ~held * 4))):
        who = np.repeat(ids, chance.poisson(rate) + (days > DAYS))
        days_at = chance.integers(0, days, len(who))
        days_of = zip(who, map(int, days_at), strict=True)
        rows += [(name, datetime.combine(first, datetime.min.time()) + timedelta(days=day), 10.0) for name, day in days_of]
    orders = pl.DataFrame(rows, ["customer_id", "time", "amount"], orient="row")
    launch = {"launch": "spring", "as_of": AS_OF, "ends_on": AS_OF + timedelta(days=DAYS), "in_plan": True, "region": "四川"}
    status = np.where(held, "held_out", "planned")
    invited = pl.DataFrame({"customer_id": ids, "status": status}).with_columns(pl.lit(value).alias(name) for name, value in launch.items())
    return orders, pl.concat([pl.DataFrame(schema=INVITED), invited], how="diagonal_relaxed").cast(INVITED)


def past(orders, invited, until=date(2026, 7, 1)):
    settings = segmenter.launch_settings({"launch.as_of": str(until)})
    tables = segmenter.canonical_tables({"orders": orders}, settings.data, settings.launch)
    known = None if invited is None else PastLaunches(PRECEDENTS.to_frame(), invited)
    return past_of(replace(tables, launches=known), until, 90, None)


def test_a_shop_whose_launches_moved_those_who_spend_little_is_ranked_so():
    known = past(*shop())
    ranking = fit_uplift(SETTINGS, known, seed=1)
    said = ranking.evidence(known, horizon_days=DAYS, seed=1)
    frame = known.measures(date(2026, 7, 1))
    values = pl.DataFrame({"often": frame["spend"] > frame["spend"].median(), "value": ranking.values(frame)})
    assert ranking.expects_uplift
    assert values.filter("often")["value"].mean() < values.filter(~pl.col("often"))["value"].mean()
    assert said.model["launches"] == ["spring"]
    assert said.model["better"][1] > 0
    assert not said.warnings


def test_where_there_is_no_effect_it_says_so():
    [warning] = fit_uplift(SETTINGS, past(*shop(gain=0.0)), seed=1).evidence(None, horizon_days=DAYS, seed=1).warnings
    assert "do not tell" in warning


def test_only_launches_that_are_over_and_drew_customers_count_and_nothing_later_matters():
    orders, invited = shop(customers=300)
    first = list_experiments(past(orders, invited))
    assert first.height == 300
    later = pl.DataFrame({"customer_id": ["C0000"], "time": [datetime(2026, 7, 1)], "amount": [1e6]})
    running = invited.with_columns(launch=pl.lit("next"), as_of=date(2026, 6, 20), ends_on=date(2026, 7, 20))
    gone = invited.with_columns(launch=pl.lit("old"), in_plan=False)
    alone = invited.with_columns(launch=pl.lit("all"), status=pl.lit("planned"))
    whole = invited.with_columns(launch=pl.lit("regions"), region="status")
    more = pl.concat([invited, running, gone, alone, whole]).sample(fraction=1, shuffle=True, seed=2)
    assert list_experiments(past(pl.concat([orders, later]), more)).sort("customer_id").equals(first.sort("customer_id"))


def test_too_little_to_learn_from_is_refused_with_what_it_takes():
    orders, invited = shop(customers=300)
    for known in (None, invited.clear(), invited.with_columns(status=pl.lit("planned"))):
        with pytest.raises(InputError, match="has none; hold some out"):
            fit_uplift(SETTINGS, past(orders, known), seed=1)
    with pytest.raises(InputError, match=r"about .* customers with .* held out"):
        fit_uplift(SETTINGS.model_copy(update={"detectable": 0.02}), past(orders, invited), seed=1)
    before = orders.filter(pl.col("time") < datetime(2026, 5, 1))
    with pytest.raises(InputError, match="has none"):  # how the launch ended cannot be known from these orders
        fit_uplift(SETTINGS, past(before, invited), seed=1)
    late = before[:1].with_columns(customer_id=pl.lit("X"), time=datetime(2026, 6, 30))
    with pytest.raises(InputError, match="hardly spent anything"):
        fit_uplift(SETTINGS, past(pl.concat([before, late]), invited), seed=1)


@pytest.mark.parametrize("limit", [0.05, 0.1, 1.0])
def test_as_many_as_a_refusal_asks_for_are_enough(limit):
    launches = list_experiments(past(*shop(customers=60)))
    with pytest.raises(InputError) as refused:
        check_size(launches, limit, AS_OF)
    [message] = refused.value.messages
    more = pl.concat([launches] * -(-message.facts["need"] // launches.height))
    assert check_size(more, limit, AS_OF) <= limit
    with pytest.raises(InputError):
        check_size(launches[: int(0.8 * launches.height)], limit, AS_OF)


@pytest.mark.slow
@pytest.mark.parametrize("gain", [1.0, 0.0])
def test_within_a_budget_it_brings_more_than_spend_where_there_is_an_effect_and_else_says_so(gain):
    orders, invited = shop(gain=gain)
    brought, said = {}, {}
    for scoring in ("uplift", "spend"):
        settings = segmenter.launch_settings(
            {
                **{"launch.as_of": "2026-07-01", "scoring": scoring, "plan": "allocated", "plan.by_region": "none", "plan.holdout": 0},
                **{
                    "plan.budget": 300,
                    "plan.gifts.invite": 1,
                    "plan.size": "all",
                    "plan.group_capacity": 500,
                    "plan.fill_confidence": None,
                },
                **({"scoring.detectable": 0.5} if scoring == "uplift" else {}),
            }
        )
        tables = segmenter.canonical_tables({"orders": orders}, settings.data, settings.launch)
        plan = segmenter.plan_launch(replace(tables, launches=PastLaunches(PRECEDENTS.to_frame(), invited)), settings)
        assert 0 < plan.counts["invited"] <= 300
        rows = segmenter.to_units(plan.customers, list(MONEY), "CNY").select(pl.col(plan.model.columns).cast(pl.Float64))
        assert plan.model.predict(rows)["score"].equals(plan.customers["score"])
        # Those with few orders are whom it moves.
        brought[scoring] = (plan.invite_list["orders"] <= plan.customers["orders"].median()).sum()
        said[scoring] = " ".join(plan.warnings)
    if gain:
        assert brought["uplift"] > 200
        assert brought["spend"] < 50
    assert ("do not tell" in said["uplift"]) == (not gain)
