"""Launches replayed at past dates, to see which ranking would have had the right customers at its top."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date

import polars as pl

from segmenter.errors import InputError
from segmenter.evaluation.as_of import horizon_of
from segmenter.evaluation.auto import CHOICES, mean_shares
from segmenter.evaluation.cuts import choose_cuts
from segmenter.evaluation.replay import Replay, compare_replays, replay
from segmenter.measures.past import Past, past_of
from segmenter.messages import Message
from segmenter.settings import AnyScoring, BacktestCore
from segmenter.tables import Tables

_ENDS = ("best", "random")
_COUNTS = ("customers", "eligible", "later_spend", "later_buyers")


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
        ``ranking``, ``share`` (of the spend, in the top 10 %, mean over `compared`), ``low``, ``high``: see `compare_rankings`.
    differences : DataFrame
        ``ranking``, ``against``, ``difference``, ``low``, ``high``, ``clearly_better``: see `compare_rankings`.
    curves : DataFrame
        ``ranking``, ``customers``, ``spend``, ``buyers``: 101 points, mean over `compared`; ``best`` and ``random`` too.
    calibration : DataFrame
        ``ranking``, ``bin`` (1 expects most), ``customers``, ``expected``, ``actual``: summed over `compared`.
    choices : DataFrame
        What `auto` did at each cut: ``cut``, ``choice``, ``trials`` (how many past launches it was made on), and for each of
        `auto.CHOICES` its mean share in those; empty without `auto`.
    cuts, compared : tuple of date
        The as-of dates; and those of them at which every ranking could be computed, of which means and differences are.
    horizon_days : int
        How long after each cut was looked at.
    current, recommended : str
        The ranking of `scoring`, and the one to use: that whose top 10 % held most of the later spend.
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
    warnings: tuple[str, ...]


def backtest(tables: Tables, settings: BacktestCore, *, progress: Callable[[str], None] = lambda stage: None) -> Backtest:
    """Replay launches at past dates, and see what the customers whom each ranking puts first went on to spend.

    At each cut the measures, the rules and every ranking are computed from what was known before it; then the eligible customers'
    net spend within the horizon is looked up.

    Parameters
    ----------
    tables : Tables
        The shop's tables, with single orders.
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
    >>> rows = [(f"C{number % 40:02}", day, 10 + number % 40) for number, day in enumerate(days)]
    >>> orders = pl.DataFrame(rows, schema=["customer_id", "time", "amount"], orient="row")
    >>> found = backtest(segmenter.canonical_tables({"orders": orders}, settings.data, settings.launch), settings)
    >>> len(found.cuts), found.results["ranking"].unique().sort().to_list()
    (3, ['best', 'random', 'recency', 'spend', 'weighted'])
    """
    rankings, current = rankings_of(settings)
    cuts, end = choose_cuts(tables, settings)
    window, most = settings.rules.spend.window_days, settings.backtest.customers
    # The launch's own half-life comes first: a custom rule on decayed spend is then the launch's own.
    own = settings.scoring.half_life_days
    horizon = horizon_of(rankings.values(), settings.backtest.horizon_days)
    past = past_of(tables, end, own, window, horizon, max_customers=most, first=cuts[0], seed=settings.seed)
    pasts = {days: past.with_half_life(days) for days in dict.fromkeys((own, *(scoring.half_life_days for scoring in rankings.values())))}

    def at(cut: date) -> Replay | Message:
        progress(str(cut))
        return replay(cut, pasts, rankings, settings)

    with ThreadPoolExecutor(os.cpu_count()) as cores:
        outcomes = list(cores.map(at, cuts))
    replays = [outcome for outcome in outcomes if isinstance(outcome, Replay)]
    left_out = [outcome for outcome in outcomes if isinstance(outcome, Message)]
    return _combine(replays, list(rankings), current, settings, [*warn_of_sample(past, settings), *left_out])


def rankings_of(settings: BacktestCore) -> tuple[dict[str, AnyScoring], str]:
    """Give the rankings to compare, and the name of the launch's own among them."""
    names = settings.rankings if settings.backtest.rankings is None else settings.backtest.rankings
    chosen = {name: settings.rankings[name] for name in names}
    if current := next((name for name, scoring in settings.rankings.items() if scoring == settings.scoring), None):
        return {**chosen, current: settings.scoring}, current
    name = settings.scoring.kind if settings.scoring.kind not in chosen else f"{settings.scoring.kind} (scoring)"
    return {**chosen, name: settings.scoring}, name


def warn_of_sample(past: Past, settings: BacktestCore) -> list[Message]:
    """Say where only some customers are looked at."""
    if past.share == 1:
        return []
    sentence = "replayed on one in {parts} of the customers, drawn at random (backtest.customers={most}); the intervals allow for that"
    return [Message("evaluation.sample", sentence, parts=round(1 / past.share), most=settings.backtest.customers)]


