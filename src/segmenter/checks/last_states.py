"""Which rows tell of an earlier state of an order than others do."""

import re
from typing import Literal

import polars as pl

from segmenter.checks.order_numbers import Hashes, begin_again, run_numbers


def file_ages(lines: pl.DataFrame) -> pl.Series:
    """Give the age of each row's file, 0 for the oldest: by their last day, then by name, ``orders (2)`` before ``orders (10)``."""
    days = lines.group_by("file").agg(pl.col("day").max()).sort("file", nulls_last=True)
    order = sorted(days.iter_rows(), key=lambda row: (row[1] if row[1] is not None else -1, _natural(row[0] or "")))
    ages = {file: age for age, (file, _) in enumerate(order)}
    return lines["file"].replace_strict(ages, return_dtype=pl.Int32).alias("age")


def _natural(name: str) -> list[tuple[int, int, str]]:
    stem = re.sub(r"\.\w+(\.gz)?$", "", name)
    return [(1, int(part), "") if part.isdigit() else (0, 0, part) for part in re.findall(r"\d+|\D+", stem)]


def earlier_states(lines: pl.DataFrame, grain: Literal["auto", "order", "line"], near: int, hashes: Hashes) -> pl.Series:
    """Give ``at`` of the rows that a later state of the same order replaces.

    `lines` are those of `order_numbers.look_at_numbers`, with ``changed``, when a row was changed last; null where nothing says it. The
    latest change counts, then the newest file; where a row is an order, the last row. Further lines of an order replace none: they
    neither begin on its first day nor come to the same.
    """
    gap = 0 if begin_again(lines, near) else near
    keyed = lines.with_columns(who=pl.col("customer_id").hash(), what=pl.struct("order_id", pl.col("paid") < 0).hash())
    runs = run_numbers(keyed.sort("who", "what", "day", "at"), gap).filter(pl.col("run").is_duplicated())
    runs = runs.with_columns(state=pl.struct(pl.col("changed").fill_null(pl.lit("")), "age").rank("dense"))
    states = runs.group_by("run", "state").agg(pl.col("day").min(), pl.col("paid").sum()).sort("run", "state")
    last = states.group_by("run", maintain_order=True).agg(
        pl.col("state").last().alias("last"),
        anew=(pl.col("day").last() == pl.col("day").min()) | (pl.col("paid").n_unique() == 1),
    )
    runs = runs.join(last, on="run")
    if grain != "order":
        older = runs.filter((pl.col("state") < pl.col("last")) & pl.col("anew"))
        if grain == "line":
            return older["at"].sort()
        runs = runs.join(older.select("at"), on="at", how="anti")
        alike = (
            runs.with_columns(hashes(runs["at"]))
            .group_by("run")
            .agg(one=(pl.col("state").n_unique() == 1) & ((pl.col("paid").n_unique() == 1) | (pl.col("steady").n_unique() == 1)))
        )
        rest = runs.join(alike.filter("one"), on="run", how="semi")
        return pl.concat([older["at"], _all_but_last(rest)]).sort()
    older = runs.filter(pl.col("state") < pl.col("last"))
    return pl.concat([older["at"], _all_but_last(runs.filter(pl.col("state") == pl.col("last")))]).sort()


def _all_but_last(runs: pl.DataFrame) -> pl.Series:
    return runs.filter(pl.col("at") < pl.col("at").max().over("run"))["at"]
