"""Clusters of the eligible customers: who they are, in figures and in a few words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.hashing import draw
from segmenter.messages import Message
from segmenter.segments.drift import Continuation, continued, decile_counts
from segmenter.segments.fitted import KeptSegments, describe_segments
from segmenter.segments.names import names
from segmenter.segments.profiles import LATER, PROFILED, medians, profile
from segmenter.segments.rfm_segments import NEVER, RfmGrid
from segmenter.settings import AnySegments, KmeansSegments, RfmSegments

if TYPE_CHECKING:
    from segmenter.segments.clusters import Segmenter

# What customers are clustered by: value, frequency, recency and length of the relation (LRFM), what they do now, and visits.
# average_order is not among them: it is spend by orders, and would count both twice.
MEASURES = ("spend", "orders", "days_since_order", "days_known", "spend_90d", "events")
WEIGHTS = (1.0, 1.0, 1.0, 0.5, 0.5, 0.5)  # what a difference counts: what customers do next hangs on the first three most

# Where each stood among the others by what they spent later, so that a few large buyers do not decide; and whether they came again.
_LATER = (pl.col("later_spend").rank() / pl.len()).alias("spend"), (pl.col("later_orders") > 0).cast(pl.Float64).alias("again")


@dataclass(frozen=True)
class Segmentation:
    """The segments of a launch.

    `labels` has ``customer_id`` and ``segment`` (Int32, from 1, the best) of the eligible customers, sorted by customer_id; `names` say
    what the segments are called, the best first. `profiles` has a row for each: ``segment``, ``name`` (in English), ``size``, ``share``,
    ``value`` (mean spend, minor units), then ``median_`` and ``everyone_`` for each of `PROFILED`: the segment's median and that of all
    eligible customers, null where nobody has the measure; money in Int64 minor units. Then what such customers did after earlier dates:
    ``later_customers``, how many were looked at; ``later_share``, of them, who ordered again within the horizon; ``later_spend``, each;
    the last two for everyone too, and null where there are too few to tell; at last ``who`` they are and ``advice``, in English.
    `why` says how the number of segments came about, and `trials` each number tried, see `segment_count.TRIALS`. `fitted` is what the
    next launch needs to use them again, and `kept` says how they fit where they are those of an earlier one.
    """

    labels: pl.DataFrame
    names: tuple[Message, ...]
    profiles: pl.DataFrame
    model: "Segmenter | RfmGrid"
    why: str
    trials: pl.DataFrame
    fitted: Mapping[str, Any]
    kept: Continuation | None = None

    def spread(self, eligible: pl.Series) -> pl.Series:
        """Spread the segments of the eligible over all customers: both are sorted by customer_id, so no join is needed."""
        rows = np.full(len(eligible), self.labels.height, dtype=np.uint32)
        rows[eligible.to_numpy()] = np.arange(self.labels.height, dtype=np.uint32)
        return self.labels["segment"].extend_constant(None, 1).gather(pl.Series(rows))


def features(frame: pl.DataFrame) -> NDArray[np.float64]:
    """Take the measures that customers are clustered by, without missing values.

    Who never ordered has had no order for as long as they are known; who is not known since any date counts as known since today.
    """
    filled = frame.select(MEASURES).with_columns(pl.coalesce("days_since_order", "days_known").alias("days_since_order"))
    return filled.select(pl.all().cast(pl.Float64).fill_null(0)).to_numpy()


def segment(
    frame: pl.DataFrame,
    settings: AnySegments,
    *,
    seed: int,
    currency: str,
    behaviour: Mapping[date, pl.DataFrame] | None = None,
    kept: KeptSegments | None = None,
) -> Segmentation:
    """Divide the eligible customers into segments, number them by value and name them.

    Segment 1 has the largest mean spend; ties go to the higher mean score, then to fewer days since the last order. Nothing
    depends on the order of rows or the number of threads.

    Parameters
    ----------
    frame : DataFrame
        One row per customer: ``customer_id``, ``verdict``, ``score`` and the measures in `PROFILED`.
    settings : KmeansSegments or RfmSegments
        How many segments, and how that is judged.
    seed : int
        The job's seed: draws the customers to learn on and starts k-means.
    currency : str
        ISO 4217 code of the money.
    behaviour : mapping of date to DataFrame, optional
        What the eligible of earlier dates went on to do, see `evaluation.past_behaviour`.
    kept : KeptSegments, optional
        The segments of an earlier launch: numbers and names stay theirs, and each customer's depends on their measures alone.

    Returns
    -------
    Segmentation
        Of the eligible; one segment where there are too few of them, all alike, or no division holds.

    Examples
    --------
    >>> frame = pl.DataFrame({"customer_id": ["C1", "C2"], "verdict": "eligible", "score": [1.0, 2.0]}).with_columns(
    ...     pl.Series("spend", [100, 90_000])).with_columns(pl.lit(1).alias(name) for name in PROFILED[1:])
    >>> settings = KmeansSegments(
    ...     **{"from": "new"}, kind="kmeans", k=2, k_min=2, k_max=8, min_share=0.03, sample=20_000, bootstraps=8)
    >>> segment(frame, settings, seed=1, currency="CNY").profiles["name"].to_list()
    ['one-timers, higher spend', 'one-timers, lower spend']
    """
    eligible = frame.select("customer_id", "score", *PROFILED).filter(frame["verdict"] == "eligible")
    if not eligible["customer_id"].is_sorted():
        eligible = eligible.sort("customer_id")
    measures = features(eligible)
    if kept is not None:
        return _continue(kept, frame, eligible, measures, behaviour, currency)
    labels = np.ones(len(measures), dtype=np.int64)
    model: Segmenter | RfmGrid
    match settings:
        case KmeansSegments():
            model, why, trials = _clusters(eligible["customer_id"], measures, settings, seed, labels, behaviour or {})
        case RfmSegments():
            model, why, trials = _grid(measures, labels)
    if model.n_clusters == 1:
        labels[:] = 1
    eligible = eligible.with_columns(pl.Series("segment", labels, dtype=pl.Int32))
    order = _by_value(eligible)
    if order:
        model.renumber(order)
        numbers = np.zeros(max(order) + 1, dtype=np.int32)
        numbers[order] = np.arange(1, len(order) + 1)
        eligible = eligible.with_columns(pl.Series("segment", numbers[labels]))
    called, profiles = _described(eligible, model, behaviour, currency)
    fitted = describe_segments(model, profiles, called, settings, currency, MEASURES, decile_counts(measures, MEASURES))
    return Segmentation(eligible.select("customer_id", "segment"), called, profiles, model, why, trials, fitted)


def _continue(
    kept: KeptSegments,
    frame: pl.DataFrame,
    eligible: pl.DataFrame,
    measures: NDArray[np.float64],
    behaviour: Mapping[date, pl.DataFrame] | None,
    currency: str,
) -> Segmentation:
    """Use the segments of an earlier launch: each customer's label depends on their measures alone."""
    from segmenter.segments.segment_count import TRIALS

    found = kept.model.predict(measures)
    eligible = eligible.with_columns(pl.Series("segment", found, dtype=pl.Int32))
    called, profiles = _described(eligible, kept.model, behaviour, currency, kept.names)
    labels = eligible.select("customer_id", "segment")
    now = frame.select("customer_id").join(labels, on="customer_id", how="left")
    launch, as_of = kept.made
    why = Message("segments.kept", "{k} segments, those made for {launch} as of {as_of}", k=len(kept.names), launch=launch, as_of=as_of)
    return Segmentation(
        labels, called, profiles, kept.model, why, pl.DataFrame(schema=TRIALS), kept.facts, continued(kept, measures, found, MEASURES, now)
    )


