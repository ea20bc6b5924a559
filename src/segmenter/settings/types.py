"""What single settings may be."""

import os
from datetime import date
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from segmenter.errors import nearest


def is_timezone(name: str) -> str:
    """Let pass the IANA names of time zones."""
    if name not in available_timezones():
        raise ValueError(f"is no time zone{nearest(name, available_timezones())}")
    return name


def is_currency_code(code: str) -> str:
    """Let pass the ISO 4217 codes of currencies."""
    from babel.numbers import is_currency

    if not is_currency(code):
        raise ValueError("is no ISO 4217 currency, such as CNY, EUR, USD")
    return code


def count_or(word: str) -> AfterValidator:
    """Check for a whole number from 1 or a word, with one message instead of pydantic's one for each side."""

    def check(value: int | str) -> int | str:
        if value == word or (isinstance(value, int) and value >= 1):
            return value
        raise ValueError(f"should be a whole number ≥ 1 or {word}")

    return AfterValidator(check)


def is_mapping(value: object) -> object:
    """Let pass all but text, which is what is left of a mapping that Hydra's grammar could not read."""
    if isinstance(value, str):
        raise ValueError("should be a mapping; names that are not ASCII cannot be given here: write them in a file for --config-dir")
    return value


def is_file_name(name: str) -> str:
    """Let pass what every system can call a folder."""
    if not name.strip() or name.startswith(".") or set(name) & set('/\\:*?"<>|\0\n'):
        raise ValueError("should be usable as a folder's name: no / \\ : * ? \" < > | and no leading dot")
    return name


def _is_folder(path: Path) -> Path:
    """Let pass what may become a folder, with the home folder in place of ~."""
    folder = Path(os.path.expanduser(path))
    if not folder.name:
        raise ValueError("should name a folder of its own, such as outputs/spring")
    if str(folder).startswith("~"):
        raise ValueError("should name a folder; there is no such home folder")
    return folder


Folder = Annotated[Path, Field(strict=False), AfterValidator(_is_folder)]
# Inside what every step can count in days and microseconds.
AsOf = Annotated[date, Field(ge=date(1980, 1, 1), le=date(2200, 1, 1))]
Share = Annotated[float, Field(ge=0, le=1)]
Amount = Annotated[float, Field(ge=0, le=1e13, allow_inf_nan=False)]
Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Days = Annotated[int, Field(ge=1, le=36_525)]

Component = Literal["spend", "decayed_spend", "frequency", "recency", "engagement", "advocacy", "growth"]


class Settings(BaseModel):
    """Base of all settings: strict, frozen, no unknown keys."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


def off(value: object) -> object:
    """Read "off", which YAML takes for false, as nothing."""
    return None if value is False or value == "off" else value
