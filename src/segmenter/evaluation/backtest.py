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
from segmenter.evaluation.chance import Chance
from segmenter.evaluation.cuts import choose_cuts
from segmenter.evaluation.replay import Replay, compare_replays, compare_with_chance, replay
from segmenter.measures.past import Past, past_of
from segmenter.messages import Message
from segmenter.settings import AnyScoring, BacktestCore
from segmenter.tables import Tables

_ENDS = ("best", "random")
_COUNTS = ("customers", "eligible", "later_spend", "later_buyers", "previous_spend")


@dataclass(frozen=True)
class Backtest:
    """What a backtest found. Money is in minor units; shares are of what the eligible customers spent within the horizon after a cut.

    Parameters
    ----------
    results : DataFrame
        One row for each ``cut`` and ``ranking``, then one with a null ``cut`` for the mean of each ranking over its ``dates``, those at
        which it could be computed. The rankings come first, ``best`` (the best possible) and ``random`` last. ``customers``,
        ``eligible``, ``later_spend`` and ``later_buyers`` (of the eligible), and what these had spent in as many days before the cut,
        ``previous_spend`` (null where history is shorter); then ``spend_share_1``, ``_5``, ``_10``, ``_20`` and ``_size`` (of the top 1 to
        20 % and of the top `plan.size`), the same for ``buyer_share``, ``lift`` and ``precision``; ``gini``; and where a ranking claims
        money ``expected_spend`` and ``calibration`` (expected / later spend), and the same of its top 10 %: ``expected_spend_10``,
        ``later_spend_10``, ``calibration_10``. See `gains.Gains`; null where it cannot be said.
    intervals : DataFrame
        ``ranking``, ``share`` (of the spend, in the top 10 %, mean over its dates), ``low``, ``high``, ``dates``: see `compare_rankings`;
        and ``beats_chance``, whether as many customers drawn at random would hardly hold as much at these dates.
    differences : DataFrame
        ``ranking``, ``against``, ``difference``, ``low``, ``high``, ``clearly_better``, ``dates``: see `compare_rankings`.
    chance : Chance
        What 10 % drawn at random would have held, and how many customers bought later, on whom the evidence rests.
    curves : DataFrame
        ``ranking``, ``customers``, ``spend``, ``buyers``: 101 points, mean over its dates; ``best`` and ``random`` too.
    calibration : DataFrame
        ``ranking``, ``bin`` (1 expects most), ``customers``, ``expected``, ``actual``: summed over its dates.
    choices : DataFrame
        What `auto` did at each cut: ``cut``, ``choice``, ``trials`` (how many past launches it was made on), and for each of
        `auto.CHOICES` its mean share in those; empty without `auto`.
    cuts, compared : tuple of date
        The as-of dates; and those of them at which every ranking could be computed.
    horizon_days : int
        How long after each cut was looked at.
    current, recommended : str
        The ranking of `scoring`, and the one to use: of those that beat chance and were clearly better than it the best; else itself.
    warnings : tuple of str
        What a person should know before believing it.
    """

    results: pl.DataFrame
    intervals: pl.DataFrame
    differences: pl.DataFrame
    chance: Chance
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
        No ranking could be computed at any cut.

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
    (3, ['auto', 'best', 'random', 'recency', 'spend'])
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
    """Put the replays together: figures, means of each ranking over its dates, and differences over those that both have."""
    failed = {name: [replayed for replayed in replays if name in replayed.missing] for name in names}
    for name, gone in failed.items():
        if len(gone) == len(replays):
            sentence = "{ranking} could not be computed at any date: {why}"
            names.remove(name)
            if gone:
                warnings.append(Message("evaluation.ranking_missing", sentence, ranking=name, why=gone[-1].missing[name]))
        elif gone:
            sentence = (
                "{ranking} could not be computed at {gone} of the {dates} dates ({cuts}), and is compared with each other ranking on "
                "those that both have: {why}"
            )
            facts = {"gone": len(gone), "dates": len(replays), "cuts": tuple(replayed.cut for replayed in gone)}
            warnings.append(Message("evaluation.ranking_at_some_dates", sentence, ranking=name, **facts, why=gone[-1].missing[name]))
    if not names:
        sentence = "backtest: no ranking could be computed at any past date"
        raise InputError(Message("evaluation.nothing_computed", sentence), *warnings)
    replays = [replayed for replayed in replays if replayed.held]
    seed = settings.seed % (1 << 32)
    intervals, differences = compare_replays(replays, names, seed)
    chance, beating = compare_with_chance(replays, intervals, seed)
    return Backtest(
        results=_results(replays, names),
        intervals=intervals.with_columns(beats_chance=pl.col("ranking").is_in(beating)),
        differences=differences,
        chance=chance,
        curves=_curves(replays, names),
        calibration=_calibration(replays, names),
        choices=_choices(replays),
        cuts=tuple(replayed.cut for replayed in replays),
        compared=tuple(replayed.cut for replayed in replays if all(name in replayed.held for name in names)),
        horizon_days=settings.backtest.horizon_days,
        current=current,
        recommended=_recommend(intervals, differences, beating, current),
        warnings=tuple(warnings),
    )


