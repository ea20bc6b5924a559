"""Delimited text in whatever encoding and with whatever separator a shop's system wrote it."""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError

from segmenter.checks.header_rows import Header, find_header, no_header
from segmenter.errors import ConfigError, InputError, nearest
from segmenter.findings import Finding
from segmenter.messages import Message
from segmenter.sources.encodings import UTF8, encoding_by_mark, find_encoding, first_bad_line, is_gzip
from segmenter.sources.expressions import ROW
from segmenter.sources.file_format import FileFormat
from segmenter.sources.quotes import quotes_fit
from segmenter.sources.raw import column_names, label
from segmenter.sources.table_rows import check_one_table, header_findings, other_rows_of
from segmenter.sources.text_lines import BadLine, read_lines

_MAX_HEADER = 1 << 24  # bytes of a header
_MAX_RECORDS = 200  # that say which separator it is, and where the header
_SEPARATORS = {"\t": "tab", ",": "comma", ";": "semicolon", "|": "pipe"}
_BLANKS = "blanks"  # columns set by width: any number of blanks is one separator
_SEPARATOR_LINE = re.compile(r'"?sep=([^\w"\r\n])"?[\r\n]*', re.IGNORECASE)  # for Excel, which does not show it


def check_text_settings(written: FileFormat) -> None:
    """Check the settings of text files, before any is opened: ``auto``, or a codec's name and one character."""
    problems = []
    encoding, separator = written.encoding, written.separator
    try:
        known = encoding == "auto" or codecs.lookup(encoding)._is_text_encoding
    except LookupError:
        known = False
    if not known:
        from encodings.aliases import aliases

        near = nearest(encoding, {"auto", "utf-8", *aliases.values()})
        sentence = '{key}: is no text encoding (got "{encoding}"){near}'
        problems.append(Message("files.unknown_encoding", sentence, key=written.set_by("encoding"), encoding=encoding, near=near))
    mark = _separator_named(separator)
    if separator != "auto" and (len(mark) != 1 or not mark.isascii() or mark in '"\r\n'):
        sentence = '{key}: should be auto, blanks, or one character such as "," ";" "|" "\\t" (got "{separator}")'
        problems.append(Message("files.no_separator", sentence, key=written.set_by("separator"), separator=separator))
    if problems:
        raise ConfigError(*problems)


def read_text(path: Path, name: str, written: FileFormat) -> tuple[pl.DataFrame, str, list[BadLine], list[Finding]]:
    """Read a file of delimited text, every cell as text, empty ones as null; say how it was understood, and which lines are left out.

    Polars reads it where its quotes are beyond doubt and all lines fit the header; `read_lines` reads any other. `skip_rows` lines stand
    above the header, besides a first one such as ``sep=;``.
    """
    codec, source = _decode(path, name, written)
    if written.separator == _BLANKS:
        source = _tabbed(source)
    head, whole = _head(source)
    if not whole and "\n" not in head and "\r" not in head:
        head, whole = _head(source, _MAX_HEADER)
    line_end = next((end for end in ("\r\n", "\n", "\r") if end in head), "\n")
    skip_rows = 0 if written.skip_rows == "auto" else written.skip_rows
    above, named = _above(head, skip_rows)
    before = _count_lines(above)
    top = _top(head[len(above) :], whole, written, named)
    if top is None:
        raise InputError(_no_header(name, written, skip_rows, len(head) - len(above)))
    # The last row of the header is the one from which on others read.
    above += "".join(islice(io.StringIO(head[len(above) :], newline=""), top.ends[top.header.last - 1] if top.header.last > 0 else 0))
    skipped = _count_lines(above)
    header, mark = top.header.names, top.mark
    bad: list[BadLine] = []
    frame = _read_fast(source, mark, len(header), above, line_end, has_header=written.header)
    rows = None if frame is None else _begins(frame, line_end)
    if frame is not None and rows is not None:
        rows += before + (top.ends[top.header.last] if written.header else 0)
    else:
        binary = io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")
        with io.TextIOWrapper(binary, encoding="utf-8-sig", newline="") as text:
            text.read(len(above))
            frame, rows, bad = read_lines(text, name, mark, len(header), skipped, headed=written.header)
    check_one_table(name, header, frame)
    labelled = label(frame, header, name, rows)
    others, findings = other_rows_of(labelled, top.rows, top.header, name, written)
    if others:
        labelled = labelled.filter(~pl.col(ROW).is_in(others))
    shown = _SEPARATORS.get(mark, f'separator "{mark}"')
    found = header_findings(name, top.rows, top.header, [before + end for end in top.ends], written)
    return labelled, f"CSV, {codec}, {shown}", bad, [*found, *findings]


