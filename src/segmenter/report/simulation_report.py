"""What a launch that spreads may come to, tier by tier."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from segmenter.evaluation.fission import MONEY, Simulation
from segmenter.report import charts
from segmenter.report.labels import Labels
from segmenter.report.language import translate
from segmenter.report.review_report import mark_amounts, mark_days
from segmenter.report.sections import Advice, Cell, Code, Fact, Figure, Grid, Report, Section, Table, columns, note, row, text
from segmenter.report.shell_commands import next_command
from segmenter.settings import SimulateJob
from segmenter.settings.rewards import Tier

_FIGURES = {
    "members": ("Members", "成员"),
    "brought": ("of whom brought", "其中被带来"),
    "new": ("New customers brought", "带来的新客"),
    "people": ("People brought", "带来的人"),
    "turned_away": ("Found no place", "群满未能加入"),
    "sales": ("Sales", "消费额"),
    "cost": ("Cost", "成本"),
    "each": ("Cost per person brought", "每带来一人的成本"),
    "net": ("Margin less cost", "毛利减成本"),
}
_COLORS = (charts.MUTED, charts.STRONG, charts.ACCENT)


def simulation_report(found: Simulation, settings: SimulateJob, typed: Sequence[str] = ()) -> Report:
    """Say what the simulation came to, in the launch's language."""
    launch, labels = settings.launch, Labels(settings.lang, settings.launch.currency)
    say, days = labels.say, launch.horizon_days
    advice = [text(sentence) for sentence in conclude_simulation(found, labels)]
    promised = {tier.name: _promise(tier, labels) for tier in settings.fission.offered}
    wide, narrow = ("members", "brought", "new", "turned_away", "sales", "cost", "each", "net"), ("members", "people", "cost")
    tables = [_table(found.totals, wide, promised, labels)]
    if found.differences.height:
        title = say("More than with {}", "比 {} 多出").format(found.totals["tier"][0])
        tables.append(_table(found.differences, wide, promised, labels, title=title))
    command = next_command("launch", typed, {"fission.": None, "out": None})
    rests = Section(say("What this rests on", "依据与假设"), tuple(text(translate(each, labels.lang)) for each in found.notes))
    how = note(
        say(
            f"The plan was run forward {found.runs:,} times over {days} days, each time with other chances as far as they are not known. "
            "Each figure is the middle of these runs; in 8 of 10 it is between the two below it. All tiers meet the same luck, so their "
            "differences are surer than the figures themselves.",
            f"将方案向前模拟 {days} 天，共 {found.runs:,} 次，每次重新抽取未知的概率。数字为各次模拟的中位数，其下为八成模拟所处的区间。"
            "各档奖励在同一次模拟中运气相同，因此档位之差比数字本身更可靠。",
        )
    )
    first = found.totals.row(0, named=True)
    return Report(
        kind=say("fission simulation", "裂变模拟"),
        eyebrow=say("Simulation: what a launch that spreads may bring", "裂变模拟：活动传播开来会带来什么"),
        name=launch.name,
        topic=launch.topic or "",
        advice=Advice((*advice, how), "good" if found.recommended else "attention"),
        tiles=tuple(
            Fact(say(*_FIGURES[name]), figure.text, f"“{first['tier']}” · {figure.small}" if figure.small else f"“{first['tier']}”")
            for name in ("members", "brought", "new", "sales")
            if first[name] is not None
            for figure in (_cell(first, name, labels),)
        ),
        caution=say("Before you believe it", "解读前请注意"),
        warnings=tuple(translate(warning, labels.lang) for warning in found.warnings),
        sections=(
            Section(say("The tiers beside each other", "各档奖励对比"), tuple(tables), whole=False),
            Section(
                say("Day by day, with the middle 8 of 10 runs", "逐日变化（阴影为居中的八成模拟）"),
                (Grid(tuple((figure,) for figure in _charts(found, days, settings, labels))),),
                whole=False,
            ),
            Section(say("Generations", "传播代数"), (_generations(found, labels),)),
            rests,
            Section(
                brief=(
                    *advice,
                    _table(found.totals, narrow, promised, labels, plain=True),
                    *rests.blocks,  # type: ignore[arg-type]
                    text(say("To plan the launch: ", "制定正式方案： "), Code(command)),
                )
            ),
        ),
        footer=labels.footer(launch.timezone),
    )


