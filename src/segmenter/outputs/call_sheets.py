"""Call sheets: one workbook for each region that groups keep to, ready for the agents who phone or message people in.

The only files with names and contacts in them.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from segmenter import money
from segmenter.outputs.cells import safe_names
from segmenter.outputs.labels import Labels
from segmenter.settings import CoreSettings, LaunchSettings

if TYPE_CHECKING:
    from segmenter.launch import LaunchPlan

# What came of a call: English and Chinese, as the drop-down offers them.
ANSWERS = (("joined", "已入群"), ("will join", "愿意加入"), ("refused", "拒绝"), ("no answer", "未接通"), ("wrong number", "号码有误"))

_MOST_ROWS = 20_000  # of a workbook, which is held in memory; an agent's day has fewer
_LINE = 14.5  # points
_WIDE = r"[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE4F\uFF00-\uFF60\uFFE0-\uFFE6]"
_CONTACT = "contact:"  # keeps the shop's columns apart from ours
_CALLS = {"answer": ("answer", "答复"), "answered_on": ("answered on", "答复日期"), "note": ("note", "备注")}
_HEADS = {
    "rank": ("rank", "排名"),
    "group": ("group", "社群"),
    "wave": ("wave", "批次"),
    "customer_id": ("customer_id", "客户编号"),
    "name": ("name", "姓名"),
    "region": ("region", "地区"),
    "segment": ("segment", "客群"),
    "reason": ("reason", "邀请理由"),
    "spend": ("spend, all time", "累计消费额"),
    "orders": ("orders", "订单数"),
    "last_order_at": ("last order", "最近下单"),
    "days_since_order": ("days since", "距今天数"),
}


_WIDTHS = {"rank": 7.5, "segment": 22.0, "reason": 46.0, "spend": 14.0, "orders": 8.5, "last_order_at": 12.0, "days_since_order": 9.0}
_WIDTHS |= {"answer": 14.0, "answered_on": 13.0, "note": 26.0}
_STYLES = {"rank": "number", "segment": "wrapped", "reason": "wrapped", "spend": "money", "orders": "number", "last_order_at": "date"}
_STYLES |= {"days_since_order": "number", "answer": "open", "answered_on": "open_date", "note": "open_wrapped"}


@dataclass(frozen=True)
class _Column:
    key: str
    head: str
    width: float
    style: str


@dataclass(frozen=True)
class _About:
    """What all workbooks of a launch share."""

    launch: LaunchSettings
    labels: Labels
    columns: list[_Column]
    as_of: date
    valid_until: date


def call_sheets(plan: "LaunchPlan", settings: CoreSettings, contacts: pl.DataFrame | None, folder: Path) -> list[Path]:
    """Write the call sheets of a launch.

    Each workbook has a sheet of calls, sorted by group, wave and rank, with its header in row 1, and a sheet that says what
    it is. Ids and contacts are text, and no cell is a formula. The same plan gives the same bytes.

    Parameters
    ----------
    plan : LaunchPlan
        What the launch came to.
    settings : CoreSettings
        What it was made with; `plan.by_region` says what a workbook is for, `lang` chooses the words.
    contacts : DataFrame or None
        ``customer_id``, ``name`` and contact columns as text, at most one row per customer.
    folder : Path
        Where to write; made where it is not there.

    Returns
    -------
    list of Path
        The workbooks, in the order of the regions; more than one for a region with more than 20,000 calls.

    Examples
    --------
    >>> import segmenter, tempfile
    >>> settings = segmenter.launch_settings({"launch.as_of": "2026-07-01"})
    >>> orders = pl.DataFrame({"customer_id": ["a", "b"], "time": ["2026-06-30"] * 2, "amount": [1, 2], "province": ["四川", None]})
    >>> tables = segmenter.canonical_tables({"orders": orders}, settings.data, settings.launch)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [path.name for path in call_sheets(segmenter.plan_launch(tables, settings), settings, tables.contacts, Path(folder))]
    ['no region.xlsx', '四川.xlsx']
    """
    labels = Labels(settings.lang, settings.launch.currency)
    calls = _calls(plan, contacts, labels)
    as_of = plan.valid_until - timedelta(days=settings.launch.valid_days)
    about = _About(settings.launch, labels, _columns(calls, labels), as_of, plan.valid_until)
    parts: dict[str, tuple[str, pl.DataFrame]] = {}
    for (unit,), part in calls.group_by("unit", maintain_order=True):
        pieces = list(part.iter_slices(_MOST_ROWS))
        parts |= {f"{unit} {number}" if len(pieces) > 1 else str(unit): (str(unit), piece) for number, piece in enumerate(pieces, start=1)}
    names = safe_names(parts)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, (unit, part) in parts.items():
        paths.append(folder / f"{names[name]}.xlsx")
        _write(paths[-1], unit, part, about)
    return paths


def _calls(plan: "LaunchPlan", contacts: pl.DataFrame | None, labels: Labels) -> pl.DataFrame:
    groups = plan.groups.select("group", pl.col("region").alias("unit")).with_row_index("place")
    calls = plan.invite_list.join(groups, on="group", how="left", validate="m:1")
    calls = calls.join(plan.segments.select("segment", pl.col("name").alias("segment_name")), on="segment", how="left", validate="m:1")
    if contacts is not None:
        carried = contacts.select("customer_id", pl.exclude("customer_id").cast(pl.String).name.prefix(_CONTACT))
        calls = calls.join(carried, on="customer_id", how="left", validate="m:1")
    waves = {wave: labels.wave(wave) for wave in calls["wave"].unique()}
    calls = money.to_units(calls.sort("place", "wave", "rank"), ["spend"], labels.currency)
    return calls.with_columns(
        (pl.col("wave") == 1).alias("key_user"),
        pl.col("wave").replace_strict(waves, return_dtype=pl.String),
        pl.col("region").fill_null(labels.region(None)),
        pl.col("segment_name").alias("segment"),
        pl.lit(None, dtype=pl.String).alias("answer"),
        pl.lit(None, dtype=pl.Date).alias("answered_on"),
        pl.lit(None, dtype=pl.String).alias("note"),
    )


def _columns(calls: pl.DataFrame, labels: Labels) -> list[_Column]:
    ours = {key: labels.say(*head) for key, head in (_HEADS | _CALLS).items()}
    carried = {name: name.removeprefix(_CONTACT) for name in calls.columns if name.startswith(_CONTACT)}
    taken = {head for key, head in ours.items() if key != "name"}
    heads = {
        name: ours["name"] if head == "name" else f"{head} ({labels.say('contact', '联系方式')})" if head in taken else head
        for name, head in carried.items()
    }
    before = ("rank", "group", "wave", "customer_id")
    after = ("region", "segment", "reason", "spend", "orders", "last_order_at", "days_since_order", *_CALLS)
    all_heads = {key: ours[key] for key in before} | heads | {key: ours[key] for key in after}
    return [_Column(key, head, _WIDTHS.get(key) or _width(calls[key], head), _STYLES.get(key, "text")) for key, head in all_heads.items()]


def _width(cells: pl.Series, head: str) -> float:
    """Characters that show a column of text, where Chinese ones count double; the filter's button needs room too."""
    shown = pl.concat([cells.cast(pl.String), pl.Series([f"{head}...."])])
    return min(float(str(shown.to_frame("cell").select(_wide("cell").max()).item())) + 2, 32.0)


