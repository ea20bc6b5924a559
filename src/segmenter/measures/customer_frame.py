"""The measures of every customer as of a date."""

from collections.abc import Sequence
from datetime import date

import polars as pl

from segmenter.errors import InputError
from segmenter.measures import spec
from segmenter.measures.place_levels import own_first
from segmenter.regions.last_known import last_known
from segmenter.tables import APART, CUSTOMERS, LEVELS, TROUBLES, Tables, Terms, attribute_taken

_FLAGS = ("do_not_contact", "blocked", "staff")
_INNER = ("days_since_first_row", "days_since_first_event", *(f"order_{level}" for level in LEVELS), APART, spec.AS_OF)
_APPLIED = pl.Schema({"applicant": pl.Boolean(), "applied_by": pl.String()}).to_frame()  # beside them, where some applied
# What an attribute of the shop's own may not be called besides the measures: the later stages add columns of these names.
_LATER = (
    *("region", "verdict", "failed_rules", "score", "expected_spend", "expected_uplift"),
    *("repeats", "last_days", "known_days", "first_spend", "repeat_spend"),
    *("lookalike", "segment", "invited", "rank", "wave", "group"),
)


def measure(
    tables: Tables, *, as_of: date, half_life_days: float, window_days: int | None = None, horizon_days: int | None = None
) -> pl.DataFrame:
    """Compute every customer's measures from what happened strictly before the as-of date.

    Parameters
    ----------
    tables : Tables
        The canonical tables; rows at or after the as-of date change nothing. A summary of the orders is taken as it is.
    as_of : date
        Days since an event are this date minus the event's: the day before counts 1.
    half_life_days : float
        After so many days an order weighs half in `decayed_spend`; > 0.
    window_days : int, optional
        What `spend_window` counts, and `spend_outside` does not; None for all time.
    horizon_days : int, optional
        What a ranking that learns looks ahead; None where none does.

    Returns
    -------
    DataFrame
        One row per customer, sorted by ``customer_id``. Customers: those of the customers table who had joined or
        ordered by then; without the table, those with orders. Columns, money in minor units:

        - ``province``, ``city``, ``district``: as found; each of the customer, else of the latest order that names it (ties: the
          larger name), unless what is newer contradicts it, see `regions.last_known`;
        - the attributes, `tables.REACH`, ``do_not_contact``, ``blocked``, ``staff``; where there is a table of them, ``applicant`` and
          ``applied_by``;
        - ``spend`` (net of refunds), ``spend_window``, ``spend_outside``, ``refunds`` and ``refund_orders``;
        - ``orders``, ``first_order_at``, ``last_order_at``, ``days_since_order``;
        - ``average_order`` (spend / orders), ``average_gap_days`` (between the first and the last of at least 2 orders);
        - ``decayed_spend``: each amount times 2^(-days since / half_life_days);
        - ``spend_30d``, ``orders_30d`` (1 to 30 days ago), ``spend_30d_before`` (31 to 60), and the same for 90;
        - ``events`` and ``events_<kind>`` for each kind, ``days_since_event`` (but for `tables.TROUBLES`), ``referrals``;
        - ``days_since_activity`` (order or such an event), ``days_known`` (since joining, or the first order or event);
        - with a horizon: ``decayed_spend_15d``, ``_30d``, ``_60d``, ``_120d``, ``_365d`` (by these half-lives), ``decayed_orders_15d``, ...
          (orders by the same weights, in 2**-16), ``spend_year_before`` (more than 365 - horizon days ago, at most 365; 0 for a horizon
          of a year or more), ``largest_order``.

    Raises
    ------
    ValueError
        The orders are a summary for another date, window, half-life or horizon.

    Examples
    --------
    >>> import segmenter
    >>> settings = segmenter.launch_settings({"launch.as_of": "2026-07-01"})
    >>> orders = pl.DataFrame({"customer_id": ["a", "a"], "time": ["2026-06-30", "2026-06-01"], "amount": [12.5, 7.5]})
    >>> tables = segmenter.canonical_tables({"orders": orders}, settings.data, settings.launch)
    >>> frame = segmenter.measure(tables, as_of=settings.launch.as_of, half_life_days=90)
    >>> frame.select("spend", "orders", "days_since_order", "average_gap_days").rows()
    [(2000, 2, 1, 29.0)]
    """
    terms = Terms(as_of, half_life_days, window_days, horizon_days)
    summary = tables.orders.summary(terms)
    by_order = summary.frame.lazy().with_columns(pl.col(LEVELS).cast(pl.String)).rename({level: f"order_{level}" for level in LEVELS})
    events = _before(tables.events, as_of)
    kinds = events.select(pl.col("kind").unique().sort()).collect()["kind"].to_list()
    by_event = events.group_by("customer_id").agg(*_of_events(kinds))
    others = tables.referrals.lazy().filter(pl.col("customer_id") != pl.col("friend_id"))
    referrals = others.filter(pl.col("time").is_null() | (pl.col("time") < as_of))
    by_referral = referrals.group_by("customer_id").agg(pl.col("friend_id").n_unique().cast(pl.Int32).alias("referrals"))
    customers = tables.customers if tables.applicants is None else _with_applicants(tables, tables.applicants, by_order)
    if customers is not None:
        _check_attributes(tables.customers, [by_order, by_event, by_referral, *([] if tables.applicants is None else [_APPLIED.lazy()])])
        frame = customers.lazy().join(by_order, on="customer_id", how="left")
        if tables.reach is not None:
            frame = frame.join(tables.reach.lazy(), on="customer_id", how="left")
    else:
        flags = [pl.lit(value=False).alias(name) for name in _FLAGS]
        frame = by_order.with_columns(pl.lit(None, dtype=pl.Date).alias("joined"), *flags)
    for part, table in ((by_event, tables.events), (by_referral, tables.referrals)):
        frame = frame.join(part, on="customer_id", how="left", maintain_order="left") if table.height else _without(frame, part)
    if customers is None:
        # A summary is sorted, and a join keeps its order where it is told to: but for the places its columns are taken as they are.
        derived, same = _derive(frame.rename({f"order_{level}": level for level in LEVELS}), kinds, terms), summary.frame.drop(LEVELS)
        names = derived.collect_schema().names()
        added = derived.select(name for name in names if name not in same.columns).collect().rechunk()
        return last_known(same.hstack(added).select(names))
    joined_before, active = pl.col("joined") < as_of, pl.any_horizontal(pl.col("first_order_at", "events").is_not_null())
    frame = frame.filter(pl.col("joined").is_null() | joined_before | active).with_columns(pl.when(joined_before).then("joined"))
    return last_known(_derive(frame.with_columns(**own_first()), kinds, terms).sort("customer_id").collect())


