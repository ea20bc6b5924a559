"""Launches replayed at past dates, to see which ranking would have held the right people."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from segmenter.errors import ConfigError, InputError
from segmenter.evaluation.comparison import differences, drawn_shares, shares
from segmenter.evaluation.replay import Replay, replay
from segmenter.measures.past import Past, past_of
from segmenter.measures.sampling import MIN_HISTORY_DAYS, Sampling
from segmenter.report.backtest_advice import advise
from segmenter.settings import AnyScoring, BacktestCore
from segmenter.tables import Tables
from segmenter.words import say

_ENDS = ("best", "random")


@dataclass(frozen=True)
class Backtest:
    """What a backtest found. Money is in minor units; shares are of what the eligible customers spent within the horizon after a cut.

    Parameters
    ----------
    results : DataFrame
        One row for each ``cut`` and ``ranking``, then one with a null ``cut`` for the mean of each ranking over `compared`. The rankings
        come first, ``best`` (the best possible) and ``random`` last. ``customers``, ``eligible``, ``later_spend`` and
        ``later_buyers`` (of the eligible); then ``spend_share_1``, ``_5``, ``_10``, ``_20`` and ``_size`` (of the top 1 to 20 % and of
        the top `plan.size`), the same for ``buyer_share``, ``lift`` and ``precision``; ``gini``; and where a ranking claims money
        ``expected_spend`` and ``calibration`` (expected / later spend). See `gains.Gains`; null where it cannot be said.
    intervals : DataFrame
        ``ranking``, ``share`` (of the spend, in the top 10 %, mean over `compared`), ``low``, ``high``: see `comparison.shares`.
    differences : DataFrame
        ``ranking``, ``against``, ``difference``, ``low``, ``high``, ``clearly_better``: see `comparison.differences`.
    curves : DataFrame
        ``ranking``, ``customers``, ``spend``, ``buyers``: 101 points, mean over `compared`; ``best`` and ``random`` too.
    calibration : DataFrame
        ``ranking``, ``bin`` (1 expects most), ``customers``, ``expected``, ``actual``: summed over `compared`.
    choices : DataFrame
        ``cut``, ``choice``, ``why``: what `auto` did at each cut; empty without it.
    cuts, compared : tuple of date
        The as-of dates; and those of them at which every ranking could be computed, of which means and differences are.
    horizon_days : int
        How long after each cut was looked at.
    current, recommended : str
        The ranking of `scoring`, and the one to use.
    advice : str
        One sentence: which ranking to use here, and by how much.
    warnings : tuple of str
        What a person should know before believing it.
    """

    results: pl.DataFrame
    intervals: pl.DataFrame
    differences: pl.DataFrame
    curves: pl.DataFrame
    calibration: pl.DataFrame
    choices: pl.DataFrame
    cuts: tuple[date, ...]
    compared: tuple[date, ...]
    horizon_days: int
    current: str
    recommended: str
    advice: str
    warnings: tuple[str, ...]


def backtest(tables: Tables, settings: BacktestCore, *, progress: Callable[[str], None] = lambda stage: None) -> Backtest:
    """Replay launches at past dates, and see what the people whom each ranking puts first went on to spend.

    At each cut the measures, the rules and every ranking are computed from what was known before it; then the eligible customers'
    net spend within the horizon is looked up.

    Parameters
    ----------
    tables : Tables
        The shop's tables, their orders one by one.
    settings : BacktestCore
        The launch, its rules and score; the cuts, the horizon and the rankings.
    progress : callable, optional
        Called with each cut as its replay begins.

    Returns
    -------
    Backtest
        The same for the same tables, whatever their row order and the number of threads.

    Raises
    ------
    ConfigError
        A cut's horizon is not over, or there is no past date at all.
    InputError
        Nothing could be compared at any cut.

    Examples
    --------
    >>> import segmenter
    >>> overrides = {"launch.as_of": "2026-07-01", "backtest.rankings": ["spend", "recency"]}
    >>> settings = segmenter.backtest_settings(overrides)
    >>> days = [f"2026-{month:02}-{day:02}" for month in (3, 4, 5, 6) for day in range(1, 29)]
    >>> rows = [(f"C{place % 40:02}", day, 10 + place % 40) for place, day in enumerate(days)]
    >>> orders = pl.DataFrame(rows, schema=["customer_id", "time", "amount"], orient="row")
    >>> found = backtest(segmenter.canonical_tables({"orders": orders}, settings.data, settings.launch), settings)
    >>> len(found.cuts), found.results["ranking"].unique().sort().to_list()
    (3, ['best', 'random', 'recency', 'spend', 'weighted'])
    """
    rankings, current = _rankings(settings)
    cuts, end = cuts_of(tables, settings)
    window, most = settings.rules.spend.window_days, settings.backtest.customers
    # The launch's own half-life comes first: a custom rule on decayed spend is then the launch's own.
    own = settings.scoring.half_life_days
    past = past_of(tables, end, own, window, max_customers=most, first=cuts[0], seed=settings.seed)
    pasts = {days: past.with_half_life(days) for days in dict.fromkeys((own, *(each.half_life_days for each in rankings.values())))}
    replays, warnings = [], sampled(past, settings)

    def at(cut: date) -> Replay | str:
        progress(str(cut))
        try:
            return replay(cut, pasts, rankings, settings)
        except (InputError, ConfigError) as error:  # a custom rule on events of which there were none yet
            return say(settings.lang, f"{cut} is left out: {error.problems[0]}", f"{cut} 已略过：{error.problems[0]}")

    with ThreadPoolExecutor(os.cpu_count()) as cores:
        for found in cores.map(at, cuts):
            if isinstance(found, Replay):
                replays.append(found)
            else:
                warnings.append(found)
    return _added_up(replays, list(rankings), current, settings, warnings)


def sampling_of(settings: BacktestCore) -> Sampling:
    """Say of how many customers a backtest needs single orders.

    Parameters
    ----------
    settings : BacktestCore
        Its cuts.

    Returns
    -------
    Sampling
        Of all, where `backtest.customers` is null.

    Examples
    --------
    >>> import segmenter
    >>> sampling_of(segmenter.backtest_settings({"launch.as_of": "2026-07-01", "backtest.first": "2026-01-01"})).first
    datetime.date(2026, 1, 1)
    """
    wanted, as_of = settings.backtest, settings.launch.as_of
    if as_of is None:
        raise InputError("launch.as_of: is needed, as YYYY-MM-DD")
    back = timedelta(days=wanted.horizon_days + wanted.step_days * (wanted.most - 1))
    first = min(wanted.cuts) if wanted.cuts else wanted.first or (wanted.last or as_of) - back
    return Sampling(wanted.customers, settings.seed, first, min(wanted.horizon_days, MIN_HISTORY_DAYS))


def _rankings(settings: BacktestCore) -> tuple[dict[str, AnyScoring], str]:
    """Give the rankings to compare, and the name of the launch's own among them."""
    names = settings.rankings if settings.backtest.rankings is None else settings.backtest.rankings
    chosen = {name: settings.rankings[name] for name in names}
    if current := next((name for name, each in settings.rankings.items() if each == settings.scoring), None):
        return {**chosen, current: settings.scoring}, current
    name = settings.scoring.kind if settings.scoring.kind not in chosen else f"{settings.scoring.kind} (scoring)"
    return {**chosen, name: settings.scoring}, name


