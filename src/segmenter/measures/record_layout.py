"""Where in a customer's record the kernel keeps what the table of measures asks for. Imports Numba.

The edges of all windows cut the past into a few disjoint ranges of days. An order goes to the one range that its day is in, and at
the end a measure is the sum of its ranges. A record has a hot part of one cache line, which every order touches, and a cold one, which
only recent orders, refunds and orders that may tell the latest place touch. Where a horizon is given there is a third part, which
every order touches.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segmenter.measures.arrow_columns import record
from segmenter.measures.spec import HALF_LIVES, day_weights, sums
from segmenter.tables import DAY, Terms

# Hot words of 8 bytes; OUTER: the amounts of the oldest range. COUNTS: orders (32 bits), rest of the decayed sum (16), flags.
K0, K1, SPEND, OUTER, DECAYED, FIRST, LAST, COUNTS = range(8)
HOT = 8
# Cold words. REFUND_COUNTS: refunds (32 bits), days since the first row that is no order. From RANGES on the ranges: their amounts, then
# their orders in 4 bytes each; and where a window of them is asked for, their refunds, then the refunds' counts; then the `LOWER` words.
REFUNDS, REFUND_COUNTS, PROVINCE_AT, PROVINCE, RANGES = range(5)
# The place: of each level when it was told last, then numbers of names in 4 bytes each: its own, and those that stood above it. The word
# PROVINCE has those of province and district, the last words of a record the rest.
LOWER = 4
CITY_AT, CITY, DISTRICT_AT, DISTRICT = range(4)  # CITY: city, its province; DISTRICT: the district's city, its province

# Words of the third part. From BY_HALF_LIFE on two of each half-life, the longest first: the decayed sum, then decayed orders (48 bits) and
# the rest of the sum (16). So of old orders, which weigh nothing by the short ones, the last words are not touched.
LARGEST, BY_HALF_LIFE = range(2)
THIRD = 12  # one and a half cache lines
LONGEST_FIRST = tuple(sorted(HALF_LIVES, reverse=True))

LAYOUT = np.dtype(
    [(name, np.int64) for name in ("today", "days", "weights", "recent", "ranges", "words", "orders", "refunds", "refund_orders")]
)
Cell = tuple[int, int, int, int, int, int]
# A measure's cells in a record: in which part (0 is the cold one), the offset in bytes, how many, of how many bytes each, whether OUTER is
# one, and by how many bits the sum is shifted.
_WHOLE: dict[str, Cell] = {
    "amount": (1, 8 * SPEND, 1, 8, 0, 0),
    "decayed_amount": (1, 8 * DECAYED, 1, 8, 0, 0),
    "refund": (0, 8 * REFUNDS, 1, 8, 0, 0),
    "orders": (1, 8 * COUNTS, 1, 4, 0, 0),
    "refund_orders": (0, 8 * REFUND_COUNTS, 1, 4, 0, 0),
    "largest": (2, 8 * LARGEST, 1, 8, 0, 0),
}
WIDTH = 3  # which of these numbers


@dataclass(frozen=True)
class Layout:
    """What compiled code takes of it, and what belongs to that."""

    layout: NDArray[np.void]  # one `LAYOUT`
    days: NDArray[np.int64]  # of each day ago: its weight (32 bits), its range
    weights: NDArray[np.int32]  # of each day ago: by `LONGEST_FIRST`; empty without a horizon
    words: int  # of a cold record
    cells: dict[str, Cell]


def layout_of(terms: Terms) -> Layout:
    """Lay out a record for the table of measures."""
    table = sums(terms)
    spans = {name: (measure.of, *measure.between(terms)) for name, measure in table.items()}
    edges = sorted({day for _, *span in spans.values() for day in span if day})
    # Where only amounts are asked of the oldest range, it stands in the hot part: orders as old as that touch nothing else.
    outer = bool(edges) and all(of == "amount" for of, _, to in spans.values() if to == edges[-1])
    ranges = len(edges) - outer
    in_ints = (ranges + 1) // 2
    words = {"amount": RANGES, "orders": RANGES + ranges}
    end = RANGES + ranges + in_ints
    if any(of in ("refund", "refund_orders") and to is not None for of, _, to in spans.values()):
        words |= {"refund": end, "refund_orders": end + ranges}
        end += ranges + in_ints
    end += LOWER
    number = {0: 0} | {edge: at for at, edge in enumerate(edges, 1)}  # of the first range older than an edge
    cells: dict[str, Cell] = {}
    for name, (of, after, to) in spans.items():
        if (half_life := table[name].half_life) is not None:
            word = BY_HALF_LIFE + 2 * LONGEST_FIRST.index(half_life)
            cells[name] = (2, 8 * word, 1, 8, 0, 0) if of == "decayed_amount" else (2, 8 * (word + 1), 1, 8, 0, 16)
        elif to is None:
            cells[name] = _WHOLE[str(of)]
        else:
            width, first, stop = _WHOLE[str(of)][WIDTH], number[after], number[to]
            within = int(first <= ranges < stop)
            cells[name] = (0, 8 * words[str(of)] + width * first, min(stop, ranges) - min(first, ranges), width, within, 0)
    learned = terms.horizon_days is not None
    weights = np.array([day_weights(terms, half_life) for half_life in LONGEST_FIRST if learned], np.int32).T.copy()
    ranges_of_days = np.searchsorted(edges, np.arange(terms.today + 1)).astype(np.int64)
    days = np.array(day_weights(terms), np.int64) | ranges_of_days << 32
    layout = record(
        LAYOUT,
        today=terms.today,
        days=days,
        weights=weights if learned else 0,
        recent=(terms.today - (edges[ranges - 1] if ranges else 0)) * DAY,
        ranges=ranges,
        words=end,
        orders=words["orders"],
        refunds=words.get("refund", 0),
        refund_orders=words.get("refund_orders", 0),
    )
    return Layout(layout, days, weights, end, cells)
