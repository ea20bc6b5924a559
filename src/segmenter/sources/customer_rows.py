"""Rows of the customers table, and apart from them the contacts, which only the call sheets may show."""

import re
from collections.abc import Mapping, Sequence

import polars as pl

from segmenter import tables
from segmenter.contacts import Contacts, shown_columns
from segmenter.errors import InputError, nearest
from segmenter.messages import Message
from segmenter.settings import MappingSettings
from segmenter.sources import fields
from segmenter.sources.addresses import read_places
from segmenter.sources.answer_words import channel_of
from segmenter.sources.expressions import FieldValues, columns_of, evaluate
from segmenter.sources.reach import means_of
from segmenter.sources.reject_reasons import NO_CHANNEL, NO_DATE, NO_FLAG, TWICE
from segmenter.sources.rows import Rows, without_contacts

_PEOPLE = ("customers", "applicants")  # tables
_PERSONAL = ("name", "address")  # fields
_KEY = "data.customers.attributes"
_DERIVED = re.compile(r".+\sAS\s+([^\W\d]\w*)\s*", re.IGNORECASE | re.DOTALL)
_MOST_KINDS = 20  # of what SQL makes of a contact: more could be the contacts
_FLAGS = ("do_not_contact", "blocked", "staff")


def find_contacts(rows: Mapping[str, Rows], settings: MappingSettings) -> Contacts:
    """Find the columns of all tables that are contacts by the mapping or by name, and that are mapped to nothing else."""
    contact = (*settings.customers.contact, *settings.applicants.contact)
    columns = {*contact, *(column for table in rows.values() for column in _personal(table))}
    personal = Contacts(frozenset(columns))
    known = []
    for name, table in rows.items():
        used = {column for field, sources in table.columns.items() if field not in _PERSONAL for column in sources}
        own = set(columns_of(table.source)) - used - (set(settings.customers.attributes) if name in _PEOPLE else set())
        known += [table.source[column] for column in sorted(own) if personal.is_contact(column)]
    return Contacts(personal.columns, known)


def _personal(rows: Rows) -> set[str]:
    """Give the columns of names and addresses; an address may be put together from what is mapped to province and city, too."""
    shown = {column for field, sources in rows.columns.items() if field not in _PERSONAL for column in sources}
    return {*rows.columns.get("name", ())} | ({*rows.columns.get("address", ())} - shown)


def check_extras(people: Rows, settings: MappingSettings) -> list[str]:
    """Say which contacts and attributes the table lacks, and which attributes are contacts by name or mapping."""
    known = columns_of(people.source)
    near = shown_columns(known).values()
    if people.table == "applicants":
        asked = {"contact": settings.applicants.contact}
    else:
        asked = {"contact": settings.customers.contact, "attributes": settings.customers.attributes}
    problems: list[str] = []
    for key, columns in asked.items():
        for column in columns:
            if key == "attributes" and _DERIVED.fullmatch(column) and column not in known:
                problems += [made] if isinstance(made := _evaluate(people, column), Message) else []
            elif column not in known:
                sentence = 'data.{table}.{key}: there is no column "{column}"{near}'
                facts = {"table": people.table, "key": key, "column": column, "near": nearest(column, near)}
                problems.append(Message("files.extra_column", sentence, **facts))
    personal = Contacts(frozenset({*settings.customers.contact, *_personal(people)}))
    sentence = (
        'data.customers.attributes: "{column}" is a contact by its name or by the mapping, which only the call sheets may show; '
        "name it in data.customers.contact instead; if it is none, give the column another name"
    )
    names = [_name_of(column, known) for column in asked.get("attributes", ())]
    if twice := tuple(sorted({name for name in names if names.count(name) > 1})):
        problems.append(
            Message("files.attribute_twice", "{key}: names should be given once (got {names} more than once)", key=_KEY, names=twice)
        )
    taken = tuple(name for name in names if name in tables.REACH)
    if taken:
        problems.append(tables.attribute_taken(taken))
    contacts = [name for name in names if personal.is_contact(name)]
    return problems + [Message("files.contact_attribute", sentence, column=column) for column in contacts]


