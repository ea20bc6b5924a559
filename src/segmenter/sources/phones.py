"""Phone numbers in cells: which can be called, and which are the same."""

import re
from typing import Any

import polars as pl

from segmenter.checks.time_zones import time_zones
from segmenter.settings import LaunchSettings

# What a cell holds: `unchecked` is a number without its country where the launch's is not known.
PHONES = pl.Enum(["mobile", "landline", "foreign", "unchecked", "invalid"])
_APART = r"[\s()\-.·_\u2010-\u2015\u200b-\u200f\ufeff']"  # stands between digits
_SPECIAL = ("toll_free", "premium_rate", "shared_cost", "voip", "personal_number", "pager", "uan", "voicemail")


def country_of(launch: LaunchSettings) -> str | None:
    """Give the country whose phones need no +: `launch.country`, or that of its time zone or currency."""
    from phonenumbers import SUPPORTED_REGIONS

    if launch.country is not None:
        return launch.country
    zones = (code for code, names in time_zones().items() if launch.timezone in names)
    return next((code for code in (*zones, launch.currency[:2]) if code in SUPPORTED_REGIONS), None)


def read_phones(cells: pl.Series, country: str | None) -> pl.DataFrame:
    """Give the ``phone`` in each cell, one of `PHONES`, and its ``number`` with the country's code; both null where the cell is empty.

    Each different cell is read once: by the library's own patterns for the country at once, and what these do not decide by the library.
    """
    cell = pl.col("cell")
    different = cells.alias("cell").drop_nulls().unique().to_frame()
    plain = different.with_columns(cell.str.normalize("NFKC").str.replace(r"\.0$", "").str.replace_all(_APART, "").alias("plain"))
    nothing = {"phone": pl.lit(None, PHONES), "number": pl.lit(None, pl.Int64)}
    read = plain.lazy().with_columns(**(nothing if country is None else _fast(country))).collect()
    odd = read.filter(pl.col("phone").is_null())["cell"].to_list()
    schema = {"cell": pl.String(), "phone": PHONES, "number": pl.Int64()}
    rest = pl.DataFrame([(text, *_slow(text, country)) for text in odd], schema, orient="row")
    known = pl.concat([read.filter(pl.col("phone").is_not_null()).select(rest.columns), rest])
    return cells.alias("cell").to_frame().join(known, on="cell", how="left", maintain_order="left").select("phone", "number")


def _fast(country: str) -> dict[str, pl.Expr]:
    """Read mobiles and landlines of a country as the library's patterns say."""
    from phonenumbers import PhoneMetadata

    of: Any = PhoneMetadata.metadata_for_region(country)
    plain = pl.col("plain")

    def matches(text: pl.Expr, *kinds: str) -> pl.Expr:
        patterns = [pattern for kind in kinds if (pattern := getattr(getattr(of, kind), "national_number_pattern", None))]
        return text.str.contains(rf"^(?:{'|'.join(patterns)})$") if patterns else pl.lit(value=False)

    abroad = r"\+|00" if of.international_prefix and re.fullmatch(of.international_prefix, "00") else r"\+"
    whole = plain.str.extract(rf"^(?:{abroad}){of.country_code}([0-9]+)$")
    bare = pl.when(~matches(plain, "general_desc")).then(plain.str.extract(rf"^{of.country_code}([0-9]+)$"))
    trunk = pl.lit(None, pl.String)
    if of.national_prefix_transform_rule is None and of.national_prefix not in (None, str(of.country_code)):
        trunk = plain.str.extract(rf"^{of.national_prefix}([0-9]+)$")
    # A number that can be read in two ways is left to the library.
    ways = [pl.when(matches(way, "mobile", "fixed_line")).then(way) for way in (plain, whole, bare, trunk)]
    national = pl.when(pl.sum_horizontal(way.is_not_null() for way in ways) == 1).then(pl.coalesce(ways))
    # Digits that no pattern takes are nothing, unless the library would take a prefix from them first.
    prefixes = "|".join(prefix for prefix in (of.international_prefix, of.national_prefix_for_parsing, str(of.country_code)) if prefix)
    part = pl.coalesce(trunk, plain)
    whole_kinds = ("mobile", "fixed_line", *_SPECIAL)
    decided = (
        part.str.contains("^[0-9]+$")
        & ~part.str.contains(rf"^(?:{prefixes})")
        & ~matches(part, *whole_kinds)
        & ~matches(plain, *whole_kinds)
    )
    kind = (
        pl.when(matches(national, *_SPECIAL))
        .then(None)
        .when(matches(national, "mobile"))
        .then(pl.lit("mobile"))
        .when(matches(national, "fixed_line"))
        .then(pl.lit("landline"))
        .when(plain.str.contains(r"^\D*(?:\d\D*){0,6}$") | plain.str.contains("*", literal=True) | decided)
        .then(pl.lit("invalid"))
    )
    number = pl.concat_str(pl.lit(str(of.country_code)), national.str.strip_chars_start("0"))
    return {"phone": kind.cast(PHONES), "number": pl.when(kind != "invalid").then(number).cast(pl.Int64, strict=False)}


def _slow(text: str, country: str | None) -> tuple[str, int | None]:
    """Read a cell by the library: as a number, or the first that stands in it."""
    import phonenumbers
    from phonenumbers import PhoneNumberType as Kind

    found = None
    try:
        found = phonenumbers.parse(text, country)
        found = found if phonenumbers.is_valid_number(found) else None
    except phonenumbers.NumberParseException:
        pass
    if found is None and re.search(r"[^\d\s+()\-.]", text) and "*" not in text:
        found = next((match.number for match in phonenumbers.PhoneNumberMatcher(text, country)), None)
    if found is None:
        digits = re.sub(r"\D", "", text)
        loose = country is None and re.fullmatch(r"\d{7,15}", digits) and not text.strip().startswith("+")
        return ("unchecked", int(digits)) if loose else ("invalid", None)
    number = int(f"{found.country_code}{found.national_number}")
    if country is not None and phonenumbers.region_code_for_number(found) != country:
        return "foreign", number
    return ("mobile" if phonenumbers.number_type(found) in (Kind.MOBILE, Kind.FIXED_LINE_OR_MOBILE) else "landline"), number
