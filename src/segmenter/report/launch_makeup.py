"""What a launch's list is made of, as sections of its report: segments, regions, waves, agents, groups."""

from math import log2
from typing import TYPE_CHECKING, Any

import polars as pl

from segmenter.evaluation.launch_sales import FEW
from segmenter.report import charts, pictures
from segmenter.report.labels import Labels, ratio
from segmenter.report.language import translate
from segmenter.report.sections import Cell, Column, Figure, Grid, Section, Squares, Table, columns, note, row
from segmenter.rules import ELIGIBLE
from segmenter.segments.profiles import TELLING
from segmenter.settings import CoreSettings

if TYPE_CHECKING:
    from segmenter.launch_plan import LaunchPlan

_REGIONS = 12
_GROUPS, _SPLIT = 200, 8  # shown, and from which number on in two columns
_MEASURES, _LEFT_OUT = 7, ("average_gap_days",)


def segments(plan: "LaunchPlan", eligible: pl.DataFrame, horizon_days: int, labels: Labels) -> list[Section]:
    """Show who the segments are and what to do with them, their medians beside everyone's, what they went on to do, and their share."""
    if plan.segments.is_empty():
        return []
    say, number = labels.say, labels.number
    medians = [name.removeprefix("median_") for name in plan.segments.columns if name.startswith("median_")]
    # A measure that is the same for everyone would say nothing, and there is not room for all: segments.csv has them.
    telling = [
        name
        for name in medians
        if name not in _LEFT_OUT and not plan.segments[f"median_{name}"].eq_missing(plan.segments[f"everyone_{name}"]).all()
    ]
    measures, listed = telling[:_MEASURES], dict(plan.invite_list.group_by("segment").len().rows())
    known = plan.segments["everyone_later_share"].count() > 0
    rows, cards, whom = [], [], []
    for segment in plan.segments.to_dicts():
        invited, share = listed.get(segment["segment"], 0), float(segment["share"])
        values = [(name, segment[f"median_{name}"], segment[f"everyone_{name}"]) for name in measures]
        cells = [Cell(labels.value(name, median), trend=_trend(median, everyone)) for name, median, everyone in values]
        later = _later(segment["later_share"], segment["later_spend"], labels) if known else ()
        rows.append(row(segment["name"], number(segment["size"]), labels.share(share), number(invited), *cells, *later))
        whom.append(row(segment["name"], segment["who"], segment["advice"]))
        beside = tuple(row(labels.measure(name), _beside(labels.value(name, value), value, usual)) for name, value, usual in values)
        listed_share = labels.share(ratio(invited, plan.invite_list.height) or 0.0)
        about = say("{} of the eligible, {} of the list", "占符合条件客户 {}，占名单 {}").format(labels.share(share), listed_share)
        cards.append((Table(columns(say("Measure", "指标"), say("Middle customer", "中位客户")), beside, segment["name"], under=(about,)),))
    everyone = [labels.value(name, plan.segments[f"everyone_{name}"][0]) for name in measures]
    after = _later(plan.segments["everyone_later_share"][0], plan.segments["everyone_later_spend"][0], labels) if known else ()
    total = (say("Everyone eligible", "全部符合条件客户"), number(eligible.height), "", number(plan.invite_list.height))
    headings = (say("Segment", "客群"), say("Customers", "客户数"), say("Share", "占比"), say("Invited", "邀请"))
    under = say(
        "Medians: half of the segment is above, half below. ▲ at least a quarter above everyone's median, ▼ at least a fifth below.",
        "表中为中位数：一半客户高于它，一半低于它。▲ 比整体中位数高 25% 以上，▼ 低 20% 以上。",
    )
    then = say(
        "The last two columns: what customers like these did in the {} days after earlier dates; – where there were fewer than {}.",
        "最后两列为同类客户在以往日期之后 {} 天内的表现；不足 {} 人的不下结论。",
    ).format(horizon_days, TELLING)
    over = say("{} days after earlier dates", "以往日期后 {} 天内").format(horizon_days)
    told = (say("Ordered again", "再次下单"), say("Spend each", "人均消费")) if known else ()
    table = Table(
        (*columns(*headings, *map(labels.measure, measures)), *(Column(heading, over=over) for heading in told)),
        (*rows, row(*total, *everyone, *after, role="sum")),
        say("Their figures beside everyone's", "各客群指标与整体对比"),
        look="dense",
        under=(under, then) if known else (under,),
    )
    advice = Table(columns(headings[0], say("Who they are", "特点"), say("What to do", "怎么做"), left=(0, 1, 2)), tuple(whom))
    times = say(
        "Each line is the middle customer of the segment beside the middle of everyone eligible (the line): to the right more, to the left "
        "less; the end is four times as much, or a quarter.",
        "每行为该客群的中位客户与全部符合条件客户的中位（竖线）相比：向右为更高，向左为更低；两端为四倍和四分之一。",
    )
    shown = (note(times), Grid(tuple(cards), "cards")) if measures else ()
    return [Section(say("Segments", "客群"), (advice, *shown, table, note(translate(plan.segmentation.why, labels.lang))))]


