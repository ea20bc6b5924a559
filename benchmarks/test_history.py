"""Measures of every customer: ours (all of them, exact) against what a notebook does for the usual four."""

from datetime import date

import pytest

from segmenter.history import measure

AS_OF = date(2026, 7, 1)


@pytest.mark.benchmark(group="history")
def test_measure(benchmark, tables):
    frame = benchmark(measure, tables, as_of=AS_OF, half_life_days=90)
    assert frame["orders"].sum() == tables.orders.height


@pytest.mark.benchmark(group="history")
def test_pandas_notebook(benchmark, orders):
    frame = orders.to_pandas()

    def notebook():
        return frame.groupby("customer_id").agg(
            spend=("amount", "sum"), orders=("order_id", "count"), first=("time", "min"), last=("time", "max")
        )

    assert benchmark(notebook)["orders"].sum() == orders.height
