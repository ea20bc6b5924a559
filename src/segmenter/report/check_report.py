"""Whether the input can be trusted: one page, and the same in the terminal."""

import polars as pl

from segmenter.evaluation.input_check import InputCheck
from segmenter.findings import messages_of
from segmenter.report.finding_words import finding_sections
from segmenter.report.labels import Labels
from segmenter.report.language import told, translate
from segmenter.report.launch_origin import reject_blocks
from segmenter.report.sections import Advice, Fact, Report, Section, Steps, Table, Text, columns, marked, note, row, text
from segmenter.settings import LaunchJob
from segmenter.tables import Tables

_MONTHS = 36


def check_report(found: InputCheck, settings: LaunchJob) -> Report:
    """Say what was read and found, in the launch's language."""
    launch, labels = settings.launch, Labels(settings.lang, settings.launch.currency)
    say, tables = labels.say, found.tables
    title = say("Input check", "数据检查")
    verdict = text(
        {
            "note": say("Ready: a launch can be planned on this input.", "可以使用：数据可用于制定邀请名单。"),
            "warning": say(
                "Ready, with warnings: read them before you plan a launch.", "可以使用，但有需要注意的问题：请先阅读再制定名单。"
            ),
            "stop": say("Not ready: a launch would stop at what stands below.", "不能使用：以下问题会让名单无法生成。"),
        }[found.level]
    )
    stops = tuple(text(translate(message, labels.lang)) for message in messages_of(found.findings, "stop"))
    return Report(
        kind=title,
        eyebrow=title,
        name=launch.name,
        dates=_dates(found, settings, labels),
        advice=Advice((verdict,), "good" if found.level == "note" else "attention"),
        tiles=() if tables is None else _tiles(found, tables, labels),
        caution=say("Before you go on", "使用前请注意"),
        warnings=tuple(told(message, labels.lang) for message in messages_of(found.findings, "warning")),
        sections=(
            *([Section(say("What stops a launch", "必须先解决"), (Steps(stops),), stops, whole=False)] if stops else []),
            *([] if tables is None else _orders(tables, labels)),
            *finding_sections(found.findings, labels),
            *([] if tables is None or tables.rejects.is_empty() else [_rejected(tables, labels)]),
            _summary(found, settings, verdict, labels),
        ),
        footer=labels.footer(launch.timezone),
    )


def _rejected(tables: Tables, labels: Labels) -> Section:
    title = labels.say("Rows that could not be understood", "未能识别的数据行")
    return Section(title, (*reject_blocks(tables.rejects, labels),), whole=False)


def _dates(found: InputCheck, settings: LaunchJob, labels: Labels) -> tuple[Fact, ...]:
    say, as_of = labels.say, settings.launch.as_of
    days = [] if found.tables is None else found.tables.profile.by_day["day"].to_list()
    names = ((say("As of", "数据截至"), as_of), (say("first order", "最早订单"), days[:1]), (say("last order", "最近订单"), days[-1:]))
    given = [(name, day if not isinstance(day, list) else day[0]) for name, day in names if day]
    return tuple(Fact(name, labels.day(day)) for name, day in given if day is not None)


def _summary(found: InputCheck, settings: LaunchJob, verdict: Text, labels: Labels) -> Section:
    """Say in the terminal what the page shows at its head, how the input was read, and the verdict."""
    said = (
        []
        if found.tables is None
        else [f"{fact.name}: {fact.figure}" for fact in (*_dates(found, settings, labels), *_tiles(found, found.tables, labels))]
    )
    notes = [text("· ", translate(message, labels.lang)) for message in messages_of(found.findings, "note")]
    opened = marked(labels.say("Open: `{out}/check.html`", "打开： `{out}/check.html`"), out=str(settings.out))
    return Section(brief=(*([text(labels.say(" · ", "；").join(said))] if said else []), *notes, verdict, opened))


def _tiles(found: InputCheck, tables: Tables, labels: Labels) -> tuple[Fact, ...]:
    say, by_day, reads = labels.say, tables.profile.by_day, tables.reads.get("orders", {})
    return (
        Fact(say("Order rows", "订单行数"), labels.number(reads.get("rows")), say("read from the source", "从数据源读取")),
        Fact(say("Kept", "采用"), labels.number(reads.get("kept")), say("before the as-of date", "截止日之前")),
        Fact(say("Rejected", "未识别"), labels.number(reads.get("rejected", 0)), "rejects.parquet"),
        Fact(
            say("Customers", "客户数"),
            labels.number(found.customers),
            say("{} eligible", "符合条件 {}").format(labels.number(found.eligible)),
        ),
        Fact(say("Net spend", "净消费额"), labels.money(sum(by_day["amount"].to_list())), say("refunds deducted", "已扣除退款")),
    )


def _orders(tables: Tables, labels: Labels) -> list[Section]:
    """Show rows and money by month and by status."""
    say, number, money = labels.say, labels.number, labels.money
    headings = (say("Rows", "行数"), say("Net amount", "净额"))
    by_month = tables.profile.by_day.group_by(pl.col("day").dt.strftime("%Y-%m").alias("month")).agg(pl.col("rows", "amount").sum())
    months = tuple(row(month, number(rows), money(amount)) for month, rows, amount in by_month.sort("month").tail(_MONTHS).rows())
    sections = []
    if months:
        sections.append(
            Section(
                say("Orders by month", "各月订单"), (Table(columns(say("Month", "月份"), *headings), months, look="dense"),), whole=False
            )
        )
    taken = {"order": say("order", "订单"), "refund": say("refund", "退款"), "left_out": say("left out", "不采用")}
    statuses = tuple(
        row(status or "–", number(rows), money(amount), taken.get(taken_for, taken_for))
        for status, rows, amount, taken_for in tables.profile.by_status.rows()
    )
    if statuses:
        shown = Table(columns(say("Status", "状态"), *headings, say("Taken for", "识别为"), left=(0, 3)), statuses)
        about = note(say("data.orders.where and data.orders.refund decide it.", "由 data.orders.where 和 data.orders.refund 决定。"))
        sections.append(Section(say("Orders by status", "各状态订单"), (about, shown), (shown,), whole=False))
    return sections
