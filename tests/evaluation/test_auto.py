from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from marks import slow_but

import segmenter
from segmenter.errors import InputError
from segmenter.evaluation.auto import CHOICES, Trial, choose, fit_auto, mean_shares, rank, try_choices, usual
from segmenter.evaluation.backtest import backtest
from segmenter.evaluation.chance import outcome_of
from segmenter.evaluation.comparison import BUCKETS, assign_buckets
from segmenter.evaluation.gains import top_count
from segmenter.measures.past import past_of
from segmenter.report.ranking_words import choice_sentence
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
    return past_of(small_shop, UNTIL, 90, None, 30)


def made_trials(shares, dates=3, spenders=800, spend=100):
    """Make trials after which a tenth of the customers spent the same each, and each choice held its share of them."""
    names = list(CHOICES)
    ids = pl.Series([f"C{number}" for number in range(10 * spenders)])
    later = np.where(np.arange(10 * spenders) < spenders, spend, 0)
    bucket = assign_buckets(ids, 0)
    trials = []
    for number in range(dates):
        held = np.zeros((len(names), BUCKETS), np.int64)
        for name, share in shares.items():
            np.add.at(held[names.index(name)], bucket[: round(share * spenders)], 3 * spend)
        trials.append(Trial(UNTIL - timedelta(days=30 * number), held, outcome_of(ids, later, later > 0, 0)))
    return trials


def made(choice, low=0.3, high=0.6):
    return made_trials(dict.fromkeys(CHOICES, low) | {choice: high})


def trying(monkeypatch, trials):
    left = list(trials)
    monkeypatch.setattr("segmenter.evaluation.auto._try_launch", lambda *_: left.pop(0) if left else None)


@pytest.mark.slow
def test_the_trials_of_a_shop(past):
    auto, frame = fitted(past)
    cuts = [UNTIL - timedelta(days=days) for days in (30, 60)]
    assert auto.trials.select("cut", "choice").rows() == [(cut, choice) for cut in cuts for choice in CHOICES]
    # One of the shares by hand: what the first by spend went on to spend.
    then = past.measures(cuts[1])
    later = past.later(then["customer_id"], cuts[1], 30)
    spend = later["spend"].to_numpy()
    order = np.argsort(-BY_SPEND.values(then), kind="stable")
    expected = [spend[order[: top_count(len(order), top)]].sum() / spend.sum() for top in (5, 10, 20)]
    assert auto.trials.filter(cut=cuts[1], choice="spend")["share"].item() == pytest.approx(np.mean(expected))
    assert mean_shares(auto.trials) == pytest.approx({name: auto.trials.filter(choice=name)["share"].mean() for name in CHOICES})
    bought = [set(past.timeline.between(cut, cut + timedelta(days=30)).filter(pl.col("orders") > 0)["customer_id"]) for cut in cuts]
    known = [set(past.measures(cut)["customer_id"]) for cut in cuts]
    assert auto.buyers == len(bought[0] & known[0] | bought[1] & known[1])
    assert auto.warnings == ()
    assert auto.values(frame.select(auto.columns)).tobytes() == auto.values(frame).tobytes()
    assert auto.values(frame.head(0)).tolist() == []


@pytest.mark.slow
@pytest.mark.parametrize("choice", slow_but(CHOICES, *list(CHOICES)[:2], *list(CHOICES)[-2:]))
def test_a_blend_is_the_mean_of_the_ranks(past, choice, monkeypatch):
    trying(monkeypatch, made(choice))
    auto, frame = fitted(past, scoring__trees=5)
    assert (auto.choice, tuple(auto.parts)) == (choice, CHOICES[choice])
    assert auto.expects_money == ("learned" in auto.parts)
    values = auto.values(frame)
    if len(auto.parts) == 1:
        assert values.tolist() == auto.parts[choice].values(frame).tolist() == auto.expected_spend(values).tolist()
        return
    learned = auto.parts["learned"].values(frame)
    ranks = [pl.Series(part.values(frame)).rank("average").to_numpy() for part in auto.parts.values()]
    np.testing.assert_allclose(values, sum(ranks) / 2 / frame.height - 0.5 / frame.height, rtol=1e-12)
    # The money is that of the learned part, in the order of the blend.
    money = auto.expected_spend(values)
    assert money.sum() == pytest.approx(learned.sum())
    order = np.argsort(values, kind="stable")
    assert (np.diff(money[order]) >= 0).all()
    assert money[order[-1]] == learned.max()
    # Others are put among those it was fitted on.
    some = frame.sample(20, seed=1).sort("customer_id")
    assert auto.values(some).tolist() == values[frame["customer_id"].is_in(some["customer_id"].implode()).to_numpy()].tolist()


