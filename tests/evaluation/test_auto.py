from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

import segmenter
from segmenter.errors import InputError
from segmenter.evaluation.auto import CHOICES, fit_auto, mean_shares, rank
from segmenter.evaluation.backtest import backtest
from segmenter.evaluation.gains import top_count
from segmenter.measures.past import past_of
from segmenter.scoring.spend import BY_SPEND

UNTIL = date(2026, 7, 1)


def auto_settings(**overrides):
    asked = {"scoring.trees": 20, "scoring.trials": 2} | {key.replace("__", "."): value for key, value in overrides.items()}
    return segmenter.launch_settings({"scoring": "auto", **asked}).scoring


def fitted(past, horizon=30, **overrides):
    frame = past.measures(past.until)
    return fit_auto(frame, auto_settings(**overrides), past, horizon_days=horizon, seed=1), frame


@pytest.fixture(scope="module")
def past(small_shop):
    return past_of(small_shop, UNTIL, 90, None)


def test_what_held_most_in_the_past_is_chosen(past):
    auto, frame = fitted(past)
    cuts = [UNTIL - timedelta(days=days) for days in (30, 60)]
    assert auto.trials.select("cut", "choice").rows() == [(cut, choice) for cut in cuts for choice in CHOICES]
    # One of the shares by hand: what the first by spend went on to spend.
    then = past.measures(cuts[1])
    later = past.later(then["customer_id"], cuts[1], 30)["spend"].to_numpy()
    order = np.argsort(-BY_SPEND.values(then), kind="stable")
    expected = [later[order[: top_count(len(order), top)]].sum() / later.sum() for top in (5, 10, 20)]
    assert auto.trials.filter(cut=cuts[1], choice="spend")["share"].item() == pytest.approx(np.mean(expected))
    means = {name: auto.trials.filter(choice=name)["share"].mean() for name in CHOICES}
    assert means[auto.choice] == max(means.values())
    assert mean_shares(auto.trials) == pytest.approx(means)
    assert auto.warnings == ()
    assert auto.values(frame.select(auto.columns)).tobytes() == auto.values(frame).tobytes()
    assert auto.values(frame.head(0)).tolist() == []


@pytest.mark.parametrize("choice", CHOICES)
def test_a_blend_is_the_mean_of_the_ranks(past, choice, monkeypatch):
    # What would have held most is made up.
    monkeypatch.setattr("segmenter.evaluation.auto._try_launch", lambda *_: {name: float(name == choice) for name in CHOICES})
    auto, frame = fitted(past, scoring__trees=5)
    assert auto.choice == choice
    assert set(auto.parts) == set(CHOICES[choice])
    assert auto.expects_money == (choice == "learned")
    values = auto.values(frame)
    if len(auto.parts) == 1:
        assert values.tolist() == auto.parts[choice].values(frame).tolist()
        return
    ranks = {name: pl.Series(part.values(frame)).rank("average").to_numpy() for name, part in auto.parts.items()}
    whole = sum(CHOICES[choice].values())
    expected = sum(weight * (ranks[name] - 0.5) / frame.height for name, weight in CHOICES[choice].items()) / whole
    np.testing.assert_allclose(values, expected, rtol=1e-12)
    # Others are put among those it was fitted on.
    some = frame.sample(20, seed=1)
    assert (
        auto.values(some).tolist()
        == values[frame["customer_id"].is_in(some["customer_id"].to_list()).arg_true()][
            some["customer_id"].rank().cast(pl.Int64).to_numpy() - 1
        ].tolist()
    )


def test_of_equals_the_simplest_is_chosen(past, monkeypatch):
    monkeypatch.setattr("segmenter.evaluation.auto._try_launch", lambda *_: dict.fromkeys(CHOICES, 0.5))
    assert fitted(past, scoring__trees=1)[0].choice == "decayed"


def test_short_histories_are_said(past):
    first = past.timeline.span[0]
    empty = past.before(first + timedelta(days=50))
    auto, _ = fitted(empty)
    assert (auto.choice, len(auto.warnings), auto.trials.height) == ("decayed", 1, 0)
    short = past.before(first + timedelta(days=75))
    auto, frame = fitted(short)
    assert (auto.choice, len(auto.warnings), auto.trials.height) == ("blend_learned_2", 1, 0)
    assert len(np.unique(auto.values(frame))) > 50
    # One trial is enough.
    assert fitted(past.before(first + timedelta(days=130)))[0].warnings == ()
    with pytest.raises(InputError, match="needs the shop's past"):
        rank(frame, segmenter.launch_settings({"scoring": "learned"}).scoring, None, horizon_days=30, seed=1)


def test_a_shop_of_one_customer():
    settings = segmenter.launch_settings({"launch.as_of": "2026-07-01", "scoring": "auto", "scoring.trees": 5})
    orders = pl.DataFrame(
        {"customer_id": "a", "time": [f"2026-{month:02}-{day:02}" for month in range(1, 7) for day in (3, 17)], "amount": 5}
    )
    tables = segmenter.canonical_tables({"orders": orders}, settings.data, settings.launch)
    plan = segmenter.plan_launch(tables, settings)
    assert plan.invite_list["customer_id"].to_list() == ["a"]
    assert (plan.ranking.choice, plan.ranking.trial_cuts) == ("decayed", 5)


CASES = {
    ("online_retail", 30): [date(2011, month, 1) for month in range(5, 12)],
    ("online_retail", 90): [date(2011, month, 1) for month in range(5, 10)],
    ("cdnow", 90): [date(1997, 7, 1), date(1997, 10, 1), date(1998, 1, 1), date(1998, 4, 1)],
}


@pytest.mark.slow
def test_on_real_shops_it_is_as_good_as_the_best_and_better_than_any_single_one(request):
    shares = []
    for (shop, horizon), cuts in CASES.items():
        tables = request.getfixturevalue(shop)
        as_of = max(cuts) + timedelta(days=horizon)
        settings = segmenter.backtest_settings(
            {"launch.as_of": str(as_of), "launch.horizon_days": horizon, "backtest.cuts": [str(cut) for cut in cuts]}
        )
        found = backtest(tables, settings)
        assert found.compared == tuple(cuts)
        here = (
            found.results.drop_nulls("cut").select("cut", "ranking", "spend_share_10").filter(~pl.col("ranking").is_in(["best", "random"]))
        )
        means = dict(here.group_by("ranking").agg(pl.col("spend_share_10").mean()).rows())
        assert means["auto"] >= 0.99 * max(means.values())
        shares.append(here)
    every = pl.concat(shares)
    means = dict(every.group_by("ranking").agg(pl.col("spend_share_10").mean()).rows())
    assert len(means) == 8
    assert max(means, key=means.get) == "auto"
