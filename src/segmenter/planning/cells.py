"""Customers who differ in nothing but their value, counted together."""

from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.errors import InputError
from segmenter.money import LARGEST
from segmenter.planning.constraints import GroupsBy, Terms, bounds
from segmenter.words import Lang, say

KEYS = ["region", "topic", "language", "layer"]
MOST_SIZES = 40  # of one kind of group that the program chooses among


@dataclass(frozen=True)
class Cells:
    """The customers of one region, topic, language and layer make a cell; in each, the best are taken first.

    Parameters
    ----------
    table : DataFrame
        ``region``, ``topic``, ``language``, ``layer``, ``people``: one row per cell, sorted.
    order : ndarray of int of shape (customers,)
        Rows of the frame, cell by cell, the most valuable first.
    starts : ndarray of int of shape (cells + 1,)
        Where each cell begins in `order`.
    totals : ndarray of int of shape (customers + 1,)
        Value of all before, in `order`.
    """

    table: pl.DataFrame
    order: NDArray[np.int64]
    starts: NDArray[np.int64]
    totals: NDArray[np.int64]

    @property
    def people(self) -> NDArray[np.int64]:
        """How many each cell has."""
        return np.asarray(np.diff(self.starts))

    def value(self, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
        """Value of the best so many of each cell."""
        return np.asarray(self.totals[self.starts[:-1] + chosen] - self.totals[self.starts[:-1]])


@dataclass(frozen=True)
class Kind:
    """Groups that take the same people under the same terms.

    Parameters
    ----------
    name, region, topic : str or None
        What it is called and whom it takes.
    cells : ndarray of int
        Whom it takes.
    sizes : ndarray of int of shape (s,)
        Of a group of this kind, ascending, as far as the program chooses among them.
    low, high : ndarray of int of shape (s, layers)
        People of each layer in a group of each size.
    least, most : int
        How many there must and may be; not more than there are people for.
    allowed : int
        How many there might be if there were people enough.
    smallest, largest : int
        People per group.
    numbered : bool
        Whether its groups carry a number.
    fixed : ndarray of int
        Sizes of groups that there are besides.
    """

    name: str
    region: str | None
    topic: str | None
    cells: NDArray[np.int64]
    sizes: NDArray[np.int64]
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    least: int
    most: int
    allowed: int
    smallest: int
    largest: int
    numbered: bool
    fixed: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))


def count(frame: pl.DataFrame) -> Cells:
    """Count customers by cell.

    Parameters
    ----------
    frame : DataFrame
        ``region``, ``topic``, ``layer`` (no null), ``value`` (Int64 ≥ 0, no null), and ``language`` where agents have languages.

    Returns
    -------
    Cells
        The cells, in an order that does not depend on that of the rows; those of the same value are in no order yet.

    Raises
    ------
    InputError
        A layer or a value is missing, or a value is negative or far too large.

    Examples
    --------
    >>> frame = pl.DataFrame({"region": ["川", None, "川"], "topic": None, "layer": "expert", "value": [1, 5, 9]})
    >>> cells = count(frame)
    >>> cells.table.select("region", "people").rows(), cells.order.tolist()
    ([('川', 2), (None, 1)], [2, 0, 1])
    """
    if frame["layer"].null_count() or frame["value"].null_count():
        raise InputError("allocation: every customer should have a layer and a value (got nulls)")
    low, high = frame["value"].min(), frame["value"].max()
    if isinstance(low, int) and isinstance(high, int) and (low < 0 or high > LARGEST):
        raise InputError(f"allocation: values should be from 0 to {LARGEST:,} minor units (got {low:,} to {high:,})")
    code = np.zeros(frame.height, dtype=np.int64)
    levels: list[list[str | None]] = []
    for key in KEYS:
        column = (
            frame[key].cast(pl.String) if key in frame.columns else pl.Series(key, [None], dtype=pl.String).new_from_index(0, frame.height)
        )
        names = column.unique().drop_nulls().sort()
        # Nulls come last.
        codes = column.cast(pl.Enum(names)).to_physical().cast(pl.Int64).fill_null(len(names)).to_numpy()
        levels.append([*names.to_list(), None])
        code = code * (len(names) + 1) + codes
    found, cell, people = np.unique(code, return_inverse=True, return_counts=True) if len(code) < 2**16 else _few(code, levels)
    values = frame["value"].cast(pl.Int64).to_numpy()
    # One number to sort by: LARGEST has 40 bits.
    order = ((cell.astype(np.int64) << 40) + (LARGEST - values)).argsort(kind="stable")
    table: dict[str, list[str | None]] = {}
    rest = found
    for key, names_ in zip(reversed(KEYS), reversed(levels), strict=True):
        table[key] = [names_[at] for at in rest % len(names_)]
        rest = rest // len(names_)
    columns = pl.DataFrame(table, schema=dict.fromkeys(reversed(KEYS), pl.String)).select(KEYS)
    starts, totals = np.zeros(len(found) + 1, dtype=np.int64), np.zeros(frame.height + 1, dtype=np.int64)
    np.cumsum(people, out=starts[1:])
    np.cumsum(values[order], out=totals[1:])
    return Cells(columns.with_columns(pl.Series("people", people, dtype=pl.Int64)), order, starts, totals)


