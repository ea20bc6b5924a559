"""What the groups' platform asks of a team: whom it pulls in by hand, with how many accounts, and when codes are renewed."""

from datetime import timedelta
from math import ceil

import polars as pl

from segmenter.messages import Message
from segmenter.settings import CoreSettings

_MOST_DATES = 8
_NAMES = {
    "WeChat": Message("planning.wechat", "WeChat"),
    "WeCom": Message("planning.wecom", "WeCom"),
    "DingTalk": Message("planning.dingtalk", "DingTalk"),
}


def platform_notes(groups: pl.DataFrame, calls: pl.DataFrame, starters: pl.DataFrame, settings: CoreSettings) -> tuple[Message, ...]:
    """Say it for groups with ``expected_joins``, beside who stands in each ``group`` already, and calls with ``day``."""
    platform, capacity, days = settings.platform, settings.plan.group_capacity, calls["day"].drop_nulls().unique().sort()
    standing = groups.join(starters.group_by("group").len(), on="group", how="left", maintain_order="left")["len"].fill_null(0)
    name, notes = _NAMES.get(platform.name or "", platform.name or ""), list[Message]()
    if platform.scan_size is not None and groups.height and ((capacity + standing) > platform.scan_size).any():
        members = groups["expected_joins"].clip(upper_bound=capacity) + standing
        by_hand = ceil(round(float((members - platform.scan_size).clip(lower_bound=0).sum()), 6))
        facts = {"name": name, "scan": platform.scan_size, "next": platform.scan_size + 1}
        if by_hand:
            sentence = (
                "{name}: a group's code is scanned up to {scan:,} members; from member {next:,} on people are pulled in by hand: "
                "{by_hand:,} of those expected to join{accounts}."
            )
            accounts = _accounts(by_hand, len(days), platform.adds_per_day)
            notes.append(Message("planning.by_hand", sentence, **facts, by_hand=by_hand, accounts=accounts))
        else:
            sentence = (
                "{name}: a group's code is scanned up to {scan:,} members, more than are expected in any; from member {next:,} on people "
                "are pulled in by hand."
            )
            notes.append(Message("planning.none_by_hand", sentence, **facts))
    if platform.code_days is not None and len(days):
        first, last = days[0], days[-1]
        dates = [first + timedelta(days=passed) for passed in range(platform.code_days, (last - first).days + 1, platform.code_days)]
        facts = {"name": name, "days": platform.code_days, "first": first}
        if not dates:
            sentence = "{name}: a code made on {first}, when calls begin, is valid for {days} days, for all calls."
            return (*notes, Message("planning.code_enough", sentence, **facts))
        sentence = "{name}: a code made on {first}, when calls begin, is valid for {days} days: renew it on {dates}{more}."
        more = Message("planning.code_so_on", " and so on") if len(dates) > _MOST_DATES else ""
        notes.append(Message("planning.code_renewed", sentence, **facts, dates=tuple(dates[:_MOST_DATES]), more=more))
    return tuple(notes)


def _accounts(by_hand: int, days: int, a_day: int | None) -> str:
    """Say how many accounts it takes to add so many people on the days of calls."""
    if a_day is None or not days:
        return ""
    sentence = "; an account adds {a_day:,} people a day, so it takes {accounts:,} on the {days:,} days of calls"
    return Message("planning.accounts", sentence, a_day=a_day, accounts=ceil(by_hand / (a_day * days)), days=days)
