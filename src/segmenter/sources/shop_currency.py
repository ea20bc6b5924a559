"""In which currencies a shop's amounts are, where no column was mapped to that."""

from collections.abc import Callable, Sequence

import polars as pl

from segmenter.checks.currency_column import is_currency, judge_currency, likeliest_first, speaks_of_currency
from segmenter.contacts import hide, is_contact_name
from segmenter.findings import Finding
from segmenter.messages import Message
from segmenter.sources import fields
from segmenter.sources.expressions import columns_of
from segmenter.sources.reject_reasons import NO_AMOUNT, reason_of
from segmenter.sources.rows import Rows
from segmenter.vocabulary import vocabulary

_HEAD = 1_000  # rows that tell whether a column may hold currencies
_LONGEST = 12  # characters of a currency's name
CountValues = Callable[[str], pl.DataFrame]  # of a column: ``value``, ``rows``


def currency_column(head: pl.DataFrame, taken: Sequence[str], count: CountValues, launch: str) -> tuple[str | None, Finding | None]:
    """Find the column of currencies among those not `taken`, and say what it means; `head` are the first rows."""
    texts = [name for name, dtype in head.schema.items() if dtype == pl.String and name not in taken and not is_contact_name(name)]
    may = [name for name in texts if speaks_of_currency(name) or _may_be(head[name], name, launch)]
    for column in likeliest_first(may):
        counts = _codes(count(column), launch)
        if is_currency(column, counts, launch):
            return column, judge_currency(column, counts, launch)
    return None, None


def take_currency(rows: Rows, launch: str) -> None:
    """Take the currency from a column that nothing was mapped to, where it says that some amounts are in another."""
    if "currency" in rows.fields:
        return
    taken = [column for columns in rows.columns.values() for column in columns]
    source = rows.source.select(columns_of(rows.source)).filter(rows.counted)

    def count(column: str) -> pl.DataFrame:
        return source.group_by(pl.col(column).alias("value")).agg(rows=pl.len())

    column, found = currency_column(source.head(_HEAD), taken, count, launch)
    if column is None or found is None:
        return
    rows.findings.append(found)
    if found.level != "stop":
        rows.fields["currency"], rows.columns["currency"] = rows.source[column], [column]


def tell_other_signs(rejects: pl.DataFrame, launch: str) -> list[Finding]:
    """Say how many amounts could not be read that carry another currency's sign."""
    amounts = rejects.filter(pl.col("table") == "orders", pl.col("reason").str.contains("amount")).drop_nulls("value")
    known = amounts.filter(pl.col("reason").map_elements(_is_no_amount, return_dtype=pl.Boolean)) if amounts.height else amounts
    if known.is_empty():
        return []
    signs: dict[str, list[str]] = vocabulary("cells")["signs"]
    others = [sign for sign, meant in signs.items() if launch not in meant]
    others += [code for code in vocabulary("currencies")["common"] if code != launch]
    values = known.select("value", plain=pl.col("value").str.normalize("NFKC").str.to_uppercase())
    marked = values.filter(pl.col("plain").str.contains_any([sign.upper() for sign in others]) & pl.col("plain").str.contains(r"\d"))
    if marked.is_empty():
        return []
    shown = tuple(map(hide, marked["value"].unique().sort().head(3)))
    sentence = (
        "data.orders.columns.amount: {count:,} amounts with the sign of another currency than {currency} are rejected, such as {values}: "
        "data.orders.where can leave them out, or the shop's export convert them"
    )
    return [Finding("warning", Message("ids.other_signs", sentence, count=marked.height, currency=launch, values=shown))]


def _is_no_amount(reason: str) -> bool:
    return getattr(reason_of(reason), "code", None) == NO_AMOUNT.code


def _may_be(values: pl.Series, column: str, launch: str) -> bool:
    counts = values.to_frame("value").group_by("value").agg(rows=pl.len())
    return counts.height <= _HEAD // 10 and is_currency(column, _codes(counts, launch), launch)


def _codes(counts: pl.DataFrame, launch: str) -> pl.DataFrame:
    if counts.select(pl.col("value").str.len_chars().max() > _LONGEST).item():
        counts = counts.with_columns(pl.col("value").str.head(_LONGEST))  # no currency, whatever it is
    return counts.with_columns(code=fields.currency(counts["value"], launch)).group_by("code").agg(pl.col("rows").sum().cast(pl.Int64))
