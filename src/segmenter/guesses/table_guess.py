"""Which table holds what: orders, customers, events, referrals; and which columns join them."""

from dataclasses import dataclass

import polars as pl

from segmenter.checks.id_forms import person_key
from segmenter.contacts import is_contact_name
from segmenter.guesses.column_guess import Values, choose, evidence, named, people
from segmenter.guesses.column_names import by_name, is_exact, name_rank, plain_name
from segmenter.guesses.column_values import share_of
from segmenter.guesses.customers_guess import customers_in_orders, guess_customers, take_place
from segmenter.guesses.guess import Draft
from segmenter.guesses.known_sources import recognise
from segmenter.guesses.orders_guess import amounts, guess_orders, order_ids, times
from segmenter.guesses.source_tables import Sources, SourceTable
from segmenter.messages import Message
from segmenter.sources import fields
from segmenter.vocabulary import vocabulary

_JOINED = 0.95  # share of the orders whose customers should be in the customers' table
_SOME = 0.3  # share of ids from which two columns are the same ids at all
_NAMES = vocabulary("columns")["files"]


@dataclass(frozen=True)
class _Look:
    table: SourceTable
    values: Values

    @property
    def amounts(self) -> list[str]:
        found = amounts(self.values)
        if found:
            return found
        priced = by_name(self.values, "unit_price"), by_name(self.values, "quantity")
        return priced[0][:1] if all(priced) else [name for name, column in self.values.items() if column.is_money and column.has_decimals]

    @property
    def numbered(self) -> bool:
        return any(is_exact(name_rank(name, "order_id") or 0) and plain_name(name) not in ("name", "id") for name in order_ids(self.values))

    def orders(self) -> float:
        """Score how much a table looks like orders; 0 where it cannot be."""
        if recognise(self.table.columns) is not None:
            return 100
        who = named(self.values, "customer_id", lambda column: column.filled > 0)
        when = times(self.values, set())
        if not self.amounts or not when:
            return 0
        text = plain_name(self.table.name)
        named_so = any(str(word) in text for word in _NAMES["orders"]) - 0.5 * any(str(word) in text for word in _NAMES["lines"])
        return 1 + 3 * self.numbered + bool(who) + named_so - 3 * self.one_each

    @property
    def one_each(self) -> bool:
        """Whether a row is a person: nobody has two, and there is more to tell than what was bought."""
        who = people(self.values, self.table.frame.height, ())
        contacts = [name for name in self.values if is_contact_name(name)]
        return (
            bool(who) and not self.numbered and len(contacts) >= 2 and self.values[who[0]].distinct >= 0.98 * len(self.values[who[0]].text)
        )


def guess_tables(sources: Sources, found: Draft) -> SourceTable | None:
    """Find which table is which, and how each is to be read; give the orders, where it is clear which they are."""
    found.notes += sources.unread
    looks = [_Look(table, table.values) for table in sources.tables]
    orders = _find_orders(looks, found)
    if orders is None:
        return None
    rest = [look for look in looks if look is not orders]
    take_place("orders", orders.table, found)
    people_of = _customers(rest, orders, found)
    columns = guess_orders(orders.table, found, None if people_of is None else [people_of[1]])
    if columns is None:
        return None
    theirs = [] if people_of is None else [(people_of[0].table.frame, people_of[2])]
    _one_person([(orders.table.frame, columns.customer_id), *theirs], found)
    if people_of is not None:
        rest.remove(people_of[0])
        guess_customers(people_of[0].table, people_of[2], found)
    elif found.answer("customers.file") is None:
        customers_in_orders(orders.table, columns, found)
    ids = _ids(orders.table.frame, columns.customer_id)
    for name, field in (("referrals", "friend_id"), ("events", "kind")):
        for look in rest:
            if found.answer(f"{name}.file") in (None, look.table.name) and (joined := _follows(look, field, ids)) and not look.numbered:
                _guess_other(name, look, field, joined, found)
                rest.remove(look)
                break
    found.notes += [_left(look) for look in rest]
    return orders.table