def test_noise_changes_nothing():
    assert usual(30) == usual(60) == "blend_60d"
    assert (usual(90), usual(365)) == ("blend_120d", "blend_365d")
    assert choose(made_trials(dict.fromkeys(CHOICES, 0.5)), 30, 1) == "blend_60d"
    # A gain of a tenth by four customers is none; by forty it is one.
    assert choose(made_trials(dict.fromkeys(CHOICES, 0.5) | {"spend": 0.55}, spenders=80), 30, 1) == "blend_60d"
    assert choose(made_trials(dict.fromkeys(CHOICES, 0.5) | {"spend": 0.55}), 30, 1) == "spend"
    # Of equals the simplest.
    assert choose(made_trials(dict.fromkeys(CHOICES, 0.5) | {"decayed_30d": 0.6, "learned": 0.6}), 30, 1) == "decayed_30d"


@given(st.permutations(range(60)), st.lists(st.integers(-50, 10_000), min_size=60, max_size=60))
def test_the_order_of_the_trials_and_of_the_rows_does_not_matter(order, spend):
    ids = pl.Series([f"C{number:02}" for number in range(60)])
    later = np.array(spend)
    if later.sum() <= 0:
        return
    values = {name: np.roll(np.arange(60.0), shift) for shift, name in enumerate({part for parts in CHOICES.values() for part in parts})}

    def trial(rows):
        outcome = outcome_of(ids[rows], later[rows], later[rows] > 0, 3)
        return try_choices(UNTIL, {name: value[rows] for name, value in values.items()}, assign_buckets(ids[rows], 3), later[rows], outcome)

    one, other = trial(list(range(60))), trial(list(order))
    assert one.held.tolist() == other.held.tolist()
    assert all(row.sum() >= 0 for row in one.held) or min(spend) < 0
    assert choose([one, other, one], 30, 1) in CHOICES


def test_what_cannot_be_told_is_said(past, monkeypatch):
    def warned(trials):
        trying(monkeypatch, trials)
        auto, _ = fitted(past, scoring__trees=1)
        return auto.choice, [warning.code for warning in auto.warnings], auto.buyers

    assert warned(made("spend", 0.1, 0.11)) == ("decayed", ["evaluation.auto_below_chance"], 800)
    assert warned(made("spend")) == ("spend", [], 800)
    few = made_trials(dict.fromkeys(CHOICES, 0.3) | {"spend": 0.9}, spenders=40)
    assert warned(few) == ("blend_60d", ["evaluation.auto_few_buyers"], 40)
    some = made_trials(dict.fromkeys(CHOICES, 0.15), spenders=60)
    assert warned(some) == ("blend_60d", ["evaluation.auto_like_chance"], 60)


@pytest.mark.slow
def test_short_histories_are_said(past):
    first = past.timeline.span[0]
    empty = past.before(first + timedelta(days=50))
    auto, _ = fitted(empty)
    assert (auto.choice, len(auto.warnings), auto.trials.height) == ("decayed", 1, 0)
    short = past.before(first + timedelta(days=75))
    auto, frame = fitted(short)
    assert (auto.choice, len(auto.warnings), auto.trials.height) == ("blend_60d", 1, 0)
    assert len(np.unique(auto.values(frame))) > 50
    # One trial is enough.
    assert fitted(past.before(first + timedelta(days=130)))[0].warnings == ()
    with pytest.raises(InputError, match="needs the shop's past"):
        rank(frame, segmenter.launch_settings({"scoring": "learned"}).scoring, None, horizon_days=30, seed=1)


def test_each_choice_has_its_words():
    means = dict(zip(CHOICES, np.linspace(0.2, 0.5, len(CHOICES)).tolist(), strict=True))
    for lang in ("en", "zh"):
        said = {choice_sentence(name, means, trials, lang, 800) for name in CHOICES for trials in (0, 3)}
        assert len(said) == 2 * len(CHOICES)
        assert "decayed_365d" in choice_sentence("learned", means, 3, lang)  # the best of its kind


@pytest.mark.slow
def test_a_shop_of_one_customer():
    settings = segmenter.launch_settings({"launch.as_of": "2026-07-01", "scoring": "auto", "scoring.trees": 5})
    orders = pl.DataFrame(
        {"customer_id": "a", "time": [f"2026-{month:02}-{day:02}" for month in range(1, 7) for day in (3, 17)], "amount": 5}
    )
    tables = segmenter.canonical_tables({"orders": orders}, settings.data, settings.launch)
    plan = segmenter.plan_launch(tables, settings)
    assert plan.invite_list["customer_id"].to_list() == ["a"]
    assert (plan.ranking.choice, plan.ranking.trial_cuts, plan.ranking.trial_buyers) == ("blend_60d", 3, 1)


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
