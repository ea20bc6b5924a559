"""What people write by hand for the same figures, as well as somebody who knows the tool would: amounts as floats.

Each function takes a shop's folder and gives a frame of its own kind. Libraries are imported inside, for each runs in a process
of its own whose memory is measured.
"""

import math
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from benchmarks.shop import AS_OF, SPELLINGS

MIDNIGHT = datetime.combine(AS_OF, time())
THREADS = 2  # of each engine; Polars has it from the process, see child.py
HALF_LIFE_DAYS, WINDOW_DAYS = 90, 365
DECAY = -math.log(2) / HALF_LIFE_DAYS  # exp(DECAY days) is quicker than a power
# From so many days ago, to so many.
PERIODS = {"30d": (0, 30), "30d_before": (30, 60), "90d": (0, 90), "90d_before": (90, 180)}
# The launch's rules.
SPEND_MIN, RECENT_DAYS, REGIONS = 1000, 60, ("四川", "广东", "江苏", "浙江")
RECENT_SINCE = date.fromordinal(AS_OF.toordinal() - RECENT_DAYS)
FOUR = f"""
    SELECT customer_id, sum(amount) AS spend, count(*) AS orders, min(time) AS first_order_at, max(time) AS last_order_at
    FROM {{orders}} WHERE time < DATE '{AS_OF}' GROUP BY customer_id
    """


def polars_floor(folder: Path, *, hashed: bool = False) -> Any:
    """Decode the three columns that the four measures need, and at most hash the ids: no way can cost less."""
    import polars as pl

    ids = pl.col("customer_id").hash().max() if hashed else pl.col("customer_id").str.len_bytes().sum()
    rest = (pl.col("time").to_physical().sum(), pl.col("amount").sum())
    return pl.scan_parquet(folder / "*.parquet").select(ids, *rest).collect(engine="streaming")


def polars_floor_hashed(folder: Path) -> Any:
    return polars_floor(folder, hashed=True)


def duckdb_four(folder: Path) -> Any:
    """Spend, orders, first and last order."""
    return _duckdb(FOUR.format(orders=f"'{folder}/*.parquet'"))


def datafusion_four(folder: Path) -> Any:
    return _datafusion(folder, FOUR)


def chdb_four(folder: Path) -> Any:
    return _chdb(FOUR.format(orders=f"file('{folder}/*.parquet')"))


def polars_four(folder: Path) -> Any:
    import polars as pl

    placed = pl.col("time")
    return (
        pl.scan_parquet(folder / "*.parquet")
        .filter(placed < MIDNIGHT)
        .group_by("customer_id")
        .agg(spend=pl.col("amount").sum(), orders=pl.len(), first_order_at=placed.min(), last_order_at=placed.max())
        .collect(engine="streaming")
    )


def pandas_four(folder: Path) -> Any:
    frame = _pandas(folder, ["customer_id", "time", "amount"])
    return (
        frame.groupby("customer_id", sort=False)
        .agg(spend=("amount", "sum"), orders=("amount", "size"), first_order_at=("time", "min"), last_order_at=("time", "max"))
        .reset_index()
    )


def duckdb_whole(folder: Path) -> Any:
    """All measures of the default set."""
    days = f"date_diff('day', time, DATE '{AS_OF}')"
    return _duckdb(_whole(f"'{folder}/*.parquet'", "arg_max(province, time)", days))


def datafusion_whole(folder: Path) -> Any:
    days, latest = f"(DATE '{AS_OF}' - CAST(time AS DATE))", "last_value(province ORDER BY time) FILTER (WHERE province IS NOT NULL)"
    return _datafusion(folder, _whole("{orders}", latest, days))


def chdb_whole(folder: Path) -> Any:
    days = f"date_diff('day', time, toDateTime('{AS_OF}'))"
    return _chdb(_whole(f"file('{folder}/*.parquet')", "argMax(province, time)", days))


def _whole(orders: str, province: str, days: str) -> str:
    spends = [f"sum(amount) FILTER (WHERE days > {since} AND days <= {to}) AS spend_{name}" for name, (since, to) in PERIODS.items()]
    counts = [
        f"count(*) FILTER (WHERE days > {since} AND days <= {to} AND amount >= 0) AS orders_{name}" for name, (since, to) in PERIODS.items()
    ]
    return f"""
        SELECT customer_id,
            {province} AS province,
            count(*) FILTER (WHERE amount >= 0) AS orders,
            count(*) FILTER (WHERE amount < 0) AS refund_orders,
            sum(amount) AS spend,
            sum(amount) FILTER (WHERE days <= {WINDOW_DAYS}) AS spend_window,
            sum(-amount) FILTER (WHERE amount < 0) AS refunds,
            sum(amount * exp({DECAY} * days)) AS decayed_spend,
            {", ".join(spends + counts)},
            min(time) FILTER (WHERE amount >= 0) AS first_order_at,
            max(time) FILTER (WHERE amount >= 0) AS last_order_at,
            max(days) AS days_since_first_row
        FROM (SELECT customer_id, time, amount, province, {days} AS days FROM {orders} WHERE time < DATE '{AS_OF}')
        GROUP BY customer_id
        """


