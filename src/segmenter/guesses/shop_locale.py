"""Which currency and time zone a shop has, as far as its orders say so."""

import re
from collections import Counter
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo

import polars as pl

from segmenter.checks.time_zones import time_zones
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
_HAN = re.compile(r"[\u4e00-\u9fff]")
# Kana, the Japanese forms of yen, price, prefecture and sale, and the word for an order: headers may be Japanese without any kana.
_JAPANESE = re.compile(r"[\u3040-\u30ff\u5186\u4fa1\u770c\u58f2]|\u6ce8\u6587")
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
    else:
        guessed = _currency(values, columns, country)
        own_code, default = own.get("currency"), defaults.currency
        if guessed is not None and guessed[2]:
            currency, why = guessed[:2]
        elif source is not None and own_code is not None:
            currency, why = own_code, Message("init.system", "where {system} is used", system=source.name)
        else:
            currency, why = (_of_language(values) or default, _ASSUMED) if guessed is None else guessed[:2]
            found.ask("currency", Message("init.ask_currency", "nothing in the files says which currency the amounts are in"), (), currency)
        found.take("launch.currency", currency, why)
    known = found.guesses[-1].why != _ASSUMED or currency != defaults.currency
    _timezone(values, columns, country, currency if known else "", own.get("timezone"), defaults.timezone, found)


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
    if _JAPANESE.search(header):
        return "JP", Message("init.japanese", "the headers are Japanese")
    if len(_HAN.findall(header)) > _MOST * len(re.sub(r"\W", "", header)):
        return "CN", Message("init.chinese", "the headers are Chinese")
    return None


def _states(text: pl.Series) -> bool:
    """Tell codes of states, which may be those of countries as well: CA is California and Canada."""
    return bool((text.str.len_chars() == 2).all()) and len({"CA", "NY", "TX", "FL", "SP", "RJ", "MG", "NSW", "ON"} & set(text.unique())) > 1


def _currency(values: Values, columns: dict[str, str], country: tuple[str, Message] | None) -> tuple[str, Message, bool] | None:
    """Find the currency, its evidence, and whether it is sure: a sign may be that of several."""
    if (name := columns.get("currency")) in values:
        written, rows = values[name].text.str.to_uppercase().value_counts(sort=True).row(0)
        share = rows / len(values[name].text)
        codes = _SIGNS.get(written, [written])
        if share > _MOST and re.fullmatch("[A-Z]{3}", codes[0]):
            why = Message("init.currency_column", '{share:.0%} of "{column}" is {currency}', share=share, column=name, currency=written)
            return codes[0], why, len(codes) == 1
    home = None if country is None else _currency_of(country[0])
    amount = columns.get("amount", "")
    used = [name for name in values if name == amount or f'"{name}"' in amount or re.search(rf"\b{re.escape(name)}\b", amount)]
    for name in used:
        header = Message("init.in_header", 'as the header "{column}" says', column=name)
        cells = Message("init.in_cells", 'as the amounts in "{column}" say', column=name)
        for texts, why in (([name], header), (values[name].text.head(1_000).to_list(), cells)):
            meant = Counter(found for text in texts if (found := tuple(_meant(text))))
            if meant and meant.most_common(1)[0][1] > _MOST * len(texts):
                codes = [*meant.most_common(1)[0][0]]
                return (home, why, True) if home is not None and home in codes else (codes[0], why, len(codes) == 1)
    return None if country is None or home is None else (home, Message("init.of_country", "{country}", country=country[1]), True)


def _of_language(values: Values) -> str | None:
    """Give the currency that the language of the headers makes likely; no more than a default for who is asked."""
    header = " ".join(map(plain_name, values))
    likely = vocabulary("columns")["likely_currencies"].items()
    return next((code for code, words in likely if any(plain_name(word) in header for word in words)), None)


def _meant(text: str) -> list[str]:
    """List the currencies that a text may mean, by a code or a sign in it."""
    if match := re.search(r"(?<![A-Za-z])([A-Z]{3})(?![A-Za-z])", text):
        return [match[1]] if _is_currency(match[1]) else []
    narrow = text.replace("\uffe5", "\xa5").replace("\uff08", "(")
    for sign, codes in sorted(_SIGNS.items(), key=lambda item: -len(item[0])):
        # A word such as yuan counts beside a number or in brackets.
        if sign in narrow and (not _HAN.search(sign) or f"({sign}" in narrow or narrow[:1].isdigit()):
            return codes
    return []


def _is_currency(code: str) -> bool:
    from babel.numbers import is_currency

    return bool(is_currency(code))


def _currency_of(country: str) -> str | None:
    from babel.numbers import get_territory_currencies

    codes = get_territory_currencies(country)
    return codes[0] if codes else None


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
    candidates = [*([own] if own else []), *time_zones().get(home or "", [])]
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
