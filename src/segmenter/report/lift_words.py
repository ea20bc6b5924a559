"""The measured lift in plain words."""

from segmenter.evaluation.lift import Lift
from segmenter.money import amount
from segmenter.report.language import Lang, say


def say_lift(lift: Lift, currency: str, lang: Lang) -> str:
    """Say what being invited brought, with its 95 % interval, or that no effect could be shown; and which effect it is."""
    best = lift.best
    if best.low <= 0 <= best.high:
        low, high = (amount(minor, currency) for minor in (best.total_low, best.total_high))
        en = f"No effect could be shown: it lies between {low} and {high} (95 % interval)."
        zh = f"未能证实邀请有效果：其效果介于 {low} 与 {high} 之间（95% 置信区间）。"
    elif best.low > 0:
        total, low, high = (amount(minor, currency) for minor in (best.total, best.total_low, best.total_high))
        en = f"The invitation brought {total}, between {low} and {high} (95 % interval); {_say_anyway(lift.anyway, 'en')}."
        zh = f"邀请带来 {total}（95% 置信区间：{low} 至 {high}）；{_say_anyway(lift.anyway, 'zh')}。"
    else:
        total, low, high = (amount(-minor, currency) for minor in (best.total, best.total_high, best.total_low))
        en = f"The invitation cost sales: {total}, between {low} and {high} (95 % interval)."
        zh = f"邀请反而使销售额减少 {total}（95% 置信区间：{low} 至 {high}）。"
    if lift.measured == "direct":
        en += " It is the direct effect of an invitation on the person invited."
        zh += "这是邀请对受邀者本人的直接效果。"
    else:
        en += " It is the total effect on a region, with what its customers bring about in each other."
        zh += "这是对整个地区的总效果，包含客户之间的相互带动。"
    return say(lang, en, zh)


def _say_anyway(anyway: float | None, lang: Lang) -> str:
    tenths = round(10 * (anyway or 0.0))
    if tenths >= 10:
        return say(lang, "nearly all of the sales would have come anyway", "受邀客户的销售额几乎全部本来就会发生")
    if tenths <= 0:
        return say(lang, "hardly any of the sales would have come anyway", "受邀客户的销售额若不邀请几乎都不会发生")
    return say(lang, f"{tenths} in 10 of the sales would have come anyway", f"受邀客户的销售额中约有 {tenths} 成本来就会发生")
