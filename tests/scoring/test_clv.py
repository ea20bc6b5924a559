import json
from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segmenter.errors import InputError
from segmenter.scoring.clv import fit_clv

CUT = date(1997, 9, 30)


@pytest.fixture(scope="module")
def cdnow(data_dir):
    """Purchases up to the cut, and what was spent in the 39 weeks after it, in cents."""
    rows = pl.read_parquet(data_dir / "cdnow_sample.parquet").select(
        "date", customer_id="sample_id", amount=(pl.col("amount") * 100).round().cast(pl.Int64)
    )
    day, first = pl.col("date"), pl.col("date") == pl.col("date").min()
    past = rows.filter(day <= CUT).group_by("customer_id").agg(
        repeats=day.n_unique().cast(pl.Int64) - 1,
        last_days=(day.max() - day.min()).dt.total_days(),
        known_days=(CUT - day.min()).dt.total_days(),
        repeat_spend=pl.col("amount").filter(~first).sum(),
        first_spend=pl.col("amount").filter(first).sum(),
    )  # fmt: skip
    later = rows.filter(day > CUT).group_by("customer_id").agg(later=pl.col("amount").sum())
    return past.join(later, on="customer_id", how="left").with_columns(pl.col("later").fill_null(0)).sort("customer_id")


def test_cdnow(cdnow):
    model = fit_clv(cdnow, kind="bg_nbd", unit_days=7)
    assert model.report()["purchases"]["parameters"] == pytest.approx({"r": 0.2426, "alpha": 4.4136, "a": 0.7929, "b": 2.4259}, abs=6e-5)
    assert model.report()["spend"]["parameters"] == pytest.approx({"p": 6.25, "q": 3.74, "v": 1544}, abs=0.9)
    assert {name: model.report()[name] for name in ("customers", "repeat_buyers", "refunded")} == {
        "customers": 2357,
        "repeat_buyers": 946,
        "refunded": 0,
    }
    assert model.warnings == ()
    assert json.loads(json.dumps(model.report())) == model.report()
    expected = model.expected_spend(cdnow, 39 * 7)
    top = np.argsort(-expected, kind="stable")[:236]
    assert cdnow["later"].to_numpy()[top].sum() / cdnow["later"].sum() == pytest.approx(0.502, abs=0.005)
    days = fit_clv(cdnow, kind="bg_nbd", unit_days=1)
    np.testing.assert_allclose(days.expected_spend(cdnow, 39 * 7), expected, rtol=1e-6)


def test_online_retail_where_nobody_is_seen_to_stop(data_dir):
    cut, day = date(2011, 9, 1), pl.col("date")
    days = (
        pl.read_parquet(data_dir / "online_retail.parquet", columns=["InvoiceNo", "CustomerID", "InvoiceDate", "Quantity", "UnitPrice"])
        .filter(pl.col("CustomerID").is_not_null(), ~pl.col("InvoiceNo").cast(pl.String).str.starts_with("C"))
        .group_by(pl.col("CustomerID"), pl.col("InvoiceDate").cast(pl.Date).alias("date"))
        .agg(amount=(pl.col("Quantity") * pl.col("UnitPrice") * 100).round().cast(pl.Int64).sum())
    )
    past = days.filter(day < cut).group_by("CustomerID").agg(
        repeats=day.len().cast(pl.Int64) - 1,
        last_days=(day.max() - day.min()).dt.total_days(),
        known_days=(cut - day.min()).dt.total_days(),
        repeat_spend=pl.col("amount").filter(day > day.min()).sum(),
        first_spend=pl.col("amount").filter(day == day.min()).sum(),
    )  # fmt: skip
    model = fit_clv(past, kind="bg_nbd", unit_days=7)
    told = model.report()
    assert told["kind"] == "nbd"
    assert told["purchases"]["parameters"] == pytest.approx({"r": 0.721, "alpha": 9.47}, rel=0.01)
    assert list(told["purchases"]["standard_errors"]) == ["r", "alpha"]
    json.dumps(told, allow_nan=False)
    assert "nobody is seen to stop buying" in model.warnings[0]
    assert fit_clv(past, kind="mbg_nbd", unit_days=7).warnings[0].code == "scoring.nobody_stops"
    later = days.filter(day >= cut, day < date(2011, 12, 1)).group_by("CustomerID").agg(later=pl.len())
    bought = past.join(later, on="CustomerID", how="left")["later"].fill_null(0).sum()
    expected = model.purchases.expected(past["repeats"], past["last_days"] / 7, past["known_days"] / 7, 91 / 7).sum()
    assert expected == pytest.approx(bought, rel=0.25)


