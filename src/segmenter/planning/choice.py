"""What a plan chooses: who is invited into which group."""

from dataclasses import dataclass, field

import polars as pl

SIZE = "size"  # why somebody is not invited: others are better


@dataclass(frozen=True)
class Choice:
    """Who of the candidates is invited into which group.

    Parameters
    ----------
    candidates : DataFrame
        As `candidates.list_candidates` gives them, with ``left_out``: why somebody is not invited, null where that is for the size.
    invited : DataFrame
        Those of them who are invited, with ``rank`` (Int32, from 1), ``group``, and ``number``, that of the group in its unit.
    held_out : Series of Int64
        The rows of those who would have been invited, had they not been drawn for the control group.
    layers : DataFrame
        ``group``, ``layer``, ``people``; empty where the plan has no layers.
    topics : DataFrame or None
        ``group``, ``topic``, where groups keep to one.
    notes, warnings : tuple of Message
        What the plan can say for itself, and what a person should know.
    """

    candidates: pl.DataFrame
    invited: pl.DataFrame
    held_out: pl.Series
    layers: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema={"group": pl.String, "layer": pl.String, "people": pl.Int64}))
    topics: pl.DataFrame | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
