"""What a launch rests on, as sections of its report: whether the data can be trusted, and how it was made."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

from segmenter.contacts import hide, shown_sql
from segmenter.defaults import launch_settings
from segmenter.evaluation.launch_changes import setting_differences
from segmenter.findings import Finding
from segmenter.report import charts
from segmenter.report.labels import Labels, ratio
from segmenter.report.language import translate
from segmenter.report.sections import Block, Figure, Section, Steps, Table, columns, note, row, text
from segmenter.settings import CoreSettings
from segmenter.settings.shareable import shareable
from segmenter.version import __version__

if TYPE_CHECKING:
    from segmenter.launch_plan import LaunchPlan
    from segmenter.sources.inputs import Inputs

_REJECTS, _DAYS, _LONGEST = 20, 91, 60
_OF_DAYS = {f"dates.{kind}" for kind in ("stale", "gap", "month", "cut_off", "cut_off_day", "overlap", "older_file")}
_GROUPS = ("scoring", "segments", "plan")
_EVERYTIME = {"launch.name", "launch.as_of", "lang"}


def quality(plan: "LaunchPlan", rejects: pl.DataFrame, findings: Sequence[Finding], read: "Inputs | None", labels: Labels) -> Section:
    """Say what speaks against the data: days that are missing or cut off, rows not understood, places not known; and draw the last days."""
    say, number = labels.say, labels.number
    doubts = [finding.message for finding in findings if finding.message.code in _OF_DAYS]
    blocks: list[Block] = [Steps(tuple(text(translate(message, labels.lang)) for message in doubts))] if doubts else []
    by_day = None if read is None else read.tables.profile.by_day
    if by_day is not None and by_day.height > 1:
        if not doubts:
            fine = say(
                "No unusual gap was found, and no end that breaks off. That does not say that nothing is missing: look at the days.",
                "未发现异常空档，也未发现末尾明显中断；但这不代表数据一定完整，请看下图。",
            )
            blocks.append(text(fine))
        blocks.append(_last_days(by_day, labels))
    placeless = plan.customers["province"].null_count() if "province" in plan.customers.columns else 0
    if 0 < placeless < plan.customers.height:
        share = labels.share(ratio(placeless, plan.customers.height))
        unplaced = say("{} customers ({}) have no region, or one that was not recognised.", "{} 位客户（{}）没有地区或地区无法识别。")
        blocks.append(text(unplaced.format(number(placeless), share)))
    return Section(say("Can the data be trusted?", "数据质量"), (*blocks, *reject_blocks(rejects, labels)), whole=False)


def _last_days(by_day: pl.DataFrame, labels: Labels) -> Figure:
    """Draw how many orders came on each of the last days, none where there are none."""
    say, last = labels.say, by_day["day"][-1]
    first = max(by_day["day"][0], last - timedelta(days=_DAYS - 1))
    rows = dict(by_day.select("day", "rows").rows())
    days = (last - first).days
    points = [(float(at), float(rows.get(first + timedelta(days=at), 0))) for at in range(days + 1)]
    most = max(count for _, count in points)
    title = say("Rows of orders a day", "每日订单行数")
    across = [(float(at), f"{first + timedelta(days=at):%m-%d}") for at in sorted({0, days // 3, 2 * days // 3, days})]
    up = [(share * most, labels.number(round(share * most))) for share in (0.0, 0.5, 1.0)]
    return Figure(charts.Lines(f"{title}, {first} – {last}", [charts.Line("", points, charts.STRONG)], across, up), title)


def reject_blocks(frame: pl.DataFrame, labels: Labels) -> list[Block]:
    """Count the rows that could not be understood by reason; their values are not shown."""
    say = labels.say
    if frame.is_empty():
        return [text(say("Every row of the input was understood.", "所有数据行均已识别。"))]
    keys = ["table", "column", "reason"]
    counted = frame.group_by(keys).agg(pl.len().alias("count")).sort(["count", *keys], descending=[True, False, False, False])
    about = say(
        "{} input rows could not be understood and were left out. rejects.parquet has each of them with its place in the source.",
        "共有 {} 行数据无法识别，未被采用，逐行明细见 rejects.parquet。",
    ).format(labels.number(frame.height))
    headings = columns(say("Table", "数据表"), say("Column", "字段"), say("Reason", "原因"), say("Rows", "行数"), left=(0, 1, 2))
    rows = tuple(
        row(labels.table(table), column or "–", labels.reject(reason), labels.number(count))
        for table, column, reason, count in counted.head(_REJECTS).rows()
    )
    return [note(about), Table(headings, rows)]


def origin(settings: CoreSettings, read: "Inputs | None", labels: Labels) -> Section:
    """Say how the launch was made: settings that differ from the defaults, what was read, and by which version."""
    say = labels.say
    now = shareable(settings)
    default: Any = launch_settings({}).model_dump(mode="json")
    chosen = {group: now[group]["kind"] for group in _GROUPS if now[group]["kind"] != default[group]["kind"]}
    if chosen:
        needed = {"scoring.seeds": "-"} if "seeds" in now["scoring"] else {}  # which have no default
        default = launch_settings(chosen | needed).model_dump(mode="json")
    changed = [(f"{group}.kind", kind) for group, kind in chosen.items()]
    usual, own = ({name: side[name] for name in CoreSettings.model_fields} for side in (default, now))
    changed += [(key, value) for key, _, value in setting_differences(usual, own, aside=_EVERYTIME)]
    blocks: list[Block] = [
        note(
            say(
                f"segmenter {__version__}, seed {settings.seed}. The same input and settings give the same files, byte for byte.",
                f"segmenter {__version__}，随机种子 {settings.seed}。相同的数据和设置得到完全相同的文件。",
            )
            + (say(" manifest.json has all settings and fingerprints.", "全部设置和指纹见 manifest.json。") if "out" in now else "")
        )
    ]
    if changed:
        rows = tuple(row(key, _shown(value)) for key, value in changed)
        headings = columns(say("Setting that differs from the defaults", "与默认值不同的设置"), say("Value", "值"), left=(0, 1))
        blocks.append(Table(headings, rows, look="tight"))
    sources = (
        []
        if read is None
        else [
            row(labels.table(table), shown_sql(source.name), source.sha256[:12])
            for table, prints in read.fingerprints.items()
            for source in prints
        ]
    )
    if sources:
        headings = columns(say("Table", "数据表"), say("Read from", "来源"), say("Fingerprint", "指纹"), left=(0, 1, 2))
        blocks.append(Table(headings, tuple(sources[:_REJECTS]), look="tight"))
    return Section(say("How this was made", "生成方式"), tuple(blocks), whole=False)


def _shown(value: Any) -> str:
    """Write a value as the config has it, without contacts, and cut where it is long."""
    match value:
        case None:
            said = "null"
        case list() if all(isinstance(item, str) for item in value):
            said = f"[{', '.join(value)}]"
        case list():
            said = f"[{len(value)}]"
        case _:
            said = str(value)
    said = hide(said)
    return said if len(said) <= _LONGEST else f"{said[:_LONGEST]}…"
