"""Where results may go: in place of no folder but their own, and away from all that a job reads or keeps."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from segmenter.errors import OutputError
from segmenter.messages import Message
from segmenter.report.job_paths import kept_paths, needed_paths
from segmenter.report.publication import MANIFEST, _prefix, _recover, owner_of, sha256
from segmenter.settings import AnyJob
from segmenter.sources.answer_mending import FILE

_WAY_OUT = Message("report.other_folder", "choose another with out=FOLDER")
_LITTER = (("~$", ".~lock.", "._", ".nfs"), (".DS_Store", "Thumbs.db", "desktop.ini"))  # beginnings, and names


def check_out(settings: AnyJob) -> None:
    """Make sure, before any work, that results can be written and replace nothing but results of their own."""
    _refuse(settings, _problems)


def check_owner(settings: AnyJob) -> None:
    """Look once more, when results are about to appear, at what they replace."""
    _refuse(settings, _foreign)


def _refuse(settings: AnyJob, look: Callable[[AnyJob, Path], Iterator[str]]) -> None:
    try:
        problems = list(look(settings, Path(os.path.realpath(settings.out))))
    except OSError as error:
        raise OutputError(_no_folder(settings.out, error.strerror or str(error))) from error
    if problems:
        raise OutputError(*problems)


def _no_folder(shown: Path, reason: str) -> Message:
    sentence = "out: cannot be written (got {out}: {reason}); {way_out}"
    return Message("report.out_unwritable", sentence, out=shown, reason=reason, way_out=_WAY_OUT)


def _problems(settings: AnyJob, out: Path) -> Iterator[str]:
    shown = settings.out
    if why := _unwritable(shown, out):
        yield _no_folder(shown, why)
        return
    _recover(out)
    there, kept = _id(out), list(kept_paths(settings))
    needed = reversed([*needed_paths(settings), *kept])  # of several of a kind the first is named
    held = {what: path for what, path in needed if any(folder == out or (there and _id(folder) == there) for folder in _way(path))}
    for what, path in held.items():
        sentence = "out: is replaced whole, so it may not hold {what} (got {out}, which holds {path}); {way_out}"
        yield Message("report.out_holds", sentence, what=what, out=shown, path=path, way_out=_WAY_OUT)
    for what, path in [("out", out), *kept]:
        results = next((folder for folder in Path(os.path.realpath(path)).parents if _is_results(folder)), None)
        if results is not None and not held:
            sentence = "{key}: may not lie in a folder of results, which is replaced whole (got {path} in {results}); choose another place"
            yield Message("report.lies_in_results", sentence, key=what, path=path, results=results)
            break
    for what, path in kept:
        if Path(os.path.realpath(path)) in out.parents:
            sentence = "out: may not lie in {key} (got {out} in {path}); {way_out}"
            yield Message("report.out_lies_in", sentence, key=what, out=shown, path=path, way_out=_WAY_OUT)
    yield from _foreign(settings, out)


def _unwritable(shown: Path, out: Path) -> str | None:
    """Say why a folder cannot be made or replaced; some say it themselves, by an OSError."""
    for path in (shown.absolute(), *shown.absolute().parents):
        if path.is_symlink() and not _there(path):
            sentence = "{path} is a link to {target}, which is not there"
            return Message("report.dead_link", sentence, path=_near(path), target=os.readlink(path))
    place = next(path for path in (out, *out.parents) if _there(path))
    beside = out.parent if place == out else place
    if not place.is_dir():
        return Message("report.no_folder", "{path} is no folder", path=_near(place))
    if not os.access(place, os.W_OK) or not os.access(beside, os.W_OK):
        return Message("report.not_writable", "{path} is not writable", path=_near(beside))
    if os.path.ismount(out):
        return Message("report.mounted", "another disk is mounted there, so that it cannot be replaced")
    beginning = _prefix(out) + 8 * "x"
    for part in (*out.relative_to(place).parts, beginning):
        _there(place / part)  # a name that is too long, says so
    _there(out.with_name(beginning) / ("x" * 200))
    return None


def _there(path: Path) -> bool:
    """Tell whether something is there, and not, as Path.exists, that nothing is where nobody can look."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _near(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _id(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _is_results(folder: Path) -> bool:
    try:
        return owner_of(folder) is not None
    except OSError:
        return False


