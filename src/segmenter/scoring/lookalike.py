"""How alike customers are to seeds: what sets these apart from a sample of the others, learned from measures, places and attributes."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from importlib import import_module
from pathlib import PurePath
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.contacts import hide, shown_sql
from segmenter.errors import InputError
from segmenter.hashing import draw, uniform
from segmenter.measures.past import Past
from segmenter.messages import Message
from segmenter.rules import ELIGIBLE
from segmenter.scoring.ranking import Evidence, Floats, Ranking
from segmenter.scoring.seed_columns import Encoding, auc, encode, usable_columns, within_reach
from segmenter.scoring.seeds import MARK, SEED, defining_columns
from segmenter.settings import LookalikeSettings

Flags = NDArray[np.bool_]
FEWEST, HARDLY, ENOUGH = 10, 50, 200  # seeds: to learn from at all; to trust what is found; for trees to be tried
TOP = 10  # percent of the others, among whom held-out seeds are looked for
_TOPS = (5, TOP, 20)  # percent: what is chosen by
_PARTS = 5
_STRENGTHS = (0.3, 0.03, 3.0)  # C of the regression, the usual one first, where seeds and others weigh alike, as many as there are seeds
_SINCE = frozenset({"category", "role", "topic"})  # texts that say what somebody did until today
_TOO_GOOD = 0.95  # of the seeds, found among the first
_THRESHOLDS = ("spend_min", "spend_max", "orders_min", "recency")  # verdicts by what customers do
_NOBODY = ("not_customer", "staff", "blocked")  # verdicts of who is no example
_BLOCK = 1 << 15  # rows
_IMPORTANCE_SAMPLE = 2_500  # customers


@dataclass(frozen=True)
class LookalikeRanking(Ranking):
    """A ranking by likeness to seeds: a line in ranks, or shallow trees."""

    encoding: Encoding
    line: Floats  # (n_columns + 1,): its slopes, and at last its level; empty where trees were chosen
    trees: Any = None  # a fitted HistGradientBoostingClassifier
    basis: Evidence = field(default_factory=Evidence)

    @property
    def columns(self) -> Sequence[str]:
        """The measures that it takes."""
        return list(dict.fromkeys(self.encoding.sources))

    @property
    def texts(self) -> Sequence[str]:
        """Those that are texts."""
        return list(self.encoding.levels)

    def values(self, frame: pl.DataFrame) -> Floats:
        """Give each customer's likeness, 0 to 1: the chance to be a seed where there are as many of these as of others."""
        from scipy.special import expit
        from threadpoolctl import threadpool_limits

        if not frame.height:
            return np.zeros(0)

        def alike(start: int) -> Floats:
            likeness: Floats = expit(_margin(self, self.encoding.columns(frame[start : start + _BLOCK])))
            return likeness

        # Rows are independent; see `LearnedRanking.values` for the threads.
        with threadpool_limits(1), ThreadPoolExecutor(os.cpu_count(), initializer=lambda: threadpool_limits(1)) as cores:
            return np.concatenate(list(cores.map(alike, range(0, frame.height, _BLOCK))))

    def evidence(self, past: Past | None, *, horizon_days: int, seed: int) -> Evidence:
        """Give what sets the seeds apart, and how many of those held out it found."""
        return self.basis


