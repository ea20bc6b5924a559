"""Customer ids as they come back from agents and spreadsheets."""

import polars as pl


def recognize_ids(ids: pl.Series, known: pl.Series) -> pl.Series:
    """Recognise ids that lost leading zeros, or were typed with wide letters, blanks, or in another case.

    The known id stands where exactly one is the same but for that; else the id as it was written.

    Examples
    --------
    >>> recognize_ids(pl.Series(["7", "c 08", "C08", "9"]), pl.Series(["007", "C08", "09", "0009"])).to_list()
    ['007', 'C08', 'C08', '9']
    """
    alike = known.to_frame("id").with_columns(key=_key("id")).filter(~pl.col("key").is_duplicated())
    both = ids.to_frame("written").with_columns(key=_key("written")).join(alike, on="key", how="left", maintain_order="left")
    as_written = pl.col("written").is_in(known.implode()) | pl.col("id").is_null()
    return both.select(pl.when(as_written).then("written").otherwise("id").alias(ids.name)).to_series()


def _key(name: str) -> pl.Expr:
    # The call sheets show the codes of characters that nobody sees.
    folded = pl.col(name).str.normalize("NFKC").str.to_lowercase().str.replace_all(r"[\s\p{Cf}\p{Cc}'\"]|\\x[0-9a-f]{2}|\\u[0-9a-f]{4}", "")
    return folded.str.replace(r"^(\d+)\.0+$", "${1}").str.replace(r"^0+(\d+)$", "${1}")
