"""Why somebody eligible is not invited, in words."""

from segmenter.report.language import Lang, say

_WORDS = {
    "held_out": ("control group, drawn at random so that the launch can be measured", "随机留出，用于衡量活动效果"),
    "group_too_small": ("too few people to open a group here", "人数不足，无法开群"),
    "groups": ("as many groups are open as there may be", "开群数量已达上限"),
    "agents": ("those who call here have no calls left", "负责该地区的客服已无外呼名额"),
    "group_full": ("the groups here are full", "群已满员"),
    "layer_full": ("the groups hold as many of this layer as they may", "群内该层级人数已达上限"),
    "size": ("as many are invited as there may be", "邀请总人数已达上限"),
    "budget": ("the budget is spent", "预算已用完"),
    "together": (
        "what is left of budget, calls and places is too little for another group",
        "剩余的预算、外呼名额和人数合起来不足以再开一个群",
    ),
}


def not_invited_words(reason: str, lang: Lang) -> str:
    """Say what a ``left_out`` of the customers' table means."""
    return say(lang, *_WORDS[reason])
