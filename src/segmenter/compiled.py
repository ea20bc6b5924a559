"""Functions compiled by Numba. Imports it, so it is imported where many rows repay that."""

from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from time import time
from typing import Any, TypeVar, cast

from numba import njit

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Compile a function when it is first called, once for all runs where a folder for that can be written.

    It runs without Python's lock, and without fastmath: not a bit differs from what it says.
    """
    options: Any = {"nogil": True, "error_model": "numpy", "boundscheck": False}
    try:
        dispatcher = njit(function, cache=True, **options)
    except RuntimeError:  # no folder for the cache can be written
        return cast(F, njit(function, **options))
    # Numba compiles anew where the function's own file has changed, but not where one has that it calls or takes a constant from.
    source = Path(function.__code__.co_filename)
    with suppress(OSError):  # another process may be doing the same
        for index in Path(dispatcher.stats.cache_path).glob(f"{source.stem}.{function.__qualname__}-*.nbi"):
            if index.stat().st_mtime < _last_change(source.parent) < time():
                index.unlink()
    return cast(F, dispatcher)


@cache
def _last_change(folder: Path) -> float:
    """Say when a source in the folder, or at the top of the package, was changed last."""
    return max(path.stat().st_mtime for sources in (folder, Path(__file__).parent) for path in sources.glob("*.py"))
