"""Call sheets: one workbook for each region that groups keep to, ready for the agents who phone or message people in.

The only files with names and contacts in them.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from segmenter import money
from segmenter.planning.platform import platform_notes
from segmenter.report.call_sheet_cells import WIDE, Formats, formats, new_workbook, write_cell
from segmenter.report.call_sheet_pages import About, add_days, add_info
from segmenter.report.labels import Labels
from segmenter.report.language import translate
from segmenter.report.safe_text import safe_names
from segmenter.settings import CoreSettings
from segmenter.words import visible

if TYPE_CHECKING:
    from segmenter.launch_plan import LaunchPlan

# What came of a call: English and Chinese, as the drop-down offers them.
ANSWERS = (
    ("joined", "已入群"),
    ("will join", "愿意加入"),
    ("refused", "拒绝"),
    ("refused for good", "以后都不要联系"),
    ("no answer", "未接通"),
    ("wrong number", "号码有误"),
)

_MOST_ROWS = 20_000  # of a workbook, which is held in memory; an agent's day has fewer
_LINE = 14.5  # points
_CONTACT = "contact:"  # keeps the shop's columns apart from ours
# Heads in both languages, the width (as wide as its text where there is none), and the style.
_COLUMNS: dict[str, tuple[str, str, float | None, str]] = {
    "agent": ("agent", "客服", None, "text"),
    "call_on": ("call on", "计划外呼日", 12.0, "date"),
    "rank": ("rank", "排名", 7.5, "number"),
    "group": ("group", "社群", None, "text"),
    "wave": ("wave", "批次", None, "text"),
    "customer_id": ("customer_id", "客户编号", None, "text"),
    "name": ("name", "姓名", None, "text"),
    "region": ("region", "地区", None, "text"),
    "segment": ("segment", "客群", 22.0, "wrapped"),
    "reason": ("reason", "邀请理由", 46.0, "wrapped"),
    "spend": ("spend, all time", "累计消费额", 14.0, "money"),
    "orders": ("orders", "订单数", 8.5, "number"),
    "last_order_at": ("last order", "最近下单", 12.0, "date"),
    "days_since_order": ("days since", "距今天数", 9.0, "number"),
    "answer": ("answer", "答复", 16.0, "open"),
    "answered_on": ("answered on", "答复日期", 13.0, "open_date"),
    "refusal": ("reason for refusing", "拒绝原因", 20.0, "open_wrapped"),
    "note": ("note", "备注", 26.0, "open_wrapped"),
}
_BEFORE_CONTACTS = ("agent", "call_on", "rank", "group", "wave", "customer_id")
_WRAPPED = ("segment", "reason")


@dataclass(frozen=True)
class _Column:
    key: str
    head: str
    width: float
    style: str


def call_sheets(plan: "LaunchPlan", settings: CoreSettings, contacts: pl.DataFrame | None, folder: Path) -> list[Path]:
    """Write the call sheets of a launch into a folder, which is made where it is not there; and list them by region.

    Each workbook has a sheet of calls with its header in row 1, sorted by group, wave and rank, before these by agent and day where
    there are agents; then one of the number of calls by day and agent; and a sheet that says what it is. Ids and contacts are text, and
    no cell is a formula. The same plan gives the same bytes. The contacts have ``customer_id``, ``name`` and contact columns as text, at
    most one row per customer. A region with more than 20,000 calls has several workbooks.
    """
    labels = Labels(settings.lang, settings.launch.currency)
    calls = _calls(plan, contacts, labels)
    as_of = plan.valid_until - timedelta(days=settings.launch.valid_days)
    agents, held_out = bool(settings.plan.agents), bool(plan.customers["held_out"].any())
    platform = tuple(translate(note, settings.lang) for note in platform_notes(plan.groups, plan.calls, settings))
    about = About(settings.launch, labels, as_of, plan.valid_until, agents, held_out, platform)
    columns = _columns(calls, labels, agents=agents)
    parts: dict[str, tuple[str, pl.DataFrame]] = {}
    for (unit,), part in calls.group_by("unit", maintain_order=True):
        pieces = list(part.iter_slices(_MOST_ROWS))
        parts |= {f"{unit} {number}" if len(pieces) > 1 else str(unit): (str(unit), piece) for number, piece in enumerate(pieces, start=1)}
    names = safe_names(parts)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, (unit, part) in parts.items():
        paths.append(folder / f"{names[name]}.xlsx")
        _write(paths[-1], unit, part, columns, about)
    return paths


def _calls(plan: "LaunchPlan", contacts: pl.DataFrame | None, labels: Labels) -> pl.DataFrame:
    groups = plan.groups.select("group", pl.col("region").alias("unit")).with_row_index("place")
    calls = plan.invite_list.join(groups, on="group", how="left", validate="m:1")
    calls = calls.join(plan.segments.select("segment", pl.col("name").alias("segment_name")), on="segment", how="left", validate="m:1")
    if contacts is not None:
        carried = contacts.select("customer_id", pl.exclude("customer_id").cast(pl.String).name.prefix(_CONTACT))
        calls = calls.join(carried, on="customer_id", how="left", validate="m:1")
    waves = {wave: labels.wave(wave) for wave in calls["wave"].unique()}
    # Whom nobody calls yet comes last; where there are no agents, that is everybody.
    called = pl.col("agent").is_not_null()
    order = [pl.col("place").min().over("unit"), ~called, "agent", pl.when(called).then("call_on"), "place", "wave", "rank"]
    calls = money.to_units(calls.sort(order), ["spend"], labels.currency)
    return calls.with_columns(
        (pl.col("wave") == 1).alias("key_user"),
        pl.col("wave").replace_strict(waves, return_dtype=pl.String),
        pl.col("region").fill_null(labels.region(None)),
        pl.col("agent").fill_null(labels.say("nobody yet", "待分配")),
        pl.col("segment_name").alias("segment"),
        pl.lit(None, dtype=pl.Date).alias("answered_on"),
        *(pl.lit(None, dtype=pl.String).alias(name) for name in ("answer", "refusal", "note")),
    )


def _columns(calls: pl.DataFrame, labels: Labels, *, agents: bool) -> list[_Column]:
    ours = {key: labels.say(en, zh) for key, (en, zh, _, _) in _COLUMNS.items()}
    taken = {head for key, head in ours.items() if key != "name"}
    heads = {key: ours[key] for key in _BEFORE_CONTACTS if agents or key != "agent"}
    for column in (name for name in calls.columns if name.startswith(_CONTACT)):
        head = column.removeprefix(_CONTACT)
        heads[column] = ours["name"] if head == "name" else f"{head} ({labels.say('contact', '联系方式')})" if head in taken else head
    heads |= {key: head for key, head in ours.items() if key not in (*_BEFORE_CONTACTS, "name")}
    columns = []
    for key, head in heads.items():
        _, _, width, style = _COLUMNS.get(key, ("", "", None, "text"))
        columns.append(_Column(key, head, width or _fit_width(calls[key], head), style))
    return columns


def _fit_width(cells: pl.Series, head: str) -> float:
    """Characters that show a column of text, where Chinese ones count double; the filter's button needs room too."""
    shown = pl.concat([cells.cast(pl.String), pl.Series([f"{head}...."])])
    return min(float(str(shown.to_frame("cell").select(_display_width("cell").max()).item())) + 2, 32.0)


