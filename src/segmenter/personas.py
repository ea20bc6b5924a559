"""Personas: needs that conditions name, in order; of several that a customer matches the first counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from segmenter.conditions import conditions
from segmenter.errors import InputError
from segmenter.measures.spec import LEARNING
from segmenter.messages import Message
from segmenter.rules import ELIGIBLE
from segmenter.settings import OTHER_PERSONA, PersonaSettings
from segmenter.tables import attribute_taken

# Columns that a condition may name and that stages after the rules add.
_LATER = pl.Schema({"topic": pl.String(), "topic_share": pl.Float64()})


@dataclass(frozen=True)
class Overlaps:
    """Of each persona, which ones further down its customers match too, and how many of them; and the warnings about those nobody is."""

    also: Mapping[str, Mapping[str, int]]
    warnings: tuple[Message, ...]


def check_personas(frame: pl.DataFrame, personas: Sequence[PersonaSettings], currency: str) -> None:
    """Refuse conditions that cannot be computed, before any work: a `ConfigError` names all of them."""
    if personas and "persona" in frame.columns:
        raise InputError(attribute_taken(["persona"]))
    later = [pl.lit(None, dtype).alias(name) for name, dtype in _LATER.items() if name not in frame.columns]
    _matches(frame.head(2).with_columns(later), personas, currency)


def with_personas(frame: pl.DataFrame, personas: Sequence[PersonaSettings], currency: str) -> tuple[pl.DataFrame, Overlaps]:
    """Add the ``persona`` of every customer: the first whose condition they meet, or `OTHER_PERSONA`; without personas nothing.

    The conditions see all columns of the frame, with amounts in currency units. Of a persona that nobody is, a warning says why.
    """
    if not personas:
        return frame, Overlaps({}, ())
    matches, names = _matches(frame, personas, currency), [persona.name for persona in personas]
    first = matches.select(first=pl.coalesce(*(pl.when(column).then(int(column)) for column in matches.columns), pl.lit(len(names))))
    sums = {row[0]: row[1:] for row in matches.with_columns(first).group_by("first").agg(pl.all().sum()).rows()}
    also = {
        names[at]: {names[other]: count for other, count in enumerate(sums[at]) if other != at and count}
        for at in sorted(sums.keys() - {len(names)})
    }
    warnings = []
    for key, name in zip(_keys(personas), names, strict=True):
        above = {taken: others[name] for taken, others in also.items() if name in others}
        if name not in also and above:
            sentence = "{key}: all {count:,} who match this persona match one above it too ({above}) and count there; put it first"
            warnings.append(Message("personas.shadowed", sentence, key=key, count=sum(above.values()), above=tuple(above)))
        elif name not in also:
            warnings.append(Message("personas.nobody", "{key}: nobody matches this persona; look at its condition", key=key))
    persona = pl.Series("persona", [*names, OTHER_PERSONA]).gather(first["first"])
    return frame.with_columns(persona), Overlaps(also, tuple(warnings))


def count_personas(customers: pl.DataFrame, personas: Sequence[PersonaSettings], also: Mapping[str, Mapping[str, int]]) -> pl.DataFrame:
    """Count the customers of a launch by persona, `OTHER_PERSONA` last; no rows without personas.

    The columns are ``persona``, ``customers``, ``eligible``, ``invited``, and ``also``: which others the customers match, and how many.
    """
    names = [*(persona.name for persona in personas), OTHER_PERSONA] if personas else []
    texts = [" · ".join(f"{other} {count}" for other, count in also.get(name, {}).items()) or None for name in names]
    table = pl.DataFrame({"persona": names, "also": texts}, {"persona": pl.String, "also": pl.String})
    eligible, of = pl.col("verdict") == ELIGIBLE, pl.col("persona") if personas else pl.lit(OTHER_PERSONA).alias("persona")
    counted = customers.group_by(of).agg(customers=pl.len(), eligible=eligible.sum(), invited=pl.col("invited").sum())
    counts = pl.col("customers", "eligible", "invited").fill_null(0).cast(pl.Int64)
    return table.join(counted, on="persona", how="left", maintain_order="left").select("persona", counts, "also")


def _matches(frame: pl.DataFrame, personas: Sequence[PersonaSettings], currency: str) -> pl.DataFrame:
    texts = dict(zip(_keys(personas), (persona.where for persona in personas), strict=True))
    # What is measured for a ranking that learns only must not tell who somebody is.
    met = conditions(frame.drop((measure.name for measure in LEARNING), strict=False), texts, currency)
    return pl.DataFrame({str(number): meets for number, meets in enumerate(met.values())})


def _keys(personas: Sequence[PersonaSettings]) -> list[str]:
    return [f"personas.{number}.where ({persona.name})" for number, persona in enumerate(personas)]