def _combine(replays: Sequence[Replay], names: list[str], current: str, settings: BacktestCore, warnings: list[Message]) -> Backtest:
    """Put the replays together: figures, means over those where every ranking could be computed, and differences."""
    for name in [name for name in names if not any(name in replayed.held for replayed in replays)]:
        if replays:
            why = replays[-1].missing[name]
            warnings.append(
                Message("evaluation.ranking_missing", "{ranking} could not be computed at any date: {why}", ranking=name, why=why)
            )
        names.remove(name)
    if not names:
        sentence = "backtest: no ranking could be computed at any past date"
        raise InputError(Message("evaluation.nothing_computed", sentence), *warnings)
    compared = [replayed for replayed in replays if all(name in replayed.held for name in names)]
    sentence = "{cut} does not count in means and differences, as {ranking} could not be computed: {why}"
    warnings += [
        Message("evaluation.cut_not_compared", sentence, cut=replayed.cut, ranking=name, why=replayed.missing[name])
        for replayed in replays
        for name in names
        if name in replayed.missing
    ]
    if not compared:
        sentence = "backtest: at no past date could every ranking be computed; choose fewer with backtest.rankings"
        raise InputError(Message("evaluation.nothing_compared", sentence), *warnings)
    intervals, differences = compare_replays(compared, names, settings.seed % (1 << 32))
    known = intervals.drop_nulls("share").sort("share", descending=True, maintain_order=True)["ranking"]
    return Backtest(
        results=_results(replays, compared, names),
        intervals=intervals,
        differences=differences,
        curves=_curves(compared, names),
        calibration=_calibration(compared, names),
        choices=_choices(replays),
        cuts=tuple(replayed.cut for replayed in replays),
        compared=tuple(replayed.cut for replayed in compared),
        horizon_days=settings.backtest.horizon_days,
        current=current,
        recommended=current if known.is_empty() else known[0],
        warnings=tuple(warnings),
    )


def _choices(replays: Sequence[Replay]) -> pl.DataFrame:
    rows = [
        (replayed.cut, ranking.choice, ranking.trials["cut"].n_unique(), *map(mean_shares(ranking.trials).get, CHOICES))
        for replayed in replays
        for ranking in replayed.choices.values()
    ]
    schema = {"cut": pl.Date, "choice": pl.String, "trials": pl.Int64, **dict.fromkeys(CHOICES, pl.Float64)}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _results(replays: Sequence[Replay], compared: Sequence[Replay], names: Sequence[str]) -> pl.DataFrame:
    rows = [_row(replayed, name) for replayed in replays for name in (*names, *_ENDS) if name in replayed.gains]
    schema = {"cut": pl.Date, "ranking": pl.String, **dict.fromkeys(_COUNTS, pl.Int64)}
    figures = dict.fromkeys(replays[0].gains["best"].figures, pl.Float64)
    single = pl.DataFrame(rows, schema={**schema, **figures, "expected_spend": pl.Int64, "calibration": pl.Float64}, orient="row")
    cuts = [replayed.cut for replayed in compared]
    # One by one: a mean over groups might be summed in any order.
    claimed = pl.col("later_spend").filter(pl.col("expected_spend").is_not_null()).sum()
    mean = pl.concat(
        part.select(
            "ranking",
            *(
                pl.col(name).mean().round().cast(pl.Int64) if name in (*_COUNTS, "expected_spend") else pl.col(name).mean()
                for name in part.columns[2:-1]
            ),
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
        curves = [replayed.gains[name].curve for replayed in compared]
        means = {
            column: [_mean([curve[column][point] for curve in curves]) for point in range(curves[0].height)]
            for column in ("customers", "spend", "buyers")
        }
        parts.append(pl.DataFrame({"ranking": [name] * curves[0].height, **means}, schema_overrides=dict.fromkeys(means, pl.Float64)))
    return pl.concat(parts)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _calibration(compared: Sequence[Replay], names: Sequence[str]) -> pl.DataFrame:
    schema = pl.Schema({"ranking": pl.String, "bin": pl.Int64, "customers": pl.Int64, "expected": pl.Int64, "actual": pl.Int64})
    parts = [
        replayed.expected[name][0].select(pl.lit(name).alias("ranking"), pl.all())
        for name in names
        for replayed in compared
        if name in replayed.expected
    ]
    bins = pl.concat([pl.DataFrame(schema=schema), *parts]).group_by("ranking", "bin", maintain_order=True)
    return bins.agg(pl.col("customers", "expected", "actual").sum())
