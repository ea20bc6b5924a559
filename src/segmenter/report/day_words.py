"""What an agent is told of each call of a day."""

from collections.abc import Mapping
from typing import Any

from segmenter.report.call_sheet_words import ANSWER_WORDS
from segmenter.report.labels import Labels

KIND_WORDS = {
    "overdue": ("overdue", "逾期未打"),
    "call_back": ("call back", "约定回访"),
    "due": ("due today", "今日计划"),
    "again": ("not reached", "未接通重拨"),
    "agreed": ("agreed, not in", "答应未入群"),
    "thinking": ("thinking it over", "考虑中回访"),
    "silent": ("silent member", "入群未互动"),
    "event": ("event today", "今日活动"),
}
OUT_WORDS = {
    "held_out": ("held out", "留出组"),
    "left_plan": ("no longer in the plan", "已移出计划"),
    "no_contact": ("must not be contacted", "不可联系"),
    "member": ("joined by another launch", "已由其他活动入群"),
    "refused_for_good": ("refused for good", "以后都不要联系"),
    "wrong_number": ("wrong number", "号码有误"),
    "refused": ("refused", "拒绝"),
    "attempts": ("called often enough", "已达外呼次数上限"),
    "no_second_calls": ("no second calls", "不做二次外呼"),
}
_HOURS = ((12, "in the afternoon", "下午"), (18, "in the evening", "晚上"), (24, "in the morning", "上午"))


def last_words(call: Mapping[str, Any], labels: Labels) -> str | None:
    """Say what came of the last call, on which day, and the how manieth in vain it was."""
    if call["answer"] is None:
        return None
    said = f"{labels.say(*ANSWER_WORDS[call['answer']])} · {call['answered_on']:%m-%d}"
    missed = labels.say("{} in vain", "连续 {} 次未接通").format(call["missed"]) if call["missed"] > 1 else ""
    before = call["said"] if call["said"] != call["answer"] else None
    earlier = f"{labels.say(*ANSWER_WORDS[before])} · {call['said_from']:%m-%d}" if before else ""
    return "; ".join(filter(None, (said, missed, earlier)))


def words_to_say(call: Mapping[str, Any], labels: Labels, time: str | None) -> str | None:
    """Say what kind of talk it is; the opening words stand above the list, or in a column of their own."""
    say, offer = labels.say, call["hook"] or ""
    gift = say(" There is: {}.", "可享：{}。").format(offer) if offer else ""
    match call["kind"]:
        case "call_back" | "overdue" if call["call_on"] is not None:
            return say("Asked to be called on {}.", "客户约在 {} 再联系。").format(call["call_on"])
        case "call_back":
            return say("Asked to be called another time.", "客户希望换个时间再联系。")
        case "again" if call["answer"] == "wrong_number":
            return say("The old number was wrong: another was noted.", "原号码有误，已登记新号码。")
        case "again":
            return _other_hour(call["hour"], labels)
        case "agreed":
            en, zh = (
                "Said yes on {}, and is not in the group yet: send the code again, help them in.{}",
                "{} 答应入群，尚未进群：重发入群码，协助进群。{}",
            )
            return say(en, zh).format(call["said_from"], gift)
        case "thinking":
            en, zh = "Was thinking it over on {}: ask what is still open.{}", "{} 表示考虑：询问还有什么顾虑。{}"
            return say(en, zh).format(call["said_from"], gift)
        case "silent":
            en = "In the group since {}, not seen there: ask whether they find their way, and what they would like to read.{}"
            return say(en, "{} 入群，至今没有互动：问问是否找得到群、想看什么内容。{}").format(call["joined_on"], gift)
        case "event":
            en, zh = "In the group since {}, no order yet: the event is today{}.{}", "{} 入群，尚未下单：今天{}有群活动，邀请参加。{}"
            return say(en, zh).format(call["joined_on"], f" {time}" if time else "", gift)
        case _:
            return None


def _other_hour(hour: int | None, labels: Labels) -> str:
    """Say at what other hour to try."""
    if hour is None:
        return labels.say("Try at another hour than the last time.", "请换一个时段再打。")
    en, zh = next((en, zh) for until, en, zh in _HOURS if hour < until)
    return labels.say("Was called at {} o'clock: try {}.", "上次 {} 点拨打：请改在{}。").format(hour, labels.say(en, zh))
