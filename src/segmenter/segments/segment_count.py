"""How many segments: enough to be apart, few enough to come out again in another sample."""

import math
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score, pairwise_distances, silhouette_score
from threadpoolctl import threadpool_limits

from segmenter.segments.clusters import Floats, Segmenter, nearest
from segmenter.settings import SegmentsSettings
from segmenter.words import Lang, say

FEW = 50  # below so many customers `auto` makes one segment: a silhouette would say nothing
JUDGED = 2_000  # customers on whom silhouette and stability are computed
RESAMPLED = 3_000  # customers in a bootstrap sample
MARGIN = 0.01  # a smaller k may fall short of the best silhouette by so much: about two standard errors on JUDGED customers
# After Hennig (2008), doi:10.1016/j.jmva.2007.07.002, on resampled clusters: from 0.75 on stable, below 0.6 not to be trusted.
STABLE, TRUSTED = 0.75, 0.6

TRIALS = pl.Schema({"k": pl.Int32, "silhouette": pl.Float64, "stability": pl.Float64, "smallest_share": pl.Float64, "chosen": pl.Boolean})


@dataclass(frozen=True)
class _Trial:
    k: int
    model: Segmenter
    silhouette: float  # NaN where it is not defined; so is stability
    stability: float
    smallest_share: float


def choose(
    learned: Floats, settings: SegmentsSettings, random_state: int, lang: Lang, smallest: Callable[[Segmenter], float]
) -> tuple[Segmenter, str, pl.DataFrame]:
    """Choose the number of segments.

    With ``k: auto``, of the k from `k_min` to `k_max` whose smallest segment has at least `min_share` of all customers and
    whose stability is at least 0.75, the one with the highest silhouette; or a smaller one within 0.01 of it. Where none is so
    stable, the most stable one; where that is below 0.6, one segment. Silhouette: Rousseeuw (1987). Stability: the mean
    adjusted Rand index (Hubert and Arabie 1985) between the segments of the sample and those learned on bootstrap samples.

    Parameters
    ----------
    learned : ndarray of shape (n, d)
        The measures of the customers to learn on, in random order.
    settings : SegmentsSettings
        `k` and what goes with it.
    random_state : int
        In [0, 2**32).
    lang : {"en", "zh"}
        The language of the reason.
    smallest : callable
        Gives the smallest share, 0..1, that a model makes of all customers. It is asked of what seems the best only: shares of
        the others are those of the sample.

    Returns
    -------
    tuple of Segmenter, str, DataFrame
        The fitted model, why it has so many segments, and the trials: see `TRIALS`.

    Examples
    --------
    >>> settings = SegmentsSettings(k=3, k_min=2, k_max=8, min_share=0.03, sample=100, bootstraps=2)
    >>> model, why, _ = choose(np.array([[0.0], [1.0], [1.0]]), settings, 0, "en", lambda model: 1 / 3)
    >>> model.n_clusters, why
    (2, '2 segments: silhouette 0.67, stability 0.50; not 3, because the customers have only 2 different sets of measures')
    """
    one = _Trial(1, Segmenter(1, first_label=1, random_state=random_state).fit(learned), math.nan, math.nan, 1.0)
    points = one.model.scaled(learned)
    distinct = len(np.unique(points, axis=0))
    alike = say(
        lang,
        f"the customers have only {distinct} different set{'s' * (distinct != 1)} of measures",
        f"客户的指标只有 {distinct} 种不同取值",
    )
    if isinstance(settings.k, int):
        k = min(settings.k, max(distinct, 1))
        trials = _tried([k], learned, points, settings, random_state) if k > 1 else {}
        note = say(lang, "as set", "按设定")
        if k < settings.k:
            note = say(lang, f"not {settings.k}, because {alike}", f"未分 {settings.k} 个，因为{alike}")
        trials = {number: replace(trial, smallest_share=smallest(trial.model)) for number, trial in trials.items()}
        return trials.get(k, one).model, _why(k, trials, [note], lang), _frame(trials, k)
    if len(learned) < FEW:
        alike = say(lang, f"there are fewer than {FEW} eligible customers", f"符合条件的客户不足 {FEW} 人")
    if len(learned) < FEW or distinct < settings.k_min:
        return one.model, _why(1, {}, [alike], lang), _frame({}, 1)
    trials = _tried(range(settings.k_min, min(settings.k_max, distinct) + 1), learned, points, settings, random_state)
    while True:
        k, notes = _judge(list(trials.values()), settings.min_share, lang)
        if k > 1:
            trials[k] = replace(trials[k], smallest_share=smallest(trials[k].model))
        if k == 1 or trials[k].smallest_share >= settings.min_share:
            return trials.get(k, one).model, _why(k, trials, notes, lang), _frame(trials, k)


