"""Functions compiled by Numba. Imports it, so it is imported where many rows repay that."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Compile a function when it is first called, once for all runs where a folder for that can be written.

    It runs without Python's lock, and without fastmath: not a bit differs from what it says.
    """
    options: Any = {"nogil": True, "error_model": "numpy", "boundscheck": False}
    try:
        return cast(F, njit(function, cache=True, **options))
    except RuntimeError:  # no folder for the cache can be written
        return cast(F, njit(function, **options))
