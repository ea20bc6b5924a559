"""One launch replayed at a past date: every ranking on what was known, and what the customers then spent."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.errors import InputError
from segmenter.evaluation.auto import Auto, rank
from segmenter.evaluation.calibration import calibration
from segmenter.evaluation.comparison import bucket_sums, buckets
from segmenter.evaluation.gains import Gains, gains, taken
from segmenter.measures.past import Past
from segmenter.measures.timeline import with_purchases
from segmenter.regions import with_regions
from segmenter.rules import ELIGIBLE, apply_rules
from segmenter.settings import AnyScoring, BacktestCore
from segmenter.words import say

TOP = 10  # percent: what rankings are compared by


@dataclass(frozen=True)
class Replay:
    """What one replayed launch gave. Money is in minor units.

    Parameters
    ----------
    cut : date
        Its as-of date.
    counts : dict of str to int
        ``customers``, ``eligible``, and of these ``later_spend`` and ``later_buyers``.
    gains : dict of str to Gains
        Of each ranking that could be computed, and of ``best`` and ``random``.
    held : dict of str to ndarray of shape (4096,)
        Of each ranking the later spend in its top 10 %, by bucket of customers.
    total : ndarray of shape (4096,)
        All later spend by bucket.
    expected : dict of str to (DataFrame, float or None)
        Of each ranking that expects money: see `calibration`.
    choices : dict of str to (str, str)
        Of each `auto`: what it chose, and why.
    missing : dict of str to str
        Of each ranking that could not be computed: why.
    """

    cut: date
    counts: dict[str, int]
    gains: dict[str, Gains]
    held: dict[str, NDArray[np.int64]]
    total: NDArray[np.int64]
    expected: dict[str, tuple[pl.DataFrame, float | None]]
    choices: dict[str, tuple[str, str]]
    missing: dict[str, str]


def replay(cut: date, pasts: Mapping[float, Past], rankings: Mapping[str, AnyScoring], settings: BacktestCore) -> Replay:
    """Plan a launch as of a cut as far as its rankings go, and look at what came.

    Parameters
    ----------
    cut : date
        The as-of date; its horizon is over.
    pasts : dict of float to Past
        The shop's past for the half-life of each ranking.
    rankings : dict of str to AnyScoring
        What to compare.
    settings : BacktestCore
        The rules, `plan.size` and the horizon.

    Returns
    -------
    Replay
        For the eligible customers.

    Raises
    ------
    InputError
        Nobody was eligible, or the rules name a region without customers.

    Examples
    --------
    See `backtest`.
    """
    horizon = settings.backtest.horizon_days
    frames = {}
    for half_life, past in pasts.items():
        frame = with_regions(past.before(cut).measures(cut), settings.rules.region)
        frames[half_life] = apply_rules(frame, settings.rules, settings.launch).customers
    past, frame = next(iter(pasts.values())), next(iter(frames.values()))
    eligible = frame["verdict"] == ELIGIBLE
    if not eligible.any():
        raise InputError(say(settings.lang, "nobody was eligible", "没有符合条件的客户"))
    ids = frame["customer_id"].filter(eligible)
    later = past.later(ids, cut, horizon)
    spend, bought = later["spend"].to_numpy(), (later["orders"] > 0).to_numpy()
    orders, expected, choices, missing = {}, {}, {}, {}
    for name, each in rankings.items():
        before, here = pasts[each.half_life_days].before(cut), frames[each.half_life_days]
        if each.needs_purchases:
            here = with_purchases(here, before.timeline, cut)
        try:
            ranking = rank(here, each, before, horizon_days=horizon, seed=settings.seed, lang=settings.lang)
        except InputError as error:
            missing[name] = error.problems[0]
            continue
        values = ranking.values(here.filter(eligible))
        orders[name] = np.argsort(-values, kind="stable")  # the eligible are sorted by id
        if ranking.expects_money:
            expected[name] = calibration(values, spend)
        if isinstance(ranking, Auto):
            choices[name] = (ranking.choice, ranking.why)
    size = settings.plan.size if isinstance(settings.plan.size, int) else None
    bucket, top = buckets(ids, settings.seed), taken(len(ids), TOP)
    return Replay(
        cut=cut,
        counts={"customers": frame.height, "eligible": len(ids), "later_spend": int(spend.sum()), "later_buyers": int(bought.sum())},
        gains=gains(orders, spend, bought, size and max(round(size * past.share), 1)),
        held={name: bucket_sums(bucket, spend, order[:top]) for name, order in orders.items()},
        total=bucket_sums(bucket, spend),
        expected=expected,
        choices=choices,
        missing=missing,
    )
