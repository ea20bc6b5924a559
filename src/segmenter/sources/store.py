"""Orders that were read before, kept by source file: the next launch reads only what is new.

Of each file the store has an entry, which says what the file was and how it was mapped, and parts: the orders of the file, customer
by customer, in the compact form in which the kernel adds them up. They hold for any as-of date, half-life and window. Parts are
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
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars.exceptions import PolarsError

from segmenter.errors import OutputError
from segmenter.settings import FilesSettings, LaunchSettings
from segmenter.sources.files import sha256
from segmenter.sources.raw import one_line
from segmenter.version import __version__

if TYPE_CHECKING:
    from segmenter.measures.aggregator import Aggregator

# Of what is kept and how: another version reads everything anew. With it goes Polars', whose files these are.
_VERSION = f"3 {__version__} {pl.__version__}"
MOST = 8_000_000  # rows of a part
_NEW = ".new"  # ends the name of a file that is being written
_GRACE = 3_600  # seconds
_RACY = 2_000_000_000  # nanoseconds: a file that changed so shortly before it was read may change again at the same time


@dataclass(frozen=True)
class Identity:
    """What a file is on disk: where none of it has changed, its content has not.

    Parameters
    ----------
    path : str
        Absolute.
    size, modified, changed, inode : int
        In bytes, and in nanoseconds as the file system has them.
    """

    path: str
    size: int
    modified: int
    changed: int
    inode: int

    @staticmethod
    def of(place: Path) -> "Identity":
        """Look at a file."""
        found = place.stat()
        return Identity(str(place.resolve()), found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)


@dataclass(frozen=True)
class Kept:
    """What the store has of a file.

    Parameters
    ----------
    sha256 : str
        Of the file.
    reads : dict of str to int
        ``rows``, ``filtered``, ``rejected``, ``kept``; none was later than `as_of`.
    as_of : int
        The as-of date of the launch that read it, in days since 1970.
    parts : list of list of str
        The names of the files of each part: customers, orders, places.
    rejects : str
        That of its rejects.
    """

    sha256: str
    reads: dict[str, int]
    as_of: int
    parts: list[list[str]]
    rejects: str


@dataclass
class Store:
    """A folder of what was read before.

    Parameters
    ----------
    folder : Path
        Where.
    mapping : str
        The fingerprint of the mapping: see `fingerprint`.
    warnings : list of str
        What was found damaged.
    """

    folder: Path
    mapping: str
    warnings: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        with self._writing():
            self.folder.mkdir(parents=True, exist_ok=True)

    def find(self, place: Path, as_of: int) -> Kept | None:
        """Find what is kept of a file, if it is the same file and the same mapping.

        Parameters
        ----------
        place : Path
            The file.
        as_of : int
            The launch's as-of date in days since 1970.

        Returns
        -------
        Kept or None
            None where the file has to be read.
        """
        entry, identity = self._entry(place), Identity.of(place)
        try:
            found = json.loads(entry.read_bytes())
            if (found["version"], found["mapping"]) != (_VERSION, self.mapping):
                return None
            kept, known = Kept(**found["kept"]), Identity(**found["identity"])
            if found["checksum"] != _checksum(kept, known, found["seen"]):
                raise ValueError("its checksum is another one")
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            self.damaged(place, entry.name, error)
            return None
        if known != identity or identity.changed > found["seen"] - _RACY:
            if identity.size != known.size or sha256(place) != kept.sha256:
                return None
            self._write(place, identity, kept)
        # Rejects count only from before the as-of date, and of theirs nothing is known but that it was before the other one.
        return kept if as_of >= kept.as_of or not kept.reads["rejected"] else None

    def load(self, place: Path, names: Sequence[str]) -> list[pl.DataFrame] | None:
        """Load frames of a file.

        Parameters
        ----------
        place : Path
            The file.
        names : sequence of str
            As `Kept` has them.

        Returns
        -------
        list of DataFrame or None
            None where one is damaged or missing.
        """
        try:
            for name in names:
                if not name.startswith(sha256(self.folder / name)):
                    raise ValueError("its content is not what was written")
            return [pl.read_ipc(self.folder / name) for name in names]
        except (OSError, ValueError, PolarsError) as error:
            self.damaged(place, names[0], error)
            return None

    def damaged(self, place: Path, name: str, error: Exception) -> None:
        """Note that something is damaged: the file will be read again."""
        self.warnings.append(f"history.store: {name} is damaged ({error}); {place.name} is read again")

    def keep(self, place: Path, identity: Identity, kept: Kept) -> None:
        """Keep a file, if it is still what it was when its reading began.

        Parameters
        ----------
        place : Path
            The file.
        identity : Identity
            Of it, before it was read.
        kept : Kept
            What was read.
        """
        if Identity.of(place) == identity:
            self._write(place, identity, kept)

    def put(self, frame: pl.DataFrame) -> str:
        """Write a frame, and give its name.

        Parameters
        ----------
        frame : DataFrame
            Any.

        Returns
        -------
        str
            The SHA-256 of the file, and its ending.
        """
        with self._writing():
            handle, name = tempfile.mkstemp(dir=self.folder, suffix=_NEW)
            os.close(handle)
            try:
                frame.write_ipc(name, compression="uncompressed")
                called = f"{sha256(Path(name))}.arrow"
                Path(name).replace(self.folder / called)
            finally:
                Path(name).unlink(missing_ok=True)
            return called

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
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except (OSError, PolarsError) as error:
            problem = getattr(error, "strerror", None) or one_line(error)
            raise OutputError(f'history.store: cannot be written ({problem}) (got "{self.folder}")') from error

    def _entry(self, place: Path) -> Path:
        return self.folder / f"{hashlib.sha256(str(place.resolve()).encode()).hexdigest()[:24]}.json"

    def _write(self, place: Path, identity: Identity, kept: Kept) -> None:
        known = {"version": _VERSION, "mapping": self.mapping, "identity": asdict(identity), "kept": asdict(kept)}
        with self._writing():
            handle, name = tempfile.mkstemp(dir=self.folder, suffix=_NEW)
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    seen = os.fstat(handle).st_mtime_ns  # the file system's clock
                    json.dump({**known, "seen": seen, "checksum": _checksum(kept, identity, seen)}, file)
                Path(name).replace(self._entry(place))
            finally:
                Path(name).unlink(missing_ok=True)


def _checksum(kept: Kept, identity: Identity, seen: int) -> str:
    return hashlib.sha256(json.dumps([asdict(kept), asdict(identity), seen], sort_keys=True).encode()).hexdigest()


def _delete(path: Path) -> None:
    with suppress(OSError):  # on Windows, what another launch reads cannot be deleted
        path.unlink(missing_ok=True)


def fingerprint(settings: FilesSettings, launch: LaunchSettings, schema: pl.Schema) -> str:
    """Fingerprint what decides how rows are read.

    Parameters
    ----------
    settings : FilesSettings
        The column mappings.
    launch : LaunchSettings
        Its time zone and currency.
    schema : Schema
        The files' columns.

    Returns
    -------
    str
        A SHA-256.

    Examples
    --------
    >>> import segmenter
    >>> settings = segmenter.launch_settings({"launch.as_of": "2026-07-01"})
    >>> len(fingerprint(settings.data, settings.launch, pl.Schema({"amount": pl.Float64()})))
    64
    """
    orders = settings.orders.model_dump(exclude={"path": True, "columns": {"category": True}})  # of which measures know nothing
    parts: list[Any] = [orders, settings.decimal, launch.timezone, launch.currency, [(name, str(dtype)) for name, dtype in schema.items()]]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def part_of(adder: "Aggregator", recorded: Sequence[pl.DataFrame]) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Make a part of rows that were added.

    Parameters
    ----------
    adder : Aggregator
        What they were added to.
    recorded : sequence of DataFrame
        As it recorded them.

    Returns
    -------
    tuple of DataFrame
        Customers, orders and places, as `Aggregator.add_runs` takes them.
    """
    from segmenter.measures.id_order import in_order, take

    def whole(name: str) -> NDArray[Any]:
        return np.concatenate([frame[name].to_numpy() for frame in recorded])

    def ordered(values: NDArray[Any]) -> NDArray[Any]:
        out = np.empty_like(values)
        take(values, order, out)
        return out

    records = whole("record").astype(np.uint64)
    records, order = in_order(records, int(records.max(initial=0)).bit_length())
    starts = np.concatenate([np.zeros(min(len(records), 1), np.int64), np.flatnonzero(np.diff(records)) + 1])
    counts = np.diff(starts, append=len(records)).astype(np.uint32)
    customers = pl.DataFrame({"customer_id": adder.ids_of(records[starts].astype(np.int32)), "count": counts})
    orders = {"time": ordered(whole("time")), "paid": ordered(whole("paid"))}
    if (back := whole("back")).any():
        orders["back"] = ordered(back)
    codes = {name: values for name in ("province", "city") if ((values := whole(name)) >= 0).any()}
    names = adder.place_names()
    met = sum((np.bincount(values + 1, minlength=len(names) + 1) for values in codes.values()), np.zeros(len(names) + 1, np.int64))
    used = np.flatnonzero(met[1:]).astype(np.int32)
    # The place after the last name is for none: -1 in `codes`.
    table = np.full(len(names) + 1, len(used), np.min_scalar_type(len(used)))
    table[used] = np.arange(len(used))
    orders |= {name: ordered(table[values]) for name, values in codes.items()}
    return customers, pl.DataFrame(orders), names.gather(pl.Series(used)).to_frame("place")