def _later(share: float | None, spend: int | None, labels: Labels) -> tuple[str, str]:
    """Say what share of a segment ordered again, and what they spent each."""
    unknown = "–"
    return (unknown if share is None else labels.share(share), unknown if spend is None else labels.money(spend))


def _beside(shown: str, value: object, everyone: object) -> Cell:
    """Draw how many times as much as everyone's it is: more to the right of the middle, less to the left."""
    at = 0.5
    if isinstance(value, int | float) and isinstance(everyone, int | float) and everyone > 0:
        at = min(max(0.5 + log2(value / everyone) / 4, 0.0), 1.0) if value > 0 else 0.0
    return Cell(shown, part=max(at, 0.5), start=min(at, 0.5), mark_at=0.5)


def _trend(value: object, everyone: object) -> Any:
    """Say whether a median stands out: at least a quarter above everyone's, or as far below."""
    if not isinstance(value, int | float) or not isinstance(everyone, int | float) or everyone <= 0:
        return ""
    return "up" if value >= 1.25 * everyone else "down" if value <= 0.8 * everyone else ""


def personas(plan: "LaunchPlan", settings: CoreSettings, labels: Labels) -> list[Section]:
    """Show how many have each need, who of them is invited, and what they are offered and told."""
    if plan.personas.is_empty():
        return []
    say, number, needs = labels.say, labels.number, {persona.name for persona in settings.personas}
    rows = []
    for name, customers, eligible, invited, also in plan.personas.rows():
        named = name if name in needs else say("Other", "其他")
        rows.append(row(named, *map(number, (customers, eligible, invited)), also or ""))
    headings = (say("Persona", "画像"), say("Customers", "客户数"), say("Eligible", "符合条件"), say("Invited", "邀请"))
    also_match = say("Of them also match", "同时符合")
    about = say(
        "Of several personas whose conditions a customer meets the first counts. The call sheets say whom to offer and to tell what.",
        "客户归入第一个符合条件的画像；外呼表写明对每位客户主推什么、怎么说。",
    )
    table = Table(columns(*headings, also_match, left=(0, 4)), tuple(rows))
    return [Section(say("Personas", "客户画像"), (note(about), table))]


def parts(plan: "LaunchPlan", eligible: pl.DataFrame, settings: CoreSettings, labels: Labels) -> list[Section]:
    """Count the list by region, on a map or as bars, by segment and by wave."""
    if not eligible["invited"].any():
        return []
    say = labels.say
    regions = _counted(eligible, "region" if settings.plan.by_region == "city" else "province")
    by_region = regions.head(_REGIONS).with_columns(pl.col("name").map_elements(labels.region, pl.String, skip_nulls=False))
    if others := regions.height - by_region.height:
        rest = regions.slice(_REGIONS).select(pl.exclude("name").sum()).row(0)
        by_region = by_region.vstack(
            pl.DataFrame([(say("{} others", "其他 {} 个地区").format(others), *rest)], regions.schema, orient="row")
        )
    names = dict(plan.segments.select("segment", "name").rows())
    by_segment = _counted(eligible, "segment").with_columns(
        pl.col("name").map_elements(lambda segment: names.get(segment, say("none", "无")), pl.String, skip_nulls=False)
    )
    by_wave = _counted(eligible, "wave").sort("name").with_columns(pl.col("name").map_elements(labels.wave, pl.String))
    about = say(
        "Shares are of the list; the last column says how many were eligible there.",
        "占比均以名单为准；最后一列为当地（该客群）符合条件的客户数。",
    )
    grid = Grid(
        (
            (_where(plan.customers, labels),),
            (
                _parts_table(say("By segment", "按客群"), by_segment, labels),
                _parts_table(say("By wave", "按批次"), by_wave.drop("eligible"), labels),
            ),
        )
    )
    regions_table = _parts_table(say("By region", "按地区"), by_region, labels)
    return [Section(say("What the list is made of", "名单构成"), (note(about), grid, regions_table))]


def _where(customers: pl.DataFrame, labels: Labels) -> Figure | Squares:
    """Show by province or country how many are invited, of how many who are eligible and of how many customers."""
    from babel.numbers import format_compact_decimal

    say = labels.say
    told = (pl.col("invited").sum(), (pl.col("verdict") == ELIGIBLE).sum().alias("eligible"), pl.len().alias("customers"))
    counted = customers.group_by("province").agg(*told).drop_nulls("province")
    counted = counted.sort(["invited", "eligible", "customers", "province"], descending=[True] * 3 + [False])
    within = counted.filter(pl.col("province").is_in(list(pictures.CHINA)))
    if 2 * int(within["customers"].sum()) <= int(counted["customers"].sum()):
        top = counted.filter(pl.col("eligible") > 0).head(_REGIONS)
        title = say("Invited, of the eligible, by region", "各地区邀请人数与符合条件人数")
        of = say("{} of {}", "{} / {}")
        bars = [(name, invited, of.format(labels.number(invited), labels.number(all_))) for name, invited, all_, _ in top.rows()]
        return Figure(charts.Bars(title, bars or [("–", 0, "0")], over=top["eligible"].to_list() or [0]), title)

    def few(number: int) -> str:
        return str(format_compact_decimal(number, locale=labels.locale, fraction_digits=1)) if number >= 1_000 else str(number)

    tiles = {name: (invited, f"{few(able)}/{few(everyone)}") for name, invited, able, everyone in within.rows()}
    return Squares(say("Invited, and below: eligible / customers", "邀请人数；下方为符合条件 / 全部客户"), pictures.china(tiles))


