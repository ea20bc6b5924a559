"""Who brings whom at a launch: the graph of who knows whom, and what it is worth that somebody is reached."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

import polars as pl

from segmenter.messages import Message
from segmenter.settings import CoreSettings
from segmenter.spread.graph import Graph
from segmenter.tables import Tables


@dataclass(frozen=True)
class EdgeChances:
    """With what chance people bring each other.

    `edges` has ``from_id``, ``to_id`` and ``chance``: that the first, once in the community, brings the second within the horizon. They are
    `learned` from the pairs of past launches in which somebody could have been brought (`asked`), and who was (`joined`), or else those of
    the weighted cascade. `notes` say so, and what was left out.
    """

    edges: pl.DataFrame
    learned: bool
    asked: int
    joined: int
    notes: tuple[Message, ...] = ()


@dataclass(frozen=True)
class LaunchSpread:
    """Who may bring whom to a launch.

    `people` has every customer and everybody in an edge: ``person``; ``value`` (≥ 0, in the `unit`: minor units of the currency, or people),
    what it is worth that they are reached; ``eligible``, as a key user; ``friends``, how many new customers, known to nobody yet, they can be
    expected to bring in the horizon; ``newcomer``, what one such is worth, which stands within the value, times the friends.
    """

    graph: Graph
    people: pl.DataFrame
    chances: EdgeChances
    unit: Literal["spend", "people"]


def edge_chances(
    ties: pl.DataFrame | None,
    referrals: pl.DataFrame,
    customers: pl.DataFrame,
    past: pl.DataFrame | None,
    settings: CoreSettings,
    as_of: date,
) -> EdgeChances:
    """Give the chances with which people bring each other."""
    raise NotImplementedError


def launch_spread(customers: pl.DataFrame, tables: Tables, settings: CoreSettings, *, value: pl.Series | None) -> LaunchSpread:
    """Give who may bring whom to a launch; `value` is the expected spend of each customer, None where no ranking says it."""
    raise NotImplementedError


def reach_of_each(spread: LaunchSpread, seed: int) -> pl.DataFrame:
    """Give what each person would reach alone: ``person``, ``reach`` (themselves included), ``brings`` (without), in the spread's unit."""
    raise NotImplementedError
