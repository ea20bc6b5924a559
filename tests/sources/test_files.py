"""A table in one file or many."""

import datetime as dt
import gzip
import os
import resource
import tempfile
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from shop_files import configured, problems, raw, read, saved, workbook

from segmenter import launch_settings
from segmenter.errors import InputError
from segmenter.loader import read_tables
from segmenter.sources.files import read_files


def test_a_title_is_left_out_or_where_it_is_taken_for_the_header_told(tmp_path: Path) -> None:
    launch = launch_settings({"launch.as_of": "2026-07-01"}).launch
    body: list[list[str]] = [["customer_id", "time", "amount"], ["a", "2026-03-01", "12.5"]]
    titles = {
        "one.csv": "订单\n导出时间\n" + "\n".join(map(",".join, body)),
        "wide.csv": "订单,,\n" + "\n".join(map(",".join, body)),
    }
    found = [saved(tmp_path, name, text) for name, text in titles.items()]
    found.append(workbook(tmp_path / "book.xlsx", [["订单"], *map(list[object], body)]))
    for path in found:
        assert read_tables(configured(orders={"path": str(path)}), launch, seed=1).tables.orders.single().height == 1
        with pytest.raises(InputError) as caught:
            read_tables(configured(orders={"path": str(path), "skip_rows": 0}), launch, seed=1)
        assert 'data.orders.columns.customer_id: is needed: the source has no column "customer_id"' in str(caught.value)
        assert "data.orders.skip_rows: should be the number of rows above the header of orders (got 0, where " in caught.value.problems[-1]
    with pytest.raises(InputError) as caught:
        read_tables(configured(orders={"path": str(saved(tmp_path, "t.csv", titles["one.csv"][3:]))}, skip_rows=2), launch, seed=1)
    assert not any("skip_rows: should be" in problem for problem in caught.value.problems)


def test_where_a_file_seems_to_have_no_header_the_key_is_named(tmp_path: Path) -> None:
    launch = launch_settings({"launch.as_of": "2026-07-01"}).launch
    path = str(saved(tmp_path, "log.csv", "1,2026-03-01,5\n2,2026-03-02,7\n"))
    with pytest.raises(InputError, match=r"data\.orders\.header: should be false"):
        read_tables(configured(orders={"path": path}), launch, seed=1)
    columns = {"customer_id": "column_1", "time": "column_2", "amount": "1"}
    assert (
        read_tables(configured(orders={"path": path, "columns": columns, "header": False}), launch, seed=1).tables.orders.single().height
        == 2
    )


def test_a_folder_of_mixed_files_is_one_table(tmp_path: Path) -> None:
    saved(tmp_path, "2026-02.csv", "金额,客户编号,day\n1.5,0007,2026-02-01\n")
    pl.DataFrame({"客户编号": [8], "金额": [2.25], "day": [dt.date(2026, 1, 1)]}).write_parquet(tmp_path / "2026-01.parquet")
    workbook(tmp_path / "2026-03.xlsx", [["客户编号", "金额", "day"], [9, 3, None]])
    saved(tmp_path, "2026-04.tsv.gz", gzip.compress("客户编号\t金额\tday\n".encode()))
    for ignored in (".hidden.csv", "~$2026-03.xlsx", "notes.docx"):
        saved(tmp_path, ignored, "not data")
    (tmp_path / "old").mkdir()
    saved(tmp_path / "old", "2025.csv", "客户编号,金额,day\n1,1,1\n")
    frame = read(tmp_path)
    assert frame.rows() == [
        ("8", "2.25", "2026-01-01", "2026-01.parquet", 1),
        ("0007", "1.5", "2026-02-01", "2026-02.csv", 2),
        ("9", "3", None, "2026-03.xlsx", 2),
    ]
    assert [found.name for found in read_files("orders", str(tmp_path), configured()).fingerprints] == [
        "2026-01.parquet",
        "2026-02.csv",
        "2026-03.xlsx",
        "2026-04.tsv.gz",
    ]
    assert read(tmp_path, decimal=",")["金额"].to_list() == ["2,25", "1.5", "3"]
    assert_frame_equal(read(f"{tmp_path}/2026-0[123].*"), frame)
    everywhere = read(f"{tmp_path}/**/2*.csv")
    assert everywhere["__file"].to_list() == ["2026-02.csv", "old/2025.csv"]


def test_a_second_copy_of_a_file_does_not_count_twice(tmp_path: Path) -> None:
    for name in ("orders.csv", "orders (1).csv"):
        saved(tmp_path, name, "id,amount\n1,2\n")
    assert "orders.csv: is a copy of orders (1).csv; take one of them away" in problems(tmp_path)


def test_a_file_that_may_not_be_read_is_said_so() -> None:
    settings = configured()  # read while everything may be
    with tempfile.TemporaryDirectory() as folder:
        path = saved(Path(folder), "orders.csv", "id\n1\n")
        path.chmod(0)
        Path(folder).chmod(0o755)
        root = os.geteuid() == 0
        if root:  # who may read everything
            os.seteuid(65534)
        try:
            with pytest.raises(InputError, match=r"orders\.csv: cannot be read \(Permission denied\)"):
                read_files("orders", str(path), settings)
        finally:
            if root:
                os.seteuid(0)


def test_the_real_data_sets_are_read(data_dir: Path) -> None:
    assert read(data_dir / "online_retail.parquet").shape == (541_909, 10)
    assert "buyer_hash" in read(data_dir / "taobao_orders.parquet").columns


def test_few_file_handles_are_enough_for_a_folder(tmp_path: Path) -> None:
    for part in range(60):
        (tmp_path / f"{part:03}.csv").write_text(f"customer_id,amount\nc{part},{part}\n")
    raw(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(int(name) for name in os.listdir("/proc/self/fd")) + 12, hard))
    try:
        assert raw(tmp_path).frame.height == 60
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_name_that_is_not_utf8_is_said(tmp_path: Path) -> None:
    Path(os.fsdecode(bytes(tmp_path) + b"/\xb6\xa9.csv")).write_text("customer_id,amount\na,1\n")
    assert "not UTF-8" in problems(tmp_path)


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from segmenter.sources import files

    path = tmp_path / "a.csv"
    path.write_text("customer_id,amount\na,1\n")
    hashed = files.sha256

    def growing(place: Path) -> str:
        with place.open("a") as file:
            file.write("b,2\n")
        return hashed(place)

    monkeypatch.setattr(files, "sha256", growing)
    assert "a.csv: has changed while it was read" in problems(path)