def _counted(eligible: pl.DataFrame, key: str) -> pl.DataFrame:
    """Count the list by a column, the largest part first; shares are of the list."""
    counted = eligible.group_by(pl.col(key).alias("name")).agg(
        pl.col("invited").sum().alias("count"), pl.col("spend").filter("invited").sum(), pl.len().alias("eligible")
    )
    spend = int(counted["spend"].sum())
    return (
        counted.filter(pl.col("count") > 0)
        .sort(["count", "name"], descending=[True, False])
        .select(
            "name",
            "count",
            (pl.col("count") / counted["count"].sum()).alias("of_list"),
            (pl.col("spend") / spend if spend > 0 else pl.lit(0.0)).alias("of_spend"),
            "eligible",
        )
    )


def _parts_table(title: str, counted: pl.DataFrame, labels: Labels) -> Table:
    say = labels.say
    headings = ["", say("Invited", "邀请"), say("Share of the list", "人数占比"), say("Of its spend", "消费额占比")]
    rows = [
        row(name, labels.number(count), Cell(labels.share(of_list), part=of_list), labels.share(of_spend), *map(labels.number, rest))
        for name, count, of_list, of_spend, *rest in counted.rows()
    ]
    return Table(columns(*headings, *([say("Eligible", "符合条件")] if "eligible" in counted.columns else [])), tuple(rows), title)


def agents(calls: pl.DataFrame, labels: Labels) -> list[Section]:
    """Show how much each agent calls, and when."""
    if calls.is_empty():
        return []
    say, number = labels.say, labels.number
    day = pl.col("day")
    by_agent = calls.group_by("agent").agg(
        pl.col("calls").sum(), day.n_unique().alias("days"), day.min().alias("first"), day.max().alias("last")
    )
    headings = (say("Agent", "客服"), say("Calls", "外呼数"), say("Days", "天数"), say("From", "开始"), say("To", "结束"))
    rows = tuple(
        row(agent or say("nobody yet", "待分配"), number(count), number(days), labels.day(first), labels.day(last))
        for agent, count, days, first, last in by_agent.sort("agent").rows()
    )
    about = say(
        "calls.csv has every agent's calls by day; the call sheets say who calls whom.",
        "每位客服每天的外呼数见 calls.csv，具体名单见外呼表。",
    )
    return [
        Section(say("Who calls", "外呼安排"), (note(about), Table(columns(*headings, left=(0, 3, 4)), rows, look="tight")), whole=False)
    ]


def groups(frame: pl.DataFrame, capacity: int, labels: Labels) -> list[Section]:
    """List the groups; the spend of a few customers is not shown."""
    if frame.is_empty():
        return []
    say, number = labels.say, labels.number
    headings = columns(
        *(say("Group", "社群"), say("Region", "地区"), say("Invitations", "邀请人数"), say("Key users", "核心用户")),
        *(say("Joins expected, of capacity", "预计入群 / 容量"), say("Chance to fill", "满群概率"), say("Spend", "消费额")),
        left=(0, 1),
    )
    chosen = frame.head(_GROUPS).select("group", "region", "size", "key_users", "expected_joins", "filled", "spend")
    rows = [
        row(
            group,
            region or "",
            number(size),
            number(key_users),
            Cell(say("{} of {}", "{} / {}").format(number(round(joins)), number(capacity)), part=joins / capacity),
            labels.share(filled),
            labels.money(spend if size >= FEW else None),
        )
        for group, region, size, key_users, joins, filled, spend in chosen.rows()
    ]
    half = -(-len(rows) // 2) if len(rows) > _SPLIT else len(rows)
    tables = [Table(headings, tuple(part), look="tight") for part in (rows[:half], rows[half:]) if part]
    about = say(
        "One community each. Its key users are invited first and bring the others. Spend is shown for groups of {} and more.",
        "每行对应一个社群，先邀请核心用户，由他们带动其他成员。 不足 {} 人的社群不显示消费额。",
    ).format(FEW)
    more = frame.height - len(rows)
    further = (
        [note(say("And {} more; the invite list has them all.", "另有 {} 个社群，详见邀请名单。").format(number(more)))] if more else []
    )
    shown = Grid(tuple((table,) for table in tables)) if len(tables) > 1 else tables[0]
    return [Section(say("Groups", "社群"), (note(about), shown, *further), whole=False)]
