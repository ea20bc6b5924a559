"""Where results may go: in place of no folder but their own, and away from all that a job reads or keeps."""

import glob
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from segmenter.errors import OutputError
from segmenter.report.publication import MANIFEST, _prefix, _recover, owner_of, sha256
from segmenter.settings import DatabaseSettings, DemoJob, FilesSettings, LaunchJob, MlflowSettings, ReviewJob

_WAY_OUT = "choose another with out=FOLDER"
_LITTER = (("~$", ".~lock.", "._", ".nfs"), (".DS_Store", "Thumbs.db", "desktop.ini"))  # beginnings, and names


def check_out(settings: LaunchJob | DemoJob) -> None:
    """Make sure, before any work, that results can be written and replace nothing but results of their own."""
    _refuse(settings, _problems)


def check_owner(settings: LaunchJob | DemoJob) -> None:
    """Look once more, when results are about to appear, at what they replace."""
    _refuse(settings, _foreign)


def _refuse(settings: LaunchJob | DemoJob, look: Callable[[LaunchJob | DemoJob, Path], Iterator[str]]) -> None:
    try:
        problems = list(look(settings, Path(os.path.realpath(settings.out))))
    except OSError as error:
        raise OutputError(f"out: cannot be written (got {settings.out}: {error.strerror or error}); {_WAY_OUT}") from error
    if problems:
        raise OutputError(*problems)


def _problems(settings: LaunchJob | DemoJob, out: Path) -> Iterator[str]:
    shown = settings.out
    if why := _unwritable(shown, out):
        yield f"out: cannot be written (got {shown}: {why}); {_WAY_OUT}"
        return
    _recover(out)
    there, kept = _id(out), list(_kept(settings))
    needed = reversed([*_needed(settings), *kept])  # of several of a kind the first is named
    held = {what: path for what, path in needed if any(_same(each, out, there) for each in _way(path))}
    for what, path in held.items():
        yield f"out: is replaced whole, so it may not hold {what} (got {shown}, which holds {path}); {_WAY_OUT}"
    for what, path in [("out", out), *kept]:
        results = next((each for each in Path(os.path.realpath(path)).parents if _is_results(each)), None)
        if results is not None and not held:
            yield f"{what}: may not lie in a folder of results, which is replaced whole (got {path} in {results}); choose another place"
            break
    for what, path in kept:
        if Path(os.path.realpath(path)) in out.parents:
            yield f"out: may not lie in {what} (got {shown} in {path}); {_WAY_OUT}"
    yield from _foreign(settings, out)


def _unwritable(shown: Path, out: Path) -> str | None:
    """Say why a folder cannot be made or replaced; some say it themselves, by an OSError."""
    for each in (shown.absolute(), *shown.absolute().parents):
        if each.is_symlink() and not _there(each):
            return f"{_near(each)} is a link to {os.readlink(each)}, which is not there"
    place = next(each for each in (out, *out.parents) if _there(each))
    beside = out.parent if place == out else place
    if not place.is_dir():
        return f"{_near(place)} is no folder"
    if not os.access(place, os.W_OK) or not os.access(beside, os.W_OK):
        return f"{_near(beside)} is not writable"
    if os.path.ismount(out):
        return "another disk is mounted there, so that it cannot be replaced"
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


def _same(path: Path, out: Path, there: tuple[int, int] | None) -> bool:
    return path == out or (there is not None and _id(path) == there)


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
        for each in (one, *one.parents):
            if each not in way:
                way.add(each)
                if os.path.islink(each):
                    todo.append(os.path.normpath(each.parent / os.readlink(each)))
    return way


def _needed(settings: LaunchJob | DemoJob) -> Iterator[tuple[str, Path]]:
    """Name what a job reads, with its key."""
    from hydra.core.hydra_config import HydraConfig

    yield "the working directory", Path.cwd()
    if HydraConfig.initialized():
        sources = HydraConfig.get().runtime.config_sources
        yield from (("the config", Path(source.path)) for source in sources if source.schema == "file")
    yield from ((key, Path(each)) for key, path in _inputs(settings) for each in _files(os.path.expanduser(path)))


def _inputs(settings: LaunchJob | DemoJob) -> list[tuple[str, str]]:
    if isinstance(settings, DemoJob):
        return [] if settings.results is None else [("results", settings.results)]
    data, found = settings.data, list[tuple[str, str]]()
    if isinstance(data, FilesSettings):
        paths = {
            "orders": data.orders.path,
            "customers": data.customers.path,
            "events": data.events.path,
            "referrals": data.referrals.path,
        }
        found += [(f"data.{name}.path", path) for name, path in paths.items() if path]
    if isinstance(data, DatabaseSettings):
        found += [("data.url", str(file)) for file in _database(data.url)]
    if isinstance(settings, ReviewJob):
        found += [("review.answers", path) for path in settings.review.answers]
    return [(key, path) for key, path in found if "://" not in path]


