"""Who took the invitation, by wave, agent, group, region and segment, and why others did not."""

from datetime import date

import polars as pl

from segmenter.themes import themed

OVER = ("wave", "agent", "group", "region", "segment")
REFUSED = ("refused", "refused_for_good")


def asked(until: date) -> pl.Expr:
    """Say who was asked: those whose wave has come, and whoever answered before it did.

    Parameters
    ----------
    until : date
        Of the review: who is invited on it or later is still to be asked.

    Returns
    -------
    Expr
        Boolean, over rows of `segmenter.tables.INVITED`.

    Examples
    --------
    >>> rows = {"status": ["planned", "planned", "held_out"], "planned_at": [date(2026, 7, 1), date(2026, 7, 9), date(2026, 7, 1)]}
    >>> pl.DataFrame(rows).with_columns(answer=pl.lit(None, pl.String)).filter(asked(date(2026, 7, 5))).height
    1
    """
    return (pl.col("status") == "planned").fill_null(value=False) & ((pl.col("planned_at") < until) | pl.col("answer").is_not_null())


def acceptance(people: pl.DataFrame, until: date) -> pl.DataFrame:
    """Count answers, over all and by what the plan dealt out.

    Parameters
    ----------
    people : DataFrame
        See `segmenter.tables.INVITED`; of one launch, with the answers before the date.
    until : date
        Of the review.

    Returns
    -------
    DataFrame
        ``over`` (``all``, ``wave``, ``agent``, ``group``, ``region``, ``segment``), ``value`` (text; null where a customer has none),
        ``invited``, of whom ``asked`` so far; of these ``joined``, ``refused`` (for good or not), ``no_answer`` (as an agent noted) and
        ``open`` (nothing noted); ``share`` joined of those asked, with its 95 % interval ``low`` to ``high`` (Wilson [1]_), null where
        nobody was asked. What is the same for everyone, or null, is left out.

    References
    ----------
    .. [1] Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference. Journal of the American
       Statistical Association 22(158), 209-212.

    Examples
    --------
    >>> rows = {"status": ["planned"] * 4, "planned_at": [date(2026, 7, 1)] * 4, "wave": [1, 1, 2, 2], "agent": None, "group": "g"}
    >>> rows |= {"region": "四川", "segment": "0", "answer": ["joined", "joined", "refused", None]}
    >>> found = acceptance(pl.DataFrame(rows, strict=False), date(2026, 7, 5))
    >>> found.select("over", "value", "asked", "joined", "refused", "open", pl.col("share", "low").round(2)).rows()
    [('all', None, 4, 2, 1, 1, 0.5, 0.15), ('wave', '1', 2, 2, 0, 0, 1.0, 0.34), ('wave', '2', 2, 0, 1, 1, 0.0, 0.0)]
    """
    invited = people.filter((pl.col("status") == "planned").fill_null(value=False)).with_columns(asked=asked(until))
    told = [name for name in OVER if invited[name].n_unique() > 1]
    parts = [invited.group_by(pl.col(name).alias("value")).agg(_counts()).sort("value", nulls_last=True) for name in told]
    named = [
        part.select(pl.lit(name).alias("over"), pl.col("value").cast(pl.String), *_NAMES) for name, part in zip(told, parts, strict=True)
    ]
    whole = invited.select(pl.lit("all").alias("over"), pl.lit(None, pl.String).alias("value"), *_counts())
    found = pl.concat([whole, *named])
    low, high = _wilson(found["joined"], found["asked"])
    share = pl.when(pl.col("asked") > 0).then(pl.col("joined") / pl.col("asked"))
    return found.with_columns(share.alias("share"), low.alias("low"), high.alias("high"))


_NAMES = ("invited", "asked", "joined", "refused", "no_answer", "open")


def _counts() -> list[pl.Expr]:
    answer = pl.col("answer")
    counted = {
        "asked": pl.col("asked"),
        "joined": answer == "joined",
        "refused": answer.is_in(REFUSED),
        "no_answer": answer == "no_answer",
        "open": pl.col("asked") & answer.is_null(),
    }
    return [pl.len().cast(pl.Int64).alias("invited"), *(each.sum().cast(pl.Int64).alias(name) for name, each in counted.items())]


def _wilson(joined: pl.Series, asked: pl.Series) -> tuple[pl.Series, pl.Series]:
    from statsmodels.stats.proportion import proportion_confint

    none = asked == 0
    ends = proportion_confint(joined.to_numpy(), asked.set(none, 1).to_numpy(), alpha=0.05, method="wilson")
    low, high = (pl.Series(end, dtype=pl.Float64).set(none, None) for end in ends)
    return low, high


def reasons(people: pl.DataFrame) -> pl.DataFrame:
    """Count why customers refused.

    Parameters
    ----------
    people : DataFrame
        As for `acceptance`.

    Returns
    -------
    DataFrame
        ``reason`` (see `segmenter.themes`; null where none was noted), ``customers`` and of these ``for_good``, the most frequent first.

    Examples
    --------
    >>> rows = {"answer": ["refused", "refused_for_good", "joined", "refused"], "reason": ["too far", " too far", None, None]}
    >>> reasons(pl.DataFrame(rows)).rows()
    [('distance', 2, 1), (None, 1, 0)]
    """
    refused = themed(people.filter(pl.col("answer").is_in(REFUSED)))
    counted = refused.group_by("reason").agg(
        pl.len().cast(pl.Int64).alias("customers"), (pl.col("answer") == REFUSED[1]).sum().cast(pl.Int64).alias("for_good")
    )
    return counted.sort(pl.col("reason").is_null(), -pl.col("customers"), "reason").select("reason", "customers", "for_good")
