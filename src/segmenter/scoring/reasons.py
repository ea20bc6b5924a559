"""Why a customer is on the list, in words."""

from collections.abc import Iterable

import polars as pl

from segmenter import money
from segmenter.rules import ELIGIBLE
from segmenter.scoring.weighted import COMPONENTS, WeightedScorer, count_of
from segmenter.words import Lang, say

_TOP = 20  # a standing is worth a word up to the top 20 %
_RISE = 10  # and spending that rose by so many per cent


def with_reasons(
    chosen: pl.DataFrame, everyone: pl.DataFrame, scorer: WeightedScorer, *, window_days: int | None, currency: str, lang: Lang
) -> pl.DataFrame:
    """Say which components made the score of the chosen customers.

    Parameters
    ----------
    chosen : DataFrame
        Those who need a reason: measures and components.
    everyone : DataFrame
        All customers, with ``verdict``: a standing such as "top 3 %" is among the eligible.
    scorer : WeightedScorer
        The score: the components that add most to it are named, at most `max_reasons`.
    window_days : int or None
        What `spend_window` counts.
    currency : str
        ISO 4217 code.
    lang : {"en", "zh"}
        The language.

    Returns
    -------
    DataFrame
        The chosen with ``reason``.

    Examples
    --------
    >>> import segmenter
    >>> settings = segmenter.launch_settings({})
    >>> frame = pl.DataFrame({"customer_id": ["a", "b"], "spend_window": [100, 900_000], "decayed_spend": [90, 80], "orders": 1,
    ...     "days_since_order": [3, 1], "spend_90d": [100, 900], "spend_90d_before": 0, "referrals": [0, 2], "days_known": [3, 40],
    ...     "verdict": "eligible"})
    >>> scorer = segmenter.fit_scorer(frame, settings.scoring)
    >>> frame = scorer.score(frame)
    >>> with_reasons(frame, frame, scorer, window_days=None, currency="CNY", lang="en")["reason"][1]
    'spent 9,000 in all, last order yesterday, brought 2 friends'
    """
    say_it = _chinese if lang == "zh" else _english
    standing = {measure: _standing(chosen, everyone, measure, lang) for measure in ("spend_window", "orders")}
    phrases = say_it(window_days, currency, standing)
    phrases["engagement"] = _deeds(chosen, scorer.settings.engagement, lang)
    phrases["advocacy"] = _deeds(chosen, scorer.settings.advocacy, lang)
    long = pl.concat(
        chosen.select(
            "customer_id",
            (pl.col(f"component_{name}") * scorer.shares[name]).alias("part"),
            pl.lit(place).alias("place"),
            _when_true(name, phrases[name]).alias("phrase"),
        )
        for place, name in enumerate(COMPONENTS)
    )
    told = (
        long.filter(pl.col("phrase").is_not_null() & (pl.col("part") > 0))
        .sort("customer_id", "part", "place", descending=[False, True, False])
        .group_by("customer_id", maintain_order=True)
        .head(scorer.settings.max_reasons)
        .sort("customer_id", "place")
        .group_by("customer_id", maintain_order=True)
        .agg(pl.col("phrase").str.join(say(lang, ", ", "，")).alias("reason"))
    )
    known = pl.format(say(lang, "known for {} days", "认识 {} 天"), "days_known").str.replace("for 1 days", "since yesterday")
    rest = pl.coalesce(_when_true("recency", phrases["recency"]), known, pl.lit(say(lang, "eligible", "符合条件")))
    return chosen.join(told, on="customer_id", how="left", maintain_order="left").with_columns(pl.coalesce("reason", rest).alias("reason"))


def _when_true(component: str, phrase: pl.Expr) -> pl.Expr:
    """Keep a phrase only where it says something true and worth saying."""
    before = pl.col("spend_90d_before")
    match component:
        case "spend":
            return pl.when(pl.col("spend_window") > 0).then(phrase)
        case "decayed_spend":
            # Where all of the spend is of these days, it was said already.
            return pl.when((pl.col("spend_90d") > 0) & (pl.col("spend_90d") != pl.col("spend_window"))).then(phrase)
        case "frequency":
            return pl.when(pl.col("orders") > 0).then(phrase)
        case "recency":
            return pl.when(pl.col("days_since_order").is_not_null()).then(phrase)
        case "growth":
            return pl.when((before > 0) & (_rise() >= _RISE)).then(phrase)
        case _:
            return phrase


def _rise() -> pl.Expr:
    before = pl.col("spend_90d_before")
    return (100 * (pl.col("spend_90d") - before)) // before


