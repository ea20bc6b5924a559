"""What order numbers say of rows: which stand on several, in several files, in several states, or are used again."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import polars as pl

_EXAMPLES = 2_000  # orders that are added up
_MAX_NUMBERS = 8  # columns

Hashes = Callable[[pl.Series], pl.DataFrame]


@dataclass(frozen=True)
class Numbers:
    """The orders whose number stands on several rows, as frames of one row for each: ``order_id``, ``rows``, ``least``, ``over``, ...

    ``over`` is what counting an order more than once adds to the total, in minor units.
    """

    differing: pl.DataFrame  # by rows of different amounts
    constant: pl.DataFrame  # by rows of one amount that differ otherwise
    in_files: pl.DataFrame  # the same order in several files
    in_states: pl.DataFrame  # rows that differ only in what follows an order's status
    copied: pl.DataFrame  # rows that are equal in every column, and no others
    copied_lines: pl.DataFrame  # the same among other rows
    lines: pl.DataFrame  # of `constant`: ``run``, ``at``, ``paid``
    total: int  # of all rows
    reused: int  # numbers
    reused_example: str
    begin_again: bool  # most numbers that stand on several days do so for several orders

    @property
    def several(self) -> int:
        """How many orders have several rows that are no repeats."""
        return self.differing.height + self.constant.height

    @property
    def once(self) -> int:
        """The total where an order of one amount on all rows counts once."""
        return self.total - int(self.constant["over"].sum())


def look_at_numbers(lines: pl.DataFrame, near: int, hashes: Hashes) -> Numbers:
    """Sort orders by what their number stands on.

    `lines` has ``customer_id``, ``order_id`` (not null), ``day`` (Int32, since 1970), ``paid``, ``back``, ``file`` (as it is called) and
    ``age`` (of its file), and ``at``, by which `hashes` finds rows to tell which are equal: ``content`` in every column, ``steady`` in
    those that do not follow the status. Up to `near` days after the last, lines of a customer's number belong to the same order.
    """
    value = pl.when(~pl.col("back")).then("paid").otherwise(0).alias("value")
    bought = lines.filter(pl.col("paid") >= 0).with_columns(value)
    total = int(bought["value"].sum()) + int(lines.filter(pl.col("paid") < 0)["paid"].sum())
    unique = lines["order_id"].n_unique() == lines.height  # as a rule, and quickly seen
    several = bought.clear() if unique else bought.filter(pl.col("order_id").is_duplicated())
    rows = several.with_columns(who=pl.col("customer_id").hash(), what=pl.col("order_id").hash())
    used = _uses(rows, near)
    reused, again = used.filter("reused"), _most_reused(used)
    runs = _runs(rows, 0 if again else near)
    in_files = _in_files(runs)
    runs = runs.join(in_files, on="run", how="anti", maintain_order="left")
    equal = runs.filter(pl.struct("run", "paid").is_duplicated())
    equal = equal.with_columns(hashes(equal["at"]))
    same = equal.group_by("run", "paid").agg(
        pl.col("order_id").min(),
        pl.len().alias("rows"),
        pl.col("paid").min().alias("least"),
        (pl.col("value").sum() - pl.col("value").max()).alias("over"),
        pl.col("content").n_unique().alias("contents"),
        pl.col("steady").n_unique().alias("steadies"),
        (pl.col("day").min() == pl.col("day").max()).alias("one_day"),
    )
    sums = runs.group_by("run").agg(
        pl.col("order_id").min(),
        pl.len().alias("rows"),
        pl.col("paid").min().alias("least"),
        (pl.col("paid").n_unique() > 1).alias("differ"),
    )
    differing, alike = sums.filter("differ"), same.join(sums.filter("differ"), on="run", how="anti")
    states = alike.filter((pl.col("contents") > 1) & (pl.col("steadies") == 1))
    constant = alike.filter((pl.col("contents") > 1) & (pl.col("steadies") > 1))
    if states.height < differing.height + constant.height:  # lines that happen to have the same amount
        constant, states = pl.concat([constant, states]), states.clear()
    copies = equal.group_by("run", "paid", "content").agg(
        pl.col("order_id").min(),
        pl.len().alias("rows"),
        pl.col("paid").min().alias("least"),
        (pl.col("value").sum() - pl.col("value").max()).alias("over"),
    )
    copies = copies.filter(pl.col("rows") > 1)
    whole = alike.filter(pl.col("contents") == 1)
    if 2 * whole.height <= differing.height + constant.height:  # lines, all of which happen to be equal
        whole = whole.clear()
    return Numbers(
        differing,
        constant,
        in_files,
        states,
        whole,
        copies.join(whole, on="run", how="anti"),
        equal.join(constant, on="run", how="semi").select("run", "at", "paid"),
        total,
        reused.height,
        reused["order_id"].min() or "",  # type: ignore[arg-type]
        again,
    )


def begin_again(lines: pl.DataFrame, near: int) -> bool:
    """Tell whether order numbers begin again: most that stand on several days do so for several orders."""
    bought = lines.filter((pl.col("paid") >= 0) & pl.col("order_id").is_duplicated())
    return _most_reused(_uses(bought.with_columns(who=pl.col("customer_id").hash()), near))


def _uses(rows: pl.DataFrame, near: int) -> pl.DataFrame:
    days = pl.col("day").max() - pl.col("day").min()
    ids = rows.group_by("order_id").agg(days.alias("days"), others=pl.col("who").min() != pl.col("who").max())
    return ids.with_columns(reused=pl.col("others") | (pl.col("days") > near))


def _most_reused(uses: pl.DataFrame) -> bool:
    apart = uses.filter(pl.col("days") > 0)
    return 2 * apart.filter("reused").height >= apart.height > 0


def run_numbers(rows: pl.DataFrame, near: int) -> pl.DataFrame:
    """Mark the orders of rows that are sorted by ``who``, ``what`` and ``day``: another number, or one used again, is another."""
    other = (pl.col("who") != pl.col("who").shift(1)) | (pl.col("what") != pl.col("what").shift(1))
    later = pl.col("day") - pl.col("day").shift(1) > near
    return rows.with_columns(run=(other | later).fill_null(value=True).cum_sum())


def _runs(rows: pl.DataFrame, near: int) -> pl.DataFrame:
    """Give the rows of orders that have several."""
    return run_numbers(rows.sort("who", "what", "day"), near).filter(pl.col("run").is_duplicated())


def _in_files(runs: pl.DataFrame) -> pl.DataFrame:
    """List the orders that stand in several files, once in each or with the same sum."""
    files = runs.group_by("run", "file", "age").agg(
        pl.col("order_id").min(), pl.len().alias("rows"), pl.col("value", "paid").sum(), pl.col("day").min().alias("day")
    )
    newest = pl.col("value").sort_by("age", "file").last()
    orders = (
        files.sort("run", "age", "file")
        .group_by("run")
        .agg(
            pl.col("order_id").min(),
            pl.col("rows").sum(),
            pl.col("paid").min().alias("least"),
            (pl.col("value").sum() - newest).alias("over"),
            pl.col("file").alias("files"),
            ((pl.len() > 1) & (pl.col("paid").n_unique() == 1)).alias("same"),
            ((pl.len() > 1) & (pl.col("rows").max() == 1) & (pl.col("day").n_unique() == 1)).alias("single"),
        )
    )
    return orders.filter(pl.col("same") | pl.col("single")).drop("same", "single")


def example_of(orders: pl.DataFrame) -> dict[str, Any]:
    """Give one of some orders, the same whatever their order."""
    return orders.sort("order_id", "rows", "least", descending=[False, True, False]).row(0, named=True)


def adds_up(lines: pl.DataFrame, columns: pl.DataFrame) -> bool:
    """Tell whether a column, or the product of two, adds up to the amounts of orders that stand on each of their lines.

    `lines` has ``run`` and ``paid``, in the unit of the numbers in `columns`, which are of the same rows.
    """
    few = columns.select(name for name in columns.columns if columns[name].null_count() < columns.height).select(pl.all().fill_null(0))
    names = few.columns[:_MAX_NUMBERS]
    if not names:
        return False
    products = {f"{one} × {other}": pl.col(one) * pl.col(other) for one, other in combinations(names, 2)}
    values = few.select(names).with_columns(**products)
    paid, run = lines["paid"].alias("paid of an order"), lines["run"].alias("run of an order")
    sums = values.with_columns(paid, run).filter(pl.col(run.name) <= run.sort().unique().head(_EXAMPLES).max())
    orders = sums.group_by(run.name).agg(pl.all().exclude(paid.name).sum(), pl.col(paid.name).first())
    return orders.height > 1 and any((orders[name] - orders[paid.name]).abs().max() < 0.01 for name in values.columns)  # type: ignore[operator]
