"""What customers bought after past dates, by how they ranked then: what members are taken to buy."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.evaluation.fission_runs import Buyers
from segmenter.evaluation.forecast import replay
from segmenter.evaluation.forecast_draws import bin_edges
from segmenter.measures.past import Past
from segmenter.measures.timeline import Timeline
from segmenter.messages import Message
from segmenter.settings import CoreSettings
from segmenter.tables import EPOCH

Longs = NDArray[np.int64]
_NEW_DAYS = 365  # of who became a customer within so many days what new ones buy is taken


@dataclass(frozen=True)
class PastPurchases:
    """Buyers by past date and bin of ranks: the bins of the eligible, then who was not, then who was new."""

    buyers: Buyers
    edges: NDArray[np.float64]  # between the bins of the eligible
    spends: dict[date, Longs]  # what the eligible of each date went on to spend, the best first
    warnings: tuple[Message, ...]

    @property
    def bins(self) -> int:
        """The bins of the eligible."""
        return len(self.edges) + 1


def find_purchases(past: Past, settings: CoreSettings) -> PastPurchases:
    """Replay the launch at past dates, and give what came of each customer of then."""
    timeline, horizon = past.timeline, settings.launch.horizon_days
    assert isinstance(timeline, Timeline)  # a sample is in memory
    ranked, warnings = replay(past, settings)
    edges = bin_edges(min((len(best) for best in ranked.values()), default=1))
    row = pl.DataFrame({"customer_id": timeline.customers, "row": np.arange(len(timeline.customers))})
    fresh, began = _newcomers(past, row, horizon)
    starts, parts, total = [], [np.zeros((3, 0), dtype=np.int64)], 0
    for cut, best in ranked.items():
        day = (cut - EPOCH).days
        first, last = timeline.ends(day), timeline.ends(day + horizon)
        eligible = best.to_frame().join(row, on="customer_id", how="left", maintain_order="left")["row"].fill_null(-1).to_numpy()
        others = np.setdiff1d(np.flatnonzero(first > timeline.starts[:-1]), eligible)
        bins = np.searchsorted(edges, (np.arange(len(eligible)) + 0.5) / len(eligible), side="right")
        sizes = [*np.bincount(bins, minlength=len(edges) + 1), len(others), len(fresh)]
        starts.append(total + np.concatenate([[0], np.cumsum(sizes)]))
        total = int(starts[-1][-1])
        for rows, since, begin, end in (
            (np.concatenate([eligible, others]), day, first, last),
            (fresh, began, timeline.starts[:-1], timeline.starts[1:]),
        ):
            of = [np.where(rows < 0, 0, edge[rows]) if len(edge) else np.zeros(len(rows)) for edge in (begin, end)]
            parts.append(np.array([*of, np.broadcast_to(since, len(rows))], dtype=np.int64))
    firsts, ends, since = np.concatenate(parts, axis=1)
    buyers = Buyers(np.array(starts or [np.zeros(len(edges) + 4)], dtype=np.int64), firsts, ends, since, timeline.days, timeline.amounts)
    spends = {cut: past.later(best, cut, horizon)["spend"].to_numpy() for cut, best in ranked.items()}
    return PastPurchases(buyers, edges, spends, tuple(warnings))


def _newcomers(past: Past, row: pl.DataFrame, horizon: int) -> tuple[Longs, Longs]:
    """Give the rows of the timeline (-1: without any) and the first days of who became a customer lately, a horizon before the end."""
    timeline, end = past.timeline, (past.end - EPOCH).days - horizon
    assert isinstance(timeline, Timeline)
    first = row.with_columns(day=pl.Series(timeline.days[timeline.starts[:-1]].astype(np.int64)))
    if past.tables.customers is not None:
        joined = past.tables.customers.select("customer_id", joined=(pl.col("joined") - pl.lit(EPOCH)).dt.total_days())
        first = joined.join(first, on="customer_id", how="full", coalesce=True).with_columns(day=pl.min_horizontal("joined", "day"))
    new = first.filter(pl.col("day").is_between(end - _NEW_DAYS, end)).sort("customer_id")
    return new["row"].fill_null(-1).to_numpy(), new["day"].to_numpy()
