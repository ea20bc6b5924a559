"""What a row of the orders is, and which rows are read."""

import polars as pl

from segmenter.guesses.column_guess import Values, named
from segmenter.guesses.column_values import numbers_of, rows_in, share_of
from segmenter.guesses.guess import Draft, OrderColumns, answered, quoted
from segmenter.guesses.order_states import Statuses
from segmenter.guesses.source_tables import SourceTable
from segmenter.messages import Message
from segmenter.sources import fields

_FEW = 0.05  # share of rows without a customer that may be rejects
_SAME = 0.95
_DEAR = 0.02  # share of the money in repeated rows that is not decided without a question


def guess_rows(table: SourceTable, values: Values, columns: OrderColumns, statuses: Statuses, found: Draft) -> None:
    """Find the rows that are read, the grain, repeats and refunds."""
    frame, wheres = table.frame, []
    kept = ~statuses.left_out
    ids = _text(frame, columns.order_id)
    blank = _blank_amounts(frame, columns)
    if columns.order_id and (kept & blank).any() and _on_other_lines(ids, kept & blank):
        wheres.append(" AND ".join(f"{quoted(name)} IS NOT NULL" for name in columns.of_amount[:1]))
        rows = rows_in(kept & blank)
        sentence = '"{column}" stands on the first line of an order only: {rows:,} further lines are left out'
        found.notes.append(Message("init.first_line", sentence, column=columns.of_amount[0], rows=rows))
        kept &= ~blank
    if (down := _fill_down(frame, values, columns, kept, found)) is not None:
        frame = frame.with_columns(pl.col(down).fill_null(strategy="forward"))
        ids = _text(frame, columns.order_id)
    empty = _text(frame, columns.customer_id).is_null() & kept
    if (share := rows_in(empty) / max(rows_in(kept), 1)) > _FEW:
        wheres.append(f"{quoted(columns.customer_id)} IS NOT NULL")
        sentence = '{rows:,} rows ({share:.1%}) have no "{column}": nobody can be told by them, so they are left out'
        found.notes.append(Message("init.no_customer", sentence, rows=rows_in(empty), share=share, column=columns.customer_id))
        kept &= ~empty
    _conditions(wheres, statuses, found)
    _grain(frame.filter(kept), columns, found)
    _repeats(table, values, columns, kept, found)
    _refunds(frame.filter(kept), columns, statuses, found)


def _text(frame: pl.DataFrame, column: str | None) -> pl.Series:
    if column is None or column not in frame.columns:
        return pl.repeat(None, frame.height, dtype=pl.String, eager=True)
    return fields.text(frame[column])


def _blank_amounts(frame: pl.DataFrame, columns: OrderColumns) -> pl.Series:
    if not columns.of_amount:
        return pl.repeat(False, frame.height, eager=True)
    return _text(frame, columns.of_amount[0]).is_null()


def _on_other_lines(ids: pl.Series, rows: pl.Series) -> bool:
    """Tell whether the orders of some rows have other rows, too."""
    others = ids.filter(~rows).unique().implode()
    return share_of(ids.filter(rows).is_in(others).fill_null(value=True)) >= _SAME


def _fill_down(frame: pl.DataFrame, values: Values, columns: OrderColumns, kept: pl.Series, found: Draft) -> list[str] | None:
    """Find the columns of an order that only its first line has."""
    said = found.answer("orders.fill_down")
    if said is not None:
        down = [str(name) for name in said] if isinstance(said, list | tuple) else [str(said)]
        found.take("data.orders.fill_down", down, answered("orders.fill_down"))
        return down
    empty = _text(frame, columns.customer_id).is_null() & kept
    if columns.order_id is None or not empty.any():
        return None
    ids = _text(frame, columns.order_id)
    below = ids.is_null() if rows_in(ids.is_null() & empty) >= _SAME * rows_in(empty) else empty
    if below is empty and not _on_other_lines(ids, empty):
        return None
    names = [columns.order_id, columns.customer_id, columns.time]
    mapped = [str(guess.value) for guess in found.guesses if guess.key.startswith("data.orders.columns.")]
    others = [name for name in mapped if name in frame.columns and name not in (*names, *columns.of_amount)]
    down = [name for name in (*names, *others) if rows_in(_text(frame, name).is_null() & below) >= _SAME * rows_in(below)]
    sentence = "{rows:,} lines have no {columns}: only the first line of an order has; its further lines take what stands above"
    found.take("data.orders.fill_down", down, Message("init.fill_down", sentence, rows=rows_in(empty), columns=tuple(down)))
    return down


def _conditions(wheres: list[str], statuses: Statuses, found: Draft) -> None:
    if (said := found.answer("orders.where")) is not None:
        found.take("data.orders.where", said, answered("orders.where"))
    elif conditions := [*wheres, *([statuses.where] if statuses.where else [])]:
        found.take("data.orders.where", " AND ".join(conditions), Message("init.where", "which rows are orders or refunds; see the notes"))