def _few(code: NDArray[np.int64], levels: list[list[str | None]]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Count without sorting the customers, as there are few different codes."""
    most = int(np.prod([len(names) for names in levels]))
    if most > 4 * len(code):
        return np.unique(code, return_inverse=True, return_counts=True)
    counts = np.bincount(code, minlength=most)
    found = np.flatnonzero(counts)
    place = np.zeros(most, dtype=np.int64)
    place[found] = np.arange(len(found))
    return found, place[code], counts[found]


def layers_of(cells: Cells, terms: Terms) -> list[str]:
    """Name all layers, those of quotas that nobody has included.

    Parameters
    ----------
    cells : Cells
        The customers.
    terms : Terms
        The quotas.

    Returns
    -------
    list of str
        Sorted.

    Examples
    --------
    >>> cells = count(pl.DataFrame({"region": ["川"], "topic": "茶", "layer": "expert", "value": [1]}))
    >>> layers_of(cells, Terms(GroupsBy(True, False, 1, 2, 3)))
    ['expert']
    """
    return sorted({*cells.table["layer"].drop_nulls(), *(quota.layer for quota in terms.quotas)})


def kinds_of(cells: Cells, terms: Terms, lang: Lang) -> list[Kind]:
    """List the kinds of groups.

    Parameters
    ----------
    cells : Cells
        The customers.
    terms : Terms
        The groups and quotas.
    lang : {"en", "zh"}
        The language of "no region".

    Returns
    -------
    list of Kind
        In the order of the names of regions and topics, or as given.

    Raises
    ------
    InputError
        Shares that no group of any allowed size can hold.

    Examples
    --------
    >>> cells = count(pl.DataFrame({"region": ["川", "云"], "topic": "茶", "layer": "expert", "value": [1, 2]}))
    >>> [kind.name for kind in kinds_of(cells, Terms(GroupsBy(True, False, 1, 2, 3)), "en")]
    ['云', '川']
    """
    layers, groups = layers_of(cells, terms), terms.groups
    regions, topics = (np.array(cells.table[key].to_list(), dtype=object) for key in ("region", "topic"))
    wanted: list[tuple[str, str | None, str | None, NDArray[np.bool_], int, int, int, int, bool]] = []
    if isinstance(groups, GroupsBy):
        nowhere, nothing = say(lang, "no region", "无地区"), say(lang, "no topic", "无主题")
        keys = [key for key, used in (("region", groups.region), ("topic", groups.topic)) if used]
        pairs = cells.table.select(keys).unique().sort(keys, nulls_last=True).rows() if keys else [()]
        named: set[str] = set()
        for pair in pairs:
            given = dict(zip(keys, pair, strict=True))
            region, topic = given.get("region"), given.get("topic")
            taken = np.ones(len(regions), dtype=bool)
            names = []
            if groups.region:
                taken &= regions == region
                names.append(region or nowhere)
            if groups.topic:
                taken &= topics == topic
                names.append(topic or nothing)
            name = "-".join(names) or say(lang, "all", "全部")
            while name in named:  # a-b of topic c, and a of topic b-c
                name += "'"
            named.add(name)
            wanted.append((name, region, topic, taken, groups.smallest, groups.largest, 0, groups.most, True))
    else:
        for rule in groups:
            taken = np.ones(len(regions), dtype=bool)
            if rule.region is not None:
                taken &= regions == rule.region
            if rule.topic is not None:
                taken &= topics == rule.topic
            wanted.append((rule.name, rule.region, rule.topic, taken, rule.smallest, rule.largest, rule.least, rule.most, rule.most > 1))
    kinds, problems = [], []
    for name, region, topic, taken, smallest, largest, least, most, numbered in wanted:
        sizes = sizes_between(smallest, largest)
        low, high = bounds(terms.quotas, layers, sizes)
        fits = (low <= high).all(axis=1) & (low.sum(axis=1) <= sizes) & (sizes <= high.sum(axis=1))
        if not fits.any():
            problems.append(
                f"plan.layers: no group of {smallest:,} to {largest:,} people can hold the quotas ({name}); widen a share, or the sizes "
                "between plan.smallest and plan.group_capacity"
            )
            break  # The quotas are the same for all.
        there = int(cells.people[taken].sum()) // smallest
        sizes, low, high = sizes[fits], low[fits], high[fits]
        kinds.append(
            Kind(name, region, topic, np.flatnonzero(taken), sizes, low, high, least, min(most, there), most, smallest, largest, numbered)
        )
    if problems:
        raise InputError(*problems)
    return kinds


def sizes_between(smallest: int, largest: int) -> NDArray[np.int64]:
    """Choose sizes of groups of which any number of people can be made up.

    All of them where they are few. Else round ones, which hold shares without a rest, and a run at either end for what remains.

    Parameters
    ----------
    smallest, largest : int
        The range, both included.

    Returns
    -------
    ndarray of int
        Ascending, both ends among them.

    Examples
    --------
    >>> sizes_between(3, 6).tolist()
    [3, 4, 5, 6]
    >>> len(sizes_between(100, 200))
    29
    """
    many = largest - smallest + 1
    if many <= MOST_SIZES:
        return np.arange(smallest, largest + 1)
    step = next(step for step in (5, 10, 20, 50, 100, 200, 500, 10**3, 10**4, 10**5, 10**9) if many <= 12 * step)
    run = min(step, 15)
    round_ones = np.arange(-(-smallest // step) * step, largest + 1, step)
    return np.unique(np.r_[np.arange(smallest, smallest + run), round_ones, np.arange(largest - run + 1, largest + 1)])