def _display_width(column: str) -> pl.Expr:
    return pl.col(column).str.len_chars() + pl.col(column).str.count_matches(WIDE)


def _write(path: Path, unit: str, calls: pl.DataFrame, columns: list[_Column], about: About) -> None:
    launch, labels = about.launch, about.labels
    properties = {"title": visible(f"{launch.name} · {unit}"), "created": datetime.combine(about.as_of, time(), UTC)}
    with new_workbook(path, properties) as book:
        sheet = book.add_worksheet(labels.say("calls", "外呼名单"))
        _fill(sheet, calls, columns, formats(book, labels))
        _arrange(sheet, calls.height, columns, labels)
        # Excel takes at most 255 characters, and an ampersand stands for itself only when doubled.
        title = " · ".join(part for part in (launch.name, unit, launch.topic) if part)
        title = visible(title)[:90].replace("&", "&&")
        sheet.set_header(f"&L{title}&R{labels.say('good until', '有效期至')} {about.valid_until}")
        sheet.set_footer("&C&P / &N")
        if about.agents:
            add_days(book, calls, about)
        add_info(book, unit, calls, about)


def _fill(sheet: Any, calls: pl.DataFrame, columns: list[_Column], styles: Formats) -> None:
    for place, column in enumerate(columns):
        sheet.set_column(place, place, column.width)
        write_cell(sheet, 0, place, column.head, styles["head", False, False])
    # Not every program makes room for wrapped text by itself.
    widths = {column.key: column.width for column in columns}
    lines = pl.max_horizontal((_display_width(key) / (widths[key] - 2)).ceil() for key in _WRAPPED).fill_null(1).alias("lines")
    day = pl.struct("agent", "call_on")
    begins = (day != day.shift()).fill_null(value=False) if columns[0].key == "agent" else pl.lit(value=False)
    cells = calls.select("key_user", begins.alias("begins"), lines, *(column.key for column in columns))
    for row, (key_user, begun, high, *values) in enumerate(cells.iter_rows(), start=1):
        sheet.set_row(row, _LINE * max(high, 1) + 3)
        for place, (column, value) in enumerate(zip(columns, values, strict=True)):
            write_cell(sheet, row, place, value, styles[column.style, key_user, begun])


def _arrange(sheet: Any, rows: int, columns: list[_Column], labels: Labels) -> None:
    places = {column.key: place for place, column in enumerate(columns)}
    answers = [labels.say(*answer) for answer in ANSWERS]
    choice = {
        "validate": "list",
        "source": answers,
        "error_title": labels.say("answer", "答复"),
        "error_message": labels.say("Please choose one of: ", "请从列表中选择：") + labels.say(", ", "、").join(answers),
    }
    sheet.data_validation(1, places["answer"], rows, places["answer"], choice)
    sheet.set_row(0, 30)
    sheet.freeze_panes(1, places["customer_id"] + 1)
    sheet.autofilter(0, 0, rows, len(places) - 1)
    sheet.ignore_errors({"number_stored_as_text": f"A1:XFD{rows + 1}"})
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    sheet.set_margins(left=0.4, right=0.4, top=0.7, bottom=0.6)
