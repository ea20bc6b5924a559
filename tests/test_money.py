from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmenter import money

CURRENCIES = st.sampled_from(["JPY", "CNY", "KWD"])
MINOR = st.integers(-money.LARGEST, money.LARGEST)


@given(MINOR, CURRENCIES)
def test_minor_units_and_currency_units_are_the_same_money(minor, currency):
    frame = money.to_units(pl.DataFrame({"spend": [minor, None]}), ["spend", "refunds"], currency)
    units = frame["spend"][0]
    assert frame["spend"].to_list() == [Decimal(minor).scaleb(-money.digits(currency)), None]
    assert money.to_minor(units, currency) == minor


@given(MINOR, CURRENCIES)
def test_an_amount_is_shown_in_whole_units_with_separators_unless_it_is_small(minor, currency):
    unit = 10 ** money.digits(currency)
    shown = Decimal(money.amount(minor, currency).replace(",", ""))
    assert abs(shown - Decimal(minor) / unit) <= (Decimal("0.5") if abs(minor) >= 10 * unit else 0)


@pytest.mark.parametrize(("amount", "minor"), [(0.125, 12), (0.135, 14), (-0.125, -12), (1e9, 10**11)])
def test_halves_go_to_the_even_neighbour(amount, minor):
    assert money.to_minor(amount, "CNY") == minor
