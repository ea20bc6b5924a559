"""The one table of measures: what each one sums over which days, or its formula, and its unit.

The Narwhals definition, the timeline, the kernel, the customer frame and the money columns follow this table. A measure over other
days is one more row.
"""

from dataclasses import dataclass
from functools import cache
from itertools import takewhile
from typing import Literal

import polars as pl

from segmenter.tables import APART, DAY, LATEST, LEVELS, TIME, Terms

Unit = Literal["money", "count", "weight", "days", "time"]  # weight: a sum of weights, in 2**-16
# What an order or a refund adds to a sum; what is decayed is times the weight of its day, over all time. The largest is no sum.
Addend = Literal["amount", "decayed_amount", "refund", "orders", "decayed_orders", "refund_orders", "largest"]
# More days ago than the first, at most as many as the second; "window" is the launch's own, "year_before" its horizon's a year ago.
Days = tuple[int, int] | Literal["all", "window", "year_before"]

AS_OF = "__as_of"
WEIGHT_ONE = 1 << 16  # weights of decayed amounts are whole numbers of 2**-16, so that their sum is exact in any order
HALF_LIVES = (15, 30, 60, 120, 365)  # days: of the `LEARNING` measures


@dataclass(frozen=True)
class Measure:
    """One column: a sum over a customer's orders and refunds (`of`), a `formula` of other columns, or neither where a stage adds it."""

    name: str
    unit: Unit
    of: Addend | None = None
    days: Days = "all"
    formula: pl.Expr | None = None
    half_life: int | None = None  # days, of what is decayed; None for the launch's own

    def between(self, terms: Terms) -> tuple[int, int | None]:
        """Give the days summed: more days ago than the first, at most as many as the second; None for no limit."""
        if self.days == "all" or (self.days == "window" and terms.window_days is None):
            return 0, None
        if self.days == "year_before":
            horizon = terms.horizon_days or 365
            return (365 - horizon if horizon < 365 else 365), 365  # no days, where the past year is not over a horizon ago
        return (0, terms.window_days) if self.days == "window" else self.days


def days_since(column: str) -> pl.Expr:
    """Count the days from a date or a time to the as-of date, which the frame has as the column `AS_OF`."""
    return (pl.col(AS_OF) - pl.col(column).dt.date()).dt.total_days().cast(pl.Int32)


_ORDERS, _GAP_DAYS = pl.col("orders"), days_since("first_order_at") - days_since("last_order_at")
# In the order of the columns; events by kind stand after `events`.
MEASURES = (
    Measure("spend", "money", "amount"),
    Measure("spend_window", "money", "amount", "window"),
    Measure("spend_outside", "money", formula=pl.col("spend") - pl.col("spend_window")),
    Measure("refunds", "money", "refund"),
    Measure("refund_orders", "count", "refund_orders"),
    Measure("orders", "count", "orders"),
    Measure("first_order_at", "time"),
    Measure("last_order_at", "time"),
    Measure("days_since_order", "days", formula=days_since("last_order_at")),
    Measure(
        "average_order",
        "money",
        formula=pl.when(_ORDERS > 0).then((pl.col("spend") / _ORDERS).round(0, mode="half_to_even").cast(pl.Int64)),
    ),
    Measure("average_gap_days", "days", formula=pl.when(_ORDERS > 1).then(_GAP_DAYS / (_ORDERS - 1))),
    Measure("decayed_spend", "money", "decayed_amount"),
    Measure("spend_30d", "money", "amount", (0, 30)),
    Measure("spend_30d_before", "money", "amount", (30, 60)),
    Measure("orders_30d", "count", "orders", (0, 30)),
    Measure("orders_30d_before", "count", "orders", (30, 60)),
    Measure("spend_90d", "money", "amount", (0, 90)),
    Measure("spend_90d_before", "money", "amount", (90, 180)),
    Measure("orders_90d", "count", "orders", (0, 90)),
    Measure("orders_90d_before", "count", "orders", (90, 180)),
    Measure("events", "count"),
    Measure("days_since_event", "days"),
    Measure("referrals", "count"),
    Measure("days_since_activity", "days", formula=pl.min_horizontal(days_since("last_order_at"), "days_since_event")),
    Measure("days_known", "days", formula=pl.max_horizontal(days_since("joined"), "days_since_first_row", "days_since_first_event")),
)
# What rankings that learn take besides, where a horizon is given.
LEARNING = (
    *(Measure(f"decayed_spend_{days}d", "money", "decayed_amount", half_life=days) for days in HALF_LIVES),
    *(Measure(f"decayed_orders_{days}d", "weight", "decayed_orders", half_life=days) for days in HALF_LIVES),
    Measure("spend_year_before", "money", "amount", "year_before"),
    Measure("largest_order", "money", "largest"),
)
# Money that rankings add to the frame.
_ADDED_MONEY = ("expected_spend", "expected_uplift", "first_spend", "repeat_spend")
MONEY = (*(measure.name for measure in (*MEASURES, *LEARNING) if measure.unit == "money"), *_ADDED_MONEY)  # in minor units


def measures(terms: Terms) -> tuple[Measure, ...]:
    """Give the rows of the table that such a launch has."""
    return MEASURES if terms.horizon_days is None else (*MEASURES, *LEARNING)


def sums(terms: Terms) -> dict[str, Measure]:
    """Give the measures that are sums over orders and refunds, or the largest."""
    return {measure.name: measure for measure in measures(terms) if measure.of is not None}


def summary_schema(terms: Terms) -> pl.Schema:
    """Give the columns of `tables.Summary`: the sums, and what else is known of a customer's orders."""
    types = {"money": pl.Int64(), "weight": pl.Int64(), "count": pl.Int32()}
    return pl.Schema(
        {
            "customer_id": pl.String(),
            # Each of the latest order that names it, as found; of a refund where no order does. Millions of texts are a few different ones.
            **dict.fromkeys(LEVELS, pl.Categorical()),
            APART: pl.Int8(),  # see `place_levels`
            **{name: types[measure.unit] for name, measure in sums(terms).items()},
            "first_order_at": TIME,  # null where there are only refunds
            "last_order_at": TIME,
            "days_since_first_row": pl.Int32(),  # order or refund
        }
    )


def day_weights(terms: Terms, half_life: int | None = None) -> list[int]:
    """Weigh orders of 0, 1, 2, ... days ago as far back as 1970, in 2**-16, by a half-life or the launch's own."""
    weights = _weights(half_life or terms.half_life_days)[: terms.today + 1]
    return [*weights, *([0] * (terms.today + 1 - len(weights)))]


@cache
def _weights(half_life: float) -> tuple[int, ...]:
    """Weigh the days until weights are 0."""
    # Plain Python powers: vectorised ones may differ in the last bit with a value's place in its vector.
    return tuple(takewhile(bool, (round(WEIGHT_ONE * 2.0 ** (-days / half_life)) for days in range(LATEST // DAY))))