def _count_lines(text: str) -> int:
    return sum(1 for _ in io.StringIO(text, newline=""))


@dataclass(frozen=True)
class _Top:
    """The first records of a file under one separator."""

    mark: str
    rows: list[list[str]]
    ends: list[int]  # the lines up to the end of each
    header: Header


def _top(head: str, whole: bool, written: FileFormat, named: str | None) -> _Top | None:
    """Find the header and the separator: the one under which most records have as many fields as the header."""
    fixed = named if written.separator == "auto" else _separator_named(written.separator)
    tops = [top for mark in ([fixed] if fixed else _SEPARATORS) if (top := _records_of(head, mark, whole, written)) is not None]
    if fixed or not tops:
        return next(iter(tops), None)
    return max(tops, key=_order)


def _records_of(head: str, mark: str, whole: bool, written: FileFormat) -> _Top | None:
    found = list(islice(_records(head, mark, whole), _MAX_RECORDS))
    if not found:
        return None
    rows = [record for record, _ in found]
    header = Header(0, 0, tuple(rows[0]))
    if not written.header:
        header = no_header(rows)
    elif written.skip_rows == "auto":
        header = find_header(rows, lambda names: written.fits(column_names(names)))
    return _Top(mark, rows, [end for _, end in found], header)


def _order(top: _Top) -> tuple[bool, float, int, str]:
    width = len(top.header.names)
    lengths = [len(record) for record in top.rows[max(top.header.last, 0) :]]
    alike = sum(length == width for length in lengths) / len(lengths)
    return (True, alike, width, top.mark) if width > 1 else (False, 0.0, 1, "," if top.mark == "," else "")


def _decode(path: Path, name: str, written: FileFormat) -> tuple[str, Path | bytes]:
    """Find the encoding; give the path of a file that Polars can read, which is UTF-8, or else the text decoded as such."""
    encoding, key = written.encoding, written.set_by("encoding")
    marked = encoding_by_mark(path)
    if encoding == "auto":
        codec = marked or find_encoding(path, name, key)
    else:
        codec = codecs.lookup(encoding).name
        if marked is not None and not codec.startswith(marked):
            sentence = "{name}: begins with the byte order mark of {marked}, so it is not {codec}; set {key} to auto"
            raise InputError(Message("files.other_mark", sentence, name=name, marked=marked, codec=codec, key=key))
    sink = None if codec in UTF8 and not is_gzip(path) else io.BytesIO()
    tried = encoding == "auto" and marked is None
    if (sink is not None or not tried) and (line := first_bad_line(path, codec, sink)) is not None:
        export, automatic = Message("files.or_export", "export the file again"), Message("files.or_auto", "set {key} to auto", key=key)
        facts = {"name": name, "line": line, "codec": codec, "way_out": export if encoding == "auto" else automatic}
        raise InputError(Message("files.bad_line", "{name}: line {line:,} is not {codec}; mend it, or {way_out}", **facts))
    return codec, path if sink is None else sink.getvalue()


