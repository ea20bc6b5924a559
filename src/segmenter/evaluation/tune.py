"""The weighted score tuned on a shop's own past, and judged by later dates on which it was not."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from segmenter.errors import ConfigError, InputError
from segmenter.evaluation.as_of import horizon_of
from segmenter.evaluation.backtest import rankings_of, warn_of_sample
from segmenter.evaluation.cuts import choose_cuts
from segmenter.evaluation.replay import TOP, Replay, compare_replays, replay
from segmenter.evaluation.tuning_trials import load_optuna, prepare_date, search_weights
from segmenter.measures.past import past_of
from segmenter.messages import Message
from segmenter.settings import AnyScoring, TuneCore, WeightedSettings, weighted_of
from segmenter.tables import Tables

TUNED, PRESENT = "tuned", "present"


@dataclass(frozen=True)
class Tuning:
    """What tuning found. Shares are of what the eligible customers spent within the horizon after a date, held by the top 10 %."""

    scoring: WeightedSettings  # the best weights and half-life; the present ones where no trial held more at the dates learned from
    present: WeightedSettings
    trials: pl.DataFrame  # ``trial`` (0: the present weights), ``half_life_days``, the weights, and ``share`` at the dates learned from
    # Of ``tuned``, ``present``, what `backtest.rankings` names and what the launch uses: ``ranking``, the shares ``learned_from`` (null
    # where the ranking could not be computed at one of these dates) and ``held_back``, and ``low`` and ``high``, its 95 % interval.
    shares: pl.DataFrame
    differences: pl.DataFrame  # at the dates held back, ``tuned`` less each other one: see `compare_rankings`
    learned_from: tuple[date, ...]
    held_back: tuple[date, ...]  # the horizons of those learned from are over by the first of these
    horizon_days: int
    current: str  # what the launch uses, as in `shares`
    warnings: tuple[str, ...]

    @property
    def helped(self) -> bool:
        """Whether the tuned weights were clearly better than what the launch uses, at the dates held back."""
        return bool(self.differences.filter(against=self.current)["clearly_better"].any())


def tune(tables: Tables, settings: TuneCore, *, progress: Callable[[str], None] = lambda stage: None) -> Tuning:
    """Search for the weights and the half-life whose top 10 % held most of later spend, and see whether they do at later dates.

    The latest dates are held back. Nothing at or after the first of them is learned from, so that they show what would have come of
    tuning then. The same for the same tables and seed, whatever their row order and the number of threads.
    """
    load_optuna()
    cuts, end = choose_cuts(tables, settings)
    learned_from, held_back = _divide(cuts, settings)
    present = weighted_of(settings.scoring)
    half_lives = sorted({*settings.tune.half_lives, present.half_life_days})
    wanted, window = settings.backtest, settings.rules.spend.window_days
    horizon = horizon_of(rankings_of(settings)[0].values(), wanted.horizon_days)
    past = past_of(tables, end, present.half_life_days, window, horizon, max_customers=wanted.customers, first=cuts[0], seed=settings.seed)
    prepared = []
    for cut in learned_from:
        progress(str(cut))
        prepared.append(prepare_date(cut, past, present, half_lives, settings))
    if not (telling := [at for at in prepared if at is not None]):
        sentence = "tune: at none of the dates to learn from ({cuts}) was somebody eligible who spent something after"
        raise InputError(Message("evaluation.nothing_to_tune", sentence, cuts=tuple(learned_from)))
    progress("trials")
    scoring, trials = search_weights(telling, present, half_lives, trials=settings.tune.trials, seed=settings.seed)
    rankings, current = _rankings(scoring, present, settings)
    # The present half-life first, by which customers are found eligible.
    needed = dict.fromkeys((present.half_life_days, *(ranking.half_life_days for ranking in rankings.values())))
    pasts = {days: past.with_half_life(days) for days in needed}
    replays, warnings = [], warn_of_sample(past, settings)
    for cut in (*learned_from, *held_back):
        progress(str(cut))
        match replay(cut, pasts, rankings, settings):
            case Replay() as replayed:
                replays.append(replayed)
            case left_out:
                warnings.append(left_out)
    learned, judged = ([replayed for replayed in replays if replayed.cut in part] for part in (learned_from, held_back))
    if not judged:
        sentence = "tune: nobody was eligible at the dates held back ({cuts})"
        raise InputError(Message("evaluation.nothing_to_judge", sentence, cuts=tuple(held_back)), *warnings)
    for name in [name for name in rankings if any(name in replayed.missing for replayed in judged)]:
        why = next(replayed.missing[name] for replayed in judged if name in replayed.missing)
        sentence = "{ranking} is not compared, as it could not be computed at every date held back: {why}"
        warnings.append(Message("evaluation.ranking_not_compared", sentence, ranking=name, why=why))
        del rankings[name]
    shares, differences = _judge(learned, judged, list(rankings), settings.seed)
    return Tuning(
        scoring=scoring,
        present=present,
        trials=trials,
        shares=shares,
        differences=differences,
        learned_from=tuple(replayed.cut for replayed in learned),
        held_back=tuple(replayed.cut for replayed in judged),
        horizon_days=wanted.horizon_days,
        current=current if current in rankings else PRESENT,
        warnings=tuple(warnings),
    )


def _divide(cuts: Sequence[date], settings: TuneCore) -> tuple[list[date], list[date]]:
    """Hold the latest dates back, and learn from those whose horizon was over by then."""
    back = max(1, round(settings.tune.holdout * len(cuts)))
    held_back, horizon = list(cuts[-back:]), settings.backtest.horizon_days
    learned_from = [cut for cut in cuts[:-back] if cut + timedelta(days=horizon) <= held_back[0]]
    if not learned_from:
        sentence = (
            "tune: needs a date to learn from whose horizon of {days} days is over by the first one held back "
            "(got {cuts}, of which the last {back} are held back); take more dates, or a shorter backtest.horizon_days"
        )
        raise ConfigError(Message("evaluation.too_few_dates", sentence, days=horizon, cuts=tuple(cuts), back=back))
    return learned_from, held_back


def _rankings(scoring: WeightedSettings, present: WeightedSettings, settings: TuneCore) -> tuple[dict[str, AnyScoring], str]:
    """Give what is compared, and the name of the launch's own among it."""
    named, current = rankings_of(settings)
    rankings: dict[str, AnyScoring] = {TUNED: scoring, PRESENT: present}
    rankings |= {name: ranking for name, ranking in named.items() if ranking != present}
    return rankings, PRESENT if settings.scoring == present else current


def _judge(learned: Sequence[Replay], held_back: Sequence[Replay], names: list[str], seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Give the shares of both parts, and the differences in the one that was held back."""
    intervals, differences = compare_replays(held_back, names, seed)
    schema = {"ranking": pl.String, "learned_from": pl.Float64}
    before = pl.DataFrame([(name, _mean(name, learned)) for name in names], schema=schema, orient="row")
    after = intervals.drop("dates").rename({"share": "held_back"})
    return before.join(after, on="ranking", how="left", maintain_order="left"), differences.filter(ranking=TUNED).drop("ranking")


def _mean(name: str, learned: Sequence[Replay]) -> float | None:
    """Give the mean over the dates after which something was spent; None where the ranking could not be computed at one."""
    if any(name in replayed.missing for replayed in learned):
        return None
    known = [share for replayed in learned if (share := replayed.gains[name].figures[f"spend_share_{TOP}"]) is not None]
    return sum(known) / len(known)
