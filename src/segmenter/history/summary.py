"""What orders come to: one row per customer, the same whichever engine adds them up."""

from dataclasses import dataclass
from datetime import date

import polars as pl

from segmenter.tables import TIME

EPOCH = date(1970, 1, 1)
DAY = 86_400_000_000  # microseconds
LATEST = 7_289_654_400_000_000  # midnight of 2201-01-01 in microseconds: what is not before it is no time
# Weights of decayed amounts are whole numbers of 2**-16, so that their sum is exact in any order.
ONE = 1 << 16
PERIODS = (30, 90)
# What databases and spreadsheets write where there is nothing.
NOTHING = ("", "null", "\\n", "none", "nan", "<na>", "n/a", "#n/a", "na", "-", "--", "/")

SUMMARY = pl.Schema(
    {
        "customer_id": pl.String(),
        "province": pl.String(),  # of the latest order that names a place, as found; of a refund where no order does
        "city": pl.String(),
        "orders": pl.Int32(),
        "refund_orders": pl.Int32(),  # rows that gave money back
        "spend": pl.Int64(),
        "spend_window": pl.Int64(),
        "refunds": pl.Int64(),
        "decayed_spend": pl.Int64(),  # whole minor units, rounded down
        "spend_30d": pl.Int64(),
        "spend_30d_before": pl.Int64(),
        "spend_90d": pl.Int64(),
        "spend_90d_before": pl.Int64(),
        "orders_30d": pl.Int32(),
        "orders_30d_before": pl.Int32(),
        "orders_90d": pl.Int32(),
        "orders_90d_before": pl.Int32(),
        "first_order_at": TIME,  # null where there are only refunds
        "last_order_at": TIME,
        "days_since_first_row": pl.Int32(),  # order or refund
    }
)


@dataclass(frozen=True)
class Terms:
    """What a summary depends on besides the orders.

    Parameters
    ----------
    as_of : date
        Orders at or after its midnight change nothing.
    half_life_days : float
        After so many days an order weighs half in `decayed_spend`; > 0.
    window_days : int or None
        What `spend_window` counts; None for all time.
    """

    as_of: date
    half_life_days: float
    window_days: int | None

    @property
    def today(self) -> int:
        """The as-of date in days since 1970."""
        return (self.as_of - EPOCH).days

    def weights(self) -> list[int]:
        """Weigh orders of 0, 1, 2, ... days ago, in 2**-16: as far back as 1970."""
        # Plain Python powers: vectorised ones may differ in the last bit with a value's place in its vector.
        return [round(ONE * 2.0 ** (-days / self.half_life_days)) for days in range(self.today + 1)]


@dataclass(frozen=True)
class Summary:
    """Orders added up.

    Parameters
    ----------
    frame : DataFrame
        `SUMMARY`, one row per customer with orders or refunds before the as-of date, sorted by ``customer_id``.
    terms : Terms
        What it was computed for.
    first, last : date or None
        The days of the first and the last row of all, those after the as-of date included; None without rows.
    """

    frame: pl.DataFrame
    terms: Terms
    first: date | None
    last: date | None
