"""Files of one table whose types or columns differ."""

import datetime as dt
from pathlib import Path

import polars as pl
from shop_files import problems, read, saved, values


def test_numbers_of_different_files_stay_numbers(tmp_path: Path) -> None:
    days = [dt.date(2026, 1, 1)], [dt.datetime(2026, 1, 2, 3)]
    pl.DataFrame({"amount": [1], "day": days[0], "note": [None]}).write_parquet(tmp_path / "a.parquet")
    pl.DataFrame({"amount": [2.5], "day": days[1], "note": ["x"]}).write_parquet(tmp_path / "b.parquet")
    assert values(read(tmp_path)) == [(1.0, dt.datetime(2026, 1, 1), None), (2.5, dt.datetime(2026, 1, 2, 3), "x")]


def test_files_whose_columns_differ_are_named(tmp_path: Path) -> None:
    saved(tmp_path, "a.csv", "id,amount\n1,2\n")
    saved(tmp_path, "b.csv", "amount,id\n1,2\n")
    saved(tmp_path, "c.csv", "id,amuont,note\n1,2,3\n")
    saved(tmp_path, "d.csv", "")
    assert problems(tmp_path).split("\n") == [
        "data.orders.path: d.csv: is empty (0 bytes); export it again",
        "data.orders.path: c.csv: should have the columns of a.csv (got a file that lacks amount and also has amuont, note)",
    ]
