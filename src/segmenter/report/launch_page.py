"""The report: one page that a marketing lead can read, print and pass on, without a customer id or a contact in it."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

from segmenter.report import charts
from segmenter.report.labels import Labels
from segmenter.report.page import page
from segmenter.report.ranking_words import ranking_sentence
from segmenter.rules import ELIGIBLE
from segmenter.settings import CoreSettings

if TYPE_CHECKING:
    from segmenter.launch_plan import LaunchPlan

Row = dict[str, Any]
_REGIONS = 12
_GROUPS = 200
_FEW = 5  # the spend of a smaller group would tell what single customers spend
_REJECTS = 20
_SCORE_STEP = 5
_MEASURES = 8


def report(plan: "LaunchPlan", settings: CoreSettings, rejects: pl.DataFrame) -> str:
    """Write the report of a launch as one HTML page that loads nothing.

    Parameters
    ----------
    plan : LaunchPlan
        What the launch came to.
    settings : CoreSettings
        What it was made with; `lang` chooses the words.
    rejects : DataFrame
        See `segmenter.tables.REJECTS`; only counts of them are shown.

    Returns
    -------
    str
        The page; the same for the same plan.

    Examples
    --------
    >>> import segmenter
    >>> settings = segmenter.launch_settings({"launch.as_of": "2026-07-01", "launch.topic": "tea"})
    >>> orders = pl.DataFrame({"customer_id": ["a", "b"], "time": ["2026-06-30", "2026-06-01"], "amount": [12.5, 7.5]})
    >>> tables = segmenter.canonical_tables({"orders": orders}, settings.data, settings.launch)
    >>> page = report(segmenter.in_words(segmenter.plan_launch(tables, settings), settings), settings, tables.rejects)
    >>> page.startswith("<!doctype html>"), '<p class="topic">tea</p>' in page
    (True, True)
    """
    labels = Labels(settings.lang, settings.launch.currency)
    parts = [name for name in plan.customers.columns if name.startswith("component_")]
    told = plan.customers.select("province", "region", "segment", "wave", "call_on", "invited", "left_out", "spend", "score", *parts)
    eligible = told.filter(plan.customers["verdict"] == ELIGIBLE)
    return page(
        "launch.html.j2",
        labels,
        launch=settings.launch,
        as_of=labels.day(plan.valid_until - timedelta(days=settings.launch.valid_days)),
        valid_until=labels.day(plan.valid_until),
        warnings=plan.warnings,
        tiles=_tiles(plan, eligible, settings.launch.horizon_days, labels),
        funnel=_funnel(plan, settings, labels),
        what_if=_what_if(plan.what_if, labels),
        scores=_scores(eligible, labels),
        components=_components(eligible, labels),
        ranking="" if plan.ranking.kind == "weighted" else ranking_sentence(plan.ranking, settings.lang),
        rests_on=_rests_on(plan, labels),
        notes=plan.notes,
        held_out=plan.counts["held_out"],
        waves=_waves(plan, labels),
        outlook=plan.forecast is not None,
        left_out=_left_out(eligible, labels),
        agents=_agents(plan.calls, labels),
        segments=_segments(plan, eligible, labels),
        segments_why=plan.segmentation.why,
        makeup=_makeups(plan.segments, eligible, settings, labels),
        groups=_groups(plan.groups.head(_GROUPS), labels),
        few=_FEW,
        more_groups=max(plan.groups.height - _GROUPS, 0),
        rejects=_rejects(rejects),
        rejected=rejects.height,
    )


def _tiles(plan: "LaunchPlan", eligible: pl.DataFrame, horizon_days: int, labels: Labels) -> list[Row]:
    counts, listed = plan.counts, plan.invite_list
    per_group = _ratio(counts["invited"], counts["groups"])
    figures = [
        (labels.say("Customers", "客户总数"), labels.number(counts["customers"]), labels.say("all that the data know", "数据中的全部客户")),
        (
            labels.say("Eligible", "符合条件"),
            labels.number(counts["eligible"]),
            labels.say("{} of the customers", "占客户总数 {}").format(labels.share(_ratio(counts["eligible"], counts["customers"]))),
        ),
        (
            labels.say("Invited", "邀请人数"),
            labels.number(counts["invited"]),
            labels.say("{} of the eligible", "占符合条件客户 {}").format(labels.share(_ratio(counts["invited"], counts["eligible"]))),
        ),
        (labels.say("Key users", "核心用户"), labels.number(counts["key_users"]), labels.say("invited first", "最先邀请")),
        (
            labels.say("Held out", "留出组"),
            labels.number(counts["held_out"]),
            labels.say("by lot, not to be called", "随机抽取，请勿联系"),
        ),
        (
            labels.say("Groups", "社群数"),
            labels.number(counts["groups"]),
            labels.say("{} invitations each on average", "平均每群邀请 {} 人").format(labels.number(per_group and round(per_group))),
        ),
        (
            labels.say("Spend on the list", "名单消费额占比"),
            labels.share(_ratio(_total(listed, "spend"), _total(eligible, "spend"))),
            labels.say("{} of the eligible's {}", "{}，符合条件客户共 {}").format(
                labels.money(_total(listed, "spend")), labels.money(_total(eligible, "spend"))
            ),
        ),
    ]
    if "expected_spend" in plan.customers.columns:
        expected = _total(plan.customers.filter("invited"), "expected_spend")
        note = labels.say("from the list, whatever the launch brings", "名单客户，未计入活动带来的增量")
        figures[-2:-1] = [(labels.say("Expected in {} days", "未来 {} 天预期消费").format(horizon_days), labels.money(expected), note)]
    return [{"name": name, "figure": figure, "note": note} for name, figure, note in figures]


def _funnel(plan: "LaunchPlan", settings: CoreSettings, labels: Labels) -> Row:
    rows = [
        {**row, "name": labels.rule(row["rule"]), "detail": labels.rule_detail(row["rule"], settings.rules)}
        for row in plan.funnel.to_dicts()
    ]
    customers, invited = plan.counts["customers"], plan.counts["invited"]
    drawn = [
        (labels.say("all customers", "全部客户"), customers, customers),
        *((row["name"], row["left"], row["before"]) for row in rows),
        (labels.say("on the list", "进入名单"), invited, plan.counts["eligible"]),
    ]
    chart = charts.bars(
        labels.say("Customers left after each rule", "每条规则之后剩余的客户数"),
        [(name, left, labels.number(left)) for name, left, _ in drawn],
        over=[before for _, _, before in drawn],
    )
    return {"rows": rows, "chart": chart}


def _what_if(frame: pl.DataFrame, labels: Labels) -> list[Row]:
    return [
        {
            "name": labels.threshold(str(rule)),
            "rows": [{**row, "threshold": labels.limit(str(rule), row["threshold"])} for row in part.to_dicts()],
        }
        for (rule,), part in frame.group_by("rule", maintain_order=True)
    ]


def _scores(eligible: pl.DataFrame, labels: Labels) -> str:
    if eligible.is_empty():
        return ""
    last = 100 // _SCORE_STEP - 1
    steps = eligible.group_by((pl.col("score") / _SCORE_STEP).floor().clip(0, last).cast(pl.Int64).alias("step"))
    counts = {step: (everyone, listed) for step, everyone, listed in steps.agg(pl.len(), pl.col("invited").sum()).rows()}
    return charts.histogram(
        labels.say("Scores of the eligible and of those on the list", "符合条件客户与名单客户的评分分布"),
        [counts.get(step, (0, 0)) for step in range(last + 1)],
        _SCORE_STEP,
        labels.say("score", "评分"),
    )


def _components(eligible: pl.DataFrame, labels: Labels) -> str:
    """Draw the mean of each component; whole millionths, so that the sum is the same in any order."""
    parts = [name for name in eligible.columns if name.startswith("component_")]
    names = [name for name in parts if eligible[name].min() != eligible[name].max()]  # one that is the same for all tells nobody apart
    if not names or not eligible["invited"].any():
        return ""
    millionths = eligible.select("invited", (pl.col(names) * 1_000_000).round().cast(pl.Int64))
    everyone, listed = (
        frame.select(pl.col(names).sum() / pl.col(names).count()).row(0) for frame in (millionths, millionths.filter("invited"))
    )
    return charts.pairs(
        labels.say("Mean of each part of the score, the eligible against the list", "评分各项均值：符合条件客户与名单客户"),
        [
            (labels.component(name.removeprefix("component_")), low / 1_000_000, (high or 0) / 1_000_000)
            for name, low, high in zip(names, everyone, listed, strict=True)
        ],
        unit="",
    )


def _rests_on(plan: "LaunchPlan", labels: Labels) -> str:
    rows = [(labels.measure(name), share, labels.share(share)) for name, share in plan.ranking.measures.head(_MEASURES).rows()]
    return charts.bars(labels.say("What the expectation rests on", "预测主要依据的指标"), rows) if rows else ""


def _waves(plan: "LaunchPlan", labels: Labels) -> list[Row]:
    """Tell of each wave when it begins and how many it has, and of the launch up to it what it is expected to bring."""
    waves = plan.invite_list.group_by("wave").agg(pl.col("call_on").min().alias("first"), pl.len().alias("count")).sort("wave")
    rows = [{**row, "name": labels.wave(row["wave"]), "first": labels.day(row["first"])} for row in waves.to_dicts()]
    if plan.forecast is not None:
        expected = {row["wave"]: row for row in plan.forecast.by_wave.to_dicts()}
        for row in rows:
            upto = expected[row["wave"]]
            row["joins"] = labels.say("{} to {}", "{}–{}").format(labels.number(upto["joins_low"]), labels.number(upto["joins_high"]))
            row["sales"] = labels.say("{} to {}", "{} – {}").format(labels.money(upto["sales_low"]), labels.money(upto["sales_high"]))
            row["chance"] = labels.share(upto["chance"])
    return rows


def _left_out(eligible: pl.DataFrame, labels: Labels) -> list[Row]:
    counted = eligible.filter(pl.col("left_out").is_not_null()).group_by("left_out").len("count")
    rows = counted.sort("count", "left_out", descending=[True, False]).rows()
    return [{"name": labels.left_out(reason), "count": count} for reason, count in rows]


def _agents(calls: pl.DataFrame, labels: Labels) -> list[Row]:
    told = calls.group_by("agent").agg(
        pl.col("calls").sum(), pl.col("day").n_unique().alias("days"), pl.col("day").min().alias("first"), pl.col("day").max().alias("last")
    )
    return [{**row, "first": labels.day(row["first"]), "last": labels.day(row["last"])} for row in told.sort("agent").to_dicts()]


def _segments(plan: "LaunchPlan", eligible: pl.DataFrame, labels: Labels) -> Row | None:
    if plan.segments.is_empty():
        return None
    told = [name.removeprefix("median_") for name in plan.segments.columns if name.startswith("median_")]
    # A measure that is the same for everyone would say nothing; segments.csv has them all.
    measures = [name for name in told if not plan.segments[f"median_{name}"].eq_missing(plan.segments[f"everyone_{name}"]).all()][
        :_MEASURES
    ]
    listed = dict(plan.invite_list.group_by("segment").len().rows())
    rows, pairs = [], []
    for segment in plan.segments.to_dicts():
        invited = listed.get(segment["segment"], 0)
        cells = [
            {
                "text": labels.value(measure, segment[f"median_{measure}"]),
                "trend": _trend(segment[f"median_{measure}"], segment[f"everyone_{measure}"]),
            }
            for measure in measures
        ]
        rows.append({"name": segment["name"], "size": segment["size"], "share": segment["share"], "invited": invited, "cells": cells})
        pairs.append((str(segment["name"]), float(segment["share"]), _ratio(invited, plan.invite_list.height) or 0.0))
    everyone = plan.segments.to_dicts()[0]
    return {
        "measures": [labels.measure(measure) for measure in measures],
        "rows": rows,
        "everyone": [labels.value(measure, everyone[f"everyone_{measure}"]) for measure in measures],
        "size": eligible.height,
        "invited": plan.invite_list.height,
        "chart": charts.pairs(
            labels.say("Share of each segment, among the eligible and on the list", "各客群占比：符合条件客户与名单"), pairs
        ),
    }


def _trend(value: object, everyone: object) -> str:
    """Say whether a median stands out: at least a quarter above everyone's, or as far below."""
    if not isinstance(value, int | float) or not isinstance(everyone, int | float) or everyone <= 0:
        return ""
    return "up" if value >= 1.25 * everyone else "down" if value <= 0.8 * everyone else ""


