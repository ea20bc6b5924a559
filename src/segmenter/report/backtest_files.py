"""All files of a backtest."""

import polars as pl
import polars.selectors as cs

from segmenter.evaluation.backtest import Backtest
from segmenter.loader import Inputs
from segmenter.money import to_units
from segmenter.report.backtest_page import backtest_page
from segmenter.report.output_folder import check_owner
from segmenter.report.publication import publish
from segmenter.report.table_files import write_csv, write_manifest
from segmenter.settings import BacktestJob

_MONEY = ("later_spend", "expected_spend", "expected", "actual")
_DECIMALS = 6


def write_backtest(found: Backtest, read: Inputs, settings: BacktestJob) -> None:
    """Write what a backtest found into its folder, whole or not at all.

    Parameters
    ----------
    found : Backtest
        What the backtest came to.
    read : Inputs
        The tables: their rejects and their fingerprints.
    settings : BacktestJob
        The config; `out` is the folder.

    Raises
    ------
    OutputError
        The folder cannot be written.

    Examples
    --------
    >>> import segmenter, tempfile
    >>> from pathlib import Path
    >>> from segmenter.settings import DemoSettings, NoTracking, ShopSettings
    >>> settings = segmenter.backtest_settings({"launch.as_of": "2026-07-01", "backtest.rankings": ["spend", "recency"]})
    >>> days = [f"2026-{month:02}-{day:02}" for month in (3, 4, 5, 6) for day in range(1, 29)]
    >>> rows = [(f"C{place % 40:02}", day, 10 + place % 40) for place, day in enumerate(days)]
    >>> orders = pl.DataFrame(rows, schema=["customer_id", "time", "amount"], orient="row")
    >>> tables = segmenter.canonical_tables({"orders": orders}, settings.data, settings.launch)
    >>> data = DemoSettings.model_construct(**dict(settings.data), kind="demo", shop=ShopSettings(customers=100, days=120))
    >>> with tempfile.TemporaryDirectory() as place:
    ...     rest = {"data": data, "out": Path(place, "results"), "overwrite": False, "tracking": NoTracking(kind="none")}
    ...     job = BacktestJob.model_construct(**{**dict(settings), **rest})
    ...     write_backtest(segmenter.backtest(tables, settings), Inputs(tables, {}), job)
    ...     sorted(path.name for path in job.out.iterdir())[:3]
    ['backtest.csv', 'backtest.html', 'calibration.csv']
    """
    tables = {
        "backtest": found.results.with_columns(pl.col("cut").cast(pl.String).fill_null("all")),
        "differences": found.differences,
        "curves": found.curves,
        "calibration": found.calibration,
    }
    if not found.choices.is_empty():
        tables["choices"] = found.choices
    with publish(settings.out, lambda: check_owner(settings)) as folder:
        for name, table in tables.items():
            write_csv(_readable(table, settings.launch.currency), folder / f"{name}.csv")
        (folder / "backtest.html").write_text(backtest_page(found, settings), encoding="utf-8", newline="\n")
        told = {
            "cuts": [str(cut) for cut in found.cuts],
            "compared": [str(cut) for cut in found.compared],
            "horizon_days": found.horizon_days,
            "current": found.current,
            "recommended": found.recommended,
            "advice": found.advice,
            "warnings": list(found.warnings),
        }
        write_manifest(told, read, settings, folder)


def _readable(table: pl.DataFrame, currency: str) -> pl.DataFrame:
    """Put money in currency units, and round what is none."""
    rounded = table.with_columns(cs.float().round(_DECIMALS) + 0.0)  # no -0.0
    return to_units(rounded, list(_MONEY), currency)
