"""The workbook of answers that nobody could make sense of, to be filled in: an answer file itself. It holds contacts."""

from datetime import UTC, date, datetime, time
from pathlib import Path

import polars as pl

from segmenter.report.call_sheet_cells import formats, new_workbook, protect, write_cell
from segmenter.report.call_sheet_words import ANSWER_WORDS
from segmenter.report.labels import Labels
from segmenter.report.language import translate
from segmenter.report.outputs import Output
from segmenter.settings import LaunchJob
from segmenter.sources.answer_mending import FILE
from segmenter.sources.inputs import Inputs
from segmenter.sources.reject_reasons import reason_of
from segmenter.vocabulary import vocabulary
from segmenter.words import visible

# Heads in both languages, the width and the style.
_COLUMNS: dict[str, tuple[str, str, float, str]] = {
    "source": (*vocabulary("people")["mending"]["file"], 24.0, "wrapped"),
    "row": (*vocabulary("people")["mending"]["row"], 7.0, "number"),
    "written": (*vocabulary("people")["mending"]["written"], 26.0, "wrapped"),
    "why": (*vocabulary("people")["mending"]["why"], 46.0, "wrapped"),
    "name": ("name", "姓名", 14.0, "wrapped"),
    "phone": ("phone", "电话", 15.0, "text"),
    "customer_id": ("customer_id", "客户编号", 14.0, "open"),
    "answer": ("answer", "答复", 15.0, "open"),
    "answered_on": ("answered on", "答复日期", 13.0, "open_date"),
    "brought_by": ("brought by", "由谁带来", 15.0, "open"),
}


def write_mending_sheet(to_mend: pl.DataFrame, labels: Labels, name: str, made: date, path: Path) -> None:
    """Write what is to be mended (`answer_mending.MENDED`); only its owner may read it. The same rows give the same bytes."""
    properties = {"title": visible(name), "created": datetime.combine(made, time(), UTC)}
    answers = {state: labels.say(*words) for state, words in ANSWER_WORDS.items()}
    path.touch(mode=0o600)
    with new_workbook(path.write_bytes, properties) as book:
        sheet, styles = book.add_worksheet(labels.say("to mend", "待修正")), formats(book, labels)
        for place, (en, zh, width, _) in enumerate(_COLUMNS.values()):
            sheet.set_column(place, place, width)
            write_cell(sheet, 0, place, labels.say(en, zh), styles["head", False, False])
        for at, row in enumerate(to_mend.iter_rows(named=True), start=1):
            sheet.set_row(at, 33)  # two lines
            cells = row | {
                "written": answers.get(row["written"], row["written"]),
                "why": translate(reason_of(row["why"]), labels.lang),
                "answer": answers.get(row["answer"], row["answer"]),
            }
            for place, (key, (_, _, _, style)) in enumerate(_COLUMNS.items()):
                write_cell(sheet, at, place, cells[key], styles[style, False, False])
        place = list(_COLUMNS).index("answer")
        sheet.data_validation(1, place, to_mend.height, place, {"validate": "list", "source": [*answers.values()], "error_type": "warning"})
        sheet.set_row(0, 30)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, to_mend.height, len(_COLUMNS) - 1)
        protect(sheet)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)


def mending_output(read: Inputs, settings: LaunchJob, made: date) -> list[Output]:
    """List the workbook among what a job leaves, where there is anything to mend."""
    to_mend, labels = read.to_mend, Labels(settings.lang, settings.launch.currency)
    if to_mend is None or to_mend.is_empty():
        return []
    return [Output(FILE, lambda path: write_mending_sheet(to_mend, labels, settings.launch.name, made, path))]
