"""Whether so many rows were rejected that a job should stop and show them."""

from collections.abc import Mapping

import polars as pl

from segmenter.errors import InputError
from segmenter.messages import Message
from segmenter.sources.reject_reasons import reason_of


def check_share(reads: Mapping[str, Mapping[str, int]], rejects: pl.DataFrame, most: float) -> None:
    """Refuse tables of which more than a share of 1 was rejected, or all, with their reasons and an example of each."""
    problems: list[str] = []
    for table, counts in reads.items():
        rejected, counted = counts["rejected"], counts["rejected"] + counts["kept"]
        if rejected and (rejected > most * counted or not counts["kept"]):
            share = Message("files.all", "all") if rejected == counted else f"{rejected / counted:.1%}"
            sentence = (
                "{table}: {share} of {count:,} rows were rejected; data.max_reject_share allows {allowed:g}%. "
                "Mend the rows or the mapping, or allow more:"
            )
            problems.append(Message("files.many_rejects", sentence, table=table, share=share, count=counted, allowed=100 * most))
            problems += _reasons(rejects.filter(table=table))
    if problems:
        raise InputError(*problems)


def _reasons(rejects: pl.DataFrame) -> list[str]:
    # Of a whole row its place is shown rather than its text, which may hold a phone number.
    place = pl.struct("file", "row").filter(pl.col("file").is_not_null() & pl.col("row").is_not_null()).sort().first()
    reasons = rejects.group_by("column", "reason").agg(
        pl.len().alias("count"), pl.col("value").drop_nulls().sort().first().alias("value"), place.alias("place")
    )
    lines: list[str] = []
    for reason in reasons.sort(["count", "column", "reason"], descending=[True, False, False]).rows(named=True):
        facts = {
            "count": reason["count"],
            "column": reason["column"] or Message("files.whole_row", "row"),
            "reason": reason_of(reason["reason"]),
        }
        example = _example(reason["column"], reason["value"], reason["place"])
        if example is None:
            lines.append(Message("files.rejects", "  {count:,} × {column} {reason}", **facts))
        else:
            lines.append(Message("files.rejects_such_as", "  {count:,} × {column} {reason}, such as {example}", **facts, example=example))
    return lines


def _example(column: str | None, value: str | None, place: Mapping[str, str | int] | None) -> str | None:
    if column is not None:
        return None if value is None else f'"{value}"'
    if place is None or place["row"] is None:
        return None
    return Message("files.row_of_file", "row {row} of {file}", row=place["row"], file=place["file"])
