"""Which agents can call whom, by region and language."""

import numpy as np
import polars as pl

from segmenter.errors import nearest
from segmenter.messages import Message
from segmenter.planning.call_messages import list_first
from segmenter.regions import matching
from segmenter.settings import PlanSettings, RegionRule


def find_reach(
    customers: pl.DataFrame, settings: PlanSettings, regions: RegionRule
) -> tuple[pl.Series, list[tuple[int, ...]], tuple[Message, ...]]:
    """Say which agents can call whom: ``reach``, the number of a set of agents; these sets; and warnings.

    The customers have ``province``, ``city``, and ``language`` where agents have languages; an agent in a set is a place in the settings.
    The warnings name regions and languages of agents that no customer has.
    """
    keys = ["province", "city", "language"]
    if "language" not in customers.columns:
        customers = customers.with_columns(language=pl.lit(None, dtype=pl.String))
    customers = customers.select(pl.col(keys).cast(pl.String))
    places = customers.unique().sort(keys, nulls_last=True)
    rule = regions.model_copy(update={"allow_missing": True})
    known = {column: set(places[column].drop_nulls()) for column in keys}
    serves, unknown = [], []
    for agent in settings.agents:
        regional = {name: matching(places, (name,), rule, "plan.agents") for name in agent.regions}
        unknown += [_unknown(name, agent.name, known["province"] | known["city"]) for name in regional if regional[name][1]]
        unknown += [_unknown(name, agent.name, known["language"]) for name in agent.languages if name not in known["language"]]
        able = np.ones(places.height, dtype=bool)
        if regional:
            able &= np.any([hit.to_numpy() for hit, _ in regional.values()], axis=0)
        if agent.languages:
            able &= places["language"].is_in(list(agent.languages)).fill_null(value=False).to_numpy()
        serves.append(able)
    sentence = "plan.agents: nobody who is invited has this region or language: {unknown}"
    warnings = (Message("planning.agents_unknown", sentence, unknown=list_first(unknown)),) if unknown and customers.height else ()
    sets = [tuple(np.flatnonzero(row).tolist()) for row in np.array(serves, dtype=bool).reshape(len(serves), places.height).T]
    numbers = {able: number for number, able in enumerate(sorted(set(sets)))}
    numbered = places.with_columns(pl.Series("reach", [numbers[able] for able in sets], dtype=pl.Int64))
    joined = customers.select(keys).join(numbered, on=keys, how="left", nulls_equal=True, maintain_order="left", validate="m:1")
    return joined["reach"], list(numbers), warnings


def _unknown(name: str, agent: str, known: set[str]) -> Message:
    """Say what a name may be a misspelling of; it may as well be right, and nobody from there be invited."""
    hint = nearest(name, known)
    shown = hint if hint.startswith("; nearest") else ""
    return Message("planning.agent_unknown", "{name} ({agent}{hint})", name=name, agent=agent, hint=shown)
