"""Reading and checking a CSV, whose cells are all text: amounts with a decimal point, and as they are written elsewhere."""

import polars as pl
import pytest

AMOUNT = pl.col("amount").round(2)
MOST = 2_000_000  # rows
WAYS = {
    "12.50": AMOUNT.cast(pl.String),
    "12,50 €": AMOUNT.cast(pl.String).str.replace(".", ",", literal=True) + " €",
}


@pytest.mark.benchmark(group="reading a CSV")
@pytest.mark.parametrize("way", WAYS)
def test_csv(measured, folder, orders, tmp_path, way):
    path = tmp_path / "orders.csv"
    rows = pl.scan_parquet(folder / "*.parquet").head(min(orders, MOST)).with_columns(WAYS[way].alias("amount"))
    rows.collect().write_csv(path)
    currency = () if way == "12.50" else ("launch.currency=EUR",)
    counts = measured(way, "ours:read_csv", path, *currency, size=min(orders, MOST)).answer["counts"]
    assert counts["kept"] + counts["later"] == counts["rows"]
