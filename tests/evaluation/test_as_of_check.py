from dataclasses import replace
from datetime import date

import polars as pl
import pytest

import segmenter
from segmenter.errors import InputError
from segmenter.evaluation.as_of_check import check_as_of

SETTINGS = segmenter.launch_settings({"launch.as_of": "2026-07-01"})


def tables(amounts, **frames):
    orders = pl.DataFrame([("a", day, amount) for day, amount in amounts.items()], schema=["customer_id", "time", "amount"], orient="row")
    frames = {name: pl.DataFrame(columns) for name, columns in frames.items()}
    return segmenter.canonical_tables({"orders": orders, **frames}, SETTINGS.data, SETTINGS.launch)


@pytest.mark.parametrize(
    ("as_of", "code"),
    [("2026-01-05", "before_orders"), ("2026-01-06", "no_order"), ("2027-03-02", None), ("2027-03-03", "old_orders")],
)
def test_a_date_must_fit_the_orders(as_of, code):
    shop = tables({"2026-01-05": -5, "2026-03-01": 5})
    if code is None:
        check_as_of(shop, date.fromisoformat(as_of))
        return
    with pytest.raises(InputError) as error:
        check_as_of(shop, date.fromisoformat(as_of))
    assert error.value.messages[0].code == f"launch.{code}"


def test_events_of_known_customers_will_do_too():
    events = {"customer_id": ["a"], "kind": ["visit"], "time": ["2027-06-01"]}
    shop = tables({"2026-03-01": 5}, customers={"customer_id": ["a"]}, events=events)
    check_as_of(shop, date(2028, 5, 1))
    with pytest.raises(InputError, match="within a year of the last order or event"):
        check_as_of(shop, date(2028, 7, 1))
    with pytest.raises(InputError, match="within a year of the last order "):
        check_as_of(replace(shop, customers=None), date(2028, 5, 1))