def _no_header(name: str, written: FileFormat, skip_rows: int, length: int) -> Message:
    if not skip_rows:
        sentence = "{name}: should begin with a header (got no line that ends within {length:,} characters)"
        return Message("files.no_header", sentence, name=name, length=length)
    sentence = "{name}: should begin with a header below {rows} rows, as {key} says (got no line that ends within {length:,} characters)"
    return Message("files.no_header_below", sentence, name=name, rows=skip_rows, length=length, key=written.set_by("skip_rows"))


def _tabbed(source: Path | bytes) -> bytes:
    """Put a tab for each run of blanks between the cells of a line."""
    text = source if isinstance(source, bytes) else source.read_bytes().removeprefix(codecs.BOM_UTF8)
    return re.sub(rb"[ \t]+", b"\t", re.sub(rb"(?m)^[ \t]+|[ \t]+(?=\r?$)", b"", text))


def _separator_named(separator: str) -> str:
    # On a command line "\t" arrives as two characters.
    return "\t" if separator in ("\\t", "tab", _BLANKS) else separator


def _head(source: Path | bytes, size: int = 1 << 18) -> tuple[str, bool]:
    """Take the first characters, and say whether they are all."""
    if isinstance(source, bytes):
        start, whole = source[:size], len(source) <= size
    else:
        with source.open("rb") as file:
            start = file.read(size)
            whole = not file.read(1)
    return codecs.getincrementaldecoder("utf-8")("strict").decode(start).removeprefix("\ufeff"), whole


def _above(head: str, skip_rows: int) -> tuple[str, str | None]:
    """Take what stands above the header, and the separator where it is named there."""
    lines = list(islice(io.StringIO(head, newline=""), skip_rows + 1))
    named = _SEPARATOR_LINE.fullmatch(lines[0]) if lines else None
    return "".join(lines if named else lines[:skip_rows]), named[1] if named else None


def _records(text: str, separator: str, whole: bool) -> Iterator[tuple[list[str], int]]:
    """Split text into records, with the lines up to the end of each; the last is left out where the text is cut off in it."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    last: tuple[list[str], int] | None = None
    try:
        for record in reader:
            if last is not None:
                yield last
            last = (record, reader.line_num) if record else None
    except csv.Error:
        whole = True  # up to the record that cannot be read
    if whole and last is not None:
        yield last


def _read_fast(source: Path | bytes, separator: str, width: int, above: str, line_end: str, *, has_header: bool) -> pl.DataFrame | None:
    """Let Polars read it; None where a line does not fit, or quotes stand where they should not."""
    start = len(above.encode()) + (len(codecs.BOM_UTF8) if isinstance(source, Path) and encoding_by_mark(source) else 0)
    if (above and not above.endswith(line_end)) or not quotes_fit(source, start, separator, line_end):
        return None
    try:
        frame = pl.read_csv(
            source,
            separator=separator,
            has_header=has_header,
            skip_lines=above.count(line_end[-1]),
            infer_schema=False,
            null_values=[""],
            eol_char=line_end[-1],
            glob=False,
            raise_if_empty=False,
        )
    except PolarsError:
        return None
    # A name with a line's end in it may be the header and a row, where lines do not all end alike.
    return frame if frame.width == width and not any("\r" in name or "\n" in name for name in frame.columns) else None


def _begins(frame: pl.DataFrame, line_end: str) -> pl.Series | None:
    """Count the line on which each row begins, from 1; None where a cell may be two rows, as lines do not all end alike."""
    numbers = pl.int_range(1, frame.height + 1, eager=True)
    inside = [cells for cells in frame if cells.str.contains("[\r\n]").any()]
    if any(cells.str.contains("\n" if line_end == "\r" else r"\r([^\n]|\z)").any() for cells in inside):
        return None
    if not inside:
        return numbers
    breaks = (
        pl.DataFrame(inside).select(pl.sum_horizontal(pl.all().str.count_matches(line_end[-1], literal=True).cast(pl.Int64))).to_series()
    )
    return numbers + breaks.cum_sum().shift(1, fill_value=0)
