"""What would have to be otherwise for an invitation, tried: with the shop changed so, and nobody else changed, a launch chooses them."""

from dataclasses import replace
from datetime import timedelta

import polars as pl
import pytest
from jobs import run_here, settings_of

from segmenter.launch_stages import plan_launch
from segmenter.loader import read_tables
from segmenter.planning import plan
from segmenter.sources.results_folder import explain_some, read_results

pytestmark = pytest.mark.slow

DECIDED = ("invited", "held_out", "rank", "wave", "group", "agent", "call_on", "join_chance", "stratum", "left_out", "brings")
FLAGS = {"staff": "staff", "blocked": "blocked", "consent": "do_not_contact"}
QUICK = ("tracking=none", "ledger.use=false", "segments=rfm", "data.shop.customers=2500")
SHOPS = {
    "weighted": ("scoring=weighted",),
    "so many": ("scoring=weighted", "plan.size=500", "rules.spend.min=200", "rules.orders.min=2"),
    "by city": ("scoring=spend", "plan.by_region=none", "plan.size=300", "plan.holdout=0"),
}


class Shop:
    """A shop and its launch, to be changed for one customer at a time."""

    def __init__(self, folder, options):
        self.settings = settings_of("launch", *QUICK, *options)
        self.tables = read_tables(self.settings.data, self.settings.launch, seed=self.settings.seed).tables
        run_here("launch", "out=spring", *QUICK, *options, cwd=folder)
        self.results = read_results(folder / "spring")
        self.customers = self.results.customers.collect()

    def explained(self, many):
        left = self.customers.filter(~pl.col("invited"), ~pl.col("held_out"))["customer_id"].sample(many, seed=1, shuffle=True)
        return explain_some(self.results, left.to_list())

    def orders(self, found, other):
        """The orders that make a measure what it would have to be: old ones, so that no other component falls."""
        more, empty = other.needed - (other.value or 0), self.tables.orders.single().head(1)
        many, days, amount = {
            "spend_window": (1, 200, more),
            "orders": (int(more), 200, 0),
            "days_since_order": (1, int(other.needed), 0),
            "decayed_spend": (1, 200, int(more * 2 ** (200 / self.settings.scoring.half_life_days) * 1.001) + 2),
        }[other.measure]
        time = self.settings.launch.as_of - timedelta(days=days)
        changes = {"customer_id": found.customer_id, "time": time, "amount": amount, "refund": 0, "is_order": True}
        new = pl.concat([empty] * many).with_columns(pl.lit(value).cast(empty.schema[name]).alias(name) for name, value in changes.items())
        return pl.concat([self.tables.orders.single(), new])

    def ruled_in(self, found):
        """The tables with what the rules ask for: flags taken away, and events on the last day that counts."""
        tables, me = self.tables, pl.col("customer_id") == found.customer_id
        for rule in found.failed:
            if rule.rule in FLAGS:
                flag = FLAGS[rule.rule]
                tables = replace(tables, customers=tables.customers.with_columns(pl.when(~me).then(flag).otherwise(False).alias(flag)))
            elif rule.rule == "recency":
                time = pl.lit(self.settings.launch.as_of - timedelta(days=int(rule.limit))).cast(tables.events.schema["time"])
                event = tables.events.head(1).with_columns(time.alias("time"), customer_id=pl.lit(found.customer_id), kind=pl.lit("visit"))
                tables = replace(tables, events=pl.concat([tables.events, event]))
        return tables

    def chosen(self, found, tables):
        row = plan_launch(tables, self.settings).customers.row(by_predicate=pl.col("customer_id") == found.customer_id, named=True)
        return row["invited"] or row["held_out"], row

    def chosen_by_score(self, found):
        me, score = pl.col("customer_id") == found.customer_id, max(found.score, found.enough + 1e-4)
        changes = {"score": pl.lit(score), "verdict": pl.lit("eligible")}
        frame = self.customers.drop(DECIDED).with_columns(pl.when(me).then(to).otherwise(name).alias(name) for name, to in changes.items())
        row = plan(frame, self.settings).customers.row(by_predicate=me, named=True)
        return row["invited"] or row["held_out"], row


@pytest.mark.parametrize("shop", SHOPS)
def test_what_is_said_to_be_enough_is_enough(tmp_path, shop):
    made = Shop(tmp_path, SHOPS[shop])
    tried, wrong = {"score": 0, "rules": 0, "measures": 0}, []
    for found in made.explained(200):
        assert found.enough is not None
        ok, row = made.chosen_by_score(found)
        tried["score"] += 1
        if not ok:
            wrong.append((found, row))
        if any(rule.rule not in (*FLAGS, "recency") for rule in found.failed):
            continue
        if found.score > found.enough and found.failed:
            ok, row = made.chosen(found, made.ruled_in(found))
            tried["rules"] += 1
            if not ok:
                wrong.append((found, row))
        for other in found.alternatives:
            tables = made.ruled_in(found)
            ok, row = made.chosen(found, replace(tables, orders=type(tables.orders)(made.orders(found, other))))
            tried["measures"] += 1
            if not ok:
                wrong.append((found, other, row))
    print(tried)
    assert wrong == []
    assert tried["score"] == 200
    assert tried["measures"] > 20
