"""What a review shows of live events, second calls and the groups: how alive they are, and whom to see to."""

from typing import Any

import polars as pl

from segmenter.evaluation.launch_sales import FEW
from segmenter.evaluation.review import Review
from segmenter.evaluation.signs_of_life import PARTS
from segmenter.report import charts
from segmenter.report.labels import Labels
from segmenter.report.review_tables import say_money
from segmenter.report.review_words import OVER_WORDS, hide_few, name_value
from segmenter.report.sections import Cell, Figure, Grid, Row, Section, Table, columns, note, row, text
from segmenter.settings import ReviewCore

_ROWS = 12  # of each table of parts; life.csv has them all
_KINDS = {"any": ("any sign", "任一迹象"), "speak": ("spoke", "发言"), "read": ("read", "阅读"), "visit": ("came", "进店")}
_BEFORE = {
    "all": ("all called again", "合计"),
    "not_reached": ("not reached", "未接通"),
    "call_back": ("asked to be called later", "约定再打"),
    "thinking": ("thinking", "考虑中"),
    "agreed": ("had agreed, not in the group yet", "已同意、尚未入群"),
}


def group_sections(review: Review, settings: ReviewCore, labels: Labels) -> tuple[Section, ...]:
    """Show live events, second calls and the groups, as far as anything is known of them."""
    return (
        *_live_events(review, settings, labels),
        *_second_calls(review, labels),
        *_life(review, settings, labels),
        *_care(review, labels),
    )


def _live_events(review: Review, settings: ReviewCore, labels: Labels) -> tuple[Section, ...]:
    if review.live_events.is_empty():
        return ()
    say, rows = labels.say, []
    sides = settings.review.event_days
    around = "with the day before and after" if sides == 1 else f"with {sides} days before and after"
    windows = {"day": say("on the day", "当天"), "around": say(around, f"含前后各 {sides} 天")}
    joined, invited = (review.live_events.filter(cohort=name).to_dicts() for name in ("joined", "invited"))
    counted = review.live_events.filter(cohort="everybody").to_dicts()
    shop: list[dict[str, Any] | None] = [*counted] or [None] * len(joined)
    for members, everyone, all_ in zip(joined, invited, shop, strict=True):
        sales, usual = (labels.money(hide_few(members["customers"], members[name])) for name in ("sales", "usual_sales"))
        rows.append(
            row(
                Cell(labels.day(members["event"]), small=windows[members["window"]]),
                _visits(members, all_, labels),
                Cell(sales, small=_usual(usual, labels)),
                *(
                    Cell(labels.number(members[name]), small=_usual(_mean(members[f"usual_{name}"], labels), labels))
                    for name in ("buyers", "first_buyers")
                ),
                _brought(everyone, labels),
            )
        )
    en = (
        "Of those who had joined by then, beside what is usual for them: the mean of the same weekdays of {} weeks before the launch. "
        "The last column compares all invited with the control group: what would have been bought anyway is not in it."
    )
    zh = (
        "统计截至当日已加入的客户，“平常”为活动开始前 {} 周相同星期几的均值；最后一列将全部受邀客户与留出组对照，已扣除本来就会发生的消费。"
    )
    source = (
        ("Visits: events of kind visit of those members.", "访问：这些成员的访问事件（kind 为 visit）。")
        if shop[0] is None
        else (
            "Visits: page views and visitors (UV, added up) of everybody, by the shop's own count (data.visits).",
            "访问：全店浏览量（PV）与访客数（UV 累加），来自访问统计表（data.visits）。",
        )
    )
    pairs = (("Visits", "访问"), ("Sales", "消费额"), ("Buyers", "购买人数"), ("First-time buyers", "首购人数"), ("Brought", "带来"))
    headings = columns(say("Live event", "群活动"), *(say(*pair) for pair in pairs))
    table, brief = Table(headings, tuple(rows), look="tight"), Table(headings, tuple(rows[:: len(windows)]))
    blocks = (note(say(en, zh).format(settings.review.event_weeks)), note(say(*source)), table)
    return (Section(say("What each live event brought", "每场群活动带来了什么"), blocks, (brief,)),)


def _visits(members: dict[str, Any], everybody: dict[str, Any] | None, labels: Labels) -> Cell:
    """Show visits by the shop's own count where there is one, or else those of the members."""
    if everybody is None:
        return Cell(labels.number(members["visits"]), small=labels.say("{} people", "{} 人").format(labels.number(members["visitors"])))
    if everybody["visits"] is None:
        return Cell("–")
    usual = [None if (count := everybody[f"usual_{name}"]) is None else round(count) for name in ("visits", "visitors")]
    now, before = (
        [labels.number(count) if count is not None else "–" for count in pair]
        for pair in ((everybody["visits"], everybody["visitors"]), usual)
    )
    return Cell(now[0], small=f"{_usual(before[0], labels)}; UV {now[1]}, {_usual(before[1], labels)}")


