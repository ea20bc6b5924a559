"""The fields of order rows, all at once or, of many, part by part on disk: rows of one order number, or that may be equal, are in one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from tempfile import gettempdir

import numpy as np
import polars as pl

from segmenter.settings import OrdersSettings
from segmenter.sources.expressions import columns_of
from segmenter.sources.order_checks import unmapped_number
from segmenter.sources.rows import Rows
from segmenter.temp_folders import temp_folder

Parts = Callable[[], Iterator[pl.DataFrame]]
_ROWS = 1_000_000  # of a part


@contextmanager
def order_parts(rows: Rows, read: Callable[[Rows], pl.DataFrame], settings: OrdersSettings, *, split: bool) -> Iterator[Parts]:
    """Read the fields, and give them, with ``at``, as often as asked for: where they are `split`, those of good rows only."""
    if not split:
        values = read(rows).with_row_index("at")
        yield lambda: iter([values])
        return
    for name in ("customer_id", "order_id") if settings.grain == "line" else ("customer_id",):
        rows.look_at_ids(name)
    with temp_folder(Path(gettempdir()), "segmenter_orders_") as folder:
        files: list[Path] = []
        for at in _split(rows, repeats=settings.repeats == "drop"):
            part = rows.part(at)
            values = read(part).with_columns(at.alias("at")).filter(part.good)
            rows.take(part, at)
            files.append(folder / f"{len(files)}.arrow")
            values.write_ipc(files[-1], compression="lz4")
        yield lambda: (pl.read_ipc(file) for file in files)


def _split(rows: Rows, *, repeats: bool) -> Iterator[pl.Series]:
    """Give the places of the rows of each part, in their order."""
    height = rows.source.height
    places, count = pl.int_range(height, dtype=pl.UInt32, eager=True), -(-height // _ROWS)
    keys = places.cast(pl.UInt64) // _ROWS
    if repeats:
        flat = [name for name in columns_of(rows.source) if not rows.source.schema[name].is_nested()]
        keys = rows.source.select(flat).hash_rows()
    number = rows.ids("order_id") if "order_id" in rows.fields else unmapped_number(rows)
    if number is not None:
        keys = number.hash().zip_with(number.is_not_null(), keys)
    part = (keys % count).to_numpy()
    order = np.argsort(part, kind="stable")
    ends = np.searchsorted(part[order], np.arange(count + 1))
    for first, last in pairwise(ends.tolist()):
        yield places[order[first:last]]
