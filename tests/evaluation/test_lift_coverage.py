"""Whether the lift's interval holds the truth on the demo shop, whose truth is known.

The default suite repeats a launch a few times, which finds a gross fault; a thousand times, which takes two minutes, is the promise:

    SEGMENTER_REPETITIONS=1000 python -m pytest tests/evaluation/test_lift_coverage.py -s
"""

import os
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from segmenter.demo.behaviour import season
from segmenter.demo.customers import find_regions
from segmenter.demo.orders import NET
from segmenter.demo.shop import simulate
from segmenter.evaluation.lift import estimate_lift
from segmenter.planning.control_group import draw_customers, stratify

REPETITIONS = int(os.environ.get("SEGMENTER_REPETITIONS", "60"))
AS_OF, DAYS, CUSTOMERS = date(2026, 7, 1), 30, 20_500
LATE = 3  # an invited customer answers on one of so many days


class Launches:
    """One launch to the best customers of a demo shop, repeated: hold-out, answers and all later orders are drawn anew each time.

    A tenth is held out of each stratum as launches do it. The later orders follow the simulator's law, as in `demo_after.live_on`, but
    vectorised, with amounts and refunds summed up per customer.
    """

    def __init__(self) -> None:
        shop = simulate(45_000, 730, AS_OF, seed=20260101)
        day = pl.col("time").str.slice(0, 10).str.to_date()
        decayed = pl.col("amount") * 0.5 ** ((AS_OF - day).dt.total_days() / 90)
        score = shop.orders.group_by("customer_id").agg(
            decayed.sum().alias("score"),
            (100 * pl.col("amount").filter(day >= AS_OF - timedelta(days=365)).sum()).round().cast(int).alias("before"),
        )
        best = shop.truth.join(shop.customers.select("customer_id", "province"), on="customer_id").join(score, on="customer_id")
        best = best.sort("score", "customer_id").tail(CUSTOMERS).sort("customer_id")
        best = best.with_columns(pl.Series("region", find_regions(best["province"])).cast(pl.String))
        self.frame = best.select("customer_id", stratify(best).alias("stratum"), "before")
        self.hazard, self.alive, self.rate, self.mean, self.join = (
            best[name].to_numpy() for name in ("hazard", "alive", "rate", "amount_mean", "join_probability")
        )
        self.busy = np.concatenate([[0.0], np.cumsum(season(AS_OF, DAYS))])
        # How busy each customer's days from each day of joining on are expected to be, while they stay.
        stays = (1 - self.hazard)[:, None] ** np.arange(1, DAYS + 1) * season(AS_OF, DAYS)
        after = np.mean([stays[:, day:].sum(axis=1) for day in range(LATE)], axis=0)
        self.extra = 100 * self.alive * self.rate * self.mean * NET * self.join * after

    def launched(self, effect: float, repetition: int) -> tuple[pl.DataFrame, float, float]:
        """One launch, and what it brought per customer invited: in truth, and by the law on average."""
        chance = np.random.default_rng([7, repetition])
        dropped = np.minimum((chance.geometric(self.hazard) - 1) * self.alive, DAYS)
        joined = np.where(chance.random(len(dropped)) < self.join, chance.integers(0, LATE, len(dropped)), DAYS)
        usual = self._spend(chance, self.busy[dropped])
        more = self._spend(chance, effect * np.maximum(self.busy[dropped] - self.busy[joined], 0))
        invited = ~draw_customers(self.frame, CUSTOMERS // 10, seed=7, launch=str(repetition))
        frame = self.frame.with_columns(invited=pl.Series(invited), spend=pl.Series(usual + more * invited))
        return frame, more[invited].mean(), effect * self.extra[invited].mean()

    def _spend(self, chance: np.random.Generator, busy: np.ndarray) -> np.ndarray:
        who = np.repeat(np.arange(CUSTOMERS), chance.poisson(self.rate * busy))
        cents = 100 * self.mean[who] * np.exp(chance.normal(-0.18, 0.6, len(who)))
        back = np.where(chance.random(len(who)) < 0.6, 1, chance.uniform(0.1, 0.9, len(who))) * (chance.random(len(who)) < 0.03)
        return np.bincount(who, np.rint(cents * (1 - back)), CUSTOMERS).astype(np.int64)


@pytest.fixture(scope="module")
def launches() -> Launches:
    return Launches()


@pytest.mark.slow
@pytest.mark.parametrize("effect", [0.0, 0.25])
def test_the_interval_holds_what_the_demo_shop_knows(launches: Launches, effect: float) -> None:
    rows = []
    for repetition in range(REPETITIONS):
        frame, truth, expected = launches.launched(effect, repetition)
        lift = estimate_lift(frame)
        assert lift.held_out >= 2_000
        low, high = lift.best.low, lift.best.high
        rows.append((low <= truth <= high, low <= expected <= high, not low <= 0 <= high, lift.best.effect - truth))
    found = np.array(rows, dtype=float)
    covered, covered_mean, said = found[:, :3].mean(axis=0)
    print(
        f"effect {effect}: the true lift is in {covered:.1%} of the intervals, its expectation in {covered_mean:.1%}; 'effect' in {said:.1%}"
    )
    # Chance alone moves the share of a few repetitions: three standard deviations of it are let pass where there are fewer than 1,000.
    slack = 3 * (0.05 * 0.95 / REPETITIONS) ** 0.5 if REPETITIONS < 1_000 else 0.0
    for share in (covered, covered_mean):
        assert 0.93 - slack <= share <= 0.97 + slack
    assert effect or said <= 0.07 + slack
    assert abs(found[:, 3].mean()) < 4 * found[:, 3].std() / REPETITIONS**0.5  # no bias
