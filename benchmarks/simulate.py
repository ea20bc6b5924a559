"""Do the bands of `segmenter simulate` hold? `python -m benchmarks.simulate [--seeds 200] [--first 0] [--customers 3000]`

Each seed is a demo shop with a hidden network. A first launch is made, and what came of it goes into the ledger's frames, dated a month
back: from it the chances are learned. The first is in every other province, the second, which is planned and simulated, in all others. Then
the shop lives on by its own law, which the simulation does not know, with one of the tiers. Members and cost should lie within the 80 %
bands in 72 to 88 % of launches.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from typing import Any

import numpy as np
import polars as pl
from hydra import compose, initialize_config_dir

import segmenter
from segmenter.demo.aftermath import After, live_on
from segmenter.demo.shop import simulate
from segmenter.evaluation.fission import Simulation, simulate_fission
from segmenter.home import HOME
from segmenter.launch_plan import LaunchPlan
from segmenter.launch_stages import plan_launch
from segmenter.settings import SimulateJob, parse
from segmenter.tables import INVITED, PRECEDENTS, PastLaunches

AS_OF, HORIZON, AGO = date(2026, 7, 1), 30, timedelta(days=30)
CAPACITY, SIZE = 200, 250
FIGURES = ("members", "brought", "new", "cost", "sales")


@cache
def job(*overrides: str) -> SimulateJob:
    """Give the settings of a launch, with little that does not matter here."""
    little = [
        "scoring=spend",
        "segments=rfm",
        "topics.use=false",
        "personas=[]",
        "fission.tiers.generous=null",
        "fission.runs=500",
        f"plan.size={SIZE}",
    ]
    with initialize_config_dir(str(HOME / "conf"), version_base="1.3"):
        config = compose("simulate", [f"launch.as_of={AS_OF}", "tracking=none", *little, f"plan.group_capacity={CAPACITY}", *overrides])
    return parse(SimulateJob, config)


def launch(seed: int, customers: int) -> tuple[Simulation, After, str]:
    """Make two launches of a shop, the second simulated before it is made."""
    shop = simulate(customers, 730, AS_OF, seed)
    provinces = shop.customers["province"].drop_nulls().value_counts().sort("count", "province", descending=True)["province"].to_list()
    first, second = within(job(), seed, provinces[::2]), within(job("launch.name=second"), seed, provinces[1::2])
    tables = segmenter.canonical_tables(shop.tables(), first.data, first.launch)
    plan = plan_launch(tables, first)
    after = live_on(shop, HORIZON, invited_of(plan), effect=0.3, seed=2 * seed + 10_000, capacity=CAPACITY)
    referred = after.bringing.filter("new").select("customer_id", friend_id="brought", time=pl.col("on") - AGO)
    referrals = pl.concat([shop.referrals, referred.with_columns(pl.col("time").cast(pl.String) + " 12:00:00")])
    tables = segmenter.canonical_tables(shop.tables() | {"referrals": referrals}, second.data, second.launch)
    tables = replace(tables, launches=remembered(plan, after))
    plan = plan_launch(tables, second)
    found = simulate_fission(plan.customers, plan.groups, tables, second)
    tier, inside = second.fission.offered[seed % 2], pl.Series(after.members["customer_id"]).implode()
    number = shop.truth.with_row_index("other").filter(pl.col("customer_id").is_in(inside))["other"].implode()
    shop = replace(shop, ties=shop.ties.filter(~pl.col("other").is_in(number)))
    lived = live_on(shop, HORIZON, invited_of(plan), effect=0.3, seed=2 * seed + 10_001, tiers=tier, capacity=CAPACITY)
    return found, lived, tier.name


def within(settings: SimulateJob, seed: int, provinces: list[str]) -> SimulateJob:
    """Invite in these provinces only."""
    region = settings.rules.region.model_copy(update={"include": tuple(provinces)})
    return settings.model_copy(update={"seed": seed, "rules": settings.rules.model_copy(update={"region": region})})


def invited_of(plan: LaunchPlan) -> pl.DataFrame:
    """List whom the shop calls."""
    return plan.customers.filter("invited").select("customer_id", "call_on", "group")


def remembered(plan: LaunchPlan, after: After) -> PastLaunches:
    """Give what the ledger knows of the first launch, a month later."""
    members = after.members.select("customer_id", answered_on="joined_on", brought_by="brought_by", answer=pl.lit("joined"))
    answers = after.answers.select("customer_id", "answered_on", "brought_by", "answer").drop_nulls("answer")
    said = pl.concat([members, answers.join(members, on="customer_id", how="anti")], how="diagonal_relaxed")
    known = plan.invitations.join(said, on="customer_id", how="full", coalesce=True)
    dated = known.with_columns(pl.col("answered_on", "planned_at") - AGO, as_of=AS_OF - AGO, ends_on=AS_OF - AGO + timedelta(days=HORIZON))
    dated = dated.with_columns(
        launch=pl.lit("first"), community=pl.lit("vip"), in_plan=pl.col("status").is_not_null(), source=pl.lit("list")
    )
    missed = pl.when(pl.col("answer").is_in(["not_reached", "wrong_number"])).then(1).otherwise(0)
    dated = dated.with_columns(calls=pl.col("answer").is_not_null().cast(pl.Int64), missed=missed)
    known = dated.select(name for name in dated.columns if name in INVITED)
    invited = pl.concat([INVITED.to_frame(), known], how="diagonal_relaxed")
    said = {"member": pl.col("answer") == "joined", "refused": pl.col("answer") == "refused_for_good"}
    asked = pl.when("in_plan").then("as_of")
    precedents = invited.select("customer_id", last_invited=asked, invitations=pl.col("in_plan").cast(pl.Int64), **said)
    customers = pl.concat([PRECEDENTS.to_frame(), precedents], how="diagonal_relaxed")
    return PastLaunches(
        customers.with_columns(pl.col("member", "refused").fill_null(value=False)).sort("customer_id"), invited.sort("customer_id")
    )


def lived_through(after: After) -> dict[str, float]:
    """Count what truly came of it, money in minor units."""
    bringing = after.bringing
    return {
        "members": after.members.height,
        "brought": bringing.filter(~pl.col("new")).height,
        "new": bringing.filter("new").height,
        "cost": round(100 * float(bringing["cost"].sum())),
        "sales": sales_of(after),
    }


def sales_of(after: After) -> int:
    """Sum up what members and new customers bought from joining on, but for what joining added."""
    joined = after.members.select("customer_id", since="joined_on")
    new = after.bringing.filter("new").select(customer_id="brought", since="on")
    orders = after.shop.orders.with_columns(day=pl.col("time").str.slice(0, 10).str.to_date()).filter(pl.col("day") >= AS_OF)
    bought = orders.join(pl.concat([joined, new]), on="customer_id").filter(pl.col("day") >= pl.col("since"))
    added = float(after.effects["effect"].sum()) + float(after.effects["event_effect"].sum())
    return round(100 * (float(bought["amount"].sum()) - added))


def judge(found: Simulation, lived: After, tier: str) -> dict[str, Any]:
    """Say of each figure whether it lies within its band."""
    band, true = found.totals.filter(tier=tier).row(0, named=True), lived_through(lived)
    return {name: (band[f"{name}_low"], band[name], band[f"{name}_high"], true[name]) for name in FIGURES}


def launches(first: int, count: int, customers: int) -> Iterator[tuple[int, str, dict[str, Any]]]:
    for seed in range(first, first + count):
        found, lived, tier = launch(seed, customers)
        yield seed, tier, judge(found, lived, tier)


def main() -> None:
    words = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    for name, value in {"first": 0, "seeds": 200, "customers": 3_000}.items():
        words.add_argument(f"--{name}", type=int, default=value)
    given = words.parse_args()
    inside: dict[str, list[bool]] = {name: [] for name in FIGURES}
    for seed, tier, figures in launches(given.first, given.seeds, given.customers):
        for name, (low, _, high, true) in figures.items():
            if low is not None:  # of some shops no past date can say what is bought
                inside[name].append(low <= true <= high)
        print(
            seed,
            tier,
            *(f"{name} {low}..{middle}..{high} got {true}" for name, (low, middle, high, true) in figures.items()),
            sep="  ",
            flush=True,
        )
    for name, held in inside.items():
        print(f"{name}: {np.mean(held):.1%} of {len(held)} within the 80 % band", file=sys.stderr)


if __name__ == "__main__":
    main()
