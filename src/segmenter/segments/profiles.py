"""What segments look like: their figures beside everyone's, what such customers went on to do, and what to do with them."""

from collections.abc import Sequence
from fractions import Fraction

import polars as pl

from segmenter.measures.spec import MONEY
from segmenter.messages import Message
from segmenter.segments.archetypes import ARCHETYPES, Archetype
from segmenter.segments.rfm_segments import RFM

# The measures of a profile, in this order.
PROFILED = (
    *("spend", "orders", "days_since_order", "average_order", "average_gap_days"),
    *("days_known", "spend_90d", "events", "referrals", "refunds"),
)
MONEY_OF_PROFILES = ("value", "later_spend", "everyone_later_spend", *(f"{of}_{name}" for of in ("median", "everyone") for name in MONEY))
TELLING = 50  # of fewer customers it is not said what they went on to do
LATER = pl.Schema({"segment": pl.Int32, "later_spend": pl.Int64, "later_orders": pl.Int64})
_KNOWN = {archetype.name.code: archetype for archetype in (*ARCHETYPES.values(), *RFM.values())}


def archetype_of(name: Message) -> Archetype:
    """Give what is meant by a segment's name, whatever has been added to it."""
    first = name.facts.get("words", (name,))[0]
    return _KNOWN.get(first.code, ARCHETYPES["ordinary"])


def medians(eligible: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Give the segments' medians with ``size``, the share that has ``ordered``, ``value`` (all their spend); and everyone's, in one row."""
    # Of whole numbers as they are: floats take several times as long.
    each = [pl.col(name).median().round().cast(pl.Int64) if name in MONEY else pl.col(name).median() for name in PROFILED]
    sums = {"size": pl.len().cast(pl.Int64), "ordered": (pl.col("orders") > 0).mean(), "value": pl.col("spend").cast(pl.Int128).sum()}
    return eligible.group_by("segment").agg(*each, **sums).sort("segment"), eligible.select(each)


def profile(figures: pl.DataFrame, everyone: pl.DataFrame, called: Sequence[Message], later: pl.DataFrame) -> pl.DataFrame:
    """Make the profiles of `Segmentation`; `later` has `LATER`, a row for each customer at an earlier date."""
    archetypes = [archetype_of(name) for name in called]
    total = int(figures["size"].sum())
    after = figures.select("segment").join(_after(later), on="segment", how="left", maintain_order="left")
    all_after = _after(later.with_columns(segment=pl.lit(0, pl.Int32)))  # no row, where nothing is known
    texts = {
        "name": [str(name) for name in called],
        "who": [str(archetype.who) for archetype in archetypes],
        "advice": [str(archetype.advice) for archetype in archetypes],
    }
    name, *words = (pl.Series(key, values, dtype=pl.String) for key, values in texts.items())
    return figures.select(
        "segment",
        name,
        "size",
        pl.Series("share", [size / total for size in figures["size"]], dtype=pl.Float64),
        pl.Series("value", [round(Fraction(value, size)) for value, size in figures.select("value", "size").rows()], dtype=pl.Int64),
        *(pl.col(name).alias(f"median_{name}") for name in PROFILED),
        *(pl.lit(everyone[name].item(), figures.schema[name]).alias(f"everyone_{name}") for name in PROFILED),
        after["later_customers"].fill_null(0),
        *after.select("later_share", "later_spend"),
        *(pl.lit(all_after[key].max(), all_after.schema[key]).alias(f"everyone_{key}") for key in ("later_share", "later_spend")),
        *words,
    )


def _after(later: pl.DataFrame) -> pl.DataFrame:
    """Say of each segment how many were looked at, what share ordered again, and what they spent each; nothing where they are few."""
    sums = later.group_by("segment").agg(
        later_customers=pl.len().cast(pl.Int64), ordered=(pl.col("later_orders") > 0).sum(), spend=pl.col("later_spend").sum()
    )
    few = pl.col("later_customers") < TELLING
    return sums.select(
        "segment",
        "later_customers",
        pl.when(~few).then(pl.col("ordered") / pl.col("later_customers")).alias("later_share"),
        pl.when(~few).then((pl.col("spend") / pl.col("later_customers")).round().cast(pl.Int64)).alias("later_spend"),
    )
