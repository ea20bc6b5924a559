"""Orders in Parquet to one row per customer: ours (exact, sorted by id) against queries as people write them (floats, unsorted)."""

from pathlib import Path

import polars as pl
import pytest

from segmenter.measures.spec import MONEY

FOUR = {
    "segmenter": "ours:four",
    "Polars streaming": "alternatives:polars_four",
    "DuckDB": "alternatives:duckdb_four",
    "DataFusion": "alternatives:datafusion_four",
    "chDB": "alternatives:chdb_four",
    "pandas": "alternatives:pandas_four",
    "floor: decode the columns": "alternatives:polars_floor",
    "floor: decode them, hash the ids": "alternatives:polars_floor_hashed",
}
WHOLE = {
    "segmenter": "ours:whole",
    "Polars streaming": "alternatives:polars_whole",
    "DuckDB": "alternatives:duckdb_whole",
    "DataFusion": "alternatives:datafusion_whole",
    "chDB": "alternatives:chdb_whole",
    "pandas": "alternatives:pandas_whole",
}


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Path:
    """A place for the first result of each way."""
    return tmp_path_factory.mktemp("results")


@pytest.mark.benchmark(group="history: spend, orders, first, last")
@pytest.mark.parametrize("way", FOUR)
def test_four(measured, folder, results, way):
    _needs(way)
    save = None if way.startswith("floor") else results / f"four {way}"
    measured(way, FOUR[way], folder, save=save)
    if save and (results / "four segmenter").exists():
        _check_same(save, results / "four segmenter")


@pytest.mark.benchmark(group="history: the default set")
@pytest.mark.parametrize("way", WHOLE)
def test_whole(measured, folder, results, way):
    _needs(way)
    save = results / f"whole {way}"
    measured(way, WHOLE[way], folder, save=save)
    if way != "segmenter" and (results / "whole segmenter").exists():
        theirs, ours = _check_same(save, results / "whole segmenter")
        # Our weights are whole numbers of 2^-16, and the sum is rounded down.
        apart = (100 * theirs["decayed_spend"] - ours["decayed_spend"]).abs()
        assert (apart <= 1 + ours["spend"] / (1 << 17)).all()
        # Theirs take any of the latest orders that share their second.
        assert theirs["province"].ne_missing(ours["province"]).sum() <= 2 + ours.height // 10_000


def _needs(way: str) -> None:
    if way in ("DataFusion", "chDB"):
        pytest.importorskip(way.lower(), reason="python -m pip install --constraint constraints.txt --group bench")


def _check_same(theirs: Path, ours: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Compare what has one right answer: money to the cent, counts and times."""
    found, expected = (pl.read_parquet(file).sort("customer_id") for file in (theirs, ours))
    names = [name for name in found.columns if name not in ("decayed_spend", "province")]
    if theirs != ours:
        found = found.with_columns((pl.col(name).fill_null(0) * 100).round() for name in names if name in MONEY)
    for name in names:
        assert found[name].cast(expected[name].dtype).equals(expected[name]), name
    return found, expected
