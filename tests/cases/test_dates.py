"""Times in any form, from the command to the days since the last order."""

import json
from datetime import date, datetime, timedelta
from pathlib import Path

import openpyxl
import polars as pl
import pytest
from jobs import run_here

pytestmark = pytest.mark.slow

CASES = Path(__file__).parents[3] / "shared" / "cases"
WHEN = [datetime(2026, 6, 3, 10, 30), datetime(2026, 6, 4, 18, 0), datetime(2026, 6, 25, 23, 58)]


def launch(folder: Path, *more: str, name: str = "orders.csv", code: int = 0) -> str:
    settled = ["launch.as_of=2026-07-01", "tracking=none", "out=out", "ledger.url=sqlite:///ledger.db", "plan.holdout=0"]
    return run_here("launch", "data=files", f"data.orders.path={name}", *settled, *more, cwd=folder, code=code).stderr


def last_orders(folder: Path) -> list[datetime]:
    customers = pl.read_parquet(folder / "out" / "customers.parquet").sort("customer_id")
    return [moment.replace(second=0, microsecond=0) for moment in customers["last_order_at"].to_list()]


def codes(folder: Path) -> list[str]:
    return [finding["found"] for finding in json.loads((folder / "out" / "manifest.json").read_text(encoding="utf-8"))["checks"]]


def write(folder: Path, texts: list[str], separator: str = ",") -> None:
    lines = [f"K{at}{separator}{text}{separator}{100 + at}" for at, text in enumerate(texts, 1)]
    (folder / "orders.csv").write_text("\n".join([separator.join(["customer_id", "time", "amount"]), *lines]), encoding="utf-8")


def serial(moment: datetime) -> float:
    return (moment - datetime(1899, 12, 30)) / timedelta(days=1)


def test_the_case_of_serial_days(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    request.getfixturevalue("data_dir")  # of which the cases are neighbours
    (tmp_path / "orders.csv").write_bytes((CASES / "excel_serial_dates" / "orders.csv").read_bytes())
    launch(tmp_path)
    assert last_orders(tmp_path) == [datetime(2026, 6, 3, 10, 30), datetime(2026, 6, 4, 18), datetime(2026, 6, 5, 23, 58)]
    assert "dates.kinds" in codes(tmp_path)


@pytest.mark.parametrize(
    ("form", "separator"),
    [
        ("{serial}", ","),
        ("{serial_comma}", ";"),
        ("{epoch}", ","),
        ("{epoch}000", ","),
        ("%d/%m/%Y %H:%M", ","),
        ("%m/%d/%Y %I:%M %p", "\t"),
        ("%d.%m.%y %H:%M", ";"),
        ("%d-%b-%Y %H:%M", ","),
        ('"%B %d, %Y %I:%M %p"', ","),
        ("%Y年%m月%d日 %H:%M", ","),
    ],
)
def test_a_file_of_one_form(form: str, separator: str, tmp_path: Path) -> None:
    days = [f"{serial(moment):.9f}" for moment in WHEN]
    texts = [
        moment.strftime(form).format(
            serial=day, serial_comma=day.replace(".", ","), epoch=round((moment - datetime(1970, 1, 1)).total_seconds()) - 8 * 3600
        )
        for moment, day in zip(WHEN, days, strict=True)
    ]
    write(tmp_path, texts, separator)
    launch(tmp_path)
    assert last_orders(tmp_path) == WHEN


def test_a_sheet_of_numbers_texts_and_dates(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["customer_id", "time", "amount"], ["K1", serial(WHEN[0]), 1], ["K2", WHEN[1], 2], ["K3", "25/06/2026 23:58", 3]):
        sheet.append(row)
    book.save(tmp_path / "orders.xlsx")
    launch(tmp_path, name="orders.xlsx")
    assert last_orders(tmp_path) == WHEN


@pytest.mark.parametrize("zone", ["UTC", "Z", "+00:00", " (GMT)"])
def test_a_zone_is_converted(zone: str, tmp_path: Path) -> None:
    write(tmp_path, [f"{moment - timedelta(hours=8):%Y-%m-%d %H:%M:%S}{zone}" for moment in WHEN])
    launch(tmp_path)
    assert last_orders(tmp_path) == WHEN
    assert "dates.zone_moved" in codes(tmp_path)


@pytest.mark.parametrize(
    ("texts", "more", "says"),
    [
        (["03/06/2026", "04/05/2026"], (), "day_first (2026-05-04 to 2026-06-03"),
        (["2026-06-03 10:30 CST"], ("launch.timezone=Europe/Berlin",), "China +08:00"),
        (["2026-06-03 10:30 UTC", "2026-06-03 10:31"], (), "name no zone"),
    ],
)
def test_what_can_be_read_in_two_ways_stops_and_says_how_to_go_on(
    texts: list[str], more: tuple[str, ...], says: str, tmp_path: Path
) -> None:
    write(tmp_path, texts)
    said = launch(tmp_path, *more, code=2)
    assert says in said
    assert "data.orders.time_format" in said


def test_the_way_out_of_an_undecided_order(tmp_path: Path) -> None:
    write(tmp_path, ["03/06/2026", "04/05/2026"])
    launch(tmp_path, "data.orders.time_format=month_first")
    assert [moment.date() for moment in last_orders(tmp_path)] == [date(2026, 3, 6), date(2026, 4, 5)]


def test_a_stale_export_is_told_in_each_report(tmp_path: Path) -> None:
    write(tmp_path, [f"2026-{month:02}-{day:02}" for month in (3, 4, 5) for day in range(1, 31)])
    assert "2026-05-30" in launch(tmp_path)
    assert "dates.stale" in codes(tmp_path)
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "2026-05-30" in page
