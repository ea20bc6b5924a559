"""What a launch comes to, at one look: whom to invite and what it should bring, whether the target is reached, who is told what by when."""

from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from segmenter.contacts import hide
from segmenter.evaluation.forecast import Forecast
from segmenter.money import to_minor
from segmenter.report import pictures
from segmenter.report.call_sheet_words import opening_line
from segmenter.report.event_calendar import short_day
from segmenter.report.labels import Labels, ratio
from segmenter.report.language import translate
from segmenter.report.sections import Advice, Block, Cell, Glossary, Grid, Section, Squares, Table, Text, columns, marked, note, row, text
from segmenter.settings import CoreSettings

if TYPE_CHECKING:
    from segmenter.launch_plan import LaunchPlan

# From which chance on a target is so reached.
_REACHED = (
    (0.9, "will very likely be reached", "很可能达成"),
    (0.6, "will probably be reached", "大概率达成"),
    (0.4, "may be reached or not: about even", "能否达成各半"),
    (0.1, "will probably be missed", "大概率达不成"),
    (0.0, "will almost surely be missed", "几乎肯定达不成"),
)


def verdict(plan: "LaunchPlan", eligible: pl.DataFrame, settings: CoreSettings, labels: Labels) -> Advice:
    """Say whom to invite and what it should bring; what to do by when; and what to watch out for."""
    say, number, counts = labels.say, labels.number, plan.counts
    facts = {"invited": number(counts["invited"]), "eligible": number(counts["eligible"]), "to": settings.launch.topic or ""}
    whom = say("Invite {invited} of {eligible} eligible customers", "从 {eligible} 位符合条件的客户中邀请 {invited} 位")
    whom = (whom + (say(" to {to}", "加入“{to}”") if facts["to"] else "")).format(**facts)
    sentences = [text(whom + say(": ", "：") + _brings(plan, eligible, settings, labels) + say(".", "。"))]
    watch = []
    if plan.obstacles:
        watch.append(
            say("the plan falls short as it stands: first settle what is in red below.", "方案尚有不足，请先处理下方红框中的内容。")
        )
    elif plan.warnings:
        first = say("first read what stands under “Before you go on” ({}).", "请先看“使用前请注意”中的 {} 条。")
        watch.append(first.format(number(len(plan.warnings))))
    if counts["held_out"]:
        apart = say(
            "Nobody may call the {} customers of the control group: they show what would have come anyway.",
            "请勿联系留出组的 {} 位客户：他们用来衡量不邀请时本来会有的销售。",
        )
        watch.append(apart.format(number(counts["held_out"])))
    if watch:
        sentences.append(marked(say("**Watch out:** ", "**注意：**") + say(" ", "").join(watch)))
    if not plan.invite_list.is_empty():
        sentences.append(_next(plan, settings, labels))
    return Advice(tuple(sentences), "attention" if plan.obstacles or plan.warnings else "good")


def _brings(plan: "LaunchPlan", eligible: pl.DataFrame, settings: CoreSettings, labels: Labels) -> str:
    """Say how many should join and what they should buy, against the target."""
    say, number, expected = labels.say, labels.number, plan.forecast
    if expected is None:
        joins = number(round(plan.invite_list["join_chance"].sum()))
        share = labels.share(ratio(int(plan.invite_list["spend"].sum()), int(eligible["spend"].sum())))
        words = say("about {} should join; they make {} of the eligible's spend", "预计约 {} 人入群；名单占符合条件客户消费额的 {}")
        return words.format(joins, share)
    (fewest, _, most), (low, _, high) = expected.joins, expected.sales
    words = say(
        "in 8 of 10 cases {} to {} join, who would buy for {} to {} within {} days even without the launch",
        "十次中有八次，{0}–{1} 人入群，这些人 {4} 天内本来就会消费 {2} – {3}",
    )
    said = words.format(number(fewest), number(most), labels.money(low), labels.money(high), settings.launch.horizon_days)
    return said + say(". ", "。") + _reached(expected, labels) if expected.target is not None else said


def _reached(expected: Forecast, labels: Labels) -> str:
    """Say in words whether the target is reached, and how often in a hundred."""
    chance = expected.chance or 0.0
    _, en, zh = next(words for words in _REACHED if chance >= words[0])
    said = labels.say("The target of {} {} (reached in {} of 100 cases)", "{} 的目标{}（100 次中有 {} 次达成）")
    often = labels.say("less than 1", "不到 1") if chance < 0.01 else str(round(100 * chance))
    return said.format(labels.money(expected.target), labels.say(en, zh), often)


