"""What spreadsheets and people make of ids: what is mended for certain, what is one person's, what is gone for good."""

from collections.abc import Sequence

import polars as pl

from segmenter.contacts import hide
from segmenter.findings import Finding
from segmenter.messages import Message
from segmenter.vocabulary import vocabulary

_DAMAGES: dict[str, str] = vocabulary("ids")["damages"]
_LONG: str = vocabulary("ids")["long"]
_DIGITS = 15  # that a spreadsheet keeps of a number
_EXAMPLES = 3
# A few letters and digits: nothing below has anything to say of such ids, and there may be millions.
_PLAIN = r"^(?:[A-Za-z]{1,4}|[1-79]|8[0-57-9])[0-9]{3,12}$"
# Of an id without these `person_key` is the id in lower case, leading zeros apart.
_UNUSUAL = r"[^0-9A-Za-z_\-./:#@]|\.0+$|^0|^86|^\d+-[\d\-]+$"


def mended(ids: pl.Expr) -> pl.Expr:
    """Mend what is certain: ``="0005"`` and ``'0005`` are 0005, as text is kept from being read as a number, and ``12.0`` is 12."""
    return ids.str.replace(r'^="(.*)"$', "${1}").str.replace(r"^['’](\d[\dXx]*)$", "${1}").str.replace(r"^(\d+)\.0+$", "${1}")


def may_be_mended(ids: pl.Series) -> pl.Series:
    """Tell quickly which ids `mended` may change."""
    dotted = ids.str.contains(".0", literal=True)
    if dotted.any():
        dotted &= ids.str.contains(r"\.0+$")
    return dotted | ids.str.starts_with("=") | ids.str.starts_with("'") | ids.str.starts_with("’")


def odd_ids(ids: pl.DataFrame) -> pl.DataFrame:
    """Give the rows whose ``customer_id`` a spreadsheet or a person may have changed."""
    return ids.lazy().filter(~pl.col("customer_id").str.contains(_PLAIN)).collect()


def person_key(ids: pl.Expr) -> pl.Expr:
    """Give what one person's ids have in common, however they were typed; leading zeros stay.

    Case, blanks, width, invisible characters and quotes do not matter, nor +86 before a mobile phone's number and dashes in it.
    """
    # The call sheets show the codes of characters that nobody sees.
    folded = mended(ids.str.normalize("NFKC").str.to_lowercase().str.replace_all(r"[\s\p{Cf}\p{Cc}'’\"]|\\x[0-9a-f]{2}|\\u[0-9a-f]{4}", ""))
    digits = folded.str.replace_all(r"[\-.()]", "").str.replace(r"^(?:\+|00)?86(1[3-9]\d{9})$", "${1}")
    return pl.when(digits.str.contains(r"^1[3-9]\d{9}$")).then(digits).otherwise(folded.str.replace(r"^\+(\d{8,15})$", "${1}"))


def recognize_ids(ids: pl.Series, known: pl.Series) -> pl.Series:
    """Recognise ids that lost leading zeros, or were typed with wide letters, blanks, or in another case.

    The known id stands where exactly one is the same but for that; else the id as it was written.
    """
    written = ids.to_frame("written").with_row_index("at")
    strange = written.filter(pl.col("written").is_not_null() & ~pl.col("written").is_in(known.implode()))
    if strange.is_empty():
        return ids
    keys = strange.select("at", key=_loose(pl.col("written")))
    alike = (
        known.to_frame("id").with_columns(key=_loose(pl.col("id"))).join(keys, on="key", how="semi").filter(~pl.col("key").is_duplicated())
    )
    found = written.join(keys.join(alike, on="key"), on="at", how="left", maintain_order="left")
    return found.select(pl.coalesce("id", "written").alias(ids.name)).to_series()


def _loose(ids: pl.Expr) -> pl.Expr:
    return person_key(ids).str.replace(r"^0+(\d+)$", "${1}")


def spellings(ids: pl.DataFrame) -> pl.DataFrame:
    """Find who stands there under several ids: ``customer_id``, and ``becomes``, the spelling that comes most often.

    Of equals it is the plainest, then the smallest. `ids` has ``customer_id`` (distinct) and ``rows``. Leading zeros count as lost where
    all ids with some are of one length that no other id of digits exceeds, and both forms are there.
    """
    # In all but the unusual only case can differ, and hardly any shop writes both.
    unusual = pl.col("customer_id").str.contains(_UNUSUAL)
    odd = odd_ids(ids).filter(unusual).with_columns(key=person_key(pl.col("customer_id")))
    cased = all(ids.lazy().select(pl.col("customer_id").str.contains(case).any()).collect().item() for case in ("[a-z]", "[A-Z]"))
    if odd.is_empty() and not cased:
        return pl.DataFrame(schema={"customer_id": pl.String, "becomes": pl.String})
    usual = ids.filter(~unusual).with_columns(key=pl.col("customer_id").str.to_lowercase())
    if length := _whole_length(ids["customer_id"]):
        full = pl.when(pl.col("key").str.contains(r"^\d+$")).then(pl.col("key").str.zfill(length)).otherwise("key").alias("key")
        odd, usual = odd.with_columns(full), usual.with_columns(full)
    if not cased:
        usual = usual.join(odd, on="key", how="semi")
    together = pl.concat([odd, usual]).filter(pl.col("key").is_duplicated())
    by = [-pl.col("rows"), pl.col("customer_id") != pl.col("key"), pl.col("customer_id")]
    best = pl.col("customer_id").sort_by(by).first().over("key")
    return together.select("customer_id", becomes=best).sort("customer_id")


