"""An empty ledger, in a file or on a server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from segmenter.ledger import Ledger, open_ledger


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> Iterator[str | None]:
    if request.param == "sqlite":
        yield None
        return
    with request.getfixturevalue("schema_of")() as found:
        yield found


@pytest.fixture
def ledger(url: str | None, tmp_path: Path) -> Ledger:
    return open_ledger(url, tmp_path / "results")