def _next(plan: "LaunchPlan", settings: CoreSettings, labels: Labels) -> Text:
    """Say who is told what, by when."""
    say, agents = labels.say, settings.plan.agents
    first, last = _first_and_last(plan.calls, plan.invite_list)
    sentence = say(
        "**{then}:** {hand} by {first}. The {key_users} key users are called first; calls end on {last}, the lists are good until {until}.",
        "**{then}：**{first}前{hand}。先联系 {key_users} 位核心用户；外呼至{last}，名单有效期至{until}。",
    )
    if not plan.counts["key_users"]:
        sentence = say(
            "**{then}:** {hand} by {first}; calls end on {last}, and the lists are good until {until}.",
            "**{then}：**{first}前{hand}；外呼至{last}，名单有效期至{until}。",
        )
    to_agents = say(f"give each of the {len(agents)} agents their call sheet", f"把外呼表发给 {len(agents)} 位客服")
    hand = to_agents if agents else say("hand out the call sheets of the regions", "按地区分发外呼表")
    days = {"first": short_day(first, labels), "last": short_day(last, labels), "until": short_day(plan.valid_until, labels)}
    then = say("After that", "处理之后") if plan.obstacles else say("Next", "下一步")
    return marked(sentence, then=then, hand=hand, key_users=labels.number(plan.counts["key_users"]), **days)


def _first_and_last(calls: pl.DataFrame, listed: pl.DataFrame) -> tuple[date, date]:
    days = listed["call_on"] if calls.is_empty() else calls["day"]
    first, last = days.min(), days.max()
    assert isinstance(first, date)
    assert isinstance(last, date)
    return first, last


def outlook(plan: "LaunchPlan", settings: CoreSettings, labels: Labels) -> list[Section]:
    """Answer whether the target is reached and how that is known, with a picture."""
    say, expected, launch = labels.say, plan.forecast, settings.launch
    if expected is None:
        return []
    known = say(
        "How this is known: the same choice was made as of {dates} past dates, {first} to {last}, and what those customers then bought "
        "within {days} days was counted; who joins is taken to buy like others of their rank. "
        "In 8 of 10 cases the truth lies within the bars. They would buy this anyway: what the launch "
        "itself adds is not in it{shown}.",
        "依据：在 {first} 至 {last} 的 {dates} 个以往日期上，按同样方法选出名单，并统计这些客户之后 {days} 天内的实际消费；"
        "入群者按同名次客户估算。"
        "十次中有八次落在条形范围内。这些消费不邀请也会发生，未计入活动带来的增量{shown}。",
    )
    shown = say("; the control group will show it", "；增量由留出组衡量") if plan.counts["held_out"] else ""
    past = {"dates": labels.number(len(expected.cuts)), "first": labels.day(expected.cuts[-1]), "last": labels.day(expected.cuts[0])}
    blocks: list[Block] = [text(_answer(expected, labels))] if expected.target is not None else []
    blocks += [text(known.format(**past, days=launch.horizon_days, shown=shown)), _sales(expected, settings, labels)]
    heading = say("What to expect, and how it is known", "预期及依据")
    if expected.target is not None:
        heading = say("Will {} be reached, and how is that known?", "能否达成 {}？依据是什么？").format(labels.money(expected.target))
    return [Section(heading, tuple(blocks))]


def grounds(plan: "LaunchPlan", settings: CoreSettings, labels: Labels) -> Section:
    """List what the plan rests on; what it should bring is said above."""
    sentence = None if plan.forecast is None else translate(plan.forecast.sentence(settings.launch.currency), labels.lang)
    notes = (translate(each, labels.lang) for each in plan.notes)
    return Section(labels.say("What the plan rests on", "方案的前提"), tuple(text(said) for said in notes if said != sentence))


def _answer(expected: Forecast, labels: Labels) -> str:
    say, number = labels.say, labels.number
    sure, said = f"{100 * expected.confidence:g}%", _reached(expected, labels)
    if expected.needed is None:
        more = say(
            "Even all {} who could be invited would not reach it with a certainty of {}; with that certainty they reach {}",
            "即使邀请全部 {} 位可邀请的客户，也没有 {} 的把握达成；有此把握的金额为 {}",
        ).format(number(expected.available), sure, labels.money(expected.within_reach))
    else:
        more = say("It takes {} invitations to reach it with a certainty of {}", "需邀请 {} 人才有 {} 的把握达成").format(
            number(expected.needed), sure
        )
    return f"{said}{say('. ', '。')}{more}{say('.', '。')}"


