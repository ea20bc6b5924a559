"""What seeds are told apart by: the columns that do not give them away, as numbers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from segmenter.contacts import hide
from segmenter.hashing import uniform
from segmenter.messages import Message
from segmenter.scoring.ranking import Floats
from segmenter.scoring.seeds import MARK
from segmenter.tables import LEVELS

_KNOTS = 128
_LEVELS, _LEVEL = 30, 20  # of a text, at most; customers of a level, at least
_NO_MEASURES = frozenset({"do_not_contact", "blocked", "staff", "applicant"})
_SAME, _SEEDS_ONLY = 0.99, 100.0  # AUC; and how many times as common a value is among seeds


@dataclass(frozen=True)
class Encoding:
    """Customers as numbers from 0 to 1: quantiles of measures, whether they are missing, and whether a text is one of its usual ones."""

    quantiles: Mapping[str, tuple[Floats, Floats]]  # of each measure its knots and their images
    gaps: Sequence[str]  # measures that some lack
    levels: Mapping[str, Sequence[str]]  # of each text

    @property
    def sources(self) -> list[str]:
        """Name the column of the frame that each column comes from."""
        texts = [name for name, levels in self.levels.items() for _ in levels]
        return [*self.quantiles, *self.gaps, *texts]

    def columns(self, frame: pl.DataFrame) -> Iterator[Floats]:
        """Encode customers, a column at a time; what is missing stands in the middle."""
        from segmenter.scoring.quantiles import image

        for name, (knots, levels) in self.quantiles.items():
            values = number(frame, name)
            missing = np.isnan(values)
            yield np.where(missing, 0.5, image(np.where(missing, knots[0], values), knots, levels))
        for name in self.gaps:
            yield np.isnan(number(frame, name)).astype(np.float64)
        for name, texts in self.levels.items():
            for text in texts:
                yield (frame[name] == text).fill_null(value=False).cast(pl.Float64).to_numpy()


def number(frame: pl.DataFrame, name: str) -> Floats:
    """Give a measure as floats, missing ones as NaN."""
    values: Floats = frame[name].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    return values


def usable_columns(seeds: pl.DataFrame, others: pl.DataFrame, defining: Sequence[str]) -> tuple[list[str], list[Message]]:
    """List the columns to learn from: those in which the others differ, and that do not give the seeds away."""
    own = {*_NO_MEASURES, *defining, "customer_id", "verdict", "region", MARK}
    names = [name for name, kind in others.schema.items() if (kind.is_numeric() or kind in (pl.Boolean, pl.String)) and name not in own]
    leaks = {name: why for name in names if (why := _leak(seeds[name], others[name])) is not None}
    sentence = (
        "scoring.seeds: {column} gives the seeds away ({why}), as what they were chosen by does, or what came of it; it is left out, and "
        "columns close to it may do the same"
    )
    warnings = [Message("scoring.leak", sentence, column=hide(name), why=why) for name, why in leaks.items()]
    return [name for name in names if name not in leaks and others[name].n_unique() > 1], warnings


def within_reach(seeds: pl.DataFrame, others: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Put seeds that are where none of the others is at one of these, drawn at random: rules about regions must not tell them apart."""
    places = [name for name in LEVELS if name in others.columns]
    if not places:
        return seeds
    outside = seeds.select(pl.any_horizontal(~pl.col(name).is_in(others[name].implode(), nulls_equal=True) for name in places)).to_series()
    drawn = others[(others.height * uniform(seeds["customer_id"], seed, "places")).cast(pl.Int64)]
    return seeds.with_columns(drawn[name].zip_with(outside, seeds[name]) for name in places)


def _leak(seeds: pl.Series, others: pl.Series) -> Message | None:
    """Say how a column gives seeds away: by its order, or by values that next to none of the others have."""
    if seeds.dtype != pl.String:
        of_seeds, of_others = (some.cast(pl.Float64).to_numpy() for some in (seeds, others))
        known = [some[~np.isnan(some)] for some in (of_seeds, of_others)]
        apart = auc(*known) if all(map(len, known)) else 0.5
        if max(apart, 1 - apart) >= _SAME:
            sentence = "by it alone {auc:.1%} of pairs are told apart"
            return Message("scoring.leak_order", sentence, auc=max(apart, 1 - apart))
    usual = others.mode().sort(nulls_last=True)[0]
    unusual = seeds.filter(~seeds.eq_missing(usual))
    shares = [(len(unusual), int((~others.eq_missing(usual)).sum()))]
    shares += [(seeds.null_count(), others.null_count()), (seeds.count(), others.count())]
    if seeds.dtype == pl.String:
        counts = unusual.alias("value").value_counts().sort("count", "value", descending=[True, False], nulls_last=True)
        shares += [(count, int(others.eq_missing(value).sum())) for value, count in counts.head(_LEVELS).rows()]
    for count, there in shares:
        if count >= max(5, len(seeds) / 5) and count / len(seeds) >= _SEEDS_ONLY * (there + 0.5) / len(others):
            sentence = "{count:,} of {seeds:,} seeds have a value in it that {there:,} of {others:,} others have"
            return Message("scoring.leak_value", sentence, count=count, seeds=len(seeds), there=there, others=len(others))
    return None


def encode(both: pl.DataFrame, others: pl.DataFrame, names: Sequence[str]) -> Encoding:
    """Learn how to encode columns: measures by where the others stand, texts by their usual values."""
    from segmenter.scoring.quantiles import QuantileMap

    texts = [name for name in names if both[name].dtype == pl.String]
    numbers = [name for name in names if name not in texts and others[name].count()]
    known = [values[~np.isnan(values)] for values in (number(others, name) for name in numbers)]
    maps = QuantileMap(knots=_KNOTS).fit_columns(known)
    levels = {}
    for name in texts:
        counts = both[name].drop_nulls().to_frame().group_by(name).len().filter(pl.col("len") >= _LEVEL)
        levels[name] = counts.sort("len", name, descending=[True, False])[name].head(_LEVELS).to_list()
    gaps = [name for name in numbers if others[name].null_count()]
    return Encoding(
        dict(zip(numbers, zip(maps.knots_, maps.levels_, strict=True), strict=True)),
        gaps,
        {name: some for name, some in levels.items() if some},
    )


def auc(seeds: Floats, others: Floats) -> float:
    """Give the share of pairs in which the seed has more, half of those equal."""
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(np.repeat([True, False], [len(seeds), len(others)]), np.concatenate([seeds, others])))
