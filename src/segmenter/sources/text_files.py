"""Delimited text in whatever encoding and with whatever separator a shop's system wrote it."""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError

from segmenter.errors import ConfigError, InputError, nearest
from segmenter.messages import Message
from segmenter.sources.encodings import UTF8, encoding_by_mark, find_encoding, first_bad_line, is_gzip
from segmenter.sources.quotes import quotes_fit
from segmenter.sources.raw import label
from segmenter.sources.text_lines import BadLine, read_lines

_MAX_HEADER = 1 << 24  # bytes of a header
_SEPARATORS = {"\t": "tab", ",": "comma", ";": "semicolon", "|": "pipe"}
_SEPARATOR_LINE = re.compile(r'"?sep=([^\w"\r\n])"?[\r\n]*', re.IGNORECASE)  # for Excel, which does not show it


def check_text_settings(encoding: str, separator: str) -> None:
    """Check the settings of text files, before any is opened: ``auto``, or a codec's name and one character."""
    problems = []
    try:
        known = encoding == "auto" or codecs.lookup(encoding)._is_text_encoding
    except LookupError:
        known = False
    if not known:
        from encodings.aliases import aliases

        near = nearest(encoding, {"auto", "utf-8", *aliases.values()})
        sentence = 'data.encoding: is no text encoding (got "{encoding}"){near}'
        problems.append(Message("files.unknown_encoding", sentence, encoding=encoding, near=near))
    mark = _separator_named(separator)
    if separator != "auto" and (len(mark) != 1 or not mark.isascii() or mark in '"\r\n'):
        sentence = 'data.separator: should be auto or one character such as "," ";" "|" "\\t" (got "{separator}")'
        problems.append(Message("files.no_separator", sentence, separator=separator))
    if problems:
        raise ConfigError(*problems)


def read_text(path: Path, name: str, encoding: str, separator: str, skip_rows: int) -> tuple[pl.DataFrame, str, list[BadLine]]:
    """Read a file of delimited text, every cell as text, empty ones as null; say how it was understood, and which lines are left out.

    Polars reads it where its quotes are beyond doubt and all lines fit the header; `read_lines` reads any other. `skip_rows` lines stand
    above the header, besides a first one such as ``sep=;``.
    """
    codec, source = _decode(path, name, encoding)
    head, whole = _head(source)
    if not whole and "\n" not in head and "\r" not in head:
        head, whole = _head(source, _MAX_HEADER)
    line_end = next((end for end in ("\r\n", "\n", "\r") if end in head), "\n")
    above, named = _above(head, skip_rows)
    head = head[len(above) :]
    mark = (named or _separator(head, whole)) if separator == "auto" else _separator_named(separator)
    header, height = next(_records(head, mark, whole), (None, 0))
    if header is None:
        raise InputError(_no_header(name, skip_rows, len(head)))
    bad: list[BadLine] = []
    skipped = sum(1 for _ in io.StringIO(above, newline=""))
    frame = _read_fast(source, mark, len(header), above, line_end)
    rows = None if frame is None else _begins(frame, line_end)
    if frame is not None and rows is not None:
        rows += skipped + height
    else:
        binary = io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")
        with io.TextIOWrapper(binary, encoding="utf-8-sig", newline="") as text:
            text.read(len(above))
            frame, rows, bad = read_lines(text, name, mark, len(header), skipped)
    shown = _SEPARATORS.get(mark, f'separator "{mark}"')
    return label(frame, header, name, rows), f"CSV, {codec}, {shown}", bad


def _decode(path: Path, name: str, encoding: str) -> tuple[str, Path | bytes]:
    """Find the encoding; give the path of a file that Polars can read, which is UTF-8, or else the text decoded as such."""
    marked = encoding_by_mark(path)
    if encoding == "auto":
        codec = marked or find_encoding(path, name)
    else:
        codec = codecs.lookup(encoding).name
        if marked is not None and not codec.startswith(marked):
            sentence = "{name}: begins with the byte order mark of {marked}, so it is not {codec}; set data.encoding to auto"
            raise InputError(Message("files.other_mark", sentence, name=name, marked=marked, codec=codec))
    sink = None if codec in UTF8 and not is_gzip(path) else io.BytesIO()
    tried = encoding == "auto" and marked is None
    if (sink is not None or not tried) and (line := first_bad_line(path, codec, sink)) is not None:
        export, automatic = Message("files.or_export", "export the file again"), Message("files.or_auto", "set data.encoding to auto")
        facts = {"name": name, "line": line, "codec": codec, "way_out": export if encoding == "auto" else automatic}
        raise InputError(Message("files.bad_line", "{name}: line {line:,} is not {codec}; mend it, or {way_out}", **facts))
    return codec, path if sink is None else sink.getvalue()


def _no_header(name: str, skip_rows: int, length: int) -> Message:
    if not skip_rows:
        sentence = "{name}: should begin with a header (got no line that ends within {length:,} characters)"
        return Message("files.no_header", sentence, name=name, length=length)
    sentence = (
        "{name}: should begin with a header below {rows} rows, as data.skip_rows says (got no line that ends within {length:,} characters)"
    )
    return Message("files.no_header_below", sentence, name=name, rows=skip_rows, length=length)


def _separator_named(separator: str) -> str:
    # On a command line "\t" arrives as two characters.
    return "\t" if separator in ("\\t", "tab") else separator


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


def _separator(head: str, whole: bool) -> str:
    """Choose the separator under which most records have as many fields as the header."""
    best = (0.0, 1, ",")
    for mark in _SEPARATORS:
        lengths = [len(record) for record, _ in islice(_records(head, mark, whole), 200)]
        if lengths and lengths[0] > 1:
            alike = sum(length == lengths[0] for length in lengths) / len(lengths)
            best = max(best, (alike, lengths[0], mark))
    return best[2]


def _read_fast(source: Path | bytes, separator: str, width: int, above: str, line_end: str) -> pl.DataFrame | None:
    """Let Polars read it; None where a line does not fit, or quotes stand where they should not."""
    start = len(above.encode()) + (len(codecs.BOM_UTF8) if isinstance(source, Path) and encoding_by_mark(source) else 0)
    if (above and not above.endswith(line_end)) or not quotes_fit(source, start, separator, line_end):
        return None
    try:
        frame = pl.read_csv(
            source,
            separator=separator,
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
