"""Call sheets as agents send them back, for the simulated shop: most choose from the drop-down, some write as they like."""

import csv
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import polars as pl

from segmenter.hashing import uniform
from segmenter.report.call_sheet_cells import new_workbook, write_cell
from segmenter.report.language import say
from segmenter.report.safe_text import safe_names
from segmenter.sources.answer_lists import WRITTEN, answer_lists
from segmenter.sources.expressions import ROW
from segmenter.sources.files import read_separately
from segmenter.words import Lang

# What each answer looks like: English and Chinese, the drop-down's word first.
_SPELLINGS = {
    "joined": (("joined", "Joined", "joined!", "yes", "has joined", "joind"), ("已入群", "已进群", "入群", "已加入", "加了", "已入群！")),
    "agreed": (("will join", "agreed", "Will join later"), ("愿意加入", "同意", "稍后加入")),
    "thinking": (("thinking it over", "maybe", "undecided"), ("考虑中", "考虑一下", "再想想")),
    "call_back": (("call back", "call again", "Call back later"), ("稍后再联系", "晚点再打", "过两天再联系")),
    "refused": (("refused", "declined", "no", "not interested", "refuesd"), ("拒绝", "不需要", "不加", "拒绝了", "不感兴趣")),
    "refused_for_good": (("refused for good", "do not call again", "never"), ("以后都不要联系", "永久拒绝", "不要再联系")),
    "not_reached": (("not reached", "no answer", "busy", "No Answer"), ("未接通", "无人接听", "关机", "未接", "没接")),
    "wrong_number": (("wrong number", "Wrong number!"), ("号码有误", "空号")),
}
# What hurried ones write in an untidy file.
_HURRIED = {
    "joined": (("added, she is in", "is in the gruop", "√"), ("已入裙", "己入群", "同意，已加微信，已入群", "拉进群了", "√")),
    "agreed": (("ok, will join tonight", "yes she wants to join", "agreeed"), ("可以，拉他进群", "好的，晚点加", "同意入群，还没加")),
    "thinking": (("wants to think about it", "thinking", "not sure yet"), ("说考虑考虑", "还在犹豫", "要跟老板商量")),
    "call_back": (
        ("owner not there, call later", "call again next week", "in a meeting"),
        ("老板不在", "晚点再打", "在忙，晚点联系", "下周再联系"),
    ),
    "refused": (("doesn't want to", "no need", "declinde"), ("不想加，群太多", "暂时不需要", "拒决", "不加群")),
    "refused_for_good": (("never call again!!", "don't call any more"), ("别再打了", "说不要再打电话", "投诉，不要再联系")),
    "not_reached": (("no anwser", "did not pick up", "line busy"), ("无人接听。", "没人接", "打不通", "末接通")),
    "wrong_number": (("wrong nubmer", "number does not exist"), ("空号了", "打错了", "号码不对")),
}
_REASONS = (
    ("too many groups already", "群太多"),
    ("no time", "没时间"),
    ("orders by phone", "习惯电话订货"),
    ("too many messages", "消息太多"),
    ("sees no use in it", "觉得没用"),
)
_UNDATED, _TYPED = 0.03, 0.08  # answers whose date is left out, and those whose date is text
_CHOSEN = 0.8  # from the drop-down
_HASTE = 0.35  # of the answers in an untidy file; of its rows, those that stand there twice, and before which one is empty:
_TWICE, _EMPTY = 0.04, 0.03
# Columns to fill in besides: their heads.
_BESIDES = {"call_on": ("call again on", "下次联系"), "new_phone": ("new phone", "新电话"), "brought_by": ("brought by", "由谁带来")}


