"""All files of a backtest."""

import polars as pl
import polars.selectors as cs

from segmenter.evaluation.backtest import Backtest
from segmenter.money import to_units
from segmenter.report.backtest_evidence import choices_in_words
from segmenter.report.backtest_report import backtest_report
from segmenter.report.backtest_words import advice
from segmenter.report.labels import Labels
from segmenter.report.language import translate
from segmenter.report.output_folder import check_owner
from segmenter.report.page import render_page
from segmenter.report.publication import publish
from segmenter.report.table_files import write_csv, write_manifest
from segmenter.settings import BacktestJob
from segmenter.sources.loader import Read

_MONEY = ("later_spend", "expected_spend", "expected", "actual")
_DECIMALS = 6


def write_backtest(found: Backtest, read: Read, settings: BacktestJob) -> None:
    """Write what a backtest found into its folder, whole or not at all; OutputError where it cannot be written."""
    labels = Labels(settings.lang, settings.launch.currency)
    tables = {
        "backtest": found.results.with_columns(pl.col("cut").cast(pl.String).fill_null("all")),
        "differences": found.differences,
        "curves": found.curves,
        "calibration": found.calibration,
    }
    if not found.choices.is_empty():
        tables["choices"] = choices_in_words(found, labels)
    with publish(settings.out, lambda: check_owner(settings)) as folder:
        for name, table in tables.items():
            write_csv(_readable(table, settings.launch.currency), folder / f"{name}.csv")
        (folder / "backtest.html").write_text(render_page(backtest_report(found, settings), settings.lang), encoding="utf-8", newline="\n")
        facts = {
            "cuts": [str(cut) for cut in found.cuts],
            "compared": [str(cut) for cut in found.compared],
            "horizon_days": found.horizon_days,
            "current": found.current,
            "recommended": found.recommended,
            "advice": advice(found, settings.lang),
            "warnings": [translate(warning, settings.lang) for warning in found.warnings],
        }
        write_manifest(facts, read, settings, folder)


def _readable(table: pl.DataFrame, currency: str) -> pl.DataFrame:
    """Put money in currency units, and round what is none."""
    rounded = table.with_columns(cs.float().round(_DECIMALS) + 0.0)  # no -0.0
    return to_units(rounded, list(_MONEY), currency)