def _wide(column: str) -> pl.Expr:
    return pl.col(column).str.len_chars() + pl.col(column).str.count_matches(_WIDE)


def _write(path: Path, unit: str, calls: pl.DataFrame, about: _About) -> None:
    from xlsxwriter import Workbook

    launch, labels = about.launch, about.labels
    # In memory, so that every part of the zip gets one fixed time and fixed rights.
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with Workbook(str(path), options) as book:
        book.set_properties({"title": f"{launch.name} · {unit}", "created": datetime.combine(about.as_of, time(), UTC)})
        sheet = book.add_worksheet(labels.say("calls", "外呼名单"))
        _fill(sheet, calls, about.columns, _formats(book, labels))
        _arrange(sheet, calls.height, about)
        # Excel takes at most 255 characters, and an ampersand stands for itself only when doubled.
        title = " · ".join(part for part in (launch.name, unit, launch.topic) if part)[:90].replace("&", "&&")
        sheet.set_header(f"&L{title}&R{labels.say('good until', '有效期至')} {about.valid_until}")
        sheet.set_footer("&C&P / &N")
        _explain(book, list(_lines(unit, calls, about)), labels)


def _formats(book: Any, labels: Labels) -> dict[tuple[str, bool], Any]:
    """Make the formats of the cells, by style and by whether the row is a key user's."""
    places = money.digits(labels.currency)
    amount = f'"{labels.symbol}"#,##0{"." * (places > 0)}{"0" * places}'
    to_fill = {"bg_color": "#FFFBEF", "left": 1, "left_color": "#EADFBE"}
    styles: dict[str, dict[str, Any]] = {
        "head": {"bold": True, "font_color": "#FFFFFF", "bg_color": "#1F5F8B", "valign": "vcenter", "text_wrap": True},
        "text": {"num_format": "@"},
        "wrapped": {"num_format": "@", "text_wrap": True},
        "number": {"num_format": "#,##0", "align": "right", "indent": 1},
        "money": {"num_format": f"{amount};-{amount}", "align": "right", "indent": 1},
        "date": {"num_format": "yyyy-mm-dd", "align": "center"},
        "open": {"num_format": "@", **to_fill},
        "open_date": {"num_format": "yyyy-mm-dd", "align": "center", **to_fill},
        "open_wrapped": {"num_format": "@", "text_wrap": True, **to_fill},
    }
    base = {"valign": "top", "font_size": 10.5, "bottom": 1, "bottom_color": "#DCE4EA"}
    first = {"bg_color": "#EAF2F8"}
    return {
        (name, key_user): book.add_format(base | (first if key_user else {}) | style)
        for name, style in styles.items()
        for key_user in (False, True)
    }