def _sales(expected: Forecast, settings: CoreSettings, labels: Labels) -> Table:
    """Show wave by wave between what the sales should lie, held against the target."""
    say, target, currency = labels.say, settings.launch.target, settings.launch.currency
    minor, waves = None if target is None else to_minor(target, currency), expected.by_wave.to_dicts()
    end = 1.02 * max(1, minor or 0, *(wave["sales_high"] for wave in waves))
    rows = []
    for wave in waves:
        low, middle, high = (wave[f"sales{name}"] for name in ("_low", "", "_high"))
        bar = Cell("", part=high / end, start=low / end, mark_at=None if minor is None else minor / end)
        between = say("{} to {}", "{} – {}").format(labels.money(low), labels.money(high))
        rows.append(
            row(
                str(wave["wave"]),
                labels.number(wave["invitations"]),
                bar,
                Cell(between, say("middle {}", "中位 {}").format(labels.money(middle))),
            )
        )
    title = say("Sales to expect within {} days, wave by wave", "{} 天内预期销售（按批次累计）").format(settings.launch.horizon_days)
    under = () if minor is None else (say("The orange line is the target: {}.", "橙线为目标：{}。").format(labels.money(minor)),)
    headings = say("Up to wave", "截至批次"), say("Invited", "邀请"), say("Sales", "销售额"), say("In 8 of 10 cases", "把握八成的范围")
    return Table(columns(*headings), tuple(rows), title, under=under)


def who_when(plan: "LaunchPlan", settings: CoreSettings, labels: Labels) -> list[Section]:
    """Show who is told what and by when: the waves, the days of the calls, and the opening words."""
    if plan.invite_list.is_empty():
        return []
    say = labels.say
    days = _calendar(plan, labels)
    launch, needs = settings.launch, {persona.name: persona for persona in settings.personas}
    told = []
    for name in plan.personas.to_series(0).to_list() if plan.personas.height else [None]:
        need = needs.get(name or "")
        hook, line = (need and need.hook) or launch.offer, opening_line(launch, labels, need)
        if words := [word for word in (None if hook and hook in line else hook, line) if word]:
            who = say("everybody", "所有客户") if name is None else say("Other", "其他") if need is None else name
            told.append((who, hide(say(" – ", "。").join(words))))
    said: list[Block] = [Glossary(tuple(told), say("What to say", "怎么说"))] if told else []
    silent = say(
        "No opening words are set (launch.script, launch.offer): agents have the reason of each customer on their sheet.",
        "未设置开场白（launch.script、launch.offer）：外呼表写明每位客户的推荐理由。",
    )
    return [
        Section(
            say("Who is told what, by when", "联系谁、说什么、何时之前"),
            (_waves(plan, labels), Grid(((days,), (*(said or [note(silent)]),)))),
            whole=False,
        )
    ]


def _waves(plan: "LaunchPlan", labels: Labels) -> Table:
    """Say of each wave whom it has, when it is called, and what it leads up to."""
    say, number = labels.say, labels.number
    headings = [say("Wave", "批次"), say("Calls", "外呼"), say("Invitations", "邀请人数")]
    listed = plan.invite_list.group_by("wave").agg(pl.col("call_on").min(), pl.col("call_on").max().alias("last"), pl.len().alias("count"))
    waves, rows = listed.sort("wave"), list[list[str | Cell]]()
    for wave, first, last, count in waves.rows():
        until = "" if first == last else say("to {}", "至 {}").format(short_day(last, labels))
        rows.append([labels.wave(wave), Cell(short_day(first, labels), until), number(count)])
        if plan.live_events:
            event = next((each for each in plan.live_events if last < each.remind_on), None)
            rows[-1].append("–" if event is None else Cell(short_day(event.day, labels), event.time or ""))
    headings += [say("Before the live event of", "为群活动预热")] if plan.live_events else []
    if plan.forecast is not None:
        headings.append(say("Joins up to here", "累计入群"))
        joins = {wave["wave"]: (wave["joins_low"], wave["joins_high"]) for wave in plan.forecast.by_wave.to_dicts()}
        for wave, cells in zip(waves["wave"], rows, strict=True):
            cells.append(say("{} to {}", "{}–{}").format(*map(number, joins[wave])))
    return Table(columns(*headings, left=(0, 1)), tuple(row(*cells) for cells in rows), look="tight")


def _calendar(plan: "LaunchPlan", labels: Labels) -> Squares:
    from babel.dates import get_day_names, get_month_names

    say, listed = labels.say, plan.invite_list.group_by(pl.col("call_on").alias("day")).agg(pl.len().alias("calls"))
    by_day = dict((listed if plan.calls.is_empty() else plan.calls.group_by("day").agg(pl.col("calls").sum())).sort("day").rows())
    events = {event.day for event in plan.live_events}
    words = {event.remind_on: say("remind", "提醒") for event in plan.live_events} | dict.fromkeys(events, say("event", "活动"))
    names, months = get_day_names("abbreviated", locale=labels.locale), get_month_names("abbreviated", locale=labels.locale)
    drawn = pictures.calendar(by_day, words, frozenset(events), [months[at] for at in range(1, 13)])
    return Squares(say("Calls by day", "逐日外呼数"), drawn, tuple(names[at] for at in range(7)))
