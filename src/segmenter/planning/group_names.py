"""What groups are called that keep to no region or topic."""

from dataclasses import dataclass
from functools import cache

from segmenter.vocabulary import vocabulary


@dataclass(frozen=True)
class GroupNames:
    """Words that stand in the names of groups, and so in results and the ledger: data, in the language of the launch."""

    everywhere: str
    no_region: str
    no_topic: str


@cache
def group_names(language: str) -> GroupNames:
    """Read the words of a language."""
    return GroupNames(**vocabulary("groups")[language])
