"""What a file holds, by its name and by its content."""

import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePath

from segmenter.messages import Message
from segmenter.sources.encodings import is_gzip

TEXT = Message("files.text", "text")
PARQUET = Message("files.parquet", "Parquet")
WORKBOOK = Message("files.workbook", "a workbook")
ANY = Message("files.any_kind", "text, Parquet or a workbook")
ENDINGS: Mapping[str, Message] = {
    **dict.fromkeys((".csv", ".txt", ".tsv"), TEXT),
    **dict.fromkeys((".parquet", ".pq"), PARQUET),
    **dict.fromkeys((".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"), WORKBOOK),
}
_PAGE = Message("files.web_page", "a web page")
_XML = Message("files.xml", "an XML file")
_ZIP = Message("files.zip", "a ZIP archive")
_BAD_ZIP = Message("files.bad_zip", "a damaged workbook or ZIP archive")
_GZIP = Message("files.gzip", "gzip")
_BINARY = Message("files.binary", "binary, or UTF-16 without a byte order mark")
_SQLITE = Message("files.sqlite", "an SQLite database")
_MAGIC = (
    (b"PAR1", PARQUET),
    (b"PARE", Message("files.encrypted_parquet", "an encrypted Parquet file")),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", WORKBOOK),  # .xls, or a protected .xlsx
    (b"\x1f\x8b", _GZIP),
    (b"%PDF", Message("files.pdf", "a PDF")),
    (b"SQLite format 3\0", _SQLITE),
    (b"Rar!", Message("files.rar", "a RAR archive")),
    (b"7z\xbc\xaf", Message("files.seven_zip", "a 7-Zip archive")),
)
_SAVE_AGAIN = Message("files.save_as_workbook", "open it in Excel and save it as .xlsx, or export it as CSV")
_WAYS_OUT: Mapping[Message, Message] = {
    TEXT: Message("files.call_it_csv", "give it the ending .csv"),
    PARQUET: Message("files.call_it_parquet", "give it the ending .parquet"),
    WORKBOOK: Message("files.call_it_workbook", "give it the ending .xlsx"),
    _PAGE: _SAVE_AGAIN,
    _XML: _SAVE_AGAIN,
    _ZIP: Message("files.unpack", "unpack it"),
    _GZIP: Message("files.call_it_gzip", "give it the ending .csv.gz, or unpack it"),
    _BINARY: Message("files.name_encoding", "if it is text, name its encoding in data.encoding, such as utf-16-le"),
    _SQLITE: Message("files.read_database", "read it with data=database"),
}
_HOLD_TABLES = frozenset(
    [
        ".zip",
        ".rar",
        ".7z",
        ".gz",
        ".tar",
        ".html",
        ".htm",
        ".mht",
        ".xml",
        ".json",
        ".jsonl",
        ".db",
        ".sqlite",
        ".mdb",
        ".accdb",
        ".et",
        ".numbers",
        ".dbf",
        ".sav",
        ".dta",
        ".feather",
        ".orc",
        ".bak",
    ]
)
_NO_TABLES = _HOLD_TABLES | frozenset(
    [
        ".pdf",
        ".png",
        ".jpg",
        ".jpeg",
        ".gif",
        ".bmp",
        ".webp",
        ".svg",
        ".doc",
        ".docx",
        ".wps",
        ".ppt",
        ".pptx",
        ".md",
        ".rtf",
        ".log",
        ".ini",
        ".lnk",
        ".url",
        ".tmp",
        ".py",
        ".sql",
        ".sh",
        ".bat",
        ".yaml",
        ".yml",
        ".toml",
        ".mp4",
        ".mp3",
        ".eml",
        ".msg",
        ".crdownload",
        ".part",
        ".lock",
    ]
)
_EXPORT_AGAIN = Message("files.export_again", "export it again as CSV or .xlsx")


def kind_by_name(name: str) -> Message | None:
    """Tell by a file's name what it should hold; None where that says nothing."""
    kind = ENDINGS.get(PurePath(name.lower().removesuffix(".gz")).suffix)
    return kind if kind == TEXT or not name.lower().endswith(".gz") else None


def is_no_table(name: str) -> bool:
    """Tell by its name that a file is of another kind than those that are read."""
    return kind_by_name(name) is None and PurePath(name.lower()).suffix in _NO_TABLES


def may_hold_tables(name: str) -> bool:
    """Tell by its name that a file is not read, and may hold tables all the same."""
    return kind_by_name(name) is None and PurePath(name.lower()).suffix in _HOLD_TABLES


def kind_by_content(path: Path, start: bytes, encoding: str) -> Message:
    """Tell by the first bytes of a file what it holds: one of those in `ENDINGS`, or what cannot be read."""
    for magic, kind in _MAGIC:
        if start.startswith(magic):
            return kind
    if start.startswith(b"PK\x03\x04"):
        return _kind_of_archive(path)
    opening = start.removeprefix(b"\xef\xbb\xbf").lstrip()[:100].lower()
    if opening.startswith((b"<!doctype", b"<html", b"<table", b"<head", b"<meta", b"<style")):
        return _PAGE
    if opening.startswith(b"<?xml"):
        return _XML
    marked = start.startswith((b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff"))
    return _BINARY if b"\0" in start and not marked and encoding == "auto" else TEXT


def _kind_of_archive(path: Path) -> Message:
    if is_gzip(path):
        return _ZIP
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, RuntimeError, ValueError, LookupError):
        return _BAD_ZIP
    return WORKBOOK if any(name.startswith("xl/") or name == "content.xml" for name in names) else _ZIP


def way_out(kind: Message) -> Message:
    """Say what to do with a file that does not hold what its name says."""
    return _WAYS_OUT.get(kind, _EXPORT_AGAIN)
