"""What a job has read of a shop."""

from collections.abc import Mapping
from dataclasses import dataclass

from segmenter.sources.raw import Fingerprint
from segmenter.tables import Tables


@dataclass(frozen=True)
class Inputs:
    """What a job has read."""

    tables: Tables
    fingerprints: Mapping[str, tuple[Fingerprint, ...]]  # for each table, what its sources were; empty for the demo shop
    warnings: tuple[str, ...] = ()  # what was found damaged and read again
    notes: tuple[str, ...] = ()  # what a person should know of the sources, such as sheets that were not read
