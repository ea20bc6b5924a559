"""All files of a review."""

from dataclasses import asdict

import polars as pl
import polars.selectors as cs

from segmenter.evaluation.review import COHORTS, Review
from segmenter.loader import Inputs
from segmenter.money import digits, to_units
from segmenter.report.output_folder import check_owner
from segmenter.report.publication import publish
from segmenter.report.review_page import review_page
from segmenter.report.table_files import write_csv, write_manifest, write_parquet
from segmenter.settings import ReviewJob

# The columns of each file that are money.
_MONEY = {
    "sales": [*COHORTS, *(f"{name}_so_far" for name in (*COHORTS, "target"))],
    "cohorts": ["sales"],
    "lift": ["total", "total_low", "total_high"],
}
_DECIMALS = 6


def write_review(found: Review, read: Inputs, settings: ReviewJob) -> None:
    """Write what a launch brought into a folder, whole or not at all.

    Parameters
    ----------
    found : Review
        What it brought.
    read : Inputs
        The tables: their rejects, with those of the answers, and their fingerprints.
    settings : ReviewJob
        The config; `out` is the folder.

    Raises
    ------
    OutputError
        The folder cannot be written.

    Examples
    --------
    >>> import segmenter, tempfile
    >>> from datetime import date
    >>> from pathlib import Path
    >>> from segmenter.evaluation.review import Launched, review
    >>> from segmenter.settings import DemoSettings, LedgerSettings, NoTracking, ShopSettings
    >>> from segmenter.tables import INVITED
    >>> settings = segmenter.review_settings({"launch.as_of": "2026-07-01", "review.as_of": "2026-07-31"})
    >>> orders = pl.DataFrame({"customer_id": ["a", "b"], "time": ["2026-06-30", "2026-06-01"], "amount": [12.5, 7.5]})
    >>> tables = segmenter.canonical_tables({"orders": orders}, settings.data, settings.launch)
    >>> row = {"launch": "spring", "in_plan": True, "planned_at": date(2026, 7, 1), "status": "planned"}
    >>> people = pl.DataFrame([row | {"customer_id": each} for each in "ab"], INVITED)
    >>> found = review(Launched("spring", date(2026, 7, 1), date(2026, 7, 31), None, "CNY"), people, tables.orders.single(), settings)
    >>> data = DemoSettings.model_construct(**dict(settings.data), kind="demo", shop=ShopSettings(customers=100, days=120))
    >>> with tempfile.TemporaryDirectory() as place:
    ...     rest = {"data": data, "out": Path(place, "results"), "ledger": LedgerSettings(use=True, url=None)}
    ...     rest |= {"overwrite": False, "tracking": NoTracking(kind="none")}
    ...     job = ReviewJob.model_construct(**{**dict(settings), **rest})
    ...     write_review(found, Inputs(tables, {}), job)
    ...     sorted(path.name for path in job.out.iterdir())[:4]
    ['acceptance.csv', 'cohorts.csv', 'lift.csv', 'manifest.json']
    """
    currency, launched = found.launched.currency, found.launched
    with publish(settings.out, lambda: check_owner(settings)) as folder:
        tables = {"acceptance": found.acceptance, "reasons": found.reasons, "sales": found.daily, "cohorts": found.cohorts}
        for name, table in {**tables, "lift": _lift(found)}.items():
            rounded = table.with_columns(cs.float().round(_DECIMALS) + 0.0)  # no -0.0
            write_csv(to_units(rounded, _MONEY.get(name, []), currency), folder / f"{name}.csv")
        write_parquet(to_units(found.uplift, ["before", "spend"], currency), folder / "uplift.parquet")
        write_parquet(read.tables.rejects.sort("table", "file", "row", "column", "value", nulls_last=True), folder / "rejects.parquet")
        (folder / "review.html").write_text(review_page(found, settings), encoding="utf-8", newline="\n")
        told = {
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
        write_manifest(told, read, settings, folder)


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