def simulated(customers, seed):
    """Draw BG/NBD purchases on whole days, gamma amounts, and a refund of everything for one in ten."""
    random = np.random.default_rng(seed)
    rows = []
    for number in range(customers):
        rate, gone, level, known = random.gamma(0.8, 0.05), random.beta(0.9, 2.5), 2_000 / random.gamma(4), int(random.integers(0, 500))
        days = []
        while (day := (days[-1] if days else 0) + int(np.ceil(random.exponential(1 / max(rate, 1e-4))))) <= known:
            days.append(day)
            if random.random() < gone:
                break
        spend = int(random.gamma(3 * len(days)) * level) if days else 0
        refund = int(spend * random.choice([1, 1.5])) if random.random() < 0.1 else 0
        rows.append((f"c{number}", len(days), days[-1] if days else 0, known, spend - refund, int(random.gamma(3) * level)))
    rows.append(("only refunds", None, None, None, None, None))
    names = ["customer_id", "repeats", "last_days", "known_days", "repeat_spend", "first_spend"]
    return pl.DataFrame(rows, schema=names, orient="row")


@pytest.mark.parametrize("kind", ["bg_nbd", "mbg_nbd"])
def test_every_customer_has_a_finite_value_and_the_order_of_rows_changes_nothing(kind):
    frame = simulated(2_000, seed=1)
    model = fit_clv(frame, kind=kind, unit_days=1)
    expected = model.expected_spend(frame, 90)
    assert expected.dtype == np.float64
    assert np.isfinite(expected).all()
    assert expected[-1] == 0
    assert (expected[:-1] > 0).all()
    assert (model.expected_spend(frame, 180) >= expected).all()
    assert (model.expected_spend(frame, 0) == 0).all()
    mixed = frame.sample(fraction=1, shuffle=True, seed=2)
    again = fit_clv(mixed, kind=kind, unit_days=1)
    assert again == model
    given = dict(zip(frame["customer_id"], expected.tolist(), strict=True))
    assert again.expected_spend(mixed, 90).tolist() == [given[name] for name in mixed["customer_id"]]
    # Others than it was fitted on: the longest that a shop may have known somebody.
    many = pl.DataFrame({"repeats": [10_000], "last_days": [9_999], "known_days": [10_000], "repeat_spend": [10**12]})
    assert np.isfinite(model.expected_spend(many, 365)).all()


def test_who_was_refunded_is_expected_to_spend_less_the_more_often():
    frame = simulated(2_000, seed=1)
    model = fit_clv(frame, kind="bg_nbd", unit_days=7)
    refunded = frame.filter(pl.col("repeats") > 0, pl.col("repeat_spend") <= 0)
    assert model.counts["refunded"] == refunded.height > 20
    same = pl.DataFrame({"repeats": [3, 3, 3], "last_days": [90] * 3, "known_days": [99] * 3, "repeat_spend": [0, -5_000, 1]})
    zero, below, some = model.expected_spend(same, 30)
    assert zero == below < some
    often = model.purchases.expected([3], [90 / 7], [99 / 7], 30 / 7)[0]
    p, q = model.spend.p, model.spend.q
    assert zero == pytest.approx(often * model.spend.population_mean * (q - 1) / (3 * p + q - 1))


def test_frequent_buyers_who_spend_more_each_time_are_warned_of():
    frame = simulated(2_000, seed=1).with_columns(pl.col("repeat_spend") * pl.col("repeats"))
    assert "scoring=decayed" in fit_clv(frame, kind="bg_nbd", unit_days=7).warnings[0]
    assert fit_clv(frame, kind="bg_nbd", unit_days=7).warnings[0].code == "scoring.dependent"


