"""Which cases of a test are tried in each run, and which with the slow ones."""

from collections.abc import Iterable
from typing import Any

import pytest


def slow_but(cases: Iterable[Any], *fast: Any) -> list[Any]:
    """Give the cases, all but a few of them marked slow; a tuple is a case of several arguments."""
    slow = pytest.mark.slow
    return [case if case in fast else pytest.param(*(case if isinstance(case, tuple) else [case]), marks=slow) for case in cases]
