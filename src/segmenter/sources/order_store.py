"""Orders that were read before, by customer and time: the next launch reads only what is new.

For each way of reading files there is an index: what each file was, what became of its rows, and which runs hold its orders. Runs are
folders of plain columns, see `measures.order_runs`; they hold for any as-of date, half-life and window, and never change. Only an index
is replaced, whole: two launches at once, or one that is killed, leave a store that is good. What no index names is deleted in time.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl
from polars.exceptions import PolarsError

from segmenter.errors import OutputError
from segmenter.messages import Message
from segmenter.sources.parquet_stream import Stream
from segmenter.sources.raw import one_line, sha256
from segmenter.version import __version__

# Of what is kept and how: another version reads everything anew. With it goes Polars', whose files some are.
_VERSION = f"6 {__version__} {pl.__version__}"
_NEW, RUN = ".new", ".run"  # end the names of a file that is being written, and of a run
_GRACE = 3_600  # seconds
_RACY = 2_000_000_000  # nanoseconds: a file that changed so shortly before it was read may change again at the same time
_DAMAGES = (OSError, ValueError, KeyError, TypeError, AttributeError, PolarsError)


@dataclass(frozen=True)
class Identity:
    """What a file is on disk: where none of it has changed, its content has not."""

    size: int  # bytes
    modified: int  # nanoseconds, as the file system has them
    changed: int
    inode: int

    @staticmethod
    def of(path: Path) -> "Identity":
        """Look at a file."""
        found = path.stat()
        return Identity(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)


@dataclass(frozen=True)
class Entry:
    """What the store has of a file."""

    identity: Identity
    seen: int | None  # when it was that, by the file system's clock; None until the index is written
    sha256: str
    reads: dict[str, int]  # ``rows``, ``filtered``, ``rejected``, ``kept``; none was later than `as_of`
    as_of: int  # of the launch that read it, in days since 1970
    days: list[list[int]]  # days with orders, since 1970, and how many
    rejects: str  # the file with its rejects


@dataclass(frozen=True)
class StoredRun:
    """A run in its folder."""

    name: str
    files: list[str | None]  # by number, their paths; None where their orders count no more
    rows: list[int]  # orders of each file
    sums: dict[str, str]  # checksums by file name


@dataclass
class Store:
    """A folder of what was read before, by one mapping: see `fingerprint`."""

    folder: Path
    mapping: str
    warnings: list[str] = field(default_factory=list)  # what was found damaged
    entries: dict[str, Entry] = field(default_factory=dict)  # by path
    runs: list[StoredRun] = field(default_factory=list)
    _read: bytes = b""  # the index as it was found

    def __post_init__(self) -> None:
        with self._errors():
            self.folder.mkdir(parents=True, exist_ok=True)
        self.look()

    @property
    def place(self) -> Path:
        """Where the index stands."""
        return self.folder / f"orders-{self.mapping[:24]}.json"

    def look(self) -> None:
        """Read the index as it is now."""
        self.entries, self.runs, self._read = {}, [], b""
        try:
            self._read = self.place.read_bytes()
            self.entries, self.runs = _parsed(self._read)
        except (FileNotFoundError, _OtherVersionError):
            pass
        except _DAMAGES as error:
            self.note_damage(self.place.name, error, ())
        if not self.entries and any(_version(place) != _VERSION for place in self.folder.glob("*.json")):
            sentence = "history.store: what {folder} has is another version's; all files are read, and kept anew"
            self.warnings.append(Message("sources.store_version", sentence, folder=self.folder.name))

    @property
    def is_as_found(self) -> bool:
        """Whether no other launch has replaced the index meanwhile."""
        try:
            return self.place.read_bytes() == self._read
        except FileNotFoundError:
            return not self._read

    def find(self, path: Path) -> Entry | None:
        """Find what is kept of a file, if it is the same file; else it is forgotten."""
        key = str(path.resolve())
        if (entry := self.entries.get(key)) is None:
            return None
        identity = Identity.of(path)
        if identity != entry.identity or entry.seen is None or identity.changed > entry.seen - _RACY:
            if identity.size != entry.identity.size or sha256(path) != entry.sha256:
                self.forget([key])
                return None
            self.entries[key] = entry = replace(entry, identity=identity, seen=None)
        return entry

    def forget(self, paths: list[str]) -> None:
        """Let the orders of files count no more."""
        gone = set(paths)
        self.entries = {path: entry for path, entry in self.entries.items() if path not in gone}
        self.runs = [replace(run, files=[None if path in gone else path for path in run.files]) for run in self.runs]

    def note_damage(self, name: str, error: Exception, paths: tuple[str, ...]) -> None:
        """Note that something is damaged: these files, or all, will be read again."""
        why = next((part for part in error.args if isinstance(part, Message)), str(error))
        names = tuple(sorted(Path(path).name for path in paths))
        if not names:
            sentence = "history.store: {name} is damaged ({why}); all files are read again"
            self.warnings.append(Message("sources.store_index_damaged", sentence, name=name, why=why))
            return
        sentence = "history.store: {name} is damaged ({why}); {file} is read again"
        self.warnings += [Message("sources.store_damaged", sentence, name=name, why=why, file=file) for file in names]

    def put(self, frame: pl.DataFrame) -> str:
        """Write a frame, and give its name: the SHA-256 of the file, and its ending."""
        with self._errors(), self._new_file() as new:
            frame.write_ipc(new, compression="uncompressed")
            name = f"{sha256(new)}.arrow"
            new.replace(self.folder / name)
            return name

    def load(self, name: str, path: str) -> pl.DataFrame | None:
        """Load a frame that belongs to a file; None, and the file is forgotten, where it is damaged or missing."""
        try:
            if not name.startswith(sha256(self.folder / name)):
                raise ValueError(Message("sources.store_content", "its content is not what was written"))
            return pl.read_ipc((self.folder / name).read_bytes())
        except (OSError, ValueError, PolarsError) as error:
            self.note_damage(name, error, (path,))
            self.forget([path])
            return None

    @contextmanager
    def new_run(self) -> Iterator[Path]:
        """Make a folder for a run, which is gone if it cannot be filled."""
        with self._errors():
            folder = Path(tempfile.mkdtemp(dir=self.folder, suffix=RUN))
            try:
                yield folder
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise

    def delete(self, name: str) -> None:
        """Delete a run."""
        _delete(self.folder / name)

    def publish(self) -> bool:
        """Write the index, unless another launch wrote one meanwhile, and delete what nothing needs; say whether it is written."""
        if not self.is_as_found:
            return False
        with self._errors(), self._new_file() as new:
            now = new.stat().st_mtime_ns  # the file system's clock
            self.entries = {path: replace(entry, seen=now) if entry.seen is None else entry for path, entry in self.entries.items()}
            entries = {path: {**vars(entry), "identity": vars(entry.identity)} for path, entry in self.entries.items()}
            kept = {"entries": entries, "runs": [vars(run) for run in self.runs]}
            content = json.dumps({"version": _VERSION, "kept": kept, "checksum": _checksum(kept)}).encode()
            if content != self._read:
                new.write_bytes(content)
                new.replace(self.place)
                self._read = content
        self._prune()
        return True

    def _prune(self) -> None:
        """Delete what belongs to no index, indexes of the same files or of none, and what a killed launch began."""
        used: set[str] = set()
        for place in self.folder.glob("*.json"):
            try:
                entries, runs = _parsed(place.read_bytes())
            except _OtherVersionError:
                _delete(place)
                continue
            except _DAMAGES:
                continue
            if place != self.place and (entries.keys() & self.entries.keys() or not any(Path(path).exists() for path in entries)):
                _delete(place)
                continue
            used |= {*(entry.rejects for entry in entries.values()), *(run.name for run in runs)}
        # What was written last may be about to get into an index, by another launch.
        written = {}
        for part in (*self.folder.glob("*.arrow"), *self.folder.glob(f"*{_NEW}"), *self.folder.glob(f"*{RUN}")):
            with suppress(OSError):  # another launch may just have deleted it
                written[part] = part.stat().st_mtime
        for part, moment in written.items():
            if part.name not in used and moment < max(written.values()) - _GRACE:
                _delete(part)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (OSError, PolarsError) as error:
            sentence = 'history.store: cannot be written ({why}) (got "{folder}")'
            raise OutputError(Message("sources.store_unwritable", sentence, why=one_line(error), folder=str(self.folder))) from error

    @contextmanager
    def _new_file(self) -> Iterator[Path]:
        """Make a file in the folder, which is gone afterwards unless it got another name."""
        handle, name = tempfile.mkstemp(dir=self.folder, suffix=_NEW)
        os.close(handle)
        try:
            yield Path(name)
        finally:
            Path(name).unlink(missing_ok=True)


class _OtherVersionError(Exception):
    """The index is another version's."""


