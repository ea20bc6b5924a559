"""What is seen of a stream's ids once it was aggregated: which are gone, which are read otherwise than they stand, whose they are."""

from collections.abc import Sequence
from datetime import date

import polars as pl

from segmenter.checks.id_forms import damaged, may_be_mended, mended, tell_damage, tell_mended
from segmenter.checks.nobody import ContactsOf, no_contacts
from segmenter.contacts import Contacts
from segmenter.findings import Finding
from segmenter.sources.customer_ids import COUNTS, WHO, contact_columns, count_different
from segmenter.sources.expressions import FILE, ROW
from segmenter.sources.fields import identity
from segmenter.sources.parquet_stream import Stream
from segmenter.sources.raw import known_types
from segmenter.sources.rows import place_of

_KEY = "data.orders.columns.customer_id"


def count_ids(stream: Stream, before: date) -> pl.DataFrame:
    """Count the rows of each id, as `customer_ids.COUNTS`, where spellings of one are to be joined and differ; whole numbers do not."""
    if stream.settings.ids != "mended" or stream.integers or not stream.typed:
        return COUNTS.to_frame()
    counts = _scan(stream, [], before).group_by(WHO).len("rows").collect()
    ids = counts.select(identity(counts[WHO]).alias("customer_id"), pl.col("rows").cast(pl.Int64))
    return ids.drop_nulls().group_by("customer_id").agg(pl.col("rows").sum())


def contacts_of_stream(stream: Stream, as_columns: Contacts, before: date) -> ContactsOf:
    """Count the names, phones, mails and addresses that stand beside ids in a stream."""
    columns = contact_columns(list(stream.schema), stream.who.meta.root_names(), as_columns)

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


def damage_of_stream(stream: Stream, ids: pl.Series, before: date) -> list[Finding]:
    """Say which ids of a stream are gone, and where they stand."""
    gone = ids.filter(damaged(ids))
    if gone.is_empty() or not stream.typed:
        return []
    rows = _scan(stream, [], before).filter(pl.col(WHO).is_in(gone.implode())).collect()
    at = rows.sort(FILE, ROW)
    places = [place_of(*place) for place in at.select(FILE, ROW).head(3).rows()]
    return tell_damage(at[WHO], places, ", ".join(stream.who.meta.root_names()), _KEY)


def _scan(stream: Stream, columns: Sequence[str], before: date) -> pl.LazyFrame:
    """Give columns of the rows that are wanted and before a date, beside their ids as `WHO`; with `FILE` and `ROW` from 1."""
    scans = []
    for path, name in zip(stream.paths, stream.names, strict=True):
        scan = pl.scan_parquet(path, glob=False, hive_partitioning=False, row_index_name=ROW)
        scan = scan.with_columns(known_types(scan.collect_schema())).filter(stream.typed["time"] < before)
        if stream.where is not None:
            scan = scan.filter(stream.where.fill_null(value=False))
        who = stream.who.cast(pl.String).str.strip_chars().replace(stream.spellings)
        rows = scan.with_columns(who.alias(WHO), pl.lit(name).alias(FILE), (pl.col(ROW).cast(pl.Int64) + 1).alias(ROW))
        scans.append(rows.select(WHO, FILE, ROW, *columns))
    return pl.concat(scans)
