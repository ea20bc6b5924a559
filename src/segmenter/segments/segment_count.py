"""How many segments: enough to be apart, few enough to come out again in another sample."""

import math
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import reduce
from itertools import combinations

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from segmenter.estimators import (
    ConvergenceWarning,
    KMeans,
    adjusted_rand_score,
    clone,
    config_context,
    pairwise_distances,
    silhouette_score,
)
from segmenter.messages import Message
from segmenter.segments.clusters import Floats, Numbers, Segmenter, nearest
from segmenter.settings import KmeansSegments

MIN_CUSTOMERS = 50  # below so many customers `auto` makes one segment: a silhouette would say nothing
JUDGED = 2_000  # customers on whom silhouette and stability are computed
RESAMPLED = 6_000  # customers in a bootstrap sample
# After Hennig (2008), doi:10.1016/j.jmva.2007.07.002, on resampled clusters: from 0.75 on stable, below 0.6 not to be trusted.
STABLE, TRUSTED = 0.8, 0.6
ENOUGH = 4  # segments to act on: fewer only where no such number holds
RATIO = 1.25  # between medians that a person would call different
# A smaller k may fall short of the best by so much: of the silhouette, about two standard errors on JUDGED customers; of what is foreseen.
MARGIN, SHORTFALL = 0.01, 0.05

TRIALS = pl.Schema(
    {
        **{"k": pl.Int32, "silhouette": pl.Float64, "stability": pl.Float64, "smallest_share": pl.Float64},
        **{"different": pl.Boolean, "foreseen": pl.Float64, "chosen": pl.Boolean},
    }
)
Behaviour = Sequence[tuple[Floats, Floats]]  # at each past date the measures of the eligible, and columns of what they did later


@dataclass(frozen=True)
class _Trial:
    k: int
    model: Segmenter
    silhouette: float  # NaN where it is not defined; so is stability
    stability: float
    smallest_share: float
    error: float = 0.0  # of the stability
    different: bool = True  # whether any two segments differ in a median
    foreseen: float = math.nan  # share of the variance of what customers did next; NaN where there is no past

    @property
    def stable(self) -> bool:
        """Surely so: on other samples, too."""
        return self.stability - 2 * self.error >= STABLE


def choose(
    learned: Floats,
    settings: KmeansSegments,
    random_state: int,
    smallest: Callable[[Segmenter], float],
    behaviour: Behaviour = (),
    weights: Sequence[float] | None = None,
) -> tuple[Segmenter, Message, pl.DataFrame]:
    """Choose the number of segments: the fitted model, why it has so many segments, and the trials as in `TRIALS`.

    With ``k: auto``, of the k from `k_min` to `k_max` whose smallest segment has at least `min_share` of all customers, whose stability is
    at least 0.8 by two standard errors, and of which any two segments differ in a median, the one that foresees most: the share of variance
    in each column of `behaviour`, on each date by the segments' means on the others. Without a past, or where it cannot be foreseen, the
    one with the highest silhouette. A smaller one that is hardly worse comes first, but fewer than 4 only where no other holds. Where none
    is so stable, the most stable one; where that is below 0.6, one segment. Silhouette: Rousseeuw (1987). Stability: the mean adjusted
    Rand index (Hubert and Arabie 1985) between the segments of the sample and those learned on bootstrap samples.

    `learned` has the measures of the customers to learn on, in random order; `smallest` gives the smallest share, 0..1, that a model makes
    of all customers, and is asked of what seems the best only: shares of the others are those of the sample.
    """
    one = _Trial(1, Segmenter(1, first_label=1, random_state=random_state, weights=weights).fit(learned), math.nan, math.nan, 1.0)
    points = one.model.scaled(learned)
    distinct = len(np.unique(points, axis=0))
    sentence = "the customers have only {count} different set{plural} of measures"
    alike = Message("segments.alike", sentence, count=distinct, plural="s" * (distinct != 1))
    if isinstance(settings.k, int):
        k = min(settings.k, max(distinct, 1))
        trials = _try_all([k], learned, points, settings, one.model, behaviour) if k > 1 else {}
        note = Message("segments.as_set", "as set")
        if k < settings.k:
            note = Message("segments.fewer", "not {k}, because {why}", k=settings.k, why=alike)
        trials = {number: replace(trial, smallest_share=smallest(trial.model)) for number, trial in trials.items()}
        return trials.get(k, one).model, _why(k, trials, [note]), _frame(trials, k)
    few = len(learned) < MIN_CUSTOMERS
    if few or distinct < settings.k_min:
        note = Message("segments.few", "there are fewer than {min} eligible customers", min=MIN_CUSTOMERS) if few else alike
        return one.model, _why(1, {}, [note]), _frame({}, 1)
    trials = _try_all(range(settings.k_min, min(settings.k_max, distinct) + 1), learned, points, settings, one.model, behaviour)
    while True:
        k, notes = _judge(list(trials.values()), settings.min_share)
        if k > 1:
            trials[k] = replace(trials[k], smallest_share=smallest(trials[k].model))
        if k == 1 or trials[k].smallest_share >= settings.min_share:
            return trials.get(k, one).model, _why(k, trials, notes), _frame(trials, k)


