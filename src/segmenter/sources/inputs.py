"""What a job has read of a shop."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from segmenter.findings import messages_of
from segmenter.messages import Message
from segmenter.run_log import event
from segmenter.sources.raw import Fingerprint
from segmenter.tables import Tables


@dataclass(frozen=True)
class Inputs:
    """What a job has read."""

    tables: Tables
    fingerprints: Mapping[str, tuple[Fingerprint, ...]]  # for each table, what its sources were; empty for the demo shop
    warnings: tuple[str, ...] = ()  # what was found damaged and read again
    to_mend: pl.DataFrame | None = None  # answers that nobody could make sense of, see `answer_mending.MENDED`: it holds contacts

    @property
    def rejected(self) -> list[dict[str, object]]:
        """How many rows were rejected, by table, column and reason."""
        rows = self.tables.rejects.group_by("table", "column", "reason").len("rows")
        return rows.sort("table", "column", "reason", nulls_last=True).to_dicts()

    def log(self) -> None:
        """Tell the log how many rows were read and rejected."""
        for name, counts in self.tables.reads.items():
            event("read", table=name, **counts)
        for kind in self.rejected:
            event("rejected", **kind)

    @property
    def doubts(self) -> tuple[Message, ...]:
        """What may be wrong with the input, as a report of any job says it."""
        return messages_of(self.tables.findings, "warning")