def conclude_simulation(found: Simulation, labels: Labels) -> list[str]:
    """Say of each tier what it surely brings more than the first, and at what price; and which to take, where that can be told."""
    first, said = found.totals["tier"][0], []
    for each in found.differences.iter_rows(named=True):
        people, cost = _range(each, "people", labels), _range(each, "cost", labels)
        if each["people_low"] > 0:
            one = _range(each, "each", labels)
            en = f"“{each['tier']}” brings {people} more people than “{first}” and costs {cost} more: {one} for each."
            sentence = labels.say(en, f"“{each['tier']}”比“{first}”多带来 {people} 人，多花 {cost}：每多一人 {one}。")
        else:
            en = f"Whether “{each['tier']}” brings more people than “{first}” cannot be told ({people} more, for {cost})."
            sentence = labels.say(en, f"无法判断“{each['tier']}”是否比“{first}”带来更多人（多 {people} 人，多花 {cost}）。")
        said.append(sentence)
    if not said:
        people, members = (
            _range(found.totals.row(0, named=True), "people", labels),
            _range(found.totals.row(0, named=True), "members", labels),
        )
        return [labels.say(f"{members} members, and {people} people brought.", f"预计成员 {members} 人，被带来 {people} 人。")]
    if found.recommended is not None:
        return [
            labels.say(f"Take “{found.recommended}”: most is left of its sales.", f"建议采用“{found.recommended}”：扣除成本后所得最多。"),
            *said,
        ]
    if found.differences["net"].is_not_null().any():
        return [labels.say("No tier surely pays, and none surely does not.", "各档奖励是否划算，尚无法判断。"), *said]
    en = "What a person is worth to you decides; with fission.margin sales and cost are set off against each other."
    return [*said, labels.say(en, "是否值得，取决于每多一人对您的价值；设置 fission.margin 后，会把消费额与成本相抵。")]


def _amount(name: str, value: float, labels: Labels) -> str:
    return labels.money(value) if name in MONEY else labels.number(value)


def _range(each: dict[str, Any], name: str, labels: Labels) -> str:
    low, high = (_amount(name, each[f"{name}_{end}"], labels) for end in ("low", "high"))
    return low if low == high else labels.say(f"{low} to {high}", f"{low} 至 {high}")


def _cell(each: dict[str, Any], name: str, labels: Labels) -> Cell:
    """Write a figure with its range, where it has one; a dash where there is none."""
    if each[name] is None:
        return Cell("–")
    return Cell(_amount(name, each[name], labels), "" if each[f"{name}_low"] == each[f"{name}_high"] else _range(each, name, labels))


def _table(
    frame: pl.DataFrame, names: tuple[str, ...], promised: dict[str, str], labels: Labels, *, plain: bool = False, title: str = ""
) -> Table:
    """Show figures by tier, with their ranges beside or, on a page, below them; those that are nothing at all are left out."""
    shown = [name for name in names if name in ("members", "cost") or (frame[f"{name}_high"].fill_null(0) != 0).any()]
    rows = []
    for each in frame.iter_rows(named=True):
        cells = [_cell(each, name, labels) for name in shown]
        ranges = [f"{cell.text} ({cell.small})" if plain and cell.small else cell for cell in cells]
        rows.append(row(Cell(each["tier"], promised[each["tier"]]), *ranges))
    return Table(columns(labels.say("Tier", "档位"), *(labels.say(*_FIGURES[name]) for name in shown)), tuple(rows), title=title)


def _charts(found: Simulation, days: int, settings: SimulateJob, labels: Labels) -> list[Figure]:
    """Draw by day, with bands, what the first tiers come to."""
    shown = found.totals["tier"].to_list()[: len(_COLORS)]
    figures = []
    for name in ("people", "cost", "members", "sales"):
        if name not in found.daily.columns or not found.daily[f"{name}_high"].max():
            continue
        lines = []
        for tier, color in zip(shown, _COLORS, strict=False):
            part = found.daily.filter(tier=tier).select(f"{name}_low", name, f"{name}_high").rows()
            points = [(day + 1, middle) for day, (_, middle, _) in enumerate(part)]
            lines.append(charts.Line(tier, points, color, band=[(day + 1, low, high) for day, (low, _, high) in enumerate(part)]))
        most = float(found.daily.filter(pl.col("tier").is_in(shown))[f"{name}_high"].max() or 0)  # type: ignore[arg-type]
        up = mark_amounts(most, labels) if name in MONEY else _marks(most, labels)
        title = labels.say(*_FIGURES[name])
        since = labels.say("days since {}", "自 {} 起的天数").format(settings.launch.as_of)
        figures.append(Figure(charts.Lines(title, lines, mark_days(days), up, since), title))
    return figures


def _marks(most: float, labels: Labels) -> charts.Marks:
    step = next(size for power in range(9) for size in (10**power, 2 * 10**power, 5 * 10**power) if most <= 5 * size)
    return [(level, labels.number(level)) for level in range(0, int(most) + step, step)]


def _generations(found: Simulation, labels: Labels) -> Table:
    """Show members by generation, a row for each."""
    tiers = found.totals["tier"].to_list()
    wide = {(each["tier"], each["generation"]): _cell(each, "members", labels) for each in found.generations.iter_rows(named=True)}
    last = max((generation for _, generation in wide), default=0)
    names = [labels.say("called", "受邀加入"), *(labels.say(f"generation {number}", f"第 {number} 代") for number in range(1, last + 1))]
    rows = tuple(row(name, *(wide.get((tier, number), Cell("–")) for tier in tiers)) for number, name in enumerate(names))
    return Table(columns(labels.say("Members by generation", "各代成员"), *tiers), rows)


def _promise(tier: Tier, labels: Labels) -> str:
    """Say what a tier promises for so many friends: 1: 30 %, 2: 40 %."""
    promised = [
        f"{friends}: {f'{100 * reward.size:g} %' if reward.share is not None else labels.units(reward.size)}"
        for friends, reward in tier.rewards.items()
    ]
    return labels.say(", ", "，").join(promised) or labels.say("no reward", "无奖励")
