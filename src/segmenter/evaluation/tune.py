"""The weighted score tuned on a shop's own past, and judged by later dates on which it was not."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from segmenter.errors import ConfigError, InputError
from segmenter.evaluation.backtest import cuts_of, sampled
from segmenter.evaluation.comparison import differences, drawn_shares, shares
from segmenter.evaluation.replay import TOP, Replay, replay
from segmenter.evaluation.tuning_trials import load_optuna, look, search
from segmenter.measures.past import past_of
from segmenter.report.tuning_advice import advise_tuning
from segmenter.settings import AnyScoring, ScoringSettings, TuneCore, WeightedSettings
from segmenter.tables import Tables
from segmenter.words import say

TUNED, PRESENT = "tuned", "present"


@dataclass(frozen=True)
class Tuned:
    """What tuning found. Shares are of what the eligible customers spent within the horizon after a date.

    Parameters
    ----------
    scoring : WeightedSettings
        The best weights and half-life; the present ones where no trial held more at the dates learned from.
    present : WeightedSettings
        Those of the config.
    trials : DataFrame
        Every trial: ``trial`` (0: the present weights), ``half_life_days``, the weights, and ``share``: of later spend in the top
        10 %, mean over the dates learned from.
    shares : DataFrame
        ``ranking``: ``tuned``, ``present``, what `backtest.rankings` names and what the launch uses; ``learned_from`` and
        ``held_back``: the mean share in the top 10 % at those dates, the former null where the ranking could not be computed at one of
        them; ``low`` and ``high``: the 95 % interval of the latter.
    differences : DataFrame
        At the dates held back, ``tuned`` less each other: ``against``, ``difference``, ``low``, ``high``, ``clearly_better``; see
        `comparison.differences`.
    learned_from, held_back : tuple of date
        As-of dates of replayed launches. What came after those of the first lies before the second.
    horizon_days : int
        How long after each date was looked at.
    current : str
        What the launch uses, as in `shares`.
    helped : bool
        Whether the tuned weights were clearly better than that at the dates held back.
    advice : str
        One sentence: whether to use them.
    warnings : tuple of str
        What a person should know before believing it.
    """

    scoring: WeightedSettings
    present: WeightedSettings
    trials: pl.DataFrame
    shares: pl.DataFrame
    differences: pl.DataFrame
    learned_from: tuple[date, ...]
    held_back: tuple[date, ...]
    horizon_days: int
    current: str
    helped: bool
    advice: str
    warnings: tuple[str, ...]


def tune(tables: Tables, settings: TuneCore, *, progress: Callable[[str], None] = lambda stage: None) -> Tuned:
    """Search for the weights and the half-life whose top 10 % held most of later spend, and see whether they do at later dates.

    The latest dates are held back. Nothing at or after the first of them is learned from, so that they show what would have come of
    tuning then.

    Parameters
    ----------
    tables : Tables
        The shop's tables, their orders one by one.
    settings : TuneCore
        The launch, its rules and score; the dates, the horizon, what to compare with; the trials.
    progress : callable, optional
        Called with each date as it is looked at.

    Returns
    -------
    Tuned
        The same for the same tables and seed, whatever their row order and the number of threads.

    Raises
    ------
    ConfigError
        Optuna is not installed; there are too few past dates, or one whose horizon is not over.
    InputError
        At none of the dates to learn from, or at none of those held back, was somebody eligible who spent something.

    Examples
    --------
    >>> import segmenter
    >>> from segmenter.settings import TuneSettings
    >>> settings = segmenter.backtest_settings({"launch.as_of": "2026-07-01", "backtest.rankings": ["spend"], "backtest.step_days": 15})
    >>> days = [f"2026-{month:02}-{day:02}" for month in (3, 4, 5, 6) for day in range(1, 29)]
    >>> rows = [(f"C{place % 40:02}", day, 10 + place % 40) for place, day in enumerate(days)]
    >>> orders = pl.DataFrame(rows, schema=["customer_id", "time", "amount"], orient="row")
    >>> tables = segmenter.canonical_tables({"orders": orders}, settings.data, settings.launch)
    >>> search = TuneSettings(trials=5, half_lives=(30.0, 90.0), held_back=0.3)
    >>> tuned = tune(tables, TuneCore.model_construct(**dict(settings), tune=search))
    >>> tuned.trials.height, len(tuned.learned_from), len(tuned.held_back), tuned.shares["ranking"].to_list()
    (5, 2, 2, ['tuned', 'present', 'spend'])
    """
    load_optuna()
    cuts, end = cuts_of(tables, settings)
    learned_from, held_back = _parted(cuts, settings)
    present = _weighted(settings.scoring)
    half_lives = sorted({*settings.tune.half_lives, present.half_life_days})
    wanted, window = settings.backtest, settings.rules.spend.window_days
    past = past_of(tables, end, present.half_life_days, window, max_customers=wanted.customers, first=cuts[0], seed=settings.seed)
    looks = []
    for cut in learned_from:
        progress(str(cut))
        with suppress(InputError):  # the replay of this date says why it is left out
            looks.append(look(cut, past, present, half_lives, settings))
    if not (telling := [each for each in looks if each is not None]):
        raise InputError(
            f"tune: at none of the dates to learn from ({_dates(learned_from)}) was somebody eligible who spent something after"
        )
    progress(say(settings.lang, "trials", "尝试参数"))
    scoring, trials = search(telling, present, half_lives, trials=settings.tune.trials, seed=settings.seed)
    rankings, current = _rankings(scoring, present, settings)
    # The present half-life first, by which customers are found eligible.
    needed = dict.fromkeys((present.half_life_days, *(each.half_life_days for each in rankings.values())))
    pasts = {days: past.with_half_life(days) for days in needed}
    replays, warnings = [], sampled(past, settings)
    for cut in (*learned_from, *held_back):
        progress(str(cut))
        try:
            replays.append(replay(cut, pasts, rankings, settings))
        except InputError as error:
            warnings.append(say(settings.lang, f"{cut} is left out: {error.problems[0]}", f"{cut} 已略过：{error.problems[0]}"))
    learned, judged = ([each for each in replays if each.cut in part] for part in (learned_from, held_back))
    if not judged:
        raise InputError(f"tune: nobody was eligible at the dates held back ({_dates(held_back)})", *warnings)
    for name in [name for name in rankings if any(name in each.missing for each in judged)]:
        why = next(each.missing[name] for each in judged if name in each.missing)
        en = f"{name} is not compared, as it could not be computed at every date held back: {why}"
        warnings.append(say(settings.lang, en, f"{name} 未参与比较，因为在留作检验的日期中并非每个都能计算：{why}"))
        del rankings[name]
    current = current if current in rankings else PRESENT
    table, apart = _judged(learned, judged, list(rankings), settings.seed)
    helped, advice = advise_tuning(
        table,
        apart,
        current,
        unchanged=scoring == present,
        dates=len(judged),
        horizon_days=wanted.horizon_days,
        lang=settings.lang,
    )
    return Tuned(
        scoring=scoring,
        present=present,
        trials=trials,
        shares=table,
        differences=apart,
        learned_from=tuple(each.cut for each in learned),
        held_back=tuple(each.cut for each in judged),
        horizon_days=wanted.horizon_days,
        current=current,
        helped=helped,
        advice=advice,
        warnings=tuple(warnings),
    )


def _parted(cuts: Sequence[date], settings: TuneCore) -> tuple[list[date], list[date]]:
    """Hold the latest dates back, and learn from those whose horizon was over by then."""
    back = max(1, round(settings.tune.held_back * len(cuts)))
    held_back, horizon = list(cuts[-back:]), settings.backtest.horizon_days
    learned_from = [cut for cut in cuts[:-back] if cut + timedelta(days=horizon) <= held_back[0]]
    if not learned_from:
        raise ConfigError(
            f"tune: needs a date to learn from whose horizon of {horizon} days is over by the first one held back "
            f"(got {_dates(cuts)}, of which the last {back} are held back); take more dates, or a shorter backtest.horizon_days"
        )
    return learned_from, held_back


def _dates(cuts: Sequence[date]) -> str:
    return ", ".join(map(str, cuts))


def _weighted(scoring: AnyScoring) -> WeightedSettings:
    """Give the weighted score of the components that every ranking has."""
    return WeightedSettings(kind="weighted", **{name: getattr(scoring, name) for name in ScoringSettings.model_fields})


def _rankings(scoring: WeightedSettings, present: WeightedSettings, settings: TuneCore) -> tuple[dict[str, AnyScoring], str]:
    """Give what is compared, and the name of the launch's own among it."""
    names = settings.rankings if settings.backtest.rankings is None else settings.backtest.rankings
    rankings: dict[str, AnyScoring] = {TUNED: scoring, PRESENT: present}
    rankings |= {name: settings.rankings[name] for name in names if settings.rankings[name] != present}
    if settings.scoring == present:
        return rankings, PRESENT
    if named := next((name for name, each in rankings.items() if each == settings.scoring), None):
        return rankings, named
    kind = settings.scoring.kind
    name = kind if kind not in rankings else f"{kind} (scoring)"
    return {**rankings, name: settings.scoring}, name


def _judged(learned: Sequence[Replay], held_back: Sequence[Replay], names: list[str], seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Give the shares of both parts, and the differences in the one that was held back."""
    held = np.stack([np.stack([each.held[name] for name in names]) for each in held_back])
    total = np.stack([each.total for each in held_back])
    drawn = drawn_shares(held, total, seed)
    schema = {"ranking": pl.String, "learned_from": pl.Float64}
    before = pl.DataFrame([(name, _mean(name, learned)) for name in names], schema=schema, orient="row")
    after = shares(names, held, total, drawn).rename({"share": "held_back"})
    apart = differences(names, held, total, drawn).filter(ranking=TUNED).drop("ranking")
    return before.join(after, on="ranking", how="left", maintain_order="left"), apart


def _mean(name: str, learned: Sequence[Replay]) -> float | None:
    """Give the mean over the dates after which something was spent; None where the ranking could not be computed at one."""
    if any(name in each.missing for each in learned):
        return None
    known = [share for each in learned if (share := each.gains[name].figures[f"spend_share_{TOP}"]) is not None]
    return sum(known) / len(known)
