"""Ten exports and three real files: what `init` alone makes of them equals a query over the raw file."""

import duckdb
import polars as pl
import pytest
from made_exports import EXPORTS

from segmenter.evaluation.as_of import launch_snapshot
from segmenter.guesses.experiment import guess_experiment, name_of
from segmenter.guesses.source_tables import find_sources
from segmenter.loader import read_tables, try_experiment


def quiet(stage: str, done: int = 0, total: int = 0) -> None:
    """No progress."""


def totals(paths: list[str], answers: dict[str, object] | None = None) -> pl.DataFrame:
    """Give what a launch on a guessed experiment counts for each customer."""
    import segmenter

    experiment = guess_experiment(find_sources(paths), name_of(tuple(paths)), answers or {})
    assert not experiment.open_questions, experiment.open_questions
    dated, _, _ = try_experiment(experiment, seed=1, progress=quiet)
    as_of = next(guess.value for guess in dated.guesses if guess.key == "launch.as_of")
    tables = read_tables(dated.data(), dated.launch(as_of), seed=1).tables
    launch = dated.launch(as_of)
    settings = segmenter.launch_settings(
        {"launch.as_of": str(as_of), "launch.currency": launch.currency, "launch.timezone": launch.timezone}
    )
    customers = launch_snapshot(tables, settings).customers
    return customers.select(
        "customer_id", spend=pl.col("spend") / 100, orders="orders", last=pl.lit(as_of) - pl.duration(days=pl.col("days_since_order"))
    ).sort("customer_id")


def compare(got: pl.DataFrame, expected: pl.DataFrame) -> None:
    ordered = expected.filter(pl.col("orders") > 0).sort("customer_id")
    mine = got.filter(pl.col("orders") > 0).sort("customer_id")
    assert mine["customer_id"].to_list() == ordered["customer_id"].to_list()
    assert mine["orders"].to_list() == ordered["orders"].to_list()
    assert mine["last"].cast(pl.Date).to_list() == ordered["last"].to_list()
    assert (mine["spend"] - ordered["spend"].cast(pl.Float64)).abs().max() < 0.0051


@pytest.mark.parametrize("system", EXPORTS)
def test_init_alone_gives_the_customers_of_a_query_over_the_raw_file(system, tmp_path):
    path = EXPORTS[system].make(tmp_path)
    compare(totals([str(path)]), duckdb.sql(EXPORTS[system].sql(path)).pl())
