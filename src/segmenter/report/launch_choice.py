"""How a launch's list was chosen, as sections of its report: rules, scores, and who was not invited."""

from typing import TYPE_CHECKING

import polars as pl

from segmenter.evaluation.launch_sales import FEW
from segmenter.report import charts
from segmenter.report.labels import Labels
from segmenter.report.ranking_words import ranking_sentence
from segmenter.report.sections import Block, Cell, Figure, Grid, Key, Section, Table, columns, note, row, text
from segmenter.settings import CoreSettings

if TYPE_CHECKING:
    from segmenter.launch_plan import LaunchPlan

_SCORE_STEP = 5
_CUTS = 0.8  # of those above the lowest score on the list who are on it, for that to be a cut
_MEASURES = 8


def funnel(plan: "LaunchPlan", settings: CoreSettings, labels: Labels) -> Section:
    """Show how many each rule removed, and what these spent."""
    say, number, everyone = labels.say, labels.number, labels.say("all customers", "全部客户")
    rows, brief, drawn, over = [], [row(everyone, "", "", "", number(plan.counts["customers"]))], [], []
    spent = dict(plan.customers.group_by("verdict").agg(pl.col("spend").sum()).rows())
    customers, eligible, invited = (plan.counts[name] for name in ("customers", "eligible", "invited"))
    for rule, before, removed, only, left in plan.funnel.select("rule", "before", "removed", "removed_only", "left").rows():
        name = labels.rule(rule)
        cost = labels.money(spent.get(rule, 0)) if removed >= FEW else "–"
        named, shown = Cell(name, labels.rule_detail(rule, settings.rules)), tuple(map(number, (before, removed, only, left)))
        rows.append(row(named, shown[1], cost, *shown[2:]))
        brief.append(row(named, *shown))
        drawn.append((name, left, f"{number(left)} ({labels.change(-removed)})" if removed else number(left)))
        over.append(before)
    chart = charts.Bars(
        say("Customers left after each rule", "每条规则之后剩余的客户数"),
        [(everyone, customers, number(customers)), *drawn, (say("on the list", "进入名单"), invited, number(invited))],
        over=[customers, *over, eligible],
    )
    legend = (Key(say("left", "剩余"), charts.STRONG), Key(say("removed at this step", "本步移除"), charts.SOFT))
    headings = [say(*heading) for heading in (("Rule", "规则"), ("Removed", "移除"), ("Only this rule", "仅因此条"), ("Left", "剩余"))]
    table = Table(columns(*headings[:2], say("Their spend", "其消费额"), *headings[2:]), tuple(rows))
    none = text(say("No rule was set: every customer is eligible.", "未设置规则：所有客户均符合条件。"))
    about = note(
        say(
            "Rules apply from top to bottom, and a customer counts under the first that removes them. The column “only this rule” counts "
            "those whom no other rule would have removed: dropping the rule would win them back.",
            "规则自上而下依次生效，客户只计入首先移除他的那条规则。“仅因此条”指只被这一条规则移除的客户，即取消该规则可以找回的人数。",
        )
    )
    title = f"{settings.launch.name} · {settings.launch.as_of}"
    short = Table(columns(headings[0], say("Before", "之前"), *headings[1:]), tuple(brief), title=title)
    heading = say("From all customers to the list", "从全部客户到邀请名单")
    return Section(heading, (about, Figure(chart, legend=legend), table if rows else none), brief=(short,), whole=False)


def what_if(frame: pl.DataFrame, labels: Labels) -> list[Section]:
    """Show how many would be eligible with other thresholds."""
    if frame.is_empty():
        return []
    say = labels.say
    headings = columns(say("Threshold", "阈值"), say("Eligible", "符合条件"), say("Change", "变化"))
    cards: list[tuple[Block, ...]] = []
    for (rule,), part in frame.group_by("rule", maintain_order=True):
        rows = tuple(
            row(labels.limit(str(rule), threshold), labels.number(eligible), labels.change(change), role="now" if current else "")
            for threshold, eligible, change, current in part.select("threshold", "eligible", "change", "current").rows()
        )
        title = labels.threshold(str(rule))
        cards += [(Figure(_curve(str(rule), part, title, labels), title),), (Table(headings, rows),)]
    about = note(
        say(
            "How many customers would be eligible with another threshold and everything else the same. The orange dot and the marked row "
            "are this launch.",
            "其他条件不变，只调整这一项时符合条件的客户数。橙色圆点和标记行为本次设置。",
        )
    )
    return [Section(say("If a rule were set differently", "如果调整规则"), (about, Grid(tuple(cards))))]


def _curve(rule: str, part: pl.DataFrame, title: str, labels: Labels) -> charts.Lines:
    """Draw how many are eligible over a threshold, with today's on it; each threshold is as far from the next as the other ones."""
    eligible, now = part["eligible"].to_list(), part["current"].to_list().index(True)
    across = [(float(at), labels.limit(rule, threshold)) for at, threshold in enumerate(part["threshold"])]
    most = max(eligible) or 1
    up = [(share * most, labels.number(round(share * most))) for share in (0.0, 0.5, 1.0)]
    here = charts.Line(
        labels.say("now: {}", "本次：{}").format(labels.number(eligible[now])), [(now, eligible[now])], charts.ACCENT, dots=True
    )
    line = charts.Line("", list(enumerate(eligible)), charts.STRONG, dots=True)
    said = "; ".join(f"{name}: {labels.number(count)}" for (_, name), count in zip(across, eligible, strict=True))
    return charts.Lines(f"{title}: {said}", [line, here], across, up)