def polars_whole(folder: Path) -> Any:
    import polars as pl

    # Columns that are zero or null where they do not count, then plain sums: filters inside each group are many times slower.
    amount, placed, days, is_order = pl.col("amount"), pl.col("time"), pl.col("days"), pl.col("amount") >= 0
    within = {name: (days > since) & (days <= to) for name, (since, to) in PERIODS.items()}
    sums = {
        "spend": amount,
        "spend_window": pl.when(days <= WINDOW_DAYS).then(amount).otherwise(0.0),
        "refunds": pl.when(amount < 0).then(-amount).otherwise(0.0),
        "decayed_spend": amount * (DECAY * days).exp(),
        "orders": is_order,
        "refund_orders": amount < 0,
        **{f"spend_{name}": pl.when(inside).then(amount).otherwise(0.0) for name, inside in within.items()},
        **{f"orders_{name}": is_order & inside for name, inside in within.items()},
    }
    ordered, named = pl.when(is_order).then(placed), pl.when(pl.col("province").is_not_null()).then(placed)
    return (
        pl.scan_parquet(folder / "*.parquet")
        .filter(placed < MIDNIGHT)
        .with_columns(days=(pl.lit(AS_OF) - placed.dt.date()).dt.total_days().cast(pl.Int32))
        .select("customer_id", "province", "days", ordered=ordered, named=named, **sums)
        .group_by("customer_id")
        .agg(
            pl.col("province").max_by("named"),
            pl.col(*sums).sum(),
            first_order_at=pl.col("ordered").min(),
            last_order_at=pl.col("ordered").max(),
            days_since_first_row=days.max(),
        )
        .collect(engine="streaming")
    )


def pandas_whole(folder: Path) -> Any:
    import numpy as np
    import pandas as pd

    frame = _pandas(folder, ["customer_id", "time", "amount", "province"])
    # The ids are numbered once, then one column at a time is added up: all of them at once would not fit.
    number, ids = pd.factorize(frame["customer_id"])
    amount, placed = frame["amount"], frame["time"]
    days = (pd.Timestamp(AS_OF) - placed.dt.normalize()).dt.days.astype("int32")
    is_order = amount >= 0
    within = {name: (days > since) & (days <= to) for name, (since, to) in PERIODS.items()}

    def total(column: Any) -> Any:
        return column.groupby(number, sort=True).sum()

    some = is_order.to_numpy()
    ordered = placed[some].groupby(number[some], sort=True)
    named = frame["province"].notna().to_numpy()
    latest = placed[named].groupby(number[named], sort=True).idxmax()
    columns = {
        "spend": total(amount),
        "spend_window": total(amount.where(days <= WINDOW_DAYS, 0.0)),
        "refunds": total((-amount).where(amount < 0, 0.0)),
        "decayed_spend": total(amount * np.exp(DECAY * days)),
        "orders": total(is_order),
        "refund_orders": total(amount < 0),
        **{f"spend_{name}": total(amount.where(inside, 0.0)) for name, inside in within.items()},
        **{f"orders_{name}": total(is_order & inside) for name, inside in within.items()},
        "first_order_at": ordered.min(),
        "last_order_at": ordered.max(),
        "days_since_first_row": days.groupby(number, sort=True).max(),
        "province": frame["province"].loc[latest].set_axis(latest.index),
    }
    return pd.DataFrame(columns).assign(customer_id=ids)


def duckdb_list(folder: Path) -> Any:
    """Those whom the launch's rules leave, the best first: the afternoon's notebook."""
    chosen = ", ".join(f"('{spelling}')" for spelling, name in SPELLINGS.items() if name in REGIONS)
    return _duckdb(
        f"""
        WITH each AS (
            SELECT customer_id, sum(amount) AS spend, max(time) AS last_order_at, arg_max(province, time) AS province
            FROM '{folder}/*.parquet' WHERE time < DATE '{AS_OF}' GROUP BY customer_id
            HAVING round(sum(amount), 2) >= {SPEND_MIN} AND max(time) >= DATE '{RECENT_SINCE}'
        )
        SELECT * FROM each JOIN (VALUES {chosen}) AS region(province) USING (province) ORDER BY spend DESC, customer_id
        """
    )


def pandas_list(folder: Path) -> Any:
    import pandas as pd

    frame = _pandas(folder, ["customer_id", "time", "amount", "province"])
    each = frame.groupby("customer_id", sort=False).agg(spend=("amount", "sum"), last=("time", "max"))
    each = each[(each["spend"].round(2) >= SPEND_MIN) & (each["last"] >= pd.Timestamp(RECENT_SINCE))]
    theirs = frame[frame["customer_id"].isin(each.index)].sort_values("time")
    each["region"] = theirs.groupby("customer_id")["province"].last().map(SPELLINGS)
    return each[each["region"].isin(REGIONS)].sort_values("spend", ascending=False)


def _duckdb(query: str) -> Any:
    import duckdb

    with duckdb.connect() as connection:
        connection.execute(f"SET threads = {THREADS}")
        connection.execute("SET preserve_insertion_order = false")
        return connection.sql(query).to_arrow_table()


def _datafusion(folder: Path, query: str) -> Any:
    from datafusion import SessionConfig, SessionContext

    context = SessionContext(SessionConfig().with_target_partitions(THREADS))
    context.register_parquet("orders", f"{folder}/*.parquet")
    return context.sql(query.format(orders="orders")).to_arrow_table()


def _chdb(query: str) -> Any:
    import chdb

    return chdb.query(f"{query} SETTINGS max_threads = {THREADS}", "ArrowTable")


def _pandas(folder: Path, columns: list[str]) -> Any:
    import pandas as pd

    # A list of files: pandas would read a folder with what lies below it.
    frame = pd.read_parquet(sorted(folder.glob("*.parquet")), columns=columns)
    return frame if frame["time"].max() < MIDNIGHT else frame[frame["time"] < MIDNIGHT].reset_index(drop=True)
