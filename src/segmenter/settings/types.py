"""What single settings may be."""

import os
import re
import unicodedata
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from segmenter.errors import nearest
from segmenter.messages import Message


def is_timezone(name: str) -> str:
    """Let pass the IANA names of time zones."""
    if name not in (known := _timezones()):
        raise ValueError(Message("settings.timezone", "is no time zone{nearest}", nearest=nearest(name, known)))
    return name


@cache
def _timezones() -> set[str]:
    return available_timezones()  # by looking through a folder


def is_currency_code(code: str) -> str:
    """Let pass the ISO 4217 codes of currencies."""
    from babel.numbers import is_currency

    if not is_currency(code):
        raise ValueError(Message("settings.currency", "is no ISO 4217 currency, such as CNY, EUR, USD"))
    return code


def as_list(value: object) -> object:
    """Take one word for a list of it."""
    return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value


def is_country(code: str) -> str:
    """Let pass the ISO 3166 codes of countries that have phones, in capitals."""
    from phonenumbers import SUPPORTED_REGIONS

    if code.upper() not in SUPPORTED_REGIONS:
        raise ValueError(Message("settings.country", "is no ISO 3166 country, such as CN, DE, US"))
    return code.upper()


def count_or(*words: str, most: int) -> BeforeValidator:
    """Check for a whole number from 1 or one of some words, with one message instead of pydantic's one for each side."""
    word = " | ".join(words)

    def check(value: Any) -> object:
        whole = isinstance(value, int) and not isinstance(value, bool)
        if value in words or (whole and 1 <= value <= most):
            return value
        if whole and value > most:
            raise ValueError(Message("settings.count_max", "should be ≤ {max:,} or {word}", max=most, word=word))
        raise ValueError(Message("settings.count", "should be a whole number ≥ 1 or {word}", word=word))

    shown = WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1, "maximum": most}, {"enum": [*words]}]})  # for the reference
    return BeforeValidator(check, json_schema_input_type=Annotated[Any, shown])


def is_mapping(value: object) -> object:
    """Let pass all but text, which is what is left of a mapping that Hydra's grammar could not read."""
    if isinstance(value, str):
        sentence = "should be a mapping; names that are not ASCII cannot be given here: write them in a file for --config-dir"
        raise ValueError(Message("settings.mapping", sentence))
    return value


def as_text(value: object) -> object:
    """Take a whole number, such as 1 for the same amount in each row, as text."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def as_texts(value: object) -> object:
    """Take whole numbers in a list, such as ids, as text."""
    if not isinstance(value, list | tuple):
        return value
    return tuple(map(as_text, value))


def is_line(text: str) -> str:
    """Let pass what stands on one line as it is: no control characters, no invisible ones, none that turn the reading direction."""
    if any(unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") for character in text):
        raise ValueError(Message("settings.line", "should stand on one line, without control characters and invisible ones"))
    return text


def is_name(name: str) -> str:
    """Let pass a line of at most 200 characters, some of them visible."""
    if not name.strip():
        raise ValueError(Message("settings.blank", "should be a name, and not blank"))
    if len(name) > 200:
        raise ValueError(Message("settings.long", "should have at most 200 characters (has {count:,})", count=len(name)))
    return is_line(name)


def is_file_name(name: str) -> str:
    """Let pass what every system can call a folder."""
    is_name(name)
    if name.startswith((".", " ")) or name.endswith((".", " ")) or set(name) & set('/\\:*?"<>|'):
        sentence = "should be usable as a folder's name: no / \\ : * ? \" < > | and no dot or blank at its ends"
        raise ValueError(Message("settings.folder_characters", sentence))
    if RESERVED.fullmatch(name.split(".", maxsplit=1)[0].rstrip()):
        sentence = "should be usable as a folder's name: Windows keeps this one for itself; put a word before it"
        raise ValueError(Message("settings.folder_reserved", sentence))
    if (size := len(name.encode())) > MOST_BYTES:
        sentence = "should be usable as a folder's name: at most {max} bytes (has {size:,}; a Chinese character has 3)"
        raise ValueError(Message("settings.folder_bytes", sentence, max=MOST_BYTES, size=size))
    return name


def as_clock(value: object) -> object:
    """Read a time of day as HH:MM; YAML takes 20:00 without quotes for minutes, a number of base 60."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 24 * 60:
        value = f"{value // 60}:{value % 60:02}"
    if not isinstance(value, str) or not re.fullmatch(r"([01]?[0-9]|2[0-3]):[0-5][0-9]", value):
        raise ValueError(Message("settings.clock", "should be a time of day such as 20:00"))
    return value.zfill(5)


