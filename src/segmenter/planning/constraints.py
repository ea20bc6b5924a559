"""What a plan must keep to: groups, shares of layers, size, budget and agents."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from segmenter.errors import ConfigError
from segmenter.money import LARGEST


@dataclass(frozen=True)
class GroupsBy:
    """Groups made from the customers' regions and topics, as many as pay.

    Parameters
    ----------
    region, topic : bool
        Whether a group keeps to one region, to one topic.
    smallest, largest : int
        People per group, 1 ≤ smallest ≤ largest.
    most : int
        Groups in all, ≥ 0.
    """

    region: bool
    topic: bool
    smallest: int
    largest: int
    most: int


@dataclass(frozen=True)
class GroupRule:
    """Groups of one kind, given by hand.

    Parameters
    ----------
    name : str
        Of the group; numbered where there may be several.
    region, topic : str or None
        Whom it takes; None takes any.
    smallest, largest : int
        People per group, 1 ≤ smallest ≤ largest.
    least, most : int
        How many of these groups there must and may be, 0 ≤ least ≤ most.
    """

    name: str
    region: str | None
    topic: str | None
    smallest: int
    largest: int
    least: int = 0
    most: int = 1


@dataclass(frozen=True)
class Quota:
    """The share of a layer in every group.

    Parameters
    ----------
    layer : str
        Such as expert, regular, newcomer.
    least, most : float
        Shares of the group's people, 0 ≤ least ≤ most ≤ 1, held to the person: a third of 4 is at least 2 and at most 1.
    """

    layer: str
    least: float = 0.0
    most: float = 1.0


@dataclass(frozen=True)
class Agent:
    """Somebody who invites.

    Parameters
    ----------
    name : str
        Of the agent.
    capacity : int
        People over the whole campaign: calls a day times working days.
    regions, languages : tuple of str
        Whom the agent can call; empty for any, also those whose region or language is unknown.
    """

    name: str
    capacity: int
    regions: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()


@dataclass(frozen=True)
class Terms:
    """All that a plan must keep to.

    Parameters
    ----------
    groups : GroupsBy or tuple of GroupRule
        The groups.
    quotas : tuple of Quota
        Shares of layers; layers that are not named are free.
    size_min, size_max : int or None
        People in all; both the same asks for exactly so many.
    budget : int or None
        Minor units.
    costs : mapping of str to int
        What inviting one of a layer is expected to cost, the cost of a join times its chance included, in minor units; 0 for the others.
    agents : tuple of Agent
        Empty where nobody needs to call.
    currency : str
        ISO 4217, for words about the budget.
    """

    groups: GroupsBy | tuple[GroupRule, ...]
    quotas: tuple[Quota, ...] = ()
    size_min: int | None = None
    size_max: int | None = None
    budget: int | None = None
    costs: Mapping[str, int] = field(default_factory=dict)
    agents: tuple[Agent, ...] = ()
    currency: str = "CNY"


def check(terms: Terms) -> None:
    """Find terms that contradict themselves, whoever the customers are.

    Parameters
    ----------
    terms : Terms
        The terms.

    Raises
    ------
    ConfigError
        With all problems at once.

    Examples
    --------
    >>> check(Terms(GroupsBy(region=True, topic=False, smallest=30, largest=20, most=5)))
    Traceback (most recent call last):
    segmenter.errors.ConfigError: groups: should have 1 ≤ smallest ≤ largest (got 30 and 20)
    """
    problems = []
    rules = (terms.groups,) if isinstance(terms.groups, GroupsBy) else terms.groups
    for rule in rules:
        name = "groups" if isinstance(rule, GroupsBy) else f"groups.{rule.name}"
        if not 1 <= rule.smallest <= rule.largest:
            problems.append(f"{name}: should have 1 ≤ smallest ≤ largest (got {rule.smallest:,} and {rule.largest:,})")
        least = rule.least if isinstance(rule, GroupRule) else 0
        if not 0 <= least <= rule.most:
            problems.append(f"{name}: should have 0 ≤ least ≤ most (got {least:,} and {rule.most:,})")
    given: list[tuple[str, list[str]]] = [
        ("quotas", [quota.layer for quota in terms.quotas]),
        ("agents", [agent.name for agent in terms.agents]),
        ("groups", [rule.name for rule in rules if isinstance(rule, GroupRule)]),
    ]
    for what, names in given:
        if twice := sorted({name for name in names if names.count(name) > 1}):
            problems.append(f"{what}: names should be given once (got {', '.join(twice)} more than once)")
    problems += [
        f"quotas.{quota.layer}: should have 0 ≤ least ≤ most ≤ 1 (got {quota.least:g} and {quota.most:g})"
        for quota in terms.quotas
        if not 0 <= quota.least <= quota.most <= 1
    ]
    if (low := sum((exact(quota.least) for quota in terms.quotas), Fraction(0))) > 1:
        problems.append(f"quotas: the smallest shares should add up to at most 1 (got {float(low):g}); lower one")
    amounts = [("budget", terms.budget), ("size_min", terms.size_min), ("size_max", terms.size_max)]
    amounts += [(f"costs.{layer}", cost) for layer, cost in terms.costs.items()]
    amounts += [(f"agents.{agent.name}", agent.capacity) for agent in terms.agents]
    problems += [
        f"{name}: should be from 0 to {LARGEST:,} (got {amount:,})"
        for name, amount in amounts
        if amount is not None and not 0 <= amount <= LARGEST
    ]
    if terms.size_min is not None and terms.size_max is not None and terms.size_min > terms.size_max:
        problems.append(f"size_min: should be ≤ size_max (got {terms.size_min:,} > {terms.size_max:,})")
    if problems:
        raise ConfigError(*problems)


@lru_cache
def exact(share: float) -> Fraction:
    """Give a share as it was written: 0.1 is a tenth, which no float is.

    Parameters
    ----------
    share : float
        The share.

    Returns
    -------
    Fraction
        The same in its shortest decimals.

    Examples
    --------
    >>> exact(0.1)
    Fraction(1, 10)
    """
    return Fraction(str(share))


def bounds(quotas: tuple[Quota, ...], layers: list[str], sizes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Turn shares into people, exactly: 10 % of 30 is 3, which floats do not say.

    Parameters
    ----------
    quotas : tuple of Quota
        The shares.
    layers : list of str
        All layers.
    sizes : ndarray of int of shape (s,)
        People per group.

    Returns
    -------
    least, most : ndarray of int of shape (s, layers)
        People of each layer in a group of that size.

    Examples
    --------
    >>> bounds((Quota("expert", 0.1, 0.5),), ["expert", "regular"], np.array([30, 31]))
    (array([[3, 0],
           [4, 0]]), array([[15, 30],
           [15, 31]]))
    """
    least = np.zeros((len(sizes), len(layers)), dtype=np.int64)
    most = np.repeat(sizes[:, None], len(layers), axis=1).astype(np.int64)
    for quota in quotas:
        low, high = exact(quota.least), exact(quota.most)
        at = layers.index(quota.layer)
        least[:, at] = -(-sizes * low.numerator // low.denominator)
        most[:, at] = sizes * high.numerator // high.denominator
    return least, most
