"""A column mapping is a column's name or an SQL expression over the source's columns."""

import re
from itertools import product

import polars as pl
from polars.exceptions import PolarsError

from segmenter.errors import nearest

FILE, ROW = "__file", "__row"  # where a row stands in its source

_NUMBER = r"^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$"


def columns_of(frame: pl.DataFrame) -> list[str]:
    """List the source's own columns.

    Parameters
    ----------
    frame : DataFrame
        Raw rows, with or without their file and row number.

    Returns
    -------
    list of str
        All but those two.

    Examples
    --------
    >>> columns_of(pl.DataFrame({"__row": [1], "amount": [2.0]}))
    ['amount']
    """
    return [name for name in frame.columns if name not in (FILE, ROW)]


def evaluate(frame: pl.DataFrame, mapping: str, key: str) -> tuple[pl.Series, list[str]] | str:
    """Evaluate a mapping on raw rows.

    Text columns that mostly hold numbers are numbers in an expression wherever the expression allows it, so that
    ``Quantity * UnitPrice`` and ``InvoiceNo LIKE 'C%'`` both work on a CSV, whose cells are all text.

    Parameters
    ----------
    frame : DataFrame
        Raw rows.
    mapping : str
        A column's name, or an SQL expression (Polars SQL).
    key : str
        The config key, to name it in a message.

    Returns
    -------
    tuple of Series and list of str, or str
        The values and the source columns that they come from; or what is wrong.

    Examples
    --------
    >>> frame = pl.DataFrame({"Quantity": ["2", "3"], "UnitPrice": ["1.5", "x"]})
    >>> values, columns = evaluate(frame, "Quantity * UnitPrice", "data.orders.columns.amount")
    >>> values.to_list(), columns
    ([3.0, None], ['Quantity', 'UnitPrice'])
    """
    known = columns_of(frame)
    if mapping in known:
        return frame[mapping], [mapping]
    try:
        expression = pl.sql_expr(mapping)
    except PolarsError:
        if re.fullmatch(r"[\w ]+", mapping):
            return f'{key}: there is no column "{mapping}"{nearest(mapping, known)}'
        hint = "text in SQL stands in single quotes, a column's name with spaces in double ones"
        return f"{key}: is neither a column nor SQL that can be read: {mapping} ({hint}){nearest(mapping, known)}"
    names = list(dict.fromkeys(expression.meta.root_names()))
    if missing := [name for name in names if name not in known]:
        return f"{key}: there is no column " + ", ".join(f'"{name}"{nearest(name, known)}' for name in missing)
    if not names:
        return f'{key}: "{mapping}" names no column{nearest(mapping, known)}'
    source = frame.select(names)
    numbers = [name for name in names if _mostly_numbers(source[name])]
    problem = ""
    for as_number in product((True, False), repeat=len(numbers)):
        casts = [
            pl.col(name).str.strip_chars().cast(pl.Float64, strict=False) for name, cast in zip(numbers, as_number, strict=True) if cast
        ]
        try:
            values = source.with_columns(casts).select(expression.alias("value"))["value"]
        except PolarsError as error:
            problem = problem or str(error).splitlines()[0]
            continue
        if len(values) != len(source):
            return f'{key}: "{mapping}" should give one value for each row'
        return values, names
    return f'{key}: "{mapping}" cannot be computed: {problem}'


def _mostly_numbers(values: pl.Series) -> bool:
    if values.dtype != pl.String:
        return False
    present = values.drop_nulls()
    return len(present) > 0 and present.str.contains(_NUMBER).sum() * 2 >= len(present)
