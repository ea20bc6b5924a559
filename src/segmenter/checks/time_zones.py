"""What the name of a zone behind a time means, and which zones a country has."""

import re
from functools import cache
from importlib.resources import files
from zoneinfo import available_timezones

from segmenter.vocabulary import vocabulary

_KNOWN = vocabulary("times")
_OFFSET = re.compile(r"(?:utc|gmt)?\s?([+-])(\d{1,2}):?(\d\d)?")
MINUTES: dict[str, int] = _KNOWN["zones"]
SEVERAL: dict[str, list[str]] = _KNOWN["several"]


@cache
def offset_of(zone: str) -> int | None:
    """Give a zone's minutes east of UTC; None where its name does not say it.

    >>> offset_of("+0530"), offset_of("gmt-3"), offset_of("cest"), offset_of("cst")
    (330, -180, 120, None)
    """
    if zone in MINUTES:
        return MINUTES[zone]
    if (found := _OFFSET.fullmatch(zone)) is None:
        return None
    sign, hours, minutes = found.groups()
    total = 60 * int(hours) + int(minutes or 0)
    return (total if sign == "+" else -total) if total <= 14 * 60 else None


@cache
def place_of(zone: str) -> str | None:
    """Give the zone of the database of time zones that a name in any case is; None where it is none.

    >>> place_of("europe/paris"), place_of("a/b")
    ('Europe/Paris', None)
    """
    return next((name for name in sorted(available_timezones()) if name.lower() == zone), None) if "/" in zone else None


@cache
def time_zones() -> dict[str, list[str]]:
    """List the time zones of each country."""
    found: dict[str, list[str]] = {}
    for line in (files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            code, _, zone = line.split("\t")[:3]
            found.setdefault(code, []).append(zone)
    return found