def _grain(frame: pl.DataFrame, columns: OrderColumns, found: Draft) -> None:
    """Say what a row is: an order, or a line of one."""
    if (said := found.answer("orders.grain")) is not None:
        found.take("data.orders.grain", said, answered("orders.grain"))
        return
    if columns.order_id is None:
        found.take("data.orders.grain", "order", Message("init.no_order_id", "no column numbers the orders: a row is an order"))
        return
    own = frame.drop([name for name in ("__row", "__file") if name in frame.columns]).unique()
    ids = _text(own, columns.order_id).drop_nulls()
    if ids.n_unique() == len(ids):
        sentence = 'each of {rows:,} rows has its own "{column}"'
        found.take("data.orders.grain", "auto", Message("init.own_id", sentence, rows=len(ids), column=columns.order_id))
        return
    sentence = '{rows:,} rows have {orders:,} different values of "{column}": an order has several rows'
    facts = {"rows": len(ids), "orders": ids.n_unique(), "column": columns.order_id}
    found.take("data.orders.grain", "auto", Message("init.lines", sentence, **facts))


def _repeats(table: SourceTable, values: Values, columns: OrderColumns, kept: pl.Series, found: Draft) -> None:
    """Say what becomes of rows that repeat another exactly."""
    if (said := found.answer("orders.repeats")) is not None:
        found.take("data.orders.repeats", said, answered("orders.repeats"))
        return
    frame = table.frame.select(table.columns).filter(kept)
    twice = ~frame.select(pl.struct(pl.all()).is_first_distinct()).to_series()
    if not twice.any():
        return
    mapped = {columns.customer_id, columns.time, columns.order_id, *columns.of_amount}
    goods = [name for name in named(values, "product", lambda column: column.filled > 0) if name not in mapped]
    moment = values[columns.time].times.drop_nulls() if columns.time in values else pl.Series([], dtype=pl.Datetime)
    clock = _has_clock(moment)
    told = bool(goods) or clock or columns.order_id is not None
    money = pl.Series([], dtype=pl.Float64)
    if len(columns.of_amount) == 1 and columns.of_amount[0] in frame.columns:
        money = numbers_of(frame[columns.of_amount[0]]).abs()
    whole = float(money.fill_null(0).to_numpy().sum())
    share = float(money.fill_null(0).to_numpy()[twice.to_numpy()].sum()) / whole if whole else share_of(twice)
    facts = {"rows": rows_in(twice), "share": share}
    if not told:
        sentence = "{rows:,} rows repeat another exactly ({share:.1%}), and nothing but the day tells purchases apart: they are kept"
        found.take("data.orders.repeats", "keep", Message("init.repeats_kept", sentence, **facts))
    elif share > _DEAR:
        sentence = "{rows:,} rows repeat another exactly ({share:.1%} of the money): are they the same (drop) or further purchases (keep)?"
        found.ask("orders.repeats", Message("init.ask_repeats", sentence, **facts), ("drop", "keep"))
    else:
        sentence = "{rows:,} rows repeat another exactly ({share:.1%} of the money): they are read once; keep counts them"
        found.take("data.orders.repeats", "drop", Message("init.repeats_dropped", sentence, **facts))


def _has_clock(moments: pl.Series) -> bool:
    """Tell whether times say more than the day."""
    return bool((moments != moments.dt.truncate("1d")).any()) if len(moments) else False


def _refunds(frame: pl.DataFrame, columns: OrderColumns, statuses: Statuses, found: Draft) -> None:
    """Say which rows are refunds besides those of negative amounts: by their state, or by the letter that begins their number."""
    if (said := found.answer("orders.refund")) is not None:
        found.take("data.orders.refund", said, answered("orders.refund"))
        return
    if statuses.refund:
        found.take(
            "data.orders.refund", statuses.refund, Message("init.refund", "rows in these states are refunds; negative amounts are, too")
        )
        return
    if columns.order_id is None or columns.order_id not in frame.columns:
        return
    numbers = [numbers_of(frame[name]) for name in columns.of_amount if name in frame.columns]
    negative = pl.DataFrame({str(at): read < 0 for at, read in enumerate(numbers)}).select(pl.any_horizontal(pl.all())).to_series()
    letters = _text(frame, columns.order_id).str.extract(r"^(\p{L}{1,4})[\d-]")
    (letter, rows) = letters.filter(negative).value_counts(sort=True).row(0) if negative.any() else (None, 0)
    if letter is None or rows < _SAME * rows_in(negative) or share_of(negative.filter((letters == letter).fill_null(value=False))) < _SAME:
        return
    sql = f"{quoted(columns.order_id)} LIKE '{letter}%'"
    sentence = '{rows:,} of {all:,} rows with a negative number have a "{column}" that begins with {letter}'
    facts = {"rows": rows, "all": rows_in(negative), "column": columns.order_id, "letter": letter}
    found.take("data.orders.refund", sql, Message("init.refund_letter", sentence, **facts))
