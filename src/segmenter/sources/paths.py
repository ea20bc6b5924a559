"""Which files a path of the config means, and what is there where it means none."""

import errno
import glob
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from segmenter.errors import InputError, nearest
from segmenter.findings import Finding
from segmenter.messages import Message
from segmenter.sources.file_kinds import ENDINGS, is_no_table, kind_by_name, may_hold_tables


def find_files(path: str, *, deep: bool = False) -> list[tuple[Path, str]]:
    """List the files that a file, a folder or a glob means, each with its name relative to what the path names; deep: with subfolders."""
    if not path.strip():
        raise InputError(Message("files.no_path", 'should name a file, a folder or a glob (got "")'))
    try:
        given = Path(path).expanduser()
    except RuntimeError as error:
        raise InputError(Message("files.unknown_home", "should be a path (got {path}, of a home that is not known)", path=path)) from error
    if given.is_dir():
        return _in_folder(given, path, deep=deep)
    # Before globs: a browser calls a second download "orders[1].csv".
    if given.exists():
        return [(given, given.name)]
    if glob.has_magic(path):
        fixed = len(given.parts) - next(at for at, part in enumerate(given.parts) if glob.has_magic(part))
        root = Path(*given.parts[:-fixed])
        matches = [Path(match) for match in glob.glob(str(given), recursive=True)]
        files = {file.relative_to(root).as_posix(): file for file in matches if not file.is_dir() and not _is_hidden(file)}
        if not files:
            raise InputError(Message("files.no_match", "matches no file (got {path})", path=path))
        tables = [name for name in sorted(files) if not is_no_table(name)]
        return [(files[name], name) for name in tables or sorted(files)]
    raise InputError(Message("files.not_there", "is not there (got {path}){near}", path=path, near=near_files(given)))


def _in_folder(folder: Path, path: str, *, deep: bool) -> list[tuple[Path, str]]:
    found = folder.rglob("*") if deep else folder.iterdir()
    within = {file: file.relative_to(folder) for file in found if not file.is_dir()}
    files = [file for file, name in within.items() if not any(_is_hidden(Path(part)) for part in name.parts)]
    data = [file for file in files if kind_by_name(file.name) is not None]
    if not data:
        sentence = "should hold files that end in {endings} or .gz (got folder {path}){others}"
        names = tuple(sorted(file.name for file in files)[:5])
        others = Message("files.folder_has", "; it has: {names}", names=names) if names else ""
        raise InputError(Message("files.no_data_files", sentence, endings=tuple(ENDINGS), path=path, others=others))
    return sorted(((file, within[file].as_posix()) for file in data), key=lambda each: each[1])


def unread_files(path: str) -> list[Finding]:
    """Say which files a folder or a glob has besides those that are read, and which of its folders have files of their own."""
    given = Path(path).expanduser()
    if given.is_dir():
        there = [file for file in given.iterdir() if not file.name.startswith(".")]
        names = [file.name for file in there if not file.is_dir() and (_is_hidden(file) or kind_by_name(file.name) is None)]
        folders = [f"{file.name}/" for file in there if file.is_dir() and any(kind_by_name(inner.name) for inner in _entries(file))]
    elif glob.has_magic(path) and not given.exists():
        names = [Path(match).name for match in glob.glob(str(given), recursive=True) if is_no_table(match) and not Path(match).is_dir()]
        folders = []
    else:
        return []
    archives = sorted(name for name in names if may_hold_tables(name))
    rest = sorted({*names, *folders} - set(archives))
    found = []
    if archives:
        sentence = "not read are {names}; unpack them, or export them as CSV or .xlsx, if they belong to the table"
        found.append(Finding("warning", Message("sheets.unread_archives", sentence, names=_few(archives))))
    if rest:
        found.append(Finding("note", Message("sheets.unread", "not read are {names}, which are no files of tables", names=_few(rest))))
    return found


def _few(names: Sequence[str]) -> tuple[str, ...]:
    return (*names[:10], *(["…"] if len(names) > 10 else []))


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _is_hidden(path: Path) -> bool:
    return path.name.startswith((".", "~$"))


def describe(path: Path) -> str:
    """Name what is there instead of a file."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return Message("files.dead_link", "a link to what is not there")
    match stat.S_IFMT(mode):
        case stat.S_IFIFO:
            return Message("files.pipe", "a pipe")
        case stat.S_IFSOCK:
            return Message("files.socket", "a socket")
        case stat.S_IFCHR | stat.S_IFBLK:
            return Message("files.device", "a device")
        case _:
            return Message("files.folder", "a folder")


def near_files(path: Path) -> str:
    """Say which files are there instead of a missing one, as the end of a message; or which folder is missing."""
    # Not to be resolved: a link may lead in a circle.
    for link in (path, *path.parents):
        if link.is_symlink() and (why := _missing(link)) is not None:
            sentence = "; {link} is a link to {target}, which {why}; mend or remove the link"
            return Message("files.bad_link", sentence, link=link, target=os.readlink(link), why=why)
    folder = path.parent
    if not folder.is_dir():
        return Message("files.no_folder", "; there is no folder {folder}", folder=folder)
    names = [file.name for file in folder.iterdir() if not _is_hidden(file) and _missing(file) is None]
    return nearest(path.name, names) or Message("files.empty_folder", "; its folder is empty")


def _missing(path: Path) -> Message | None:
    """Say why nothing can be found at a path; None where something is there."""
    try:
        os.stat(path)
    except OSError as error:
        if error.errno == errno.ELOOP:
            return Message("files.leads_in_a_circle", "leads in a circle")
        return Message("files.leads_nowhere", "is not there")
    return None