def _way(path: Path) -> set[Path]:
    """Give a path and all folders above it: as it is written, as it is, and behind every link on the way."""
    way: set[Path] = set()
    todo = [os.path.abspath(path), os.path.realpath(path)]
    while todo:
        one = Path(todo.pop())
        for folder in (one, *one.parents):
            if folder not in way:
                way.add(folder)
                if os.path.islink(folder):
                    todo.append(os.path.normpath(folder.parent / os.readlink(folder)))
    return way


def _foreign(settings: AnyJob, out: Path) -> Iterator[str]:
    """Say what there is in a folder that these results may not take away."""
    if not out.exists():
        return
    shown, owner, files = settings.out, owner_of(out), _contents(out)
    own = (settings.job, settings.launch.name)
    if owner is None and files:
        names = ", ".join(list(files)[:3])
        what = (
            Message("report.foreign_manifest", "whose {manifest} is none of ours or damaged", manifest=MANIFEST)
            if MANIFEST in files
            else Message("report.foreign_files", "which holds {names} …", names=names)
        )
        sentence = "out: is not a folder of results (got {out}, {what}), and only such a folder is ever replaced; {way_out}"
        yield Message("report.foreign_folder", sentence, out=shown, what=what, way_out=_WAY_OUT)
    elif owner is not None and owner != own:
        (job, launch), (this, name) = owner, own
        sentence = (
            "out: holds results of `{job}` for the launch {launch}, which `{this}` for the launch {name} never replaces (got {out}); "
            "{way_out}"
        )
        facts = {"job": job, "launch": launch, "this": this, "name": name, "out": shown, "way_out": _WAY_OUT}
        yield Message("report.other_results", sentence, **facts)
    elif not settings.overwrite and (changed := _changed(files)):
        sentence, more = "out: files in {out} were changed or added since the last run: {files}{more}", " …" if len(changed) > 5 else ""
        yield Message("report.files_changed", sentence, out=shown, files=tuple(changed[:5]), more=more)
        sentence = "move them away, or choose another folder with out=FOLDER, or let them be replaced with overwrite=true"
        yield Message("report.move_them", sentence)


def _contents(folder: Path) -> dict[str, Path]:
    """List what a person may miss: all files, links and empty folders, but not what systems leave behind themselves."""

    def fail(error: OSError) -> None:
        raise error

    found = {}
    for parent, folders, files in os.walk(folder, onerror=fail):
        links = [name for name in folders if os.path.islink(os.path.join(parent, name))]
        names = [name for name in (*files, *links) if not name.startswith(_LITTER[0]) and name not in _LITTER[1]]
        paths = [Path(parent, name) for name in names] or ([Path(parent)] if not folders and parent != str(folder) else [])
        found.update({path.relative_to(folder).as_posix(): path for path in paths})
    return dict(sorted(found.items()))


def _changed(files: dict[str, Path]) -> list[str]:
    if not files:
        return []
    written = json.loads(files[MANIFEST].read_text(encoding="utf-8"))["files"]
    added = {name: path for name, path in files.items() if name != MANIFEST and (path.is_symlink() or not path.is_dir())}
    known = {name: entry.get("sha256") for name, entry in written.items() if isinstance(entry, dict)}
    same = {
        name for name, path in added.items() if name in known and path.is_file() and not path.is_symlink() and known[name] == sha256(path)
    }
    # What was to be mended is read before it is replaced, and what is still to be mended stands there again.
    return [name for name in added if name not in same and name != FILE]
