"""Ids that stand for nobody, and those that only look so."""

import polars as pl
import pytest

from segmenter.checks.nobody import find_nobody, is_word, no_contacts


def found(orders, asked="auto", contacts=no_contacts, names=None):
    totals = pl.DataFrame(
        {"customer_id": list(orders), "orders": list(orders.values())}, schema={"customer_id": pl.String, "orders": pl.Int64}
    )
    return find_nobody(totals, asked, contacts, names)


def others(count=40, orders=2):
    return {f"C{number:03}": 1 + number % orders for number in range(count)}


@pytest.mark.parametrize(
    "name",
    [
        "散客",
        "散客01",
        " 散 客 ",
        "Guest",
        "GUEST",
        "walk-in",
        "Walk-In Customer",
        "cash customer",
        "匿名",
        "Unknown",
        "guest@shop.example",
        "no-reply@shop.example",
        "Laufkundschaft",
        "Consumidor final",
        "client de passage",
        "ゲスト",
        "Ｇｕｅｓｔ",
        "Cliente balcão",
    ],
)
def test_words_for_nobody_in_many_languages(name):
    nobody = found({**others(), name: 1})
    assert nobody.ids == (name,)
    assert [(finding.level, finding.message.code) for finding in nobody.findings] == [("warning", "ids.nobody")]


@pytest.mark.parametrize("name", ["Guester", "august", "guest12345", "Anna Unknownova", "cash4you@example.com", "游客服务中心", "C000"])
def test_words_inside_others_are_somebody(name):
    assert not pl.DataFrame({"v": [name]}).select(is_word("v")).item()


@pytest.mark.parametrize("name", ["0", "-1", "00000", "99999999", "13800138000", "11111111111"])
def test_a_filler_with_far_more_orders_is_nobody(name):
    assert found({**others(), name: 12}).ids == (name,)


def test_a_filler_like_the_others_is_somebody():
    assert found({str(number): 1 for number in range(40)}).ids == ()  # of ids counted from 0
    assert found({f"{number:05}": 1 for number in range(40)}).ids == ()
    assert found({**others(), "9999": 2}).ids == ()
    assert found({**others(), "0": 1}).ids == ("0",)  # no other is like it


def test_many_names_phones_or_addresses_behind_one_id():
    def contacts(ids):
        return pl.DataFrame({"customer_id": ids, "column": "收货人", "different": [30 if name == "K7" else 1 for name in ids]})

    nobody = found({**others(), "K7": 35}, contacts=contacts)
    assert nobody.ids == ("K7",)
    assert "30 different values in 收货人" in nobody.findings[0].message

    def branches(ids):  # the same twelve again and again
        return contacts(ids).with_columns(different=pl.when(pl.col("customer_id") == "K7").then(12).otherwise(1).cast(pl.Int64))

    assert found({**others(), "K7": 120}, contacts=branches).ids == ("K7",)  # but by its orders
    assert found({**others(orders=9), "K7": 60}, contacts=branches).ids == ()


def test_orders_alone_name_an_id_and_keep_it_out_only_where_they_are_extreme():
    assert found({**others(), "K7": 300}).ids == ("K7",)
    likely = found({**others(), "K7": 30})
    assert likely.ids == ()
    assert [finding.message.code for finding in likely.findings] == ["ids.likely_nobody"]
    assert found({f"B{rank}": 1000 // rank for rank in range(1, 200)}).findings == ()  # a heavy tail


def test_the_name_of_a_customer_tells_too():
    names = pl.DataFrame({"customer_id": ["C001", "C002"], "name": ["零售客户", "王小明"]})
    assert found(others(), names=names).ids == ("C001",)


def test_a_list_is_taken_as_it_is():
    nobody = found({**others(), "Guest": 5}, asked=("C001", "X9"))
    assert nobody.ids == ("C001",)
    assert [(finding.level, finding.message.code) for finding in nobody.findings] == [
        ("note", "ids.asked"),
        ("warning", "ids.asked_unknown"),
    ]
    assert found({**others(), "Guest": 5}, asked=()).ids == ()
    assert found({}, asked="auto").ids == ()
