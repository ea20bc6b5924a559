"""Delimited text in whatever encoding and with whatever separator a shop's system wrote it."""

import codecs
import csv
import io
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError

from segmenter.errors import ConfigError, InputError, nearest
from segmenter.sources.encodings import UTF8, find_encoding, first_bad_line, is_gzip, marked_encoding
from segmenter.sources.raw import label

_SEPARATORS = {"\t": "tab", ",": "comma", ";": "semicolon", "|": "pipe"}
_MOST_PROBLEMS = 5
_BATCH = 100_000


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


def read_text(path: Path, name: str, encoding: str, separator: str) -> tuple[pl.DataFrame, str]:
    r"""Read a file of delimited text, every cell as text.

    Parameters
    ----------
    path : Path
        The file; gzip where its name ends so.
    name : str
        What to call it in messages and in ``__file``.
    encoding : str
        ``auto`` or a codec's name.
    separator : str
        ``auto`` or one character.

    Returns
    -------
    DataFrame
        Text, empty cells as null, and ``__file`` and ``__row``. A line with fewer fields than the header ends in nulls.
    str
        How it was understood.

    Raises
    ------
    InputError
        It cannot be decoded, or a line cannot be told apart into fields. Its lines begin with `name`.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "orders.csv"
    >>> _ = path.write_bytes("客户编号;金额\n7;12,50\n".encode("gb18030"))
    >>> read_text(path, "orders.csv", "auto", "auto")
    (shape: (1, 4)
    ┌──────────┬───────┬────────────┬───────┐
    │ 客户编号 ┆ 金额  ┆ __file     ┆ __row │
    │ ---      ┆ ---   ┆ ---        ┆ ---   │
    │ str      ┆ str   ┆ cat        ┆ i64   │
    ╞══════════╪═══════╪════════════╪═══════╡
    │ 7        ┆ 12,50 ┆ orders.csv ┆ 1     │
    └──────────┴───────┴────────────┴───────┘, 'CSV, gb18030, semicolon')
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
    mark = _separator(head, whole) if separator == "auto" else _separator_named(separator)
    header = next(_records(head, mark, whole), None)
    if header is None:
        raise InputError(f"{name}: should begin with a header (got no line that ends within {len(head):,} characters)")
    frame = _read_fast(source, mark, len(header), "\r" if "\r" in head and "\n" not in head else "\n")
    if frame is None:
        frame = _read_lines(source, name, mark, header)
    kind = _SEPARATORS.get(mark, f'separator "{mark}"')
    return label(frame, header, name), f"CSV, {codec}, {kind}"


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


def _records(text: str, separator: str, whole: bool) -> Iterator[list[str]]:
    """Split text into records; the last is left out where the text is cut off in it."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    last: list[str] | None = None
    try:
        for record in reader:
            if last is not None:
                yield last
            last = record or None
    except csv.Error:
        whole = False
    if whole and last is not None:
        yield last


def _separator(head: str, whole: bool) -> str:
    """Choose the separator under which most records have as many fields as the header."""
    best = (0.0, 1, ",")
    for mark in _SEPARATORS:
        lengths = [len(record) for record in islice(_records(head, mark, whole), 200)]
        if lengths and lengths[0] > 1:
            alike = sum(length == lengths[0] for length in lengths) / len(lengths)
            best = max(best, (alike, lengths[0], mark))
    return best[2]


def _read_fast(source: Path | bytes, separator: str, width: int, line_end: str) -> pl.DataFrame | None:
    """Let Polars read it; None where a line does not fit, or quotes stand where they should not."""
    try:
        frame = pl.read_csv(
            source, separator=separator, infer_schema=False, null_values=[""], eol_char=line_end, glob=False, raise_if_empty=False
        )
    except PolarsError:
        return None
    return frame if frame.width == width else None


def _read_lines(source: Path | bytes, name: str, separator: str, header: list[str]) -> pl.DataFrame:
    """Read it line by line, which is slow, but takes stray quotes and says which lines do not fit."""
    width = len(header)
    binary = io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")
    schema = {f"column {place}": pl.String for place in range(width)}
    frames, rows, problems = [pl.DataFrame(schema=schema)], [], []
    with io.TextIOWrapper(binary, encoding="utf-8-sig", newline="") as text:
        reader = csv.reader(text, delimiter=separator, strict=True)
        seen_header, start = False, 1
        while True:
            try:
                record = next(reader)
            except StopIteration:
                break
            except csv.Error as error:
                problems.append(f"line {start:,}: has a quoted field that does not end as it should ({error}); write a quote inside as two")
            else:
                if not seen_header:
                    seen_header = bool(record)
                elif any(record[width:]):
                    problems.append(
                        f"line {start:,}: should have {width} fields as the header (got {len(record)}); quote those that hold the separator"
                    )
                else:
                    rows.append([*record[:width], *[None] * (width - len(record))])
            start = reader.line_num + 1
            if len(rows) >= _BATCH:
                frames.append(pl.DataFrame(rows, schema=schema, orient="row"))
                rows = []
    if problems:
        more = len(problems) - _MOST_PROBLEMS
        raise InputError(
            *[f"{name}: {problem}" for problem in problems[:_MOST_PROBLEMS]], *[f"{name}: {more:,} more lines like these"] * (more > 0)
        )
    frames.append(pl.DataFrame(rows, schema=schema, orient="row"))
    return pl.concat(frames).with_columns(pl.all().replace("", None))
