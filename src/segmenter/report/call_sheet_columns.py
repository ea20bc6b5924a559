"""The columns of a call sheet: what they are called, in what order they stand, and which are printed."""

from dataclasses import dataclass, replace

import polars as pl

from segmenter.report.call_sheet_cells import CONTACT, fit_width
from segmenter.report.labels import Labels

# Heads in both languages, the width (as wide as its text where there is none), and the style.
_COLUMNS: dict[str, tuple[str, str, float | None, str]] = {
    "kind": ("call", "外呼类型", 12.0, "wrapped"),
    "call_on": ("call on", "计划外呼日", 12.0, "date"),
    "wave": ("wave", "批次", 11.5, "text"),
    "group": ("group", "社群", None, "wrapped"),
    "name": ("name", "姓名", None, "wrapped"),
    "habit": ("buying habit", "购买习惯", 20.0, "wrapped"),
    "hook": ("persona, and what to offer", "画像与主推内容", 24.0, "wrapped"),
    "reason": ("reason", "邀请理由", 33.0, "wrapped"),
    "say": ("what to say", "怎么说", 34.0, "wrapped"),
    "answer": ("answer", "答复", 11.0, "open"),
    "note": ("note", "备注", 18.0, "open_wrapped"),
    "agent": ("agent", "客服", None, "text"),
    "call_again": ("call again on", "下次联系", 14.0, "open_date"),
    "answered_on": ("answered on", "答复日期", 13.0, "open_date"),
    "refusal": ("reason for refusing", "拒绝原因", 20.0, "open_wrapped"),
    "new_phone": ("new phone", "新电话", 16.0, "open"),
    "brought_by": ("brought by", "由谁带来", 16.0, "open"),
    "last_call": ("last call", "上次联系", None, "text"),
    "remark": ("save contact as", "联系人备注名", None, "text"),
    "script": ("opening words", "开场白", 30.0, "text"),
    "customer_id": ("customer_id", "客户编号", None, "text"),
    "rank": ("rank", "排名", 7.5, "number"),
    "channel": ("channel", "渠道", None, "text"),
    "region": ("region", "地区", None, "text"),
    "segment": ("segment", "客群", None, "text"),
    "persona": ("persona", "画像", None, "text"),
    "role": ("role", "角色", None, "text"),
    "topic": ("topic", "主题", None, "text"),
    "spend": ("spend, all time", "累计消费额", 14.0, "money"),
    "orders": ("orders", "订单数", 8.5, "number"),
    "last_order_at": ("last order", "最近下单", 12.0, "date"),
}
_UNLESS_EMPTY = ("name", "agent", "last_call", "script", "persona", "role", "topic")  # left out where nobody has any
_WIDEST, _WIDEST_PRINTED = 32.0, 17.0  # so that eight columns fit an A4 page in at least 9 points
_PAGE = 135.0  # so wide is the page; where columns are fewer, the longest text takes the rest


@dataclass(frozen=True)
class Column:
    """A column."""

    key: str
    head: str
    width: float
    style: str


@dataclass(frozen=True)
class Layout:
    """All columns of a sheet."""

    columns: list[Column]
    printed: int  # so many of them, from the first

    def place(self, key: str) -> int:
        """Give where a column stands."""
        return next(place for place, column in enumerate(self.columns) if column.key == key)


def lay_out(calls: pl.DataFrame, labels: Labels, printed: tuple[str, ...], without: tuple[str, ...]) -> Layout:
    """Put the columns in order: what is printed first, without those that stand elsewhere or are empty."""
    ours = {key: labels.say(en, zh) for key, (en, zh, _, _) in _COLUMNS.items()}
    taken = {head for key, head in ours.items() if key != "name"}
    shops = [column for column in calls.columns if column.startswith(CONTACT)]
    heads = {column: column.removeprefix(CONTACT) for column in shops}
    heads = {column: f"{head} ({labels.say('contact', '联系方式')})" if head in taken else head for column, head in heads.items()} | ours
    empty = [key for key in _UNLESS_EMPTY if key in calls.columns and calls[key].null_count() == calls.height]
    empty += ["channel"] if calls["channel"].n_unique() < 2 else []
    phone = _phone_column(calls, shops)
    who = {CONTACT: phone} | ({"name": "customer_id"} if "name" in empty else {})
    first = [key for key in (who.get(key, key) for key in printed) if key is not None]
    rest = [key for key in _COLUMNS if key in calls.columns and key not in (*first, *empty, *without)]
    at = rest.index("remark") + 1
    rest[at:at] = [column for column in shops if column != phone]
    columns = []
    for place, key in enumerate([*first, *rest]):
        _, _, width, style = _COLUMNS.get(key, ("", "", None, "wrapped" if key == phone else "text"))
        if place >= len(first) and style == "wrapped":
            style = "text"  # what is not printed makes no row higher
        elif place < len(first) and key == "last_call":
            style = "wrapped"
        width = width or fit_width(calls[key], heads[key], _WIDEST_PRINTED if place < len(first) else _WIDEST)
        columns.append(Column(key, heads[key], width, style))
    longest = max(range(len(first)), key=lambda place: (columns[place].style == "wrapped", columns[place].width))
    rest_of_page = max(_PAGE - sum(column.width for column in columns[: len(first)]), 0.0)
    columns[longest] = replace(columns[longest], width=columns[longest].width + rest_of_page)
    return Layout(columns, len(first))


def _phone_column(calls: pl.DataFrame, columns: list[str]) -> str | None:
    """Choose the contact that is printed: the one with most phone numbers, or else the first."""
    digits = [int(calls[column].str.replace_all(r"\D", "").str.len_chars().is_between(7, 15).sum()) for column in columns]
    return max(zip(digits, columns, strict=True), key=lambda each: each[0])[1] if columns else None
