"""What a launch brought, in words."""

from segmenter.evaluation.launch_sales import FEW
from segmenter.evaluation.lift import Lift
from segmenter.evaluation.review import Review
from segmenter.money import amount
from segmenter.report.labels import Labels
from segmenter.report.language import Lang, say, translate

OVER_WORDS = {
    "wave": ("By wave", "按批次"),
    "agent": ("By agent", "按客服"),
    "group": ("By group", "按社群"),
    "region": ("By region", "按地区"),
    "segment": ("By segment", "按客群"),
    "channel": ("By channel", "按渠道"),
}
COHORT_WORDS = {"joined": ("joined", "已加入"), "invited": ("invited", "受邀"), "held_out": ("held out", "留出")}
METHOD_WORDS = {
    "plain": ("difference of the means", "均值之差"),
    "stratified": ("within strata", "分层"),
    "cuped": ("CUPED-adjusted for past spend", "扣除历史消费的影响"),
    "stratified_cuped": ("both", "两者兼用"),
}
THEME_WORDS = {
    None: ("none noted", "未注明"),
    "wrong number": ("wrong number", "号码有误"),
    "price": ("price", "价格"),
    "messages": ("too many groups or messages", "群或消息太多"),
    "already member": ("a member already", "已是成员"),
    "privacy": ("privacy, trust", "隐私与信任"),
    "time": ("no time", "没时间"),
    "distance": ("too far", "距离太远"),
    "service": ("product or service", "商品或服务"),
    "channel": ("another way to order", "习惯其他渠道"),
    "not needed": ("not needed", "不需要"),
    "left the group": ("left the group", "已退群"),
    "other": ("other reasons", "其他原因"),
}
_STATES = {
    "met": ("The target is met. ", "目标已达成。"),
    "missed": ("The target is missed. ", "目标未达成。"),
    "reached": ("The target is reached already. ", "目标已提前达到。"),
    "on_course": ("On course. ", "进度正常。"),
    "behind": ("Behind. ", "进度落后。"),
}


def name_value(name: str, text: str | None, labels: Labels) -> str:
    """Name a wave, an agent, ..."""
    if text is None:
        missing = {"region": labels.region(None), "agent": labels.say("nobody", "未分配")}
        return missing.get(name, labels.say("none", "无"))
    return labels.wave(int(text)) if name == "wave" else labels.channel(text) if name == "channel" else text


def hide_few(customers: int, minor: float | None) -> float | None:
    """Hide the money of so few customers that it would say what single ones spend."""
    return minor if customers >= FEW else None


def say_acceptance(review: Review, labels: Labels) -> str:
    """Say how many of those asked have joined; empty where nobody was asked or no answers are known."""
    row = review.acceptance.filter(over="all").row(0, named=True)
    if review.progress.state == "unknown" or not row["asked"]:
        return ""
    asked, joined = labels.number(row["asked"]), labels.number(row["joined"])
    share, low, high = (labels.share(row[name]) for name in ("share", "low", "high"))
    left = review.counts["invited"] - row["asked"]
    rest = labels.say("; {} are still to be asked", "；还有 {} 位尚未联系").format(labels.number(left)) if left else ""
    en = f"{joined} of the {asked} customers asked have joined, {share} ({low}–{high}){rest}."
    return labels.say(en, f"已联系 {asked} 位客户，{joined} 位加入，占 {share}（{low}–{high}）{rest}。")


def say_launch_lift(review: Review, lang: Lang) -> str:
    """Say what the invitation brought, or why that cannot be measured."""
    return translate(review.no_lift or "", lang) if review.lift is None else say_lift(review.lift, review.launch.currency, lang)


def say_progress(review: Review, lang: Lang) -> str:
    """Say how a launch stands against its target; what fewer than 5 customers spent is not said."""
    progress = review.progress
    if progress.state == "unknown":
        en, zh = "No answers are known yet, so nobody counts as joined", "尚无任何答复记录，无法得知谁已加入"
        if progress.target is not None:
            en, zh = f"{en}, and nothing can be said about the target", f"{zh}，因此还不能对照目标"
        return say(lang, f"{en}.", f"{zh}。")
    if review.counts["joined"] < FEW:
        en = f"Fewer than {FEW} customers have joined: what they spend is not shown here."
        state = say(lang, *_STATES.get(progress.state, ("", "")))
        return state + say(lang, en, f"加入的客户不足 {FEW} 位，为保护隐私，这里不显示其消费额。")
    return _say_amounts(review, lang)


def _say_amounts(review: Review, lang: Lang) -> str:
    progress, days, horizon = review.progress, review.days, review.launch.horizon_days
    sales, target, ahead, pace, projected = (
        amount(minor or 0, review.launch.currency)
        for minor in (progress.sales, progress.target, abs(progress.ahead or 0), progress.pace, progress.projected)
    )
    part = f"{100 * progress.sales / progress.target:.0f} %" if progress.target else ""
    passed = f"after {days} of {horizon} days those who joined have spent {sales}"
    passed_zh = f"{horizon} 天中过去 {days} 天，已加入客户共消费 {sales}"
    match progress.state:
        case "met":
            en = f"The target is met: those who joined spent {sales} in the {horizon} days, {ahead} more than the target of {target}; "
            en += f"it was reached on {progress.reached_on}."
            zh = f"目标已达成：{horizon} 天内已加入客户共消费 {sales}，比目标 {target} 多 {ahead}；于 {progress.reached_on} 达到。"
        case "missed":
            en = f"The target is missed: those who joined spent {sales} in the {horizon} days, {ahead} short of the target of {target}"
            en += f" ({part} of it)."
            zh = f"目标未达成：{horizon} 天内已加入客户共消费 {sales}，距目标 {target} 还差 {ahead}（完成 {part}）。"
        case "reached":
            en = f"The target is reached already: {passed}, {ahead} more than the target of {target}; "
            en += f"it was reached on {progress.reached_on}."
            zh = f"目标已提前达到：{passed_zh}，比目标 {target} 多 {ahead}；于 {progress.reached_on} 达到。"
        case "on_course" | "behind":
            course, course_zh = ("On course", "进度正常") if progress.state == "on_course" else ("Behind", "进度落后")
            en = (
                f"{course}: {passed}, where a straight line to the target of {target} asks for {pace}. At this pace it ends at {projected}."
            )
            zh = f"{course_zh}：{passed_zh}，按目标 {target} 匀速推进此时应为 {pace}；照此速度最终约为 {projected}。"
        case _:
            within, within_zh = (
                (f"the {days}", f"{days} 天内，") if days >= horizon else (f"{days} of {horizon}", f"{horizon} 天中过去 {days} 天，")
            )
            en = f"Those who joined have spent {sales} in {within} days. The launch had no target."
            zh = f"{within_zh}已加入客户共消费 {sales}。本次活动未设目标。"
    return say(lang, en, zh)


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