def _try_all(
    numbers: Sequence[int], learned: Floats, points: Floats, settings: KmeansSegments, like: Segmenter, behaviour: Behaviour
) -> dict[int, _Trial]:
    """Try each number, several at once; each alone on its core, so that its figures do not depend on how many there are."""
    apart = pairwise_distances(points[:JUDGED])
    with warnings.catch_warnings(), ThreadPoolExecutor(os.cpu_count(), initializer=threadpool_limits, initargs=(1,)) as cores:
        # A bootstrap sample may lack a rare point and so give fewer clusters: stability is there to count that.
        warnings.simplefilter("ignore", ConvergenceWarning)
        # The longest first.
        models = {k: clone(like).set_params(n_clusters=k) for k in reversed(numbers)}
        tasks = {k: cores.submit(_try, model, learned, points, apart, settings.bootstraps, behaviour) for k, model in models.items()}
        return {k: tasks[k].result() for k in numbers}


# A few hundred small fits, of numbers that `fit` has checked.
@config_context(assume_finite=True, skip_parameter_validation=True)  # type: ignore[untyped-decorator]
def _try(model: Segmenter, learned: Floats, points: Floats, apart: Floats, bootstraps: int, behaviour: Behaviour) -> _Trial:
    k, random_state = model.n_clusters, model.random_state
    shares = np.bincount(model.fit(learned).labels_ - 1, minlength=k) / len(learned)
    judged, pool, labels = points[:JUDGED], points[:RESAMPLED], model.labels_[:JUDGED]
    if not 2 <= len(np.unique(labels)) < len(judged):
        return _Trial(k, model, math.nan, math.nan, float(shares.min()))
    random = np.random.RandomState(random_state)  # its stream is frozen (NEP 19)
    rows = [random.randint(len(pool), size=len(pool)) for _ in range(bootstraps)]
    agreement = [adjusted_rand_score(labels, nearest(judged, _centers(pool[drawn], k, random_state))) for drawn in rows]
    return _Trial(
        k,
        model,
        silhouette=float(silhouette_score(apart, labels, metric="precomputed")),
        stability=float(np.mean(agreement)),
        smallest_share=float(shares.min()),
        error=float(np.std(agreement, ddof=1) / math.sqrt(bootstraps)),
        different=_differ(learned, model.labels_),
        foreseen=_foresee(model, behaviour),
    )


def _differ(measures: Floats, labels: Numbers) -> bool:
    """Say whether any two segments have a measure whose medians a person would call different."""
    medians = np.array([np.median(measures[labels == label], axis=0) for label in np.unique(labels)])
    for one, other in combinations(medians, 2):
        low, high = np.minimum(one, other), np.maximum(one, other)
        if not ((high > low) & (high - low >= (RATIO - 1) * np.abs(low))).any():
            return False
    return True


def _foresee(model: Segmenter, behaviour: Behaviour) -> float:
    """Give the share of the variance of what came later that the segments explain, each date by the others: NaN where nothing varied."""
    parts = [(model.predict(measures) - 1, later - later.mean(axis=0)) for measures, later in behaviour]
    if len(parts) == 1:  # a half of the customers by the other
        ((labels, later),) = parts
        parts = [(labels[half::2], later[half::2]) for half in (0, 1)]
    if not parts:
        return math.nan
    counts = [np.bincount(labels, minlength=model.n_clusters)[:, None] for labels, _ in parts]
    sums = [np.array([np.bincount(labels, column, model.n_clusters) for column in later.T]).T for labels, later in parts]
    left, every = (np.zeros(parts[0][1].shape[1]) for _ in range(2))
    for (labels, later), count, total in zip(parts, counts, sums, strict=True):
        means = (sum(sums) - total) / np.maximum(sum(counts) - count, 1)
        left = left + ((later - means[labels]) ** 2).sum(axis=0)
        every = every + (later**2).sum(axis=0)
    return float(np.mean(1 - left / every)) if every.all() else math.nan


