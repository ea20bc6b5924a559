"""Nothing that happened at or after a date changes a ranking at it: not by a byte, in a backtest and in a launch."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import segmenter
from segmenter.errors import InputError
from segmenter.evaluation import replay
from segmenter.evaluation.backtest import backtest
from segmenter.launch_stages import plan_launch
from segmenter.measures.shop_orders import SingleOrders
from segmenter.tables import CUSTOMERS, EVENTS, ORDERS, REFERRALS

KINDS = ("weighted", "spend", "decayed", "recency", "rfm", "clv", "learned", "auto")


def parts(table, cut, seed=7):
    """What lies before a cut, and the rest, both in an order by chance."""
    mixed, before = table.sample(fraction=1, shuffle=True, seed=seed), pl.col("time") < cut
    return mixed.filter(before), mixed.filter(~before)


def shuffled(tables, cut):
    """The future's columns, each in an order of its own."""

    def mix(table):
        before, after = parts(table, cut)
        names = [name for name in table.columns if name != "time"]
        return pl.concat([before, after.with_columns(pl.col(name).shuffle(seed) for seed, name in enumerate(names))])

    return replace(tables, orders=SingleOrders(mix(tables.orders.single())), events=mix(tables.events), referrals=mix(tables.referrals))


def deleted(tables, cut):
    """No future, but for one order at its end: so that it is over."""
    last = tables.orders.single().filter(pl.col("time") == pl.col("time").max()).head(1)
    people = tables.customers
    return replace(
        tables,
        orders=SingleOrders(pl.concat([parts(tables.orders.single(), cut)[0], last])),
        customers=people if people is None else people.filter(pl.col("joined").is_null() | (pl.col("joined") < cut)).reverse(),
        events=parts(tables.events, cut)[0],
        referrals=parts(tables.referrals, cut)[0],
    )


def invented(tables, cut):
    """A hundred times more customers, and those of before with other orders, events and friends; new regions, new kinds of events."""
    known = tables.orders.single()["customer_id"].unique().sort().sample(fraction=1, shuffle=True, seed=3)
    ids = pl.concat([known, pl.Series("customer_id", [f"{place} new {each}" for place in range(40) for each in known])])
    if len(known) < 1000:
        ids = pl.concat([ids, *(f"{letter}" + ids for letter in "ab")])
    rows, chance = len(ids), np.random.default_rng(2)
    seconds = chance.integers(0, 60 * 86_400, rows)
    seconds[0] = 0  # midnight
    times = pl.Series("time", np.datetime64(cut, "us") + seconds.astype("timedelta64[s]"))
    amounts = pl.Series("amount", chance.integers(-(10**9), 10**12, rows))
    frame = pl.DataFrame([ids, times, amounts])
    orders = frame.with_columns(
        pl.lit(None, pl.String).alias("order_id"),
        pl.max_horizontal(-pl.col("amount"), 0).alias("refund"),
        (pl.col("amount") >= 0).alias("is_order"),
        pl.lit("亚特兰蒂斯").alias("province"),
        pl.lit("R'lyeh").alias("city"),
        pl.lit("the deep").alias("district"),
    ).select(ORDERS.names())
    events = frame.select("customer_id", pl.lit("telepathy").alias("kind"), "time").head(2000)
    referrals = frame.select("customer_id", pl.col("customer_id").reverse().alias("friend_id"), "time").head(2000)
    people = tables.customers
    if people is not None:
        new = pl.DataFrame({"customer_id": ids.filter(~ids.is_in(people["customer_id"].to_list()))}).with_columns(
            pl.lit("亚特兰蒂斯").alias("province"),
            *(pl.lit(None, pl.String).alias(level) for level in ("city", "district")),
            # A third of them joined without a date.
            pl.when(pl.int_range(pl.len()) % 3 > 0).then(pl.lit(cut)).alias("joined"),
            *(pl.lit(value=True).alias(name) for name in ("do_not_contact", "blocked", "staff")),
        )
        people = pl.concat([new.select(CUSTOMERS.names()), people.select(CUSTOMERS.names())])
    whole = {
        "events": pl.concat([events.select(EVENTS.names()), tables.events]),
        "referrals": pl.concat([referrals.select(REFERRALS.names()), tables.referrals]),
    }
    everything = {name: table.sample(fraction=1, shuffle=True, seed=9) for name, table in whole.items()}
    orders = pl.concat([orders, tables.orders.single()]).sample(fraction=1, shuffle=True, seed=9)
    return replace(tables, customers=people, orders=SingleOrders(orders), **everything)


FUTURES = [shuffled, deleted, invented]


