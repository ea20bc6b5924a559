"""When a group counts as filled; and of groups that are not likely to, what would help."""

import numpy as np
import polars as pl

from segmenter.messages import Message, Obstacle
from segmenter.planning.group_invitations import MOST, chances_of_joins, count_members, fit_mean
from segmenter.planning.join_chances import JoinChances
from segmenter.settings import PlanSettings

_SHOWN = 5
_CROWDED = 1.1  # of the places: fewer more are no trouble


def describe_filling(groups: pl.DataFrame, chances: JoinChances, plan: PlanSettings) -> tuple[tuple[Message, ...], tuple[Message, ...]]:
    """Say what filled means; and warn of groups that are less likely to fill than asked for, and of those that have no room for all."""
    if groups.is_empty():
        return (), ()
    facts = {"members": count_members(plan), "capacity": plan.group_capacity}
    meant = (
        "A group is filled with {members:,} of {capacity:,} members (plan.fill); its chance to be is that of its whole list being asked."
    )
    if plan.fill_confidence is None:
        return (Message("planning.filled", meant, **facts),), ()
    stop = " Stop inviting when a group is full: who is left on its list is a reserve."
    full = groups.filter(pl.col("expected_joins") > _CROWDED * plan.group_capacity)
    warnings = [*_unfilled(groups, chances, plan, plan.fill_confidence), *_overfull(full, plan)]
    return (Message("planning.filled_and_stop", meant + stop, **facts),), tuple(warnings)


def _unfilled(groups: pl.DataFrame, chances: JoinChances, plan: PlanSettings, confidence: float) -> list[Obstacle]:
    short = groups.filter(pl.col("filled") < confidence - 0.005)  # what a page would not tell from it counts as the same
    if short.is_empty():
        return []
    size = short["size"].to_numpy()
    mean = np.clip(short["expected_joins"].to_numpy() / size, 1e-4, 1 - 1e-4)
    few = np.array([fit_mean(float(rate), chances, plan, MOST).few for rate in mean])
    more = int(np.maximum(few - size, 1).sum())
    sums = (np.cumsum(chances_of_joins(*each, chances.evidence)) for each in zip(size, mean, strict=True))
    sure = np.array([np.searchsorted(of_joins, 1 - confidence) for of_joins in sums])
    ways = []
    if few.max() < MOST:
        one = Message("planning.fill_by_more", "{more:,} more invitations to them (plan.size)", more=more)
        all_there = Message("planning.fill_by_rules", "{more:,} more eligible customers there (a looser rule)", more=more)
        ways.append(one if isinstance(plan.size, int) else all_there)
    if (capacity := int(sure.min() / plan.fill)) >= plan.smallest:
        ways.append(Message("planning.fill_by_capacity", "smaller groups (plan.group_capacity={capacity})", capacity=capacity))
    if short.height > 1 and (fewer := int((size / few).sum())) >= 1:
        ways.append(Message("planning.fill_by_fewer", "{fewer} in place of {groups} groups", fewer=fewer, groups=short.height))
    names = (*short["group"].head(_SHOWN), *(["…"] if short.height > _SHOWN else []))
    sentence = (
        "{count} of {groups} groups fill with a chance of less than {confidence:g} % (plan.fill_confidence): {names}; any one of these "
        "would do: {ways}"
    )
    facts = {"count": short.height, "groups": groups.height, "confidence": 100 * confidence, "names": names, "ways": tuple(ways)}
    return [Obstacle("planning.unfilled", sentence, **facts)]


def _overfull(full: pl.DataFrame, plan: PlanSettings) -> list[Message]:
    if full.is_empty():
        return []
    over = round(float((full["expected_joins"].to_numpy() - plan.group_capacity).sum()))
    names = (*full["group"].head(_SHOWN), *(["…"] if full.height > _SHOWN else []))
    sentence = (
        "about {over:,} more are expected to join than there are places: {names}; invite fewer (plan.size=auto), or raise "
        "plan.group_capacity, and stop inviting when a group is full"
    )
    return [Message("planning.overfull", sentence, over=over, names=names)]
