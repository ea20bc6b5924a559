"""Why a customer is on the list, as facts: which components made the score. `report.reason_words` says them."""

from functools import reduce
from operator import or_

import polars as pl

from segmenter.roles import HOLDS
from segmenter.rules import ELIGIBLE
from segmenter.scoring.components import REACH, event_count
from segmenter.scoring.scorer import WeightedScorer
from segmenter.settings.role_points import ROLE

_TOP = 20  # a share is worth a word up to the top 20 %
_SOME = 1.5  # people whom somebody would bring
_MIN_RISE = 10  # and spending that rose by so many per cent


def with_reasons(chosen: pl.DataFrame, everyone: pl.DataFrame, scorer: WeightedScorer) -> pl.DataFrame:
    """Say which components made the score of the chosen customers.

    Parameters
    ----------
    chosen : DataFrame
        Those who need a reason: measures and components.
    everyone : DataFrame
        All customers, with ``verdict``: a share such as "top 3 %" is of the eligible.
    scorer : WeightedScorer
        The score: the components that add most to it are named, at most `max_reasons`.

    Returns
    -------
    DataFrame
        The chosen with ``reasons``, a list of components in their own order, empty where none says anything; and ``spend_top`` and
        ``orders_top``, the per cent of the eligible that the customer's spend and orders are among, null beyond 20.

    Examples
    --------
    >>> import segmenter
    >>> settings = segmenter.launch_settings({})
    >>> frame = pl.DataFrame({"customer_id": ["a", "b"], "spend_window": [100, 900_000], "decayed_spend": [90, 80], "orders": 1,
    ...     "days_since_order": [3, 1], "spend_90d": [100, 900], "spend_90d_before": 0, "referrals": [0, 2], "verdict": "eligible"})
    >>> scorer = segmenter.fit_scorer(frame, settings.scoring)
    >>> frame = scorer.score(frame)
    >>> with_reasons(frame, frame, scorer)["reasons"][1].to_list()
    ['spend', 'recency', 'advocacy']
    """
    long = pl.concat(
        chosen.select(
            "customer_id",
            (pl.col(f"component_{name}") * scorer.shares[name]).alias("part"),
            pl.lit(number).alias("number"),
            pl.lit(name).alias("component"),
            _holds(name, chosen, scorer).fill_null(value=False).alias("holds"),
        )
        for number, name in enumerate(scorer.shares)
    )
    largest = (
        long.filter(pl.col("holds") & (pl.col("part") > 0))
        .sort("customer_id", "part", "number", descending=[False, True, False])
        .group_by("customer_id", maintain_order=True)
        .head(scorer.settings.max_reasons)
        .sort("customer_id", "number")
        .group_by("customer_id", maintain_order=True)
        .agg(pl.col("component").alias("reasons"))
    )
    return chosen.join(largest, on="customer_id", how="left", maintain_order="left").with_columns(
        pl.col("reasons").fill_null([]),
        _top(chosen, everyone, "spend_window").alias("spend_top"),
        _top(chosen, everyone, "orders").alias("orders_top"),
    )


def rise() -> pl.Expr:
    """Compute by how many per cent spend rose in the last 90 days, rounded down; only where there was some in the 90 before."""
    before = pl.col("spend_90d_before")
    return (100 * (pl.col("spend_90d") - before)) // before


def _holds(component: str, frame: pl.DataFrame, scorer: WeightedScorer) -> pl.Expr:
    """Tell whether a component says something true and worth saying of a customer."""
    match component:
        case "spend":
            return pl.col("spend_window") > 0
        case "decayed_spend":
            # Where all of the spend is of these days, it was said already.
            return (pl.col("spend_90d") > 0) & (pl.col("spend_90d") != pl.col("spend_window"))
        case "frequency":
            return pl.col("orders") > 0
        case "recency":
            return pl.col("days_since_order").is_not_null()
        case "growth":
            return (pl.col("spend_90d_before") > 0) & (rise() >= _MIN_RISE)
        case "reach":
            return pl.col(REACH) >= _SOME
        case _ if component.startswith(ROLE):
            return pl.col(component) >= HOLDS
        case _:
            kinds = scorer.settings.engagement if component == "engagement" else scorer.settings.advocacy
            counts = [count > 0 for kind in kinds if (count := event_count(frame, kind)) is not None]
            return reduce(or_, counts) if counts else pl.repeat(value=False, n=pl.len())


def _top(chosen: pl.DataFrame, everyone: pl.DataFrame, measure: str) -> pl.Expr:
    """Say among which per cent of the eligible a customer is, rounded up; null for the many, and for who is not eligible."""
    eligible = everyone.lazy().filter(verdict=ELIGIBLE).select(pl.col(measure).sort()).collect().to_series()
    rows = len(eligible)
    values = chosen.select(pl.col(measure).unique().sort())
    below, up_to = (eligible.search_sorted(values.to_series(), side).cast(pl.Int64) for side in ("left", "right"))
    tops = values.with_columns(percent=(100 * (rows - below) + rows - 1) // rows).filter((below < up_to) & (pl.col("percent") <= _TOP))
    if tops.is_empty():
        return pl.lit(None, dtype=pl.Int64)
    return pl.col(measure).replace_strict(tops[measure], tops["percent"], default=None, return_dtype=pl.Int64)