def _usual(shown: str, labels: Labels) -> str:
    return labels.say("usually {}", "平常 {}").format(shown)


def _mean(count: float | None, labels: Labels) -> str:
    return "–" if count is None else f"{count:.1f}"


def _brought(invited: dict[str, Any], labels: Labels) -> Cell:
    if invited["brought"] is None:
        return Cell("–")
    low, high = (say_money(invited[end], labels) for end in ("low", "high"))
    shown = labels.say("not shown", "未证实") if invited["low"] <= 0 <= invited["high"] else say_money(invited["brought"], labels)
    return Cell(shown, small=labels.say("{} to {}", "{} 至 {}").format(low, high))


def _second_calls(review: Review, labels: Labels) -> tuple[Section, ...]:
    if review.second_calls.is_empty():
        return ()
    say, rows = labels.say, []
    for each in review.second_calls.to_dicts():
        numbers = (labels.number(each[name]) for name in ("again", "reached", "joined", "refused"))
        between = f"{labels.share(each['low'])}–{labels.share(each['high'])}"
        share = Cell(labels.share(each["share"]), small=between)
        rows.append(row(say(*_BEFORE[each["before"]]), *numbers, share, role="sum" if each["before"] == "all" else ""))
    headings = (("Called again", "再次联系"), ("Reached", "接通"), ("Joined", "加入"), ("Refused", "拒绝"), ("Share", "加入率"))
    table = Table(columns(say("Before", "此前"), *(say(*pair) for pair in headings)), tuple(rows), look="tight")
    sentence = text(say_second_calls(review, labels))
    return (Section(say("What second calls brought", "再次联系带来了什么"), (sentence, table), (sentence,)),)


def say_second_calls(review: Review, labels: Labels) -> str:
    """Say how many joined by being called again, with the interval; empty where nobody was called again."""
    told = review.second_calls.filter(before="all")
    if told.is_empty():
        return ""
    again, joined, low, high = told.select("again", "joined", pl.col("low", "high") * pl.col("again")).row(0)
    if not joined:
        en = f"Second calls brought nobody: of {again:,} customers called again none joined (95 % interval up to {high:.0f})."
        return labels.say(en, f"再次联系没有效果：再次联系的 {again:,} 位客户无人加入（95% 区间上限 {high:.0f} 位）。")
    en = f"Second calls brought {joined:,} of those who joined, out of {again:,} called again (95 % interval {low:.0f} to {high:.0f})."
    return labels.say(en, f"再次联系了 {again:,} 位客户，带来 {joined:,} 位加入（95% 区间 {low:.0f} 至 {high:.0f} 位）。")


def _life(review: Review, settings: ReviewCore, labels: Labels) -> tuple[Section, ...]:
    if (life := review.life) is None:
        return ()
    say = labels.say
    en = (
        "A sign of life (an event: {kinds}) counts after the day of joining. Half-life: after so many days half as many "
        "members give one; below it its 95% interval. Active: with a sign in the last {days} days, of those who are in for as long."
    )
    zh = (
        "“活跃迹象”指入群次日起的事件（{kinds}）。半衰期：经过这些天后，每日有迹象的成员减半，下方为 95% 区间。"
        "活跃：入群满 {days} 天者中，近 {days} 天有迹象的人数。"
    )
    kinds = labels.say(", ", "、").join(_kind(kind, labels) for kind in settings.review.signs_of_life)
    said = note(say(en, zh).format(kinds=kinds, days=settings.review.silent_days))
    weeks = life.weeks.filter(pl.col("members") >= FEW)
    figure = (Figure(_weeks(weeks, labels)),) if weeks["week"].n_unique() > 1 else ()
    cells = ((block,) for block in (*figure, *(table for over in PARTS for table in _part_table(review, over, labels))))
    sentence = text(say_life(review, labels))
    return (Section(say("How alive the groups are", "社群活跃度"), (sentence, said, Grid(tuple(cells))), (sentence,), whole=False),)


def say_life(review: Review, labels: Labels) -> str:
    """Say how many members are active, how soon half are not, and which groups are silent; empty where nothing is known."""
    if (life := review.life) is None:
        return ""
    whole = life.parts.row(0, named=True)
    active, of = labels.number(whole["active"]), labels.number(whole["in_for"])
    half = whole["half_life"]
    decay = "" if half is None else labels.say("; half of them fall silent within {} days", "；约 {} 天后一半成员沉默").format(_days(half))
    silent = labels.say("; silent: {}", "；已沉默的社群：{}").format(name_some(life.silent, labels)) if life.silent else ""
    en = f"{active} of {of} members gave a sign of life lately{decay}{silent}."
    return labels.say(en, f"{of} 位成员中近期有 {active} 位有活跃迹象{decay}{silent}。")


