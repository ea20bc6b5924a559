"""What a cell means."""

from datetime import date, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmenter.checks.number_format import NumberFormat
from segmenter.money import LARGEST, digits
from segmenter.sources import fields
from segmenter.sources.fields import as_text, decode
from segmenter.tables import NOTHING


def moment(text: str, form: str = "auto") -> datetime | None:
    found: datetime | None = fields.time(pl.Series([text]), form, "Asia/Shanghai").item()
    return found


@given(st.decimals(-10_000_000, 10_000_000, places=2, allow_nan=False), st.sampled_from(["CNY", "JPY", "KWD"]), st.sampled_from([".", ","]))
def test_an_amount_is_read_as_it_is_written(amount, currency, decimal):
    thousands = "," if decimal == "." else "."
    plain = f"{amount:,.2f}".translate(str.maketrans({",": thousands, ".": decimal}))
    sign, bare = ("-" if amount < 0 else ""), plain.removeprefix("-")
    minor = round(amount.scaleb(digits(currency)))
    for text in (
        plain,
        f" {plain} ",
        f"{currency} {plain}",
        f"{plain}{currency.lower()}",
        f"{sign}{bare}",
        *([f"({bare})"] if sign else []),
    ):
        assert fields.amount(pl.Series([text]), currency, NumberFormat(decimal)).item() == minor, text


@pytest.mark.parametrize("text", ["", "-", "abc", "12,5", "1,2,345", "1 2x", "nan", "inf", "1e30", "€5", "(1", "1.2.3", "二十"])
def test_what_is_no_amount_is_null(text):
    assert fields.amount(pl.Series([text]), "CNY", NumberFormat(".")).item() is None


def test_amounts_have_a_limit_and_numbers_of_any_type_are_read():
    assert fields.amount(pl.Series([LARGEST / 100, LARGEST / 100 + 1]), "CNY", NumberFormat(".")).to_list() == [LARGEST, None]
    for values in (pl.Series([3]), pl.Series([3.0]), pl.Series(["3"], dtype=pl.Categorical), pl.Series([b"3"])):
        assert fields.amount(values, "CNY", NumberFormat(".")).to_list() == [300]
    assert fields.amount(pl.Series([True]), "CNY", NumberFormat(".")).to_list() == [None]


@given(st.datetimes(datetime(1970, 1, 1), datetime(2200, 12, 31, 23, 59, 59)))
def test_a_time_is_read_in_every_form(time):
    second = time.replace(microsecond=0)
    for form in (
        "%Y-%m-%d %H:%M:%S",
        "%Y/%m/%d %H:%M:%S",
        "%Y-%m-%dT%H:%M:%S",
        "%Y.%m.%d %H:%M:%S",
        "%Y年%m月%d日 %H:%M:%S",
        "%Y%m%d%H%M%S",
    ):
        assert moment(second.strftime(form)) == second
    assert moment(second.strftime("%Y/%m/%d ") + f"{'下午' if second.hour > 11 else '上午'}{second:%I:%M:%S}") == second
    assert (
        moment(str(int((second - datetime(1970, 1, 1)).total_seconds()) - 8 * 3600), "epoch_s") == second if second.year > 1991 else True
    )  # summer time before
    assert moment(second.strftime("%d.%m.%Y"), "%d.%m.%Y") == second.replace(hour=0, minute=0, second=0)


@pytest.mark.parametrize("text", ["2018-02-29", "3.6.2026", "1969-12-31", "2201-01-01", "never", ""])
def test_what_is_no_time_is_null(text):
    assert moment(text) is None


def test_times_with_an_offset_come_to_the_time_zone_and_others_are_local():
    assert moment("2018-02-02T18:00:00Z") == moment("2018-02-03 02:00") == moment("2018-02-02 19:00+01:00") == datetime(2018, 2, 3, 2)
    zoned = pl.Series([datetime(2018, 2, 2, 18)]).dt.replace_time_zone("UTC")
    assert fields.time(zoned, "auto", "Asia/Shanghai").to_list() == [datetime(2018, 2, 3, 2)]
    assert fields.time(pl.Series([date(2018, 2, 3), None]), "auto", "Asia/Shanghai").to_list() == [datetime(2018, 2, 3), None]
    far = pl.Series([0, 2**31 - 1], dtype=pl.Int32).cast(pl.Date)  # no calendar has the second
    assert fields.time(far, "auto", "UTC").to_list() == [datetime(1970, 1, 1), None]


@pytest.mark.parametrize("word", [*NOTHING, " NULL ", "N/A", None])
def test_words_for_nothing_are_null_and_no_flag(word):
    assert fields.text(pl.Series([word], dtype=pl.String)).item() is None
    assert fields.flag(pl.Series([word], dtype=pl.String)).item() is False


def test_flags_are_read_in_both_languages():
    assert fields.flag(pl.Series(["是", "Yes", "1", "1.0", "√", "否", "no", "0", "maybe"])).to_list() == [True] * 5 + [False] * 3 + [None]
    assert fields.flag(pl.Series([1.0, 0.0])).to_list() == fields.flag(pl.Series([True, False])).to_list() == [True, False]


def test_currencies_are_codes_signs_or_names_and_a_sign_of_several_is_the_launchs():
    written = pl.Series(["rmb", "USD ", "￥", "$", "英镑", None])
    assert fields.currency(written, "CNY").to_list() == ["CNY", "USD", "CNY", "USD", "GBP", None]
    assert fields.currency(written, "CAD").to_list() == ["CNY", "USD", "CNY", "CAD", "GBP", None]
    assert fields.currency(written, "JPY").to_list()[2] == "JPY"
    for code in ("CNY", "JPY", "GBP", "SEK"):
        names = fields.currency_names(code)
        assert code in names
        assert fields.currency(pl.Series(names), code).unique().to_list() == [code]


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        (pl.Series([12345.0, 0.5, None]), ["12345", "0,5", None]),
        (pl.Series(["1.50", "2"]).cast(pl.Decimal(9, 2)), ["1,5", "2"]),
        (pl.Series([b"a", bytes([255])]), ["a", "ff"]),
        (pl.Series([datetime(2026, 1, 2, 3, 4, 5), None]), ["2026-01-02 03:04:05", None]),
        (pl.Series([True, None]), ["true", None]),
        (pl.Series(["x"], dtype=pl.Categorical), ["x"]),
    ],
)
def test_cells_of_any_type_are_text_as_a_person_sees_it(values, texts):
    found = values.alias("x").to_frame().select(as_text("x", values.dtype, ",")).to_series().to_list()
    assert [text and text.removesuffix(".000000") for text in found] == texts


def test_bytes_that_are_no_text_are_null_by_themselves():
    assert decode(pl.Series([b"a", bytes([255]), None])).to_list() == ["a", None, None]
