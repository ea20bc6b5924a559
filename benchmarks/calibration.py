"""Do launches come out as often as they say? `python -m benchmarks.calibration --launches=300`

Each launch is of a demo shop of its own seed. Half of them have no answers to learn from: how ready customers are to join then differs
between shops as the guess says (`plan.join_chance`, `plan.join_evidence`). The others learn from an earlier launch of the same shop, and
launches differ as `planning.join_chances` takes them to. Who joins is drawn by the simulator's own law, several times for each plan.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

import segmenter
from segmenter.demo.shop import simulate
from segmenter.evaluation.forecast import forecast
from segmenter.measures.past import past_of
from segmenter.planning import plan
from segmenter.planning.group_invitations import count_members

AS_OF = date(2026, 7, 1)
CUSTOMERS, DAYS, OUTCOMES = 3_000, 100, 10
_VAIN = 0.4
_ALIKE = 500  # the evidence by which launches of one shop differ
_OWN = ("invited", "held_out", "rank", "wave", "group", "agent", "call_on", "join_chance", "stratum", "left_out")


@dataclass(frozen=True)
class Calibration:
    """By launch and outcome whether as many joined as the band says, ``learned`` or not; by group its stated chance, and if it filled."""

    launches: pl.DataFrame
    groups: pl.DataFrame

    def inside(self) -> pl.DataFrame:
        """Give the share of outcomes in the 80 % band."""
        return self.launches.group_by("learned").agg(pl.col("inside", "above").mean(), pl.len().alias("outcomes")).sort("learned")

    def filled(self) -> pl.DataFrame:
        """Give the share of groups that filled, by stated chance."""
        fifth = (5 * pl.col("chance")).floor().clip(0, 4).alias("fifth")
        return self.groups.group_by(fifth).agg(pl.col("chance", "filled").mean(), pl.len().alias("groups")).sort("fifth")


def calibrate(seeds: range) -> Calibration:
    """Plan a launch for each seed, and let it come out."""
    launches, groups = [], []
    for learned, band, outcome in (found for seed in seeds for found in _launch(seed)):
        joins = int(outcome["joined"].sum())
        launches.append((learned, band[0] <= joins <= band[2], joins > band[1]))
        groups += [(learned, chance, joined >= enough) for chance, joined, enough in outcome.select("filled", "joined", "enough").rows()]
    return Calibration(
        pl.DataFrame(launches, ["learned", "inside", "above"], orient="row"),
        pl.DataFrame(groups, ["learned", "chance", "filled"], orient="row"),
    )


def _launch(seed: int) -> Iterator[tuple[bool, tuple[int, int, int], pl.DataFrame]]:
    rng = np.random.default_rng(seed)
    learned = seed % 2 == 1
    capacity, fill = int(rng.integers(30, 120)), float(rng.choice([0.5, 0.65, 0.8]))
    confidence, size = float(rng.choice([0.3, 0.6, 0.9])), ["auto", int(rng.integers(80, 900))][int(rng.integers(2))]
    settings = segmenter.launch_settings(
        {
            **{"launch.as_of": str(AS_OF), "seed": seed, "launch.target": 1, "segments.k": 2, "scoring": "weighted"},
            **{
                "plan.group_capacity": capacity,
                "plan.fill": fill,
                "plan.size": size,
                "plan.smallest": 10,
                "plan.fill_confidence": confidence,
            },
        }
    )
    shop = simulate(CUSTOMERS, DAYS, AS_OF, seed)
    frames = {name: getattr(shop, name) for name in ("orders", "customers", "events", "referrals")}
    tables = segmenter.canonical_tables(frames, settings.data, settings.launch)
    scored = segmenter.plan_launch(tables, settings.model_copy(update={"launch": settings.launch.model_copy(update={"target": None})}))
    people = scored.customers.drop(_OWN).join(shop.truth.select("customer_id", "join_probability"), on="customer_id", how="left")
    earlier = None
    if learned:
        asked = people.filter(pl.col("verdict") == "eligible").sample(fraction=0.3, seed=seed)
        said = rng.random(asked.height) < _shifted(rng, asked["join_probability"].to_numpy(), None, _ALIKE)
        # Of those who do not join some are not reached; of a launch that runs, a third of the others have not decided.
        runs = seed % 4 == 3
        answer = np.where(said, "joined", np.where(rng.random(asked.height) < _VAIN, "not_reached", "refused"))
        answer = np.where(runs & (answer != "not_reached") & (rng.random(asked.height) < 1 / 3), "thinking", answer)
        ends_on = pl.lit(AS_OF + timedelta(days=runs))
        earlier = asked.select("score", launch=pl.lit("before"), ends_on=ends_on, status=pl.lit("planned"), answer=pl.Series(answer))
        asked_before = pl.col("customer_id").is_in(asked["customer_id"].implode())
        people = people.with_columns(verdict=pl.when(asked_before).then(pl.lit("member")).otherwise("verdict"))
    planned = plan(people.drop("join_probability"), settings, earlier)
    past = past_of(tables, AS_OF, 90, None, settings.launch.horizon_days)
    expected, _ = forecast(planned.customers, planned.join_chances, past, settings)
    assert expected is not None
    called = planned.customers.filter("invited").join(people.select("customer_id", "join_probability"), on="customer_id")
    usual = called["join_probability"].to_numpy()
    for _ in range(OUTCOMES):
        mean = None if learned else settings.plan.join_chance
        chance = _shifted(rng, usual, mean, _ALIKE if learned else settings.plan.join_evidence)
        by_group = called.select("group", joined=rng.random(len(chance)) < chance).group_by("group").agg(pl.col("joined").sum())
        outcome = planned.groups.join(by_group, on="group").with_columns(enough=count_members(settings.plan))
        yield learned, expected.joins, outcome


def _shifted(rng: np.random.Generator, usual: np.ndarray, mean: float | None, evidence: float) -> np.ndarray:
    """Move all chances on the scale of log-odds, so that their mean is a launch's own: drawn around their mean, or the one given."""
    rate = usual.mean() if mean is None else mean
    drawn = rng.beta(rate * evidence, (1 - rate) * evidence)
    odds, low, high = np.log(usual / (1 - usual)), -10.0, 10.0
    while high - low > 1e-6:
        middle = (low + high) / 2
        low, high = (middle, high) if (1 / (1 + np.exp(-odds - middle))).mean() < drawn else (low, middle)
    return 1 / (1 + np.exp(-odds - low))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--launches", type=int, default=300)
    parser.add_argument("--first", type=int, default=0)
    arguments = parser.parse_args()
    found = calibrate(range(arguments.first, arguments.first + arguments.launches))
    print(found.inside(), found.filled(), found.groups.group_by("learned").agg(pl.col("chance", "filled").mean(), pl.len()), sep="\n")
