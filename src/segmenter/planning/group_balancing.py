"""From counts to groups, and from groups to people: equally strong, every share held in each."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from segmenter.planning.cells import Kind
from segmenter.planning.constraints import Quota, bounds

Ints = NDArray[np.int64]


def deal_counts(kind: Kind, people: Ints, sizes: Ints, quotas: tuple[Quota, ...], layers: list[str]) -> Ints | None:
    """Deal the people of a kind into groups by number.

    Groups as equal as can be are tried first, then those of the sizes given.

    Parameters
    ----------
    kind : Kind
        The kind.
    people : ndarray of int of shape (layers,)
        Of each layer.
    sizes : ndarray of int of shape (groups,)
        Sizes that add up to the people.
    quotas : tuple of Quota
        Shares in every group.
    layers : list of str
        Their names.

    Returns
    -------
    ndarray of int of shape (groups, layers) or None
        People of each layer in each group; None where no such groups can be made of them.

    Examples
    --------
    >>> kind = Kind("川", None, None, *[np.array([5])] * 4, 0, 2, 2, 3, 5, True)
    >>> deal_counts(kind, np.array([3, 6]), np.array([5, 4]), (Quota("expert", 0.25, 0.5),), ["expert", "regular"]).tolist()
    [[1, 3], [2, 3]]
    """
    total = int(people.sum())
    smaller, over = divmod(total, len(sizes))
    equal = np.array([smaller] * (len(sizes) - over) + [smaller + 1] * over)
    for wanted in [equal, np.sort(sizes)]:
        different, many = np.unique(wanted, return_counts=True)
        low, high = bounds(quotas, layers, different)
        low, high = low * many[:, None], high * many[:, None]
        shares = _split(people, different * many, low, high)
        if shares is not None:
            return np.concatenate([_evenly(part, number) for part, number in zip(shares, many, strict=True)])
    return None


def _split(people: Ints, sizes: Ints, low: Ints, high: Ints) -> Ints | None:
    """Split people of each layer over sizes of groups, between bounds."""
    if len(sizes) == 1:
        return people[None, :] if (low[0] <= people).all() and (people <= high[0]).all() else None
    if len(sizes) > 2:
        return _transported(people, sizes, low, high)
    least, most = np.maximum(low[0], people - high[1]), np.minimum(high[0], people - low[1])
    if (least > most).any() or not least.sum() <= sizes[0] <= most.sum():
        return None
    first = np.clip(people * sizes[0] // max(sizes.sum(), 1), least, most)
    for layer in range(len(people)):
        missing = sizes[0] - first.sum()
        first[layer] += np.clip(missing, least[layer] - first[layer], most[layer] - first[layer])
    return np.stack([first, people - first])


def _transported(people: Ints, sizes: Ints, low: Ints, high: Ints) -> Ints | None:
    from scipy.optimize import linprog

    rows, layers = low.shape
    number = np.arange(rows * layers).reshape(rows, layers)
    sums = np.zeros((rows + layers, rows * layers))
    for row in range(rows):
        sums[row, number[row]] = 1
    for layer in range(layers):
        sums[rows + layer, number[:, layer]] = 1
    if (low > high).any():
        return None
    # Whole by itself: a flow in a network.
    found = linprog(
        np.zeros(rows * layers), A_eq=sums, b_eq=np.concatenate([sizes, people]), bounds=np.stack([low.ravel(), high.ravel()], axis=1)
    )
    return None if found.x is None else np.rint(found.x).astype(np.int64).reshape(rows, layers)


def _evenly(people: Ints, groups: int) -> Ints:
    """Deal on and on from layer to layer: the numbers of a layer, and the sizes, differ by one at most."""
    each, rest = np.divmod(people, groups)
    dealt = np.repeat(each[None, :], groups, axis=0)
    at = 0
    for layer, over in enumerate(rest):
        dealt[(at + np.arange(over)) % groups, layer] += 1
        at += int(over)
    return dealt


def deal_people(counts: Ints, values: Iterable[Ints]) -> list[Ints]:
    """Deal people into groups so that the groups are equally strong.

    Layer by layer, round by round, the best who are left go one to each group, the best of them to the weakest so far.

    Parameters
    ----------
    counts : ndarray of int of shape (groups, layers)
        Places of each layer in each group.
    values : iterable of ndarray of int
        For each layer, the people's values, best first: as many as there are places.

    Returns
    -------
    list of ndarray of int
        For each layer, the group of each, from 0.

    Examples
    --------
    >>> deal_people(np.array([[1, 1], [1, 1]]), [np.array([9, 5]), np.array([4, 1])])
    [array([0, 1]), array([1, 0])]
    """
    strength = np.zeros(len(counts), dtype=np.int64)
    dealt = []
    for layer, worth in enumerate(values):
        groups, places = np.zeros(len(worth), dtype=np.int64), counts[:, layer].copy()
        at = 0
        while len(counts) > 1 and at < len(worth):
            free = np.flatnonzero(places > 0)
            turn = free[strength[free].argsort(kind="stable")]
            groups[at : at + len(turn)] = turn
            strength[turn] += worth[at : at + len(turn)]
            places[turn] -= 1
            at += len(turn)
        dealt.append(groups)
    return dealt
