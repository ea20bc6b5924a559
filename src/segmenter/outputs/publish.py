"""A results folder appears whole or not at all, and never takes away what a person wrote into it."""

import ctypes
import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path

from segmenter.errors import OutputError

MANIFEST = "manifest.json"


def check_out(out: Path, *, overwrite: bool) -> None:
    """Make sure, before any work, that results can be written to a folder.

    Parameters
    ----------
    out : Path
        The results folder; need not exist.
    overwrite : bool
        Whether files that a person changed or added may be lost.

    Raises
    ------
    OutputError
        The folder cannot be written, is not a results folder, or holds files that were changed since.

    Examples
    --------
    >>> check_out(Path("outputs/none-yet"), overwrite=False)
    """
    shown, out = out, out.resolve()
    _recover(out)
    if Path.cwd().is_relative_to(out):
        raise OutputError(f"out: is replaced whole, so it may not hold the working directory (got {shown}); choose another with out=FOLDER")
    place = out
    while not place.exists():
        place = place.parent
    beside = out.parent if out.exists() else place
    if not place.is_dir() or not os.access(place, os.W_OK) or not os.access(beside, os.W_OK):
        why = f"{_near(place)} is no folder" if not place.is_dir() else f"{_near(beside)} is not writable"
        raise OutputError(f"out: cannot be written (got {shown}: {why}); choose another with out=FOLDER")
    if not out.exists() or overwrite:
        return
    files = {path.relative_to(out).as_posix(): path for path in sorted(out.rglob("*")) if path.is_file() and not _litter(path)}
    if files and MANIFEST not in files:
        raise OutputError(
            f"out: is not a folder of results (got {shown}, which holds {', '.join(list(files)[:3])} …); choose another with out=FOLDER"
        )
    if changed := _changed(files):
        raise OutputError(
            f"out: files in {shown} were changed or added since the last run: {', '.join(changed[:5])}{' …' if len(changed) > 5 else ''}",
            "move them away, or choose another folder with out=FOLDER, or let them be replaced with overwrite=true",
        )


def _near(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _litter(path: Path) -> bool:
    return path.name.startswith(("~$", ".")) or path.name in ("Thumbs.db", "desktop.ini")


def _changed(files: dict[str, Path]) -> list[str]:
    if not files:
        return []
    try:
        written = json.loads(files[MANIFEST].read_text(encoding="utf-8"))["files"]
        hashes = {name: entry["sha256"] for name, entry in written.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return [MANIFEST]
    return [name for name, path in files.items() if name != MANIFEST and hashes.get(name) != sha256(path)]


def sha256(path: Path) -> str:
    """Fingerprint a file.

    Parameters
    ----------
    path : Path
        Any file.

    Returns
    -------
    str
        Hexadecimal SHA-256 of its bytes.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     sha256(Path(file.name))[:8]
    'e3b0c442'
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def publish(out: Path) -> Iterator[Path]:
    """Give a folder to write into that becomes the results folder, at once, when the block ends well.

    Parameters
    ----------
    out : Path
        The results folder; what it held before is replaced.

    Yields
    ------
    Path
        An empty folder beside it.

    Raises
    ------
    OutputError
        The disk is full, the folder is not writable, or the like; the old results are still there.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     with publish(Path(place) / "results") as folder:
    ...         _ = (folder / "a.txt").write_text("done")
    ...     (Path(place) / "results" / "a.txt").read_text()
    'done'
    """
    out = out.resolve()  # behind a symbolic link the folder is replaced, not the link
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        _sweep_up(out)
        folder = Path(tempfile.mkdtemp(prefix=f".{out.name}.new-{os.getpid()}-", dir=out.parent))
        try:
            folder.chmod(0o777 & ~_umask())
            yield folder
            for path in [*folder.rglob("*"), folder]:
                _flush(path)
            _swap(folder, out)
            _flush(out.parent)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    except OSError as error:
        raise OutputError(
            f"out: cannot be written (got {out}: {error.strerror or error}); the last results, if any, are untouched"
        ) from error


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def _flush(path: Path) -> None:
    if os.name == "nt" and path.is_dir():
        return  # Windows cannot open a folder
    descriptor = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _swap(folder: Path, out: Path) -> None:
    """Put the new folder in the old one's place."""
    if not out.exists():
        folder.rename(out)
        return
    if _exchange(folder, out):
        return
    old = _old(out)
    shutil.rmtree(old, ignore_errors=True)  # left by a run that was killed below
    out.rename(old)
    folder.rename(out)
    shutil.rmtree(old, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two folders in one step, where the system can: there is no moment without results."""
    if not sys.platform.startswith("linux"):
        return False
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    at_cwd, exchange = -100, 2
    return rename is not None and rename(at_cwd, os.fsencode(one), at_cwd, os.fsencode(other), exchange) == 0


def _old(out: Path) -> Path:
    return out.with_name(f".{out.name}.old")


def _recover(out: Path) -> None:
    """Bring back what a run, killed between two renames, had moved aside."""
    if not out.exists() and _old(out).is_dir():
        _old(out).rename(out)


def _sweep_up(out: Path) -> None:
    """Remove what killed runs left half-written."""
    for left in out.parent.glob(f".{escape(out.name)}.new-*-*"):
        pid = left.name.removeprefix(f".{out.name}.new-").partition("-")[0]
        if pid.isdigit() and not Path(f"/proc/{pid}").exists() and Path("/proc/self").exists():
            shutil.rmtree(left, ignore_errors=True)
