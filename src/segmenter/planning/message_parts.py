"""Parts that several messages of the plan have in common."""

from collections.abc import Sequence

from segmenter.messages import Message

NO_REGION = Message("planning.no_region", "no region")


def region_count(region: str, count: int) -> Message:
    """Name a region with a number of calls or customers."""
    return Message("planning.region_count", "{region} {count:,}", region=region, count=count)


def list_first(items: Sequence[str], most: int = 6) -> tuple[str, ...] | Message:
    """List the first items, and how many more there are."""
    if len(items) <= most:
        return tuple(items)
    sentence = "{items} and {more:,} more"
    return Message("planning.and_more", sentence, items=tuple(items[:most]), more=len(items) - most, all=len(items))