def fit(frame: pl.DataFrame, settings: LookalikeSettings, past: Past | None, *, horizon_days: int, seed: int) -> LookalikeRanking:
    """Learn what sets seeds apart from the others who may be invited.

    The seeds, and as many of the others as `settings.others`, drawn at random, are told apart by a logistic regression on ranks, with an L2
    penalty, in which both weigh alike. From 200 seeds on gradient boosting of shallow trees is tried as well. Every fifth of the seeds is
    held out in turn, and looked for among the others held out with it: so the penalty is chosen, and which of the two it is. What stands in
    the report was found in each fifth by what the other fifths had chosen. That some of the others are unknown seeds makes it look worse
    than it is, and does not change the order [1]_.

    Columns that give the seeds away are left out and named: such as the mark that they were chosen by, which nobody else has.

    Parameters
    ----------
    frame : DataFrame
        Customers with measures, ``verdict`` and ``lookalike``, see `seeds.with_seeds`.
    settings : LookalikeSettings
        Where the seeds come from, and how many others there are to be.
    past : Past or None
        Looked at where the seeds joined a launch, or `settings.seeds_on` is a date: what they were like then is learned from.
        ``horizon_days`` is not.
    seed : int
        Of the sample and the fifths.

    Returns
    -------
    LookalikeRanking
        The same for the same customers, whatever the number of threads.

    Raises
    ------
    InputError
        There are fewer than 10 seeds, or fewer than 10 others, or these do not differ in anything.

    References
    ----------
    .. [1] Elkan, C. and Noto, K. (2008). Learning classifiers from only positive and unlabeled data. KDD 2008, 213-220.

    Examples
    --------
    >>> import segmenter
    >>> settings = segmenter.launch_settings({"scoring": "lookalike", "scoring.seeds": "vip.csv"}).scoring
    >>> number = pl.int_range(400)
    >>> frame = pl.select(customer_id=number.cast(pl.String).str.zfill(3), orders=number % 20, spend=number * 7 % 50)
    >>> seeds = (pl.col("orders") > 14) & (pl.int_range(pl.len()) % 3 == 0)
    >>> frame = frame.with_columns(lookalike=pl.when(seeds).then(pl.lit("seed")), verdict=pl.when(~seeds).then(pl.lit("eligible")))
    >>> ranking = fit(frame, settings, None, horizon_days=30, seed=1)
    >>> bool(np.diff(ranking.values(pl.DataFrame({"orders": [2, 18], "spend": [9, 9]})))[0] > 0.1)
    True
    """
    from threadpoolctl import threadpool_limits

    import_module("sklearn.ensemble")  # before the limit, which is that of libraries at hand
    if MARK not in frame.columns:
        raise InputError(Message("scoring.seeds_elsewhere", "scoring: lookalike has seeds only as the launch's own ranking"))
    frame, day = _as_they_were(frame, settings, past)
    examples, others = (
        some[np.sort(draw(some["customer_id"], seed, "lookalike", settings.others))]
        for some in (
            frame.filter(pl.col("verdict").is_in(_NOBODY).not_() | pl.col("verdict").is_null(), lookalike=SEED),
            frame.filter(verdict=ELIGIBLE),
        )
    )
    if examples.height < FEWEST:
        sentence = "scoring.seeds: should leave at least {fewest} seeds to learn from (got {count}); take more, or scoring=auto"
        raise InputError(Message("scoring.too_few_seeds", sentence, fewest=FEWEST, count=examples.height))
    if others.height < FEWEST:
        sentence = "scoring.seeds: should leave at least {fewest} others who may be invited (got {count}); take fewer, or scoring=auto"
        raise InputError(Message("scoring.too_few_others", sentence, fewest=FEWEST, count=others.height))
    examples = within_reach(examples, others, seed)
    names, warnings = usable_columns(examples, others, defining_columns(settings))
    both = pl.concat([examples, others])
    encoding = encode(both, others, names)
    if not encoding.sources:
        sentence = "scoring.seeds: the customers do not differ in any measure that does not give the seeds away: nothing to learn from"
        raise InputError(Message("scoring.nothing_alike", sentence))
    removed = examples.filter(pl.col("verdict").is_in(_THRESHOLDS))["verdict"]
    if 2 * len(removed) > examples.height:
        sentence = "scoring.seeds: rules would remove {count:,} of {seeds:,} seeds themselves ({rules}): they may remove their like, too"
        facts = {"count": len(removed), "seeds": examples.height, "rules": tuple(removed.unique().sort())}
        warnings.append(Message("scoring.seeds_removed", sentence, **facts))
    columns = np.stack(list(encoding.columns(both)), axis=1)
    is_seed = np.arange(both.height) < examples.height
    parts = np.concatenate(
        [uniform(some["customer_id"], seed, "lookalike").rank("ordinal").to_numpy() % _PARTS for some in (examples, others)]
    )
    # Sums over threads differ in the last bit with their number.
    with threadpool_limits(1):
        strength, found = _choose(encoding, columns, is_seed, parts)
        ranking = _learn(encoding, columns, is_seed, strength)
        measures = _importance(ranking, columns, is_seed, seed)
    recall = _share(int(found.sum()), len(found))
    warnings += _doubts(examples.height, recall, measures)
    model = {
        "from": hide(PurePath(settings.seeds_file).name) if settings.seeds_file else shown_sql(settings.seeds or ""),
        "on": None if day is None else str(day),
        "seeds": examples.height,
        "others": others.height,
        "model": "logistic regression" if strength else "gradient boosting",
        "top": TOP,
        "found": [round(share, 4) for share in recall],
        "lift": [round(100 * share / TOP, 2) for share in recall],
    }
    return LookalikeRanking(encoding, ranking.line, ranking.trees, Evidence(measures=measures, model=model, warnings=tuple(warnings)))


