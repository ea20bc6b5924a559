"""Columns that say in which currency an amount is."""

import polars as pl
import pytest

from segmenter.checks.currency_column import is_currency, judge_currency, likeliest_first, speaks_of_currency


def counts(**rows):
    return pl.DataFrame({"code": list(rows), "rows": list(rows.values())}, schema={"code": pl.String, "rows": pl.Int64})


@pytest.mark.parametrize(
    "name", ["Currency", "currency_code", "OrderCurrency", "币种", "结算币种", "Währung", "Devise", "moneda", "通貨", "Валюта"]
)
def test_names_in_many_languages(name):
    assert speaks_of_currency(name)


@pytest.mark.parametrize("name", ["concurrency", "occurrence", "memo", "country", "名称"])
def test_other_names(name):
    assert not speaks_of_currency(name)


def test_values_have_to_be_currencies():
    assert is_currency("Currency", counts(CNY=10, LAK=1), "CNY")
    assert not is_currency("Currency", counts(**{"1.25": 10, "CNY": 1}), "CNY")
    assert is_currency("x", counts(CNY=10, USD=1), "CNY")
    assert not is_currency("x", counts(ALL=10, TOP=1), "CNY")  # words
    assert not is_currency("x", counts(), "CNY")


def test_one_currency_is_silent_others_are_told_and_only_others_stop():
    assert judge_currency("Currency", counts(CNY=10), "CNY") is None
    assert judge_currency("Currency", counts(CNY=10, JPY=2), "CNY").level == "warning"
    assert judge_currency("Currency", counts(USD=10), "CNY").level == "stop"
    assert likeliest_first(["x", "Presentment Currency", "Currency"]) == ["Currency", "Presentment Currency", "x"]
