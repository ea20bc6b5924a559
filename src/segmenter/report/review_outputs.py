"""All that a review leaves."""

from dataclasses import asdict

import polars as pl
import polars.selectors as cs

from segmenter.evaluation.review import COHORTS, Review
from segmenter.evaluation.target_progress import FEW
from segmenter.money import digits, to_units
from segmenter.report.outputs import Output, Outputs, Record, csv, parquet
from segmenter.report.review_page import review_page
from segmenter.report.sections import Report
from segmenter.settings import ReviewJob
from segmenter.sources.loader import Read

# The columns of each file that are money.
_MONEY = {
    "sales": [*COHORTS, *(f"{name}_so_far" for name in (*COHORTS, "target"))],
    "cohorts": ["sales"],
    "lift": ["total", "total_low", "total_high"],
}
_PUBLIC = ("acceptance", "lift")
_DECIMALS = 6


def review_outputs(found: Review, read: Read, settings: ReviewJob) -> Outputs:
    """List what a review leaves, in the launch's language."""
    currency, launched = found.launched.currency, found.launched
    tables = {"acceptance": found.acceptance, "reasons": found.reasons, "sales": found.daily, "cohorts": found.cohorts}
    files = []
    for name, table in {**tables, "lift": _lift(found)}.items():
        rounded = table.with_columns(cs.float().round(_DECIMALS) + 0.0)  # no -0.0
        files.append(csv(name, to_units(rounded, _MONEY.get(name, []), currency), public=name in _PUBLIC))
    rejects = read.tables.rejects
    files += [
        parquet("uplift", lambda: to_units(found.uplift, ["before", "spend"], currency)),
        parquet("rejects", lambda: rejects.sort("table", "file", "row", "column", "value", nulls_last=True)),
        Output("review.html", lambda path: path.write_text(review_page(found, settings), encoding="utf-8", newline="\n"), public=True),
    ]
    said = {
        "as_of": str(launched.as_of),
        "reviewed": str(found.as_of),
        "ends_on": str(launched.ends_on),
        "days": found.days,
        "counts": dict(found.counts),
        "standing": found.standing.state,
        "reached_on": found.standing.reached_on and str(found.standing.reached_on),
        "sentence": found.standing.sentence,
        "lift": found.lift_sentence,
        "doubts": list(found.doubts),
        "warnings": list(found.warnings),
    }
    return Outputs(tuple(files), said, Report("", "", "", "", warnings=(*found.warnings, *found.doubts)), review_record(found, settings))


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
            {"measured": lift.measured, "used": each is lift.best, "invited": lift.invited, "held_out": lift.held_out, **asdict(each)}
            for each in lift.estimates
        ]
    )
    unit = 10 ** digits(found.launched.currency)
    return pl.DataFrame(rows, schema).with_columns(pl.col("effect", "error", "low", "high") / unit)


def review_record(found: Review, settings: ReviewJob) -> Record:
    """Make sales so far, in minor units, a metric with one step for each day."""
    standing = found.standing
    tags = {"reviewed": str(found.as_of), "standing": standing.state, "sentence": standing.sentence, "lift": found.lift_sentence}
    metrics: dict[str, float | None] = {**found.counts, "days": found.days, "target": found.launched.target}
    if found.lift:
        best = found.lift.best
        metrics |= {"lift": best.total, "lift_low": best.total_low, "lift_high": best.total_high, "lift_p": best.p}
        metrics |= {"anyway": found.lift.anyway}
    everyone = found.acceptance.filter(over="all").select("share", "low", "high").row(0, named=True)
    metrics |= {f"joined_{name}": value for name, value in everyone.items()}
    # What fewer customers spend would show what single ones do.
    cohorts = [row["cohort"] for row in found.cohorts.to_dicts() if row["customers"] >= FEW]
    series = {f"sales.{name}_so_far": found.daily.select("day", f"{name}_so_far").rows() for name in (*cohorts, "target")}
    return Record(f"{settings.launch.name} review", metrics, series, tags=tags, below_launch=True)
