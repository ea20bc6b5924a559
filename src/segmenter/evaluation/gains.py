"""What a ranking would have brought at one cut: the share of later spend and of later buyers in its top.

Sums are of whole minor units and shares are quotients of whole numbers, rounded once: no order of rows changes a bit of them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

import numpy as np
import polars as pl
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Sum = Callable[[Fraction], Fraction]  # over the first so many customers

TOPS = (1, 5, 10, 20)  # per cent of the eligible customers
POINTS = 101  # of a gains curve


@dataclass(frozen=True)
class Gains:
    """What a ranking would have brought at one cut; null where the later spend is not above 0, or nobody bought, so that nothing is shared.

    For each top of 1, 5, 10, 20 (per cent) and ``size`` there are ``spend_share_*``, ``buyer_share_*``, ``lift_*`` (the share of spend
    over the share of customers) and ``precision_*`` (the share of them who bought); and ``gini``, the ranking's Gini coefficient (twice
    the area between the curve of spend and the diagonal) over that of the best order [1]_, null where all spend the same.

    References
    ----------
    .. [1] Frees, E. W., Meyers, G. and Cummings, A. D. (2011). Summarizing insurance scores using a Gini index. Journal of the
       American Statistical Association 106(495), 1085-1098.
    """

    figures: dict[str, float | None]
    curve: pl.DataFrame  # 101 rows: ``customers`` (0, .01, ... 1), and the shares of ``spend`` and ``buyers`` that so many hold


def top_count(customers: int, percent: int) -> int:
    """Say how many customers a top share of them is: rounded, halves up, and at least one of those there are."""
    return min(customers, max(1, (customers * percent + 50) // 100))


def order_by_hindsight(spend: Ints, bought: Bools) -> Ints:
    """Order customers by later spend, then buyers before others, then by position: no order holds more of the spend at any point."""
    return np.lexsort((~bought, -spend))


def measure_gains(orders: Mapping[str, Ints], spend: Ints, bought: Bools, size: int | None) -> dict[str, Gains]:
    """Measure rankings of the same customers at one cut, and the two ends between which they lie.

    `orders` has for each ranking the positions of all eligible customers, best first; `spend` is the net spend of each after the cut in
    minor units, below 0 where refunds outweigh orders, and all sums are within 64 bits; `size` is how many a launch invites, None for
    all. Among the results are ``best``, the order of hindsight, and ``random``, what can be expected of a random draw.
    """
    if wrong := {len(array) for array in (bought, *orders.values())} - {len(spend)}:
        raise ValueError(f"orders and bought: should be as long as spend, {len(spend)} (got {sorted(wrong)})")
    hindsight = order_by_hindsight(spend, bought)
    best = _running_sums(hindsight, spend, bought)
    gains = {}
    for name, order in {**orders, "best": hindsight}.items():
        spends, buyers = _running_sums(order, spend, bought)
        gains[name] = _gains(best, size, partial(_at, spends), partial(_at, buyers), _unevenness(spends))
    # A random draw holds its share of everything: the mean over all orders.
    mean_spend, mean_buyers = (Fraction(int(sums[-1]), max(len(spend), 1)) for sums in best)
    gains["random"] = _gains(best, size, lambda position: position * mean_spend, lambda position: position * mean_buyers, 0)
    return gains


def _running_sums(order: Ints, spend: Ints, bought: Bools) -> Ints:
    """Sum spend and buyers from the best customer down: of the first 0, 1, ... n."""
    sums = np.zeros((2, len(order) + 1), np.int64)
    np.cumsum(spend[order], out=sums[0, 1:])
    np.cumsum(bought[order], out=sums[1, 1:])
    return sums


def _gains(best: Ints, size: int | None, spend_of: Sum, buyers_of: Sum, unevenness: int) -> Gains:
    customers, spend, buyers = best.shape[1] - 1, int(best[0, -1]), int(best[1, -1])
    counts = {str(top): top_count(customers, top) for top in TOPS} | {"size": customers if size is None else min(size, customers)}
    held = {name: spend_of(Fraction(count)) for name, count in counts.items()}
    won = {name: buyers_of(Fraction(count)) for name, count in counts.items()}
    figures = {f"spend_share_{name}": _share(held[name], spend) for name in counts}
    figures |= {f"buyer_share_{name}": _share(won[name], buyers) for name in counts}
    figures |= {f"lift_{name}": _share(held[name] * customers, spend * count) for name, count in counts.items()}
    figures |= {f"precision_{name}": _share(won[name], count) for name, count in counts.items()}
    figures["gini"] = _share(unevenness, _unevenness(best[0])) if spend > 0 else None
    positions = [Fraction(customers * point, POINTS - 1) for point in range(POINTS)]
    curve = {
        "customers": [point / (POINTS - 1) for point in range(POINTS)],
        "spend": [_share(spend_of(position), spend) for position in positions],
        "buyers": [_share(buyers_of(position), buyers) for position in positions],
    }
    return Gains(figures, pl.DataFrame(curve, dict.fromkeys(curve, pl.Float64)))


def _share(part: Fraction | int, whole: int) -> float | None:
    return float(Fraction(part, whole)) if whole > 0 else None


def _at(sums: Ints, position: Fraction) -> Fraction:
    """Read a running sum, in a straight line between two customers."""
    below = int(position)
    low, high = int(sums[below]), int(sums[min(below + 1, len(sums) - 1)])
    return low + (high - low) * (position - below)


def _unevenness(sums: Ints) -> int:
    """Give the Gini coefficient times customers times spend: whole, and too large for 64 bits, so in halves of 32."""
    area = (int((sums >> 32).sum()) << 32) + int((sums & 0xFFFFFFFF).sum())
    return 2 * area - len(sums) * int(sums[-1])
