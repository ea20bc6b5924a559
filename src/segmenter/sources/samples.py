"""The single orders of some customers, where those of all were aggregated as they were read: what rankings learn from."""

from collections.abc import Callable, Iterator

import polars as pl

from segmenter.measures.sampling import Sampling, is_sampled
from segmenter.measures.shop_orders import Sample
from segmenter.sources import fields
from segmenter.sources.expressions import ROW
from segmenter.sources.fallback_rows import FallbackRows
from segmenter.sources.order_rows import canonical_orders, order_rows
from segmenter.sources.parquet_stream import WANTED, Stream, batches, decode
from segmenter.sources.row_mapping import map_rows
from segmenter.tables import Summary


def sample_of(orders: pl.DataFrame, summary: Summary, sampling: Sampling) -> Sample:
    """Draw the orders of some customers out of those of all."""
    halvings = sampling.halvings(summary)
    return Sample(orders.filter(is_sampled(orders["customer_id"], halvings, sampling.seed)), halvings)


def sample_stream(stream: Stream, ids: pl.Series | None, summary: Summary, sampling: Sampling) -> Sample:
    """Read the orders of some customers out of files that were aggregated before."""
    halvings = sampling.halvings(summary)
    return Sample(_single_orders(stream, ids, lambda who: is_sampled(who, halvings, sampling.seed)), halvings)


def orders_of(stream: Stream, ids: pl.Series | None, customers: pl.Series) -> pl.DataFrame:
    """Read the orders of these customers, at any date, out of files that were aggregated before."""
    return _single_orders(stream, ids, lambda who: who.is_in(customers.implode()))


def _single_orders(stream: Stream, ids: pl.Series | None, chosen: Callable[[pl.Series], pl.Series]) -> pl.DataFrame:
    """Read the orders of the customers who are chosen by their ids: what is wrong with the rows was said when they were aggregated."""
    if stream.typed:
        batches = [batch.filter(chosen(_read(who, stream))) for who, batch in decode(stream)]
        mapped = map_rows("orders", pl.concat(batches), stream.settings, stream.launch)
        mapped.spellings = stream.spellings
        rows = order_rows(mapped, stream.settings, stream.launch, ids)
    else:
        rows = pl.concat(part.filter(chosen(part["customer_id"])) for part in _read_all(stream, ids))
    orders = canonical_orders(rows, stream.settings.orders.grain)
    return orders.filter(chosen(orders["customer_id"]))


def _read_all(stream: Stream, ids: pl.Series | None) -> Iterator[pl.DataFrame]:
    """Read rows of which no id is known before: all of them, part by part."""
    files = range(len(stream.paths))
    fallback = FallbackRows(stream, files, ids)
    for batch in batches(stream, files):
        wanted = batch if stream.where is None else batch.filter(WANTED)
        if wanted.height and fallback.put(wanted.select(*stream.columns, ROW)):
            yield fallback.read()
    if fallback.frames:
        yield fallback.read()


def _read(who: pl.Series, stream: Stream) -> pl.Series:
    ids = who.cast(pl.String).str.strip_chars()  # spaces around an id do not belong to it
    return (fields.mend_ids(ids).replace(stream.spellings) if stream.spellings else ids).fill_null("")
