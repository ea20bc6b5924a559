"""Files and sheets of one table, with the same columns or others."""

import unicodedata
from collections.abc import Sequence

import polars as pl

from segmenter.contacts import shown_columns
from segmenter.findings import Finding
from segmenter.messages import Message
from segmenter.sources.expressions import columns_of
from segmenter.sources.file_format import FileFormat


def layout_key(column: str) -> str:
    """Give a column's name without what people write in different ways: case, blanks, width, underscores."""
    return "".join(unicodedata.normalize("NFKC", column).casefold().replace("_", "").split()) or column


def common_columns(
    frames: Sequence[tuple[str, pl.DataFrame]], written: FileFormat
) -> tuple[list[tuple[str, pl.DataFrame]], list[str], list[Finding]]:
    """Give frames the same columns where all have those that are mapped; else say which lack some.

    A column that differs only in case, blanks or width is called as in the first that has all. One that is not mapped and not in all is
    null where it is not, which is told. Without a mapping, or where none has all that is mapped, the frames come back as they are.
    """
    first = next((at for at, (_, frame) in enumerate(frames) if written.fits(columns_of(frame))), None)
    if first is None:
        return list(frames), [], []
    names = {layout_key(column): column for column in columns_of(frames[first][1])}
    renamed = [(name, _renamed(frame, names)) for name, frame in frames]
    problems: list[str] = []
    for name, frame in renamed:
        if lacks := written.lacking(columns_of(frame)):
            sentence = (
                "{name}: has another layout than {first} (it lacks {lacks} and has {columns}); leave it out by a glob in {key}, or move it "
                "elsewhere"
            )
            columns = tuple(shown_columns(columns_of(frame)).values())[:10]
            facts = {"name": name, "first": frames[first][0], "lacks": tuple(lacks), "columns": columns, "key": written.key("path")}
            problems.append(Message("sheets.other_layout", sentence, **facts))
    if problems:
        return renamed, problems, []
    every = list(dict.fromkeys(column for _, frame in renamed for column in columns_of(frame)))
    return [(name, _completed(frame, every, renamed)) for name, frame in renamed], [], _findings(every, renamed, written)


def _renamed(frame: pl.DataFrame, names: dict[str, str]) -> pl.DataFrame:
    own = columns_of(frame)
    keys = [layout_key(column) for column in own]
    new = {column: names[key] for column, key in zip(own, keys, strict=True) if key in names and keys.count(key) == 1}
    return frame.rename({column: name for column, name in new.items() if name not in own})


def _completed(frame: pl.DataFrame, every: Sequence[str], frames: Sequence[tuple[str, pl.DataFrame]]) -> pl.DataFrame:
    types = {column: other.schema[column] for _, other in reversed(frames) for column in columns_of(other)}
    missing = [pl.lit(None, dtype=types[column]).alias(column) for column in every if column not in frame.columns]
    rest = [name for name in frame.columns if name not in every]
    return frame.with_columns(missing).select(*every, *rest)


def _findings(every: Sequence[str], frames: Sequence[tuple[str, pl.DataFrame]], written: FileFormat) -> list[Finding]:
    """Say which columns are not in all files: in a warning those that are read, as fields of the same name."""
    lacking: dict[tuple[str, ...], list[str]] = {}
    for column in every:
        if names := tuple(name for name, frame in frames if column not in frame.columns):
            lacking.setdefault(names, []).append(column)
    shown = shown_columns(every)
    sentence = "{files} lack columns that other files have, which are empty there: {columns}"
    findings = []
    for names, columns in lacking.items():
        files = (*names[:5], *(["…"] if len(names) > 5 else []))
        message = Message("sheets.not_in_all", sentence, files=files, columns=tuple(shown[column] for column in columns[:10]))
        findings.append(Finding("warning" if written.fields & set(columns) else "note", message))
    return findings
