"""Copies of a file of answers that were changed afterwards, such as ``calls (2).xlsx``: they count as the same source."""

import polars as pl

from segmenter.vocabulary import vocabulary


def original(source: pl.Expr) -> pl.Expr:
    """Name the file that a copy is of; any other keeps its name."""
    after, before = vocabulary("answers")["copies"]
    return source.str.replace(f"(?i){after}", "${2}").str.replace(f"(?i){before}", "${1}")


def without_older(answers: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """Leave out what a later copy of the same file says of the same customer's day, and name the files that were outdone.

    The later is what has the later answers, then more of them, then the higher name: no file's time, nor which was read first.
    """
    files = answers.group_by("source").agg(last=pl.col("answered_on").max(), size=pl.len())
    files = files.with_columns(original=original(pl.col("source"))).sort("last", "size", pl.col("source").str.len_chars(), "source")
    aged = answers.join(files.with_row_index("age").select("source", "original", "age"), on="source", how="left", maintain_order="left")
    latest = pl.col("age") == pl.col("age").max().over("original", "customer_id", "answered_on")
    # What nobody recognised, or has no date, is told of row by row.
    kept = latest | pl.any_horizontal(pl.col("customer_id", "answered_on").is_null())
    return aged.filter(kept).select(answers.columns), aged.filter(~kept)["source"].unique().sort().to_list()
