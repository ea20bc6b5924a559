"""The order numbers of streams: they decide whether rows can be aggregated as they are read."""

from datetime import datetime, timedelta

import polars as pl
import pytest
from jobs import settings_of

from segmenter.loader import read_tables
from segmenter.measures import shop_orders
from segmenter.sources import order_sample
from segmenter.tables import Terms


@pytest.fixture
def read(tmp_path, monkeypatch):
    monkeypatch.setattr(shop_orders, "KERNEL_ROWS", 10)

    def run(frame, *overrides, stop=True):
        path = tmp_path / "orders.parquet"
        frame.write_parquet(path)
        settings = settings_of("launch", "data=files", f"data.orders.path={path}", "launch.as_of=2026-07-01", *overrides)
        terms = Terms(settings.launch.as_of, 90, None)
        tables = read_tables(settings.data, settings.launch, seed=0, terms=terms, stop=stop).tables
        spend = dict(tables.orders.summary(terms).frame.select("customer_id", "spend").rows())
        orders = int(tables.orders.summary(terms).frame["orders"].sum())
        return (
            orders,
            sum(spend.values()),
            {code.removeprefix("order_rows.") for finding in tables.findings if (code := finding.message.code).startswith("order_rows.")},
        )

    return run


def orders(count, each=1, **columns):
    """Give orders of some rows each, whose amounts differ."""
    at = pl.int_range(count * each, eager=True)
    frame = pl.DataFrame(
        {
            "customer_id": (at // each % 7).cast(pl.String),
            "order_id": "N" + (at // each).cast(pl.String),
            "time": pl.Series([datetime(2026, 1, 1) + timedelta(hours=int(number)) for number in at // each]),
            "amount": (at % 10 + 1).cast(pl.Float64),
        }
    )
    return frame.with_columns(**columns)


def test_unique_numbers_are_orders(read):
    assert read(orders(200)) == (200, 110_000, {"unique"})


def test_many_numbers_are_looked_at_by_a_sample_which_is_said(read, monkeypatch):
    monkeypatch.setattr(order_sample, "FEW", 100)
    assert read(orders(200)) == (200, 110_000, {"unique", "sampled"})


def test_numbers_on_several_rows_are_lines_and_read_at_once(read):
    found, spend, said = read(orders(100, each=2))
    assert (found, spend) == (100, 110_000)
    assert "lines" in said


def test_rows_taken_for_orders_are_said(read):
    found, spend, said = read(orders(100, each=2), "data.orders.grain=order")
    assert (found, spend) == (200, 110_000)
    assert "line_for_order" in said


def test_a_number_that_is_not_mapped_is_said(read):
    _, spend, said = read(orders(100, each=2).rename({"order_id": "Order Number"}))
    assert spend == 110_000
    assert {"unmapped_number", "line_for_order"} <= said


@pytest.mark.slow
def test_totals_on_each_line_stop_or_count_once(read):
    totals = orders(100, each=2, amount=pl.col("order_id").str.slice(1).cast(pl.Float64) + 1, sku=pl.int_range(pl.len()) % 2)
    said = read(totals, stop=False)[2]
    assert "once_or_lines" in said
    found, spend, said = read(totals.rename({"amount": "order_total"}), "data.orders.columns.amount=order_total")
    assert (found, spend) == (100, 505_000)
    assert "once" in said


def test_nobody_who_came_twice_and_who_gave_back_more(read):
    frame = orders(200, customer_id=pl.int_range(pl.len()).cast(pl.String), email=(pl.int_range(pl.len()) % 30).cast(pl.String))
    assert "nobody_twice_but" in read(frame)[2]
    back = pl.concat([orders(20), orders(1, order_id=pl.lit("R"), amount=pl.lit(-500.0))])
    assert "negative" in read(back)[2]
