"""From counts to groups, and from groups to customers: equally strong, every share held in each."""

from collections.abc import Iterable

import numpy as np

from segmenter.planning.constraints import Ints, Quota, layer_bounds


def balance_counts(customers: Ints, sizes: Ints, quotas: tuple[Quota, ...], layers: list[str]) -> Ints | None:
    """Spread the customers of each layer over groups (rows) that hold the quotas; None where no such groups can be made of them.

    The sizes add up to the customers. Groups as equal as can be are tried first, then those of the sizes given.
    """
    smaller, over = divmod(int(customers.sum()), len(sizes))
    equal = np.array([smaller] * (len(sizes) - over) + [smaller + 1] * over)
    for wanted in [equal, np.sort(sizes)]:
        different, many = np.unique(wanted, return_counts=True)
        low, high = layer_bounds(quotas, layers, different)
        low, high = low * many[:, None], high * many[:, None]
        shares = _split(customers, different * many, low, high)
        if shares is not None:
            return np.concatenate([_spread(part, number) for part, number in zip(shares, many, strict=True)])
    return None


def _split(customers: Ints, sizes: Ints, low: Ints, high: Ints) -> Ints | None:
    """Split customers of each layer over sizes of groups, between bounds."""
    if len(sizes) == 1:
        return customers[None, :] if (low[0] <= customers).all() and (customers <= high[0]).all() else None
    if len(sizes) > 2:
        return _solve_split(customers, sizes, low, high)
    least, most = np.maximum(low[0], customers - high[1]), np.minimum(high[0], customers - low[1])
    if (least > most).any() or not least.sum() <= sizes[0] <= most.sum():
        return None
    first = np.clip(customers * sizes[0] // max(sizes.sum(), 1), least, most)
    for layer in range(len(customers)):
        missing = sizes[0] - first.sum()
        first[layer] += np.clip(missing, least[layer] - first[layer], most[layer] - first[layer])
    return np.stack([first, customers - first])


def _solve_split(customers: Ints, sizes: Ints, low: Ints, high: Ints) -> Ints | None:
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
        np.zeros(rows * layers), A_eq=sums, b_eq=np.concatenate([sizes, customers]), bounds=np.stack([low.ravel(), high.ravel()], axis=1)
    )
    return None if found.x is None else np.rint(found.x).astype(np.int64).reshape(rows, layers)


def _spread(customers: Ints, groups: int) -> Ints:
    """Give out on and on from layer to layer: the numbers of a layer, and the sizes, differ by one at most."""
    whole, rest = np.divmod(customers, groups)
    counts = np.repeat(whole[None, :], groups, axis=0)
    first = 0
    for layer, over in enumerate(rest):
        counts[(first + np.arange(over)) % groups, layer] += 1
        first += int(over)
    return counts


def balance_values(counts: Ints, values: Iterable[Ints]) -> list[Ints]:
    """Give each customer a group, from 0, so that the groups are equally strong.

    `counts` has the places of each layer (columns) in each group (rows); `values` for each layer those of its customers, best first, as
    many as there are places. Layer by layer, round by round, the best who are left go one to each group, the best of them to the weakest
    so far.
    """
    strength = np.zeros(len(counts), dtype=np.int64)
    by_layer = []
    for layer, worth in enumerate(values):
        groups, places = np.zeros(len(worth), dtype=np.int64), counts[:, layer].copy()
        done = 0
        while len(counts) > 1 and done < len(worth):
            free = np.flatnonzero(places > 0)
            turn = free[strength[free].argsort(kind="stable")]
            groups[done : done + len(turn)] = turn
            strength[turn] += worth[done : done + len(turn)]
            places[turn] -= 1
            done += len(turn)
        by_layer.append(groups)
    return by_layer
