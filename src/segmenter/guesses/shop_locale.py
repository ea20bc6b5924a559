"""Which currency and time zone a shop has, as far as its orders say so."""

import re
from collections import Counter
from datetime import datetime
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

import polars as pl

from segmenter.guesses.column_guess import Values
from segmenter.guesses.column_names import by_name, plain_name
from segmenter.guesses.column_values import share_of
from segmenter.guesses.guess import Draft, answered
from segmenter.guesses.known_sources import recognise
from segmenter.guesses.source_tables import SourceTable
from segmenter.messages import Message
from segmenter.settings import LaunchSettings
from segmenter.vocabulary import vocabulary

_LANGUAGES = ("en", "zh", "de", "fr", "es", "pt", "ja")
_ASSUMED = Message("init.assumed", "nothing in the files says so: assumed")
_MOST = 0.5  # share of the values that have to agree
_SIGNS: dict[str, list[str]] = vocabulary("cells")["signs"]
_HAN, _KANA = re.compile(r"[\u4e00-\u9fff]"), re.compile(r"[\u3040-\u30ff]")
_OFFSET = r"([+-]\d{2}):?(\d{2})$"
# What time zone a shop of a currency has at home, where nothing but the currency says so; the euro's offset is the same in most places.
_HOMES = {"EUR": "DE", "USD": "US", "GBP": "GB", "CNY": "CN", "AUD": "AU", "NZD": "NZ", "CHF": "CH", "NOK": "NO", "DKK": "DK"}
# Tried in this order where times say an offset that no other evidence explains.
_ZONES = (
    *("Asia/Shanghai", "Europe/Berlin", "Europe/London", "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles"),
    *("Asia/Tokyo", "Asia/Kolkata", "Australia/Sydney", "America/Sao_Paulo", "Europe/Athens", "Europe/Moscow", "Asia/Dubai"),
)


def guess_locale(table: SourceTable, defaults: LaunchSettings, found: Draft) -> None:
    """Find currency and time zone; what nothing says is asked, with the default of the config where nobody answers."""
    values = table.values
    columns = {
        guess.key.removeprefix("data.orders.columns."): str(guess.value) for guess in found.guesses if "orders.columns." in guess.key
    }
    source = recognise(table.columns)
    country = _country(values)
    said = found.answer("currency")
    own = {} if source is None else source.launch
    if said is not None:
        currency = str(said)
        found.take("launch.currency", currency, answered("currency"))
    elif (guessed := _currency(values, columns, country)) is not None:
        currency = guessed[0]
        found.take("launch.currency", *guessed)
    else:
        currency = own.get("currency", defaults.currency)
        if "currency" not in own:
            found.ask("currency", Message("init.ask_currency", "nothing in the files says which currency the amounts are in"), (), currency)
        found.take("launch.currency", currency, _system(source.name) if source is not None and "currency" in own else _ASSUMED)
    known = not any(question.key == "currency" for question in found.questions)
    _timezone(values, columns, country, currency if known else "", own.get("timezone"), defaults.timezone, found)


def _system(name: str) -> Message:
    return Message("init.system", "where {system} is used", system=name)


@cache
def _territories() -> dict[str, str]:
    from babel import Locale

    names: dict[str, str] = {}
    for language in _LANGUAGES:
        for code, name in Locale(language).territories.items():
            if len(code) == 2 and code.isalpha():
                names.setdefault(name.casefold(), code)
                names.setdefault(code.casefold(), code)
    return names | {"uk": "GB", "usa": "US", "united states of america": "US", "england": "GB", "prc": "CN", "eire": "IE"}


def _country(values: Values) -> tuple[str, Message] | None:
    """Find the country of most rows: by a column of countries, or by Chinese places."""
    for name in by_name(values, "province"):
        column = values[name]
        codes = Counter(_territories().get(text.casefold()) for text in column.text.to_list())
        code, rows = next(((code, rows) for code, rows in codes.most_common(2) if code), (None, 0))
        known = sum(rows for code, rows in codes.items() if code)
        if code and known > 0.8 * len(column.text) and rows > _MOST * len(column.text) and not _states(column.text):
            share = rows / len(column.text)
            return code, Message("init.country", '{share:.0%} of "{column}" is {country}', share=share, column=name, country=code)
    for name in [*by_name(values, "province"), *by_name(values, "city"), *by_name(values, "address")]:
        text = values[name].text
        if (
            len(text)
            and share_of(text.str.contains(r"\p{Han}")) > 0.8
            and not text.str.contains(r"[\u3040-\u30ff]|[\u90fd\u9053\u5e9c\u770c]$").any()
        ):
            return "CN", Message("init.chinese_places", '"{column}" has Chinese places', column=name)
    header = "".join(values)
    if _KANA.search(header):
        return "JP", Message("init.japanese", "the headers are Japanese")
    if len(_HAN.findall(header)) > _MOST * len(re.sub(r"\W", "", header)):
        return "CN", Message("init.chinese", "the headers are Chinese")
    return None


def _states(text: pl.Series) -> bool:
    """Tell codes of states, which may be those of countries as well: CA is California and Canada."""
    return bool((text.str.len_chars() == 2).all()) and len({"CA", "NY", "TX", "FL", "SP", "RJ", "MG", "NSW", "ON"} & set(text.unique())) > 1


