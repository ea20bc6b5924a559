"""Folders for work in progress, of which a killed job leaves none for good."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import IO

_LOCK = ".segmenter.lock"  # in each; held as long as its maker lives


@contextmanager
def temp_folder(beside: Path, prefix: str) -> Iterator[Path]:
    """Make a folder in another one, after removing those there that dead jobs left; what lives, in other containers too, is left alone."""
    _sweep_up(beside, prefix)
    while True:
        folder = Path(mkdtemp(prefix=prefix, dir=beside))
        with suppress(FileNotFoundError):  # before it was locked, another job took it for a dead one's
            lock = (folder / _LOCK).open("xb")
            if _locked(lock) is not False and (folder / _LOCK).exists():
                break
            lock.close()
    try:
        yield folder
    finally:
        _remove(folder, lock)


def _locked(file: IO[bytes]) -> bool | None:
    """Lock a file until it is closed, however its process ends; False where another holds it, None where nobody can tell."""
    try:
        import fcntl
    except ImportError:  # Windows
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return None
    return True


def _sweep_up(beside: Path, prefix: str) -> None:
    """Remove what dead jobs left: their locks show it, as process ids of another container would not."""
    for left in list(beside.iterdir()):
        if not re.fullmatch(rf"{re.escape(prefix)}[a-z0-9_]{{8}}", left.name):
            continue
        with suppress(OSError):
            if not (left / _LOCK).is_file():
                left.rmdir()  # only where it is empty
                continue
            with (left / _LOCK).open("r+b") as lock:
                if _locked(lock):
                    _remove(left, lock)


def _remove(folder: Path, lock: IO[bytes]) -> None:
    """Remove all that was written, and only then the lock: what is without one is empty."""
    with suppress(OSError):
        for entry in folder.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry, ignore_errors=True)
            elif entry.name != _LOCK:
                entry.unlink()
    lock.close()
    shutil.rmtree(folder, ignore_errors=True)