def codes(model):
    return [warning.code.removeprefix("scoring.") for warning in model.warnings]


def test_where_amounts_are_equal_everybody_is_expected_to_spend_their_mean():
    frame = simulated(500, seed=1).with_columns(repeat_spend=500 * pl.col("repeats"))
    model = fit_clv(frame, kind="bg_nbd", unit_days=7)
    assert codes(model) == ["weak_spend"]
    buyers = frame.drop_nulls()
    often = model.purchases.expected(buyers["repeats"], buyers["last_days"] / 7, buyers["known_days"] / 7, 30 / 7)
    np.testing.assert_allclose(model.expected_spend(buyers, 30), 500 * often, rtol=1e-12)


def test_where_nobody_came_back_the_first_orders_say_who_spends_more():
    frame = simulated(500, seed=1).with_columns(repeats=pl.col("repeats") * 0, last_days=pl.col("last_days") * 0, repeat_spend=pl.lit(0))
    model = fit_clv(frame, kind="bg_nbd", unit_days=7)
    assert codes(model) == ["weak_times", "first_orders"]
    same_day = frame.with_columns(known_days=pl.when(pl.col("known_days").is_not_null()).then(40))
    assert (np.argsort(model.expected_spend(same_day, 30)[:-1]) == np.argsort(same_day["first_spend"].to_numpy()[:-1])).all()
    refunded = simulated(500, seed=1).with_columns(repeat_spend=-pl.col("first_spend"))
    assert "first_orders" in codes(fit_clv(refunded, kind="bg_nbd", unit_days=7))
    json.dumps(model.report(), allow_nan=False)


def test_errors_only_where_there_is_nothing_to_fit():
    frame = simulated(50, seed=1)
    with pytest.raises(InputError, match=r"customers with a purchase.*scoring=spend"):
        fit_clv(frame.clear(), kind="bg_nbd", unit_days=7)
    with pytest.raises(InputError, match="known_days: should be known"):
        fit_clv(frame.with_columns(known_days=pl.lit(None, pl.Int64)), kind="bg_nbd", unit_days=7)


@st.composite
def small_shops(draw):
    """Customers of any kind, many of them alike: one price, one rhythm, one order, thousands of orders, refunds."""
    days = draw(st.sampled_from([(1,), (400,), (30, 31), (1, 7, 90, 3_000)]))
    prices = draw(st.sampled_from([(500,), (0,), (499, 500), (1, 10**9), (-700, 0, 300, 5_000)]))
    rows = []
    for number in range(draw(st.integers(1, 12))):
        known = draw(st.sampled_from(days))
        last = draw(st.integers(0, known))
        repeats = draw(st.integers(1, last) | st.just(last)) if last else 0
        price, first = draw(st.sampled_from(prices)), draw(st.sampled_from(prices))
        rows.append((f"c{number}", repeats, last, known, repeats * price, first))
    names = ["customer_id", "repeats", "last_days", "known_days", "repeat_spend", "first_spend"]
    return pl.DataFrame(rows * draw(st.sampled_from([1, 1, 50])), schema=names, orient="row")


@settings(max_examples=60, deadline=None)
@given(small_shops(), st.sampled_from(["bg_nbd", "mbg_nbd"]), st.sampled_from([1, 7]), st.integers(1, 400), st.randoms())
def test_any_shop_has_a_ranking_and_the_order_of_rows_changes_nothing(frame, kind, unit_days, horizon, random):
    model = fit_clv(frame, kind=kind, unit_days=unit_days)
    expected = model.expected_spend(frame, horizon)
    assert np.isfinite(expected).all()
    assert (expected >= 0).all()
    mixed = random.sample(range(frame.height), frame.height)
    again = fit_clv(frame[mixed], kind=kind, unit_days=unit_days)
    assert again == model
    assert again.expected_spend(frame[mixed], horizon).tolist() == expected[mixed].tolist()
    json.dumps(model.report(), allow_nan=False)
