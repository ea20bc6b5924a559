from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmenter.money import amount, digits, text, to_minor, to_units

CURRENCIES = st.sampled_from(["JPY", "CNY", "KWD"])


@given(st.decimals(0, 10**9, places=2), CURRENCIES)
def test_an_amount_in_minor_units_is_the_nearest_one(units, currency):
    exact = units * 10 ** digits(currency)
    assert abs(to_minor(float(units), currency) - exact) <= Decimal("0.5")


@given(st.lists(st.integers(-(10**12), 10**12), min_size=1), CURRENCIES)
def test_units_are_exact(minor, currency):
    frame = pl.DataFrame({"spend": minor, "orders": 1})
    written = to_units(frame, ["spend", "missing"], currency)
    assert written.columns == ["spend", "orders"]
    assert [value * 10 ** digits(currency) for value in written["spend"]] == minor


@pytest.mark.parametrize(
    ("minor", "currency", "words"),
    [(1_234_050, "CNY", "12,340"), (50, "CNY", "0.50"), (-999, "CNY", "-9.99"), (0, "CNY", "0"), (1_234, "JPY", "1,234")],
)
def test_words_have_decimals_below_ten_only(minor, currency, words):
    assert pl.DataFrame({"spend": [minor]}).select(text("spend", currency)).item() == words


@given(st.integers(-(10**12), 10**12), CURRENCIES)
def test_one_amount_is_rounded_where_decimals_are_left_out(minor, currency):
    shown = Decimal(amount(minor, currency).replace(",", ""))
    exact = Decimal(minor) / 10 ** digits(currency)
    assert abs(shown - exact) <= (Decimal("0.5") if abs(exact) >= 9 else 0)