def _fill(sheet: Any, calls: pl.DataFrame, columns: list[_Column], formats: dict[tuple[str, bool], Any]) -> None:
    for place, column in enumerate(columns):
        sheet.set_column(place, place, column.width)
        sheet.write_string(0, place, column.head, formats["head", False])
    # Not every program makes room for wrapped text by itself.
    lines = pl.max_horizontal((_wide(key) / (_WIDTHS[key] - 2)).ceil() for key in ("segment", "reason")).fill_null(1).alias("lines")
    for row, (key_user, high, *values) in enumerate(
        calls.select("key_user", lines, *(column.key for column in columns)).iter_rows(), start=1
    ):
        sheet.set_row(row, _LINE * max(high, 1) + 3)
        for place, (column, value) in enumerate(zip(columns, values, strict=True)):
            _write_cell(sheet, row, place, value, formats[column.style, key_user])


def _write_cell(sheet: Any, row: int, place: int, value: Any, style: Any) -> None:
    match value:
        case None:
            sheet.write_blank(row, place, None, style)
        case str():
            sheet.write_string(row, place, value, style)
        case datetime():
            sheet.write_datetime(row, place, datetime.combine(value.date(), time()), style)
        case _:
            sheet.write_number(row, place, float(value), style)


def _arrange(sheet: Any, rows: int, about: _About) -> None:
    labels, places = about.labels, {column.key: place for place, column in enumerate(about.columns)}
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


def _explain(book: Any, lines: list[tuple[str, str]], labels: Labels) -> None:
    sheet = book.add_worksheet(labels.say("info", "说明"))
    name = book.add_format({"bold": True, "valign": "top", "font_size": 10.5})
    text = book.add_format({"text_wrap": True, "valign": "top", "font_size": 10.5, "num_format": "@"})
    for row, (key, value) in enumerate(lines):
        sheet.write_string(row, 0, key, name)
        sheet.write_string(row, 1, value, text)
        width = len(value) + len(re.findall(_WIDE, value))
        sheet.set_row(row, 18 * math.ceil(width / 76))
    sheet.set_column(0, 0, 16)
    sheet.set_column(1, 1, 78)
    sheet.hide_gridlines(2)
    sheet.fit_to_pages(1, 0)
    sheet.set_paper(9)


def _lines(unit: str, calls: pl.DataFrame, about: _About) -> Iterator[tuple[str, str]]:
    labels, say = about.labels, about.labels.say
    groups = calls["group"].unique(maintain_order=True).to_list()
    named = f"{groups[0]} – {groups[-1]}" if len(groups) > 1 else groups[0]
    yield say("launch", "活动"), about.launch.name
    if about.launch.topic:
        yield say("topic", "社群主题"), about.launch.topic
    yield say("region", "地区"), unit
    yield say("as of", "数据截至"), labels.day(about.as_of)
    yield say("good until", "有效期至"), labels.day(about.valid_until)
    yield say("customers", "客户数"), labels.number(calls.height)
    yield say("key users", "核心用户"), labels.number(int(calls["key_user"].sum()))
    yield say("groups", "社群"), f"{labels.number(len(groups))} ({named})"
    yield (
        say("order", "顺序"),
        say(
            "Call the key users of a group first (wave 1, shaded blue), then the others by rank.",
            "每个社群先联系核心用户（第 1 批，蓝色底纹），再按排名联系其他客户。",
        ),
    )
    yield (
        say("reason", "邀请理由"),
        say("Why the customer is on the list: something to begin the talk with.", "该客户入选的原因，可作为沟通的开场。"),
    )
    yield (
        say("answer", "答复"),
        say(
            "Choose from the drop-down; leave it empty until you have tried. Please leave the header and the customer ids as they are.",
            "请从下拉框选择，尚未联系的请留空。请勿改动表头和客户编号。",
        ),
    )
    yield (
        say("privacy", "隐私"),
        say("Names and contacts are personal data: pass this file on to nobody else.", "姓名和联系方式属于个人信息，请勿外传本文件。"),
    )
