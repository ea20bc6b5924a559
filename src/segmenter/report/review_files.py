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


def write_review(review: Review, read: Read, settings: ReviewJob) -> None:
    """Write what a launch brought into the results folder, whole or not at all; `read` has the rejects and fingerprints."""
    currency, launch, lang = review.launch.currency, review.launch, settings.lang
    with publish(settings.out, lambda: check_owner(settings)) as folder:
        tables = {"acceptance": review.acceptance, "reasons": review.reasons, "sales": review.daily, "cohorts": review.cohorts}
        for name, table in {**tables, "lift": _lift(review)}.items():
            rounded = table.with_columns(cs.float().round(_DECIMALS) + 0.0)  # no -0.0
            write_csv(to_units(rounded, _MONEY.get(name, []), currency), folder / f"{name}.csv")
        write_parquet(to_units(review.uplift, ["before", "spend"], currency), folder / "uplift.parquet")
        write_parquet(read.tables.rejects.sort("table", "file", "row", "column", "value", nulls_last=True), folder / "rejects.parquet")
        (folder / "review.html").write_text(render_page(review_report(review, settings), lang), encoding="utf-8", newline="\n")
        facts = {
            "as_of": str(launch.as_of),
            "reviewed": str(review.as_of),
            "ends_on": str(launch.ends_on),
            "days": review.days,
            "counts": dict(review.counts),
            "standing": review.progress.state,
            "reached_on": review.progress.reached_on and str(review.progress.reached_on),
            "sentence": say_progress(review, lang),
            "lift": say_launch_lift(review, lang),
            "doubts": [translate(doubt, lang) for doubt in review.doubts],
            "warnings": [translate(warning, lang) for warning in review.warnings],
        }
        write_manifest(facts, read, settings, folder)


def _lift(review: Review) -> pl.DataFrame:
    """Give each estimate a row, per customer invited and in all; none where there is no lift."""
    schema = {
        **{"measured": pl.String, "method": pl.String, "used": pl.Boolean, "invited": pl.Int64, "held_out": pl.Int64},
        **dict.fromkeys(("effect", "error", "low", "high", "p", "degrees"), pl.Float64),
        **dict.fromkeys(("total", "total_low", "total_high"), pl.Int64),
    }
    lift = review.lift
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
    unit = 10 ** digits(review.launch.currency)
    return pl.DataFrame(rows, schema).with_columns(pl.col("effect", "error", "low", "high") / unit)
