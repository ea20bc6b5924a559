"""What a review comes to, in three sentences: how it went and by how much of it is ours, what to do now, what to change next time."""

from itertools import pairwise

import polars as pl

from segmenter.evaluation.launch_sales import FEW
from segmenter.evaluation.review import Review
from segmenter.money import amount
from segmenter.report.labels import Labels
from segmenter.report.review_groups import name_some
from segmenter.report.review_words import OVER_WORDS, name_value

_STATES = {
    "met": ("The target is met", "目标已达成"),
    "missed": ("The target is missed", "目标未达成"),
    "reached": ("The target is reached already", "目标已提前达到"),
    "on_course": ("The launch is on course", "进度正常"),
    "behind": ("The launch is behind", "进度落后"),
    "no_target": ("The launch had no target", "本次活动未设目标"),
    "unknown": ("Whether the target is met is not known, as no answers are", "尚无答复记录，无法对照目标"),
}
_MANY = 0.1  # of those asked, who were never reached and tried once only
_SHORT = 14  # days


def conclude_review(review: Review, labels: Labels) -> tuple[str, str, str]:
    """Give the three sentences."""
    return _say_result(review, labels), _say_now(review, labels), _say_next(review, labels)


def _say_result(review: Review, labels: Labels) -> str:
    say, progress, best = labels.say, review.progress, review.lift.best if review.lift else None
    shown = progress.state != "unknown" and review.counts["joined"] >= FEW and progress.target
    of = say(" ({} of {})", "（{} / {}）")
    so_far = of.format(_money(progress.sales, review), _money(progress.target or 0, review)) if shown else ""
    if best is None:
        ours = say("how much of it is ours cannot be measured", "其中多少归功于我们无法衡量")
    elif best.low <= 0 <= best.high:
        ours = say("that any of it is ours could not be shown", "尚不能证实其中有多少归功于我们")
    else:
        template = say("{} of it is ours, between {} and {}", "其中归功于我们的为 {}（{} 至 {}）")
        ours = template.format(*(_money(minor, review) for minor in (best.total, best.total_low, best.total_high)))
    return say(f"{_STATES[progress.state][0]}{so_far}; {ours}.", f"{_STATES[progress.state][1]}{so_far}；{ours}。")


def _money(minor: int, review: Review) -> str:
    return amount(minor, review.launch.currency)


def _say_now(review: Review, labels: Labels) -> str:
    say, life, todo = labels.say, review.life, []
    if life is not None and life.silent:
        todo.append(say("wake up {}, or merge it with another group", "唤醒或合并社群 {}").format(name_some(life.silent, labels)))
    if count := review.complaints.height:
        todo.append(say(f"answer {count:,} complaints that are open too long", f"处理 {count:,} 件超时未结的投诉"))
    if count := review.breaches.height:
        todo.append(say(f"remove {count:,} members who broke the rules again", f"移出 {count:,} 位再次违反群规的成员"))
    if count := review.counts["agreed"]:
        todo.append(say(f"bring in {count:,} who agreed", f"拉 {count:,} 位已同意者入群"))
    if count := review.counts["call_back"]:
        todo.append(say(f"call {count:,} back who asked for it", f"回拨 {count:,} 位约定再打者"))
    if review.through is not None and (rate := review.through.reproduction) is not None and rate.low > 1:
        todo.append(say(f"make room: each member brings {rate.mean:.1f} more", f"预留名额：每位成员平均再带来 {rate.mean:.1f} 人"))
    if todo:
        return say("In these groups now: ", "现在要做：") + say("; ", "；").join(todo) + say(".", "。")
    if life is None:
        return say(
            "What the groups do is not known: export who speaks, reads and comes as events.",
            "社群活跃情况不详：请把发言、阅读、到访导出为事件数据。",
        )
    return say("The groups need nothing but to be kept alive.", "各社群状态正常，保持运营即可。")


def _say_next(review: Review, labels: Labels) -> str:
    say, asked = labels.say, review.acceptance.filter(over="all")["asked"][0]
    if review.lift is None and not review.counts["held_out"]:
        return say("Next time hold out a share at random, so that it can be told what is ours.", "下次请随机留出一部分客户，才能知道效果。")
    if (once := review.counts["tried_once"]) > _MANY * asked:
        en = f"Next time call again, at another hour, whom the first call misses: {once:,} of {asked:,} were tried once only."
        return say(en, f"下次对首次未接通者换个时段再打：{asked:,} 位中有 {once:,} 位只试过一次。")
    if (apart := _furthest_apart(review, labels)) is not None:
        over, best, worst = apart
        en = f"Next time invite more like {best} and fewer like {worst} ({OVER_WORDS[over][0].lower()})."
        return say(en, f"下次多邀请 {best}，少邀请 {worst}（{OVER_WORDS[over][1]}）。")
    through = review.through
    if review.over and through is not None and through.expected is not None and through.through < through.expected.low:
        en = f"Next time expect less of key users: they brought {through.through:,} where {through.expected.mean:,.0f} were expected;"
        zh = f"下次不要高估核心用户：预计带来 {through.expected.mean:,.0f} 人，实际 {through.through:,} 人；下次活动会据此重新估计。"
        return say(f"{en} the next launch learns from it.", zh)
    half = None if review.life is None else review.life.parts["half_life"][0]
    if half is not None and half < min(_SHORT, _longest_wait(review)):
        en = f"Next time hold live events at most {half:.0f} days apart, before half have fallen silent."
        return say(en, f"下次每隔 {half:.0f} 天之内办一场群活动，趁一半成员尚未沉默。")
    if review.lift is not None and review.lift.best.low <= 0 <= review.lift.best.high:
        en = f"Next time hold out more than {review.lift.held_out:,}: with so few no effect could be shown."
        return say(en, f"下次请多留出一些客户：只留出 {review.lift.held_out:,} 位，无法证实效果。")
    return say("Nothing stands out to be changed next time.", "下次没有特别需要改变的地方。")


def _longest_wait(review: Review) -> int:
    """Give the most days without a live event, from the launch on; all of its days where it had none."""
    days = sorted({review.launch.as_of, *review.live_events["event"]})
    return max(((after - before).days for before, after in pairwise(days)), default=review.days)


def _furthest_apart(review: Review, labels: Labels) -> tuple[str, str, str] | None:
    """Name the two parts of whom most and fewest accepted, where chance does not explain it."""
    for over in ("segment", "channel", "region"):
        part = review.acceptance.filter(pl.col("over") == over, pl.col("value").is_not_null(), pl.col("share").is_not_null()).sort("share")
        if part.height > 1 and part["low"][-1] > part["high"][0]:
            name = [f"{name_value(over, part['value'][at], labels)} ({labels.share(part['share'][at])})" for at in (-1, 0)]
            return over, name[0], name[1]
    return None
