from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segmenter.evaluation import fission_runs
from segmenter.evaluation.fission_runs import BROUGHT, CALLED, COST, NEW, SALES, Buyers, Draws, World, run_forward
from segmenter.evaluation.past_bringing import share_by_day

DAYS, RUNS = 14, 12
NONE = (np.zeros(0, np.int64), np.zeros(0), True)
SHARES = (np.arange(1, 40), np.arange(1, 40) / 100, True)  # each friend is worth as much as the one before
NOBODY = Buyers(np.zeros((1, 4), np.int64), *(np.zeros(0, np.int64) for _ in range(3)), np.zeros(0, np.int32), np.zeros(0, np.int64))


def world(seed, people=30, places=1_000):
    chance = np.random.default_rng(seed)
    ties = np.sort(chance.integers(0, people, 4 * people))
    called = np.sort(chance.choice(people, people // 2, replace=False))
    every = np.ones(people + 2)
    return World(
        called=called,
        call_day=chance.integers(0, 5, len(called)),
        group=np.zeros(len(called), np.int64),
        join_bin=np.zeros(len(called), np.int64),
        gift=0,
        gifts=np.zeros(1, np.int64),
        lags=np.array([0, 1]),
        places=np.array([places]),
        offsets=np.searchsorted(ties, np.arange(people + 1)),
        targets=chance.integers(0, people, len(ties)).astype(np.int32),
        chances=chance.uniform(0, 0.4, len(ties)),
        open=np.ones(people, bool),
        others=np.arange(people),
        shapes=every,
        scales=0.2 * every,
        orders=10_000 * every,
        spends_like=np.zeros(people + 2, np.int64),
        fatigue=share_by_day(0.7, DAYS),
        most=1_000,
    )


def draws(response=1.0, others=0.0, runs=RUNS):
    every = np.ones(runs)
    return Draws(
        0.5 * every[:, None], every, others * every, others * every, 0.5 * every, response * every, np.zeros(runs, np.int64), every
    )


def run(made, drawn, tier=NONE, buyers=NOBODY, pull=0.01):
    return run_forward(made, buyers, drawn, *tier, np.full(len(made.orders), pull), DAYS, 7)


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.integers(1, 20))
def test_no_group_holds_more_than_it_has_places_and_members_add_up(seed, places):
    by_day, generations, turned = run(world(seed, places=places), draws(others=2.0), SHARES)
    members = by_day[..., [CALLED, BROUGHT]].sum(axis=(1, 2))
    assert (members <= places).all()
    assert (generations.sum(axis=1) == members).all()
    assert (generations[:, 0] == by_day[..., CALLED].sum(axis=1)).all()
    assert (turned[members < places] == 0).all()


@settings(max_examples=15)
@given(st.integers(0, 10_000))
def test_without_rewards_nothing_is_paid_and_people_respond_to_nothing(seed):
    made = world(seed)
    few, many = (run(made, draws(response, others=1.0)) for response in (0.0, 3.0))
    assert few[0][..., COST].sum() == 0
    # Others are thinned from as many as the highest response might bring: by chance they are the same people only without any.
    few, many = (run(made, draws(response)) for response in (0.0, 3.0))
    assert all((one == other).all() for one, other in zip(few, many, strict=True))


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.floats(0, 50), st.floats(0, 50))
def test_whoever_responds_more_brings_no_fewer_in_the_same_run(seed, one, other):
    made = world(seed)
    less, more = (run(made, draws(response), SHARES)[0][..., [CALLED, BROUGHT]].sum(axis=(1, 2)) for response in sorted((one, other)))
    assert (less <= more).all()


def test_every_run_is_the_same_whatever_runs_beside_it(monkeypatch):
    made = world(3)
    whole = run(made, draws(others=1.0, runs=40), SHARES)
    part = run(made, draws(others=1.0, runs=5), SHARES)
    assert all((one[:5] == other).all() for one, other in zip(whole, part, strict=True))
    monkeypatch.setattr(fission_runs.os, "cpu_count", lambda: 1)
    assert all((one == other).all() for one, other in zip(whole, run(made, draws(others=1.0, runs=40), SHARES), strict=True))


def test_the_levels_reached_are_paid_on_their_day():
    """Somebody who joins for certain brings two for certain, for 30 % and then 40 % of an order of 100."""
    made = replace(
        world(0, people=3),
        **{"called": np.array([0]), "call_day": np.array([1]), "group": np.zeros(1, np.int64), "join_bin": np.zeros(1, np.int64)},
        **{"offsets": np.array([0, 2, 2, 2]), "targets": np.array([1, 2], np.int32), "chances": np.ones(2), "lags": np.zeros(1, np.int64)},
        gift=500,
        gifts=np.array([0, 0, 70, 0]),
    )
    sure = replace(draws(), join=np.ones((RUNS, 1)))
    by_day, generations, _ = run(made, sure, (np.array([1, 2]), np.array([0.3, 0.4]), True), pull=0.3)
    brought = by_day[..., BROUGHT].sum(axis=1)
    assert set(brought) <= {0, 1, 2}
    assert brought.max() == 2
    assert (by_day[..., COST].sum(axis=1) == 500 + np.array([0, 3_000, 4_070])[brought]).all()
    assert (by_day[:, 1, CALLED] == 1).all()
    assert (by_day[:, :2, BROUGHT] == 0).all()
    assert (generations[:, 1] == brought).all()
    amounts = run(made, sure, (np.array([2]), np.array([2_500.0]), False))[0][..., COST].sum(axis=1)
    assert set(amounts) <= {500, 3_070}


def test_members_buy_from_joining_on_and_new_customers_from_their_first_day():
    buyers = Buyers(
        np.array([[0, 1, 1, 1]]), np.array([0]), np.array([2]), np.array([100]), np.array([100, 113], np.int32), np.array([70, 5])
    )
    sure = replace(draws(), join=np.ones((RUNS, 1)), level=np.full(RUNS, 2.0))
    made = world(1)
    by_day, *_ = run(
        replace(made, scales=0 * made.scales, chances=0 * made.chances, call_day=np.zeros(15, np.int64), lags=np.zeros(1, np.int64)),
        sure,
        buyers=buyers,
    )
    assert (by_day[:, 0, SALES] == 15 * 140).all()
    assert (by_day[:, 13, SALES] == 15 * 10).all()
    later, *_ = run(
        replace(made, scales=0 * made.scales, chances=0 * made.chances, call_day=np.ones(15, np.int64), lags=np.zeros(1, np.int64)),
        sure,
        buyers=buyers,
    )
    assert (later[..., SALES].sum(axis=1) == 15 * 10).all()


@pytest.mark.parametrize(("shape", "mean"), [(0.3, 2.0), (1.0, 0.5), (7.0, 3.0)])
def test_numbers_of_new_customers_are_gamma_poisson(shape, mean):
    made = replace(
        world(2, people=200),
        chances=np.zeros(800),
        shapes=np.full(202, shape),
        scales=np.full(202, mean / shape),
        call_day=np.zeros(100, np.int64),
    )
    sure = replace(draws(0.0, runs=200), join=np.ones((200, 1)), new=np.ones(200))
    new = run(replace(made, lags=np.zeros(1, np.int64)), sure)[0][..., NEW].sum(axis=1)
    usual = mean * 100 * (DAYS - 1) / DAYS  # who joined today brings from tomorrow on
    spread = (usual + usual**2 / 100 / shape) ** 0.5
    assert abs(new.mean() - usual) < 4 * spread / 200**0.5 + 0.02 * usual
    assert 0.8 < new.std() / spread < 1.2
