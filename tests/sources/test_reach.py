"""How customers can be reached, without a contact of theirs."""

import polars as pl
import pytest

import segmenter
from segmenter.errors import InputError
from segmenter.evaluation.as_of import launch_snapshot
from segmenter.sources.reach import means_of, read_reach
from segmenter.tables import REACH

LAUNCH = segmenter.launch_settings({}).launch


def reach(known=None, **columns):
    count = len(next(iter(columns.values())))
    frame = pl.DataFrame({"customer_id": [f"C{at}" for at in range(count)], "name": None, **columns}, strict=False)
    frame = frame.with_columns(pl.exclude("customer_id").cast(pl.String))
    return read_reach(frame, LAUNCH, pl.Series(known or [True] * count))


@pytest.mark.parametrize(
    ("column", "means"),
    [
        *((name, "phone") for name in ("手机号", "联系电话", "phone", "mobilePhone", "Tel.", "微信手机号", "收货人电话")),
        *((name, "wechat") for name in ("微信", "WeChat ID", "wx_id")),
        *((name, "email") for name in ("E-mail address", "email", "QQ邮箱")),
        *((name, "other") for name in ("QQ", "旺旺", "WhatsApp")),
        *((name, "nobody") for name in ("收货地址", "收货人", "name", "昵称", "微信昵称", "Fax", "身份证号")),
        *((name, None) for name in ("联系方式", "contact", "remark")),
    ],
)
def test_a_column_says_by_what_its_customers_are_reached(column, means):
    assert means_of(column) == means


def test_each_kind_of_contact_is_a_yes_or_no():
    read, _ = reach(
        phone=["13800138000", "02885551234", "+85251234567", "12", None, None],
        wechat=["wx_1", "无", None, "0", "lily_88", None],
        email=[None, "a@b.cn", "none", "x", None, None],
        地址=["四川成都"] * 6,
    )
    assert read.drop("customer_id").schema == REACH
    yes = [[name for name, value in row.items() if value is True] for row in read.to_dicts()]
    assert yes == [["has_mobile", "has_wechat"], ["has_landline", "has_email"], ["has_foreign_phone"], [], ["has_wechat"], []]


def test_a_column_of_any_contact_is_read_value_by_value():
    read, found = reach(联系方式=["13800138000", "a@b.cn", "加微信 lily_88", "老板不在", None])
    yes = [[name for name, value in row.items() if value is True] for row in read.to_dicts()]
    assert yes == [["has_mobile"], ["has_email"], ["has_other_contact"], [], []]
    assert [(finding.level, finding.message.facts["invalid"]) for finding in found] == [("note", 0)]


def test_customers_with_one_phone_have_one_number_however_it_is_written():
    read, found = reach(
        mobile=["13800138000", "+86 138 0013 8000", None, "13900139000", "12", None],
        tel=[None, "02885551234", "02885551234", "02885551234", None, None],
    )
    one, other, *rest = read["shared_phone"]
    assert one == other is not None
    assert rest == [None] * 4  # the second and the fourth have mobiles of their own
    (count,) = [finding.message.facts for finding in found if finding.message.code == "input.phones_shared"]
    assert count == {"customers": 2, "phones": 1, "most": 2, "way_out": ""}


def test_what_phones_are_is_counted_without_any_of_them():
    _, found = reach(phone=["13800138000"] * 10 + ["555-0234"] * 3 + ["x12", "13800138000"], known=[True] * 14 + [False])
    counts, shared = found
    assert counts.level == "warning"
    assert {name: counts.message.facts[name] for name in ("mobile", "invalid")} == {"mobile": 10, "invalid": 4}
    assert str(counts.message.facts["example"]) == ", such as 999-9999"
    assert (shared.level, shared.message.facts["most"]) == ("warning", 10)


def test_an_attribute_may_not_be_called_as_they_are():
    frames = {
        "orders": pl.DataFrame({"customer_id": ["a"], "time": ["2026-06-30"], "amount": [1]}),
        "customers": pl.DataFrame({"customer_id": ["a"], "phone": ["13800138000"], "has_mobile": ["yes"]}),
    }
    settings = segmenter.launch_settings(
        {"launch.as_of": "2026-07-01", "data.customers.contact": ["phone"], "data.customers.attributes": ["has_mobile"]}
    )
    with pytest.raises(InputError, match=r"data\.customers\.attributes: has_mobile"):
        segmenter.canonical_tables(frames, settings.data, settings.launch)


def test_an_applicant_with_the_phone_of_a_customer_is_no_other_call():
    frames = {
        "orders": pl.DataFrame({"customer_id": ["a", "b"], "time": ["2026-06-30"] * 2, "amount": [1, 2]}),
        "customers": pl.DataFrame({"customer_id": ["a", "b"], "phone": ["13800138000", None], "joined": None}),
        "applicants": pl.DataFrame({"customer_id": ["n", "m"], "phone": ["+86 13800138000", "13900139000"], "time": "2026-06-29"}),
    }
    contacts = {"data.customers.contact": ["phone"], "data.applicants.contact": ["phone"]}
    settings = segmenter.launch_settings({"launch.as_of": "2026-07-01", "rules.applicants": "keep", **contacts})
    tables = segmenter.canonical_tables(frames, settings.data, settings.launch)
    verdicts = launch_snapshot(tables, settings).customers.select("customer_id", "verdict").rows()
    assert dict(verdicts) == {"a": "eligible", "b": "reachable", "m": "eligible", "n": "per_phone"}
