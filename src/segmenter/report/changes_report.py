"""What differs between two launches, in words and tables; no customer is named."""

import json
from typing import Any

import polars as pl

from segmenter.evaluation.launch_changes import BOTH, CONTROL, DATA, IN, LEDGER, OTHERS, OUT, REASONS, SETTINGS, UNKNOWN, LaunchChanges
from segmenter.report.labels import Labels, ratio
from segmenter.report.sections import Advice, Block, Cell, Fact, Report, Row, Section, Table, Text, columns, note, row, text
from segmenter.settings import CompareJob
from segmenter.sources.results_folder import LaunchResults

_REASONS = {
    SETTINGS: ("settings differ", "设置不同"),
    DATA: ("their own data differ", "客户自身数据不同"),
    BOTH: ("data and settings both differ: results cannot tell which it was", "数据和设置都不同：仅凭结果无法区分"),
    LEDGER: ("earlier launches: invited lately, a member, refused, …", "此前的活动：近期已邀请、已入群、已拒绝等"),
    CONTROL: ("chance: drawn for the control group of the other", "随机：在另一方被抽入留出组"),
    OTHERS: ("others: places went to, or came from, other customers", "其他客户：名额因其他客户的变化而得失"),
    UNKNOWN: ("not a customer of the other", "不在另一方的客户中"),
}
_PLACES = {"province": ("province", "省份"), "city": ("city", "城市"), "district": ("district", "区县")}
_MOST, _LONGEST = 12, 60  # rows of a table, and letters of a setting


def changes_report(found: LaunchChanges, a: LaunchResults, b: LaunchResults, settings: CompareJob) -> Report:
    """Say what differs, in the comparison's language."""
    labels = Labels(settings.lang, b.settings.launch.currency)
    say, number, counts = labels.say, labels.number, found.counts
    why, rules, measures = why_table(found, labels), rules_table(found, labels), _measures(found, labels)
    moved, segments, keys = moved_table(found, labels), _segments(found, labels), _settings(found, labels)
    summary = text(_summary(found, labels))
    kind = say("comparison", "活动对比")
    return Report(
        kind,
        say("Two launches compared", "两次活动对比"),
        f"{_name(a)} → {_name(b)}",
        labels.footer(b.settings.launch.timezone),
        dates=tuple(Fact(side, _name(each), labels.day(each.as_of)) for side, each in (("a", a), ("b", b))),
        advice=Advice((summary,)),
        tiles=(
            Fact(say("invited by a", "a 邀请"), number(counts["invited_a"])),
            Fact(say("invited by b", "b 邀请"), number(counts["invited_b"])),
            Fact(say("by both", "两者都邀请"), number(counts["stayed"])),
            Fact(say("in: by b only", "新进：仅 b"), number(counts[IN])),
            Fact(say("out: by a only", "退出：仅 a"), number(counts[OUT])),
        ),
        sections=(
            Section(say("Why they are in or out", "进出原因"), (why, *rules, *measures), (summary, why, *rules)),
            Section(say("Who is invited by both, and moved", "两者都邀请、但有变动的客户"), (moved,), (moved,)),
            Section(say("Segments", "客群"), segments, tuple(block for block in segments if isinstance(block, Table))),
            Section(say("Settings that differ", "不同的设置"), (keys,), (keys,)),
        ),
    )


def _name(results: LaunchResults) -> str:
    return results.folder.resolve().name


def _summary(found: LaunchChanges, labels: Labels) -> str:
    counts, number = found.counts, labels.number
    if not counts[IN] and not counts[OUT]:
        en = f"Both invite the same {number(counts['stayed'])} customers."
        return labels.say(en, f"两次活动邀请的是同样的 {number(counts['stayed'])} 位客户。")
    share = labels.share(ratio(counts["stayed"], counts["invited_a"]))
    main = found.customers.filter(pl.col("reason").is_not_null())["reason"].value_counts().sort("count", "reason", descending=[True, False])
    en = (
        f"Of the {number(counts['invited_a'])} invited by a, {number(counts['stayed'])} ({share}) are invited by b, too; "
        f"{number(counts[OUT])} are out and {number(counts[IN])} in. The most frequent reason: {_REASONS[main['reason'][0]][0]}."
    )
    zh = (
        f"a 邀请的 {number(counts['invited_a'])} 位客户中，{number(counts['stayed'])} 位（{share}）也在 b 的名单中；"
        f"退出 {number(counts[OUT])} 位，新进 {number(counts[IN])} 位。最常见的原因：{_REASONS[main['reason'][0]][1]}。"
    )
    return labels.say(en, zh)


def why_table(found: LaunchChanges, labels: Labels) -> Table:
    """Count who is in and who is out by the reason."""
    counted = _count(found.customers, "reason")
    rows = [_row(labels.say(*_REASONS[reason]), counted[reason], labels) for reason in REASONS if reason in counted]
    total = _row(labels.say("all", "合计"), {side: found.counts[side] for side in (IN, OUT)}, labels, role="sum")
    return Table(_headings(labels, "Reason", "原因"), (*rows, total), look="tight")