def read_customers(rows: Rows, settings: MappingSettings, personal: Contacts) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Give the customers as `tables.CUSTOMERS` with their attributes; and their names and contacts.

    Of applicants, `rows.table`, `joined` is when they applied, and there is ``applied_by``.
    """
    applied = rows.table == "applicants"
    contact_columns = settings.applicants.contact if applied else settings.customers.contact
    made = {_name_of(column, rows.source.columns): _evaluate(rows, column) for column in settings.customers.attributes}
    attributes = {name: found for name, found in made.items() if isinstance(found, FieldValues)}  # applicants may lack some
    values = {"customer_id": rows.id("customer_id"), **read_places(rows)}
    values["joined"] = pl.repeat(None, rows.source.height, dtype=pl.Date, eager=True)
    dated = "time" if applied else "joined"
    if dated in rows.fields and rows.moments is not None:
        values["joined"] = rows.moments.dt.date()
        rows.note(values["joined"].is_null() & ~rows.empty(dated), dated, NO_DATE)
    for name in _FLAGS:
        values[name] = pl.repeat(False, rows.source.height, eager=True)
        if name in rows.fields:
            flag = fields.flag(rows.fields[name])
            # Whoever may not want to be called is not called.
            rows.note(flag.is_null(), name, NO_FLAG)
            values[name] = flag.fill_null(value=True)
    if applied:
        values["applied_by"] = _channels(rows)
    values |= _attributes(rows, attributes, personal)
    contact = {"name": rows.text("name")} if "name" in rows.fields else {}
    contact |= {name: fields.text(rows.source[name]) for name in contact_columns}
    frame = pl.DataFrame({**values, **{f"contact {name}": column for name, column in contact.items()}})
    kept = _one_row_per_customer(rows, frame)
    contacts = kept.select("customer_id", *(pl.col(f"contact {name}").alias(name) for name in contact))
    return kept.select(*tables.CUSTOMERS.names(), *(["applied_by"] if applied else []), *attributes), contacts


def _channels(rows: Rows) -> pl.Series:
    """Give the channels by which people applied; what is none of them is noted."""
    said = rows.text("channel")
    known = {word: channel_of(word) for word in said.drop_nulls().unique()}
    channels = said.replace_strict(known, default=None, return_dtype=pl.String)
    if "channel" in rows.fields:
        rows.note(said.is_not_null() & channels.is_null(), "channel", NO_CHANNEL)
    return channels


def add_contacts(contacts: pl.DataFrame | None, more: pl.DataFrame) -> pl.DataFrame:
    """Add the contacts of applicants: they fill what the shop's lack, and stand in a column of their own where they are others.

    Columns belong together by their names, or else by what they reach somebody by.
    """
    if contacts is None:
        return more
    place = {name: name for name in more.columns if name in contacts.columns and name != "customer_id"}
    for column in more.columns:
        means = means_of(column)
        alike = [name for name in contacts.columns if name not in place.values() and means_of(name) == means]
        if column not in contacts.columns and means in ("phone", "wechat", "email") and alike:
            place[column] = alike[0]
    theirs = {column: f"{column} applied" if column in contacts.columns else column for column in place}
    joined = contacts.join(more.rename(theirs), on="customer_id", how="full", coalesce=True, maintain_order="left_right")
    joined = joined.with_columns(pl.coalesce(name, theirs[column]).alias(name) for column, name in place.items())
    others = {theirs[column]: pl.col(theirs[column]).ne_missing(pl.col(name)) for column, name in place.items() if column != "name"}
    joined = joined.with_columns(pl.when(other).then(column).alias(column) for column, other in others.items())
    needless = [column for column in theirs.values() if column not in others or not joined[column].count()]
    return joined.drop(needless)


def _name_of(attribute: str, columns: Sequence[str]) -> str:
    """Name an attribute: a column, or SQL with a name, as ``CASE … END AS place``."""
    return attribute if attribute in columns or not (derived := _DERIVED.fullmatch(attribute)) else derived[1]


def _evaluate(rows: Rows, attribute: str) -> FieldValues | Message:
    return evaluate(rows.source, attribute, _KEY, lambda values, _: values.cast(pl.Float64, strict=False))


def _attributes(rows: Rows, attributes: Mapping[str, FieldValues], personal: Contacts) -> dict[str, pl.Series]:
    """Give the attributes without the contacts in them; refuse those that are little else, or may be."""
    columns: dict[str, pl.Series] = {}
    problems = []
    for name, found in attributes.items():
        rows.columns[key := f"attribute {name}"] = found.columns
        values = fields.text(found.values)
        of_contacts, count, most = any(map(personal.is_contact, found.columns)), values.n_unique(), min(_MOST_KINDS, values.count() // 2)
        if name not in rows.source.columns and of_contacts and count > most:
            sentence = (
                "{key}: {name} is made of contacts and has {count:,} values: more than {most} could be the contacts; let there be fewer"
            )
            problems.append(Message("files.attribute_kinds", sentence, key=_KEY, name=name, count=count, most=most))
            continue
        columns[name] = without_contacts(rows, key, values, personal)
        if 2 * (lost := columns[name].null_count() - values.null_count()) > (given := values.count()):
            sentence = (
                'data.customers.attributes: "{column}" holds contacts in {lost:,} of {given:,} rows, which only the call sheets may show; '
                "name it in data.customers.contact instead"
            )
            problems.append(Message("files.attribute_of_contacts", sentence, column=name, lost=lost, given=given))
    if problems:
        raise InputError(*problems)
    return columns


def _one_row_per_customer(rows: Rows, frame: pl.DataFrame) -> pl.DataFrame:
    """Drop the rejected rows, and all but one of each customer.

    Rows that say the same of a customer are one, as in an order export read as customers; of others the first in an order of their
    content stands, wherever it stood in the file, and one from before the as-of date before a later one.
    """
    applied = rows.table == "applicants"  # of whom the first application stands, and others are nothing wrong
    content = frame.select(
        pl.struct(*(["joined"] if applied else []), pl.exclude("joined") if applied else pl.all()).rank("min")
    ).to_series()
    ranked = pl.DataFrame({"later": ~rows.counted, "customer_id": frame["customer_id"], "content": content})
    standing = pl.struct("later", "content")
    first = ranked.select(standing == standing.sort_by("later", "content").first().over("customer_id")).to_series()
    if applied:
        rows.drop(~first)
    else:
        rows.reject(~first, "customer_id", TWICE)
    flagged = frame.with_columns(pl.col(name).max().over("customer_id", rows.counted) for name in _FLAGS)
    return rows.drop_rejected(flagged).unique("customer_id", keep="first", maintain_order=True)
