"""All that a backtest leaves."""

import polars as pl
import polars.selectors as cs

from segmenter.evaluation.backtest import Backtest
from segmenter.money import to_units
from segmenter.report.backtest_page import backtest_page
from segmenter.report.outputs import Output, Outputs, Record, csv
from segmenter.report.sections import Report
from segmenter.settings import BacktestJob

_MONEY = ("later_spend", "expected_spend", "expected", "actual")
_DECIMALS = 6


def backtest_outputs(found: Backtest, settings: BacktestJob) -> Outputs:
    """List what a backtest leaves, in the launch's language."""
    tables = {
        "backtest": found.results.with_columns(pl.col("cut").cast(pl.String).fill_null("all")),
        "differences": found.differences,
        "curves": found.curves,
        "calibration": found.calibration,
    }
    if not found.choices.is_empty():
        tables["choices"] = found.choices
    files = [csv(name, _readable(table, settings.launch.currency), public=True) for name, table in tables.items()]
    html = Output(
        "backtest.html", lambda path: path.write_text(backtest_page(found, settings), encoding="utf-8", newline="\n"), public=True
    )
    said = {
        "cuts": [str(cut) for cut in found.cuts],
        "compared": [str(cut) for cut in found.compared],
        "horizon_days": found.horizon_days,
        "current": found.current,
        "recommended": found.recommended,
        "advice": found.advice,
        "warnings": list(found.warnings),
    }
    return Outputs((*files, html), said, Report("", "", "", "", warnings=found.warnings), backtest_record(found, settings))


def _readable(table: pl.DataFrame, currency: str) -> pl.DataFrame:
    """Put money in currency units, and round what is none."""
    rounded = table.with_columns(cs.float().round(_DECIMALS) + 0.0)  # no -0.0
    return to_units(rounded, list(_MONEY), currency)


def backtest_record(found: Backtest, settings: BacktestJob) -> Record:
    """Make each ranking a child of the backtest's run, with one step of its share for each cut."""
    means = {row["ranking"]: row for row in found.results.filter(pl.col("cut").is_null()).drop("cut").to_dicts()}
    children = []
    for name, metrics in means.items():
        at_cuts = found.results.filter(ranking=name).drop_nulls(["cut", "spend_share_10"]).select("cut", "spend_share_10").rows()
        series = {"cut_spend_share_10": [(found.cuts.index(cut), share) for cut, share in at_cuts]}
        tags = {"ranking": name, "recommended": "yes" if name == found.recommended else "no"}
        children.append(Record(name, metrics, series, tags=tags))
    return Record(
        f"{settings.launch.name} backtest",
        metrics=means.get(found.recommended, {}) | {"cuts": len(found.compared)},
        tags={"advice": found.advice, "recommended": found.recommended, "current": found.current},
        children=tuple(children),
    )
