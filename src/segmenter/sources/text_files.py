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
from segmenter.sources.encodings import UTF8, find_encoding, first_bad_line, is_gzip, marked_encoding
from segmenter.sources.quotes import quotes_fit
from segmenter.sources.raw import label
from segmenter.sources.text_lines import BadLine, read_lines

_WIDEST = 1 << 24  # bytes of a header
_SEPARATORS = {"\t": "tab", ",": "comma", ";": "semicolon", "|": "pipe"}
_SEPARATOR_LINE = re.compile(r'"?sep=([^\w"\r\n])"?[\r\n]*', re.IGNORECASE)  # for Excel, which does not show it


def check_text_settings(encoding: str, separator: str) -> None:
    """Check the settings of text files, before any is opened.

    Parameters
    ----------
    encoding : str
        ``auto`` or a codec's name.
    separator : str
        ``auto`` or one character.

    Raises
    ------
    ConfigError
        One of them can not be.

    Examples
    --------
    >>> check_text_settings("gb18003", ",")
    Traceback (most recent call last):
    segmenter.errors.ConfigError: data.encoding: is no text encoding (got "gb18003"); nearest: gb18030
    """
    problems = []
    try:
        known = encoding == "auto" or codecs.lookup(encoding)._is_text_encoding
    except LookupError:
        known = False
    if not known:
        from encodings.aliases import aliases

        names = {"auto", "utf-8", *aliases.values()}
        problems.append(f'data.encoding: is no text encoding (got "{encoding}"){nearest(encoding, names)}')
    plain = _separator_named(separator)
    if separator != "auto" and (len(plain) != 1 or not plain.isascii() or plain in '"\r\n'):
        problems.append(f'data.separator: should be auto or one character such as "," ";" "|" "\\t" (got "{separator}")')
    if problems:
        raise ConfigError(*problems)


def read_text(path: Path, name: str, encoding: str, separator: str, skip_rows: int) -> tuple[pl.DataFrame, str, list[BadLine]]:
    r"""Read a file of delimited text, every cell as text.

    Polars reads it where its quotes are beyond doubt and all lines fit the header; `read_lines` reads any other.

    Parameters
    ----------
    path : Path
        The file; gzip where its name ends so.
    name : str
        What to call it in messages and in ``__file``.
    encoding : str
        ``auto`` or a codec's name.
    separator : str
        ``auto`` or one character. A first line such as ``sep=;`` is left out, and says it where this is ``auto``.
    skip_rows : int
        Lines above the header, ≥ 0, besides that one.

    Returns
    -------
    DataFrame
        Text, empty cells as null, ``__file``, and in ``__row`` the line of the file on which the record begins, from 1. A line
        with fewer fields than the header ends in nulls.
    str
        How it was understood.
    list of BadLine
        Lines with too many fields, or with quotes that do not end as they should.

    Raises
    ------
    InputError
        It cannot be decoded, or has no header. Its lines begin with `name`.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "orders.csv"
    >>> _ = path.write_bytes("客户编号;金额\n7;12,50\n".encode("gb18030"))
    >>> read_text(path, "orders.csv", "auto", "auto", 0)
    (shape: (1, 4)
    ┌──────────┬───────┬────────────┬───────┐
    │ 客户编号 ┆ 金额  ┆ __file     ┆ __row │
    │ ---      ┆ ---   ┆ ---        ┆ ---   │
    │ str      ┆ str   ┆ cat        ┆ i64   │
    ╞══════════╪═══════╪════════════╪═══════╡
    │ 7        ┆ 12,50 ┆ orders.csv ┆ 2     │
    └──────────┴───────┴────────────┴───────┘, 'CSV, gb18030, semicolon', [])
    """
    marked = marked_encoding(path)
    if encoding == "auto":
        codec = marked or find_encoding(path, name)
    else:
        codec = codecs.lookup(encoding).name
        if marked is not None and not codec.startswith(marked):
            raise InputError(f"{name}: begins with the byte order mark of {marked}, so it is not {codec}; set data.encoding to auto")
    # Polars reads UTF-8 from the path itself; anything else is decoded here.
    sink = None if codec in UTF8 and not is_gzip(path) else io.BytesIO()
    tried = encoding == "auto" and marked is None
    if (sink is not None or not tried) and (line := first_bad_line(path, codec, sink)) is not None:
        way_out = "mend it, or export the file again" if encoding == "auto" else "mend it, or set data.encoding to auto"
        raise InputError(f"{name}: line {line:,} is not {codec}; {way_out}")
    source = path if sink is None else sink.getvalue()
    head, whole = _head(source)
    if not whole and "\n" not in head and "\r" not in head:
        head, whole = _head(source, _WIDEST)
    line_end = next((end for end in ("\r\n", "\n", "\r") if end in head), "\n")
    above, told = _above(head, skip_rows)
    head = head[len(above) :]
    mark = (told or _separator(head, whole)) if separator == "auto" else _separator_named(separator)
    header, height = next(_records(head, mark, whole), (None, 0))
    if header is None:
        below = f" below {skip_rows} rows, as data.skip_rows says" if skip_rows else ""
        raise InputError(f"{name}: should begin with a header{below} (got no line that ends within {len(head):,} characters)")
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
    kind = _SEPARATORS.get(mark, f'separator "{mark}"')
    return label(frame, header, name, rows), f"CSV, {codec}, {kind}", bad


def _separator_named(separator: str) -> str:
    # On a command line "\t" arrives as two characters.
    return "\t" if separator in ("\\t", "tab") else separator


def _head(source: Path | bytes, most: int = 1 << 18) -> tuple[str, bool]:
    """Take the first characters, and say whether they are all."""
    if isinstance(source, bytes):
        start, whole = source[:most], len(source) <= most
    else:
        with source.open("rb") as file:
            start = file.read(most)
            whole = not file.read(1)
    return codecs.getincrementaldecoder("utf-8")("strict").decode(start).removeprefix("\ufeff"), whole


def _above(head: str, skip_rows: int) -> tuple[str, str | None]:
    """Take what stands above the header, and the separator where it is told there."""
    lines = list(islice(io.StringIO(head, newline=""), skip_rows + 1))
    told = _SEPARATOR_LINE.fullmatch(lines[0]) if lines else None
    return "".join(lines if told else lines[:skip_rows]), told[1] if told else None


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
    start = len(above.encode()) + (len(codecs.BOM_UTF8) if isinstance(source, Path) and marked_encoding(source) else 0)
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
