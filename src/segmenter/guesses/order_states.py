"""Which states of orders are no orders, and which are refunds."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import polars as pl

from segmenter.checks.order_status import status_kind
from segmenter.contacts import hide
from segmenter.guesses.column_names import by_name, holds, is_exact, name_rank, plain_name
from segmenter.guesses.column_values import ColumnValues, rows_where
from segmenter.guesses.guess import Draft, quoted, text_list
from segmenter.messages import Message
from segmenter.sources import fields
from segmenter.vocabulary import vocabulary

_MOST = 40  # different states
_KNOWN = 0.5  # share of the rows whose state has to be known
_STRANGE = 0.01  # share of the rows whose state may be unknown without a question


@dataclass(frozen=True)
class Statuses:
    """The state of each row, and the SQL that says which are no orders and which are refunds."""

    column: str | None
    left_out: pl.Series  # Boolean, for each row
    where: str | None = None
    refund: str | None = None


_MEANT = {
    "order": "order",
    "good": "order",
    "refunded": "refund",
    "test": "left_out",
    "draft": "left_out",
    "unpaid": "left_out",
    "cancelled": "left_out",
}


@cache
def meaning(status: str) -> str | None:
    """Say what a state is taken for: ``refund``, ``left_out`` or ``order``; None where it is not known."""
    kind = status_kind(status)
    return None if kind is None else _MEANT[kind]


def guess_statuses(frame: pl.DataFrame, values: dict[str, ColumnValues], taken: set[str], found: Draft) -> Statuses:
    """Find the columns of states, and what each state is taken for."""
    columns = [name for name in by_name(values, "status") if name not in taken and _is_status(values[name])]
    nothing = pl.repeat(False, frame.height, eager=True)
    if not columns:
        return Statuses(None, nothing)
    asked = {kind: found.answer(f"orders.{kind}") for kind in ("left_out", "refunded")}
    wheres, refunds, left_out = [], [], nothing
    for column in columns:
        states = fields.text(frame[column])
        counts = states.drop_nulls().value_counts(sort=True, name="rows").rename({column: "state"})
        means = {state: _asked(state, asked) or meaning(state) for state in counts["state"]}
        if any(holds(plain_name(column), plain_name(word)) for word in vocabulary("columns")["after_sale"]):
            means = {
                state: kind if kind == "refund" else "order" for state, kind in means.items()
            }  # a claim that is closed leaves the order
        unknown = [(state, rows) for state, rows in counts.rows() if means[state] is None]
        if asked["left_out"] is None and sum(rows for _, rows in unknown) > _STRANGE * frame.height:
            sentence = (
                '"{column}" has states whose meaning is not known: {states}; which of them are no orders (a list; [] for none)? '
                "answers.orders.refunded lists refunds"
            )
            shown = tuple(f"{hide(state)} ({rows:,})" for state, rows in unknown[:10])
            found.ask(
                "orders.left_out", Message("init.states", sentence, column=column, states=shown), tuple(state for state, _ in unknown)
            )
        out, back = ([state for state in means if means[state] == kind] for kind in ("left_out", "refund"))
        if out:
            wheres.append(f"COALESCE({quoted(column)}, '') NOT IN ({text_list(out)})")
            left_out |= states.is_in(out).fill_null(value=False)
        if back:
            refunds.append(f"COALESCE({quoted(column)}, '') IN ({text_list(back)})")
        _tell(column, dict(counts.rows()), means, found)
    return Statuses(columns[0], left_out, " AND ".join(wheres) or None, " OR ".join(refunds) or None)


def known_statuses(frame: pl.DataFrame, orders: Mapping[str, Any], column: str | None, found: Draft) -> Statuses | None:
    """Take what is known of a system's states; None where the file's say otherwise, as in another language than the one that is known."""
    kept = rows_where(frame, orders["where"])
    back = rows_where(frame, orders.get("refund"))
    if column is not None and column in frame.columns:
        states = pl.DataFrame({"state": fields.text(frame[column]), "order": kept & ~back, "out": ~kept}).drop_nulls("state")
        means = states.unique().with_columns(means=pl.col("state").map_elements(meaning, return_dtype=pl.String))
        sold, out = means.filter("order")["means"], means.filter("out")["means"]
        if sold.is_in(["left_out", "refund"]).any() or (out == "order").any() or not kept.any():
            return None
        shown = tuple(map(hide, states["state"].unique(maintain_order=True).head(_MOST)))
        found.notes.append(Message("init.known_states", '"{column}" has: {states}', column=column, states=shown))
    return Statuses(column, ~kept, orders["where"], orders.get("refund"))


def _is_status(values: ColumnValues) -> bool:
    rank = name_rank(values.name, "status")
    if rank is None or values.distinct > _MOST or values.is_number or not len(values.text):
        return False
    known = sum(rows for state, rows in values.text.value_counts().rows() if meaning(state))
    return known >= _KNOWN * len(values.text) or (is_exact(rank) and plain_name(values.name) not in ("state", "estado"))


def _asked(state: str, asked: dict[str, object]) -> str | None:
    for kind, means in (("left_out", "left_out"), ("refunded", "refund")):
        given = asked[kind]
        if given is not None and state in (given if isinstance(given, list | tuple) else [given]):
            return means
    return "order" if asked["left_out"] is not None and meaning(state) is None else None


def _tell(column: str, rows: dict[str, int], means: dict[str, str | None], found: Draft) -> None:
    """Say what each state is taken for."""
    sentence = '"{column}": orders are {orders}; refunds are {refunds}; left out are {out}'
    lists = {
        kind: tuple(f"{hide(state)} ({rows[state]:,})" for state in means if (means[state] or "order") == kind)
        or (Message("init.none", "none"),)
        for kind in ("order", "refund", "left_out")
    }
    why = Message("init.statuses", sentence, column=column, orders=lists["order"], refunds=lists["refund"], out=lists["left_out"])
    if not any(guess.key == "data.orders.columns.status" for guess in found.guesses):
        found.take("data.orders.columns.status", column, why)
    else:
        found.notes.append(why)
