"""Who comes first, and why: the key users from whom most is reached, as a section of a launch's report."""

from typing import TYPE_CHECKING, Any

import polars as pl

from segmenter.planning import KeyUserChoice
from segmenter.report import charts
from segmenter.report.labels import Labels
from segmenter.report.language import translate
from segmenter.report.sections import Cell, Figure, Grid, Section, Table, columns, marked, note, row

if TYPE_CHECKING:
    from segmenter.launch_plan import LaunchPlan

_SHOWN, _BRIEF, _GROUPS = 30, 8, 40  # key users on the page and in the terminal, and groups


def key_users(plan: "LaunchPlan", horizon_days: int, labels: Labels) -> list[Section]:
    """Say whom the key users bring, and what others at their places would; show each of the first, and how reach grows with them."""
    if (choice := plan.spread) is None:
        return []
    say = labels.say
    names = {str(segment): name for segment, name in plan.segments.select("segment", "name").rows()}
    mostly = [_mostly(each, names, labels) for each in choice.people.to_dicts()]
    people = choice.people.with_columns(mostly=pl.Series(mostly, dtype=pl.String))
    why = say(
        "Whoever a key user brings may bring others in turn; who two of them would bring counts once, for the one who comes first. New: "
        "people who are known to nobody yet, by how many the key user has brought so far. No key user counts as brought. The interval is "
        "the error of the estimate (80 %): a launch varies by chance besides.",
        "被带来的人还会继续带人；两位核心用户都能带来的人只计一次，计给排在前面的一位。“新客”指名单之外的新朋友，按其以往带人的多少估计。"
        "核心用户之间互相带来的不计。区间只反映估计误差（八成把握），实际活动另有偶然波动。",
    )
    bound = say(
        "No other choice for these places brings more than {} times as much, by what is known (bound of OPIM-C).",
        "据现有资料，同样名额的任何其他选法最多能达到这里的 {} 倍（OPIM-C 上界）。",
    ).format(f"{1 / choice.guarantee:.1f}" if choice.guarantee else "–")
    chances = [translate(sentence, labels.lang) for sentence in choice.chances.notes]
    sentence, compared = _sentence(choice, horizon_days, labels), _compared(choice, labels)
    chart = Figure(_chart(choice, labels), say("People brought, by the number of key users", "核心用户人数与带来的人数"))
    several = people["group"].n_unique() > 1
    blocks = (
        sentence,
        *([note(_stop(choice, labels))] if choice.people.height > 1 else []),
        Grid(((chart,), (compared, *([_by_group(people, labels)] if several else [])))),
        _first(people.head(_SHOWN), choice, labels, under=(*chances, f"{why} {bound}")),
    )
    title = say("Key users: who comes first, and why", "核心用户：谁先邀请，为什么")
    return [Section(title, blocks, brief=(sentence, compared, _first(people.head(_BRIEF), choice, labels)), whole=False)]


def _sentence(choice: KeyUserChoice, days: int, labels: Labels) -> Any:
    say, number, brings = labels.say, labels.number, choice.brings
    spend = "" if choice.unit != "spend" else say(", who are expected to spend {worth}", "，其预计消费 {worth}")
    by = say("what those whom they bring would spend", "所带来的人的预计消费") if spend else say("how many they bring", "能带来多少人")
    others = [
        say("{name} would bring {people}", "{name}能带来 {people} 人").format(
            name=_name(other.by, labels), people=_many(other.brings, labels)
        )
        for other in choice.others
        if other.by != "degree"
    ]
    en = "**{count} key users** come first, by {by}: once all have joined about **{people} people** ({low} to {high}) within {days} days"
    zh = "**{count} 位核心用户**按{by}优先邀请：全部入群后，预计 {days} 天内共带来约 **{people} 人**（{low}–{high}）"
    return marked(
        say(en, zh) + spend + say(". In the same places, {others}.", "。同样的名额，{others}。"),
        count=number(choice.people.height),
        by=by,
        people=_many(brings.mean, labels),
        low=_many(max(brings.low, 0.0), labels),
        high=_many(brings.high, labels),
        days=str(days),
        worth=labels.money(choice.worth.mean),
        others=say(", ", "，").join(others),
    )


def _name(by: str, labels: Labels) -> str:
    names = {
        "score": ("the best by score", "评分最高者"),
        "degree": ("those who know most people", "认识人最多者"),
        "advocacy": ("the best advocates on the list", "名单中最积极的推荐者"),
    }
    return labels.say(*names[by])


