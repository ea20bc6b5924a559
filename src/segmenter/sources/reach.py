"""How customers can be reached: of their contacts no more than a yes or no goes on from here, and who shares a phone with whom."""

import re
from collections.abc import Iterator

import polars as pl

from segmenter.contacts import is_contact_name
from segmenter.findings import Finding, Level
from segmenter.messages import Message
from segmenter.settings import LaunchSettings
from segmenter.sources.phones import country_of, read_phones
from segmenter.tables import REACH
from segmenter.vocabulary import vocabulary

_KNOWN = vocabulary("contacts")
_EMAIL = r"[^@\s]+@[^@\s]+\.[^@\s]+"
_MANY = 0.1  # a larger share of phones that nobody can call is a warning
_CROWD = 10  # a phone of so many customers is hardly one of theirs
# A customer's own number is the first of these kinds.
_ORDER = (["mobile", "unchecked"], ["landline"], ["foreign"])


def means_of(column: str) -> str | None:
    """Say by what the customers of a contact column are reached, by its name: phone, wechat, email, other, nobody; None: values tell.

    >>> means_of("mobilePhone"), means_of("WeChat ID"), means_of("street address"), means_of("contact")
    ('phone', 'wechat', 'nobody', None)
    """
    words = re.sub(r"[\W_]+", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", column).lower())
    named = next((means for means, pattern in _KNOWN["means"].items() if re.search(pattern, words)), None)
    if named or re.search(_KNOWN["general"], words):
        return named
    return "nobody" if is_contact_name(column) else None  # a name or an address reaches nobody


def read_reach(contacts: pl.DataFrame, launch: LaunchSettings, known: pl.Series) -> tuple[pl.DataFrame, list[Finding]]:
    """Give ``customer_id`` and `tables.REACH`, and what was found of the phones of those who are `known` by the as-of date.

    The contacts have ``customer_id``, ``name`` and contact columns as text; a Boolean for each row says who is known.
    """
    country = country_of(launch)
    has = {name: pl.repeat(False, contacts.height, eager=True) for name in REACH.names() if name.startswith("has_")}
    read: list[pl.DataFrame] = []
    for column in (name for name in contacts.columns if name not in ("customer_id", "name")):
        means = means_of(column)
        filled = ~contacts[column].str.contains(rf"^(?:{_KNOWN['no_contact']}|.)$").fill_null(value=True)
        cells = contacts[column].zip_with(filled, pl.Series([None], dtype=pl.String))
        match means:
            case "wechat":
                has["has_wechat"] |= filled
            case "other":
                has["has_other_contact"] |= filled
            case "email" | None:
                has["has_email"] |= cells.str.contains(_EMAIL).fill_null(value=False)
        if means in ("phone", None):
            phones = read_phones(cells, country).with_columns(cell=cells)
            if means is None:  # what is no number here is something else
                has["has_other_contact"] |= cells.str.contains(_KNOWN["messenger"]).fill_null(value=False)
                phones = phones.with_columns(pl.when(pl.col("phone") != "invalid").then("phone"))
            read.append(phones)
    for column, kinds in zip(("has_mobile", "has_landline", "has_foreign_phone"), _ORDER, strict=True):
        for phones in read:
            has[column] |= phones["phone"].is_in(kinds).fill_null(value=False)
    numbers = [
        phones["number"].zip_with(phones["phone"].is_in(kinds).fill_null(value=False), pl.Series([None], dtype=pl.Int64))
        for kinds in _ORDER
        for phones in read
    ]
    nobody = pl.repeat(None, contacts.height, dtype=pl.Int64, eager=True)
    own = pl.DataFrame({str(at): column for at, column in enumerate([*numbers, nobody])})
    number = own.select(pl.coalesce(pl.all()).alias("number"))
    shared = number.select(pl.when(pl.len().over("number") > 1).then(pl.col("number").rank("dense")).cast(pl.Int64)).to_series()
    findings = [*_count_phones([phones.filter(known) for phones in read], country), *_count_shared(number.filter(known))]
    return pl.DataFrame({"customer_id": contacts["customer_id"], **has, "shared_phone": shared}), findings


def _count_phones(read: list[pl.DataFrame], country: str | None) -> Iterator[Finding]:
    phones = pl.concat([part.drop_nulls("phone") for part in read]) if read else pl.DataFrame({"phone": []})
    if phones.is_empty():
        return
    counts = {kind: phones.filter(phone=kind).height for kind in ("mobile", "landline", "foreign", "unchecked", "invalid")}
    if counts["unchecked"]:
        sentence = "phones: {unchecked:,} could not be checked, as nothing says of which country they are; set launch.country, as CN"
        yield Finding("warning", Message("input.phones_unchecked", sentence, unchecked=counts["unchecked"]))
    example: str | Message = ""
    if counts["invalid"]:
        shape = pl.col("cell").str.replace_all(r"\d", "9").str.replace_all(r"\pL", "a").alias("shape")
        shapes = phones.filter(phone="invalid").group_by(shape).len().sort("len", "shape", descending=[True, False])
        example = Message("input.such_as", ", such as {shape}", shape=shapes["shape"][0][:40])
    sentence = (
        "phones: {mobile:,} mobile, {landline:,} landline, {foreign:,} of other countries{abroad}, "
        "{invalid:,} that nobody can call{example}"
    )
    abroad = Message("input.other_than", " than {country} (launch.country)", country=country) if country else ""
    level: Level = "warning" if counts["invalid"] > _MANY * phones.height else "note"
    yield Finding(level, Message("input.phones", sentence, **counts, abroad=abroad, example=example))


def _count_shared(number: pl.DataFrame) -> Iterator[Finding]:
    shared = number.drop_nulls().group_by("number").len().filter(pl.col("len") > 1)["len"]
    if len(shared):
        sentence = "phones: {customers:,} customers share {phones:,}; one is of {most:,} customers{way_out}"
        facts = {"customers": int(shared.sum()), "phones": len(shared), "most": int(str(shared.max()))}
        crowd = facts["most"] >= _CROWD
        way_out = (
            Message("input.not_theirs", ", and hardly theirs: where it is the shop's own, leave it out in the source") if crowd else ""
        )
        yield Finding("warning" if crowd else "note", Message("input.phones_shared", sentence, **facts, way_out=way_out))
