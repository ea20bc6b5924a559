import os
from pathlib import Path

import polars as pl
import pytest

from segmenter.demo import filled_sheets
from segmenter.report.table_files import write_csv, write_parquet


def write_book(frame: pl.DataFrame, path: Path) -> None:
    filled_sheets._write(path, [{"a": frame["a"].head(9).to_list()}], "calls")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no disk that is always full")
@pytest.mark.parametrize("write_table", [write_csv, write_parquet, write_book])
def test_every_writer_tells_a_full_disk_as_the_system_does(write_table):
    with pytest.raises(OSError, match="No space left"):
        write_table(pl.DataFrame({"a": range(100_000)}), Path("/dev/full"))
