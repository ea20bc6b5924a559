"""Which of ``.`` and ``,`` is the decimal mark of a column of text: one decision, from all its values.

A cell such as ``1.250,40`` can be read in one way only, ``1.250`` in two. Those of the first kind decide for those of the second; where
there are none, the currency's own decimals, the other cells and where the currency is at home do, or nothing does.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal

import polars as pl

from segmenter import money
from segmenter.checks.number_format import OTHER, Mark, NumberFormat, two_ways, value_of
from segmenter.checks.written_numbers import SURE_DECIMAL, notation, usual_decimal
from segmenter.contacts import hide
from segmenter.findings import Finding
from segmenter.messages import Message

_FEW = 0.05  # a share of cells with the other decimal mark that decides nothing for those that can be read both ways
_CENTS = r"^-?[0-9]+(?:\.[0-9]{1,2})?$"  # can be read in one way only


def evidence(values: pl.Series, currency: str) -> pl.DataFrame:
    """Look at all cells of a column, or of a part of it: one row, see `merge`.

    It counts kinds of cells and has an example of each: ``dot`` and ``comma`` can be read with that decimal mark only, ``dot_two`` and
    ``comma_two`` have that mark and can be read both ways.
    """
    cells = values.drop_nulls().alias("v").to_frame()
    common = cells["v"].str.contains(_CENTS)
    others = cells.filter(~common)["v"].value_counts(name="count")
    others = others.with_columns(notation(others["v"], currency).alias("n")).drop_nulls()
    read = others.with_columns(value_of(".").alias("dot_value"), value_of(",").alias("comma_value"))
    return merge([_of_common(cells.filter(common)), _of_others(read.filter(_READ))])


_READ = pl.col("dot_value").is_not_null() | pl.col("comma_value").is_not_null()
_KINDS = {
    "dot": pl.col("comma_value").is_null(),
    "comma": pl.col("dot_value").is_null(),
    "dot_two": two_ways("."),
    "comma_two": two_ways(","),
    "dot_round": two_ways(".") & pl.col("n").str.ends_with("0"),
    "comma_round": two_ways(",") & pl.col("n").str.ends_with("0"),
    "small": pl.col("n").str.contains("^-?[0-9]{1,3}[CD]?$"),
    "large": pl.col("n").str.contains("^-?[0-9]{4,}[CD]?$"),
    "grouped": pl.col("n").str.contains("[.,'].*[.,']"),
    "word": pl.col("n").str.contains("e", literal=True),
    "credit": pl.col("n").str.ends_with("C"),
    "debit": pl.col("n").str.ends_with("D"),
}


def _of_others(cells: pl.DataFrame) -> pl.DataFrame:
    marks = {"dot": ".", "comma": ","}
    behind = {name: pl.col("n").str.extract(rf"[{mark}{SURE_DECIMAL}]([0-9]*)").str.len_bytes() for name, mark in marks.items()}
    return cells.select(
        pl.col("count").cast(pl.Int64).sum().alias("cells"),
        *(pl.col("count").cast(pl.Int64).filter(kind).sum().alias(name) for name, kind in _KINDS.items()),
        *(pl.col("v").filter(kind).min().alias(f"{name}_example") for name, kind in _KINDS.items()),
        *(length.filter(_KINDS[name]).min().cast(pl.Int64).alias(f"{name}_min") for name, length in behind.items()),
        *(length.filter(_KINDS[name]).max().cast(pl.Int64).alias(f"{name}_max") for name, length in behind.items()),
    )


def _of_common(cells: pl.DataFrame) -> pl.DataFrame:
    whole, length = pl.col("at").is_null(), pl.col("v").str.len_bytes().cast(pl.Int64)
    behind, digits = length - pl.col("at") - 1, length - pl.col("v").str.starts_with("-").cast(pl.Int64)
    counts = {"dot": ~whole, "small": whole & (digits <= 3), "large": whole & (digits > 3)}
    found = cells.lazy().with_columns(pl.col("v").str.find(".", literal=True).cast(pl.Int64).alias("at"))
    return found.select(
        pl.len().cast(pl.Int64).alias("cells"),
        *(kind.sum().cast(pl.Int64).alias(name) for name, kind in counts.items()),
        pl.col("v").filter(~whole).min().alias("dot_example"),
        behind.min().alias("dot_min"),
        behind.max().alias("dot_max"),
    ).collect()


def totals(values: pl.Series, currency: str, places: int) -> tuple[int, int]:
    """Say what a column comes to with ``.`` and with ``,`` as the decimal mark, in units of `places` decimals."""

    def total(mark: Mark) -> int:
        minor = NumberFormat(mark, only=False).read(values, currency) * 10**places
        return int(minor.filter(minor.abs() <= money.LARGEST).round(0, mode="half_to_even").cast(pl.Int64).sum())

    return total("."), total(",")


def merge(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Put the evidence of several parts of a column together."""
    whole = pl.concat(parts, how="diagonal")
    least = [name for name in whole.columns if name.endswith(("_min", "_example"))]
    most = [name for name in whole.columns if name.endswith("_max")]
    counts = [name for name in whole.columns if name not in (*least, *most)]
    return whole.select(pl.col(counts).sum(), pl.col(least).min(), pl.col(most).max())


