"""A column that says in which currency an amount is, though nothing was mapped to it."""

from collections.abc import Sequence

import polars as pl

from segmenter.checks.column_words import holds, plain
from segmenter.findings import Finding
from segmenter.messages import Message
from segmenter.vocabulary import vocabulary

_NAMES: list[str] = vocabulary("currencies")["names"]
_COMMON = frozenset(vocabulary("currencies")["common"])
_MOST = 30  # different values of a column of currencies
_SHARE = 0.9  # of its rows that have to hold some


def speaks_of_currency(column: str) -> bool:
    """Tell by its name whether a column says in which currency an amount is."""
    name = plain(column)
    return any(holds(name, word) for word in _NAMES)


def likeliest_first(columns: Sequence[str]) -> list[str]:
    """Put columns that may be currencies in the order in which they are looked at: by name, the shortest first, then the others."""
    return sorted(columns, key=lambda name: (not speaks_of_currency(name), len(name), name))


def is_currency(column: str, counts: pl.DataFrame, launch: str) -> bool:
    """Tell whether a column holds currencies: `counts` has each ``code``, as read, and its ``rows``."""
    from babel.numbers import list_currencies

    known = counts.filter(pl.col("code").is_not_null())
    if known.is_empty() or known.height > _MOST:
        return False
    codes = known["code"].to_list()
    if not speaks_of_currency(column):
        return all(code in _COMMON for code in codes)
    real = list_currencies() | {launch}
    return int(known.filter(pl.col("code").is_in(list(real)))["rows"].sum()) >= _SHARE * int(known["rows"].sum())


def judge_currency(column: str, counts: pl.DataFrame, launch: str) -> Finding | None:
    """Say what to make of a column of currencies: nothing where all is the launch's, a stop where nothing is; else others are rejected."""
    known = counts.filter(pl.col("code").is_not_null()).sort(["rows", "code"], descending=[True, False])
    others = known.filter(pl.col("code") != launch)
    if others.is_empty():
        return None
    rows, all_rows = int(others["rows"].sum()), int(counts["rows"].sum())
    facts = {"column": column, "currency": launch, "others": tuple(others["code"].head(5)), "rows": rows, "all": all_rows}
    if others.height == known.height:
        sentence = (
            'data.orders.columns.currency: the column "{column}" says that the amounts are in {others}, and launch.currency is {currency}: '
            "set launch.currency to that of the amounts, or map the column of amounts in {currency}; where they are in {currency} all the "
            "same, data.orders.columns.currency=\"CASE WHEN \\\"{column}\\\" <> '' THEN '{currency}' END\" says so"
        )
        return Finding("stop", Message("ids.only_other_currencies", sentence, **facts))
    sentence = (
        'data.orders.columns.currency: the column "{column}" was taken for the currency: {rows:,} of {all:,} rows are in {others}, not in '
        "{currency}, and are rejected; data.orders.where can leave them out"
    )
    return Finding("warning", Message("ids.other_currencies", sentence, **facts))
