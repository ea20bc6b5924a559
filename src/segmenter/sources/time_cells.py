"""Cells that say when, as text: their date, their clock and their zone, which are read apart from each other."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import time

import polars as pl

from segmenter.checks.date_texts import YEARS, date_text
from segmenter.checks.time_format import EVIDENCE, NO_ORDER, TimeFormat
from segmenter.checks.time_zones import SEVERAL, offset_of, place_of
from segmenter.vocabulary import vocabulary

_KNOWN = vocabulary("times")
_HALF = r"([ap])\.?\s?m\.?"
_OFFSET = r"z|(?:utc|gmt)?\s?[+-]\d{1,2}(?::?\d\d)?"
_CELL = (
    rf"^(.+?)(?:(?:[\s,t]*(?:at )?(?:{_HALF})?\s*(\d{{1,2}}):(\d{{1,2}})(?::(\d{{1,2}})(?:[.,:](\d+))?)?:?\s*(?:{_HALF})?)"
    rf"\s*(?:({_OFFSET})(?:\s*[\[(].*[\])])?|[\[(]?([a-z]{{2,5}}|[a-z_]+(?:/[a-z0-9_+-]+)+)[\])]?)?)?$"
)
# What a date looks like: two or three short numbers, or one of eight digits; all else is not looked at one by one.
_DATE = r"^(?:\D{0,16}\d{1,4}\D{1,16}\d{1,4}(?:\D{1,6}\d{1,4})?\D{0,12}|\d{8})$"
_DAY, _MINUTE = 86_400_000_000, 60_000_000
_FIRST_DAY = 25_569  # of 1970, as spreadsheets count days: from 1899-12-30
# Numbers by their size: how many microseconds one is. Of all but the first, 1990 to 2100.
UNITS = {
    "excel": (_FIRST_DAY, 80_000, _DAY),
    "epoch_s": (631_152_000, 4_102_444_800, 1_000_000),
    "epoch_ms": (631_152_000_000, 4_102_444_800_000, 1_000),
    "epoch_us": (631_152_000_000_000, 4_102_444_800_000_000, 1),
}
# What most files have; all other cells take several times as long.
_DATES = {r"\d{4}-\d\d?-\d\d?": "%Y-%m-%d", r"\d{4}/\d\d?/\d\d?": "%Y/%m/%d"}
_CLOCKS = {"": "", r" \d\d?:\d\d": " %H:%M", r" \d\d?:\d\d:\d\d": " %H:%M:%S", r" \d\d:\d\d:\d\d\.\d{1,6}": " %H:%M:%S%.f"}
_USUAL = {f"^{date}{clock}$": _DATES[date] + _CLOCKS[clock] for date in _DATES for clock in _CLOCKS}
US = pl.Datetime("us")


@dataclass(frozen=True)
class TimeCells:
    """Cells of a column of text, in parts; each is null where there is none of it."""

    cells: pl.Series
    usual: pl.Series  # times that are read already
    numbers: pl.Series  # their microseconds, in UTC but of a spreadsheet's days
    units: pl.Series  # what the numbers count, a key of `UNITS`
    dates: pl.Series  # text
    clocks: pl.Series  # microseconds since midnight
    zones: pl.Series  # text

    @property
    def needs_decision(self) -> bool:
        """Whether any cell is not written as most files are."""
        return self.units.null_count() + self.dates.null_count() < 2 * len(self.cells)


def split(cells: pl.Series) -> TimeCells:
    """Take text apart, whatever it is written like; the parts are in lower case."""
    cells = cells.str.strip_chars()
    usual = _usual(cells)
    rest = cells.to_frame("c").select(pl.when(usual.is_null()).then("c")).to_series()
    if rest.null_count() == len(rest):
        nothing = {dtype: pl.repeat(None, len(rest), dtype=dtype, eager=True) for dtype in (pl.String(), pl.Int64())}
        text, number = nothing[pl.String()], nothing[pl.Int64()]
        return TimeCells(cells, usual, number, text, text, number, text)
    rest = _plain(rest)
    numbers, units = _numbers(rest)
    rest = rest.zip_with(units.is_null(), pl.Series([None], dtype=pl.String))
    parts = rest.str.replace(r"^(\d{8})t?(\d\d)(\d\d)(\d\d)?", "$1 $2:$3:${4}").str.extract_groups(_CELL).struct.unnest()
    date, half, hour, minute, second, fraction, late, offset, zone = (pl.col(name) for name in parts.columns)
    half = pl.coalesce(half, late)
    hours, minutes = hour.cast(pl.Int64), minute.cast(pl.Int64)
    seconds = second.cast(pl.Int64).fill_null(0)
    micros = fraction.str.pad_end(6, "0").str.slice(0, 6).cast(pl.Int64).fill_null(0)
    of_day = hours % 12 + pl.when(half == "p").then(12).otherwise(0)
    hours = pl.when(half.is_null()).then(hours).when(hours.is_between(1, 12)).then(of_day).when((half == "p") & (hours < 24)).then(hours)
    midnight = (hours == 24) & (minutes == 0) & (seconds == 0)
    clock = ((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + micros
    possible = ((hours < 24) | midnight) & (minutes < 60) & (seconds <= 60)
    found = parts.select(
        date=pl.when(hour.is_null() | possible, date.str.contains(_DATE)).then(date),
        clock=pl.when(possible).then(clock),
        zone=pl.coalesce(offset, zone),
    )
    return TimeCells(cells, usual, numbers, units, found["date"], found["clock"], found["zone"])


def split_by_format(cells: pl.Series, format_: str) -> TimeCells:
    """Take text apart by a strptime format that names a zone, which no such format reads."""
    before, after = (_pattern(part) for part in format_.split("%Z", 1))
    zones = cells.str.extract(rf"^{before}([A-Za-z]+(?:/[A-Za-z_/]+|[+-]\d[\d:]*)?){after}$").str.to_lowercase()
    bare = cells.str.replace(rf"^({before})[A-Za-z][\w/:+-]*({after})$", "${1}UTC${2}")
    naive = bare.str.to_datetime(format_, strict=False, time_unit="us")
    nothing = pl.repeat(None, len(cells), dtype=pl.String, eager=True)
    clocks = (naive - naive.dt.truncate("1d")).cast(pl.Int64)
    number, usual = pl.repeat(None, len(cells), dtype=pl.Int64, eager=True), pl.repeat(None, len(cells), dtype=US, eager=True)
    return TimeCells(cells, usual, number, nothing, naive.dt.strftime("%Y-%m-%d"), clocks, zones)


def _pattern(format_: str) -> str:
    """Write a regular expression that holds what a part of a strptime format may mean."""
    return "".join(".*?" if part.startswith("%") else re.escape(part) for part in re.split(r"(%[-_0^#:.]*\w)", format_))


def evidence_of(parts: TimeCells) -> pl.DataFrame:
    """Count cells by the day that they name, as `EVIDENCE`."""
    frame = pl.DataFrame({name: getattr(parts, name) for name in ("cells", "usual", "numbers", "units", "dates", "clocks", "zones")})
    usual, number = pl.col("usual").is_not_null(), pl.col("units").is_not_null()
    day = pl.coalesce("usual", pl.col("numbers").cast(US)).dt.date()
    kind = pl.when(usual).then(pl.lit("usual")).when(number).then("units").otherwise(pl.lit("text"))
    clock = pl.when(usual).then(pl.col("usual").dt.time() != time(0)).otherwise(pl.col("clocks").fill_null(0) != 0)
    groups = frame.with_columns(kind=kind, day=day, text="dates", zone="zones", clock=clock).group_by(
        "kind", "day", "text", "zone", "clock"
    )
    counts = groups.agg(count=pl.len().cast(pl.Int64), example=pl.col("cells").min())
    return counts.filter(pl.col("day").is_not_null() | pl.col("text").is_not_null()).select(
        "kind", pl.coalesce("text", pl.col("day").dt.to_string("iso")).alias("text"), "zone", "clock", "count", "example"
    )


def add_evidence(parts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Add up evidence of several parts of a column."""
    whole = pl.concat([EVIDENCE.to_frame(), *parts])
    return whole.group_by("kind", "text", "zone", "clock").agg(pl.col("count").sum(), pl.col("example").min()).select(EVIDENCE.names())


