"""Whatever type a Parquet column has, as whatever it is mapped: read, rejected row by row, or refused by a message."""

from datetime import date
from decimal import Decimal

import pyarrow as pa
import pytest
from jobs import exit_code
from marks import slow_but
from polars.testing import assert_frame_equal
from pyarrow import parquet
from shop_files import data_of

import segmenter
from segmenter.errors import InputError
from segmenter.loader import read_tables
from segmenter.measures import shop_orders
from segmenter.measures.definition import summarize_frame
from segmenter.settings import FilesSettings, parse
from segmenter.tables import Terms

TERMS = Terms(date(2026, 7, 1), 90.0, 200)
LAUNCH = segmenter.launch_settings({"launch.as_of": "2026-07-01"}).launch
MOMENT = 1_780_272_000_000  # 2026-06-01 in milliseconds
MOST, LEAST = 2**63 - 1, -(2**63)
TYPES = {
    "lists": pa.array([[1], [2, 3], None, []]),
    "lists of one length": pa.array([[1, 2], [3, 4], None, [5, 6]], pa.list_(pa.int32(), 2)),
    "structs": pa.array([{"a": 1, "b": "x"}, None, {"a": 2, "b": None}, {"a": None, "b": "y"}]),
    "maps": pa.array([[("a", 1)], None, [], [("b", 2)]], pa.map_(pa.string(), pa.int32())),
    "durations": pa.array([1, 2, None, MOST], pa.duration("ns")),
    "times of day": pa.array([1, 2, None, 86_399_999_999], pa.time64("us")),
    "milliseconds": pa.array([MOMENT, MOST, None, LEAST], pa.timestamp("ms")),
    "nanoseconds": pa.array([MOMENT * 10**6, MOST, None, LEAST], pa.timestamp("ns")),
    "a zone": pa.array([MOMENT * 10**3, MOST, None, LEAST], pa.timestamp("us", "America/New_York")),
    "an offset": pa.array([MOMENT, MOST, None, LEAST], pa.timestamp("ms", "+08:00")),
    "a zone that is none": pa.array([MOMENT, 1, None, 2], pa.timestamp("ms", "Mars/Olympus")),
    "dates": pa.array([20_600, 2**31 - 1, None, -(2**31)], pa.date32()),
    "bytes": pa.array([b"7", b"\xff\xfe", None, b""]),
    "uuids": pa.ExtensionArray.from_storage(pa.uuid(), pa.array([bytes(range(200, 216)), bytes(16), None, bytes(16)], pa.binary(16))),
    "a dictionary": pa.array(["7", "8", None, "7"]).dictionary_encode(),
    "unsigned": pa.array([1, 2**64 - 1, None, 0], pa.uint64()),
    "decimals": pa.array([Decimal(1), Decimal(10**38 - 1), None, Decimal(0)], pa.decimal128(38, 0)),
    "longer decimals": pa.array([Decimal(1), Decimal(10**70), None, Decimal(0)], pa.decimal256(76, 0)),
    "halves": pa.array([1.5, float("inf"), None, -0.0], pa.float16()),
    "nothing": pa.nulls(4),
    "true or false": pa.array([True, False, None, True]),
    "JSON": pa.ExtensionArray.from_storage(pa.json_(), pa.array(['{"a": 1}', "7", None, "[]"])),
    "an extension": pa.ExtensionArray.from_storage(pa.bool8(), pa.array([1, 0, None, 1], pa.int8())),
}
READ = {
    "customer_id": set(TYPES) - {"lists", "lists of one length", "structs", "maps", "a zone that is none", "longer decimals", "nothing"},
    "time": {"milliseconds", "nanoseconds", "a zone", "an offset", "dates"},
    "amount": {"bytes", "a dictionary", "unsigned", "decimals", "halves", "JSON", "an extension"},
}
FIELDS = {
    **{name: {} for name in ("customer_id", "time", "amount", "province", "currency", "order_id", "category")},
    "unmapped": {},
    "x": {"orders.where": "x IS NOT NULL OR amount > 2"},
    "y": {"orders.where": "y > 0"},
    "z": {"orders.refund": "z = 7"},
    "w": {"orders.columns.amount": "w * 2"},
}


