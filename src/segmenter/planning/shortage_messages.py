"""What to say of constraints that no plan can keep to."""

from functools import reduce

import polars as pl

from segmenter.messages import Message
from segmenter.money import digits
from segmenter.planning.call_messages import NO_REGION, region_count

MOST_REGIONS = 5  # that are named


def shortage_messages(together: pl.DataFrame, alone: pl.DataFrame, currency: str) -> list[Message]:
    """Say what is short, and which single changes would do; for the frames see `shortage.InfeasibleError`."""
    calls = _by_region(together)
    short = tuple(
        _lack(limit, layer, amount, currency, calls)
        for limit, layer, amount in together.group_by("limit", "layer", maintain_order=True).agg(pl.col("amount").sum()).rows()
    )
    messages = [Message("planning.infeasible", "plan: no plan keeps to the terms: {short}", short=short)]
    if not alone.is_empty():
        calls = _by_region(alone)
        sums = alone.group_by("limit", maintain_order=True).agg(pl.col("amount").sum()).rows()
        ways = reduce(
            lambda one, other: Message("planning.either", "{one}, or {other}", one=one, other=other),
            [_change(limit, amount, currency, calls) for limit, amount in sums],
        )
        messages.append(Message("planning.one_change", "plan: any one of these would do: {ways}", ways=ways))
    elif together["limit"].n_unique() > 1:
        messages.append(Message("planning.all_changes", "plan: no single change is enough: all of these are"))
    return messages


def _by_region(rows: pl.DataFrame) -> tuple[str, ...]:
    """Say of which regions calls are short, the most first."""
    calls = rows.filter(limit="agents").sort("amount", descending=True, maintain_order=True)
    named = [region_count(region or NO_REGION, amount) for region, amount in calls.select("region", "amount").rows()]
    return (*named[:MOST_REGIONS], *(["…"] if len(named) > MOST_REGIONS else []))


def _units(amount: int, currency: str) -> int:
    # Up, as a unit less would not do.
    return -(-amount // int(10 ** digits(currency)))


def _lack(limit: str, layer: str | None, amount: int, currency: str, calls: tuple[str, ...]) -> Message:
    facts = {"amount": amount, "s": "" if amount == 1 else "s"}
    match limit:
        case "size_min":
            return Message("planning.lack_size_min", "{amount:,} place{s} under the smallest size of the launch", **facts)
        case "size_max":
            return Message("planning.lack_size_max", "{amount:,} place{s} over the largest size of the launch", **facts)
        case "smallest":
            return Message("planning.lack_smallest", "{amount:,} place{s} under the smallest size of groups", **facts)
        case "budget":
            return Message("planning.lack_budget", "{amount:,} {currency} over budget", amount=_units(amount, currency), currency=currency)
        case "agents":
            return Message("planning.lack_agents", "{amount:,} call{s} short ({calls})", **facts, calls=calls)
        case _:
            return Message("planning.lack_people", "{amount:,} of layer {layer} short", amount=amount, layer=layer)


def _change(limit: str, amount: int, currency: str, calls: tuple[str, ...]) -> Message:
    facts = {"amount": amount, "s": "" if amount == 1 else "s", "people": "person" if amount == 1 else "people"}
    match limit:
        case "size_min":
            return Message("planning.change_size_min", "ask for {amount:,} {people} fewer (plan.size)", **facts)
        case "size_max":
            return Message("planning.change_size_max", "allow {amount:,} {people} more (plan.size)", **facts)
        case "smallest":
            return Message("planning.change_smallest", "allow groups to be smaller, by {amount:,} in all (plan.smallest)", **facts)
        case "budget":
            amount = _units(amount, currency)
            return Message(
                "planning.change_budget", "add {amount:,} {currency} to the budget (plan.budget)", amount=amount, currency=currency
            )
        case "agents":
            return Message("planning.change_agents", "add {amount:,} call{s} ({calls}; plan.agents)", **facts, calls=calls)
        case _:
            return Message("planning.change_people", "find {amount:,} more eligible customer{s}", **facts)
