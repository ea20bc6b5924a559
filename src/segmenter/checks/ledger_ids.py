"""Whether the ledger's people are the shop's: an id that is written otherwise since is recognised, a ledger of strangers stops."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import polars as pl

from segmenter.checks.id_forms import recognize_ids
from segmenter.contacts import hide
from segmenter.findings import Finding
from segmenter.messages import Message
from segmenter.tables import PRECEDENTS, PastLaunches, Tables

_LATELY = timedelta(days=366)  # of older launches many may have left, and an export may no longer have them
_FEW = 5  # people, of whom most may be gone by chance
_EXAMPLES = 3


def with_launches(tables: Tables, past: PastLaunches | None, as_of: date) -> Tables:
    """Give the tables what earlier launches did, under the ids that the shop's tables have now; and the findings of that."""
    if past is None:
        return replace(tables, launches=None)
    known = known_ids(tables, as_of)
    invited, findings = recognize_invited(past.invited, known, since=as_of - _LATELY, sure=True)
    renamed = recognize_people(past.customers["customer_id"], known)
    newest = [pl.all().exclude("customer_id", "invitations").max(), pl.col("invitations").sum()]
    customers = past.customers.with_columns(renamed.alias("customer_id")).group_by("customer_id").agg(newest)
    running = past.running
    if running is not None:
        running = running.with_columns(recognize_ids(running["customer_id"], known).alias("customer_id"))
    if tables.new_phones is not None:  # who has another phone since can be called again
        customers = customers.join(tables.new_phones, on="customer_id", how="left", maintain_order="left")
        wrong = (pl.col("noted_on") < pl.col("wrong_number_on")).fill_null(value=True)
        customers = customers.with_columns(wrong_number_on=pl.when(wrong).then("wrong_number_on"))
    past = PastLaunches(customers.select(PRECEDENTS.names()).sort("customer_id"), invited, running)
    return replace(tables, launches=past, findings=(*tables.findings, *findings))


def known_ids(tables: Tables, before: date) -> pl.Series:
    """Give the distinct ids of all customers, of whom there were orders or not."""
    people = [table["customer_id"] for table in (tables.customers, tables.applicants) if table is not None]
    ids = [tables.orders.customers(before), *people]
    return pl.concat([series.alias("customer_id") for series in ids]).unique()


def recognize_people(ids: pl.Series, known: pl.Series) -> pl.Series:
    """Give ids of the ledger as the tables have them, see `recognize_ids`; zeros were not lost where some are there in both."""
    zeros = ids.str.contains(r"^0\d")
    kept = zeros if ids.filter(zeros).is_in(known.implode()).any() else pl.repeat(False, len(ids), eager=True)
    return recognize_ids(ids, known).zip_with(~kept, ids)


def recognize_invited(invited: pl.DataFrame, known: pl.Series, *, since: date, sure: bool) -> tuple[pl.DataFrame, list[Finding]]:
    """Give the people of launches (`tables.INVITED`) under the ids that are known; findings say who was recognised, and who is unknown.

    Launches before `since` do not stop anything, and none does where it is not `sure` that who is unknown would be known.
    """
    both = pl.concat([invited["customer_id"], invited["brought_by"].drop_nulls()]).unique().sort()
    now = recognize_people(both, known)
    invited = invited.with_columns(pl.col("brought_by").replace(both.filter(both != now), now.filter(both != now)))
    ids = invited["customer_id"].unique().sort()
    read = recognize_people(ids, known)
    changed = pl.DataFrame({"customer_id": ids, "read": read}).filter(pl.col("customer_id") != pl.col("read"))
    findings = []
    if not changed.is_empty():
        one, other = map(hide, changed.row(0))
        sentence = (
            "ledger: {count:,} of the {people:,} people of earlier launches have ids that are written otherwise now, and were recognised, "
            "such as {one}, who is {other}"
        )
        findings.append(
            Finding("warning", Message("ids.recognised", sentence, count=changed.height, people=len(ids), one=one, other=other))
        )
        best = ["launch", "read", pl.col("answer").is_null(), ~pl.col("in_plan"), "customer_id"]
        renamed = invited.join(changed, on="customer_id", how="left").with_columns(pl.coalesce("read", "customer_id").alias("read"))
        renamed = renamed.sort(best).unique(["launch", "read"], keep="first", maintain_order=True)
        invited = renamed.with_columns(customer_id="read").select(invited.columns).sort("launch", "customer_id")
    return invited, findings + _strangers(invited.filter(pl.col("as_of") >= since), known, sure=sure)


def _strangers(invited: pl.DataFrame, known: pl.Series, *, sure: bool) -> list[Finding]:
    unknown = ~pl.col("customer_id").is_in(known.implode())
    counts = invited.group_by("launch").agg(
        people=pl.len(), unknown=unknown.sum(), some=pl.col("customer_id").filter(unknown).sort().head(_EXAMPLES)
    )
    strange = counts.filter(pl.col("people") >= _FEW, 2 * pl.col("unknown") > pl.col("people")).sort("launch")
    here = tuple(map(hide, known.sort().head(_EXAMPLES)))
    return [_finding(row, here, sure=sure) for row in strange.select("launch", "unknown", "people", "some").rows(named=True)]


def _finding(row: dict[str, Any], here: tuple[str, ...], *, sure: bool) -> Finding:
    facts = {**row, "ids": tuple(map(hide, row["some"])), "here": here}
    del facts["some"]
    if sure:
        sentence = (
            "ledger: {unknown:,} of the {people:,} people of launch {launch} are in none of the shop's tables, not even before it (such as "
            "{ids}; the tables have ids such as {here}): their sales and answers would count for nothing, and they be invited again; "
            "export the ids as they were written then, or, where that is another shop's launch, name a ledger of this one's own with "
            "ledger.url=sqlite:///FILE"
        )
        return Finding("stop", Message("ids.ledger_unknown", sentence, **facts))
    sentence = (
        "ledger: {unknown:,} of the {people:,} people of launch {launch} are in none of the shop's tables, which have no orders of "
        "before it (such as {ids}; the tables have ids such as {here}): if they are written otherwise, their sales are missing"
    )
    return Finding("warning", Message("ids.ledger_silent", sentence, **facts))
