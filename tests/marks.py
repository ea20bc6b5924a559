"""Which cases of a test are tried in each run, and which with the slow ones."""

from collections.abc import Iterable
from typing import Any

import pytest


def slow_but(cases: Iterable[Any], *fast: Any) -> list[Any]:
    """Give the cases, all but a few of them marked slow."""
    return [case if case in fast else pytest.param(case, marks=pytest.mark.slow) for case in cases]
