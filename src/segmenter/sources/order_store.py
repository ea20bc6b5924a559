"""Orders that were read before, kept by source file: the next launch reads only what is new.

Of each file the store has an entry, which says what the file was and how it was mapped, and parts: the orders of the file, customer
by customer, in the compact form in which the kernel aggregates them. They hold for any as-of date, half-life and window. Parts are
called by their content, entries are replaced whole: two launches at once, or one that is killed, leave a store that is good.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
from polars.exceptions import PolarsError

from segmenter.errors import OutputError
from segmenter.messages import Message
from segmenter.sources.parquet_stream import Stream
from segmenter.sources.raw import one_line, sha256
from segmenter.version import __version__

# Of what is kept and how: another version reads everything anew. With it goes Polars', whose files these are.
_VERSION = f"4 {__version__} {pl.__version__}"
_NEW = ".new"  # ends the name of a file that is being written
_GRACE = 3_600  # seconds
_RACY = 2_000_000_000  # nanoseconds: a file that changed so shortly before it was read may change again at the same time


@dataclass(frozen=True)
class Identity:
    """What a file is on disk: where none of it has changed, its content has not."""

    path: str  # absolute
    size: int  # bytes
    modified: int  # nanoseconds, as the file system has them
    changed: int
    inode: int

    @staticmethod
    def of(path: Path) -> "Identity":
        """Look at a file."""
        found = path.stat()
        return Identity(str(path.resolve()), found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)


@dataclass(frozen=True)
class Entry:
    """What the store has of a file."""

    sha256: str
    reads: dict[str, int]  # ``rows``, ``filtered``, ``rejected``, ``kept``; none was later than `as_of`
    as_of: int  # of the launch that read it, in days since 1970
    parts: list[list[str]]  # the names of the files of each part: customers, orders, places
    rejects: str  # that of its rejects


@dataclass
class Store:
    """A folder of what was read before, by one mapping: see `fingerprint`."""

    folder: Path
    mapping: str
    warnings: list[str] = field(default_factory=list)  # what was found damaged

    def __post_init__(self) -> None:
        with self._errors():
            self.folder.mkdir(parents=True, exist_ok=True)

    def find(self, path: Path, as_of: int) -> Entry | None:
        """Find what is kept of a file, if it is the same file and the same mapping; None where it has to be read."""
        place, identity = self._entry(path), Identity.of(path)
        try:
            found = json.loads(place.read_bytes())
            if (found["version"], found["mapping"]) != (_VERSION, self.mapping):
                return None
            entry, known = Entry(**found["kept"]), Identity(**found["identity"])
            if found["checksum"] != _checksum(entry, known, found["seen"]):
                raise ValueError(Message("sources.store_checksum", "its checksum is another one"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            self.note_damage(path, place.name, error)
            return None
        if known != identity or identity.changed > found["seen"] - _RACY:
            if identity.size != known.size or sha256(path) != entry.sha256:
                return None
            self._write(path, identity, entry)
        # Rejects count only from before the as-of date, and of theirs nothing is known but that it was before the other one.
        return entry if as_of >= entry.as_of or not entry.reads["rejected"] else None

    def load(self, path: Path, names: Sequence[str]) -> list[pl.DataFrame] | None:
        """Load frames of a file by the names that its entry has; None where one is damaged or missing."""
        try:
            for name in names:
                if not name.startswith(sha256(self.folder / name)):
                    raise ValueError(Message("sources.store_content", "its content is not what was written"))
            return [pl.read_ipc(self.folder / name) for name in names]
        except (OSError, ValueError, PolarsError) as error:
            self.note_damage(path, names[0], error)
            return None

    def note_damage(self, path: Path, name: str, error: Exception) -> None:
        """Note that something is damaged: the file will be read again."""
        why = next((part for part in error.args if isinstance(part, Message)), str(error))
        sentence = "history.store: {name} is damaged ({why}); {file} is read again"
        self.warnings.append(Message("sources.store_damaged", sentence, name=name, why=why, file=path.name))

    def keep(self, path: Path, identity: Identity, entry: Entry) -> None:
        """Keep a file, if it is still what it was before it was read."""
        if Identity.of(path) == identity:
            self._write(path, identity, entry)

    def put(self, frame: pl.DataFrame) -> str:
        """Write a frame, and give its name: the SHA-256 of the file, and its ending."""
        with self._errors(), self._new_file() as new:
            frame.write_ipc(new, compression="uncompressed")
            name = f"{sha256(new)}.arrow"
            new.replace(self.folder / name)
            return name

    def prune(self) -> None:
        """Delete what belongs to no entry, entries whose files are gone, and what a killed launch began."""
        entries = list(self.folder.glob("*.json"))
        used: set[str] = set()
        for entry in entries:
            try:
                found = json.loads(entry.read_bytes())
                if not Path(found["identity"]["path"]).exists():
                    _delete(entry)
                    continue
                used |= {found["kept"]["rejects"], *(name for part in found["kept"]["parts"] for name in part)}
            except (OSError, ValueError, KeyError, TypeError):
                continue
        # What was written last may be about to get an entry, by another launch.
        written = {}
        for part in (*self.folder.glob("*.arrow"), *self.folder.glob(f"*{_NEW}")):
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

    def _entry(self, path: Path) -> Path:
        return self.folder / f"{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:24]}.json"

    def _write(self, path: Path, identity: Identity, entry: Entry) -> None:
        known = {"version": _VERSION, "mapping": self.mapping, "identity": asdict(identity), "kept": asdict(entry)}
        with self._errors(), self._new_file() as new:
            seen = new.stat().st_mtime_ns  # the file system's clock
            new.write_text(json.dumps({**known, "seen": seen, "checksum": _checksum(entry, identity, seen)}), encoding="utf-8")
            new.replace(self._entry(path))


def _checksum(entry: Entry, identity: Identity, seen: int) -> str:
    return hashlib.sha256(json.dumps([asdict(entry), asdict(identity), seen], sort_keys=True).encode()).hexdigest()


def _delete(path: Path) -> None:
    with suppress(OSError):  # on Windows, what another launch reads cannot be deleted
        path.unlink(missing_ok=True)


def fingerprint(stream: Stream) -> str:
    """Fingerprint what decides how the rows of a stream are read: a SHA-256."""
    settings, launch = stream.settings, stream.launch
    orders = settings.orders.model_dump(exclude={"path": True, "columns": {"category": True}})  # of which measures know nothing
    columns = [(name, str(dtype)) for name, dtype in stream.schema.items()]
    amounts = {name: asdict(how) for name, how in stream.formats.items()} or settings.decimal
    parts: list[Any] = [orders, amounts, launch.timezone, launch.currency, columns, sorted(stream.spellings.items())]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
