"""An address says of the place what the columns do not, and is seen nowhere."""

from datetime import date

import polars as pl
import pytest
from marks import slow_but

import segmenter
from segmenter.measures import measure
from segmenter.tables import LEVELS

ADDRESS = "四川省绵阳市涪城区临园路东段 18 号 2 栋，王小明"


def read(orders, customers=None, **overrides):
    settings = segmenter.launch_settings({"launch.as_of": "2026-07-01", "data.max_reject_share": 1, **overrides})
    frames = {"orders": pl.DataFrame({"customer_id": "a", "time": "2026-06-01", "amount": 1} | orders)}
    if customers is not None:
        frames["customers"] = pl.DataFrame({"customer_id": "a"} | customers)
    return segmenter.canonical_tables(frames, settings.data, settings.launch)


ADDRESSES = [
    ({"address": ADDRESS}, ("四川", "绵阳", "涪城区")),
    ({"address": ADDRESS, "province": "四川省"}, ("四川省", "绵阳", "涪城区")),
    ({"address": "涪城区临园路", "city": "绵阳市"}, ("四川", "绵阳市", "涪城区")),
    ({"address": "临园路 1 号", "city": "绵阳市"}, ("四川", "绵阳市", None)),  # what the city says goes with it
    ({"address": None, "city": "绵阳市"}, (None, "绵阳市", None)),
    ({"address": "N/A", "city": "绵阳市"}, (None, "绵阳市", None)),
    ({"address": "临园路 1 号"}, (None, None, None)),
    ({"address": "绵阳市涪城区", "province": "四川", "city": "成都", "district": "武侯区"}, ("四川", "成都", "武侯区")),
    ({"收货地址": ADDRESS}, (None, None, None)),
    ({"address": 12}, (None, None, None)),
    ({"address": [[ADDRESS]]}, (None, None, None)),  # lists that nobody named
]


@pytest.mark.parametrize(
    ("columns", "expected"),
    slow_but(ADDRESSES, *ADDRESSES[1:4], ADDRESSES[7]),
    ids=str,
)
def test_it_says_what_the_columns_leave_open(columns, expected):
    assert read(columns).orders.single().select(LEVELS).row(0) == expected
    assert read({}, columns).customers.select(LEVELS).row(0) == expected


@pytest.mark.parametrize("mapping", ["收货地址", "province || ' ' || 收货地址", "CONCAT_WS('/', 收货人, 收货地址)"])
def test_it_may_be_a_column_of_another_name_or_computed(mapping):
    columns = {
        "收货地址": ["绵阳涪城区 1 号", None, "绵阳市涪城区 2 号"],
        "收货人": "王小明",
        "province": "四川",
        "amount": ["1", "2", "王小明"],
    }
    tables = read(columns, **{"data.orders.columns.address": mapping})
    assert tables.orders.single().select(LEVELS).rows() == [("四川", "绵阳", "涪城区"), ("四川", None, None)]
    assert tables.rejects.select("column", "value").rows() == [("amount", "文文文")]
    frame = measure(tables, as_of=date(2026, 7, 1), half_life_days=90)
    assert frame.select(LEVELS).row(0) == ("四川", "绵阳", "涪城区")
    assert "收货地址" not in frame.columns


@pytest.mark.parametrize("key", ["attributes", "tables"])
def test_it_is_a_contact_whatever_its_column_is_called(key):
    columns = {"lieu": [ADDRESS, "绵阳市涪城区某街 2 号"], "level": "x", "customer_id": ["a", "b"]}
    asked = {"data.customers.columns.address": "lieu"}
    if key == "attributes":
        with pytest.raises(segmenter.errors.InputError, match='attributes: "lieu" is a contact by its name or by the mapping'):
            read({}, columns, **asked, **{"data.customers.attributes": ["lieu"]})
    else:
        tables = read({"note": [ADDRESS, ADDRESS], "amount": ["1", ADDRESS]}, columns, **asked)
        assert tables.customers.select(LEVELS).unique().rows() == [("四川", "绵阳", "涪城区")]
        shown = str(tables.customers.rows()) + str(tables.orders.single().rows()) + str(tables.rejects.rows())
        assert not any(part in shown for part in ("临园路", "某街", "王小明"))
