"""A shop's files for tests of their reading."""

from pathlib import Path

import openpyxl
import polars as pl
import pytest
from omegaconf import OmegaConf

from segmenter.errors import InputError
from segmenter.settings import FilesSettings, parse
from segmenter.sources.files import read_files
from segmenter.sources.raw import Raw
from segmenter.tables import REJECTS

CONF = Path(__file__).parents[1] / "conf" / "data"


ERP = "客户编号,下单时间,金额,省份\nC001,2026-03-01 10:20,128.50,四川\nC002,2026-03-02 08:00,99,广东省\nC003,2026-03-02 09:15,1024.00,\n"


ERP_ROWS = [
    ("C001", "2026-03-01 10:20", "128.50", "四川"),
    ("C002", "2026-03-02 08:00", "99", "广东省"),
    ("C003", "2026-03-02 09:15", "1024.00", None),
]


def configured(**changes: object) -> FilesSettings:
    config = OmegaConf.merge(OmegaConf.load(CONF / "_tables.yaml"), OmegaConf.load(CONF / "files.yaml"), {"orders": {"path": "-"}}, changes)
    del config["defaults"]
    return parse(FilesSettings, config)


def raw(path: Path | str, **changes: object) -> Raw:
    return read_files("orders", str(path), configured(**changes))


def read(path: Path | str, **changes: object) -> pl.DataFrame:
    return raw(path, **changes).frame


def values(frame: pl.DataFrame) -> list[tuple[object, ...]]:
    return frame.drop("__file", "__row").rows()


def problems(path: Path | str, **changes: object) -> str:
    with pytest.raises(InputError) as caught:
        read(path, **changes)
    assert all(line.startswith("data.") for line in caught.value.problems)
    return str(caught.value)


def saved(folder: Path, name: str, content: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def rejects(path: Path, **changes: object) -> list[tuple[int, str, str]]:
    found = read_files("orders", str(path), configured(**changes)).rejects
    assert found.schema == REJECTS
    assert found.select("table", "file", "column").unique().rows() in ([], [("orders", path.name, None)])
    return found.select("row", "value", "reason").rows()


def workbook(path: Path, rows: list[list[object]], sheet: str = "订单", first_row: int = 1) -> Path:
    book = openpyxl.Workbook()
    book.create_sheet(sheet)
    book.create_sheet("退款")
    del book["Sheet"]
    for number, row in enumerate(rows, start=first_row):
        for column, value in enumerate(row, start=1):
            book[sheet].cell(row=number, column=column).value = value  # type: ignore[assignment]
    book.save(path)
    return path
