"""How people write numbers."""

import polars as pl
import pytest

from segmenter.checks.written_numbers import currency_signs, notation, usual_decimal


@pytest.mark.parametrize(
    ("currency", "text", "read"),
    [
        ("CNY", "12.50", "12.50"),
        ("CNY", "￥1,250.00", "1,250.00"),
        ("CNY", "１，２５０．５０元", "1,250.50"),
        ("CNY", "人民币 5 元", "5"),
        ("CNY", "1.2万", "1.2e4"),
        ("CNY", "3亿", "3e8"),
        ("USD", "$1.5K", "1.5e3"),
        ("USD", "$.50", ".50"),
        ("USD", "($5.00)", "-5.00"),
        ("USD", "$ (5.00)", "-5.00"),
        ("USD", "US$ 5", "5"),
        ("EUR", "1\u202f250,40 €", "1'250,40"),
        ("EUR", "980,-", "980"),
        ("EUR", "500.00-", "-500.00"),
        ("EUR", "−500 euros", "-500"),
        ("EUR", "- 500", "-500"),
        ("EUR", "500.00 CR", "500.00C"),
        ("EUR", "500,00dr.", "500,00D"),
        ("CHF", "CHF 1’234.50", "1'234.50"),
        ("SEK", "kr. 5", "5"),
        ("INR", "Rs. 1,23,456.00", "1,23,456.00"),
        ("TND", "د.ت.\u200f ٤٥٫٥٠٠", "45٫500"),
        ("IRR", "۱۲۳٬۴۵۶", "123'456"),
        ("CNY", "1.5e+3", "1.5E+3"),
        *((currency, text, None) for currency, text in (("CNY", "$5"), ("CNY", "5 €"), ("USD", "HK$5"))),
        *(
            ("CNY", text, None)
            for text in ("", "-", "abc", "(5", "5)", "--5", "-(5)", "-5-", "二十", "nan", "inf", "5x", "5" + " " * 200 + "x")
        ),
        ("EUR", "1€50", None),
        ("CNY", "1 2 34", "1'2'34"),  # no groups of three: nothing reads it
    ],
)
def test_a_number_comes_into_one_notation_however_it_is_written(currency, text, read):
    assert notation(pl.Series([text, "1"]), currency).to_list() == [read, "1"]


def test_what_stands_once_and_often_comes_to_the_same_in_its_place():
    cells = ["5 元", None, "5", "x", "5 元", "(5)", "5"]
    assert notation(pl.Series("n", cells), "CNY").to_list() == ["5", None, "5", None, "5", "-5", "5"]
    assert notation(pl.Series("n", [], dtype=pl.String), "CNY").to_list() == []


def test_a_currency_is_written_by_its_code_its_signs_and_its_names():
    assert {"EUR", "€", "euro", "euros", "欧元"} <= set(currency_signs("EUR"))
    assert "$" not in currency_signs("CNY")
    assert "kr" in currency_signs("SEK")


def test_the_usual_decimal_mark_is_that_of_the_currencys_own_country():
    found = {currency: usual_decimal(currency) for currency in ("CNY", "USD", "GBP", "JPY", "TND", "IDR", "BRL", "EUR", "XOF", "???")}
    assert found == dict.fromkeys(("CNY", "USD", "GBP", "JPY"), ".") | dict.fromkeys(("TND", "IDR", "BRL"), ",") | dict.fromkeys(
        ("EUR", "XOF", "???")
    )
