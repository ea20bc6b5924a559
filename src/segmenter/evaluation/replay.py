"""One launch replayed at a past date: every ranking on what was known, and what the customers then spent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from math import fsum

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.errors import ConfigError, InputError
from segmenter.evaluation.as_of import past_snapshot
from segmenter.evaluation.auto import AutoRanking, rank
from segmenter.evaluation.chance import Chance, Outcome, draw_chance, outcome_of
from segmenter.evaluation.comparison import BUCKETS, assign_buckets, compare_rankings, sum_by_bucket
from segmenter.evaluation.gains import Gains, measure_gains, top_count
from segmenter.measures.past import Past
from segmenter.messages import Message
from segmenter.settings import AnyScoring, BacktestCore

TOP = 10  # percent: what rankings are compared by


@dataclass(frozen=True)
class Claim:
    """What a ranking expected and what came, in minor units: by bins (see `measure_calibration`), and of its top 10 %."""

    bins: pl.DataFrame
    calibration: float | None
    top_expected: int
    top_came: int


@dataclass(frozen=True)
class Replay:
    """What one replayed launch gave; money in minor units."""

    cut: date
    counts: dict[str, int | None]  # ``customers``, ``eligible``, of these ``later_spend``, ``later_buyers`` and ``previous_spend``
    gains: dict[str, Gains]  # of each ranking that could be computed, and of ``best`` and ``random``
    held: dict[str, NDArray[np.int64]]  # the later spend in each ranking's top 10 %, by bucket of customers: (4096,)
    outcome: Outcome  # all later spend by bucket
    expected: dict[str, Claim]  # of each ranking that expects money
    choices: dict[str, AutoRanking]
    missing: dict[str, str]  # why a ranking could not be computed


def replay(cut: date, pasts: Mapping[float, Past], rankings: Mapping[str, AnyScoring], settings: BacktestCore) -> Replay | Message:
    """Plan a launch as of a cut as far as its rankings go, and look at what came; or say why the cut is left out.

    `pasts` has the shop's past for the half-life of each ranking; by the first of them customers are found eligible.
    """
    try:
        return _replay(cut, pasts, rankings, settings)
    except (InputError, ConfigError) as error:  # such as a custom rule on events of which there were none yet
        return Message("evaluation.cut_left_out", "{cut} is left out: {why}", cut=cut, why=error.reason)


def _replay(cut: date, pasts: Mapping[float, Past], rankings: Mapping[str, AnyScoring], settings: BacktestCore) -> Replay:
    horizon, purchases = settings.backtest.horizon_days, any(scoring.needs_purchases for scoring in rankings.values())
    snapshots = {half_life: past_snapshot(past, settings, cut, purchases=purchases) for half_life, past in pasts.items()}
    past, snapshot = next(iter(pasts.values())), next(iter(snapshots.values()))
    eligible = snapshot.eligible
    if not eligible.any():
        raise InputError(Message("evaluation.nobody_eligible", "nobody was eligible"))
    ids = snapshot.customers["customer_id"].filter(eligible)
    later = past.later(ids, cut, horizon)
    spend, bought = later["spend"].to_numpy(), (later["orders"] > 0).to_numpy()
    orders, expected, choices, missing = {}, {}, {}, {}
    bucket, top = assign_buckets(ids, settings.seed), top_count(len(ids), TOP)
    for name, scoring in rankings.items():
        known = snapshots[scoring.half_life_days]
        try:
            ranking = rank(known.customers, scoring, known.past, horizon_days=horizon, seed=settings.seed)
        except InputError as error:  # the history is too short for it, or its model does not fit the shop
            missing[name] = error.reason
            continue
        values = ranking.values(known.customers.filter(eligible))
        orders[name] = np.argsort(-values, kind="stable")  # the eligible are sorted by id
        if ranking.expects_money:
            expected[name] = _claim(ranking.expected_spend(values), spend, orders[name][:top])
        if isinstance(ranking, AutoRanking):
            choices[name] = ranking
    size = settings.plan.size if isinstance(settings.plan.size, int) else None
    return Replay(
        cut=cut,
        counts={
            "customers": snapshot.customers.height,
            "eligible": len(ids),
            "later_spend": int(spend.sum()),
            "later_buyers": int(bought.sum()),
            "previous_spend": _previous_spend(past, ids, cut, horizon),
        },
        gains=measure_gains(orders, spend, bought, size and max(round(size * past.share), 1)),
        held={name: sum_by_bucket(bucket[order[:top]], spend[order[:top]]) for name, order in orders.items()},
        outcome=outcome_of(ids, spend, bought, settings.seed),
        expected=expected,
        choices=choices,
        missing=missing,
    )


def _claim(expected: NDArray[np.float64], spend: NDArray[np.int64], first: NDArray[np.intp]) -> Claim:
    return Claim(*measure_calibration(expected, spend), round(fsum(expected[first].tolist())), int(spend[first].sum()))


def _previous_spend(past: Past, ids: pl.Series, cut: date, horizon: int) -> int | None:
    """Give what the eligible spent in as many days before a cut, which is what many would carry forward; None where history is shorter."""
    start = cut - timedelta(days=horizon)
    known = past.timeline.span is not None and past.timeline.span[0] <= start
    return int(past.later(ids, start, horizon)["spend"].sum()) if known else None


def compare_replays(replays: Sequence[Replay], names: Sequence[str], seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Compare rankings, each pair on the dates at which both could be computed: see `compare_rankings`."""
    nothing = np.zeros(BUCKETS, np.int64)
    held = np.stack([np.stack([replayed.held.get(name, nothing) for name in names]) for replayed in replays])
    known = np.array([[name in replayed.held for name in names] for replayed in replays])
    return compare_rankings(names, held, np.stack([replayed.outcome.spend for replayed in replays]), seed, known=known)


