"""All that a review leaves."""

from dataclasses import asdict
from functools import partial

import polars as pl

from segmenter.evaluation.launch_sales import COHORTS, FEW
from segmenter.evaluation.review import Review
from segmenter.money import digits, to_units
from segmenter.report.generation_report import came_through, say_through
from segmenter.report.labels import Labels
from segmenter.report.language import translate
from segmenter.report.mending_sheet import mending_output
from segmenter.report.outputs import Outputs, Record, csv, page, parquet, rounded
from segmenter.report.review_conclusion import conclude_review
from segmenter.report.review_report import review_report
from segmenter.report.review_words import say_launch_lift, say_progress
from segmenter.report.shell_commands import own_words
from segmenter.settings import ReviewJob
from segmenter.sources.inputs import Inputs

# The columns of each file that are money.
_MONEY = {
    "sales": [*COHORTS, *(f"{name}_so_far" for name in (*COHORTS, "target"))],
    "cohorts": ["sales"],
    "lift": ["total", "total_low", "total_high"],
    "live_events": ["sales", "usual_sales", "brought", "low", "high"],
}
_PUBLIC = ("acceptance", "lift", "second_calls", "life", "life_weeks")


def review_outputs(review: Review, read: Inputs, settings: ReviewJob) -> Outputs:
    """List what a review leaves, in the launch's language."""
    currency, launch, lang = review.launch.currency, review.launch, settings.lang
    report, rejects, progress = review_report(review, settings, own_words()), read.tables.rejects, review.progress
    tables = {"acceptance": review.acceptance, "reasons": review.reasons, "sales": review.daily, "cohorts": review.cohorts}
    tables |= {"lift": _lift(review)} | {name: table for name, table in _list_more(review).items() if not table.is_empty()}
    files = []
    for name, table in tables.items():
        files.append(csv(name, to_units(rounded(table), _MONEY.get(name, []), currency), public=name in _PUBLIC))
    files += [
        parquet("uplift", lambda: to_units(review.uplift, ["before", "spend"], currency)),
        parquet("rejects", lambda: rejects.sort("table", "file", "row", "column", "value", nulls_last=True)),
        page("review", report, lang),
    ]
    files += mending_output(read, settings, review.as_of)
    say = partial(translate, lang=lang)
    facts = {
        "as_of": str(launch.as_of),
        "reviewed": str(review.as_of),
        "ends_on": str(launch.ends_on),
        "days": review.days,
        "counts": dict(review.counts),
        "standing": progress.state,
        "reached_on": progress.reached_on and str(progress.reached_on),
        "sentence": say_progress(review, lang),
        "lift": say_launch_lift(review, lang),
        "through": say_through(review, Labels(lang, currency)),
        "conclusion": list(conclude_review(review, Labels(lang, currency))),
        "doubts": list(map(say, review.doubts)),
        "warnings": list(map(say, review.warnings)),
    }
    return Outputs(tuple(files), facts, report, review_record(review, settings))


def _list_more(review: Review) -> dict[str, pl.DataFrame]:
    """Give what is known of live events, second calls and the groups: each is a file where there is any."""
    more = {"live_events": review.live_events, "second_calls": review.second_calls}
    more |= {"complaints": review.complaints, "breaches": review.breaches}
    more |= {} if review.through is None else {"came_through": came_through(review.through)}
    return more if review.life is None else {**more, "life": review.life.parts, "life_weeks": review.life.weeks}


def _lift(review: Review) -> pl.DataFrame:
    """Give each estimate a row, per customer invited and in all; none where there is no lift."""
    schema = {
        **{"measured": pl.String, "method": pl.String, "used": pl.Boolean, "invited": pl.Int64, "held_out": pl.Int64},
        **dict.fromkeys(("effect", "error", "low", "high", "p", "degrees"), pl.Float64),
        **dict.fromkeys(("total", "total_low", "total_high"), pl.Int64),
    }
    rows = []
    if (lift := review.lift) is not None:
        arms = {"measured": lift.measured, "invited": lift.invited, "held_out": lift.held_out}
        rows = [{**arms, "used": estimate is lift.best, **asdict(estimate)} for estimate in lift.estimates]
    unit = 10 ** digits(review.launch.currency)
    return pl.DataFrame(rows, schema).with_columns(pl.col("effect", "error", "low", "high") / unit)


def review_record(review: Review, settings: ReviewJob) -> Record:
    """Make sales so far, in minor units, a metric with one step for each day."""
    tags = {"reviewed": str(review.as_of), "standing": review.progress.state, "sentence": say_progress(review, settings.lang)}
    tags["lift"] = say_launch_lift(review, settings.lang)
    metrics: dict[str, float | None] = {**review.counts, "days": review.days, "target": review.launch.target}
    if review.lift:
        best = review.lift.best
        metrics |= {"lift": best.total, "lift_low": best.total_low, "lift_high": best.total_high, "lift_p": best.p}
        metrics |= {"anyway": review.lift.anyway}
    if (through := review.through) is not None:
        metrics |= {"came_through": through.brought, "reproduction": through.reproduction.mean if through.reproduction else None}
    everyone = review.acceptance.filter(over="all").select("share", "low", "high").row(0, named=True)
    metrics |= {f"joined_{name}": value for name, value in everyone.items()}
    # What fewer customers spend would show what single ones do.
    cohorts = [row["cohort"] for row in review.cohorts.to_dicts() if row["customers"] >= FEW]
    series = {f"sales.{name}_so_far": review.daily.select("day", f"{name}_so_far").rows() for name in (*cohorts, "target")}
    return Record(f"{settings.launch.name} review", metrics, series, tags=tags, below_launch=True)
