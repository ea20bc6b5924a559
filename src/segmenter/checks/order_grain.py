"""What a row of the orders is: an order, or a line of one; and which rows tell of the same order twice."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import polars as pl

from segmenter.checks.order_numbers import Hashes, Numbers, example_of, look_at_numbers
from segmenter.contacts import hide
from segmenter.findings import Finding
from segmenter.messages import Message
from segmenter.money import amount

Asked = Literal["auto", "order", "line"]
_SURE = 0.9  # of the orders of several rows
_FEW = 10  # orders
_LITTLE = 0.01  # of the money


@dataclass(frozen=True)
class OrderGrain:
    """What a row is."""

    grain: Literal["order", "line"]
    once: bool = False  # each line has the amount of its whole order
    used_again: bool = False  # order numbers begin again, so that each day's are orders of their own
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class AmountWords:
    """What names say of the amounts."""

    column: str  # or the SQL it is computed by
    of: Literal["order", "line"] | None = None


def order_grain(
    lines: pl.DataFrame,
    asked: Asked,
    amounts: AmountWords,
    currency: str,
    *,
    near: int,
    hashes: Hashes,
    adds_up: Callable[[pl.DataFrame], bool],
) -> OrderGrain:
    """Decide what a row is.

    `lines` are rows before the as-of date, `near` the days within which lines of a number are one order, `hashes` tells which rows are
    equal: see `order_numbers.look_at_numbers`. `adds_up` tells of lines that all have one amount whether others on them add up to it.
    """
    numbers = look_at_numbers(lines, near, hashes)
    grain: Literal["order", "line"] = "order" if asked == "order" else "line"
    found = _repeats(numbers, currency)
    unsure = any(finding.level == "stop" for finding in found)
    if asked == "auto":
        if not numbers.several:
            said = Message("order_rows.unique", "data.orders.grain: a row is an order: no order number stands on two rows")
            if unsure or numbers.reused:
                said = Message("order_rows.apart", "data.orders.grain: a row is an order: rows of one number are not lines of one order")
            return OrderGrain("order", used_again=numbers.begin_again, findings=(*found, *_reused(numbers), Finding("note", said)))
    elif not numbers.several:
        return OrderGrain(grain, used_again=numbers.begin_again, findings=(*found, *_reused(numbers)))
    constant = numbers.constant.height / numbers.several
    facts = {
        **_example(numbers, currency),
        "orders": numbers.constant.height,
        "column": amounts.column,
        "lines": amount(numbers.total, currency),
        "once": amount(numbers.once, currency),
    }
    doubtful = numbers.total != numbers.once and amounts.of != "line" and constant >= _SURE and (constant == 1 or numbers.several >= _FEW)
    clear = constant == 1 and bool(numbers.constant["one_day"].all())
    once = doubtful and asked == "auto" and clear and (amounts.of == "order" or adds_up(numbers.lines))
    if asked == "order":
        found += (_not_unique(numbers, facts, doubtful=doubtful),)
    elif once:
        sentence = (
            'data.orders.grain: "{column}" is the amount of a whole order, on each of its lines, and counts once: order {number} has '
            "{rows:,} lines of {paid}, as have all {orders:,} orders of several lines; {once} in all, where each line would make {lines} "
            "(data.orders.grain=line)"
        )
        found += (Finding("note", Message("order_rows.once", sentence, **facts)),)
    elif doubtful and asked == "auto":
        sentence = (
            'data.orders.grain: "{column}" may be the amount of a line or that of its whole order: order {number} has {rows:,} lines of '
            "{paid}, and {orders:,} orders of several lines are so; data.orders.grain=line adds them up ({lines} in all), "
            "data.orders.grain=order with data.orders.repeats=latest counts each order once ({once})"
        )
        found += (Finding("stop", Message("order_rows.once_or_lines", sentence, **facts)),)
    elif doubtful and (amounts.of == "order" or numbers.constant.height >= _FEW):
        sentence = (
            'data.orders.grain: the lines of an order are added up, but "{column}" seems to be the amount of the whole order: order '
            "{number} has {rows:,} lines of {paid}, and {orders:,} orders of several lines are so; {lines} in all, "
            "or {once} by data.orders.grain=order with data.orders.repeats=latest"
        )
        found += (Finding("warning", Message("order_rows.once_meant", sentence, **facts)),)
    elif asked == "auto":
        sentence = (
            "data.orders.grain: rows of one order number are one order: {several:,} orders have several rows, such as {number} with "
            "{rows:,}; data.orders.grain=order takes each row for an order"
        )
        found += (
            Finding("note", Message("order_rows.lines", sentence, several=numbers.several, number=facts["number"], rows=facts["rows"])),
        )
    return OrderGrain(grain, once, numbers.begin_again, (*found, *_reused(numbers)))


def _example(numbers: Numbers, currency: str) -> dict[str, object]:
    row = example_of(numbers.constant if numbers.constant.height else numbers.differing)
    return {"number": hide(str(row["order_id"])), "rows": row["rows"], "paid": amount(row["least"], currency)}


def _not_unique(numbers: Numbers, facts: dict[str, object], *, doubtful: bool) -> Finding:
    if doubtful:
        sentence = (
            "data.orders.grain: each row is taken for an order, but order {number} stands on {rows:,} rows of {paid} each, and "
            "{orders:,} orders are so; {lines} in all, or {once} where an order counts once (data.orders.repeats=latest)"
        )
        return Finding("warning", Message("order_rows.row_for_order", sentence, **facts))
    sentence = (
        "data.orders.grain: each row is taken for an order, but {several:,} order numbers stand on several rows, such as {number} on "
        "{rows:,}; data.orders.grain=line counts them as one order"
    )
    return Finding(
        "warning", Message("order_rows.line_for_order", sentence, several=numbers.several, number=facts["number"], rows=facts["rows"])
    )


def _repeats(numbers: Numbers, currency: str) -> tuple[Finding, ...]:
    """Say which orders are told more than once: nobody may count them twice without knowing."""
    found: list[Finding] = []
    if (orders := numbers.in_files).height:
        sentence = (
            "data.orders.repeats: {orders:,} orders stand in several files, such as {number} in {files}; all rows come to {all}, "
            "and to {once} where an order counts once: data.orders.repeats=latest keeps its last state, drop what repeats a row exactly; "
            "where numbers of different orders are the same, data.orders.columns.order_id can be SQL that tells them apart"
        )
        files = tuple(example_of(orders)["files"])
        found.append(Finding("stop", Message("order_rows.in_two_files", sentence, files=files, **_counts(orders, numbers, currency))))
    if (orders := numbers.in_states).height:
        sentence = (
            "data.orders.repeats: {orders:,} orders stand in several states, such as {number} in {rows:,} rows that differ only in what "
            "follows its status; all rows come to {all}, and to {once} where an order counts once: data.orders.repeats=latest keeps its "
            "last state, data.orders.where chooses rows"
        )
        found.append(Finding("stop", Message("order_rows.in_two_states", sentence, **_counts(orders, numbers, currency))))
    if (orders := numbers.copied).height:
        sentence = (
            "data.orders.repeats: {orders:,} orders stand on rows that are equal in every column, such as {number} on {rows:,}; all rows "
            "come to {all}, and to {once} where an order counts once: data.orders.repeats=drop"
        )
        found.append(Finding("stop", Message("order_rows.copied", sentence, **_counts(orders, numbers, currency))))
    if (orders := numbers.copied_lines).height:
        sentence = (
            "data.orders.repeats: lines of {orders:,} orders are equal in every column, such as {rows:,} of {number}; all come to {all}, "
            "and to {once} by data.orders.repeats=drop"
        )
        facts = _counts(orders, numbers, currency)
        little = abs(int(orders["over"].sum())) <= _LITTLE * abs(numbers.total)
        found.append(Finding("note" if little else "warning", Message("order_rows.copied_lines", sentence, **facts)))
    return tuple(found)


def _counts(orders: pl.DataFrame, numbers: Numbers, currency: str) -> dict[str, object]:
    row = example_of(orders)
    once = numbers.total - int(orders["over"].sum())
    return {
        "orders": orders.height,
        "number": hide(str(row["order_id"])),
        "rows": row["rows"],
        "all": amount(numbers.total, currency),
        "once": amount(once, currency),
    }


def _reused(numbers: Numbers) -> tuple[Finding, ...]:
    if not numbers.reused:
        return ()
    sentence = (
        "data.orders.columns.order_id: {count:,} order numbers are used again by another customer or on a day far off, such as {number}: "
        "these are different orders"
    )
    return (Finding("note", Message("order_rows.used_again", sentence, count=numbers.reused, number=hide(numbers.reused_example))),)