def compare_with_chance(replays: Sequence[Replay], intervals: pl.DataFrame, seed: int) -> tuple[Chance, list[str]]:
    """Give what chance holds over all dates, and the rankings that held more than it at their own dates."""
    shares = dict(intervals.select("ranking", "share").rows())

    @cache
    def chance(cuts: tuple[date, ...]) -> Chance:
        # So many draws that the best of all rankings can be told from chance at all.
        outcomes = [replayed.outcome for replayed in replays if replayed.cut in cuts]
        return draw_chance(outcomes, [TOP], seed, draws=max(1000, 80 * len(shares)))

    dates = {name: tuple(replayed.cut for replayed in replays if name in replayed.held) for name in shares}
    beating = [name for name, share in shares.items() if chance(dates[name]).beaten_by(share, len(shares))]
    return chance(tuple(replayed.cut for replayed in replays)), beating


def measure_calibration(
    expected: NDArray[np.float64] | NDArray[np.int64], spend: NDArray[np.int64], bins: int = 10
) -> tuple[pl.DataFrame, float | None]:
    """Compare expected with actual spend (minor units) by bins of customers, and give all that was expected over all that came.

    The frame has ``bin`` (1 expects most), ``customers``, and the sums ``expected`` and ``actual``. Customers of the same expectation
    stay together, in the bin of their middle: bins differ in size, and there may be fewer of them.
    """
    _, group, sizes = np.unique(-expected, return_inverse=True, return_counts=True)
    middles = 2 * sizes.cumsum() - sizes  # in halves of a customer
    _, bin_of = np.unique((middles * bins // (2 * max(len(spend), 1)))[group], return_inverse=True)
    parts = [bin_of == number for number in range(int(bin_of.max(initial=-1)) + 1)]
    rows = [
        (number, int(part.sum()), round(fsum(expected[part].tolist())), int(spend[part].sum()))
        for number, part in enumerate(parts, start=1)
    ]
    schema = dict.fromkeys(("bin", "customers", "expected", "actual"), pl.Int64)
    came = int(spend.sum())
    return pl.DataFrame(rows, schema, orient="row"), fsum(expected.tolist()) / came if came > 0 else None
