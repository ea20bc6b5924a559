"""Ids that stand for nobody: the till's walk-in customer, a web shop's guests, a phone that everybody gives.

By its word, or because it holds far more orders, names, phones or addresses than any other id. What is only likely is a warning.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from segmenter.checks.id_forms import odd_ids
from segmenter.contacts import hide
from segmenter.findings import Finding
from segmenter.messages import Message
from segmenter.vocabulary import vocabulary

_WORDS = frozenset(map(str, vocabulary("nobody")["words"]))
_FILLER = f"^(?:{'|'.join(map(str, vocabulary('nobody')['fillers']))})$"
_MOST, _SHOWN = 20, 5  # ids that are looked at closely; that a message names
_CROWD = 10  # names, phones or addresses: fewer may be a family's, or a reseller's
_FEW_ORDERS = 5  # below which an id with a filler is left alone, unless it is like no other
_GAP = 5  # times as much as whoever comes next
# Orders alone: one in business may order often.
_LIKELY, _LIKELY_GAP = 20, 8
_SURE, _SURE_GAP = 50, 20

ContactsOf = Callable[[Sequence[str]], pl.DataFrame]
_COUNTS = pl.Schema({"customer_id": pl.String(), "column": pl.String(), "different": pl.Int64()})


def no_contacts(_: Sequence[str]) -> pl.DataFrame:
    """Know nothing of who is behind ids."""
    return _COUNTS.to_frame()


@dataclass(frozen=True)
class Nobody:
    """Ids to keep out, and how they were found."""

    ids: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


def find_nobody(
    totals: pl.DataFrame, asked: Literal["auto"] | Sequence[str], contacts_of: ContactsOf, names: pl.DataFrame | None = None
) -> Nobody:
    """Say which ids stand for nobody.

    `totals` has ``customer_id``, distinct, and ``orders`` before the as-of date; `names` has the ``name`` of customers. `contacts_of`
    gives for some ids how many ``different`` values there are in each ``column`` of names, phones, mails or addresses of their orders.
    """
    if asked != "auto":
        return _as_asked(totals, asked)
    orders = int(totals["orders"].sum())
    reasons: dict[str, Message] = {}
    for name, count in odd_ids(totals).filter(is_word("customer_id")).sort("customer_id").rows():
        reasons[name] = _reason(name, count, orders, Message("ids.word", "a word for nobody in particular"))
    if names is not None:
        named = totals.join(names.filter(is_word("name")), on="customer_id", how="semi").sort("customer_id")
        for name, count in named.select("customer_id", "orders").rows():
            reasons.setdefault(name, _reason(name, count, orders, Message("ids.named", "called by a word for nobody in particular")))
    crowded = _crowded(totals, contacts_of)
    for name, column, different in crowded.rows():
        why = Message("ids.crowd", "{count:,} different values in {column}", count=different, column=column)
        reasons.setdefault(name, _reason(name, _orders_of(totals, name), orders, why))
    for name, count in _fillers(totals).rows():
        why = Message("ids.filler", "what stands where there is no id")
        reasons.setdefault(name, _reason(name, count, orders, why))
    sure, likely = _far_ahead(totals.filter(~pl.col("customer_id").is_in(list(reasons))) if reasons else totals)
    for name, count, times in sure:
        reasons[name] = _reason(name, count, orders, Message("ids.ahead", "{times:,} times as many as any other customer", times=times))
    findings = []
    if reasons:
        sentence = (
            "ids that stand for nobody are kept out of the list: {ids}; data.orders.not_customers=[{names}] keeps them out without "
            "this warning, [] takes all for customers"
        )
        shown, those = _few([*reasons.values()]), _few([*map(hide, reasons)])
        findings.append(Finding("warning", Message("ids.nobody", sentence, ids=shown, names=those, count=len(reasons))))
    if likely:
        sentence = (
            "ids with far more orders than any other: {ids}; if nobody in particular is behind one, "
            "data.orders.not_customers=[…] keeps it out"
        )
        what = [
            _reason(name, count, orders, Message("ids.ahead", "{times:,} times as many as any other customer", times=times))
            for name, count, times in likely
        ]
        findings.append(Finding("warning", Message("ids.likely_nobody", sentence, ids=_few(what), count=len(likely))))
    return Nobody(tuple(sorted(reasons)), tuple(findings))


def is_word(column: str) -> pl.Expr:
    """Tell which texts are words for nobody in particular; of a mail address, what stands before the @."""
    # What has more digits is looked at no further: there may be millions.
    may = pl.col(column).str.contains(r"^\D*\d{0,2}(?:@.*)?$")
    text = pl.when(may).then(column).str.normalize("NFKC").str.to_lowercase().str.replace(r"@[^@]+$", "")
    return text.str.replace_all(r"[\s\p{P}\p{S}\p{Cf}]", "").str.replace(r"(\D)\d{1,2}$", "${1}").is_in(list(_WORDS)).fill_null(value=False)


def _as_asked(totals: pl.DataFrame, asked: Sequence[str]) -> Nobody:
    known = totals.filter(pl.col("customer_id").is_in(list(asked)))
    findings = []
    if not known.is_empty():
        sentence = "kept out of the list by data.orders.not_customers: {count:,} ids with {orders:,} of {all:,} orders"
        facts = {"count": known.height, "orders": int(known["orders"].sum()), "all": int(totals["orders"].sum())}
        findings.append(Finding("note", Message("ids.asked", sentence, **facts)))
    if missing := [name for name in dict.fromkeys(asked) if name not in set(known["customer_id"])]:
        sentence = "data.orders.not_customers: no customer has these ids: {ids}"
        findings.append(Finding("warning", Message("ids.asked_unknown", sentence, ids=_few([*map(hide, missing)]))))
    return Nobody(tuple(sorted(known["customer_id"])), tuple(findings))


def _reason(name: str, count: int, orders: int, why: Message) -> Message:
    return Message("ids.reason", '"{id}" ({count:,} of {orders:,} orders; {why})', id=hide(name), count=count, orders=orders, why=why)


def _few(items: Sequence[str]) -> tuple[str, ...]:
    return (*items[:_SHOWN], *(["…"] if len(items) > _SHOWN else []))


def _orders_of(totals: pl.DataFrame, name: str) -> int:
    return int(totals.filter(customer_id=name)["orders"].item())


def _fillers(totals: pl.DataFrame) -> pl.DataFrame:
    """Give ids such as 0 or -1 that no other is like, or that hold more orders than a customer would."""
    is_filler = pl.col("customer_id").str.contains(_FILLER)
    found = totals.lazy().filter(is_filler).collect()
    if found.is_empty() or (others := totals.filter(~is_filler)).is_empty():
        return found.clear()
    usual = others.select(pl.col("orders").quantile(0.9, "higher")).item()
    many = (pl.col("orders") >= _FEW_ORDERS) & (pl.col("orders") >= 3 * max(usual, 1))
    # 00000 is one of many where there is a 00001, and 0 where there is a 1; below zero there is nobody.
    first = others["customer_id"].filter(others["customer_id"].str.contains("^0*[1-9]$")).str.len_chars().unique()
    zero = pl.col("customer_id").str.contains("^0+$")
    lonely = (zero & ~pl.col("customer_id").str.len_chars().is_in(first.implode())) | (pl.col("customer_id") == "-1")
    return found.filter(many | lonely).sort("customer_id")


def _crowded(totals: pl.DataFrame, contacts_of: ContactsOf) -> pl.DataFrame:
    """Give ids with far more names, phones or addresses than those who order as much: ``customer_id``, ``column``, ``different``."""
    top = _busiest(totals, 2 * _MOST)
    if top.is_empty() or top["orders"][0] < _CROWD:
        return _COUNTS.to_frame()
    found = []
    # Whoever orders for others, or from many branches, comes to the same ones again and again.
    counts = contacts_of(top["customer_id"].to_list()).join(top, on="customer_id")
    counts = counts.with_columns(pl.when(2 * pl.col("different") >= pl.col("orders")).then("different").otherwise(1).alias("different"))
    for (column,), rows in (
        counts.select("customer_id", "column", "different").sort("column").partition_by("column", as_dict=True, maintain_order=True).items()
    ):
        ranked = rows.sort(["different", "customer_id"], descending=[True, False]).rows()
        head = _before_gap([row[2] for row in ranked], _CROWD, _GAP)
        found += [(row[0], str(column), row[2]) for row in ranked[:head]]
    return pl.DataFrame(found, schema=_COUNTS, orient="row").unique("customer_id", keep="first", maintain_order=True).sort("customer_id")


def _busiest(totals: pl.DataFrame, most: int) -> pl.DataFrame:
    """Give those with most orders, of equals by id: of millions the few above the last of them are sorted, and no more."""
    if totals.is_empty():
        return totals
    last = totals["orders"].top_k(most).min()
    above, equal = totals.filter(pl.col("orders") > last), totals.filter(pl.col("orders") == last)
    above = above.sort(["orders", "customer_id"], descending=[True, False])
    return pl.concat([above, equal.bottom_k(most - above.height, by="customer_id").sort("customer_id")])


def _before_gap(ranked: Sequence[int], least: int, times: int) -> int:
    """Say how many of the first few are so many times as large as the next, the last such gap counting."""
    heads = range(1, min(len(ranked), 1 + max(1, len(ranked) // 4)))
    return max((head for head in heads if ranked[head - 1] >= max(least, times * max(ranked[head], 1))), default=0)


def _far_ahead(totals: pl.DataFrame) -> tuple[list[tuple[str, int, int]], list[tuple[str, int, int]]]:
    """Give who has far more orders than anybody else, surely and likely nobody: id, orders, how many times as many."""
    ranked = _busiest(totals, _MOST).rows()
    counts = [row[1] for row in ranked]
    sure = _before_gap(counts, _SURE, _SURE_GAP)
    both = max(sure, _before_gap(counts, _LIKELY, _LIKELY_GAP))

    def times(at: int, head: int) -> tuple[str, int, int]:
        return ranked[at][0], ranked[at][1], ranked[at][1] // max(counts[head], 1)

    return [times(at, sure) for at in range(sure)], [times(at, both) for at in range(sure, both)]
