"""All that a backtest leaves."""

import polars as pl

from segmenter.evaluation.backtest import Backtest
from segmenter.money import to_units
from segmenter.report.backtest_evidence import choices_in_words
from segmenter.report.backtest_report import backtest_report
from segmenter.report.backtest_words import advice
from segmenter.report.labels import Labels
from segmenter.report.outputs import Outputs, Record, csv, page, rounded
from segmenter.report.shell_commands import own_words
from segmenter.settings import BacktestJob

_MONEY = ("later_spend", "previous_spend", "expected_spend", "expected_spend_10", "later_spend_10", "expected", "actual")


def backtest_outputs(found: Backtest, settings: BacktestJob) -> Outputs:
    """List what a backtest leaves, in the launch's language."""
    report = backtest_report(found, settings, own_words())
    tables = {
        "backtest": found.results.with_columns(pl.col("cut").cast(pl.String).fill_null("all")),
        "differences": found.differences,
        "curves": found.curves,
        "calibration": found.calibration,
    }
    if not found.choices.is_empty():
        tables["choices"] = choices_in_words(found, Labels(settings.lang, settings.launch.currency))
    currency = settings.launch.currency
    files = [csv(name, to_units(rounded(table), list(_MONEY), currency), public=True) for name, table in tables.items()]
    facts = {
        "cuts": [str(cut) for cut in found.cuts],
        "compared": [str(cut) for cut in found.compared],
        "horizon_days": found.horizon_days,
        "current": found.current,
        "recommended": found.recommended,
        "later_buyers": found.chance.buyers,
        "chance": {"share": found.chance.share, "low": found.chance.low, "high": found.chance.high},
        "beats_chance": found.intervals.filter("beats_chance")["ranking"].to_list(),
        "advice": advice(found, settings.lang),
        "warnings": list(report.warnings),
    }
    return Outputs((*files, page("backtest", report, settings.lang)), facts, report, backtest_record(found, settings))


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
        metrics=means.get(found.recommended, {}) | {"cuts": len(found.cuts)},
        tags={"advice": advice(found, settings.lang), "recommended": found.recommended, "current": found.current},
        children=tuple(children),
    )
