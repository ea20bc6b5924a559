"""Who took the invitation, by wave, agent, group, region and segment, and why others did not."""

from datetime import date

import polars as pl

from segmenter.tables import REACHED
from segmenter.themes import themed

OVER = ("wave", "agent", "group", "region", "segment", "channel")
REFUSED = ("refused", "refused_for_good")


def is_asked(until: date) -> pl.Expr:
    """Say who was asked by the review: those whose wave has come, and whoever answered before it did."""
    return (pl.col("status") == "planned").fill_null(value=False) & ((pl.col("planned_at") < until) | pl.col("answer").is_not_null())


def was_reached() -> pl.Expr:
    """Say who was reached at any time, whatever came of later calls."""
    return (pl.col("answer").is_in(REACHED) | (pl.col("calls") > pl.col("missed"))).fill_null(value=False)


def count_answers(invitations: pl.DataFrame, until: date) -> pl.DataFrame:
    """Count answers, over all and by what the plan assigned; what is the same for everyone is left out.

    For each ``value`` of what they are counted ``over`` (``all``, ``wave``, ``agent``, ...; null where a customer has none): ``invited``,
    of whom ``asked`` so far; of these ``reached``, and of those ``joined``, ``agreed`` and ``refused`` (for good or not); ``not_reached``
    (or under a wrong number) and ``open`` (nothing noted); ``share`` joined of those asked, null where nobody was, with its 95 % interval
    ``low`` to ``high`` (Wilson, 1927, Probable inference, the law of succession, and statistical inference, Journal of the American
    Statistical Association 22(158), 209-212).
    """
    invited = invitations.filter((pl.col("status") == "planned").fill_null(value=False)).with_columns(asked=is_asked(until))
    parts = [
        invited.group_by(pl.col(name).alias("value"))
        .agg(_counts())
        .sort("value", nulls_last=True)
        .select(pl.lit(name).alias("over"), pl.col("value").cast(pl.String), pl.exclude("value"))
        for name in OVER
        if invited[name].n_unique() > 1
    ]
    whole = invited.select(pl.lit("all").alias("over"), pl.lit(None, pl.String).alias("value"), *_counts())
    counts = pl.concat([whole, *parts])
    low, high = wilson(counts["joined"], counts["asked"])
    share = pl.when(pl.col("asked") > 0).then(pl.col("joined") / pl.col("asked"))
    return counts.with_columns(share.alias("share"), low.alias("low"), high.alias("high"))


def _counts() -> list[pl.Expr]:
    answer = pl.col("answer")
    conditions = {
        "asked": pl.col("asked"),
        "reached": was_reached(),
        "joined": answer == "joined",
        "agreed": answer == "agreed",
        "refused": answer.is_in(REFUSED),
        "not_reached": answer.is_not_null() & ~answer.is_in(REACHED),
        "open": pl.col("asked") & answer.is_null(),
    }
    return [
        pl.len().cast(pl.Int64).alias("invited"),
        *(condition.sum().cast(pl.Int64).alias(name) for name, condition in conditions.items()),
    ]


def wilson(joined: pl.Series, asked: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Give Wilson's 95 % interval of the share who joined of those asked; null where nobody was."""
    from scipy.stats import binomtest

    counts = zip(joined.to_list(), asked.to_list(), strict=True)
    ends = [binomtest(good, of).proportion_ci(method="wilson") if of else (None, None) for good, of in counts]
    low, high = (pl.Series([end[side] for end in ends], dtype=pl.Float64) for side in (0, 1))
    return low, high


def count_reasons(invitations: pl.DataFrame) -> pl.DataFrame:
    """Count why customers refused, by theme (null where none was noted), and how many of them ``for_good``; the most frequent first."""
    refused = themed(invitations.filter(pl.col("answer").is_in(REFUSED)))
    counted = refused.group_by("reason").agg(
        pl.len().cast(pl.Int64).alias("customers"), (pl.col("answer") == REFUSED[1]).sum().cast(pl.Int64).alias("for_good")
    )
    return counted.sort(pl.col("reason").is_null(), -pl.col("customers"), "reason").select("reason", "customers", "for_good")