def _centers(points: Floats, k: int, random_state: int) -> Floats:
    centers: Floats = KMeans(k, n_init=3, random_state=random_state).fit(points).cluster_centers_
    return centers


def _judge(trials: list[_Trial], min_share: float) -> tuple[int, list[Message]]:
    notes = []
    known = [trial for trial in trials if not math.isnan(trial.silhouette)]
    large = [trial for trial in known if trial.smallest_share >= min_share and trial.different]
    if small := [trial for trial in trials if trial.smallest_share < min_share]:
        sentence = "{numbers} would make a segment under {share:g}%"
        notes.append(Message("segments.small", sentence, numbers=_numbers(small), share=min_share * 100))
    if same := [trial for trial in known if trial.smallest_share >= min_share and not trial.different]:
        notes.append(Message("segments.same", "{numbers} would make two that hardly differ", numbers=_numbers(same)))
    if stable := [trial for trial in large if trial.stable]:
        stable = [trial for trial in stable if trial.k >= ENOUGH] or stable
        if max(trial.foreseen for trial in stable) > 0:
            best = max(stable, key=lambda trial: trial.foreseen)
            chosen = next(trial for trial in stable if trial.foreseen >= (1 - SHORTFALL) * best.foreseen)  # by k
        else:
            best = max(stable, key=lambda trial: trial.silhouette)
            chosen = next(trial for trial in stable if trial.silhouette >= best.silhouette - MARGIN)
            notes.insert(0, Message("segments.by_silhouette", "the silhouette decides, as there is no past, or it tells nothing"))
        if chosen is not best:
            notes.insert(0, Message("segments.hardly_better", "{k} is hardly better", k=best.k))
        if shaky := [trial for trial in large if not trial.stable]:
            notes.append(Message("segments.unstable", "{numbers} would not surely be stable", numbers=_numbers(shaky)))
        return chosen.k, notes
    steadiest = max(large, key=lambda trial: trial.stability, default=None)
    if steadiest and steadiest.stability >= TRUSTED:
        sentence = "none surely reaches a stability of {stable}, this comes nearest"
        return steadiest.k, [Message("segments.nearest_stable", sentence, stable=STABLE), *notes]
    if large:
        sentence = "{numbers} would come out otherwise in another sample"
        notes.append(Message("segments.chance", sentence, numbers=_numbers(large)))
    return 1, notes


def _numbers(trials: list[_Trial]) -> tuple[int, ...]:
    return tuple(trial.k for trial in trials)


def _why(k: int, trials: Mapping[int, _Trial], notes: list[Message]) -> Message:
    known = {number: trial for number, trial in trials.items() if not math.isnan(trial.silhouette)}
    parts = []
    if k in known and not math.isnan(known[k].foreseen):
        sentence = (
            "stability {stability:.2f}; they foresee {share:.1%} of the differences in what customers did after earlier dates{others}"
        )
        numbers = ", ".join(f"{trial.k}: {max(trial.foreseen, 0.0):.1%}" for trial in known.values() if trial.k != k)
        others = Message("segments.instead", " (other numbers {numbers})", numbers=numbers) if numbers else ""
        facts = {"stability": known[k].stability, "share": max(known[k].foreseen, 0.0), "others": others}
        parts.append(Message("segments.foreseen", sentence, **facts))
    else:
        if chosen := known.pop(k, None):
            sentence = "silhouette {silhouette:.2f}, stability {stability:.2f}"
            parts.append(Message("segments.figures", sentence, silhouette=chosen.silhouette, stability=chosen.stability))
        if known:
            sentence = "{k} gave {silhouette:.2f}/{stability:.2f}"
            figures = [
                Message("segments.other", sentence, k=trial.k, silhouette=trial.silhouette, stability=trial.stability)
                for trial in known.values()
            ]
            parts.append(reduce(lambda first, other: Message("segments.others", "{first}, {other}", first=first, other=other), figures))
    because: str = ""
    if parts := [*parts, *notes]:
        because = reduce(lambda first, other: Message("segments.and", "{first}; {other}", first=first, other=other), parts)
    return Message("segments.why", "{k} segment{plural}: {because}", k=k, plural="s" * (k > 1), because=because)


def _frame(trials: Mapping[int, _Trial], k: int) -> pl.DataFrame:
    rows = [
        (trial.k, trial.silhouette, trial.stability, trial.smallest_share, trial.different, trial.foreseen, trial.k == k)
        for trial in trials.values()
    ]
    frame = pl.DataFrame(rows, schema=TRIALS, orient="row")
    return frame.with_columns(pl.col("silhouette", "stability", "foreseen").fill_nan(None))