def name_some(names: list[str], labels: Labels, most: int = 3) -> str:
    """Name some groups, and count the rest."""
    more = labels.say(" and {} more", "等 {} 个").format(len(names) - most if labels.lang == "en" else len(names))
    return labels.say(", ", "、").join(names[:most]) + (more if len(names) > most else "")


def _weeks(weeks: pl.DataFrame, labels: Labels) -> charts.Lines:
    drawn = []
    for kind in reversed(weeks["kind"].unique(maintain_order=True).to_list()):
        points = [(float(week), share) for week, share in weeks.filter(kind=kind).select("week", "share").rows()]
        color = charts.STRONG if kind == "any" else charts.ACCENT if kind == "speak" else charts.MUTED
        drawn.append(charts.Line(_kind(kind, labels), points, color, dashed=kind != "any", dots=kind == "any"))
    last = int(weeks.select(pl.col("week").max()).item())
    step = -(-last // 8)
    across = [(week, str(week)) for week in range(1, last + 1, step)]
    up = [(level / 100, labels.share(level / 100)) for level in range(0, 101, 25)]
    title = labels.say("Share of members with a sign of life", "有活跃迹象的成员比例")
    return charts.Lines(title, drawn, across, up, labels.say("week since joining", "入群后第几周"))


def _kind(kind: str, labels: Labels) -> str:
    return labels.say(*_KINDS[kind]) if kind in _KINDS else kind


def _part_table(review: Review, over: str, labels: Labels) -> tuple[Table, ...]:
    assert review.life is not None
    part, say = review.life.parts.filter(over=over), labels.say
    if part.is_empty() and over != "group":
        return ()
    shown = part.sort(~pl.col("silent"), maintain_order=True).head(_ROWS)
    rows = tuple(_part_row(over, each, labels) for each in shown.to_dicts())
    whole = (_part_row("all", review.life.parts.row(0, named=True), labels),) if over == "group" else ()
    headings = columns(
        "", *(say(*pair) for pair in (("Members", "成员"), ("Active", "活跃"), ("Share", "活跃率"), ("Half-life", "半衰期")))
    )
    more = part.height - len(rows)
    under = (say(f"and {more} more in life.csv", f"另有 {more} 行见 life.csv"),) if more else ()
    return (Table(headings, whole + rows, title=say(*OVER_WORDS[over]), look="tight", under=under),)


def _part_row(over: str, each: dict[str, Any], labels: Labels) -> Row:
    name = labels.say("all members", "全部成员") if over == "all" else name_value(over, each["value"], labels)
    share = each["active"] / each["in_for"] if each["in_for"] else None
    low, half, high = (each[key] for key in ("half_life_low", "half_life", "half_life_high"))
    between = "" if half is None else f"{_days(low)}–{_days(high)}" if high is not None else f"≥ {_days(low)}"
    return row(
        Cell(name, small=labels.say("silent", "已沉默") if each["silent"] else "", mark="current" if each["silent"] else ""),
        labels.number(each["members"]),
        labels.number(each["active"]),
        Cell(labels.share(share), part=share),
        Cell("–" if half is None else labels.say("{} days", "{} 天").format(_days(half)), small=between),
        role="sum" if over == "all" else "",
    )


def _days(days: float) -> str:
    return f"{days:.1f}" if days < 10 else f"{days:,.0f}"


def _care(review: Review, labels: Labels) -> tuple[Section, ...]:
    """Count by group who is to be seen to; who they are, the lists say."""
    counts = [
        frame.group_by("group").agg(pl.len().alias(name)) for name, frame in (("late", review.complaints), ("breaches", review.breaches))
    ]
    both = counts[0].join(counts[1], on="group", how="full", coalesce=True, nulls_equal=True).sort("group", nulls_last=True)
    if both.is_empty():
        return ()
    say = labels.say
    rows = tuple(row(name_value("group", group, labels), *(labels.number(count or 0) for count in rest)) for group, *rest in both.rows())
    headings = columns(
        say("Group", "社群"), say("Complaints open too long", "超时未结的投诉"), say("Broke the rules again", "再次违反群规")
    )
    under = (
        say("Who they are: complaints.csv, for the service team.", "名单见 complaints.csv，请交服务人员处理。"),
        say("To remove: breaches.csv; the next launch leaves them out.", "请移出群：breaches.csv；下次活动不再邀请。"),
    )
    table = Table(headings, rows, look="tight", under=under)
    return (Section(say("To see to now", "现在要处理"), (table,), (table,)),)