def _recommend(intervals: pl.DataFrame, differences: pl.DataFrame, beating: Sequence[str], current: str) -> str:
    """Name a ranking that is better than the launch's own beyond doubt; else the launch's own, unless that could not be computed."""
    names = intervals.drop_nulls("share").sort("dates", descending=True, maintain_order=True)["ranking"].to_list()
    against = current if current in names or not names else names[0]
    # In the place of one that could not be computed any that is ahead will do.
    ahead = differences.filter(pl.col("ranking").is_in(beating), pl.col("difference") > 0, against=against)
    ahead = ahead.filter("clearly_better") if against == current else ahead
    better = ahead.sort("difference", descending=True, maintain_order=True)["ranking"].to_list()
    # Each is ahead on other dates, perhaps: the best of them is ahead of most of the others.
    pairs = differences.filter(pl.col("ranking").is_in(better), pl.col("against").is_in(better), pl.col("difference") > 0)
    wins = pairs["ranking"].to_list()
    return max(better, key=wins.count, default=against)


def _choices(replays: Sequence[Replay]) -> pl.DataFrame:
    rows = [
        (replayed.cut, ranking.choice, ranking.trials["cut"].n_unique(), *map(mean_shares(ranking.trials).get, CHOICES))
        for replayed in replays
        for ranking in replayed.choices.values()
    ]
    schema = {"cut": pl.Date, "choice": pl.String, "trials": pl.Int64, **dict.fromkeys(CHOICES, pl.Float64)}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _results(replays: Sequence[Replay], names: Sequence[str]) -> pl.DataFrame:
    rows = [_row(replayed, name) for replayed in replays for name in (*names, *_ENDS) if name in replayed.gains]
    schema = {"cut": pl.Date, "ranking": pl.String, **dict.fromkeys(("dates", *_COUNTS), pl.Int64)}
    figures = dict.fromkeys(replays[0].gains["best"].figures, pl.Float64)
    money = dict.fromkeys(("expected_spend", "expected_spend_10", "later_spend_10"), pl.Int64)
    ratios = dict.fromkeys(("calibration", "calibration_10"), pl.Float64)
    single = pl.DataFrame(rows, schema={**schema, **figures, **money, **ratios}, orient="row")
    # One by one: a mean over groups might be summed in any order.
    mean = pl.concat(
        part.select(
            pl.lit(None, pl.Date).alias("cut"),
            "ranking",
            pl.col("dates").sum(),
            *(
                pl.col(name).mean().round().cast(pl.Int64) if name in (*_COUNTS, *money) else pl.col(name).mean()
                for name in part.columns[3:-2]
            ),
            calibration=_ratio("expected_spend", "later_spend"),
            calibration_10=_ratio("expected_spend_10", "later_spend_10"),
        ).head(1)
        for part in (single.filter(ranking=name) for name in (*names, *_ENDS))
    )
    return pl.concat([single, mean])


def _ratio(expected: str, came: str) -> pl.Expr:
    """Divide all that was expected by all that came, over the dates at which money was expected."""
    claimed = pl.col(came).filter(pl.col(expected).is_not_null()).sum()
    return pl.when(claimed > 0).then(pl.col(expected).sum() / claimed)


def _row(replayed: Replay, name: str) -> dict[str, object]:
    row: dict[str, object] = {"cut": replayed.cut, "ranking": name, "dates": 1, **replayed.counts, **replayed.gains[name].figures}
    if claim := replayed.expected.get(name):
        row |= {"expected_spend": claim.bins["expected"].sum(), "calibration": claim.calibration}
        row |= {"expected_spend_10": claim.top_expected, "later_spend_10": claim.top_came}
        row["calibration_10"] = claim.top_expected / claim.top_came if claim.top_came > 0 else None
    return row


def _curves(replays: Sequence[Replay], names: Sequence[str]) -> pl.DataFrame:
    parts = []
    for name in (*names, *_ENDS):
        curves = [replayed.gains[name].curve for replayed in replays if name in replayed.gains]
        means = {
            column: [_mean([curve[column][point] for curve in curves]) for point in range(curves[0].height)]
            for column in ("customers", "spend", "buyers")
        }
        parts.append(pl.DataFrame({"ranking": [name] * curves[0].height, **means}, schema_overrides=dict.fromkeys(means, pl.Float64)))
    return pl.concat(parts)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _calibration(replays: Sequence[Replay], names: Sequence[str]) -> pl.DataFrame:
    schema = pl.Schema({"ranking": pl.String, "bin": pl.Int64, "customers": pl.Int64, "expected": pl.Int64, "actual": pl.Int64})
    parts = [
        replayed.expected[name].bins.select(pl.lit(name).alias("ranking"), pl.all())
        for name in names
        for replayed in replays
        if name in replayed.expected
    ]
    bins = pl.concat([pl.DataFrame(schema=schema), *parts]).group_by("ranking", "bin", maintain_order=True)
    return bins.agg(pl.col("customers", "expected", "actual").sum())
