"""The single orders of some customers, where those of all were aggregated as they were read: what rankings learn from."""

import polars as pl

from segmenter.measures.sampling import Sampling, is_sampled
from segmenter.measures.shop_orders import Sample
from segmenter.sources import fields
from segmenter.sources.order_rows import canonical_orders, order_rows
from segmenter.sources.parquet_stream import Stream, decode
from segmenter.sources.row_mapping import map_rows
from segmenter.tables import Summary


def sample_of(orders: pl.DataFrame, summary: Summary, sampling: Sampling) -> Sample:
    """Draw the orders of some customers out of those of all."""
    halvings = sampling.halvings(summary)
    return Sample(orders.filter(is_sampled(orders["customer_id"], halvings, sampling.seed)), halvings)


def sample_stream(stream: Stream, ids: pl.Series | None, summary: Summary, sampling: Sampling) -> Sample | None:
    """Read the orders of some customers out of files that were aggregated before: what is wrong with them was said then.

    None where the ids have to be computed from text first.
    """
    if not stream.typed:
        return None
    halvings = sampling.halvings(summary)
    batches = [batch.filter(is_sampled(_read(who, stream), halvings, sampling.seed)) for who, batch in decode(stream)]
    rows = map_rows("orders", pl.concat(batches), stream.settings, stream.launch)
    rows.spellings = stream.spellings
    orders = canonical_orders(order_rows(rows, stream.settings, stream.launch, ids), stream.settings.orders.grain)
    return Sample(orders.filter(is_sampled(orders["customer_id"], halvings, sampling.seed)), halvings)


def _read(who: pl.Series, stream: Stream) -> pl.Series:
    ids = who.cast(pl.String).str.strip_chars()  # spaces around an id do not belong to it
    return (fields.mend_ids(ids).replace(stream.spellings) if stream.spellings else ids).fill_null("")