def fill_sheets(sheets: Sequence[Path], answers: pl.DataFrame, folder: Path, *, seed: int, lang: Lang, untidy: bool = False) -> list[Path]:
    """Copy call sheets with their answers filled in: of the workbooks that a customer stands in, into the first.

    `answers` has ``customer_id``, ``answer`` (`tables.ANSWERS`), ``answered_on``, and may have ``hour`` and `_BESIDES`.
    Untidy ones come as people send them: each in a folder of its own, every third as text in GB18030, with slips, and rows that stand
    there twice or are empty.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = _spelt(answers, seed, lang, untidy=untidy)
    copies = []
    for number, sheet in enumerate(sheets):
        filled = []
        for listed in answer_lists(read_separately(str(sheet), WRITTEN)[0][0]):
            frame, roles = listed.frame.drop(ROW), listed.roles
            heads: dict[str, str] = {name: head for name, head in roles.items() if name in ("answer", "answered_on", "reason")}
            heads |= {name: head for name, words in _BESIDES.items() for head in words if head in frame.columns}
            found = frame.select(pl.col(roles["customer_id"]).alias("customer_id")).join(
                written, on="customer_id", how="left", maintain_order="left", validate="m:1"
            )
            cells: dict[str, list[Any]] = {name: frame[name].to_list() for name in frame.columns}
            for name, head in heads.items():
                dated = found.select(name, pl.col("moment") if name == "answered_on" else pl.lit(None))
                cells[head] = [value if moment is None else moment for value, moment in dated.rows()]
            filled.append(_mess(cells, frame[roles["customer_id"]], seed) if untidy else cells)
            written = written.join(found, on="customer_id", how="anti", maintain_order="left")
        place = folder / sheet.stem if untidy else folder
        place.mkdir(exist_ok=True)
        if untidy and number % 3 == 2:
            copies += _write_text(place, sheet.stem, filled)
        else:
            copies.append(place / sheet.name)
            _write(copies[-1], filled, say(lang, "calls", "外呼名单"))
    return copies


def called_in(sheets: Sequence[Path]) -> pl.DataFrame:
    """List who stands in call sheets: ``customer_id``, each once."""
    lists = [listed for sheet in sheets for listed in answer_lists(read_separately(str(sheet), WRITTEN)[0][0]) if not listed.lacks]
    ids = [listed.frame[listed.roles["customer_id"]].cast(pl.String) for listed in lists]
    return pl.concat([pl.Series(dtype=pl.String), *ids]).drop_nulls().unique().sort().alias("customer_id").to_frame()


def list_members(members: pl.DataFrame, customers: pl.DataFrame, folder: Path, lang: Lang) -> None:
    """Write each group's members as they are exported, with a colleague among them, and who invited whom.

    Whoever nobody brought was invited by the colleague; whose name others have, too, is named by their phone.
    """
    folder.mkdir(parents=True, exist_ok=True)
    staff = customers.filter("staff").head(1)
    called = pl.when(pl.col("name").is_unique()).then("name").otherwise("phone").alias("invited_by")
    known = members.join(customers.select("customer_id", "name", "phone"), on="customer_id", validate="1:1")
    known = known.join(customers.select(called, brought_by="customer_id"), on="brought_by", how="left")
    known = known.with_columns(pl.col("invited_by").fill_null(pl.lit(next(iter(staff["name"]), None), pl.String)))
    own = staff.select("name", "phone", joined_on=pl.lit(None, pl.Date), invited_by=pl.lit(None, pl.String))
    for (group,), part in known.sort("group", "joined_on", "customer_id").group_by("group", maintain_order=True):
        people = pl.concat([own, part.select(own.columns)])
        words = (("nickname", "群昵称"), ("phone", "手机号"), ("joined on", "入群时间"), ("invited by", "邀请人"))
        heads = [say(lang, *each) for each in words]
        text = people.rename(dict(zip(people.columns, heads, strict=True))).write_csv()
        name = safe_names([str(group)])[str(group)]
        (folder / f"{say(lang, 'members', '群成员')} {name}.csv").write_bytes(text.encode("gb18030"))


def _spelt(answers: pl.DataFrame, seed: int, lang: Lang, *, untidy: bool) -> pl.DataFrame:
    """Give what the agents wrote: ``answered_on`` is text, or a ``moment``."""
    known = answers.drop_nulls("answer")
    missing = [name for name in ("hour", *_BESIDES) if name not in known.columns]
    known = known.with_columns(pl.lit(None).alias(name) for name in missing)
    draws = [uniform(known["customer_id"], seed, f"demo sheet {purpose}") for purpose in ("chosen", "spelling", "date", "reason", "haste")]
    rows = []
    said = known.select("customer_id", "answer", "answered_on", "hour", pl.struct(*_BESIDES)).rows()
    for (customer, answer, day, hour, besides), chosen, spelling, dated, why, haste in zip(said, *draws, strict=True):
        hurried = untidy and haste < _HASTE
        words: Sequence[str] = say(lang, *(_HURRIED if hurried else _SPELLINGS)[answer])
        word = words[0] if chosen < _CHOSEN and not hurried else words[int(spelling * len(words))]
        moment = datetime(day.year, day.month, day.day, hour or 0, 0 if hour is None else int(60 * spelling))
        typed = f"{day.year}/{day.month}/{day.day}" + ("" if hour is None else f" {moment:%H:%M}")
        undated = dated < _UNDATED / (1 + 2 * untidy)
        as_text = not undated and dated < _UNDATED + _TYPED
        reason = say(lang, *_REASONS[int(why**2 * len(_REASONS))]) if answer.startswith("refused") and why < 0.9 else None
        rows.append((customer, word, typed if as_text else None, None if undated or as_text else moment, reason, *besides.values()))
    columns = ("customer_id", "answer", "answered_on", "moment", "reason", *_BESIDES)
    schema = dict.fromkeys(columns, pl.String()) | {"moment": pl.Datetime("us"), "call_on": pl.Date()}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _mess(cells: dict[str, list[Any]], ids: pl.Series, seed: int) -> dict[str, list[Any]]:
    """Copy some rows, and put empty ones between others."""
    twice, empty = (uniform(ids.fill_null(""), seed, f"demo sheet {purpose}").to_list() for purpose in ("twice", "empty"))
    places: list[int | None] = []
    for place, (copied, parted) in enumerate(zip(twice, empty, strict=True)):
        places += [None] * (parted < _EMPTY) + [place] * (1 + (copied < _TWICE))
    return {name: [None if place is None else values[place] for place in places] for name, values in cells.items()}


def _write_text(folder: Path, stem: str, filled: Sequence[dict[str, list[Any]]]) -> list[Path]:
    """Write each sheet as a file of text, as some programs of the country save it."""
    paths = []
    for number, cells in enumerate(filled, start=1):
        paths.append(folder / f"{stem} {number}.csv")
        with paths[-1].open("w", encoding="gb18030", newline="") as file:
            lines = csv.writer(file, lineterminator="\r\n")
            lines.writerows([list(cells), *zip(*cells.values(), strict=True)])
    return paths


def _write(path: Path, filled: Sequence[dict[str, list[Any]]], title: str) -> None:
    with new_workbook(path.write_bytes, {"created": datetime(2026, 1, 1, tzinfo=UTC)}) as book:  # the same bytes on any day
        day, moment = (book.add_format({"num_format": form}) for form in ("yyyy-mm-dd", "yyyy-mm-dd hh:mm"))
        for number, cells in enumerate(filled, start=1):
            sheet = book.add_worksheet(title if number == 1 else f"{title} {number}")
            for column, (head, values) in enumerate(cells.items()):
                for row, value in enumerate((head, *values)):
                    if isinstance(value, datetime) and value.time() != time():
                        sheet.write_datetime(row, column, value, moment)
                    else:
                        write_cell(sheet, row, column, value, day if isinstance(value, date) else None)
