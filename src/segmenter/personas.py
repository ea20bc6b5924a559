"""Personas: needs that conditions name, in order; of several that a customer matches the first counts."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from segmenter.conditions import conditions
from segmenter.errors import InputError
from segmenter.measures.spec import LEARNING
from segmenter.messages import Message
from segmenter.rules import ELIGIBLE
from segmenter.settings import OTHER_PERSONA, PersonaSettings

# Columns that a condition may name and that stages after the rules add.
_LATER = pl.Schema({"topic": pl.String(), "topic_share": pl.Float64()})

NO_PERSONAS = pl.DataFrame(
    schema={"persona": pl.String, "customers": pl.Int64, "eligible": pl.Int64, "invited": pl.Int64, "also": pl.String}
)


@dataclass(frozen=True)
class Personas:
    """The ``persona`` of each customer, and of each persona how many match which one further down: ``persona``, ``also``, ``count``."""

    names: pl.Series
    overlaps: pl.DataFrame
    warnings: tuple[Message, ...]


def check_personas(frame: pl.DataFrame, personas: Sequence[PersonaSettings], currency: str) -> None:
    """Refuse conditions that cannot be computed, before any work: a `ConfigError` names all of them."""
    if personas and "persona" in frame.columns:
        template = "data.customers.attributes: {names}: so segmenter calls a column of its own; rename it in the source"
        raise InputError(Message("measures.attribute_taken", template, names=("persona",)))
    later = [pl.lit(None, dtype).alias(name) for name, dtype in _LATER.items() if name not in frame.columns]
    _matches(frame.head(2).with_columns(later), personas, currency)


def assign_personas(frame: pl.DataFrame, personas: Sequence[PersonaSettings], currency: str) -> Personas:
    """Give every customer the first persona whose condition they meet; whoever meets none is `OTHER_PERSONA`.

    The conditions see all columns of the frame, with amounts in currency units. Of a persona that nobody is, a warning says why.
    """
    matches = _matches(frame, personas, currency)
    found = [persona.name for persona in personas]
    first = matches.select(first=pl.coalesce(*(pl.when(column).then(int(column)) for column in matches.columns), pl.lit(len(found))))
    sums = {row[0]: row[1:] for row in matches.with_columns(first).group_by("first").agg(pl.all().sum()).rows()}
    also = [
        (found[at], found[other], count)
        for at in sorted(sums.keys() - {len(found)})
        for other, count in sorted(enumerate(sums[at]), key=lambda pair: -pair[1])
        if other != at and count
    ]
    warnings = []
    for at, (key, name) in enumerate(zip(_keys(personas), found, strict=True)):
        if at in sums:
            continue
        above = {taken: count for taken, other, count in also if other == name}
        if above:
            sentence = "{key}: all {count:,} who match this persona match one above it too ({above}) and count there; put it first"
            warnings.append(Message("personas.shadowed", sentence, key=key, count=sum(above.values()), above=tuple(above)))
        else:
            warnings.append(Message("personas.nobody", "{key}: nobody matches this persona; look at its condition", key=key))
    names = pl.Series("persona", [*found, OTHER_PERSONA]).gather(first["first"])
    return Personas(names, pl.DataFrame(also, {"persona": pl.String, "also": pl.String, "count": pl.Int64}, orient="row"), tuple(warnings))


def count_personas(customers: pl.DataFrame, personas: Sequence[PersonaSettings], overlaps: pl.DataFrame) -> pl.DataFrame:
    """Count the customers of a launch by persona, `OTHER_PERSONA` last.

    The columns are ``persona``, ``customers``, ``eligible``, ``invited``, and ``also``: how many of the customers match which others.
    """
    eligible = pl.col("verdict") == ELIGIBLE
    counted = customers.group_by("persona").agg(
        customers=pl.len().cast(pl.Int64), eligible=eligible.sum().cast(pl.Int64), invited=pl.col("invited").sum().cast(pl.Int64)
    )
    others = overlaps.group_by("persona", maintain_order=True).agg(also=pl.format("{} {}", "also", "count").str.join("; "))
    table = pl.DataFrame({"persona": [*(persona.name for persona in personas), OTHER_PERSONA]})
    for part in (counted, others):
        table = table.join(part, on="persona", how="left", maintain_order="left")
    return table.with_columns(pl.col("customers", "eligible", "invited").fill_null(0))


def _matches(frame: pl.DataFrame, personas: Sequence[PersonaSettings], currency: str) -> pl.DataFrame:
    texts = dict(zip(_keys(personas), (persona.where for persona in personas), strict=True))
    # What is measured for a ranking that learns only must not tell who somebody is.
    met = conditions(frame.drop((measure.name for measure in LEARNING), strict=False), texts, currency)
    return pl.DataFrame({str(number): meets for number, meets in enumerate(met.values())})


def _keys(personas: Sequence[PersonaSettings]) -> list[str]:
    return [f"personas.{number}.where ({persona.name})" for number, persona in enumerate(personas)]