def _with_applicants(tables: Tables, applicants: pl.DataFrame, by_order: pl.LazyFrame) -> pl.DataFrame:
    """Say which customers applied, and how; who is no customer yet is one without orders."""
    known = by_order.select("customer_id").collect() if tables.customers is None else tables.customers
    new = applicants.drop("applied_by").join(known, on="customer_id", how="anti", maintain_order="left")
    everyone = pl.concat([CUSTOMERS.to_frame(), known, new], how="diagonal").with_columns(pl.col(_FLAGS).fill_null(value=False))
    how = applicants.select("customer_id", "applied_by", applicant=True)
    return everyone.join(how, on="customer_id", how="left").with_columns(pl.col("applicant").fill_null(value=False))


def _without(frame: pl.LazyFrame, part: pl.LazyFrame) -> pl.LazyFrame:
    """Add the columns of a part that has no rows: joins of millions of customers take their time."""
    columns = part.collect_schema().items()
    return frame.with_columns(pl.lit(None, dtype=dtype).alias(name) for name, dtype in columns if name != "customer_id")


def _check_attributes(customers: pl.DataFrame | None, parts: Sequence[pl.LazyFrame]) -> None:
    if customers is None:
        return
    columns = {name for part in parts for name in part.collect_schema().names()}
    taken = {*columns, *(measure.name for measure in (*spec.MEASURES, *spec.LEARNING)), *_INNER, *_LATER, *CUSTOMERS.names()}
    attributes = [name for name in customers.columns if name not in CUSTOMERS]
    if wrong := [name for name in attributes if name in taken or name.startswith("component_")]:
        raise InputError(attribute_taken(wrong))


def _before(table: pl.DataFrame, as_of: date) -> pl.LazyFrame:
    return (
        table.lazy().filter(pl.col("time") < as_of).with_columns(pl.lit(as_of).alias(spec.AS_OF)).with_columns(days=spec.days_since("time"))
    )


def _of_events(kinds: Sequence[str]) -> Sequence[pl.Expr]:
    return [
        pl.len().cast(pl.Int32).alias("events"),
        pl.col("days").filter(~pl.col("kind").is_in(TROUBLES)).min().alias("days_since_event"),
        pl.col("days").max().alias("days_since_first_event"),
        *((pl.col("kind") == kind).sum().cast(pl.Int32).alias(f"events_{kind}") for kind in kinds),
    ]


def _derive(frame: pl.LazyFrame, kinds: Sequence[str], terms: Terms) -> pl.LazyFrame:
    """Fill what is zero for those without orders or events, compute the formulas, and put the columns in their order."""
    by_kind = [f"events_{kind}" for kind in kinds]
    measures = spec.measures(terms)
    added = [measure for measure in measures if measure.formula is None and measure.of != "largest"]
    zero = [measure.name for measure in added if measure.unit in ("money", "count", "weight")]
    formulas = [measure.formula.alias(measure.name) for measure in measures if measure.formula is not None]
    frame = frame.with_columns(pl.col(*zero, *by_kind).fill_null(0), pl.lit(terms.as_of).alias(spec.AS_OF)).with_columns(*formulas)
    names = [name for measure in measures for name in (measure.name, *(by_kind if measure.name == "events" else ()))]
    ours = {"customer_id", *LEVELS, "joined", *_FLAGS, *names, *_INNER}
    attributes = [name for name in frame.collect_schema().names() if name not in ours]
    return frame.select("customer_id", *LEVELS, *attributes, "joined", *_FLAGS, *names, APART)
