"""Do key users by reach bring more than the best by score and by advocacy? `python -m benchmarks.key_users --seeds=10`

Thirty of each choice join the demo shop's group on the first day, and bring others through a month along a network that only its simulator
knows. The choices see what a shop sees. All is done once more with referrals that say nothing of the network: by other customers in the
bringers' place, or of other friends of the same province, which leaves it at how many somebody brought.
"""

import argparse
from collections.abc import Iterator, Sequence
from datetime import date
from math import sqrt
from statistics import mean, stdev

import polars as pl
from scipy.stats import t

import segmenter
from segmenter.demo.aftermath import take_up
from segmenter.demo.bringing import bring_on
from segmenter.demo.calls import CALLS, call_month
from segmenter.demo.shop import Shop, simulate, stream
from segmenter.evaluation.as_of import launch_snapshot
from segmenter.scoring import fit_scorer
from segmenter.spread import choose_key_users
from segmenter.spread.launch_spread import launch_spread

AS_OF, DAYS, KEY_USERS, OTHERS = date(2026, 7, 1), 30, 30, 600
SETTINGS = segmenter.launch_settings(
    {"launch.as_of": str(AS_OF), "spread": "referrals", "spread.value": "people", "scoring": "weighted", "roles": "none"}
)
REFERRALS = ("as they are", "other bringers", "other friends")


def choices(shop: Shop, referrals: pl.DataFrame, seed: int) -> tuple[dict[str, pl.Series], pl.DataFrame]:
    """Choose the key users in three ways, and give the eligible, the best by score first."""
    tables = segmenter.canonical_tables(shop.tables() | {"referrals": referrals}, SETTINGS.data, SETTINGS.launch)
    customers = launch_snapshot(tables, SETTINGS).customers
    customers = fit_scorer(customers, SETTINGS.scoring).score(customers)
    spread = launch_spread(customers, tables, SETTINGS, value=None)
    eligible = customers.filter(verdict="eligible").sort("score", "customer_id", descending=[True, False])
    by_advocacy = eligible.sort("component_advocacy", "component_engagement", descending=True, maintain_order=True)
    return {
        "reach": choose_key_users(spread.graph, KEY_USERS, spread.people, seed=seed).chosen["person"],
        "score": eligible["customer_id"].head(KEY_USERS),
        "advocacy": by_advocacy["customer_id"].head(KEY_USERS),
    }, eligible


def told_otherwise(shop: Shop, how: str, seed: int) -> pl.DataFrame:
    """Give the referrals as they are, or without what they say of the network."""
    ids = shop.truth["customer_id"]
    if how == "other bringers":
        others = pl.DataFrame({"customer_id": ids, "instead": ids.shuffle(seed=seed)})
        return shop.referrals.join(others, on="customer_id", maintain_order="left").select(
            customer_id="instead", friend_id="friend_id", time="time"
        )
    if how == "other friends":
        region = shop.customers.select("customer_id", "province")
        placed = shop.referrals.join(region, left_on="friend_id", right_on="customer_id", maintain_order="left")
        return placed.with_columns(pl.col("friend_id").shuffle(seed=seed).over("province")).drop("province")
    return shop.referrals


def life(shop: Shop, key_users: pl.Series, others: pl.Series, seed: int) -> tuple[int, int]:
    """Give how many members were brought in a month, and how many were with new customers, where all key users join on the first day."""
    invited = pl.DataFrame({"customer_id": pl.concat([key_users, others])}).with_columns(call_on=pl.lit(AS_OF), group=pl.lit("g"))
    later = invited.filter(~pl.col("customer_id").is_in(key_users.implode()))
    calls = call_month(shop.truth, later, AS_OF, DAYS if len(others) else 0, attempts=1, seed=seed)
    first = (
        key_users.sort()
        .to_frame("customer_id")
        .with_columns(
            called_on=pl.lit(AS_OF), answer=pl.lit("joined"), joins_on=pl.lit(AS_OF), joined_by=pl.lit("first_call"), attempt=1, chance=1.0
        )
    )
    missing = [pl.lit(None, kind).alias(name) for name, kind in CALLS.items() if name not in first.columns]
    made = pl.concat([first.with_columns(missing).select(CALLS.names()).cast(CALLS), calls])
    old = take_up(stream(seed, "people"), shop)  # as `live_on` does
    rows = bring_on(shop, old, made, invited, days=DAYS, brings=1.0, tiers=None, capacity=None, seed=seed)[1].rows
    return rows.filter(~pl.col("new")).height, rows.height


def brought(
    customers: int, seeds: int, lives: int, *, referrals: Sequence[str] = REFERRALS, launches: bool = True
) -> Iterator[dict[str, object]]:
    """Give what each choice brought on average over its lives, by shop: ``referrals``, ``launch``, ``choice``, ``members``, ``all``."""
    for seed in range(1, seeds + 1):
        shop = simulate(customers, 730, AS_OF, seed)
        for how in referrals:
            chosen, eligible = choices(shop, told_otherwise(shop, how, seed), seed)
            best = eligible.filter(~pl.col("customer_id").is_in(pl.concat([*chosen.values()]).implode()))["customer_id"].head(OTHERS)
            for others in (best.clear(), best) if launches and how == REFERRALS[0] else (best.clear(),):
                for name, key_users in chosen.items():
                    drawn = [life(shop, key_users, others, 1_000 * seed + number) for number in range(lives)]
                    members, everybody = (mean(part) for part in zip(*drawn, strict=True))
                    facts = {"seed": seed, "referrals": how, "launch": len(others), "choice": name}
                    yield {**facts, "members": members, "all": everybody}


def compare(rows: pl.DataFrame, what: str) -> pl.DataFrame:
    """Set reach beside the others: means over the shops, how much more in parts, and the mean difference with its 95 % interval."""
    wide = rows.pivot("choice", index=["referrals", "launch", "seed"], values=what)
    found = []
    for (how, others), part in wide.group_by("referrals", "launch", maintain_order=True):
        for name in ("score", "advocacy"):
            gaps = (part["reach"] - part[name]).to_list()
            half = t.ppf(0.975, len(gaps) - 1) * stdev(gaps) / sqrt(len(gaps))
            ours, theirs = mean(part["reach"]), mean(part[name])
            found.append((how, others, name, ours, theirs, ours / theirs - 1, mean(gaps) - half, mean(gaps) + half))
    names = ("referrals", "launch", "against", "reach", "theirs", "more", "low", "high")
    return pl.DataFrame(found, names, orient="row")


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, usual in (("customers", 20_000), ("seeds", 10), ("lives", 4)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    asked = parser.parse_args()
    found = []
    for row in brought(asked.customers, asked.seeds, asked.lives):
        print(row, flush=True)
        found.append(row)
    rows = pl.DataFrame(found)
    with pl.Config(tbl_cols=-1, tbl_rows=-1, tbl_width_chars=200, float_precision=2):
        for what in ("members", "all"):
            print(what, compare(rows, what))


if __name__ == "__main__":
    main()