def _english(window_days: int | None, currency: str, standing: dict[str, pl.Expr]) -> dict[str, pl.Expr]:
    orders, days = pl.col("orders"), pl.col("days_since_order")
    period = "in all" if window_days is None else f"in {window_days} days"
    count = pl.when(orders == 1).then(pl.lit("1 order")).otherwise(pl.format("{} orders", orders))
    return {
        "spend": pl.format(f"spent {{}} {period}{{}}", money.text("spend_window", currency), standing["spend_window"]),
        "decayed_spend": pl.format("bought for {} in the last 90 days", money.text("spend_90d", currency)),
        "frequency": count + standing["orders"],
        "recency": pl.when(days == 1).then(pl.lit("last order yesterday")).otherwise(pl.format("last order {} days ago", days)),
        "growth": pl.format("spending up {} % on the 90 days before", _rise()),
    }


def _chinese(window_days: int | None, currency: str, standing: dict[str, pl.Expr]) -> dict[str, pl.Expr]:
    days = pl.col("days_since_order")
    period = "累计" if window_days is None else f"近 {window_days} 天"
    unit = "元" if currency == "CNY" else currency
    return {
        "spend": pl.format(f"{period}消费 {{}} {unit}{{}}", money.text("spend_window", currency), standing["spend_window"]),
        "decayed_spend": pl.format(f"近 90 天消费 {{}} {unit}", money.text("spend_90d", currency)),
        "frequency": pl.format("下单 {} 次{}", "orders", standing["orders"]),
        "recency": pl.when(days == 1).then(pl.lit("昨天下单")).otherwise(pl.format("{} 天前下单", days)),
        "growth": pl.format("近 90 天消费环比增长 {}%", _rise()),
    }


def _standing(chosen: pl.DataFrame, everyone: pl.DataFrame, measure: str, lang: Lang) -> pl.Expr:
    """Say "top 3 %" of the eligible, rounded up; nothing for the many."""
    eligible = everyone.lazy().filter(verdict=ELIGIBLE).select(pl.col(measure).sort()).collect().to_series()
    rows = len(eligible)
    held = chosen.select(pl.col(measure).unique().sort())
    below, up_to = (eligible.search_sorted(held.to_series(), side).cast(pl.Int64) for side in ("left", "right"))
    told = held.with_columns(percent=(100 * (rows - below) + rows - 1) // rows).filter((below < up_to) & (pl.col("percent") <= _TOP))
    words = told.select(pl.format(say(lang, " (top {} %)", "（前 {}%）"), "percent")).to_series()
    return pl.col(measure).replace_strict(told[measure], words, default="", return_dtype=pl.String) if len(told) else pl.lit("")


# What the usual kinds of events are called: once, and more often.
_ENGLISH = {
    "visit": ("visited once", "visited {} times"),
    "campaign": ("took part in a campaign", "took part in {} campaigns"),
    "feedback": ("gave feedback once", "gave feedback {} times"),
    "review": ("wrote a review", "wrote {} reviews"),
    "share": ("shared once", "shared {} times"),
    "referral": ("brought a friend", "brought {} friends"),
}
_CHINESE = {
    "visit": "来访 {} 次",
    "campaign": "参加活动 {} 次",
    "feedback": "反馈 {} 次",
    "review": "评价 {} 次",
    "share": "分享 {} 次",
    "referral": "带来 {} 位好友",
}


def _deeds(chosen: pl.DataFrame, kinds: Iterable[str], lang: Lang) -> pl.Expr:
    """Name what the customer did, kind by kind; null where nothing."""
    told = [_deed(kind, count, lang) for kind in kinds if (count := count_of(chosen, kind)) is not None]
    if not told:
        return pl.lit(None, dtype=pl.String)
    return pl.concat_str(told, separator=say(lang, ", ", "、"), ignore_nulls=True).replace("", None)


def _deed(kind: str, count: pl.Expr, lang: Lang) -> pl.Expr:
    name = kind.replace("{", "(").replace("}", ")")  # a kind of the shop's own is named as it is
    if lang == "zh":
        return pl.when(count > 0).then(pl.format(_CHINESE.get(kind.lower(), f"{name} {{}} 次"), count))
    once, often = _ENGLISH.get(kind.lower(), (f"{name} once", f"{name} {{}} times"))
    return pl.when(count == 1).then(pl.lit(once)).when(count > 1).then(pl.format(often, count).str.replace(" 2 times$", " twice"))