def _usual(cells: pl.Series) -> pl.Series:
    """Read what is written as the first cell is, if that is as in most files."""
    first = cells.drop_nulls().head(1).to_list()
    for pattern, format_ in _USUAL.items():
        if first and re.match(pattern, first[0]):
            read = cells.str.to_datetime(format_, strict=False, time_unit="us")
            return read.zip_with(cells.str.contains(pattern).fill_null(value=False), pl.Series([None], dtype=US))
    return pl.repeat(None, len(cells), dtype=US, eager=True)


def _plain(cells: pl.Series) -> pl.Series:
    """Write what means the same in one way."""
    if (cells.str.len_bytes() != cells.str.len_chars()).any():
        narrow = cells.str.normalize("NFKC").str.replace_all("\u2212", "-", literal=True)
        words = {**_KNOWN["half_days"], **_KNOWN["clock_marks"]}
        cells = narrow.str.replace_many(list(words), list(words.values()))
    cells = cells.str.to_lowercase()
    if cells.str.contains(r"^\D").any():
        # The year last, as in "Wed Jun 3 10:30:00 UTC 2026".
        cells = cells.str.replace(r"^(\D.*?)\s+(\d{1,2}:\d\d(?::\d\d)?)\s+(?:([a-z]{2,5}|[+-]\d{4})\s+)?(\d{4})$", "$1 $4 $2 $3")
    # A clock with dots, behind the date.
    return cells.str.strip_chars().str.replace(r"(\d,?\s+\d{1,2})\.(\d\d)(?:\.(\d\d))?$", "$1:$2:$3")


