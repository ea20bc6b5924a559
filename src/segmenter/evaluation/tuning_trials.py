"""Many weights and half-lives tried on past dates: what they need of a date is computed once, and a trial is a sum and a cut."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.errors import ConfigError, InputError
from segmenter.evaluation.as_of import past_snapshot
from segmenter.evaluation.gains import top_count
from segmenter.evaluation.replay import TOP
from segmenter.measures.past import Past
from segmenter.messages import Message
from segmenter.scoring.components import COMPONENTS, rounded, weights_of_roles
from segmenter.scoring.scorer import fit_scorer
from segmenter.settings import BacktestCore, WeightedSettings, Weights

Floats = NDArray[np.float64]
_HALF_LIFE = "half_life"
_SEEDS = 1 << 32  # NumPy's old generators, which Optuna draws from, take no larger ones


@dataclass(frozen=True)
class TrialDate:
    """The eligible customers of a past date, ready to be ranked by any weights."""

    components: Mapping[float, Mapping[str, Floats]]  # by half-life: the components, 0 to 1, in which those customers differ
    spend: NDArray[np.int64]  # what they spent within the horizon, in minor units

    def share(self, scoring: WeightedSettings) -> float:
        """Give the share of later spend that the top 10 % by a weighted score hold: to the last bit that of a replay."""
        components = self.components[scoring.half_life_days]
        every = {**{name: getattr(scoring.weights, name) for name in COMPONENTS}, **weights_of_roles(scoring)}
        weights = {name: weight for name, weight in every.items() if name in components}
        whole = sum(weights.values()) or 1.0
        score = np.zeros(len(self.spend))
        for name, weight in weights.items():
            if weight:
                score += components[name] * (100 * (weight / whole))
        rounded(score)
        # The first of a stable sort, without one: all above the last one's score, and of those equal to it the first by id.
        top = top_count(len(score), TOP)
        last = np.partition(score, len(score) - top)[len(score) - top]
        above = score > last
        equal = np.flatnonzero(score == last)[: top - np.count_nonzero(above)]
        return int(self.spend[above].sum() + self.spend[equal].sum()) / int(self.spend.sum())


def prepare_date(cut: date, past: Past, scoring: WeightedSettings, half_lives: Sequence[float], settings: BacktestCore) -> TrialDate | None:
    """Compute the components at a past date under several half-lives; None where nobody was eligible, or nobody spent anything after.

    By the half-life of `scoring`, which is among them, customers are found eligible, should a rule depend on it.
    """
    everything = Weights(**dict.fromkeys(COMPONENTS, 1.0))
    purchases = settings.scoring.needs_purchases
    eligible: pl.Series | None = None
    spend = np.zeros(0, np.int64)
    components: dict[float, dict[str, Floats]] = {}
    for half_life in sorted(half_lives, key=lambda days: days != scoring.half_life_days):  # its own first
        try:
            snapshot = past_snapshot(past.with_half_life(half_life), settings, cut, purchases=purchases)
        except (InputError, ConfigError):  # the replay of this date says why it is left out
            return None
        customers = snapshot.customers
        if eligible is None:
            eligible = snapshot.eligible
            later = past.later(customers["customer_id"].filter(eligible), cut, settings.backtest.horizon_days)
            spend = later["spend"].to_numpy()
            if spend.sum() <= 0:
                return None
        scorer = fit_scorer(customers, scoring.model_copy(update={"half_life_days": half_life, "weights": everything}))
        scored = scorer.score(customers.filter(eligible))
        found = {name: scored[f"component_{name}"].to_numpy() for name, share in scorer.shares.items() if share}
        components[half_life] = _share_memory(found, components.get(scoring.half_life_days, {}))
    return TrialDate(components, spend)


def _share_memory(found: dict[str, Floats], known: Mapping[str, Floats]) -> dict[str, Floats]:
    """Hold what no half-life changes once."""
    return {name: known[name] if name in known and np.array_equal(values, known[name]) else values for name, values in found.items()}


def search_weights(
    dates: Sequence[TrialDate], present: WeightedSettings, half_lives: Sequence[float], *, trials: int, seed: int
) -> tuple[WeightedSettings, pl.DataFrame]:
    """Search for the weights and the half-life that hold most, by a tree-structured Parzen estimator [1]_.

    Give the best trial's settings, those of `present` unless another held more: weights are percents with one decimal, 0 for a
    component in which the eligible customers never differed. And every trial: ``trial``, ``half_life_days``, the weights, and
    ``share``, the mean share of later spend in the top 10 %.

    References
    ----------
    .. [1] Watanabe, S. (2023). Tree-Structured Parzen Estimator: Understanding Its Algorithm Components and Their Roles for Better
       Empirical Performance. arXiv:2304.11127.
    """
    optuna = load_optuna()
    differing = {name for at in dates for found in at.components.values() for name in found}
    telling = [name for name in COMPONENTS if name in differing] or [*COMPONENTS]
    rows: list[tuple[float | None, ...]] = []
    best: tuple[float, WeightedSettings] | None = None

    def objective(trial: Any) -> float:
        nonlocal best
        half_life = half_lives[trial.suggest_int(_HALF_LIFE, 0, len(half_lives) - 1)]
        # Squared, so that some weights are drawn near 0 more often: the best scores rest on few components.
        raw = {name: trial.suggest_float(name, 0, 1) ** 2 for name in telling}
        if trial.number and not any(raw.values()):
            raise optuna.TrialPruned
        scoring = present if trial.number == 0 else _candidate(present, half_life, raw)
        share = sum(at.share(scoring) for at in dates) / len(dates)
        rows.append((trial.number, scoring.half_life_days, *scoring.weights.model_dump().values(), share))
        if best is None or share > best[0]:
            best = share, scoring
        return share

    with _quiet(optuna):
        study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed % _SEEDS, multivariate=True))
        weights = present.weights.model_dump()
        largest = max(weights[name] for name in telling) or 1.0
        begin = {_HALF_LIFE: half_lives.index(present.half_life_days)}
        study.enqueue_trial(begin | {name: (weights[name] / largest) ** 0.5 for name in telling})
        for alone in telling:
            study.enqueue_trial(begin | {name: float(name == alone) for name in telling})
        study.optimize(objective, n_trials=trials)
    schema = {"trial": pl.Int64, "half_life_days": pl.Float64, **dict.fromkeys(COMPONENTS, pl.Float64), "share": pl.Float64}
    return present if best is None else best[1], pl.DataFrame(rows, schema=schema, orient="row")


def load_optuna() -> Any:
    """Import Optuna, which few need; ConfigError where it is not installed."""
    try:
        import optuna
    except ImportError as error:
        raise ConfigError(Message("evaluation.no_optuna", 'tune: needs Optuna; pip install "segmenter[tune]"')) from error
    return optuna


def _candidate(present: WeightedSettings, half_life: float, raw: Mapping[str, float]) -> WeightedSettings:
    """Round before a trial, so that what is written is what was tried."""
    whole = sum(raw.values())
    weights = {name: round(100 * raw.get(name, 0.0) / whole, 1) for name in COMPONENTS}
    scale = 100 / (sum(present.weights.model_dump().values()) or 100.0)  # roles are not tuned: beside percents they weigh what they did
    roles = {name: round(weight * scale, 1) for name, weight in present.role_weights.items()}
    return present.model_copy(update={"half_life_days": half_life, "weights": Weights(**weights), "role_weights": roles})


@contextmanager
def _quiet(optuna: Any) -> Iterator[None]:
    """Keep Optuna's line for each trial from the terminal."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