def _as_they_were(frame: pl.DataFrame, settings: LookalikeSettings, past: Past | None) -> tuple[pl.DataFrame, date | None]:
    """Give who was a customer when the seeds were chosen, with the measures of then: what came of the choice would give them away."""
    if past is None or not settings.needs_past:
        return frame, None
    day = settings.seeds_on
    if day is None and past.tables.launches is not None:
        day = past.tables.launches.invited.filter(launch=settings.launch)["as_of"].min()  # type: ignore[assignment]  # dates
    day = min(day or past.until, past.until)
    then = past.measures(day)
    own = [name for name, kind in frame.schema.items() if kind == pl.String and name not in _SINCE]
    measures = [name for name, kind in then.schema.items() if name in frame.columns and (kind.is_numeric() or kind == pl.Boolean)]
    return frame.select(own).join(then.select("customer_id", *measures), on="customer_id", maintain_order="left"), day


def _doubts(seeds: int, recall: tuple[float, float, float], measures: pl.DataFrame) -> list[Message]:
    """Say what a person should know before believing it."""
    if recall[1] <= TOP / 100:
        sentence = (
            "scoring=lookalike: of the seeds held out {found:.0%} were among the first {top} % of the others, where chance has {top} %: "
            "what sets the seeds apart is not in these columns; use scoring=auto, or other seeds"
        )
        return [Message("scoring.seeds_by_chance", sentence, found=recall[0], top=TOP)]
    if recall[1] >= _TOO_GOOD:
        sentence = (
            "scoring=lookalike: of the seeds held out {found:.0%} were among the first {top} % of the others, by {measure} before all: "
            "if they were chosen by it, or it came of the choice, the list is who comes next by it and no more"
        )
        return [Message("scoring.seeds_by_measure", sentence, found=recall[0], top=TOP, measure=hide(measures["measure"][0]))]
    if seeds < HARDLY:
        sentence = "scoring=lookalike: {seeds} seeds are few: how well it finds their like is hardly known; from {enough} on it is"
        return [Message("scoring.few_seeds", sentence, seeds=seeds, enough=HARDLY)]
    return []