def _files(path: str) -> Iterator[str]:
    """Give a path, the folders of the files that it means, and those of the files that are links to others."""
    yield path
    seen = set()
    for match in glob.iglob(path, recursive=True) if glob.has_magic(path) and not os.path.exists(path) else [path]:
        for each in (match, *(os.scandir(match) if os.path.isdir(match) else [])):
            name = os.fspath(each)
            if os.path.islink(name) or os.path.dirname(name) not in seen:
                seen.add(os.path.dirname(name))
                yield name


def _kept(settings: LaunchJob | DemoJob) -> Iterator[tuple[str, Path]]:
    """Name what a job keeps from one launch to the next, with its key."""
    if isinstance(settings, DemoJob):
        return
    beside = Path(os.path.realpath(settings.out.absolute().parent))
    for file in [beside / "ledger.db"] if settings.ledger.url is None else _database(settings.ledger.url):
        yield "ledger.url", file
        yield "ledger.url", Path(os.path.realpath(file)).with_name(f".{os.path.basename(os.path.realpath(file))}.lock")
    if settings.history.store is not None:
        yield "history.store", Path(settings.history.store)
    if isinstance(settings.tracking, MlflowSettings):
        uri = settings.tracking.uri or f"sqlite:///{beside}/mlflow.db"
        if uri.startswith(("sqlite:///", "file:")) or "://" not in uri:
            path = url2pathname(urlsplit(uri).path) if uri.startswith("file:") else uri.removeprefix("sqlite:///").partition("?")[0]
            yield "tracking.uri", Path(path)
            yield "tracking.uri", Path(path).parent / "mlartifacts"
    for key in ("spark.local.dir", "spark.sql.warehouse.dir"):
        if folder := getattr(settings.engine, "conf", {}).get(key):
            yield f"engine.conf.{key}", Path(str(folder))


def _database(url: str) -> list[Path]:
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # who opens it says so
        return []
    return [Path(os.path.expanduser(parsed.database))] if parsed.get_backend_name() == "sqlite" and parsed.database else []


def _foreign(settings: LaunchJob | DemoJob, out: Path) -> Iterator[str]:
    """Say what there is in a folder that these results may not take away."""
    if not out.exists():
        return
    shown, owner, files = settings.out, owner_of(out), _contents(out)
    own = (settings.job, settings.launch.name)
    if owner is None and files:
        names = ", ".join(list(files)[:3])
        what = f"whose {MANIFEST} is none of ours or damaged" if MANIFEST in files else f"which holds {names} …"
        yield f"out: is not a folder of results (got {shown}, {what}), and only such a folder is ever replaced; {_WAY_OUT}"
    elif owner is not None and owner != own:
        (job, launch), (this, name) = owner, own
        rule = f"holds results of `{job}` for the launch {launch}, which `{this}` for the launch {name} never replaces"
        yield f"out: {rule} (got {shown}); {_WAY_OUT}"
    elif not settings.overwrite and (changed := _changed(files)):
        yield f"out: files in {shown} were changed or added since the last run: {', '.join(changed[:5])}{' …' if len(changed) > 5 else ''}"
        yield "move them away, or choose another folder with out=FOLDER, or let them be replaced with overwrite=true"


def _contents(folder: Path) -> dict[str, Path]:
    """List what a person may miss: all files, links and empty folders, but not what systems leave behind themselves."""

    def fail(error: OSError) -> None:
        raise error

    found = {}
    for place, folders, files in os.walk(folder, onerror=fail):
        links = [name for name in folders if os.path.islink(os.path.join(place, name))]
        names = [name for name in (*files, *links) if not name.startswith(_LITTER[0]) and name not in _LITTER[1]]
        paths = [Path(place, name) for name in names] or ([Path(place)] if not folders and place != str(folder) else [])
        found.update({path.relative_to(folder).as_posix(): path for path in paths})
    return dict(sorted(found.items()))


def _changed(files: dict[str, Path]) -> list[str]:
    if not files:
        return []
    written = json.loads(files[MANIFEST].read_text(encoding="utf-8"))["files"]
    added = {name: path for name, path in files.items() if name != MANIFEST and (path.is_symlink() or not path.is_dir())}
    return [name for name, path in added.items() if not _is_as_written(path, written.get(name))]


def _is_as_written(path: Path, entry: object) -> bool:
    return isinstance(entry, dict) and path.is_file() and not path.is_symlink() and entry.get("sha256") == sha256(path)