def decide(
    found: pl.DataFrame,
    column: str,
    currency: str,
    asked: Literal["auto", ".", ","],
    *,
    amount: bool,
    totals: Callable[[], tuple[int, int]],
    hint: Mark | None = None,
) -> tuple[NumberFormat, list[Finding]]:
    """Decide how a column is read, and say so.

    Parameters
    ----------
    found : DataFrame
        The evidence of the whole column.
    column : str
        Its name, as it may be shown.
    currency : str
        The launch's.
    asked : {'auto', '.', ','}
        ``data.decimal``: what it names stands.
    amount : bool
        Whether the cells are amounts in that currency; a quantity has decimals of its own.
    totals : callable
        Gives what the column comes to, as `totals` does, where that has to be shown.
    hint : str, optional
        The decimal mark of other columns of the table: it decides where nothing in this one does.

    Returns
    -------
    tuple
        The format, and the findings: a note of how amounts are read, a warning where they are written in two ways, a stop where nothing
        decides.
    """
    row = found.row(0, named=True)
    refunds, findings = _refunds(row, column)
    if asked != "auto":
        return NumberFormat(asked, refunds=refunds), findings
    mark = _mark(row, currency, amount, hint)
    if mark is None:
        stop = _two_readings(row, column, currency, amount, totals())
        return NumberFormat(".", only=False, refunds=refunds), [*findings, stop]
    taken = NumberFormat(mark, only=False, doubtful=_doubt(row, mark, currency), refunds=refunds)
    return taken, [*findings, *_told(row, column, currency, taken, amount)]


def clear_mark(found: pl.DataFrame) -> Mark | None:
    """Give the decimal mark that a column's cells show by themselves."""
    dot, comma = found.row(0, named=True)["dot"], found.row(0, named=True)["comma"]
    return None if bool(dot) == bool(comma) else "." if dot else ","


def _mark(row: dict[str, Any], currency: str, amount: bool, hint: Mark | None) -> Mark | None:
    """Choose the decimal mark; None where both fit and nothing decides."""
    dot, comma, two = row["dot"], row["comma"], row["dot_two"] + row["comma_two"]
    if dot and comma and two and min(dot, comma) > _FEW * (dot + comma):
        return None
    if dot or comma:
        return "." if dot >= comma else ","
    if not two:
        return hint or "."
    return hint or (None if row["dot_two"] and row["comma_two"] else _by_habit("." if row["dot_two"] else ",", row, currency, amount))


def _by_habit(seen: Mark, row: dict[str, Any], currency: str, amount: bool) -> Mark | None:
    """Say whether the only mark, always with three digits behind it, is the decimal one; None where that may be or not."""
    places, usual = money.digits(currency) if amount else None, usual_decimal(currency)
    three = not row["small"] and not row["large"]  # all cells have three digits behind the mark, as numbers with three decimals have
    decimals = places == 3 or (places != 0 and three and usual in (None, seen))
    # Were it that of thousands, all from 1,000 on would have it.
    thousands = not row["large"] and (places != 3 or usual != seen)
    if thousands and not decimals and (usual != seen or places == 0):
        return OTHER[seen]
    return seen if decimals and not thousands else None


