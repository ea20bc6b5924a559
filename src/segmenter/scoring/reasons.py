"""Why a customer is on the list, in words."""

import polars as pl

from segmenter import money
from segmenter.rules import ELIGIBLE
from segmenter.scoring.weighted import COMPONENTS, WeightedScorer, count_of
from segmenter.words import Lang, say

_TOP = 20  # a standing is worth a word up to the top 20 %


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
    >>> frame = pl.DataFrame({"customer_id": ["a", "b"], "spend_window": [100, 900_000], "decayed_spend": [90, 80], "orders": [1, 1],
    ...     "days_since_order": [3, 1], "spend_90d": [100, 900], "spend_90d_before": [0, 0], "referrals": [0, 2], "days_known": [3, 40],
    ...     "verdict": ["eligible"] * 2})
    >>> scorer = segmenter.fit_scorer(frame, settings.scoring)
    >>> frame = scorer.score(frame)
    >>> with_reasons(frame, frame, scorer, window_days=None, currency="CNY", lang="en")["reason"][1]
    'spent 9,000 in all, last order yesterday, brought 2 friends'
    """
    phrases = _phrases(chosen, everyone, scorer, window_days, currency, lang)
    long = pl.concat(
        chosen.select(
            "customer_id",
            (pl.col(f"component_{name}") * scorer.shares[name]).alias("part"),
            pl.lit(place).alias("place"),
            phrases[name].alias("phrase"),
        )
        for place, name in enumerate(COMPONENTS)
        if name in phrases
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
    known = _say(lang, "known for {} days", "认识 {} 天", pl.col("days_known").cast(pl.String))
    rest = pl.coalesce(_recency(lang), known, pl.lit(say(lang, "eligible", "符合条件")))
    return chosen.join(told, on="customer_id", how="left", maintain_order="left").with_columns(pl.coalesce("reason", rest).alias("reason"))


def _say(lang: Lang, en: str, zh: str, *parts: pl.Expr) -> pl.Expr:
    return pl.format(say(lang, en, zh), *parts)


def _phrases(
    chosen: pl.DataFrame, everyone: pl.DataFrame, scorer: WeightedScorer, window_days: int | None, currency: str, lang: Lang
) -> dict[str, pl.Expr]:
    unit = pl.lit(" 元" if currency == "CNY" else f" {currency}")
    spent, recent = money.text("spend_window", currency), money.text("spend_90d", currency)
    if window_days is None:
        spend = _say(
            lang, "spent {} in all{}{}", "累计消费 {}{}{}", spent, *_zh_only(lang, unit), _standing(everyone, "spend_window", lang)
        )
    else:
        days = pl.lit(str(window_days))
        places = [days, spent, unit] if lang == "zh" else [spent, days, pl.lit("")]
        spend = _say(lang, "spent {} in {} days{}{}", "近 {} 天消费 {}{}{}", *places, _standing(everyone, "spend_window", lang))
    orders = pl.col("orders")
    before = pl.col("spend_90d_before")
    rise = (100 * (pl.col("spend_90d") - before)) // before
    up = _say(lang, "spending up {} % on the 90 days before", "近 90 天消费环比增长 {}%", rise.cast(pl.String))
    return {
        "spend": pl.when(pl.col("spend_window") > 0).then(spend),
        "decayed_spend": pl.when(pl.col("spend_90d") > 0).then(
            _say(lang, "{}{} in the last 90 days", "近 90 天 {}{}", recent, *_zh_only(lang, unit))
        ),
        "frequency": pl.when(orders > 0).then(
            pl.concat_str(
                pl.when(orders == 1)
                .then(pl.lit(say(lang, "1 order", "下单 1 次")))
                .otherwise(_say(lang, "{} orders", "下单 {} 次", orders.cast(pl.String))),
                _standing(everyone, "orders", lang),
            )
        ),
        "recency": _recency(lang),
        "engagement": _deeds(chosen, list(scorer.settings.engagement), lang),
        "advocacy": _deeds(chosen, list(scorer.settings.advocacy), lang),
        "growth": pl.when((before > 0) & (rise >= 10)).then(up),
    }


def _zh_only(lang: Lang, unit: pl.Expr) -> list[pl.Expr]:
    return [unit if lang == "zh" else pl.lit("")]


def _standing(everyone: pl.DataFrame, measure: str, lang: Lang) -> pl.Expr:
    """Say "top 3 %" of the eligible, rounded up; nothing for the many."""
    values = everyone.filter(verdict=ELIGIBLE)[measure]
    above = values.value_counts().sort(measure, descending=True).with_columns(pl.col("count").cum_sum())
    percent = {value: -(-100 * rank // len(values)) for value, rank in above.rows()}
    told = {value: say(lang, f" (top {share} %)", f"（前 {share}%）") for value, share in percent.items() if share <= _TOP}
    return pl.col(measure).replace_strict(told, default="", return_dtype=pl.String) if told else pl.lit("")


def _recency(lang: Lang) -> pl.Expr:
    days = pl.col("days_since_order")
    ago = _say(lang, "last order {} days ago", "{} 天前下单", days.cast(pl.String))
    return pl.when(days == 1).then(pl.lit(say(lang, "last order yesterday", "昨天下单"))).when(days > 1).then(ago)


def _deeds(chosen: pl.DataFrame, kinds: list[str], lang: Lang) -> pl.Expr:
    """Name what the customer did, kind by kind; null where nothing."""
    told = [_deed(kind, count, lang) for kind in kinds if (count := count_of(chosen, kind)) is not None]
    return (
        pl.concat_str(told, separator=say(lang, ", ", "、"), ignore_nulls=True).replace("", None) if told else pl.lit(None, dtype=pl.String)
    )


def _deed(kind: str, count: pl.Expr, lang: Lang) -> pl.Expr:
    number = count.cast(pl.String)
    if lang == "zh":
        words = {
            "visit": "来访 {} 次",
            "campaign": "参加活动 {} 次",
            "feedback": "反馈 {} 次",
            "review": "评价 {} 次",
            "share": "分享 {} 次",
            "referral": "带来 {} 位好友",
        }
        return pl.when(count > 0).then(pl.format(words.get(kind, f"{_literal(kind)} {{}} 次"), number))
    times = pl.when(count == 1).then(pl.lit("once")).when(count == 2).then(pl.lit("twice")).otherwise(pl.format("{} times", number))
    match kind:
        case "campaign" | "review":
            one, many = {
                "campaign": ("took part in a campaign", "took part in {} campaigns"),
                "review": ("wrote a review", "wrote {} reviews"),
            }[kind]
        case "referral":
            one, many = "brought a friend", "brought {} friends"
        case _:
            verb = {"visit": "visited", "feedback": "gave feedback", "share": "shared"}.get(kind, _literal(kind))
            return pl.when(count > 0).then(pl.format(f"{verb} {{}}", times))
    return pl.when(count == 1).then(pl.lit(one)).when(count > 1).then(pl.format(many, number))


def _literal(kind: str) -> str:
    return kind.replace("{", "(").replace("}", ")")
