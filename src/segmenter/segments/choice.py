"""How many segments: enough to be apart, few enough to come out again in another sample."""

import math
import warnings
from dataclasses import dataclass

import numpy as np
import polars as pl
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score, silhouette_score

from segmenter.segments.model import STARTS, Floats, Numbers, nearest
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
    silhouette: float  # NaN where it is not defined; so is stability
    stability: float
    smallest_share: float


def choose(points: Floats, sample: Numbers, settings: SegmentsSettings, random_state: int, lang: Lang) -> tuple[int, str, pl.DataFrame]:
    """Choose the number of segments.

    With ``k: auto``, of the k from `k_min` to `k_max` whose smallest segment has at least `min_share` of all customers and
    whose stability is at least 0.75, the one with the highest silhouette; or a smaller one within 0.01 of it. Where none is so
    stable, the most stable one; where that is below 0.6, one segment. Silhouette: Rousseeuw (1987). Stability: the mean
    adjusted Rand index (Hubert and Arabie 1985) between the segments of the sample and those learned on bootstrap samples.

    Parameters
    ----------
    points : ndarray of shape (n, d)
        The scaled measures of all eligible customers.
    sample : ndarray of int
        The rows to learn on, in random order.
    settings : SegmentsSettings
        `k` and what goes with it.
    random_state : int
        In [0, 2**32).
    lang : {"en", "zh"}
        The language of the reason.

    Returns
    -------
    tuple of int, str, DataFrame
        The number, why it was chosen, and the trials: see `TRIALS`.

    Examples
    --------
    >>> settings = SegmentsSettings(k=3, k_min=2, k_max=8, min_share=0.03, sample=100, bootstraps=2)
    >>> choose(np.array([[0.0], [1.0], [1.0]]), np.arange(3), settings, 0, "en")[:2]
    (2, '2 segments: silhouette 0.67, stability 0.50; not 3, because the customers have only 2 different sets of measures')
    """
    learned = points[sample]
    distinct = len(np.unique(learned, axis=0))
    alike = say(
        lang,
        f"the customers have only {distinct} different set{'s' * (distinct != 1)} of measures",
        f"客户的指标只有 {distinct} 种不同取值",
    )
    if isinstance(settings.k, int):
        k = min(settings.k, max(distinct, 1))
        trials = [_try(k, points, learned, settings, random_state)] if k > 1 else []
        note = say(lang, "as set", "按设定")
        if k < settings.k:
            note = say(lang, f"not {settings.k}, because {alike}", f"未分 {settings.k} 个，因为{alike}")
        return k, _why(k, trials, [note], lang), _frame(trials, k)
    if len(points) < FEW:
        alike = say(lang, f"there are fewer than {FEW} eligible customers", f"符合条件的客户不足 {FEW} 人")
    if len(points) < FEW or distinct < settings.k_min:
        return 1, _why(1, [], [alike], lang), _frame([], 1)
    numbers = range(settings.k_min, min(settings.k_max, distinct) + 1)
    trials = [_try(k, points, learned, settings, random_state) for k in numbers]
    k, notes = _judge(trials, settings.min_share, lang)
    return k, _why(k, trials, notes, lang), _frame(trials, k)


def _try(k: int, points: Floats, learned: Floats, settings: SegmentsSettings, random_state: int) -> _Trial:
    centers = _centers(learned, k, STARTS, random_state)
    smallest = float(np.bincount(nearest(points, centers), minlength=k).min() / len(points))
    judged, pool = learned[:JUDGED], learned[:RESAMPLED]
    labels = nearest(judged, centers)
    if not 2 <= len(np.unique(labels)) < len(judged):
        return _Trial(k, math.nan, math.nan, smallest)
    random = np.random.RandomState(random_state)  # its stream is frozen (NEP 19)
    rows = [random.randint(len(pool), size=len(pool)) for _ in range(settings.bootstraps)]
    agreement = [adjusted_rand_score(labels, nearest(judged, _centers(pool[each], k, 3, random_state))) for each in rows]
    return _Trial(k, float(silhouette_score(judged, labels)), float(np.mean(agreement)), smallest)


def _centers(points: Floats, k: int, n_init: int, random_state: int) -> Floats:
    with warnings.catch_warnings():
        # A bootstrap sample may lack a rare point and so give fewer clusters: stability is there to count that.
        warnings.simplefilter("ignore", ConvergenceWarning)
        centers: Floats = KMeans(k, n_init=n_init, random_state=random_state).fit(points).cluster_centers_
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
    chosen = max(large, key=lambda trial: trial.stability, default=_Trial(1, math.nan, 0.0, 1.0))
    if chosen.stability >= TRUSTED:
        return chosen.k, [
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


def _why(k: int, trials: list[_Trial], notes: list[str], lang: Lang) -> str:
    known = {trial.k: trial for trial in trials if not math.isnan(trial.silhouette)}
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


def _frame(trials: list[_Trial], k: int) -> pl.DataFrame:
    rows = [(trial.k, trial.silhouette, trial.stability, trial.smallest_share, trial.k == k) for trial in trials]
    return pl.DataFrame(rows, schema=TRIALS, orient="row").with_columns(pl.col("silhouette", "stability").fill_nan(None))
