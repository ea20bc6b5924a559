"""The private file of contacts: new phones, and people whom agents added by hand. Call sheets and the reading of answers open it."""

import os
from contextlib import suppress
from datetime import date
from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError

from segmenter.errors import InputError
from segmenter.messages import Message
from segmenter.sources.raw import one_line
from segmenter.sources.reach import means_of

FILE = "contacts.csv"
_SCHEMA = pl.Schema(
    {
        "customer_id": pl.String(),  # empty for who was added by hand and is not known yet
        "name": pl.String(),  # as the agent has it
        "phone": pl.String(),
        "instead_of": pl.String(),  # the shop's phone at that time: where the shop has another one since, that is the newer
        "noted_on": pl.Date(),
        "source": pl.String(),
    }
)
# What the reading of answers gives; `dated` says whether the agent gave the day, or it is that before the review.
NOTED = pl.Schema({name: kind for name, kind in _SCHEMA.items() if name != "instead_of"} | {"dated": pl.Boolean()})
_KEY = ["customer_id", "phone"]


def contacts_path(given: str | None, ledger: Path | None, out: Path) -> Path:
    """Say where the file is: as ``ledger.contacts`` has it, or beside the ledger's file, or else beside the results folder."""
    return Path(given).expanduser() if given is not None else (out.absolute() if ledger is None else ledger).parent / FILE


def read_contacts_file(path: Path | None) -> pl.DataFrame:
    """Read what agents noted of contacts; nothing where there is no file yet."""
    if path is None or not path.exists():
        return _SCHEMA.to_frame()
    try:
        return pl.read_csv(path, schema_overrides=dict(_SCHEMA), columns=_SCHEMA.names()).select(_SCHEMA.names())
    except (PolarsError, OSError) as error:
        rule = "ledger.contacts: {path} cannot be read as the private file of contacts ({why}); put back what it was, or name another"
        # What cannot be read may be a phone.
        why = one_line(error) if isinstance(error, OSError) else type(error).__name__
        raise InputError(Message("answers.contacts_file", rule, path=str(path), why=why)) from error


def keep_contacts(path: Path, noted: pl.DataFrame, contacts: pl.DataFrame | None) -> None:
    """Add to the file what was noted, see `NOTED`; it is whole at any moment, and only its owner may read it."""
    before, column = read_contacts_file(path), phone_column(contacts)
    shop = pl.DataFrame(schema={"customer_id": pl.String, "instead_of": pl.String})
    if contacts is not None and column is not None:
        shop = contacts.select("customer_id", instead_of=column).unique("customer_id", keep="first", maintain_order=True)
    now = noted.sort("noted_on", "source", "name", nulls_last=False).unique(_KEY, keep="last", maintain_order=True)
    now = now.join(shop, on="customer_id", how="left", maintain_order="left")
    # Of a phone that is known already stays what it came instead of, and without a day of its own the day on which it was noted.
    known = before.select(*_KEY, was="instead_of", day="noted_on", known=pl.lit(value=True))
    now = now.join(known, on=_KEY, how="left", nulls_equal=True, maintain_order="left")
    old = pl.col("known").fill_null(value=False)
    now = now.with_columns(
        instead_of=pl.when(old).then("was").otherwise("instead_of"),
        noted_on=pl.when(old & (~pl.col("dated") | (pl.col("day") > pl.col("noted_on")))).then("day").otherwise("noted_on"),
    )
    both = pl.concat([before, now.select(_SCHEMA.names())]).unique(_KEY, keep="last", maintain_order=True)
    after = both.sort("customer_id", "noted_on", "phone", "name", nulls_last=True)
    if after.equals(before):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            after.write_csv(file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        with suppress(FileNotFoundError):
            beside.unlink()


def newest_contacts(contacts: pl.DataFrame | None, path: Path | None, before: date) -> pl.DataFrame | None:
    """Give the shop's contacts with the phones that agents noted before a day, unless the shop has another one by now."""
    noted = _newest(path, before)
    if noted.is_empty():
        return contacts
    column = phone_column(contacts)
    if contacts is None:
        return noted.select("customer_id", "name", "phone")
    if column is None:
        column = "phone"
        while column in contacts.columns:
            column += "_"
        contacts = contacts.with_columns(pl.lit(None, dtype=pl.String).alias(column))
    new = contacts.join(noted.select("customer_id", "instead_of", newest="phone"), on="customer_id", how="left", maintain_order="left")
    still = pl.col("newest").is_not_null() & (pl.col(column).is_null() | pl.col(column).eq_missing(pl.col("instead_of")))
    return new.with_columns(pl.when(still).then("newest").otherwise(column).alias(column)).drop("newest", "instead_of")


def list_new_phones(path: Path | None, before: date) -> pl.DataFrame:
    """Say of whom agents noted a phone before a day, and when: ``customer_id``, ``noted_on``; no phone goes further."""
    return _newest(path, before).select("customer_id", "noted_on")


def _newest(path: Path | None, before: date) -> pl.DataFrame:
    noted = read_contacts_file(path).drop_nulls(_KEY).filter(pl.col("noted_on") < before).sort("customer_id", "noted_on", "phone")
    return noted.unique("customer_id", keep="last", maintain_order=True)


def phone_column(contacts: pl.DataFrame | None) -> str | None:
    """Choose the shop's column of phones: of several the one with most, as the call sheets do."""
    named = [] if contacts is None else [name for name in contacts.columns if means_of(name) == "phone"]
    return max(named, key=lambda name: contacts[name].count(), default=None) if contacts is not None else None
