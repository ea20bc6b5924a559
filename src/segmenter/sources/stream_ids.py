"""What is seen of a stream's ids once it was aggregated: which are gone, which are read otherwise than they stand, whose they are."""

from collections.abc import Sequence
from datetime import date

import polars as pl

from segmenter.checks.id_forms import damaged, may_be_mended, mended, tell_damage, tell_mended
from segmenter.checks.nobody import ContactsOf, no_contacts
from segmenter.contacts import Contacts, hide
from segmenter.findings import Finding
from segmenter.messages import Message
from segmenter.settings import MappingSettings
from segmenter.sources.customer_ids import COUNTS, WHO, contact_columns, count_different
from segmenter.sources.expressions import FILE, ROW
from segmenter.sources.fallback_rows import FallbackRows
from segmenter.sources.fields import mend_ids, text
from segmenter.sources.parquet_stream import Stream, batches, stream_of
from segmenter.sources.raw import known_types
from segmenter.sources.row_mapping import map_rows
from segmenter.sources.rows import place_of
from segmenter.sources.shop_currency import currency_column

_KEY = "data.orders.columns.customer_id"


def count_ids(stream: Stream, before: date) -> pl.DataFrame:
    """Count the rows of each id, as `customer_ids.COUNTS`, where spellings of one are to be joined and differ; whole numbers do not."""
    if stream.settings.ids != "mended" or stream.integers or not stream.typed:
        return COUNTS.to_frame()
    counts = _scan(stream, [], before).group_by(WHO).len("rows").collect()
    ids = counts.select(mend_ids(text(counts[WHO])).alias("customer_id"), pl.col("rows").cast(pl.Int64))
    return ids.drop_nulls().group_by("customer_id").agg(pl.col("rows").sum())


def contacts_of_stream(stream: Stream, as_columns: Contacts, before: date) -> ContactsOf:
    """Count the names, phones, mails and addresses that stand beside ids in a stream."""
    columns = contact_columns(stream.schema, stream.who.meta.root_names(), as_columns)

    def count(ids: Sequence[str]) -> pl.DataFrame:
        if not stream.typed or not columns:
            return no_contacts(ids)
        return count_different(_scan(stream, columns, before), columns, ids)

    return count


def spellings_of_stream(stream: Stream, ids: pl.Series) -> tuple[dict[str, str], list[Finding]]:
    """Say what of the ids that went through a stream as they stand is certainly mended."""
    odd = ids.filter(may_be_mended(ids).fill_null(value=False))
    if odd.is_empty():
        return {}, []
    read = odd.to_frame("v").select(mended(pl.col("v"))).to_series()
    changed = odd != read
    column = ", ".join(stream.who.meta.root_names())
    changes = {one: stream.spellings.get(other, other) for one, other in zip(odd.filter(changed), read.filter(changed), strict=True)}
    return changes, tell_mended(odd, read, column, _KEY)


def ids_of_engine(settings: MappingSettings, ids: pl.Series) -> list[Finding]:
    """Say what another engine, which takes ids as they stand, would read otherwise than this process."""
    read = mend_ids(ids)
    found = tell_damage(ids.filter(damaged(ids)).sort(), [], settings.orders.columns.customer_id or "customer_id", _KEY)
    if (changed := read != ids).any():
        one, other = map(hide, pl.DataFrame({"one": ids, "other": read}).filter(changed).sort("one").row(0))
        sentence = "{key}: ids such as {one} are {other}, which engine=spark does not see; export them as text, or engine=local"
        found.append(Finding("stop", Message("ids.engine_mends", sentence, key=_KEY, one=one, other=other)))
    if settings.ids == "mended":
        found.append(
            Finding("stop", Message("ids.engine_exact", "data.ids=mended: engine=spark takes ids as they stand; use engine=local"))
        )
    return found


def damage_of_stream(stream: Stream, ids: pl.Series) -> list[Finding]:
    """Say which ids of a stream are gone, and where they stand."""
    gone = ids.filter(damaged(ids))
    if gone.is_empty() or stream.schema.to_frame().select(stream.who)[:, 0].dtype.is_temporal():
        return []
    files = range(len(stream.paths))
    places, found = FallbackRows(stream, files, None), []
    for batch in batches(stream, files):  # it stops all the same, and is read at leisure
        rows = map_rows("orders", places.with_places(batch.select(*stream.columns, ROW)), stream.settings, stream.launch)
        here = rows.source.select(pl.col(FILE).cast(pl.String), ROW, rows.ids("customer_id").alias(WHO)).filter(rows.counted)
        found.append(here.filter(pl.col(WHO).is_in(gone.implode())))
    order = pl.DataFrame({FILE: stream.names, "at": files}, schema_overrides={FILE: pl.String})
    cells = pl.concat(found).join(order, on=FILE).sort("at", ROW)
    column = ", ".join(stream.who.meta.root_names())
    return tell_damage(cells[WHO], [place_of(*place) for place in cells.select(FILE, ROW).head(3).rows()], column, _KEY)


def with_currency(stream: Stream, before: date) -> tuple[Stream, list[Finding]]:
    """Take the currency from a column that nothing was mapped to, where it says that some amounts are in another."""
    settings, launch = stream.settings, stream.launch
    if not stream.typed or settings.orders.columns.currency is not None or "currency" in stream.schema:
        return stream, []

    def count(column: str) -> pl.DataFrame:
        return _scan(stream, [column], before).group_by(pl.col(column).alias("value")).len("rows").collect()

    texts = [name for name, dtype in stream.schema.items() if dtype == pl.String and name not in stream.columns]
    head = _scan(stream, texts, before).select(texts).head(1_000).collect()
    column, found = currency_column(head, stream.columns, count, launch.currency)
    if column is None or found is None:
        return stream, []
    if found.level == "stop":
        return stream, [found]
    columns = settings.orders.columns.model_copy(update={"currency": column})
    changed = settings.model_copy(update={"orders": settings.orders.model_copy(update={"columns": columns})})
    again = stream_of(stream.paths, stream.names, changed, launch)
    return (stream if again is None else again), [found]


def _scan(stream: Stream, columns: Sequence[str], before: date) -> pl.LazyFrame:
    """Give columns of the rows that are wanted and before a date, beside their ids as `WHO`."""
    scans = []
    for path in stream.paths:
        scan = pl.scan_parquet(path, glob=False, hive_partitioning=False)
        scan = scan.with_columns(known_types(scan.collect_schema())).filter(stream.typed["time"] < before)
        if stream.where is not None:
            scan = scan.filter(stream.where.fill_null(value=False))
        who = stream.who.cast(pl.String).str.strip_chars().replace(stream.spellings)
        scans.append(scan.select(who.alias(WHO), *columns))
    return pl.concat(scans)