def _version(place: Path) -> str | None:
    """Say which version wrote an index; ours where nothing says it."""
    try:
        found = json.loads(place.read_bytes())
        return str(found["version"])
    except _DAMAGES:
        return _VERSION


def _parsed(content: bytes) -> tuple[dict[str, Entry], list[StoredRun]]:
    """Read an index."""
    found = json.loads(content)
    if found["version"] != _VERSION:
        raise _OtherVersionError
    if found["checksum"] != _checksum(found["kept"]):
        raise ValueError(Message("sources.store_checksum", "its checksum is another one"))
    entries = {path: Entry(Identity(**entry.pop("identity")), **entry) for path, entry in found["kept"]["entries"].items()}
    return entries, [StoredRun(**run) for run in found["kept"]["runs"]]


def _checksum(kept: Any) -> str:
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


def _delete(path: Path) -> None:
    with suppress(OSError):  # on Windows, what another launch reads cannot be deleted
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def fingerprint(stream: Stream) -> str:
    """Fingerprint what decides how the rows of a stream are read: a SHA-256."""
    settings, launch = stream.settings, stream.launch
    orders = settings.orders.model_dump(exclude={"path": True, "columns": {"category": True}})  # of which measures know nothing
    columns = [(name, str(dtype)) for name, dtype in stream.schema.items()]
    amounts = {name: asdict(how) for name, how in stream.formats.items()} or settings.decimal
    parts: list[Any] = [orders, amounts, launch.timezone, launch.currency, columns, sorted(stream.spellings.items())]
    parts.append(sorted(stream.written.orders.items()))
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