def asked(as_of, *cuts):
    """Small models, and samples so small that not all customers are in them."""
    settings = segmenter.backtest_settings(
        {
            "launch.as_of": as_of,
            "backtest.cuts": [str(cut) for cut in cuts],
            "plan.size": 50,
            "rules.spend.window_days": 300,
            **{f"rankings.{name}.trees": 10 for name in ("learned", "auto")},
            "rankings.auto.trials": 2,
            "rankings.learned.half_life_days": 40,
        }
    )
    # Below what may be set, as the shops of tests are small.
    small = {name: settings.rankings[name].model_copy(update={"rows": 6 * 120}) for name in ("learned", "auto")}
    few = settings.backtest.model_copy(update={"customers": 250})
    return settings.model_copy(update={"rankings": settings.rankings | small, "backtest": few})


@pytest.fixture
def ranked(monkeypatch):
    """Replay launches, and give what every ranking was worth to each customer at each cut."""

    def values(tables, settings):
        seen = {}

        def spy(frame, scoring, past, **options):
            key = past.until, scoring.kind, past.half_life_days
            try:
                found = real(frame, scoring, past, **options)
            except InputError as error:
                seen[key] = error.problems
                raise
            evidence = getattr(found, "choice", None), getattr(found, "cuts", None), past.share
            seen[key] = evidence, frame.select("customer_id", "verdict").rows(), found.values(frame).tobytes()
            return found

        real = replay.rank
        with monkeypatch.context() as patched:
            patched.setattr(replay, "rank", spy)
            backtest(tables, settings)
        return seen

    return values


def check(ranked, tables, as_of, first, second, futures=FUTURES):
    settings = asked(as_of, first, second)
    now = ranked(tables, settings)
    assert {kind for cut, kind, _ in now if cut == first} == set(KINDS)
    assert all(found[0][2] < 1 for found in now.values() if len(found) == 3)  # samples
    for future in futures:
        then = ranked(future(tables, second), settings)
        assert then == now, future.__name__
        # What the first launch could know is the same too, though the second's past is another.
        other = ranked(future(tables, first), settings)
        assert {key: found for key, found in other.items() if key[0] == first} == {
            key: found for key, found in now.items() if key[0] == first
        }
        assert other != now
    # Which other launches are replayed besides changes nothing either, as long as the sample is the same.
    alone = ranked(tables, asked(as_of, first))
    assert alone == {key: found for key, found in now.items() if key[0] == first}
    return now


@pytest.mark.slow
def test_a_shop_with_customers_events_and_referrals(ranked, small_shop):
    now = check(ranked, small_shop, "2026-07-01", date(2026, 2, 1), date(2026, 5, 15))
    assert all(len(found) == 3 for found in now.values())


@pytest.mark.slow
def test_a_real_shop(ranked, online_retail):
    check(ranked, online_retail, "2011-12-10", date(2011, 4, 1), date(2011, 11, 1), [shuffled, invented])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "future"),
    [("clv", invented), ("clv", shuffled), ("learned", invented), ("learned", deleted), ("auto", shuffled), ("auto", invented)],
)
def test_a_whole_launch(small_shop, kind, future):
    as_of = date(2026, 5, 1)
    learning = {} if kind == "clv" else {"scoring.trees": 10}
    settings = segmenter.launch_settings({"launch.as_of": str(as_of), "scoring": kind, "plan.size": 100, **learning})
    if learning:
        small = {"rows": 6 * 120} | ({"trials": 2} if kind == "auto" else {})
        settings = settings.model_copy(update={"scoring": settings.scoring.model_copy(update=small)})
    plain = replace(small_shop, customers=small_shop.customers.select(CUSTOMERS.names()))
    dated = future(plain, as_of)
    if future is invented:  # who has no date of joining counts as known, in the launch itself
        dated = replace(dated, customers=dated.customers.filter(pl.col("joined").is_not_null()))
    now, then = (plan_launch(tables, settings) for tables in (plain, dated))
    assert_frame_equal(then.customers, now.customers, check_exact=True)
    assert_frame_equal(then.invite_list, now.invite_list, check_exact=True)
    assert (then.ranking.choice, then.ranking.learned_cuts) == (now.ranking.choice, now.ranking.learned_cuts)
    assert_frame_equal(then.ranking.measures, now.ranking.measures, check_exact=True)


def test_the_future_of_the_test_is_another_one(small_shop):
    cut = datetime(2026, 5, 1)
    for future in FUTURES:
        other = future(small_shop, cut.date())
        before = pl.col("time") < cut
        names = ORDERS.names()
        assert_frame_equal(other.orders.single().filter(before).sort(names), small_shop.orders.single().filter(before).sort(names))
        assert other.orders.single().filter(~before).sort(names).rows() != small_shop.orders.single().filter(~before).sort(names).rows()
    assert other.orders.single()["customer_id"].n_unique() > 100 * 500
    assert other.orders.single()["time"].min() < cut - timedelta(days=200)
