"""How people write numbers: every cell brought into one notation, in which only the meaning of ``.`` and ``,`` is still open.

The notation: an optional ``-``, digits with ``.``, ``,``, ``'`` (any other mark of thousands) and ``٫`` (a decimal mark for certain),
``e4`` for a word such as ten thousand, and at the end ``C`` or ``D`` where CR or DR stood.
"""

import re
import unicodedata
from collections.abc import Callable
from functools import cache

import polars as pl

from segmenter.vocabulary import vocabulary

SURE_DECIMAL = "\u066b"  # the Arabic decimal mark, which separates nothing else
_PLAIN = r"^-?[0-9][0-9.,]*$"
_LONGEST = 120  # bytes: what is longer is no number
_MARKS: dict[str, str] = {
    **{chr(code): str(value) for code in range(128, 0x1_0000) if (value := unicodedata.decimal(chr(code), None)) is not None},
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d", "-"),
    **dict.fromkeys("\u2018\u2019\u201b\u02bc\u02b9\u2032\u00b4`\u066c\uff07", "'"),
    **dict.fromkeys("\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff\u061c", ""),
    "\u060c": ",",  # the Arabic comma
    "\uff0b": "+",
}
_DIGITS = r"(?:[0-9][0-9.,'\x{066B}]*|[.,\x{066B}][0-9]+)"


def notation(values: pl.Series, currency: str) -> pl.Series:
    """Bring texts into the notation; null for what is no number, or has the sign of another currency."""
    plain = values.str.contains(_PLAIN).fill_null(value=True)
    if plain.all():
        return values
    # Mostly there is only a sign of money at one end: that much goes quickly.
    money = _money(currency)
    bare = values.str.replace(rf"^{money}\s*", "").str.replace(rf"\s*{money}$", "")
    plain = bare.str.contains(_PLAIN).fill_null(value=True)
    return bare if plain.all() else fill_by_distinct(values, bare, ~plain, lambda texts: _read(texts, currency))


def fill_by_distinct(values: pl.Series, known: pl.Series, left: pl.Series, read: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """Put what is read of some values among those known, and read each different one once."""
    some = values.filter(left).alias("value").to_frame()
    different = some["value"].unique()
    table = pl.DataFrame({"value": different, "read": read(different)})
    found = some.join(table, on="value", how="left", maintain_order="left")["read"]
    return known.clone().scatter(left.arg_true(), found).alias(values.name)


def _read(texts: pl.Series, currency: str) -> pl.Series:
    money, words = _money(currency), vocabulary("cells")["multipliers"]
    times = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    whole = (
        rf"(?i)^(?:{money})*(?<open>\()?(?:{money})*(?<before>[-+])?(?:{money})*(?<digits>{_DIGITS})(?<power>e[-+]?[0-9]+)?"
        rf"(?<times>{times})?(?:{money})*(?<after>[-+])?(?:{money})*(?<close>\))?(?:{money})*(?<mark>cr|dr)?\.?$"
    )
    short = texts.alias("t").to_frame().select(pl.when(pl.col("t").str.len_bytes() <= _LONGEST).then("t")).to_series()
    cells = short.str.replace_many(_MARKS).str.normalize("NFKC").str.replace(r"[.,:]\s*-+(\D*)$", "$1")  # 980,- is no minus
    for _ in range(2):  # a digit between two spaces belongs to both
        cells = cells.str.replace_all(r"([0-9])\s+([0-9])", "$1'$2")
    parts = cells.str.replace_all(r"\s", "").str.extract_groups(whole).struct.unnest()
    minus = [pl.col("open").is_not_null(), pl.col("before").eq("-").fill_null(value=False), pl.col("after").eq("-").fill_null(value=False)]
    count = pl.sum_horizontal(minus)
    right = (pl.col("open").is_null() == pl.col("close").is_null()) & (count <= 1)
    power = pl.col("times").str.to_lowercase().replace_strict({word: f"e{zeros}" for word, zeros in words.items()}, default=None)
    text = pl.concat_str(
        pl.when(count == 1).then(pl.lit("-")).otherwise(pl.lit("")),
        "digits",
        pl.col("power").str.to_uppercase().fill_null(""),
        power.fill_null(""),
        pl.col("mark").str.slice(0, 1).str.to_uppercase().fill_null(""),
    )
    both = pl.col("power").is_not_null() & pl.col("times").is_not_null()
    return parts.select(pl.when(right & ~both).then(text)).to_series()


def _money(currency: str) -> str:
    # Rs. and kr. are abbreviations; behind others, as in $.50, the point is a decimal mark.
    written = [re.escape(sign) + (r"\.?" if sign[-1].isalpha() and sign != currency else "") for sign in currency_signs(currency)]
    return "(?i:" + "|".join(written) + ")"


@cache
def currency_signs(currency: str) -> tuple[str, ...]:
    """List how a currency is written: its code, its signs and its names, in English, Chinese and where it is at home; long ones first."""
    from babel.numbers import get_currency_name, get_currency_symbol

    known: set[str] = {currency, *(sign for sign, codes in vocabulary("cells")["signs"].items() if currency in codes)}
    home = _home(currency)
    for locale in ("en", "zh", *([home] if home else [])):
        symbol = get_currency_symbol(currency, locale)
        # Of a sign that other currencies have too, such as that of the dollar, the shop's own place says whose it is.
        known |= {symbol} if locale == home or symbol not in vocabulary("cells")["signs"] else set()
        for count in (1, 2):
            name = get_currency_name(currency, count, locale)
            known |= {name, name.split()[-1]} if locale == "en" else {name}
    written = {unicodedata.normalize("NFKC", sign.translate({ord(old): new for old, new in _MARKS.items()})) for sign in known}
    return tuple(sorted({"".join(sign.split()).rstrip(".") for sign in written} - {""}, key=lambda sign: (-len(sign), sign)))


def _home(currency: str) -> str | None:
    """Give the locale of the country that a currency is named after; None where it is no country's."""
    from babel import Locale, UnknownLocaleError

    try:
        return str(Locale.parse(f"und_{currency[:2]}"))
    except (UnknownLocaleError, ValueError):
        return None


@cache
def usual_decimal(currency: str) -> str | None:
    """Say which decimal mark is usual where a currency is at home: ``.`` of CNY, ``,`` of TND; None where that differs, as of EUR."""
    from babel.numbers import get_decimal_symbol

    home = _home(currency)
    mark = None if home is None else get_decimal_symbol(home)
    return mark if mark in (".", ",") else None
