"""What an allocated plan must keep to: groups, shares of layers, size, budget and agents."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from segmenter.errors import ConfigError
from segmenter.messages import Message
from segmenter.money import LARGEST
from segmenter.vocabulary import vocabulary

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class GroupLimits:
    """Groups keep to one region and to one topic where that is asked for; 1 ≤ min_size ≤ max_size customers are in each."""

    by_region: bool
    by_topic: bool
    min_size: int
    max_size: int
    max_groups: int


@dataclass(frozen=True)
class Quota:
    """The share of a layer in every group, held to the customer: a third of 4 is at least 2 and at most 1."""

    layer: str
    min: float = 0.0
    max: float = 1.0


@dataclass(frozen=True)
class Agent:
    """Somebody who calls at most `capacity` customers over the whole campaign, those of whom `reach` has the value of that column."""

    capacity: int
    reach: tuple[str | None, ...]


@dataclass(frozen=True)
class GroupNames:
    """Words that stand in the names of groups, and so in results and the ledger: data, in the language of the launch."""

    everywhere: str
    no_region: str
    no_topic: str


@cache
def group_names(language: str) -> GroupNames:
    """Read what groups are called that keep to no region or topic."""
    return GroupNames(**vocabulary("groups")[language])


@dataclass(frozen=True)
class Constraints:
    """All that a plan must keep to, and the words for its groups.

    Layers without a quota are free. `budget` and `costs` are in minor units; a cost is what inviting one customer of a layer is expected
    to come to, 0 where none is named. Without agents nobody needs to call.
    """

    groups: GroupLimits
    quotas: tuple[Quota, ...] = ()
    size_min: int | None = None
    size_max: int | None = None
    budget: int | None = None
    costs: Mapping[str, int] = field(default_factory=dict)
    agents: tuple[Agent, ...] = ()
    currency: str = "CNY"
    names: GroupNames = field(default_factory=lambda: group_names("en"))


def check_amounts(constraints: Constraints) -> None:
    """Refuse amounts of money whose sums would not fit."""
    amounts = {"plan.budget": constraints.budget or 0} | {f"plan.gifts ({layer})": cost for layer, cost in constraints.costs.items()}
    sentence = "{name}: should be at most {largest:,} minor units (got {amount:,})"
    problems = [
        Message("planning.amount_too_large", sentence, name=name, amount=amount, largest=LARGEST)
        for name, amount in amounts.items()
        if amount > LARGEST
    ]
    if problems:
        raise ConfigError(*problems)


@lru_cache
def exact(share: float) -> Fraction:
    """Give a share as it was written: 0.1 is a tenth, which no float is."""
    return Fraction(str(share))


def layer_bounds(quotas: tuple[Quota, ...], layers: list[str], sizes: Ints) -> tuple[Ints, Ints]:
    """Turn shares into the least and the most customers of each layer (columns) in a group of each size (rows), exactly."""
    low = np.zeros((len(sizes), len(layers)), dtype=np.int64)
    high = np.repeat(sizes[:, None], len(layers), axis=1).astype(np.int64)
    for quota in quotas:
        least, most = exact(quota.min), exact(quota.max)
        column = layers.index(quota.layer)
        low[:, column] = -(-sizes * least.numerator // least.denominator)
        high[:, column] = sizes * most.numerator // most.denominator
    return low, high


def sizes_that_hold(low: Ints, high: Ints, sizes: Ints) -> NDArray[np.bool_]:
    """Say for which sizes a group can be made up of layers between these bounds, one row per size."""
    return np.asarray((low <= high).all(axis=1) & (low.sum(axis=1) <= sizes) & (sizes <= high.sum(axis=1)))