def _numbers(cells: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Give the microseconds of numbers of a size that says what they count, and what that is."""
    number = pl.when(pl.col("c").str.contains(r"^\d{5,16}([.,]\d+)?$")).then(pl.col("c").str.replace(",", ".", literal=True))
    parts = cells.alias("c").to_frame().select(n=number.cast(pl.Float64, strict=False))
    if parts["n"].null_count() == parts.height:
        return pl.repeat(None, parts.height, dtype=pl.Int64, eager=True), pl.repeat(None, parts.height, dtype=pl.String, eager=True)
    micros, unit = pl.lit(None, dtype=pl.Int64), pl.lit(None, dtype=pl.String)
    for name, (low, high, _) in UNITS.items():
        here = pl.col("n").is_between(low, high)
        micros = pl.when(here).then(count_micros(pl.col("n"), name)).otherwise(micros)
        unit = pl.when(here).then(pl.lit(name)).otherwise(unit)
    found = parts.select(micros=micros, unit=unit)
    return found["micros"], found["unit"]


def count_micros(numbers: pl.Expr, unit: str) -> pl.Expr:
    """Count the microseconds since 1970 that a number of units is; of a spreadsheet's days to the millisecond, as they hold no more."""
    if unit == "excel":
        return ((numbers - _FIRST_DAY) * (_DAY // 1_000)).round().cast(pl.Int64, strict=False) * 1_000
    return (numbers * UNITS[unit][2]).round().cast(pl.Int64, strict=False)


def moments_of(parts: TimeCells, timezone: str, format_: TimeFormat = NO_ORDER) -> pl.Series:
    """Give the local times that cells in parts mean."""
    moments = parts.usual
    if parts.units.null_count() < len(moments):
        counted = (
            parts.numbers.cast(US).to_frame("m").select(own=pl.col("m"), utc=to_local(pl.col("m").dt.replace_time_zone("UTC"), timezone))
        )
        moments = moments.fill_null(counted["own"].zip_with((parts.units == "excel").fill_null(value=False), counted["utc"]))
    if parts.dates.null_count() == len(moments):
        return moments
    texts = parts.dates.unique().drop_nulls()
    days = {text: format_.day(found) for text in texts if (found := date_text(text)) is not None}
    read = parts.dates.replace_strict(days, default=None, return_dtype=pl.Date)
    naive = (read.cast(US).cast(pl.Int64) + parts.clocks.fill_null(0)).cast(US)
    return moments.fill_null(in_zone(naive, parts.zones, timezone))


def in_zone(naive: pl.Series, zones: pl.Series, timezone: str) -> pl.Series:
    """Bring times to local time, each from the zone that is named beside it; null where no zone is called so.

    The launch's zone is meant by what it is called at that time, and by a name that several zones have.
    """
    names = zones.unique().drop_nulls().to_list()
    if not names:
        return naive
    frame = pl.DataFrame({"t": naive, "zone": zones})
    own = own_name(timezone)
    bare = pl.col("zone").is_null() | (own == pl.col("zone")).fill_null(value=False) | pl.col("zone").is_in(list(SEVERAL))
    found: list[pl.Expr] = [pl.when(bare).then("t")]
    if offsets := {name: offset for name in names if (offset := offset_of(name)) is not None}:
        minutes = pl.col("zone").replace_strict(offsets, default=None, return_dtype=pl.Int64)
        utc = (pl.col("t").cast(pl.Int64) - minutes * _MINUTE).cast(US).dt.replace_time_zone("UTC")
        found.append(to_local(utc, timezone))
    for name in names:
        if (place := place_of(name)) is not None:
            there = pl.when(pl.col("zone") == name).then("t").dt.replace_time_zone(place, ambiguous="earliest", non_existent="null")
            found.append(to_local(there, timezone))
    return frame.select(pl.coalesce(found).alias("t")).to_series()


def own_name(timezone: str) -> pl.Expr:
    """Give what the launch's zone is called at each local time ``t``, in lower case."""
    return pl.col("t").dt.replace_time_zone(timezone, ambiguous="earliest", non_existent="null").dt.strftime("%Z").str.to_lowercase()


def to_local(moments: pl.Expr, timezone: str) -> pl.Expr:
    """Give the local time of moments with a zone."""
    possible = moments.dt.year().is_between(YEARS[0] - 1, YEARS[1] + 1)
    return pl.when(possible).then(moments).dt.convert_time_zone(timezone).dt.replace_time_zone(None)