def _stop(choice: KeyUserChoice, labels: Labels) -> str:
    if choice.stop is None:
        return labels.say(
            "Each of them brings at least a tenth of what the best one does: none is too many.",
            "每一位带来的人都不少于最多者的十分之一：没有多余的核心用户。",
        )
    return labels.say(
        "After the first {} each brings less than a tenth of what the best one does: so many are worth the special care (plan.key_users).",
        "第 {} 位之后，每位带来的人不足最多者的十分之一：到此为止值得重点照顾（plan.key_users）。",
    ).format(labels.number(choice.stop))


def _compared(choice: KeyUserChoice, labels: Labels) -> Table:
    say, spend = labels.say, choice.unit == "spend"
    ours = (say("by whom they bring", "按带人多少"), _many(choice.brings.mean, labels), "", labels.money(choice.worth.mean))
    rows = [row(*ours[: 4 if spend else 3], role="now")]
    for other in choice.others:
        low, high = (_many(-bound, labels) for bound in (other.more.high, other.more.low))
        between = Cell(_many(-other.more.mean, labels), small=say("{} to {}", "{} – {}").format(low, high))
        rows.append(row(_name(other.by, labels), _many(other.brings, labels), between, *([labels.money(other.worth)] if spend else [])))
    headings = [say("Key users in the same places", "同样名额的核心用户"), say("People brought", "带来人数"), say("Difference", "相差")]
    return Table(columns(*headings, *([say("Who spend", "其预计消费")] if spend else [])), tuple(rows), look="tight")


def _first(people: pl.DataFrame, choice: KeyUserChoice, labels: Labels, under: tuple[str, ...] = ()) -> Table:
    """List the first key users: with their ids in the terminal, where nothing stands under it."""
    say, number, spend, ids = labels.say, labels.number, choice.unit == "spend", not under
    rows = []
    for each in people.to_dicts():
        who = [str(each["order"]), *([each["customer_id"]] if ids else []), each["group"], each["mostly"] or ""]
        figures = [f"{each['score']:.0f}", number(each["knows"]), _many(each["brings"], labels)]
        rows.append(row(*who, *figures, *([labels.money(each["worth"])] if spend else [])))
    who = [say("No.", "序号"), *([say("customer", "客户")] if ids else []), say("Group", "社群"), say("Brings mostly", "主要带来")]
    figures = [say("Score", "评分"), say("Knows", "认识人数"), say("Brings", "带来人数")]
    headings = columns(*who, *figures, *([say("Who spend", "其预计消费")] if spend else []), left=tuple(range(len(who))))
    title = say("The first {}; key_users.csv has them all", "前 {} 位，全部见 key_users.csv").format(len(rows))
    return Table(headings, tuple(rows), title, look="tight", under=under)


def _many(people: float, labels: Labels) -> str:
    """Write how many people: with a decimal where they are few."""
    return labels.number(round(people, 0 if abs(people) >= 20 else 1))


def _mostly(each: dict[str, Any], segments: dict[str, str], labels: Labels) -> str | None:
    kind = segments.get(str(each["kind"]), each["kind"]) if each["kind_column"] == "segment" else each["kind"]
    parts = [part for part in (kind, each["city"]) if part is not None]
    return labels.say(", ", "，").join(parts) or None


def _by_group(people: pl.DataFrame, labels: Labels) -> Table:
    say = labels.say
    groups = people.group_by("group", maintain_order=True).agg(pl.len(), pl.col("brings")).sort("group").head(_GROUPS)
    rows = [row(group, labels.number(many), _many(sum(brings), labels)) for group, many, brings in groups.rows()]
    headings = (say("Group", "社群"), say("Key users", "核心用户"), say("Bring", "带来人数"))
    return Table(columns(*headings), tuple(rows), look="tight")


def _chart(choice: KeyUserChoice, labels: Labels) -> charts.Lines:
    most, reach = choice.people.height, choice.people["upto"].to_list()
    lines = [
        charts.Line(labels.say("by reach", "按带人多少"), [(0.0, 0.0), *((float(k), r) for k, r in enumerate(reach, 1))], charts.STRONG)
    ]
    if choice.stop is not None:
        stop = [(float(choice.stop), 0.0), (float(choice.stop), reach[choice.stop - 1])]
        lines.append(charts.Line(labels.say("enough", "到此为止"), stop, charts.ACCENT, dashed=True))
    across = sorted({0, *(round(most * part / 5) for part in range(1, 6))} | {most, 1})
    top = max(reach[-1], 0.1)
    step = next(step for size in range(-2, 12) for unit in (1, 2, 5) if (step := unit * 10.0**size) * 5 >= top)
    up = [(step * mark, f"{step * mark:g}") for mark in range(int(-(-top // step)) + 1)]
    marks = [(float(mark), str(mark)) for mark in across if mark != 1 or most == 1]
    return charts.Lines(
        labels.say("People brought, by the number of key users", "核心用户人数与带来的人数"),
        lines,
        marks,
        up,
        labels.say("key users", "核心用户人数"),
    )