def _doubt(row: dict[str, Any], mark: Mark, currency: str) -> Literal["", "round", "all"]:
    """Say which cells with three decimals are hardly that: where the others have fewer, a thousand may be meant."""
    name, places = ("dot", "comma")[mark == ","], money.digits(currency)
    if not row[name] or not row[f"{name}_two"] or places == 3 or row[f"{name}_max"] > 2:
        return ""
    if row[f"{name}_min"] == row[f"{name}_max"] == 2:
        return "all"
    return "round" if row[f"{name}_round"] else ""


def _refunds(row: dict[str, Any], column: str) -> tuple[str, list[Finding]]:
    """Say which of CR and DR stands at what is given back: the rarer."""
    credit, debit, bare = row["credit"], row["debit"], row["cells"] - row["credit"] - row["debit"]
    if not credit and not debit:
        return "C", []
    rarer, common = (("C", credit), debit) if credit <= debit else (("D", debit), credit)
    if not rarer[1]:  # only one of them is there: it is compared with the cells without
        rarer, common = ("D" if rarer[0] == "C" else "C", common), bare
    mark = rarer[0] if rarer[1] <= common else ""
    shown = hide(row["credit_example" if mark == "C" or not debit else "debit_example"])
    if mark:
        sentence = '{column}: amounts such as "{example}" are taken for what was given back, as fewer have this mark than not'
        return mark, [Finding("note", Message("amounts.given_back", sentence, column=column, example=shown))]
    sentence = '{column}: amounts such as "{example}" are taken for what was paid, as most have this mark'
    return mark, [Finding("note", Message("amounts.marked", sentence, column=column, example=shown))]


def _two_readings(row: dict[str, Any], column: str, currency: str, amount: bool, come_to: tuple[int, int]) -> Finding:
    text = row["comma_two_example"] if row["dot_two_example"] is None else row["dot_two_example"]
    sentence = (
        'data.decimal: "{column}" can be read in two ways, and nothing in it says which: "{example}" is {dot} with . as the decimal mark '
        'and {comma} with ",", and all come to {dot_total} or to {comma_total}; set data.decimal=. or data.decimal=","'
    )
    dot, comma = (_shown(text, NumberFormat(mark), currency, amount) for mark in OTHER)
    unit = f" {currency}" if amount else ""
    dot_total, comma_total = (f"{money.exact(minor, currency)}{unit}" for minor in come_to)
    facts = {"column": column, "example": hide(text), "dot": dot, "comma": comma, "dot_total": dot_total, "comma_total": comma_total}
    return Finding("stop", Message("amounts.two_readings", sentence, **facts))


def _told(row: dict[str, Any], column: str, currency: str, taken: NumberFormat, amount: bool) -> list[Finding]:
    """Say how the column is read, where that is not plain to see."""
    findings, mark = [], taken.decimal
    major, minor = ("dot", "comma") if mark == "." else ("comma", "dot")
    facts = {"column": column, "mark": mark}

    def example(*names: str) -> dict[str, str]:
        text = next(row[f"{name}_example"] for name in names if row[f"{name}_example"] is not None)
        return {"example": hide(text), "value": _shown(text, replace(taken, doubtful=""), currency, amount)}

    two = [f"{name}_two" for name in (minor, *([] if taken.doubtful else [major])) if row[f"{name}_two"]]
    if two or (not row[minor] and ((row["grouped"] and row[major]) or (mark == "," and row["comma"]))):
        sentence = '{column}: numbers such as "{example}" are read with {mark} as the decimal mark, as {value} (data.decimal)'
        findings.append(Finding("note", Message("amounts.decimal", sentence, **facts, **example(*two, "grouped", major))))
    if row["word"]:
        sentence = '{column}: numbers such as "{example}" are read as {value}'
        findings.append(Finding("note", Message("amounts.words", sentence, column=column, **example("word"))))
    if row["dot"] and row["comma"]:
        sentence = (
            '{column}: {count:,} numbers such as "{example}" are not written with {mark} as the decimal mark, as most are, such as '
            '"{other}"; each is read in the only way that it can be, here as {value}'
        )
        other = hide(row[f"{major}_example"])
        findings.append(
            Finding("warning", Message("amounts.two_marks", sentence, **facts, count=row[minor], other=other, **example(minor)))
        )
    return findings


def _shown(text: str, how: NumberFormat, currency: str, amount: bool) -> str:
    value = how.read(pl.Series([text]), currency).item()
    if value is None:
        return "–"
    places = money.digits(currency)
    return f"{value:,.{places}f}" if amount and round(value, places) == value else f"{value:,.15g}"
