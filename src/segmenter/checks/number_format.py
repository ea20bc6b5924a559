"""How the texts of a column are read as numbers, once it is known which of ``.`` and ``,`` is their decimal mark."""

from dataclasses import dataclass
from typing import Literal

import polars as pl

from segmenter.checks.written_numbers import SURE_DECIMAL, fill_by_distinct, notation

Mark = Literal[".", ","]
OTHER: dict[Mark, Mark] = {".": ",", ",": "."}
_SIMPLE = {".": r"^-?[0-9]+(?:\.[0-9]+)?$", ",": "^-?[0-9]+(?:,[0-9]+)?$"}


@dataclass(frozen=True)
class NumberFormat:
    """How a column's texts are read as numbers."""

    decimal: Mark
    only: bool = True  # cells that can only be read with the other decimal mark are no numbers
    doubtful: Literal["", "round", "all"] = ""  # neither are those that would have three decimals; or the last of them 0
    refunds: str = "C"  # which of C and D, for CR and DR, stands at what is given back

    def read(self, values: pl.Series, currency: str) -> pl.Series:
        """Read texts as Float64; null for what is no number."""
        simple = values.str.contains(_SIMPLE[self.decimal]).fill_null(value=True)
        if self.doubtful:
            simple &= ~values.str.contains(rf"\{self.decimal}[0-9]{{3}}$").fill_null(value=False)
        text = values if self.decimal == "." else values.str.replace(",", ".", literal=True)
        known = text.cast(pl.Float64, strict=False).alias(values.name)
        return known if simple.all() else fill_by_distinct(values, known, ~simple, lambda texts: self._read(texts, currency))

    def in_doubt(self, values: pl.Series, currency: str) -> pl.Series:
        """Tell which texts are no numbers because they would have three decimals and all others have fewer."""
        if not self.doubtful:
            return pl.repeat(False, len(values), eager=True)
        return notation(values, currency).alias("n").to_frame().select(self._doubtful().fill_null(value=False)).to_series()

    def _read(self, texts: pl.Series, currency: str) -> pl.Series:
        value = value_of(self.decimal)
        if not self.only:
            value = value.fill_null(value_of(OTHER[self.decimal]))
        if self.doubtful:
            value = pl.when(~self._doubtful()).then(value)
        if self.refunds:
            value = pl.when(pl.col("n").str.ends_with(self.refunds)).then(-value.abs()).otherwise(value)
        return notation(texts, currency).alias("n").to_frame().select(value).to_series()

    def _doubtful(self) -> pl.Expr:
        two = two_ways(self.decimal)
        return two if self.doubtful == "all" else two & pl.col("n").str.ends_with("0")


AS_TYPED = NumberFormat(".")
EITHER_MARK = NumberFormat(".", only=False)  # where it is enough to see that it is a number


def value_of(mark: Mark) -> pl.Expr:
    """Read the notation with a decimal mark; null where that does not fit."""
    decimal, thousands = rf"[{mark}{SURE_DECIMAL}]", ("," if mark == "." else r"\.")
    groups = rf"[1-9][0-9]{{0,2}}(?:{thousands}[0-9]{{3}})+|[1-9][0-9]{{0,2}}(?:'[0-9]{{3}})+"
    if mark == ".":
        groups += "|[1-9][0-9]?(?:,[0-9]{2})+,[0-9]{3}"  # as in India
    number = rf"(?:(?:[0-9]+|{groups})(?:{decimal}[0-9]*)?|{decimal}[0-9]+)(?:e[0-9]+)?"
    fits = pl.col("n").str.contains(rf"^-?(?:{number}|[0-9]*{decimal}?[0-9]+E[-+]?[0-9]+)[CD]?$")
    text = pl.col("n").str.strip_chars_end("CD").str.replace_all(rf"['{thousands}]", "").str.replace(decimal, ".")
    return pl.when(fits).then(text.cast(pl.Float64, strict=False))


def two_ways(mark: Mark) -> pl.Expr:
    """Tell where a mark has three digits behind it and up to three before: it may be that of thousands as well as that of decimals."""
    return pl.col("n").str.contains(rf"^-?[1-9][0-9]{{0,2}}\{mark}[0-9]{{3}}(?:e[0-9]+)?[CD]?$")
