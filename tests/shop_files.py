"""A shop's files for tests of their reading."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

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


@cache
def _of_conf(source: str) -> Any:
    config = OmegaConf.merge(*(OmegaConf.load(CONF / f"{name}.yaml") for name in ("_tables", source)))
    del config["defaults"]
    return config


def data_of(changes: Mapping[str, object], source: str = "files") -> Any:
    """Give the config of where data come from with some changes, keys in it with dots; its file is read once."""
    config = OmegaConf.merge(_of_conf(source))
    for key, value in changes.items():
        OmegaConf.update(config, key, value)
    return config


def configured(**changes: object) -> FilesSettings:
    return parse(FilesSettings, data_of({"orders.path": "-", **changes}))


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