def rules_table(found: LaunchChanges, labels: Labels) -> list[Table]:
    """Count them by the rule that keeps them off the other list, where there are any."""
    counted = _count(found.customers.filter(pl.col("rule").is_not_null()), "rule")
    rows = tuple(_row(labels.rule(rule), counts, labels) for rule, counts in counted.items())
    title = labels.say("Rules by which the other launch removed them", "在另一方被哪条规则排除")
    return [Table(_headings(labels, "Rule", "规则"), rows, title, look="tight")] if rows else []


def _measures(found: LaunchChanges, labels: Labels) -> list[Table]:
    by_data = (
        found.customers.filter(pl.col("reason").is_in([DATA, BOTH])).with_columns(pl.col("measures").str.split(", ")).explode("measures")
    )
    counted = _count(by_data, "measures")
    names = {name: labels.say(*words) for name, words in _PLACES.items()}
    rows = tuple(_row(names.get(name) or labels.measure(name), counts, labels) for name, counts in list(counted.items())[:_MOST])
    title, more = labels.say("Which of their data differ", "哪些数据不同"), len(counted) - len(rows)
    under = (labels.say(f"and {more} more in comparison.csv", f"另有 {more} 项见 comparison.csv"),) if more else ()
    return [Table(_headings(labels, "Measure", "指标"), rows, title, look="tight", under=under)] if rows else []


def _count(customers: pl.DataFrame, by: str) -> dict[str, dict[str, int]]:
    """Count who is in and who is out, the most frequent first."""
    counted: dict[str, dict[str, int]] = {}
    grouped = (
        customers.drop_nulls(by)
        .group_by(by, "change")
        .len("count")
        .sort(pl.col("count").sum().over(by), by, "change", descending=[True, False, False])
    )
    for name, change, count in grouped.rows():
        counted.setdefault(name, {})[change] = count
    return counted


def _headings(labels: Labels, en: str, zh: str) -> Any:
    return columns(labels.say(en, zh), labels.say("In", "新进"), labels.say("Out", "退出"))


def _row(name: str, counts: dict[str, int], labels: Labels, role: Any = "") -> Row:
    return row(name, *(labels.number(counts[side]) if counts.get(side) else "–" for side in (IN, OUT)), role=role)


def moved_table(found: LaunchChanges, labels: Labels) -> Table:
    """Count those on both lists whose rank, segment, group or wave differs."""
    say, stayed = labels.say, found.counts["stayed"]
    names = {
        "rank": ("another rank", "排名"),
        "segment": ("another segment", "客群"),
        "group": ("another group", "群"),
        "wave": ("another wave", "批次"),
    }
    rows = tuple(
        row(say(*words), labels.number(found.counts[name]), labels.share(ratio(found.counts[name], stayed)))
        for name, words in names.items()
    )
    return Table(
        columns(say("Invited by both, with", "两者都邀请，不同的是"), say("Customers", "客户数"), say("Share", "占比")), rows, look="tight"
    )


def _segments(found: LaunchChanges, labels: Labels) -> tuple[Block, ...]:
    say = labels.say
    counts = {(then, now): count for then, now, count in found.segments.rows()}
    befores, nows = (list(dict.fromkeys(found.segments[name])) for name in ("segment_a", "segment_b"))
    if not counts:
        return (note(say("No customer may be invited by both.", "没有两者都符合条件的客户。")),)
    rows = []
    for then in befores:
        total = sum(counts.get((then, now), 0) for now in nows)
        cells = [_cell(counts.get((then, now), 0), total, labels) for now in nows]
        rows.append(row(then or say("none", "无"), labels.number(total), *cells))
    headings = (say("a ↓ b →", "a ↓ b →"), say("Customers", "客户数"), *(now or say("none", "无") for now in nows))
    about = note(
        say("Those who may be invited by both, by their segment in a and in b.", "两者都符合条件的客户，按其在 a 和 b 中的客群统计。")
    )
    return about, Table(columns(*headings), tuple(rows), look="dense")


def _cell(count: int, total: int, labels: Labels) -> Cell:
    return Cell(labels.number(count), small=labels.share(ratio(count, total))) if count else Cell("–")


def _settings(found: LaunchChanges, labels: Labels) -> Table | Text:
    say = labels.say
    if not found.settings:
        return text(say("None: both have the same settings.", "无：两者设置相同。"))
    rows = tuple(row(key, _shown(then), _shown(now)) for key, then, now in found.settings)
    return Table(columns(say("Key", "设置项"), "a", "b", left=(0, 1, 2)), rows)


def _shown(value: object) -> str:
    value = int(value) if isinstance(value, float) and value.is_integer() else value
    written = json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else value
    return written if len(written) <= _LONGEST else f"{written[:_LONGEST]} …"
