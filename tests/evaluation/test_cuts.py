from datetime import date, timedelta

import pytest

import segmenter
from segmenter.errors import ConfigError
from segmenter.evaluation.cuts import choose_cuts, sampling_of


def settings(**asked):
    return segmenter.backtest_settings({"launch.as_of": "2026-07-01"} | asked)


def days(*texts):
    return tuple(date.fromisoformat(f"2026-{text}") for text in texts)


@pytest.mark.parametrize(
    ("asked", "cuts"),
    [
        ({"backtest.cuts": ["2026-05-01", "2026-03-01", "2026-05-01"]}, days("03-01", "05-01")),
        ({"backtest.last": "2026-05-01", "backtest.first": "2026-03-15", "backtest.step_days": 20}, days("03-22", "04-11", "05-01")),
        ({"backtest.last": "2026-05-01", "backtest.first": "2026-05-01"}, days("05-01")),
        ({"backtest.first": "2026-05-01"}, days("05-02", "06-01")),
        ({"backtest.last": "2026-03-01", "backtest.max_cuts": 2}, days("01-30", "03-01")),
        ({"backtest.horizon_days": 100, "backtest.max_cuts": 1}, days("03-23")),
        ({"launch.horizon_days": 100, "backtest.max_cuts": 1}, days("03-23")),
        # A later as-of date cannot prolong the history; an earlier one shortens it.
        ({"launch.as_of": "2027-01-01", "backtest.max_cuts": 1}, days("06-01")),
        ({"launch.as_of": "2026-06-02", "backtest.max_cuts": 1}, days("05-03")),
    ],
)
def test_dates(small_shop, asked, cuts):
    assert tuple(choose_cuts(small_shop, settings(**asked))[0]) == cuts


def test_as_many_dates_as_the_history_has(small_shop):
    asked = {"backtest.step_days": 50, "backtest.max_cuts": 200, "backtest.horizon_days": 90}
    cuts, end = choose_cuts(small_shop, settings(**asked))
    first = small_shop.orders.single()["time"].min().date()
    assert (cuts[-1], end) == (date(2026, 4, 2), date(2026, 7, 1))
    assert first + timedelta(days=30) <= cuts[0] < first + timedelta(days=80)


@pytest.mark.parametrize(
    ("asked", "wrong"),
    [
        ({"backtest.cuts": ["2026-06-02", "2026-05-01", "2020-01-01", "2026-07-30"]}, ["2020-01-01", "2026-06-02", "2026-07-30"]),
        ({"backtest.last": "2026-06-30", "backtest.max_cuts": 2}, ["2026-06-30"]),
        ({"backtest.first": "2025-04-01", "backtest.last": "2025-07-01"}, ["2025-04-02", "2025-05-02"]),
        ({"backtest.first": "2026-05-01", "backtest.last": "2026-04-01"}, ["none"]),
        ({"backtest.horizon_days": 1000}, ["none"]),
        ({"launch.as_of": "2025-06-15"}, ["none"]),
    ],
)
def test_all_dates_that_are_wrong_are_named_at_once(small_shop, asked, wrong):
    with pytest.raises(ConfigError) as caught:
        choose_cuts(small_shop, settings(**asked))
    *lines, way_out = caught.value.problems
    assert [line.partition("(got ")[2].partition(")")[0] for line in lines] == wrong
    assert way_out == "choose others with backtest.cuts, or a shorter backtest.horizon_days"


@pytest.mark.slow
def test_customers_who_came_after_the_first_date_have_no_say_in_the_sample():
    assert sampling_of(settings(**{"backtest.first": "2026-01-01"})).first == date(2026, 1, 1)
    assert sampling_of(settings(**{"backtest.cuts": ["2026-05-01", "2026-03-01"]})).first == date(2026, 3, 1)
    asked = {"backtest.last": "2026-06-01", "backtest.step_days": 10, "backtest.max_cuts": 3, "backtest.horizon_days": 20}
    assert sampling_of(settings(**asked)).first == date(2026, 6, 1) - timedelta(days=40)