def _makeups(profiles: pl.DataFrame, eligible: pl.DataFrame, settings: CoreSettings, labels: Labels) -> list[Row]:
    regions = _makeup(eligible, "region" if settings.plan.by_region == "city" else "province")
    shown, others = regions[:_REGIONS], regions[_REGIONS:]
    for row in shown:
        row["name"] = labels.region(row["name"])
    if others:
        name = labels.say("{} others", "其他 {} 个地区").format(len(others))
        shown.append({"name": name, **{key: sum(row[key] for row in others) for key in ("count", "of_list", "of_spend", "eligible")}})
    names = dict(profiles.select("segment", "name").rows())
    segments = _makeup(eligible, "segment")
    waves = sorted(_makeup(eligible, "wave"), key=lambda row: int(row["name"]))
    return [
        {"title": labels.say("By region", "按地区"), "rows": shown},
        {
            "title": labels.say("By segment", "按客群"),
            "rows": [{**row, "name": names.get(row["name"], labels.say("none", "无"))} for row in segments],
        },
        {
            "title": labels.say("By wave", "按批次"),
            "rows": [{**row, "name": labels.wave(row["name"]), "eligible": None} for row in waves],
        },
    ]


def _makeup(eligible: pl.DataFrame, key: str) -> list[Row]:
    """Count the list by a column, the largest part first; shares are of the list."""
    listed = eligible.filter("invited")
    parts = listed.group_by(key).agg(pl.len().alias("count"), pl.col("spend").sum()).sort(["count", key], descending=[True, False])
    everyone = dict(eligible.group_by(key).len().rows())
    spend = _total(listed, "spend")
    return [
        {"name": name, "count": count, "of_list": count / listed.height, "of_spend": _ratio(part, spend) or 0.0, "eligible": everyone[name]}
        for name, count, part in parts.rows()
    ]


def _groups(groups: pl.DataFrame, labels: Labels) -> list[Row]:
    spend = pl.when(pl.col("size") >= _FEW).then("spend").alias("spend")
    return [
        {
            **row,
            "spend": labels.money(row["spend"]),
            "joins": labels.number(round(row["expected_joins"])),
            "filled": labels.share(row["filled"]),
        }
        for row in groups.with_columns(spend).to_dicts()
    ]


def _rejects(rejects: pl.DataFrame) -> list[Row]:
    counted = rejects.group_by("table", "column", "reason").agg(pl.len().alias("count"))
    return counted.sort(["count", "table", "column", "reason"], descending=[True, False, False, False]).head(_REJECTS).to_dicts()


def _total(frame: pl.DataFrame, column: str) -> int:
    return int(frame[column].sum())


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole > 0 else None