def is_moment(text: str) -> str:
    """Let pass a day, or a day and a time of day."""
    day, _, clock = text.strip().partition(" ")
    try:
        if not date(1980, 1, 1) <= date.fromisoformat(day) <= date(2200, 1, 1):
            raise ValueError
    except ValueError:
        raise ValueError(Message("settings.moment", "should be a day such as 2026-10-08, or with its time 2026-10-08 20:00")) from None
    return f"{day} {as_clock(clock.strip())}" if clock else day


def is_day_range(text: str) -> str:
    """Let pass a day, or the first and the last of several."""
    try:
        days = list_days(text)
    except ValueError:
        days = []
    if not 1 <= len(days) <= 3_660:
        raise ValueError(Message("settings.day_range", "should be a day such as 2026-10-08, or days such as 2026-10-08..2026-10-12"))
    return text


def list_days(text: str) -> list[date]:
    """List the days of ``2026-10-08`` or ``2026-10-08..2026-10-12``, both counted in."""
    first, _, last = text.partition("..")
    start = date.fromisoformat(first.strip())
    many = (date.fromisoformat(last.strip()) - start).days + 1 if last else 1
    return [start + timedelta(number) for number in range(many)]


def _is_folder(path: Path) -> Path:
    """Let pass what may become a folder, with the home folder in place of ~."""
    folder = Path(os.path.expanduser(path))
    if not folder.name:
        raise ValueError(Message("settings.folder", "should name a folder of its own, such as outputs/spring"))
    if str(folder).startswith("~"):
        raise ValueError(Message("settings.home", "should name a folder; there is no such home folder"))
    return folder


Folder = Annotated[Path, Field(strict=False), AfterValidator(_is_folder)]
RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)", re.IGNORECASE)  # by Windows
MOST_BYTES = 200  # a file system allows 255, and endings and numbers are still to come

# Inside what every step can count in days and microseconds.
AsOf = Annotated[date, Field(ge=date(1980, 1, 1), le=date(2200, 1, 1))]
Share = Annotated[float, Field(ge=0, le=1, json_schema_extra={"unit": "a share"})]
IN_CURRENCY: dict[str, Any] = {"unit": "in currency units"}  # what the reference says beside the range
Amount = Annotated[float, Field(ge=0, le=1e13, allow_inf_nan=False, json_schema_extra=IN_CURRENCY)]
Weight = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
Days = Annotated[int, Field(ge=1, le=36_525)]
# More than any shop has of anything, and far from where sums would not fit.
MOST = 1_000_000_000
Count = Annotated[int, Field(ge=1, le=MOST)]
Seed = Annotated[int, Field(ge=-(2**63), lt=2**63)]
Name = Annotated[str, Field(min_length=1), AfterValidator(is_name)]

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
Channel = Literal["phone", "message", "poster", "shop", "colleague"]  # by which somebody is invited


class Settings(BaseModel):
    """Base of all settings: strict, frozen, no unknown keys."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", defer_build=True)


class RunSettings(Settings):
    """How a job is run: nothing that its results depend on, so no manifest has it."""

    quiet: Annotated[bool, Field(exclude=True)]
    log: Annotated[Annotated[str, Field(min_length=1)] | None, Field(exclude=True)]


def off(value: object) -> object:
    """Read "off", which YAML takes for false, as nothing."""
    return None if value is False or value == "off" else value
