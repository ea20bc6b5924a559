"""Names and figures as people read them, in the language of the launch."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from segmenter.contacts import shown_sql
from segmenter.measures.spec import MONEY
from segmenter.money import digits
from segmenter.report.language import say, translate
from segmenter.settings import RulesSettings
from segmenter.settings.role_points import MEMBER, ROLE
from segmenter.sources.reject_reasons import reason_of
from segmenter.words import Lang

_MEASURES = {
    "spend": ("spend", "消费额"),
    "spend_window": ("spend in the window", "统计期内消费额"),
    "decayed_spend": ("recent spend", "近期加权消费额"),
    "decayed_orders": ("recent orders", "近期加权订单数"),
    "spend_year_before": ("spend in the same days a year before", "去年同期消费额"),
    "average_order": ("average order", "客单价"),
    "largest_order": ("largest order", "单笔最高消费额"),
    "spend_outside": ("spend before the window", "统计期外消费额"),
    "refunds": ("refunds", "退款额"),
    "orders": ("orders", "订单数"),
    "days_since_order": ("days since last order", "距上次下单天数"),
    "days_since_event": ("days since last event", "距上次互动天数"),
    "days_since_activity": ("days since last activity", "距上次活跃天数"),
    "days_known": ("days known", "成为客户天数"),
    "overdue": ("days since last order against the usual gap", "距上次下单与平均间隔之比"),
    "average_gap_days": ("days between orders", "平均下单间隔天数"),
    "refund_orders": ("orders refunded", "退款订单数"),
    "last_order_at": ("last order", "最近下单"),
    "first_order_at": ("first order", "首次下单"),
    "events": ("events", "互动次数"),
    "referrals": ("friends brought", "推荐人数"),
    "growth": ("growth", "消费增长"),
    "engagement": ("engagement", "互动"),
    "advocacy": ("advocacy", "口碑推荐"),
}
_WINDOW = re.compile(r"([a-z]+)_(\d+)d(_before)?")
_DECAYED = re.compile(r"(decayed_[a-z]+)_(\d+)d")
_COMPONENTS = _MEASURES | {"decayed_spend": ("recent spend", "近期消费"), "frequency": ("orders", "下单频次")}
_COMPONENTS |= {"recency": ("recency", "最近下单"), "reach": ("whom they would bring", "可带来的人")}
_TABLES = {
    "orders": "订单",
    "customers": "客户",
    "events": "互动",
    "referrals": "推荐",
    "applicants": "报名",
    "visits": "访问",
    "ties": "人脉",
    "answers": "答复",
}
_CHANNELS = {
    "phone": ("phone", "电话"),
    "message": ("message", "消息"),
    "poster": ("poster", "海报"),
    "shop": ("shop", "门店"),
    "colleague": ("colleague", "同事"),
}
_RULES = {
    "not_customer": ("ids that stand for nobody", "非真实客户（散客、匿名等）"),
    "staff": ("the shop's own staff", "内部员工"),
    "blocked": ("blocked", "已拉黑"),
    "violations": ("broke a group's rules", "多次违反群规"),
    "seed": ("seeds, and who is nearly one", "种子客户及其近似重复"),
    "consent": ("must not be contacted", "拒绝联系"),
    "member": ("members already", "已是社群成员"),
    "refused": ("refused this launch, or for good", "已拒绝本次活动，或表示以后不要联系"),
    "wrong_number": ("under a wrong number", "号码有误"),
    "agreed": ("agreed before: to be followed up", "此前已同意入群，待跟进"),
    "refused_lately": ("refused another launch lately", "近期拒绝过其他活动"),
    "held_out": ("in the control group of a running launch", "在其他进行中活动的留出组"),
    "cooloff": ("invited lately", "近期已被邀请"),
    "invitations": ("invited often enough", "受邀次数已达上限"),
    "region_include": ("outside the chosen regions", "不在所选地区"),
    "region_exclude": ("in a region left out", "在排除地区"),
    "region_unknown": ("may be in such a region: not known", "地区不详，无法判断"),
    "spend_min": ("spend too low", "消费额不足"),
    "spend_max": ("spend too high", "消费额过高"),
    "orders_min": ("too few orders", "订单数不足"),
    "recency": ("not active lately", "近期不活跃"),
    "role": ("do not hold the role of this community", "不具备本社群所需角色"),
    "reachable": ("cannot be reached", "无法联系"),
    "per_phone": ("the phone of another customer", "与其他客户共用电话"),
}
# What a role is called; what who holds it does.
_ROLE = {
    "support": ("support", "答疑互助", "answers others", "乐于答疑"),
    "product": ("product ideas", "产品建议", "has ideas for the products", "常提产品建议"),
    "acquisition": ("acquisition and advocacy", "拉新口碑", "brings others", "乐于推荐拉新"),
    "content": ("content", "内容创作", "writes what others read", "常写评价和内容"),
    "engagement": ("external engagement", "活动参与", "comes to what is on", "常参加活动"),
    MEMBER: ("no role", "无角色", "", ""),
}
_MEANS = {
    "auto": ("any contact", "任一联系方式"),
    "any": ("any contact", "任一联系方式"),
    "phone": ("phone", "电话"),
    "wechat": ("WeChat", "微信"),
    "email": ("e-mail", "邮箱"),
}
_THRESHOLDS = {
    "spend_min": ("lowest spend", "最低消费额"),
    "spend_max": ("highest spend", "最高消费额"),
    "orders_min": ("fewest orders", "最少订单数"),
    "recency": ("active within", "活跃天数上限"),
}
_LEFT_OUT = {
    "held_out": ("control group, drawn at random so that the launch can be measured", "随机留出，用于衡量活动效果"),
    "group_too_small": ("too few people to open a group here", "人数不足，无法开群"),
    "groups": ("as many groups are open as there may be", "开群数量已达上限"),
    "agents": ("those who call here have no calls left", "负责该地区的客服已无外呼名额"),
    "group_full": ("the groups here are full", "群已满员"),
    "layer_full": ("the groups hold as many of this layer as they may", "群内该层级人数已达上限"),
    "size": ("as many are invited as there may be", "邀请总人数已达上限"),
    "budget": ("the budget is spent", "预算已用完"),
    "no_uplift": ("an invitation is expected to bring nothing, or less", "预计邀请不带来增量消费，甚至减少"),
    "together": (
        "what is left of budget, calls and places is too little for another group",
        "剩余的预算、外呼名额和人数合起来不足以再开一个群",
    ),
}


def ratio(part: int, whole: int) -> float | None:
    """Divide; None where there is nothing to divide by."""
    return part / whole if whole > 0 else None


@dataclass(frozen=True)
class Labels:
    """Words and figures of one launch, in its language and currency (ISO 4217).

    >>> labels = Labels("en", "GBP")
    >>> labels.money(1234070), labels.share(0.1234), labels.measure("spend_365d")
    ('£12,341', '12.3%', 'spend, last 365 days')
    """

    lang: Lang
    currency: str

    @property
    def locale(self) -> str:
        """Babel's name of the language."""
        return self.say("en", "zh_CN")

    def say(self, en: str, zh: str) -> str:
        """Choose the words of the language."""
        return say(self.lang, en, zh)

    def number(self, value: float | Decimal | None) -> str:
        """Write a number with thousands separators and at most one decimal; ``–`` for null."""
        from babel.numbers import format_decimal

        return "–" if value is None else str(format_decimal(value, "#,##0.#", locale=self.locale))

    def change(self, value: int | None) -> str:
        """Write a difference with its sign; ``–`` for null or 0."""
        return f"{'+' if value > 0 else '−'}{self.number(abs(value))}" if value else "–"

    def share(self, value: float | None) -> str:
        """Write a share of 1 as a percentage; ``–`` for null."""
        from babel.numbers import format_percent

        return "–" if value is None else str(format_percent(value, "0.0%", locale=self.locale))

    def money(self, minor: float | None) -> str:
        """Write minor units as whole currency units; ``–`` for null."""
        return "–" if minor is None else self.units(Decimal(str(minor)).scaleb(-digits(self.currency)))

    def units(self, amount: float | Decimal) -> str:
        """Write currency units without decimals."""
        from babel.numbers import format_currency

        return str(format_currency(amount, self.currency, "¤#,##0", locale=self._money_locale, currency_digits=False))

    @property
    def symbol(self) -> str:
        """The currency's sign, or its code where it has none."""
        from babel.numbers import get_currency_symbol

        return str(get_currency_symbol(self.currency, locale=self._money_locale))

    @property
    def _money_locale(self) -> str:
        return "zh_CN" if self.currency == "CNY" else self.locale  # ¥ rather than CN¥

    def day(self, day: date) -> str:
        """Write a date in words."""
        from babel.dates import format_date

        return str(format_date(day, "long", locale=self.locale))

    def measure(self, name: str) -> str:
        """Name a measure; over a window of days by what it counts there."""
        if windowed := _WINDOW.fullmatch(name):
            of, days, before = windowed.groups()
            en = f"{of}, {days} days before" if before else f"{of}, last {days} days"
            return self.say(en, f"{'此前' if before else '近'}{days}天{self.measure(of)}")
        if decayed := _DECAYED.fullmatch(name):
            of, days = decayed.groups()
            return self.say(f"{self.measure(of)} ({days} d)", f"{self.measure(of)}（{days} 天）")  # short, as charts have little room
        return self.say(*_MEASURES[name]) if name in _MEASURES else name.replace("_", " ")

    def value(self, measure: str, value: float | datetime | date | None) -> str:
        """Write a value of a measure in its unit."""
        if isinstance(value, date):
            return f"{value:%Y-%m-%d}"
        return self.money(value) if measure in MONEY else self.number(value)

    def component(self, name: str) -> str:
        """Name a component of the score."""
        if name.startswith(ROLE):
            return self.role(name.removeprefix(ROLE))
        return self.say(*_COMPONENTS[name]) if name in _COMPONENTS else name.replace("_", " ")

    def role(self, name: str) -> str:
        """Name a role; one of the user's own keeps its name."""
        return self.say(*_ROLE[name][:2]) if name in _ROLE else name

    def role_act(self, name: str) -> str:
        """Say what who holds a role does."""
        return self.say(*_ROLE[name][2:]) if name in _ROLE else name

    def reject(self, reason: str) -> str:
        """Say why a row was rejected; the table of rejects itself is in English."""
        return translate(reason_of(reason), self.lang)

    def table(self, name: str) -> str:
        """Name a table."""
        return self.say(name, _TABLES.get(name, name))

    def rule(self, name: str) -> str:
        """Say who is removed by a rule; a user's own rule keeps its name."""
        return self.say(*_RULES[name]) if name in _RULES else name

    def rule_detail(self, name: str, rules: RulesSettings) -> str:
        """Say what a rule was set to; empty where there is nothing to add."""
        spend, days = rules.spend, rules.recency.max_days
        within = self.say(f", last {spend.window_days} days", f"，近 {spend.window_days} 天") if spend.window_days else ""
        details = {rule.name: self.say(f"kept: {shown_sql(rule.keep)}", f"保留：{shown_sql(rule.keep)}") for rule in rules.custom} | {
            "cooloff": self.say(f"within {rules.cooloff_days} days", f"{rules.cooloff_days} 天内"),
            "invitations": self.say(
                f"{rules.invitations.max} launches within {rules.invitations.days} days",
                f"{rules.invitations.days} 天内已达 {rules.invitations.max} 次",
            ),
            "violations": self.say(f"{rules.violations} times or more", f"{rules.violations} 次及以上"),
            "region_include": self._some(rules.region.include),
            "region_exclude": self._some(rules.region.exclude),
            "region_unknown": "rules.region.unknown=remove",
            "spend_min": "" if spend.min is None else self.say("under", "低于") + f" {self.units(spend.min)}{within}",
            "spend_max": "" if spend.max is None else self.say("over", "高于") + f" {self.units(spend.max)}{within}",
            "orders_min": self.say(f"fewer than {rules.orders.min}", f"少于 {rules.orders.min} 单"),
            "reachable": self.say("by ", "") + self.say(", ", "、").join(self.say(*_MEANS[means]) for means in rules.reachable or ()),
            "per_phone": self.say("who spent most stays", "保留消费最高的一位"),
            "recency": self.say(f"more than {days} days ago", f"超过 {days} 天"),
        }
        return details.get(name, "")

    def _some(self, names: tuple[str, ...], most: int = 8) -> str:
        more = self.say(f" and {len(names) - most} more", f"等 {len(names)} 个") if len(names) > most else ""
        return self.say(", ", "、").join(names[:most]) + more

    def limit(self, rule: str, value: float | None) -> str:
        """Write a threshold of a rule in its unit."""
        if value is None:
            return self.say("no limit", "不限")
        if rule.startswith("spend"):
            return self.units(value)
        return self.say(f"{value:g} days", f"{value:g} 天") if rule == "recency" else self.number(value)

    def threshold(self, rule: str) -> str:
        """Say what a rule's threshold is."""
        return self.say(*_THRESHOLDS[rule]) if rule in _THRESHOLDS else self.rule(rule)

    def wave(self, wave: int) -> str:
        """Name a wave so that names sort as the waves do."""
        return self.say("1 key user", "1 核心用户") if wave == 1 else self.say(f"{wave} member", f"{wave} 普通成员")

    def channel(self, channel: str) -> str:
        """Name one of `tables.CHANNELS`."""
        return self.say(*_CHANNELS[channel])

    def left_out(self, reason: str) -> str:
        """Say why somebody eligible is not invited."""
        return self.say(*_LEFT_OUT[reason])

    def footer(self, timezone: str) -> str:
        """Say what the figures of a page are in, and what it does not hold."""
        en = f"Amounts in {self.currency} · time zone {timezone} · this page holds no customer ids and no contacts"
        return self.say(en, f"金额单位： {self.currency} · 时区 {timezone} · 本页不含客户编号和联系方式")

    def region(self, name: str | None) -> str:
        """Name a region; customers without one have a name for that too."""
        return name or self.say("no region", "无地区")
