"""Why a customer is on the list, in words."""

from collections.abc import Iterable

import polars as pl

from segmenter import money
from segmenter.report.labels import Labels
from segmenter.report.language import Lang, say
from segmenter.scoring.components import COMPONENTS, REACH, event_count, weights_of_roles
from segmenter.scoring.reasons import rise
from segmenter.settings import ScoringSettings
from segmenter.settings.role_points import ROLE

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


def reason_text(chosen: pl.DataFrame, scoring: ScoringSettings, *, window_days: int | None, currency: str, lang: Lang) -> pl.Expr:
    """Say the reasons of `scoring.reasons.with_reasons` in words.

    >>> import segmenter
    >>> from datetime import datetime
    >>> chosen = pl.DataFrame({"reasons": [["spend", "recency"]], "spend_window": 900_000, "spend_top": 3, "orders": 1, "orders_top": None,
    ...     "last_order_at": datetime(2026, 6, 30), "days_since_order": 1, "days_known": 40, "spend_90d": 900, "spend_90d_before": 0},
    ...     schema_overrides={"orders_top": pl.Int64})
    >>> scoring = segmenter.launch_settings({}).scoring
    >>> chosen.select(reason_text(chosen, scoring, window_days=None, currency="CNY", lang="en")).item()
    'spent 9,000 in all (top 3 %), last order on 2026-06-30'
    """
    phrases = (_chinese if lang == "zh" else _english)(window_days, currency)
    phrases["engagement"] = _actions(chosen, scoring.engagement, lang)
    phrases["advocacy"] = _actions(chosen, scoring.advocacy, lang)
    labels = Labels(lang, currency)
    phrases |= {f"{ROLE}{name}": pl.lit(labels.role_act(name)) for name in scoring.role_weights}
    named = [pl.when(pl.col("reasons").list.contains(name)).then(phrases[name]) for name in (*COMPONENTS, *weights_of_roles(scoring))]
    if REACH in chosen.columns:
        bring = pl.format(say(lang, "would bring about {} people", "约可带来 {} 人"), pl.col(REACH).round().cast(pl.Int64))
        named.append(pl.when(pl.col("reasons").list.contains(REACH)).then(bring))
    reason = pl.concat_str(named, separator=say(lang, ", ", "，"), ignore_nulls=True).replace("", None)
    last_order = pl.when(pl.col("days_since_order").is_not_null()).then(phrases["recency"])
    known = pl.format(say(lang, "known for {} days", "认识 {} 天"), "days_known").str.replace("for 1 days", "since yesterday")
    said = pl.coalesce(reason, last_order, known, pl.lit(say(lang, "eligible", "符合条件")))
    if "applicant" in chosen.columns:
        new = pl.coalesce(reason, pl.lit(say(lang, "no order known", "暂无订单记录")))
        of_applicants = pl.when(pl.col("days_since_order").is_null()).then(new).otherwise(said)
        applied = pl.format(say(lang, "applied, {}", "主动报名，{}"), of_applicants)
        said = pl.when("applicant").then(applied).otherwise(said)
    if "brings" in chosen.columns:
        brings = pl.col("brings").round().cast(pl.Int64)
        many = pl.format(say(lang, "first, as they would bring about {} people", "优先邀请：预计能带来约 {} 人"), brings)
        one = pl.lit(say(lang, "first, for whom they would bring", "优先邀请：能带人进来"))
        first = pl.when(brings > 1).then(many).when(pl.col("brings") > 0).then(one)
        said = pl.concat_str(first, said, separator=say(lang, "; ", "；"), ignore_nulls=True)
    return said.alias("reason")


def _english(window_days: int | None, currency: str) -> dict[str, pl.Expr]:
    orders = pl.col("orders")
    period = "in all" if window_days is None else f"in {window_days} days"
    count = pl.when(orders == 1).then(pl.lit("1 order")).otherwise(pl.format("{} orders", orders))
    return {
        "spend": pl.format(f"spent {{}} {period}{{}}", money.text("spend_window", currency), _top("spend_top", " (top {} %)")),
        "decayed_spend": pl.format("bought for {} in the last 90 days", money.text("spend_90d", currency)),
        "frequency": count + _top("orders_top", " (top {} %)"),
        "recency": pl.format("last order on {}", pl.col("last_order_at").dt.date()),
        "growth": pl.format("spending up {} % on the 90 days before", rise()),
    }


def _chinese(window_days: int | None, currency: str) -> dict[str, pl.Expr]:
    period = "累计" if window_days is None else f"近 {window_days} 天"
    unit = "元" if currency == "CNY" else currency
    return {
        "spend": pl.format(f"{period}消费 {{}} {unit}{{}}", money.text("spend_window", currency), _top("spend_top", "（前 {}%）")),
        "decayed_spend": pl.format(f"近 90 天消费 {{}} {unit}", money.text("spend_90d", currency)),
        "frequency": pl.format("下单 {} 次{}", "orders", _top("orders_top", "（前 {}%）")),
        "recency": pl.format("最近下单 {}", pl.col("last_order_at").dt.date()),
        "growth": pl.format("近 90 天消费环比增长 {}%", rise()),
    }


def _top(column: str, words: str) -> pl.Expr:
    return pl.format(words, column).fill_null("")


def _actions(chosen: pl.DataFrame, kinds: Iterable[str], lang: Lang) -> pl.Expr:
    """Name what the customer did, kind by kind; null where nothing."""
    actions = [_action(kind, count, lang) for kind in kinds if (count := event_count(chosen, kind)) is not None]
    if not actions:
        return pl.lit(None, dtype=pl.String)
    return pl.concat_str(actions, separator=say(lang, ", ", "、"), ignore_nulls=True).replace("", None)


def _action(kind: str, count: pl.Expr, lang: Lang) -> pl.Expr:
    name = kind.replace("{", "(").replace("}", ")")  # a kind of the shop's own is named as it is
    if lang == "zh":
        return pl.when(count > 0).then(pl.format(_CHINESE.get(kind.lower(), f"{name} {{}} 次"), count))
    once, often = _ENGLISH.get(kind.lower(), (f"{name} once", f"{name} {{}} times"))
    return pl.when(count == 1).then(pl.lit(once)).when(count > 1).then(pl.format(often, count).str.replace(" 2 times$", " twice"))
