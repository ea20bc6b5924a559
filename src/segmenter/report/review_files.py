"""All files of a review."""

from dataclasses import asdict

import polars as pl
import polars.selectors as cs

from segmenter.evaluation.launch_sales import COHORTS
from segmenter.evaluation.review import Review
from segmenter.money import digits, to_units
from segmenter.report.language import translate
from segmenter.report.output_folder import check_owner
from segmenter.report.page import render_page
from segmenter.report.publication import publish
from segmenter.report.review_report import review_report
from segmenter.report.review_words import say_launch_lift, say_progress
from segmenter.report.table_files import write_csv, write_manifest, write_parquet
from segmenter.settings import ReviewJob
from segmenter.sources.loader import Read

# The columns of each file that are money.
_MONEY = {
    "sales": [*COHORTS, *(f"{name}_so_far" for name in (*COHORTS, "target"))],
    "cohorts": ["sales"],
    "lift": ["total", "total_low", "total_high"],
}
_DECIMALS = 6


def write_review(found: Review, read: Read, settings: ReviewJob) -> None:
    """Write what a launch brought into the results folder, whole or not at all; `read` has the rejects and fingerprints."""
    currency, launch, lang = found.launch.currency, found.launch, settings.lang
    with publish(settings.out, lambda: check_owner(settings)) as folder:
        tables = {"acceptance": found.acceptance, "reasons": found.reasons, "sales": found.daily, "cohorts": found.cohorts}
        for name, table in {**tables, "lift": _lift(found)}.items():
            rounded = table.with_columns(cs.float().round(_DECIMALS) + 0.0)  # no -0.0
            write_csv(to_units(rounded, _MONEY.get(name, []), currency), folder / f"{name}.csv")
        write_parquet(to_units(found.uplift, ["before", "spend"], currency), folder / "uplift.parquet")
        write_parquet(read.tables.rejects.sort("table", "file", "row", "column", "value", nulls_last=True), folder / "rejects.parquet")
        (folder / "review.html").write_text(render_page(review_report(found, settings), lang), encoding="utf-8", newline="\n")
        facts = {
            "as_of": str(launch.as_of),
            "reviewed": str(found.as_of),
            "ends_on": str(launch.ends_on),
            "days": found.days,
            "counts": dict(found.counts),
            "standing": found.progress.state,
            "reached_on": found.progress.reached_on and str(found.progress.reached_on),
            "sentence": say_progress(found, lang),
            "lift": say_launch_lift(found, lang),
            "doubts": [translate(doubt, lang) for doubt in found.doubts],
            "warnings": [translate(warning, lang) for warning in found.warnings],
        }
        write_manifest(facts, read, settings, folder)


def _lift(found: Review) -> pl.DataFrame:
    """Give each estimate a row, per customer invited and in all; none where there is no lift."""
    schema = {
        **{"measured": pl.String, "method": pl.String, "used": pl.Boolean, "invited": pl.Int64, "held_out": pl.Int64},
        **dict.fromkeys(("effect", "error", "low", "high", "p", "degrees"), pl.Float64),
        **dict.fromkeys(("total", "total_low", "total_high"), pl.Int64),
    }
    lift = found.lift
    rows = (
        []
        if lift is None
        else [
            {
                "measured": lift.measured,
                "used": estimate is lift.best,
                "invited": lift.invited,
                "held_out": lift.held_out,
                **asdict(estimate),
            }
            for estimate in lift.estimates
        ]
    )
    unit = 10 ** digits(found.launch.currency)
    return pl.DataFrame(rows, schema).with_columns(pl.col("effect", "error", "low", "high") / unit)