def scores(plan: "LaunchPlan", eligible: pl.DataFrame, labels: Labels) -> list[Section]:
    """Show why these customers are on the list: their scores, what they are made of, and what a model looked at."""
    if eligible.is_empty():
        return []
    say, weighted = labels.say, plan.ranking.kind == "weighted"
    of_score = say(
        "Each eligible customer has a score from 0 to 100, made of the parts on the right; the list takes the best. "
        "Each part says where a customer stands among the eligible, 0 lowest and 100 highest.",
        "每位符合条件的客户都有 0–100 的评分，由右侧各项加权得出，名单从高分开始选取。各项表示该客户在符合条件客户中的位置，0 最低，"
        "100 最高。",
    )
    of_rank = say(
        "The score from 0 to 100 says where a customer stands in this ranking among the eligible; the list takes the best. The parts "
        "on the right do not make the score: they say in words why a customer is worth a call, and choose the key users.",
        "0–100 的评分表示客户在该排序中、符合条件客户里的位置，名单从高分开始选取。右侧各项不参与评分，用于说明推荐理由并挑选核心用户。",
    )
    about: list[Block] = [note(of_score)] if weighted else [text(of_rank), note(ranking_sentence(plan.ranking, labels.lang))]
    found: list[Figure] = [Figure(_histogram(eligible, labels), say("Scores", "评分分布"), compared(labels))]
    if chart := _components(eligible, labels):
        title = say("Parts of the score, on average", "评分各项均值") if weighted else say("Parts, on average", "各项均值")
        found.append(Figure(chart, title, compared(labels, dots=True)))
    if rests := [(labels.measure(name), share, labels.share(share)) for name, share in plan.ranking.measures.head(_MEASURES).rows()]:
        alike = plan.ranking.kind == "lookalike"
        title = (
            say("What sets the seeds apart", "种子客户的主要特征") if alike else say("What the expectation rests on", "预测主要依据的指标")
        )
        found.append(Figure(charts.Bars(title, rests), title))
    return [Section(say("Why these customers", "为什么是这些客户"), (*about, Grid(tuple((figure,) for figure in found))))]


def compared(labels: Labels, *, dots: bool = False) -> tuple[Key, Key]:
    """Give the legend of a chart that compares the list with the eligible."""
    listed, eligible = labels.say("on the list", "进入名单"), labels.say("eligible", "符合条件")
    if dots:
        return Key(listed, charts.ACCENT, dot=True), Key(eligible, charts.MUTED, dot=True)
    return Key(listed, charts.STRONG), Key(eligible, charts.SOFT)


def _histogram(eligible: pl.DataFrame, labels: Labels) -> charts.Histogram:
    last, cut = 100 // _SCORE_STEP - 1, eligible.filter("invited")["score"].min()
    assert cut is None or isinstance(cut, float)
    if cut is not None and eligible["invited"].sum() < _CUTS * eligible.filter(pl.col("score") >= cut).height:
        cut = None  # each region has one of its own
    steps = eligible.group_by((pl.col("score") / _SCORE_STEP).floor().clip(0, last).cast(pl.Int64).alias("step"))
    counts = {step: (everyone, listed) for step, everyone, listed in steps.agg(pl.len(), pl.col("invited").sum()).rows()}
    return charts.Histogram(
        labels.say("Scores of the eligible and of those on the list", "符合条件客户与名单客户的评分分布"),
        [counts.get(step, (0, 0)) for step in range(last + 1)],
        _SCORE_STEP,
        labels.say("score", "评分"),
        None if cut is None else (float(cut), labels.say("list from {}", "名单最低 {}").format(f"{cut:.0f}")),
    )


def _components(eligible: pl.DataFrame, labels: Labels) -> charts.Pairs | None:
    """Compare the means of the components; whole millionths, so that the sum is the same in any order."""
    parts = [name for name in eligible.columns if name.startswith("component_")]
    names = [name for name in parts if eligible[name].min() != eligible[name].max()]  # one that is the same for all sets nobody apart
    if not names or not eligible["invited"].any():
        return None
    millionths = eligible.select("invited", (pl.col(names) * 1_000_000).round().cast(pl.Int64))
    everyone, listed = (
        frame.select(pl.col(names).sum() / pl.col(names).count()).row(0) for frame in (millionths, millionths.filter("invited"))
    )
    return charts.Pairs(
        labels.say("Mean of each part of the score, the eligible against the list", "评分各项均值：符合条件客户与名单客户"),
        [
            (labels.component(name.removeprefix("component_")), low / 1_000_000, (high or 0) / 1_000_000)
            for name, low, high in zip(names, everyone, listed, strict=True)
        ],
        unit="",
    )


def left_out(eligible: pl.DataFrame, labels: Labels) -> list[Section]:
    """Count why eligible customers are not invited."""
    counted = eligible.filter(pl.col("left_out").is_not_null()).group_by("left_out").len("count")
    if counted.is_empty():
        return []
    say, rows = labels.say, counted.sort("count", "left_out", descending=[True, False]).rows()
    about = say(
        "Nobody is left out without a reason; customers.parquet has it for each of them.",
        "每位未邀请的客户都有原因，逐一列在 customers.parquet 中。",
    )
    table = Table(
        columns(say("Reason", "原因"), say("Customers", "客户数")),
        tuple(row(labels.left_out(reason), labels.number(count)) for reason, count in rows),
    )
    return [Section(say("Eligible, but not invited", "符合条件但未邀请"), (note(about), table), whole=False)]