def cuts_of(tables: Tables, settings: BacktestCore) -> tuple[list[date], date]:
    """List the cuts, the earliest first, and say where the history ends."""
    wanted, as_of = settings.backtest, settings.launch.as_of
    if as_of is None:
        raise InputError("launch.as_of: is needed, as YYYY-MM-DD")
    first, last = tables.orders.days
    if first is None or last is None:
        raise InputError("data.orders: should hold orders (got none): there is no past to replay")
    end = min(as_of, last + timedelta(days=1))
    history = min(wanted.horizon_days, MIN_HISTORY_DAYS)
    latest, earliest = end - timedelta(days=wanted.horizon_days), first + timedelta(days=history)
    if wanted.cuts is None:
        stop = wanted.last or latest
        start = wanted.first or max(earliest, stop - timedelta(days=wanted.step_days * (wanted.most - 1)))
        cuts = [stop - timedelta(days=wanted.step_days * back) for back in range((stop - start).days // wanted.step_days + 1)][::-1]
    else:
        cuts = sorted(set(wanted.cuts))
    shop = f"the orders run from {first} to {last}, launch.as_of is {as_of}, and the horizon is {wanted.horizon_days} days"
    problems = [
        f"backtest: a past date should lie after {first} and by {latest} (got {cut}): {shop}" for cut in cuts if not first < cut <= latest
    ]
    if not cuts:
        problems = [f"backtest: a past date should have {history} days of history before it and its horizon after it (got none): {shop}"]
    if problems:
        raise ConfigError(*problems, "choose others with backtest.cuts, or a shorter backtest.horizon_days")
    return cuts, end


def sampled(past: Past, settings: BacktestCore) -> list[str]:
    """Say where only some customers are looked at."""
    share = past.share
    if share == 1:
        return []
    parts, most = round(1 / share), settings.backtest.customers
    en = f"replayed on one in {parts} of the customers, drawn by lot (backtest.customers={most}); the intervals allow for that"
    return [say(settings.lang, en, f"随机抽取 1/{parts} 的客户进行回测（backtest.customers={most}），区间已计入抽样误差")]


def _added_up(replays: Sequence[Replay], names: list[str], current: str, settings: BacktestCore, warnings: list[str]) -> Backtest:
    """Put the replays together: figures, means over those where every ranking could be computed, and differences."""
    lang, horizon = settings.lang, settings.backtest.horizon_days
    for name in [name for name in names if not any(name in each.held for each in replays)]:
        if replays:
            why = replays[-1].missing[name]
            warnings.append(say(lang, f"{name} could not be computed at any date: {why}", f"{name} 在任何日期都无法计算：{why}"))
        names.remove(name)
    if not names:
        raise InputError("backtest: no ranking could be computed at any past date", *warnings)
    compared = [each for each in replays if all(name in each.held for name in names)]
    for each in replays:
        for name in names:
            if name in each.missing:
                why = each.missing[name]
                en = f"{each.cut} does not count in means and differences, as {name} could not be computed: {why}"
                warnings.append(say(lang, en, f"{each.cut} 不计入平均与差异，因为 {name} 无法计算：{why}"))
    if not compared:
        raise InputError("backtest: at no past date could every ranking be computed; choose fewer with backtest.rankings", *warnings)
    held = np.stack([np.stack([each.held[name] for name in names]) for each in compared])
    total = np.stack([each.total for each in compared])
    drawn = drawn_shares(held, total, settings.seed % (1 << 32))
    intervals, pairs = shares(names, held, total, drawn), differences(names, held, total, drawn)
    results = _results(replays, compared, names)
    recommended, sentence = advise(results, intervals, pairs, current, horizon_days=horizon, lang=lang)
    choices = [(each.cut, choice, why) for each in replays for choice, why in each.choices.values()]
    return Backtest(
        results=results,
        intervals=intervals,
        differences=pairs,
        curves=_curves(compared, names),
        calibration=_calibration(compared, names),
        choices=pl.DataFrame(choices, schema={"cut": pl.Date, "choice": pl.String, "why": pl.String}, orient="row"),
        cuts=tuple(each.cut for each in replays),
        compared=tuple(each.cut for each in compared),
        horizon_days=horizon,
        current=current,
        recommended=recommended,
        advice=sentence,
        warnings=tuple(warnings),
    )


def _results(replays: Sequence[Replay], compared: Sequence[Replay], names: Sequence[str]) -> pl.DataFrame:
    rows = [_row(each, name) for each in replays for name in (*names, *_ENDS) if name in each.gains]
    schema = {"cut": pl.Date, "ranking": pl.String, **dict.fromkeys(("customers", "eligible", "later_spend", "later_buyers"), pl.Int64)}
    figures = dict.fromkeys(replays[0].gains["best"].figures, pl.Float64)
    single = pl.DataFrame(rows, schema={**schema, **figures, "expected_spend": pl.Int64, "calibration": pl.Float64}, orient="row")
    cuts = [each.cut for each in compared]
    # One by one: a mean over groups might be summed in any order.
    counts = ("customers", "eligible", "later_spend", "later_buyers", "expected_spend")
    claimed = pl.col("later_spend").filter(pl.col("expected_spend").is_not_null()).sum()
    mean = pl.concat(
        part.select(
            "ranking",
            *(pl.col(name).mean().round().cast(pl.Int64) if name in counts else pl.col(name).mean() for name in part.columns[2:-1]),
            calibration=pl.when(claimed > 0).then(pl.col("expected_spend").sum() / claimed),
        ).head(1)
        for part in (single.filter(pl.col("cut").is_in(cuts), ranking=name) for name in (*names, *_ENDS))
    )
    return pl.concat([single, mean.select(pl.lit(None, pl.Date).alias("cut"), pl.all())])


def _row(replayed: Replay, name: str) -> dict[str, object]:
    frame, ratio = replayed.expected.get(name, (None, None))
    expected = {"expected_spend": None if frame is None else frame["expected"].sum(), "calibration": ratio}
    return {"cut": replayed.cut, "ranking": name, **replayed.counts, **replayed.gains[name].figures, **expected}


def _curves(compared: Sequence[Replay], names: Sequence[str]) -> pl.DataFrame:
    parts = []
    for name in (*names, *_ENDS):
        curves = [each.gains[name].curve for each in compared]
        told = {
            what: [_mean([curve[what][place] for curve in curves]) for place in range(curves[0].height)]
            for what in ("customers", "spend", "buyers")
        }
        parts.append(pl.DataFrame({"ranking": [name] * curves[0].height, **told}, schema_overrides=dict.fromkeys(told, pl.Float64)))
    return pl.concat(parts)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _calibration(compared: Sequence[Replay], names: Sequence[str]) -> pl.DataFrame:
    schema = pl.Schema({"ranking": pl.String, "bin": pl.Int64, "customers": pl.Int64, "expected": pl.Int64, "actual": pl.Int64})
    parts = [
        each.expected[name][0].select(pl.lit(name).alias("ranking"), pl.all())
        for name in names
        for each in compared
        if name in each.expected
    ]
    if not parts:
        return pl.DataFrame(schema=schema)
    return (
        pl.concat(parts).group_by("ranking", "bin", maintain_order=True).agg(pl.col("customers", "expected", "actual").sum()).cast(schema)
    )
