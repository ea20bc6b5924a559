"""Parquet files as people bring them: damaged, or not what they say of themselves."""

import io
import tempfile
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from shop_files import problems, raw

from segmenter.errors import InputError


def parquet(**options: Any) -> bytes:
    frame = pl.DataFrame(
        {"id": [f"c{row % 40}" for row in range(300)], "amount": [row * 1.5 for row in range(300)], "n": [None, 1, 2] * 100}
    )
    sink = io.BytesIO()
    pq.write_table(frame.to_arrow(), sink, **options)
    return sink.getvalue()


CHECKED = parquet(row_group_size=150, write_page_checksum=True)


SPOILT = (
    st.tuples(st.integers(0, len(CHECKED) - 1)).map(lambda cut: CHECKED[: cut[0]])
    | st.lists(st.tuples(st.integers(0, len(CHECKED) - 1), st.integers(0, 255)), min_size=1, max_size=4).map(
        lambda flips: bytes(dict(flips).get(at, byte) for at, byte in enumerate(CHECKED))
    )
    | st.integers(4, len(CHECKED) - 60).map(lambda at: CHECKED[:at] + bytes(50) + CHECKED[at + 50 :])
)


@hypothesis_settings(max_examples=60)
@given(SPOILT)
def test_damaged_parquet_is_refused_or_gives_all_rows(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.parquet")
        path.write_bytes(content)
        try:
            height = raw(path).frame.height
        except InputError:
            return
        assert height == 300


def number(value: int) -> bytes:
    """Write a whole number as Thrift's compact protocol does."""
    value, written = 2 * value, b""
    while value > 127:
        value, written = value >> 7, written + bytes([value & 127 | 128])
    return b"\x16" + written + bytes([value])


@pytest.mark.parametrize("rows", [299, 1 << 40, 1 << 62])
def test_parquet_that_claims_other_numbers_of_rows_is_refused(tmp_path: Path, rows: int) -> None:
    whole = parquet()
    size = int.from_bytes(whole[-8:-4], "little")
    body, footer = whole[: -8 - size], whole[-8 - size : -8]
    at = footer.rindex(number(300))  # of its only row group
    footer = footer[:at] + number(rows) + footer[at + 3 :]
    path = tmp_path / "a.parquet"
    path.write_bytes(body + footer + len(footer).to_bytes(4, "little") + b"PAR1")
    assert "a.parquet: is no whole Parquet file" in problems(path)


def test_a_page_that_is_not_what_its_checksum_says_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    whole = parquet(compression="none", use_dictionary=False, write_page_checksum=True)
    at = whole.index(b"c17")
    path.write_bytes(whole[:at] + b"c71" + whole[at + 3 :])
    assert "a.parquet: is no whole Parquet file" in problems(path)
