"""What second calls brought: who joined of those who had been tried before and were not in the group."""

from datetime import date

import polars as pl

from segmenter.evaluation.acceptance import REFUSED, wilson
from segmenter.tables import REACHED, by_time, is_standing

BEFORE = ("not_reached", "call_back", "thinking", "agreed")  # answers after which somebody is called again

_COUNTS = pl.Schema(
    {
        "before": pl.String(),
        **dict.fromkeys(("again", "reached", "joined", "refused"), pl.Int64()),
        **dict.fromkeys(("share", "low", "high"), pl.Float64()),
    }
)


def count_second_calls(answers: pl.DataFrame | None, until: date) -> pl.DataFrame:
    """Count what came of calling again, by what was known ``before``: ``all``, then `BEFORE`.

    `answers` are all of a launch, as `ledger.list_answers` gives them. ``again``: customers called again, or whose answer tells of several
    calls; of them ``reached`` at last, ``joined``, ``refused``; ``share`` who joined, ``low`` to ``high``. Without the second call they
    would not have joined, save by themselves; who had agreed and came by themselves is not among them.
    """
    if answers is None:
        return _COUNTS.to_frame()
    came, calls = pl.col("answer") == "joined", pl.col("attempts").fill_null(1)
    planned = answers.filter(pl.col("status") == "planned", pl.col("answered_on") < until)
    # What somebody is called for after they joined brought no member.
    planned = planned.filter(is_standing()).with_columns(since=pl.col("answered_on").filter(came).min().over("customer_id"))
    before = planned.filter(~came, (pl.col("answered_on") <= pl.col("since")).fill_null(value=True))
    days = (
        before.sort(by_time(), nulls_last=False)
        .group_by("customer_id", "answered_on")
        .agg(pl.col("answer").last(), calls.max().alias("calls"))
    )
    first = pl.when(pl.col("calls").first() > 1).then(pl.lit(BEFORE[0])).otherwise(pl.col("answer").first())
    tried = days.sort("answered_on").group_by("customer_id", maintain_order=True).agg(first.alias("before"), pl.col("calls").sum())
    # Who had agreed comes by themselves, unless a call is told that has its hour.
    last = calls.max().alias("last"), pl.col("hour").is_not_null().any().alias("timed")
    joined = planned.filter(came, pl.col("answered_on") == pl.col("since")).group_by("customer_id").agg(last)
    # Of whose only answer is that they joined, it may tell of earlier calls in vain.
    each = (
        planned.filter("current")
        .join(tried, on="customer_id", how="left")
        .join(joined, on="customer_id", how="left")
        .with_columns(pl.col("before").fill_null(BEFORE[0]), pl.col("calls").fill_null(0))
    )
    alone = came & (pl.col("before") == "agreed") & ~pl.col("timed").fill_null(value=False)
    again = each.filter(pl.col("before").is_in(BEFORE), pl.col("calls") + pl.col("last").fill_null(0) > 1, ~alone)
    counts = [
        pl.len().cast(pl.Int64).alias("again"),
        pl.col("answer").is_in(REACHED).sum().cast(pl.Int64).alias("reached"),
        came.sum().cast(pl.Int64).alias("joined"),
        pl.col("answer").is_in(REFUSED).sum().cast(pl.Int64).alias("refused"),
    ]
    rows = [again.select(pl.lit("all").alias("before"), *counts)]
    rows += [again.filter(before=name).select(pl.lit(name).alias("before"), *counts) for name in BEFORE]
    told = pl.concat(rows)
    low, high = wilson(told["joined"], told["again"])
    share = pl.when(pl.col("again") > 0).then(pl.col("joined") / pl.col("again"))
    return told.with_columns(share.alias("share"), low.alias("low"), high.alias("high")).filter(pl.col("again") > 0)