def _find_orders(looks: list[_Look], found: Draft) -> _Look | None:
    said = found.answer("orders.file")
    names = tuple(look.table.name for look in looks)
    if said is not None and (chosen := [look for look in looks if look.table.name == said]):
        return chosen[0]
    scores = sorted(((look.orders(), -number) for number, look in enumerate(looks)), reverse=True)
    if not scores or scores[0][0] <= 0:
        sentence = (
            "none of {files} has all that orders need, who, when and how much, in its rows; amounts that stand in another file than the "
            "customers have to be joined to them first, such as in a database (paths=[sqlite:///shop.db], data=database with a query)"
        )
        found.ask("orders.file", Message("init.no_orders", sentence, files=names), names)
        return None
    if len(scores) > 1 and scores[1][0] > 0 and scores[0][0] - scores[1][0] < 1:
        sentence = "which of {files} are the orders? What has other columns cannot be read with them"
        found.ask("orders.file", Message("init.ask_orders", sentence, files=names), names)
        return None
    return looks[-scores[0][1]]


def _ids(frame: pl.DataFrame, column: str) -> pl.Series:
    """Give the ids of a column, however they were typed."""
    if column not in frame.columns:
        return pl.Series([], dtype=pl.String)
    return fields.text(frame[column]).drop_nulls().to_frame("id").select(person_key(pl.col("id"))).to_series()


def _one_person(frames: list[tuple[pl.DataFrame, str]], found: Draft) -> None:
    """Say whether ids that differ only in how they were typed are one customer's."""
    if found.answer("ids") is not None or any(column not in frame.columns for frame, column in frames):
        return
    written = pl.concat([fields.text(frame[column]).drop_nulls().unique() for frame, column in frames]).unique().to_frame("id")
    keys = written.select("id", key=person_key(pl.col("id"))).filter(pl.col("key").is_duplicated())
    if keys.is_empty():
        return
    sentence = "{ids:,} ids are {people:,} but for case, blanks, width, +86 and the like: they are one customer's; exact tells them apart"
    found.take("data.ids", "mended", Message("init.one_person", sentence, ids=keys.height, people=keys["key"].n_unique()))


def _customers(looks: list[_Look], orders: _Look, found: Draft) -> tuple[_Look, str, str] | None:
    """Find the table of customers, and the columns of the orders and of itself that hold the same ids."""
    if (said := found.answer("customers.file")) == "none":
        return None
    source = recognise(orders.table.columns)
    mine = [name for name in by_name(orders.values, "customer_id") if orders.values[name].filled > 0.2]
    mine = mine if source is None else [source.columns["customer_id"]]
    best: tuple[float, int, _Look, str, str] | None = None
    for look in looks:
        theirs = [
            name for name in [*by_name(look.values, "customer_id"), *by_name(look.values, "order_id")] if look.values[name].filled > 0.5
        ]
        for rank, here in enumerate(mine):
            ids = _ids(orders.table.frame, here)
            for there in dict.fromkeys(theirs):
                known = _ids(look.table.frame, there)
                if known.n_unique() < 0.9 * len(known) or said not in (None, look.table.name):
                    continue
                share = share_of(ids.is_in(known.unique().implode()))
                if share >= _SOME and (best is None or (round(share, 2), -rank) > best[:2]):
                    best = (round(share, 2), -rank, look, here, there)
    if best is None:
        return None
    share, _, look, here, there = best
    if share < _JOINED and said is None:
        sentence = (
            "only {share:.0%} of the order rows are of customers in {file}: with it (the file's name) the others are rejected, "
            "without it (none) nobody's contacts are known"
        )
        found.ask("customers.file", Message("init.ask_customers", sentence, share=share, file=look.table.name), (look.table.name, "none"))
    return look, here, there


def _follows(look: _Look, field: str, ids: pl.Series) -> str | None:
    """Give the column of a table that holds the customers' ids, where it has what such a table needs."""
    if not named(look.values, field, lambda column: column.distinct > 1 or field == "kind"):
        return None
    if field == "kind" and not times(look.values, set()):
        return None
    known = ids.unique().implode()
    shares = {
        name: share_of(_ids(look.table.frame, name).is_in(known))
        for name in dict.fromkeys([*by_name(look.values, "referrer_id"), *by_name(look.values, "customer_id")])
    }
    return max(shares, key=lambda name: shares[name]) if shares and max(shares.values()) >= _SOME else None


def _guess_other(name: str, look: _Look, field: str, customer: str, found: Draft) -> None:
    values = look.values
    take_place(name, look.table, found)
    found.take(f"data.{name}.columns.customer_id", customer, evidence(customer, values))
    choose(name, field, values, named(values, field, lambda _: True, {customer}), found)
    choose(name, "time", values, times(values, {customer}), found)


def _left(look: _Look) -> Message:
    sentence = "{file} ({rows:,} rows) is not used: it is taken for neither customers, events nor referrals"
    return Message("init.left", sentence, file=look.table.name, rows=look.table.frame.height)
