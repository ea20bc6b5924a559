"""Groups that take the same customers under the same constraints."""

from dataclasses import dataclass, field

import numpy as np

from segmenter.errors import InputError
from segmenter.messages import Message
from segmenter.planning.cells import Cells
from segmenter.planning.constraints import Ints, layer_bounds, sizes_that_hold

MOST_SIZES = 40  # of one kind of group that the program chooses among


@dataclass(frozen=True)
class GroupKind:
    """The groups of one region and topic (None: any). Each cell belongs to one kind.

    `sizes` are those that the program chooses among, ascending; `low` and `high` the least and the most customers of each layer (columns)
    in a group of each size (rows). There must be `min_groups` and may be `max_groups`, beside those whose sizes are `fixed`.
    """

    name: str
    region: str | None
    topic: str | None
    cells: Ints
    sizes: Ints
    low: Ints
    high: Ints
    min_groups: int
    max_groups: int
    min_size: int
    max_size: int
    fixed: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    @property
    def single(self) -> bool:
        """Whether there is at most one group besides the fixed ones: its size then is a column of its own."""
        return self.max_groups <= 1


def list_group_kinds(cells: Cells) -> list[GroupKind]:
    """List the kinds of groups by the names of regions and topics; an `InputError` where no allowed size can hold the quotas.

    There are not more groups of a kind than there are customers for.
    """
    limits, names = cells.constraints.groups, cells.constraints.names
    sizes = list_sizes(limits.min_size, limits.max_size)
    low, high = layer_bounds(cells.constraints.quotas, cells.layers, sizes)
    fits = sizes_that_hold(low, high, sizes)
    regions, topics = (np.array(cells.table[key].to_list(), dtype=object) for key in ("region", "topic"))
    keys = [key for key, used in (("region", limits.by_region), ("topic", limits.by_topic)) if used]
    pairs = cells.table.select(keys).unique().sort(keys, nulls_last=True).rows() if keys else [()]
    kinds: dict[str, GroupKind] = {}
    for pair in pairs:
        given = dict(zip(keys, pair, strict=True))
        region, topic = given.get("region"), given.get("topic")
        taken = np.ones(len(regions), dtype=bool)
        parts = []
        if limits.by_region:
            taken &= regions == region
            parts.append(region or names.no_region)
        if limits.by_topic:
            taken &= topics == topic
            parts.append(topic or names.no_topic)
        name = "-".join(parts) or names.everywhere
        while name in kinds:  # a-b of topic c, and a of topic b-c
            name += "'"
        if not fits.any():  # the quotas are the same for all kinds
            sentence = (
                "plan.layers: no group of {min_size:,} to {max_size:,} people can hold the quotas ({name}); widen a share, or the sizes "
                "between plan.smallest and plan.group_capacity"
            )
            facts = {"min_size": limits.min_size, "max_size": limits.max_size, "name": name}
            raise InputError(Message("planning.quotas_unfit", sentence, **facts))
        most = min(limits.max_groups, int(cells.customers[taken].sum()) // limits.min_size)
        kinds[name] = GroupKind(
            name,
            region,
            topic,
            cells=np.flatnonzero(taken),
            sizes=sizes[fits],
            low=low[fits],
            high=high[fits],
            min_groups=0,
            max_groups=most,
            min_size=limits.min_size,
            max_size=limits.max_size,
        )
    return list(kinds.values())


def kind_numbers(cells: Cells, kinds: list[GroupKind]) -> Ints:
    """Say which of the kinds each cell belongs to."""
    numbers = np.zeros(len(cells.customers), dtype=np.int64)
    for number, kind in enumerate(kinds):
        numbers[kind.cells] = number
    return numbers


def list_sizes(smallest: int, largest: int) -> Ints:
    """Choose sizes of groups, ascending, of which any number of customers can be made up.

    All of them where they are few. Else round ones, which hold shares without a rest, and a run at either end for what remains.
    """
    many = largest - smallest + 1
    if many <= MOST_SIZES:
        return np.arange(smallest, largest + 1)
    step = next(step for step in (5, 10, 20, 50, 100, 200, 500, 10**3, 10**4, 10**5, 10**9) if many <= 12 * step)
    run = min(step, 15)
    round_ones = np.arange(-(-smallest // step) * step, largest + 1, step)
    return np.unique(np.r_[np.arange(smallest, smallest + run), round_ones, np.arange(largest - run + 1, largest + 1)])
