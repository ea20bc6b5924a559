"""Who agreed to join in an earlier launch and is not in the group yet: to be followed up, not invited again."""

import polars as pl

from segmenter.report.labels import Labels
from segmenter.tables import INVITED, PastLaunches


def list_follow_ups(customers: pl.DataFrame, launches: PastLaunches | None) -> pl.DataFrame:
    """List whom the rule ``agreed`` kept out: when they agreed, to what launch, group and agent, and the last call since.

    The customers are those of `LaunchPlan`; sorted by launch, group and customer.
    """
    asked = INVITED.to_frame() if launches is None else launches.invited.filter(pl.col("answer").is_not_null())
    agreed = pl.DataFrame(schema={"customer_id": pl.String, "agreed_on": pl.Date}) if launches is None else launches.customers
    last = asked.sort("customer_id", "answered_on", "launch").unique("customer_id", keep="last", maintain_order=True)
    planned = pl.col("invited") | pl.col("held_out")  # by this launch, which runs already: the control group is called by nobody
    found = (
        customers.filter(~planned.fill_null(value=False), verdict="agreed")
        .select("customer_id")
        .join(agreed.select("customer_id", "agreed_on"), on="customer_id")
    )
    found = found.join(last, on="customer_id", how="left")
    columns = ("customer_id", "agreed_on", "launch", "group", "agent", "region", "answer", "answered_on", "call_on", "calls", "missed")
    return found.select(columns).sort("launch", "group", "customer_id", nulls_last=True)


def follow_up_calls(follow_ups: pl.DataFrame, customers: pl.DataFrame, labels: Labels) -> pl.DataFrame:
    """Give follow-ups the columns of `LaunchPlan.invite_list`, as call sheets have it: to their group, by their agent, and why."""
    of_customer = ("segment", "score", "spend", "orders", "last_order_at", "days_since_order")
    why = pl.format(labels.say("agreed on {} to join ({})", "{} 已同意入群（{}）"), "agreed_on", "launch")
    known = follow_ups.drop("region").join(customers.select("customer_id", "region", *of_customer), on="customer_id", how="left")
    return known.select(
        pl.int_range(1, pl.len() + 1, dtype=pl.Int32).alias("rank"),
        "customer_id",
        pl.lit(None, pl.Int32).alias("wave"),
        pl.col("group").fill_null(""),
        *("call_on", "agent"),
        pl.lit(None, pl.String).alias("channel"),
        *("region", *of_customer),
        why.alias("reason"),
    )