def _tried(numbers: Sequence[int], learned: Floats, points: Floats, settings: SegmentsSettings, random_state: int) -> dict[int, _Trial]:
    """Try each number, several at once; each alone on its core, so that its figures do not depend on how many there are."""
    apart = pairwise_distances(points[:JUDGED])
    with warnings.catch_warnings(), ThreadPoolExecutor(os.cpu_count(), initializer=threadpool_limits, initargs=(1,)) as cores:
        # A bootstrap sample may lack a rare point and so give fewer clusters: stability is there to count that.
        warnings.simplefilter("ignore", ConvergenceWarning)
        # The longest first.
        tasks = {k: cores.submit(_try, k, learned, points, apart, settings, random_state) for k in reversed(numbers)}
        return {k: tasks[k].result() for k in numbers}


def _try(k: int, learned: Floats, points: Floats, apart: Floats, settings: SegmentsSettings, random_state: int) -> _Trial:
    model = Segmenter(k, first_label=1, random_state=random_state).fit(learned)
    smallest = float(np.bincount(model.labels_ - 1, minlength=k).min() / len(learned))
    judged, pool, labels = points[:JUDGED], points[:RESAMPLED], model.labels_[:JUDGED]
    if not 2 <= len(np.unique(labels)) < len(judged):
        return _Trial(k, model, math.nan, math.nan, smallest)
    random = np.random.RandomState(random_state)  # its stream is frozen (NEP 19)
    rows = [random.randint(len(pool), size=len(pool)) for _ in range(settings.bootstraps)]
    agreement = [adjusted_rand_score(labels, nearest(judged, _centers(pool[each], k, random_state))) for each in rows]
    return _Trial(k, model, float(silhouette_score(apart, labels, metric="precomputed")), float(np.mean(agreement)), smallest)


def _centers(points: Floats, k: int, random_state: int) -> Floats:
    centers: Floats = KMeans(k, n_init=3, random_state=random_state).fit(points).cluster_centers_
    return centers


def _judge(trials: list[_Trial], min_share: float, lang: Lang) -> tuple[int, list[str]]:
    notes = []
    known = [trial for trial in trials if not math.isnan(trial.silhouette)]
    large = [trial for trial in known if trial.smallest_share >= min_share]
    if small := [trial for trial in trials if trial.smallest_share < min_share]:
        share = f"{min_share * 100:g}%"
        notes.append(
            say(lang, f"{_numbers(small, lang)} would make a segment under {share}", f"分 {_numbers(small, lang)} 个时有客群不足 {share}")
        )
    if stable := [trial for trial in large if trial.stability >= STABLE]:
        best = max(stable, key=lambda trial: trial.silhouette)
        chosen = next(trial for trial in stable if trial.silhouette >= best.silhouette - MARGIN)  # by k
        if chosen is not best:
            notes.insert(0, say(lang, f"{best.k} is hardly better", f"分 {best.k} 个并无明显改善"))
        if shaky := [trial for trial in large if trial.stability < STABLE]:
            notes.append(say(lang, f"{_numbers(shaky, lang)} would not be stable", f"分 {_numbers(shaky, lang)} 个时不稳定"))
        return chosen.k, notes
    steadiest = max(large, key=lambda trial: trial.stability, default=None)
    if steadiest and steadiest.stability >= TRUSTED:
        return steadiest.k, [
            say(lang, f"none reaches a stability of {STABLE}, this comes nearest", f"均未达到稳定性 {STABLE}，取最稳定者"),
            *notes,
        ]
    if large:
        notes.append(
            say(
                lang,
                f"{_numbers(large, lang)} would come out otherwise in another sample",
                f"分 {_numbers(large, lang)} 个时换一批样本结果就不同",
            )
        )
    return 1, notes


def _numbers(trials: list[_Trial], lang: Lang) -> str:
    return say(lang, ", ", "、").join(str(trial.k) for trial in trials)


def _why(k: int, trials: Mapping[int, _Trial], notes: list[str], lang: Lang) -> str:
    known = {number: trial for number, trial in trials.items() if not math.isnan(trial.silhouette)}
    parts = []
    if chosen := known.pop(k, None):
        en = f"silhouette {chosen.silhouette:.2f}, stability {chosen.stability:.2f}"
        parts.append(say(lang, en, f"轮廓系数 {chosen.silhouette:.2f}，稳定性 {chosen.stability:.2f}"))
    if known:
        others = [(trial.k, f"{trial.silhouette:.2f}/{trial.stability:.2f}") for trial in known.values()]
        en = ", ".join(f"{number} gave {figures}" for number, figures in others)
        parts.append(say(lang, en, "，".join(f"{number} 个为 {figures}" for number, figures in others)))
    head = say(lang, f"{k} segment{'s' * (k > 1)}: ", f"分为 {k} 个客群：")
    return head + say(lang, "; ", "；").join(parts + notes)


def _frame(trials: Mapping[int, _Trial], k: int) -> pl.DataFrame:
    rows = [(trial.k, trial.silhouette, trial.stability, trial.smallest_share, trial.k == k) for trial in trials.values()]
    return pl.DataFrame(rows, schema=TRIALS, orient="row").with_columns(pl.col("silhouette", "stability").fill_nan(None))
