"""Who knows whom, as a shop has it: a row for each pair, or for each message between two."""

import polars as pl

from segmenter.checks.number_format import NumberFormat
from segmenter.contacts import Contacts
from segmenter.findings import Finding
from segmenter.messages import Message
from segmenter.settings import LaunchSettings, MappingSettings
from segmenter.sources import fields
from segmenter.sources.reject_reasons import NO_WEIGHT
from segmenter.sources.rows import Rows
from segmenter.tables import TIES

_SHOWN = 3


def read_ties(rows: Rows, settings: MappingSettings, launch: LaunchSettings) -> pl.DataFrame:
    """Read the table, see `tables.TIES`: weights of a pair add up, and who is said to know themselves is left out."""
    ties = pl.DataFrame({name: rows.id(name) for name in ("from_id", "to_id")}).with_columns(weight=_weights(rows, settings, launch))
    if "time" in rows.fields:
        rows.time(settings.ties)
    before = rows.drop_rejected(ties.with_columns(rows.counted.alias("counted"))).filter("counted").select(TIES.names())
    others = before.filter(pl.col("from_id") != pl.col("to_id"))
    # Sums of floats depend on their order.
    pairs = others.sort(TIES.names()).group_by("from_id", "to_id", maintain_order=True).agg(pl.col("weight").sum())
    if alone := before.height - others.height:
        sentence = "data.ties: {count:,} rows say that somebody knows themselves, and are left out"
        rows.findings.append(Finding("note", Message("files.ties_alone", sentence, count=alone)))
    if again := others.height - pairs.height:
        sentence = "data.ties: {count:,} rows are of a pair that stands there before; weights of a pair add up"
        rows.findings.append(Finding("note", Message("files.ties_again", sentence, count=again)))
    return pairs


def _weights(rows: Rows, settings: MappingSettings, launch: LaunchSettings) -> pl.Series:
    """Read the weights; 1 where there is none."""
    if "weight" not in rows.fields:
        return pl.repeat(1.0, rows.source.height, dtype=pl.Float64, eager=True)
    how = NumberFormat("," if settings.decimal == "," else ".")
    found = fields.number(rows.fields["weight"], launch.currency, how)
    fits = (found.is_finite() & (found >= 0)).fill_null(value=False)
    rows.reject(~fits & ~rows.empty("weight"), "weight", NO_WEIGHT)
    return found.zip_with(fits, pl.Series([1.0]))


def tell_unknown(ties: pl.DataFrame | None, customers: pl.Series, personal: Contacts) -> list[Finding]:
    """Say how many of those who know others are no customers."""
    if ties is None:
        return []
    people = pl.concat([ties["from_id"].alias("id"), ties["to_id"].alias("id")]).unique().to_frame()
    unknown = people.join(customers.to_frame("id"), on="id", how="anti")["id"].sort()
    if unknown.is_empty():
        return []
    sentence = (
        "data.ties: {count:,} of {people:,} people are no customers, such as {ids}: they are taken for people who may become some; "
        "where they are customers, their ids are written otherwise there"
    )
    facts = {"count": len(unknown), "people": people.height, "ids": tuple(personal.show(unknown.head(_SHOWN), ()))}
    return [Finding("note" if len(unknown) < people.height else "warning", Message("files.ties_unknown", sentence, **facts))]
