"""Who the customers behind a shop's ids are: one person under several, or nobody."""

from collections.abc import Mapping, Sequence

import polars as pl

from segmenter.checks.id_forms import person_key, spellings, tell_spellings
from segmenter.checks.nobody import ContactsOf, Nobody, find_nobody, no_contacts
from segmenter.contacts import Contacts, hide, is_contact_name
from segmenter.findings import Finding
from segmenter.messages import Message
from segmenter.settings import MappingSettings
from segmenter.sources.expressions import columns_of
from segmenter.sources.reject_reasons import STRANGER
from segmenter.sources.rows import PEOPLE, Rows
from segmenter.tables import NOTHING

COUNTS = pl.Schema({"customer_id": pl.String(), "rows": pl.Int64()})
_MANY = 5  # columns of contacts that are looked at
WHO = "__who"


def join_spellings(rows: Mapping[str, Rows], others: pl.DataFrame) -> pl.DataFrame:
    """Take for one customer whose ids in all tables are one person's, see `spellings`; `others` are ids that are elsewhere, as `COUNTS`."""
    ids = [
        table.ids(name)
        .filter(table.counted)
        .drop_nulls()
        .alias("customer_id")
        .to_frame()
        .group_by("customer_id")
        .agg(rows=pl.len().cast(pl.Int64))
        for table in rows.values()
        for name in PEOPLE
        if name in table.fields
    ]
    found = spellings(pl.concat([others, *ids]).group_by("customer_id").agg(pl.col("rows").sum()))
    changed = dict(found.filter(pl.col("customer_id") != pl.col("becomes")).rows())
    for table in rows.values():
        table.spellings = changed
    return found


def judge_ids(
    totals: pl.DataFrame,
    customers: pl.DataFrame | None,
    others: Sequence[pl.Series],
    settings: MappingSettings,
    joined: pl.DataFrame,
    contacts_of: ContactsOf,
) -> Nobody:
    """Say which ids are nobody's, and which may be one person's.

    `totals` has ``customer_id`` and ``orders``; `customers` ``customer_id`` and, where it is known, ``name``; `others` are the ids of the
    other tables, and `joined` the spellings that were taken for one.
    """
    everyone = totals.select("customer_id", "orders")
    if customers is not None:
        everyone = _with_more(everyone, customers["customer_id"])
    all_ids = _with_more(everyone, pl.concat([pl.Series(dtype=pl.String), *others]))
    if settings.ids == "mended":
        told = tell_spellings(joined, all_ids, joined=True)
    else:
        told = tell_spellings(spellings(all_ids.rename({"orders": "rows"})), all_ids, joined=False)
    asked = settings.orders.not_customers
    if asked != "auto":
        becomes = dict(joined.select("customer_id", "becomes").rows())
        asked = tuple(becomes.get(name, name) for name in asked)
    names = None if customers is None or "name" not in customers.columns else customers
    found = find_nobody(everyone, asked, contacts_of, names)
    return Nobody(found.ids, (*told, *found.findings))


def _with_more(totals: pl.DataFrame, ids: pl.Series) -> pl.DataFrame:
    """Add ids that have no orders."""
    if not len(ids):
        return totals
    more = ids.alias("customer_id").to_frame().drop_nulls().unique().join(totals, on="customer_id", how="anti")
    return pl.concat([totals, more.with_columns(orders=pl.lit(0, pl.Int64))])


def tell_strangers(rejects: pl.DataFrame, ids: pl.Series | None) -> list[Finding]:
    """Say which rows are rejected only because their customer's id is written otherwise in the customers table."""
    strange = rejects.filter(reason=str(STRANGER)).drop_nulls("value")
    if ids is None or strange.is_empty():
        return []
    loose = person_key(pl.col("id")).str.replace(r"^0+(\d+)$", "${1}")
    known = ids.alias("id").to_frame().select("id", key=loose).unique("key", keep="any")
    alike = strange.select("table", id="value").with_columns(key=loose).join(known, on="key", suffix="_known")
    if alike.is_empty():
        return []
    one, other = map(hide, alike.select("id", "id_known").sort("id", "id_known").row(0))
    sentence = (
        "{count:,} rows are rejected whose customer stands in the customers table but for how the id is written, such as "
        '"{one}" and "{other}": data.ids=mended takes them for one'
    )
    return [Finding("warning", Message("ids.strangers", sentence, count=alike.height, one=one, other=other))]


def contacts_of_rows(rows: Rows, as_columns: Contacts) -> ContactsOf:
    """Count the names, phones, mails and addresses that stand beside ids in rows."""
    columns = contact_columns(rows.source.select(columns_of(rows.source)).schema, rows.columns["customer_id"], as_columns)

    def count(ids: Sequence[str]) -> pl.DataFrame:
        if not columns:
            return no_contacts(ids)
        frame = rows.source.select(columns).with_columns(rows.ids("customer_id").alias(WHO)).filter(rows.counted)
        return count_different(frame.lazy(), columns, ids)

    return count


def contact_columns(known: pl.Schema, own: Sequence[str], as_columns: Contacts) -> list[str]:
    """List columns of names, phones, mails and addresses, one in each cell, but for those that ids come from."""
    single = [name for name, dtype in known.items() if not dtype.is_nested()]
    return [name for name in single if name not in own and (name in as_columns.columns or is_contact_name(name))][:_MANY]


def count_different(frame: pl.LazyFrame, columns: Sequence[str], ids: Sequence[str]) -> pl.DataFrame:
    """Count the different values of columns beside some ids, which stand in `WHO`."""
    texts = [pl.col(name).cast(pl.String, strict=False).str.strip_chars().str.to_lowercase() for name in columns]
    known = [text.filter(text.is_not_null() & ~text.is_in(NOTHING)).n_unique().cast(pl.Int64) for text in texts]
    counts = frame.filter(pl.col(WHO).is_in(list(ids))).group_by(pl.col(WHO).alias("customer_id")).agg(known).collect()
    return counts.unpivot(index="customer_id", variable_name="column", value_name="different").select("customer_id", "column", "different")
