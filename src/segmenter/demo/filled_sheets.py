"""Call sheets as agents send them back, for the simulated shop: most choose from the drop-down, some write as they like."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl

from segmenter.hashing import uniform
from segmenter.report.call_sheet_cells import new_workbook, write_cell
from segmenter.report.language import say
from segmenter.sources.answer_lists import WRITTEN, answer_lists
from segmenter.sources.expressions import ROW
from segmenter.sources.files import read_separately
from segmenter.words import Lang

# What each answer looks like: English and Chinese, the drop-down's word first.
_SPELLINGS = {
    "joined": (("joined", "Joined", "joined!", "yes", "has joined", "joind"), ("已入群", "已进群", "入群", "已加入", "加了", "已入群！")),
    "will join": (("will join", "agreed", "Will join later"), ("愿意加入", "同意", "稍后加入")),
    "refused": (("refused", "declined", "no", "not interested", "refuesd"), ("拒绝", "不需要", "不加", "拒绝了", "不感兴趣")),
    "refused for good": (("refused for good", "do not call again", "never"), ("以后都不要联系", "永久拒绝", "不要再联系")),
    "not reached": (("not reached", "no answer", "busy", "No Answer"), ("未接通", "无人接听", "关机", "未接", "没接")),
    "wrong number": (("wrong number", "Wrong number!"), ("号码有误", "空号")),
}
_CHOSEN = 0.8  # from the drop-down
_REASONS = (
    ("too many groups already", "群太多"),
    ("no time", "没时间"),
    ("orders by phone", "习惯电话订货"),
    ("too many messages", "消息太多"),
    ("sees no use in it", "觉得没用"),
)
_UNDATED, _TYPED = 0.03, 0.08  # answers whose date is left out, and those whose date is text


def fill_sheets(sheets: Sequence[Path], answers: pl.DataFrame, folder: Path, *, seed: int, lang: Lang) -> list[Path]:
    """Copy call sheets with their answers filled in: of the workbooks that a customer stands in, into the first."""
    folder.mkdir(parents=True, exist_ok=True)
    written = _spelt(answers, seed, lang)
    copies = []
    for sheet in sheets:
        filled = []
        for listed in answer_lists(read_separately(str(sheet), WRITTEN)[0][0]):
            frame, roles = listed.frame.drop(ROW), listed.roles
            found = frame.select(pl.col(roles["customer_id"]).alias("customer_id")).join(
                written, on="customer_id", how="left", maintain_order="left", validate="1:1"
            )
            cells: dict[str, list[Any]] = {name: frame[name].to_list() for name in frame.columns}
            for role in ("answer", "answered_on", "reason"):
                if role in roles:
                    cells[roles[role]] = [
                        day if role == "answered_on" and not typed else value
                        for value, day, typed in found.select(role, "day", "typed").rows()
                    ]
            filled.append(cells)
            written = written.join(found, on="customer_id", how="anti", maintain_order="left")
        copies.append(folder / sheet.name)
        _write(copies[-1], filled, say(lang, "calls", "外呼名单"))
    return copies


def _spelt(answers: pl.DataFrame, seed: int, lang: Lang) -> pl.DataFrame:
    """Give what the agents wrote: ``answer``, ``answered_on`` as text where `typed`, otherwise ``day``, and ``reason``."""
    known = answers.drop_nulls("answer")
    draws = [uniform(known["customer_id"], seed, f"demo sheet {purpose}") for purpose in ("chosen", "spelling", "date", "reason")]
    rows = []
    said = known.select("customer_id", "answer", "answered_on").rows()
    for (customer, answer, day), chosen, spelling, dated, why in zip(said, *draws, strict=True):
        words = say(lang, *_SPELLINGS[answer])  # type: ignore[arg-type]  # of tuples as of texts
        word = words[0] if chosen < _CHOSEN else words[int(spelling * len(words))]
        typed = _UNDATED <= dated < _UNDATED + _TYPED
        reason = say(lang, *_REASONS[int(why**2 * len(_REASONS))]) if answer.startswith("refused") and why < 0.9 else None
        text = f"{day.year}/{day.month}/{day.day}" if typed else None
        rows.append((customer, word, text, None if dated < _UNDATED or typed else day, typed, reason))
    columns = ("customer_id", "answer", "answered_on", "day", "typed", "reason")
    schema = {name: {"day": pl.Date, "typed": pl.Boolean}.get(name, pl.String) for name in columns}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _write(path: Path, filled: Sequence[dict[str, list[Any]]], title: str) -> None:
    with new_workbook(path, {"created": datetime(2026, 1, 1, tzinfo=UTC)}) as book:  # the same bytes on any day
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for number, cells in enumerate(filled, start=1):
            sheet = book.add_worksheet(title if number == 1 else f"{title} {number}")
            for column, (head, values) in enumerate(cells.items()):
                for row, value in enumerate((head, *values)):
                    write_cell(sheet, row, column, value, day if isinstance(value, date) else None)
