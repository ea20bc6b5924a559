"""People who answered an open call: what cannot be known of those without orders, by which channel they come, and what became of them."""

from collections.abc import Sequence

import polars as pl

from segmenter.messages import Message
from segmenter.settings import AnyPlan, RulesSettings

KNOWN_BY = pl.selectors.by_name("applicant", "last_order_at", require_all=False)  # what tells applicants without orders


def is_unknown(measure: str) -> pl.Expr:
    """Tell of which applicants a measure is not known: they have no order, and a sum of orders is 0 all the same."""
    unknown = pl.col("applicant") & pl.col("last_order_at").is_null()
    return unknown & pl.col(measure).is_null() if measure.startswith("days_since_") else unknown


def say_without_orders(customers: pl.DataFrame, rules: Sequence[str], settings: RulesSettings) -> list[Message]:
    """Say what rules of orders do with applicants who have none."""
    applied = "applicant" in customers.columns and rules
    if not applied or not (count := customers.select((pl.col("applicant") & pl.col("last_order_at").is_null()).sum()).item()):
        return []
    facts = {"count": count, "rules": tuple(rules)}
    if settings.applicants == "remove":
        sentence = "{count:,} applicants have no order: {rules} remove them, as what these ask is not known (rules.applicants=remove)"
        return [Message("rules.applicants_removed", sentence, **facts)]
    sentence = (
        "{count:,} applicants have no order: what is not known of them does not remove them by {rules} (rules.applicants=keep); to "
        "rules.custom and the score they have bought nothing"
    )
    return [Message("rules.applicants_kept", sentence, **facts)]


def channel_of(customers: pl.DataFrame, plan: AnyPlan) -> pl.Expr:
    """Give the channel by which somebody is invited: that by which they applied, else the plan's."""
    return pl.coalesce(*(["applied_by"] if "applied_by" in customers.columns else []), pl.lit(plan.channel))


def say_applicants(customers: pl.DataFrame) -> tuple[Message, ...]:
    """Say how many of the applicants came onto the list; nothing where there is no table of them."""
    if "applicant" not in customers.columns:
        return ()
    who = customers.filter("applicant").select(
        applicants=pl.len(),
        new=pl.col("last_order_at").is_null().sum(),
        eligible=(pl.col("verdict") == "eligible").sum(),
        invited=pl.col("invited").sum(),
        held=pl.col("held_out").sum(),
    )
    sentence = (
        "Of {applicants:,} applicants {eligible:,} are eligible, {invited:,} are invited and {held:,} are in the control group; of {new:,} "
        "no order is known, and what the score counts of orders is 0 for them."
    )
    return (Message("launch.applicants", sentence, **who.row(0, named=True)),)
