"""A launch's invitations as the ledger records them."""

from datetime import date

import polars as pl

from segmenter.applicants import channel_of
from segmenter.regions.region_names import region_of
from segmenter.segments import Segmentation
from segmenter.settings import AnyPlan


def invitations_of(
    customers: pl.DataFrame,
    segmentation: Segmentation,
    plan: AnyPlan,
    as_of: date,
    running: pl.DataFrame | None = None,
    kept: pl.Series | None = None,
) -> pl.DataFrame:
    """Give who is invited and who is held out: see `LaunchPlan.invitations`; of a running launch, the rows of who is kept are its own."""
    chosen = customers.filter(pl.col("invited") | pl.col("held_out"))
    names = segmentation.profiles.select("segment", segment_name="name")
    rows = chosen.join(names, on="segment", how="left", maintain_order="left").select(
        "customer_id",
        pl.when("held_out").then(pl.lit("held_out")).otherwise(pl.lit("planned")).alias("status"),
        *("wave", "group", "agent", "score", "stratum"),
        region_of(plan),
        pl.col("segment_name").alias("segment"),
        pl.when(~pl.col("held_out")).then(channel_of(chosen, plan)).alias("channel"),
        pl.col("call_on").fill_null(as_of).alias("planned_at"),
        "brings",
    )
    if running is None or kept is None:
        return rows
    stay = running.filter(pl.col("customer_id").is_in(kept.implode())).select(
        pl.col(name).cast(dtype) for name, dtype in rows.schema.items()
    )
    return pl.concat([stay, rows.filter(~pl.col("customer_id").is_in(kept.implode()))]).sort("customer_id")