def _whole_length(ids: pl.Series) -> int:
    """Give the length that all ids of digits have but those that may have lost leading zeros; 0 where there is none."""
    zeros = ids.filter(ids.str.starts_with("0") & ids.str.contains(r"^\d+$")).str.len_chars().unique()
    if len(zeros) != 1:
        return 0
    longest = ids.filter(ids.str.contains(r"^\d+$")).str.len_chars().max()
    return int(zeros[0]) if zeros[0] == longest else 0


def tell_spellings(found: pl.DataFrame, totals: pl.DataFrame, *, joined: bool) -> list[Finding]:
    """Say who stands there under several ids, by `spellings`; `totals` has the ``orders`` of each ``customer_id``."""
    if found.is_empty():
        return []
    persons = found["becomes"].n_unique()
    counted = found.join(totals, on="customer_id", how="left").with_columns(pl.col("orders").fill_null(0))
    pairs = counted.filter(pl.col("customer_id") != pl.col("becomes")).sort("becomes", "customer_id")
    alike = Message("ids.alike", '"{one}" and "{other}"', one="", other="")
    examples = tuple(
        type(alike)(alike.code, alike.sentence, one=hide(other), other=hide(one))
        for one, other in pairs.unique("becomes", keep="first", maintain_order=True).select("customer_id", "becomes").head(_EXAMPLES).rows()
    )
    facts = {"ids": found.height, "persons": persons, "orders": int(counted["orders"].sum()), "examples": examples}
    if joined:
        sentence = "{ids:,} ids with {orders:,} orders are taken for {persons:,} customers, such as {examples} (data.ids=mended)"
        return [Finding("note", Message("ids.joined", sentence, **facts))]
    sentence = (
        "{ids:,} customer ids with {orders:,} orders may belong to {persons:,} customers: they are the same but for case, blanks, width, "
        "quotes, +86 or leading zeros, such as {examples}; data.ids=mended joins them in all tables"
    )
    return [Finding("warning", Message("ids.several", sentence, **facts))]


def tell_mended(written: pl.Series, read: pl.Series, column: str, key: str) -> list[Finding]:
    """Say what was mended."""
    changed = pl.DataFrame({"written": written, "read": read}).filter(pl.col("written") != pl.col("read")).unique().sort("written")
    if not (count := changed.height):
        return []
    one, other = map(hide, changed.row(0))
    sentence = '{key}: {count:,} ids in the column "{column}" are read without what kept them text, such as {one}, which is {other}'
    return [Finding("note", Message("ids.mended", sentence, key=key, count=count, column=column, one=one, other=other))]


def damaged(ids: pl.Series) -> pl.Series:
    """Tell which ids a spreadsheet destroyed: rounded to 1.38E+10 or to 15 digits, made a date, or ####."""
    gone = ids.str.contains("|".join(_DAMAGES.values())).fill_null(value=False)
    long = ids.filter(ids.str.contains(_LONG).fill_null(value=False)).unique()
    if long.is_empty():
        return gone
    # Of ids that are whole a tenth end in a zero by chance, a hundredth in two, ...
    tail = long.str.slice(_DIGITS).str.contains("^0+$")
    lengths = long.str.len_chars() - _DIGITS
    chance = float((10.0 ** -lengths.cast(pl.Float64)).sum())
    zeros = int(tail.sum())
    whole = zeros == len(long) and (zeros >= 2 or int(lengths.max()) >= 2)  # type: ignore[arg-type]  # there are some
    if not whole and (zeros < 3 or zeros < 5 * chance):
        return gone
    return gone | ids.is_in(long.filter(tail).implode()).fill_null(value=False)


def tell_damage(ids: pl.Series, rows: Sequence[str], column: str, key: str) -> list[Finding]:
    """Say that ids are gone; `ids` are those, `rows` where the first of them stand."""
    if ids.is_empty():
        return []
    shown = tuple(map(hide, ids.unique().sort().head(_EXAMPLES)))
    sentence = (
        '{key}: {count:,} cells of the column "{column}" were ids until a spreadsheet damaged them, such as {ids}{rows}: what they were '
        "cannot be told, and several customers would be one; export the table again and map it as it comes, without opening it in a "
        "spreadsheet; or import it there with this column formatted as text"
    )
    places = Message("ids.places", " ({rows})", rows=tuple(rows)) if rows else ""
    return [Finding("stop", Message("ids.damaged", sentence, key=key, column=column, count=len(ids), ids=shown, rows=places))]
