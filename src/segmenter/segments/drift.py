"""How far a shop has moved away from what its segments were made of, and who went from which segment to which."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.checks.ledger_ids import recognize_people
from segmenter.messages import Message
from segmenter.segments.fitted import KeptSegments

Floats = NDArray[np.float64]
# Siddiqi (2006), Credit Risk Scorecards: below .1 the population is the same, from .25 on it is another.
SHIFTED, MOVED = 0.1, 0.25
NEAR = 0.1  # who would be in another segment with so much more or less of one measure, is near a border
SAMPLE = 20_000  # customers on whom borders and drift are judged
OUT = 0  # stands for a segment where somebody was known, and not eligible

DRIFT = pl.Schema({"measure": pl.String, "psi": pl.Float64, "chance": pl.Float64})
MOVES = pl.Schema({"before": pl.Int32, "now": pl.Int32, "customers": pl.Int64})


@dataclass(frozen=True)
class Continuation:
    """How segments of an earlier launch fit the shop now."""

    names: Mapping[int, Message]  # of all of them, also of those that nobody is in now
    made: tuple[str, date]  # the launch that they were made for
    since: tuple[str | None, date | None]  # the launch that had them last
    drift: pl.DataFrame  # see `measure_drift`
    near_border: float
    moves: pl.DataFrame | None  # see `count_moves`; None where the customers of then are not known any more


def continued(kept: KeptSegments, measures: Floats, labels: NDArray[np.int64], names: Sequence[str], now: pl.DataFrame) -> Continuation:
    """Compare a shop with the one that its segments were made of, and customers with those of the launch that had them last.

    `measures` and `labels` are those of the eligible; `now` has all customers with their ``segment``, as `count_moves` takes them.
    """
    before = kept.since.customers
    if before is not None:  # ids that are written otherwise since
        ids = recognize_people(before["customer_id"], now["customer_id"])
        before = before.with_columns(ids).unique("customer_id", keep="first", maintain_order=True)
    return Continuation(
        names=kept.names,
        made=kept.made,
        since=(kept.since.launch, kept.since.as_of),
        drift=measure_drift(measures, labels, kept.facts["deciles"], names, kept.sizes),
        near_border=share_near_border(kept.model.predict, measures),
        moves=None if before is None else count_moves(before, now),
    )


def say_drift(kept: Continuation | None) -> list[Message]:
    """Warn where the shop is another than the one that its segments were made of, and fills them otherwise.

    Measures alone say little: a shop's customers grow older, and may be divided as before.
    """
    if kept is None:
        return []
    shifted = kept.drift.filter(pl.col("measure") == "segment", pl.col("psi") >= pl.max_horizontal("chance", SHIFTED))
    moved = kept.drift.filter(pl.col("measure") != "segment", pl.col("psi") >= pl.max_horizontal("chance", MOVED))
    if shifted.is_empty() or moved.is_empty():
        return []
    launch, as_of = kept.made
    sentence = (
        "segments: the shop has moved away from what they were made of for {launch} as of {as_of}, as the report shows; "
        "make them new with segments.from=new"
    )
    return [Message("segments.moved_away", sentence, launch=launch, as_of=as_of)]


def sampled(measures: Floats) -> Floats:
    """Take every so manieth row, so that enough are left to judge by."""
    return measures[:: max(-(-len(measures) // SAMPLE), 1)]


def decile_counts(measures: Floats, names: Sequence[str]) -> dict[str, dict[str, list[float]]]:
    """Give for each measure the deciles, each once, and how many of a sample of the rows lie up to each and above the last."""
    found = {}
    for name, column in zip(names, sampled(measures).T, strict=True):
        edges = np.unique(np.quantile(column, np.arange(1, 10) / 10, method="lower")) if len(column) else np.zeros(1)
        found[name] = {"edges": edges.tolist(), "counts": _counts(column, edges).tolist()}
    return found


def measure_drift(
    measures: Floats, labels: NDArray[np.int64], deciles: Mapping[str, Any], names: Sequence[str], sizes: Mapping[int, int]
) -> pl.DataFrame:
    """Give the population stability index between the customers of then and these: of their segments, and of each measure.

    PSI = Σ (now - then) · ln(now / then) over the shares of the segments, or of what lies between the deciles of then, half a customer
    added to each count. ``chance`` is what two samples of one population exceed once in a hundred times (Yurdakul and Naranjo 2020,
    doi:10.21314/JRMV.2020.227).
    """
    most = max(sizes)
    rows = [("segment", *_index([sizes.get(label, 0) for label in range(1, most + 1)], np.bincount(labels, minlength=most + 1)[1:]))]
    for name, column in zip(names, sampled(measures).T, strict=True):
        rows.append((name, *_index(deciles[name]["counts"], _counts(column, np.array(deciles[name]["edges"])))))
    return pl.DataFrame(rows, DRIFT, orient="row")


def _index(then: Sequence[float], now: NDArray[np.int64]) -> tuple[float, float]:
    from scipy.special import gammaincinv

    was, found = ((counts + 0.5) / (counts + 0.5).sum() for counts in (np.array(then, dtype=np.float64), now))
    chance = 2 * gammaincinv(max(len(then) - 1, 1) / 2, 0.99) * (1 / max(sum(then), 1) + 1 / max(now.sum(), 1))
    return float(((found - was) * np.log(found / was)).sum()), float(chance)


def _counts(column: Floats, edges: Floats) -> NDArray[np.int64]:
    counts: NDArray[np.int64] = np.bincount(np.searchsorted(edges, column), minlength=len(edges) + 1)
    return counts


def share_near_border(predict: Callable[[Floats], NDArray[np.int64]], measures: Floats) -> float:
    """Give the share of a sample who would be in another segment with a tenth more or less of one measure, in whole units."""
    points = sampled(measures)
    if not len(points):
        return 0.0
    return float(near_border(predict, points).mean())


def near_border(predict: Callable[[Floats], NDArray[np.int64]], points: Floats) -> NDArray[np.bool_]:
    """Tell of each row whether a tenth more or less of one measure, in whole units, would put it elsewhere."""
    labels = predict(points)
    near = np.zeros(len(points), dtype=bool)
    for place in range(points.shape[1]):
        for factor in (1 - NEAR, 1 + NEAR):
            other = points.copy()
            other[:, place] = np.rint(other[:, place] * factor)
            near |= predict(other) != labels
    return near


def count_moves(before: pl.DataFrame, now: pl.DataFrame) -> pl.DataFrame:
    """Count customers by the segment that they had and have: `OUT` where they were not eligible, null where they were not there.

    Both frames have ``customer_id`` and ``segment``, null where somebody is not eligible.
    """
    sides = [
        frame.select("customer_id", pl.col("segment").cast(pl.Int32).fill_null(OUT).alias(name))
        for frame, name in ((before, "before"), (now, "now"))
    ]
    both = sides[0].join(sides[1], on="customer_id", how="full")
    return both.group_by("before", "now").agg(customers=pl.len().cast(pl.Int64)).sort("before", "now", nulls_last=True).cast(MOVES)
