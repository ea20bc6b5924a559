"""A results folder appears whole or not at all."""

import ctypes
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from segmenter.errors import OutputError
from segmenter.messages import Message
from segmenter.temp_folders import temp_folder

MANIFEST = "manifest.json"


def owner_of(folder: Path) -> tuple[str, str] | None:
    """Give the job and the launch whose results a folder holds; None where it holds none."""
    if not (folder / MANIFEST).is_file():
        return None
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        config, _ = manifest["config"], manifest["files"].items()
        # Manifests without a job are of earlier versions: the config tells it. A tuning has a backtest's config, too.
        job = manifest.get("job") or next((job for job in ("tune", "backtest", "review") if job in config), "launch")
        return str(job), str(config["launch"]["name"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def sha256(path: Path) -> str:
    """Fingerprint a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def publish(out: Path, look: Callable[[], object] = lambda: None) -> Iterator[Path]:
    """Give a folder to write into that becomes the results folder, at once, when the block ends well.

    At the last moment `look` may say by an exception that the folder has become something that may not be replaced. Whatever
    goes wrong, the old results are still there.
    """
    try:
        out = Path(os.path.realpath(out))  # behind a symbolic link the folder is replaced, not the link
        out.parent.mkdir(parents=True, exist_ok=True)
        with temp_folder(out.parent, _prefix(out)) as temporary:
            folder = temporary / "results"
            folder.mkdir()
            yield folder
            for path in [*folder.rglob("*"), folder]:
                _flush(path)
            look()
            _swap(folder, out)
            _flush(out.parent)
    except OSError as error:
        sentence = "out: cannot be written (got {out}: {reason}); the last results, if any, are untouched"
        raise OutputError(Message("report.publication_failed", sentence, out=out, reason=error.strerror or str(error))) from error


@contextmanager
def put_in_place(folder: Path, out: Path) -> Iterator[Path]:
    """Make a folder that is written already the results folder, at once, when the block ends well."""
    yield folder
    if folder != out:
        try:
            _recover(out)
            if (_old(out) / MANIFEST).is_file() and owner_of(_old(out)) == owner_of(out):  # left by a run that was killed in `_swap`
                shutil.rmtree(_old(out))
            _swap(folder, out)
            shutil.rmtree(folder, ignore_errors=True)  # what it replaced
        except OSError as error:
            sentence = "out: {folder} cannot be put in place of {out} ({reason}); both are as they were"
            raise OutputError(
                Message("report.not_put_in_place", sentence, folder=folder, out=out, reason=error.strerror or str(error))
            ) from error


def _prefix(out: Path) -> str:
    return f".{out.name}.new-"


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
    if (old / MANIFEST).is_file() and owner_of(old) == owner_of(out):  # left by a run that was killed below
        old.rename(folder.with_name("older"))
    out.rename(old)
    folder.rename(out)
    old.rename(folder)  # which is removed with the folder around it


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
    if not out.exists() and (_old(out) / MANIFEST).is_file():
        _old(out).rename(out)