def _choose(encoding: Encoding, columns: Floats, is_seed: Flags, parts: NDArray[np.int64]) -> tuple[float, Flags]:
    """Choose how strongly the line may slope (0: trees), and say which seeds were found among the first of the others.

    Each is judged by what was learned, and chosen, without those held out with it.
    """
    tries = [*_STRENGTHS, *([0.0] if is_seed.sum() >= ENOUGH else [])]
    standing = np.ones((len(tries), int(is_seed.sum())))
    part_of = parts[is_seed]
    for number, strength in enumerate(tries):
        for part in range(_PARTS):
            kept, held = parts != part, parts == part
            ranking = _learn(encoding, columns[kept], is_seed[kept], strength)
            margin = _margin(ranking, columns[held].T)
            ordered = np.sort(margin[~is_seed[held]])
            above = 2 * len(ordered) - sum(np.searchsorted(ordered, margin[is_seed[held]], side=side) for side in ("left", "right"))
            standing[number, part_of == part] = above / (2 * max(len(ordered), 1))
    worth = np.mean([standing < top / 100 for top in _TOPS], axis=0)
    chosen = [int(worth[:, part_of != part].mean(axis=1).round(9).argmax()) for part in range(_PARTS)]
    found: Flags = standing[np.array(chosen)[part_of], np.arange(len(part_of))] < TOP / 100
    return tries[int(worth.mean(axis=1).round(9).argmax())], found


def _learn(encoding: Encoding, columns: Floats, is_seed: Flags, strength: float) -> LookalikeRanking:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression

    weights = np.where(is_seed, 1.0, is_seed.sum() / max((~is_seed).sum(), 1))
    if strength:
        line = LogisticRegression(C=strength, max_iter=1_000).fit(columns, is_seed, weights)
        return LookalikeRanking(encoding, np.append(line.coef_[0], line.intercept_))
    sizes = {"max_iter": 80, "learning_rate": 0.08, "max_leaf_nodes": 6, "min_samples_leaf": 20, "l2_regularization": 1.0, "max_bins": 63}
    trees = HistGradientBoostingClassifier(early_stopping=False, random_state=0, **sizes).fit(columns, is_seed, weights)
    return LookalikeRanking(encoding, np.zeros(0), trees)


def _margin(ranking: LookalikeRanking, columns: Iterator[Floats] | Floats) -> Floats:
    """Give the logarithm of the odds, of encoded columns."""
    if ranking.trees is not None:
        odds: Floats = ranking.trees.decision_function(np.stack(list(columns), axis=1))
        return odds
    # Column by column: equal customers come to the same, wherever they stand, which a product of matrices does not promise.
    total: Any = ranking.line[-1]
    for slope, column in zip(ranking.line, columns, strict=False):
        total = total + slope * column
    return np.asarray(total, np.float64)


def _importance(ranking: LookalikeRanking, columns: Floats, is_seed: Flags, seed: int) -> pl.DataFrame:
    """Say which measures matter: how many pairs of a seed and another are no longer told apart where one of them is shuffled."""
    rng = np.random.Generator(np.random.PCG64(seed % 2**64))
    some = np.concatenate([rng.permutation(np.flatnonzero(who))[: _IMPORTANCE_SAMPLE // 2] for who in (is_seed, ~is_seed)])
    columns, is_seed, sources = columns[some], is_seed[some], np.array(ranking.encoding.sources)

    def told(rows: Floats) -> float:
        margin = _margin(ranking, rows.T)
        return auc(margin[is_seed], margin[~is_seed])

    whole, lost = told(columns), {}
    for name in dict.fromkeys(sources):
        own, shuffled = sources == name, columns.copy()
        shuffled[:, own] = columns[rng.permutation(len(columns))][:, own]
        lost[str(name)] = max(whole - told(shuffled), 0.0)
    total = sum(lost.values()) or 1.0
    shares = pl.DataFrame(
        {"measure": list(lost), "importance": [each / total for each in lost.values()]}, schema_overrides={"measure": pl.String}
    )
    return shares.filter(pl.col("importance") > 0).sort("importance", "measure", descending=[True, False])


def _share(found: int, of: int) -> tuple[float, float, float]:
    """Give a share with its 95 % interval, by Wilson."""
    from scipy.stats import binomtest

    interval = binomtest(found, of).proportion_ci(0.95, "wilson")
    return found / of, float(interval.low), float(interval.high)