def write(folder, field, values):
    columns = {"customer_id": pa.array(list("abcd")), "time": pa.array(["2026-06-01"] * 4), "amount": pa.array([1.5, 2, 3, 4])}
    parquet.write_table(pa.table({**columns, field: values}), folder / "orders.parquet")
    return folder / "orders.parquet"


def read(path, changes, terms):
    config = data_of({"orders.path": str(path), "max_reject_share": 1.0, **changes})
    try:
        return read_tables(parse(FilesSettings, config), LAUNCH, seed=1, terms=terms).tables
    except InputError as error:
        return error.problems


def both(path, changes):
    """Read as the kernel does and at once, compare, and give the tables or the problems."""
    streamed, at_once = read(path, changes, TERMS), read(path, changes, None)
    if isinstance(streamed, tuple) or isinstance(at_once, tuple):
        assert streamed == at_once
        return streamed
    assert streamed.reads == at_once.reads
    columns = at_once.rejects.columns
    assert_frame_equal(streamed.rejects.sort(columns), at_once.rejects.sort(columns))
    assert_frame_equal(streamed.orders.aggregate.frame, summarize_frame(at_once.orders.single(), TERMS).frame)
    return at_once


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("name", TYPES)
@pytest.mark.slow
def test_each_type_in_each_place_is_as_when_read_at_once(name, field, tmp_path, monkeypatch):
    monkeypatch.setattr(shop_orders, "KERNEL_ROWS", 0)
    both(write(tmp_path, field, TYPES[name]), FIELDS[field])


@pytest.mark.parametrize("name", slow_but(TYPES, "lists", "dates", "unsigned"))
def test_each_type_is_read_or_rejected_or_told(name, tmp_path, monkeypatch):
    monkeypatch.setattr(shop_orders, "KERNEL_ROWS", 0)
    for field, readable in READ.items():
        found = both(write(tmp_path, field, TYPES[name]), {})
        assert isinstance(found, tuple) is (name not in readable), (field, found)
        if isinstance(found, tuple):
            assert any(field in problem for problem in found)
        else:
            assert found.reads["orders"]["kept"] + found.rejects.height == 4
            assert 0 < found.rejects.height < 4


@pytest.mark.slow
@pytest.mark.parametrize("fewest", [0, 10**9])
@pytest.mark.parametrize("field", ["customer_id", "time", "amount", "currency", "x"])
@pytest.mark.parametrize("name", TYPES)
def test_each_type_in_each_place_through_the_command(name, field, fewest, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(shop_orders, "KERNEL_ROWS", fewest)
    write(tmp_path, field, TYPES[name])
    ways = [f"data.{key}={value!r}" for key, value in FIELDS[field].items()]
    ways += [f"out={tmp_path}/results", f"data.orders.path={tmp_path}/orders.parquet", "data.max_reject_share=1", "ledger.use=false"]
    code = exit_code("launch", "data=files", "launch.as_of=2026-07-01", "tracking=none", *ways)
    said = capfd.readouterr().err
    assert code in (0, 2)
    assert code == 0 or "data.orders" in said or "orders: " in said
    assert "Traceback" not in said


@pytest.mark.slow
@pytest.mark.parametrize(("name", "field", "fewest"), [("lists", "amount", 10**9), ("dates", "time", 0)])
def test_a_type_through_the_command(name, field, fewest, tmp_path, monkeypatch, capfd):
    test_each_type_in_each_place_through_the_command(name, field, fewest, tmp_path, monkeypatch, capfd)


def test_ids_of_different_types_in_two_files_are_the_same_customers(tmp_path):
    for number, (name, values) in enumerate({"text": pa.array(["7"] * 4), "bytes": pa.array([b"7"] * 4)}.items()):
        write(tmp_path, "customer_id", values).rename(tmp_path / f"{number}-{name}.parquet")
    assert set(read(tmp_path, {}, None).orders.single()["customer_id"]) == {"7"}
