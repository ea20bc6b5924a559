"""A batch of orders as the kernel takes it: the addresses of its columns, and room for what the kernel finds. Imports Numba."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.measures import kernel
from segmenter.measures.arrow_columns import Array, address, record, values_of, views_of
from segmenter.tables import LEVELS

_APART = 16  # words between what different threads write for every row: cores would pass the cache line to and fro


class Job:
    """Rows to be added, with the arrays whose addresses stand in `batch`.

    Without `refunds` the amounts are what was paid or given back, which `scale` makes minor units. `recorded`: the rows are wanted with
    the numbers of their customers, and not added.
    """

    def __init__(
        self,
        threads: int,
        ids: pl.Series,
        *,
        times: pl.Series | None = None,
        amounts: pl.Series | None = None,
        scale: float = 1.0,
        refunds: NDArray[np.int64] | None = None,
        back: NDArray[np.uint8] | None = None,
        places: Sequence[pl.Series | None] = (),
        fallback: NDArray[np.uint8] | None = None,
        trusted: bool = False,
        only_known: bool = False,
        only_ids: bool = False,
        recorded: bool = False,
    ) -> None:
        count = self.count = len(ids)
        share = self.share = -(-count // threads)  # rows that each thread examines
        id_views = views_of(ids)
        moments, no_time = (None, None) if times is None else values_of(times)
        values, no_amount = (None, None) if amounts is None else values_of(amounts)
        units = None if refunds is not None else values  # to be made minor units
        given = [views_of(place) if place is not None and place.null_count() < count else None for place in places]
        codes = [None if place is None else np.empty(count, np.int32) for place in (*given, *(None for _ in LEVELS))][: len(LEVELS)]
        levels = np.array(
            [
                [address(part) for part in (place.views, place.missing, place.buffers, code)]
                for place, code in zip(given, codes, strict=False)
                if place is not None
            ],
            np.int64,
        )
        paid = values if units is None else np.empty(count, np.int64)
        orders: dict[str, Array | None] = {"time": moments, "paid": paid, "back": back, **dict(zip(LEVELS, codes, strict=True))}
        rows = np.empty((threads, threads, share), np.uint32)
        tags = np.empty_like(rows)
        self.orders = orders
        self.fallback = np.zeros(count, np.uint8) if fallback is None else fallback
        self.handed = np.zeros((threads, threads + _APART), np.int64)  # how many rows each thread has handed to each
        self.records = np.full(count, -1, np.int32) if recorded else None  # the number of each row's customer
        self.batch = record(
            kernel.BATCH,
            ids=id_views.views,
            no_id=id_views.missing,
            id_texts=id_views.buffers,
            times=moments,
            no_time=no_time,
            decimals=units if units is not None and units.dtype == np.float64 else None,
            integers=units if units is not None and units.dtype != np.float64 else None,
            no_amount=no_amount,
            scale=scale,
            paid=orders.get("paid"),
            fallback=self.fallback,
            levels=len(levels),
            places=levels,
            rows=rows,
            tags=tags,
            counts=self.handed,
            counts_width=threads + _APART,
            share=share,
            threads=threads,
            order_times=orders.get("time"),
            refunds=refunds,
            back=orders.get("back"),
            provinces=orders.get("province"),
            cities=orders.get("city"),
            districts=orders.get("district"),
            records=self.records,
            trusted=trusted,
            only_known=only_known,
            only_ids=only_ids or recorded,
        )
        self._held = (id_views, moments, no_time, values, no_amount, given, levels, rows, tags, refunds)

    def recorded(self) -> dict[str, Array]:
        """Give the rows that are wanted: the numbers of their customers as ``record``, and what there is of each order."""
        assert self.records is not None
        columns = {name: array for name, array in {"record": self.records, **self.orders}.items() if array is not None}
        taken = self.records >= 0
        return columns if taken.all() else {name: array[taken] for name, array in columns.items()}