def _currency(values: Values, columns: dict[str, str], country: tuple[str, Message] | None) -> tuple[str, Message] | None:
    if (name := columns.get("currency")) in values:
        counts = values[name].text.str.to_uppercase().value_counts(sort=True)
        code, rows = counts.row(0)
        share = rows / len(values[name].text)
        code = _SIGNS.get(code, [code])[0]
        if share > _MOST and re.fullmatch("[A-Z]{3}", code):
            return code, Message("init.currency_column", '{share:.0%} of "{column}" is {currency}', share=share, column=name, currency=code)
    amount = columns.get("amount", "")
    used = [name for name in values if name == amount or f'"{name}"' in amount or re.search(rf"\b{re.escape(name)}\b", amount)]
    for name in used:
        where = Message("init.in_header", 'as the header "{column}" says', column=name)
        written = Message("init.in_cells", 'as the amounts in "{column}" say', column=name)
        for texts, why in (([name], where), (values[name].text.head(1_000).to_list(), written)):
            codes = Counter(code for text in texts if (code := _sign(text, country)))
            if codes and sum(codes.values()) > _MOST * len(texts):
                return codes.most_common(1)[0][0], why
    if country is not None and (code := _currency_of(country[0])):
        return code, Message("init.of_country", "{country}", country=country[1])
    return None


def _sign(text: str, country: tuple[str, Message] | None) -> str | None:
    """Find the currency in a text: a code or a sign that means one, in the shop's country if it may."""
    home = None if country is None else _currency_of(country[0])
    if match := re.search(r"(?<![A-Za-z])([A-Z]{3})(?![A-Za-z])", text):
        return match[1] if _is_currency(match[1]) else None
    for sign, codes in sorted(_SIGNS.items(), key=lambda item: -len(item[0])):
        if sign in text.replace("\uffe5", "\xa5") and (
            not sign.isalpha() or not _HAN.search(sign) or f"({sign}" in text.replace("\uff08", "(") or text[:1].isdigit()
        ):
            return home if home in codes else codes[0] if len(codes) == 1 or sign != "$" else home or "USD"
    return None


def _is_currency(code: str) -> bool:
    from babel.numbers import is_currency

    return bool(is_currency(code))


def _currency_of(country: str) -> str | None:
    from babel.numbers import get_territory_currencies

    codes = get_territory_currencies(country)
    return codes[0] if codes else None


@cache
def _zones() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in (files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            code, _, zone = line.split("\t")[:3]
            found.setdefault(code, []).append(zone)
    return found


def _timezone(
    values: Values,
    columns: dict[str, str],
    country: tuple[str, Message] | None,
    currency: str,
    own: str | None,
    default: str,
    found: Draft,
) -> None:
    if (said := found.answer("timezone")) is not None:
        found.take("launch.timezone", said, answered("timezone"))
        return
    home = country[0] if country else _HOMES.get(currency)
    candidates = [*([own] if own else []), *_zones().get(home or "", [])]
    if {"utc", "gmt"} & set(plain_name(columns.get("time", "")).split()):
        sentence = 'as the header "{column}" says; the shop\'s own zone would move its days'
        found.take("launch.timezone", "UTC", Message("init.utc_header", sentence, column=columns["time"]))
        return
    moments = _with_offsets(values, columns.get("time", ""))
    fitting = [zone for zone in (*candidates, *_ZONES) if moments and _fits(zone, moments)]
    if fitting:
        sentence = "times have offsets such as {offset}, as this zone has"
        found.take("launch.timezone", fitting[0], Message("init.by_offset", sentence, offset=moments[0][1]))
    elif candidates and (own or country or currency in ("CNY", "GBP", "JPY")):
        why = country[1] if country else Message("init.of_currency", "as {currency} is used there", currency=currency)
        found.take("launch.timezone", candidates[0], why)
    else:
        otherwise = candidates[0] if candidates else default
        sentence = "nothing in the files says in which time zone the shop is; its times are taken as they stand"
        found.ask("timezone", Message("init.ask_timezone", sentence), tuple(candidates[:5]), otherwise)
        found.take("launch.timezone", otherwise, _ASSUMED)


def _with_offsets(values: Values, time: str) -> list[tuple[datetime, str]]:
    """Give some of the times that have an offset other than that of UTC."""
    if time not in values or values[time].cells.dtype != pl.String:
        return []
    some = values[time].text.unique(maintain_order=True).head(200).to_list()
    found = []
    for text in some:
        match = re.search(_OFFSET, text.strip())
        day = re.match(r"(\d{4})\D(\d{1,2})\D(\d{1,2})\D+(\d{1,2})\D(\d{2})", text.strip())
        if match and day and match[1] + match[2] not in ("+0000", "-0000"):
            found.append((datetime(*map(int, day.groups())), match[1] + match[2]))  # type: ignore[arg-type]
    return found


def _fits(zone: str, moments: list[tuple[datetime, str]]) -> bool:
    return all(moment.replace(tzinfo=ZoneInfo(zone)).strftime("%z") == offset for moment, offset in moments)