def _described(
    eligible: pl.DataFrame,
    model: "Segmenter | RfmGrid",
    behaviour: Mapping[date, pl.DataFrame] | None,
    currency: str,
    known: Mapping[int, Message] | None = None,
) -> tuple[tuple[Message, ...], pl.DataFrame]:
    """Name the segments, unless their names are known by number, and profile them."""
    figures, everyone = medians(eligible)
    if known is not None:
        called = [known[segment] for segment in figures["segment"]]
    elif isinstance(model, RfmGrid):
        called = model.names()[: figures.height]
    else:
        called = names(figures.to_dicts(), everyone.row(0, named=True), currency)
    later = [
        frame.select(pl.Series("segment", model.predict(features(frame)), pl.Int32), "later_spend", "later_orders")
        for frame in (behaviour or {}).values()
    ]
    return tuple(called), profile(figures, everyone, called, pl.concat([LATER.to_frame(), *later]))


def _clusters(
    ids: pl.Series,
    measures: NDArray[np.float64],
    settings: KmeansSegments,
    seed: int,
    labels: NDArray[np.int64],
    behaviour: Mapping[date, pl.DataFrame],
) -> tuple["Segmenter", Message, pl.DataFrame]:
    """Choose the clusters, and fill in the labels: the model, why there are so many, and the trials."""
    from threadpoolctl import threadpool_limits

    from segmenter.segments.segment_count import choose

    drawn = draw(ids, seed, "segments", settings.sample)
    learned = measures[drawn] if len(drawn) else np.zeros((1, len(MEASURES)))  # a model all the same where nobody is eligible

    def smallest(model: "Segmenter") -> float:
        labels[:] = model.predict(measures)
        return float(np.bincount(labels - 1, minlength=model.n_clusters).min() / len(labels))

    later = [(features(frame), frame.select(_LATER).to_numpy()) for frame in behaviour.values()]
    with threadpool_limits(1):
        return choose(learned, settings, seed % 2**32, smallest, later, WEIGHTS)


def _grid(measures: NDArray[np.float64], labels: NDArray[np.int64]) -> tuple[RfmGrid, Message, pl.DataFrame]:
    """Lay the grid, and fill in the labels, as `_clusters`."""
    from segmenter.segments.segment_count import TRIALS

    grid = RfmGrid.fit(measures if len(measures) else np.zeros((1, len(MEASURES))))
    labels[:] = grid.predict(measures)
    sentence = "fifths by recency and by frequency and spend, 5 the best: {k} of the eleven usual segments have customers"
    return grid, Message("segments.why_rfm", sentence, k=len(set(grid.kinds) - {NEVER})), pl.DataFrame(schema=TRIALS)


def _by_value(eligible: pl.DataFrame) -> list[int]:
    # Exact: integer sums of any size, and the score in millionths.
    sums = eligible.group_by("segment").agg(
        size=pl.len(),
        spend=pl.col("spend").cast(pl.Int128).sum(),
        score=(pl.col("score") * 1e6).round().cast(pl.Int64).sum(),
        days=pl.coalesce("days_since_order", "days_known").cast(pl.Int64).sum(),
        first=pl.col("customer_id").first(),  # sorted by it
    )

    def worth(row: dict[str, Any]) -> tuple[Fraction, Fraction, Fraction, str]:
        size = row["size"]
        return -Fraction(row["spend"], size), -Fraction(row["score"], size), Fraction(row["days"], size), row["first"]

    return [row["segment"] for row in sorted(sums.to_dicts(), key=worth)]
