"""What a call sheet tells an agent of a customer, in words that can be said on the phone."""

from collections.abc import Sequence

import polars as pl

from segmenter.report.labels import Labels
from segmenter.report.review_words import THEME_WORDS
from segmenter.settings import LaunchSettings, PersonaSettings
from segmenter.tables import DECIDED

# What came of a call: English and Chinese, as the drop-down offers them.
ANSWER_WORDS = {
    "joined": ("joined", "已入群"),
    "agreed": ("will join", "愿意加入"),
    "thinking": ("thinking it over", "考虑中"),
    "call_back": ("call back", "稍后再联系"),
    "not_reached": ("not reached", "未接通"),
    "refused": ("refused", "拒绝"),
    "refused_for_good": ("refused for good", "以后都不要联系"),
    "wrong_number": ("wrong number", "号码有误"),
}
_HABIT = 3  # orders that make one
_LEFT_OVER = r"[ \u3000]+([,.!?;:，。！？；：、])"  # where a name would stand


def buying_habit(labels: Labels) -> pl.Expr:
    """Say when a customer ordered last and how long they usually wait: from ``orders``, ``last_order_at``, ``average_gap_days``.

    It is a date, as sheets are read on days up to weeks later.

    >>> from datetime import datetime
    >>> known = pl.DataFrame({"orders": [9, 0], "last_order_at": [datetime(2026, 6, 18), None], "average_gap_days": [30.2, None]})
    >>> known.select(buying_habit(Labels("en", "CNY"))).to_series().to_list()
    ['ordered on 2026-06-18; usually every 30 days', 'has not ordered yet']
    """
    say, orders, ordered, gap = labels.say, pl.col("orders"), pl.col("last_order_at"), pl.col("average_gap_days")
    last = pl.format(say("ordered on {}", "{} 下过单"), ordered.dt.date())
    few = pl.format(say("; {} orders so far", "；目前共 {} 单"), orders).replace(say("; 1 orders so far", ""), say("; once so far", ""))
    daily, usual = (
        pl.lit(say("; almost daily", "；几乎每天下单")),
        pl.format(say("; usually every {}", "；平时约 {}一单"), _span(gap, labels)),
    )
    habit = pl.when(orders < _HABIT).then(few).when(gap < 1.5).then(daily).otherwise(usual)
    never = pl.lit(say("has not ordered yet", "还没有下过单"))
    return pl.when(ordered.is_null()).then(never).otherwise(last + habit).alias("habit")


def _span(days: pl.Expr, labels: Labels) -> pl.Expr:
    """Write days as one says them; from two months on in months, from two years on in years."""

    def counted(unit: float, en: str, zh: str) -> pl.Expr:
        return pl.format(labels.say(f"{{}} {en}", f"{{}} {zh}"), (days / unit).round().cast(pl.Int64))

    short, medium = counted(1, "days", "天"), counted(30.44, "months", "个月")
    return pl.when(days < 60).then(short).when(days < 700).then(medium).otherwise(counted(365.25, "years", "年"))


def last_calls(invited: pl.DataFrame, labels: Labels) -> pl.DataFrame:
    """Say what came of each customer's last call, by the ledger (`tables.INVITED`): ``customer_id``, ``last_call``."""
    answers = {answer: labels.say(*words) for answer, words in ANSWER_WORDS.items()}
    themes = {theme: labels.say(*words) for theme, words in THEME_WORDS.items() if theme is not None}
    answered = invited.filter(pl.col("answer").is_not_null()).sort("customer_id", "answered_on", "launch")
    last = answered.unique("customer_id", keep="last", maintain_order=True)
    answer = pl.col("answer").replace_strict(answers, return_dtype=pl.String)
    theme = pl.col("reason").replace_strict(themes, default=None, return_dtype=pl.String)
    in_vain = pl.when(pl.col("missed") > 1).then(pl.format(labels.say("{} times", "{} 次"), "missed"))
    until = pl.format(labels.say("until {}", "约 {}"), "call_on")
    more = pl.when(pl.col("answer").is_in(DECIDED)).then(theme).otherwise(pl.coalesce(until, in_vain))
    meant = pl.coalesce(pl.format(labels.say("{} ({})", "{}（{}）"), answer, more), answer)
    return last.select("customer_id", last_call=pl.format("{} · {} · {}", meant, "answered_on", "launch"))


def contact_remark(launch: LaunchSettings, name: pl.Expr) -> pl.Expr:
    """Say by what remark an agent finds the contact again: the region, the customer's name, the shop."""
    parts = [pl.col("region").str.replace_all("/", ""), name, pl.lit(launch.shop, dtype=pl.String)]
    return pl.concat_str(parts, separator="-", ignore_nulls=True)


def opening_words(launch: LaunchSettings, name: pl.Expr, personas: Sequence[PersonaSettings] = ()) -> pl.Expr:
    """Fill in the opening script for a customer, where it has their name; where none is known, it does without.

    With personas it is the script of the customer's ``persona``, where that has one or a hook of its own.
    """
    words = _with_name(_filled(launch), name)
    for persona in personas:
        words = pl.when(pl.col("persona") == persona.name).then(_with_name(_filled(launch, persona), name)).otherwise(words)
    return words


def hook_of(launch: LaunchSettings, personas: Sequence[PersonaSettings]) -> pl.Expr:
    """Give what a customer is offered: the hook of their ``persona``, or the launch's offer."""
    hooks = {persona.name: persona.hook or launch.offer for persona in personas}
    return pl.col("persona").replace_strict(hooks, default=launch.offer, return_dtype=pl.String)


def _with_name(script: str, name: pl.Expr) -> pl.Expr:
    first, *others = (pl.lit(part) for part in script.split("{name}"))
    if not others:
        return pl.lit(None, dtype=pl.String)
    for part in others:
        first = pl.concat_str(first, name.fill_null(""), part)
    return pl.when(name.is_null()).then(first.str.replace_all(_LEFT_OVER, "$1")).otherwise(first)


def opening_line(launch: LaunchSettings, labels: Labels, persona: PersonaSettings | None = None) -> str:
    """Fill in the opening script for whoever is called, or whoever is of a persona; empty where there is none."""
    return _filled(launch, persona).replace("{name}", labels.say("(name)", "（客户姓名）"))


def _filled(launch: LaunchSettings, persona: PersonaSettings | None = None) -> str:
    """Fill in all but the name; in the launch's own script the offer is the persona's hook."""
    text, given = launch.script or "", launch.spoken
    if persona is not None and persona.script:
        text, given = persona.script, {**given, "hook": persona.hook}
    elif persona is not None:
        given |= {"offer": persona.hook or launch.offer}
    for field, value in given.items():
        text = text.replace(f"{{{field}}}", value or "")
    return text
