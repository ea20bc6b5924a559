from datetime import date

import numpy as np
import polars as pl
import pytest
from four_kinds import shop
from hypothesis import given, settings
from hypothesis import strategies as st

from segmenter.segments import MEASURES, features
from segmenter.segments.clusters import Segmenter
from segmenter.segments.drift import (
    DRIFT,
    MOVED,
    MOVES,
    SHIFTED,
    Continuation,
    count_moves,
    decile_counts,
    measure_drift,
    near_border,
    say_drift,
    share_near_border,
)


def psi(then: list[float], now: list[float]) -> tuple[float, float]:
    deciles = decile_counts(np.array([then], dtype=float).T, ["orders"])
    return measure_drift(np.array([now], dtype=float).T, np.ones(len(now), dtype=np.int64), deciles, ["orders"], {1: 5}).row(1)[1:]


def test_the_index_is_that_of_the_shares() -> None:
    then, now = [1.0] * 500 + [2.0] * 500, [1.0] * 250 + [2.0] * 750
    found, _ = psi(then, now)
    assert found == pytest.approx((0.25 - 0.5) * np.log(0.25 / 0.5) + (0.75 - 0.5) * np.log(0.75 / 0.5), rel=0.01)


def test_samples_of_one_shop_are_the_same_and_another_shop_is_not() -> None:
    frames = [features(shop(n, seed)[0]) for n, seed in ((3_000, 0), (3_000, 1), (60, 2))]
    deciles = decile_counts(frames[0], MEASURES)
    model = Segmenter(4, first_label=1, random_state=0).fit(frames[0])
    sizes = dict(enumerate(np.bincount(model.labels_)[1:].tolist(), 1))
    for frame in frames[1:]:
        drift = measure_drift(frame, model.predict(frame), deciles, MEASURES, sizes)
        assert (drift["psi"] < pl.Series([max(SHIFTED, chance) for chance in drift["chance"]])).all()
    older = frames[1].copy()
    older[:, MEASURES.index("days_since_order")] += 200
    drift = measure_drift(older, model.predict(older), deciles, MEASURES, sizes)
    assert drift.filter(pl.col("psi") >= MOVED)["measure"].to_list() == ["days_since_order"]


def test_a_warning_where_measures_have_moved_and_segments_fill_otherwise() -> None:
    def said(segment: float, spend: float) -> list[str]:
        drift = pl.DataFrame([("segment", segment, 0.01), ("spend", spend, 0.01), ("orders", 0.0, 0.01)], DRIFT, orient="row")
        made = ("spring", date(2026, 7, 1))
        return say_drift(Continuation({}, made, made, drift, 0.0, None))

    assert said(0.2, 0.2) == said(0.05, 3.0) == say_drift(None) == []
    (warning,) = said(0.2, 0.3)
    assert "segments.from=new" in warning


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=50), st.lists(st.integers(-5, 5), max_size=50))
def test_any_two_shops_have_an_index(then: list[int], now: list[int]) -> None:
    found, chance = psi(list(map(float, then)), list(map(float, now)))
    assert found >= 0
    assert 0 < chance < np.inf
    assert psi(list(map(float, then)), list(map(float, then)))[0] == pytest.approx(0)


@given(st.integers(0, 1_000))
@settings(max_examples=10, deadline=None)
def test_who_is_away_from_borders_stays_when_a_measure_changes_a_little(seed: int) -> None:
    measures = features(shop(300, seed)[0])
    model = Segmenter(5, random_state=0).fit(measures)
    near = near_border(model.predict, measures)
    random = np.random.default_rng(seed)
    place = random.integers(measures.shape[1])
    changed = measures.copy()
    changed[:, place] = np.rint(changed[:, place] * random.choice([0.9, 1.1], len(measures)))
    moved = model.predict(changed) != model.predict(measures)
    assert not (moved & ~near).any()
    assert share_near_border(model.predict, measures) == near.mean()


def test_borders_of_nobody() -> None:
    assert share_near_border(lambda rows: np.zeros(len(rows), dtype=np.int64), np.zeros((0, 6))) == 0.0


def test_everybody_of_then_and_now_is_counted_once() -> None:
    before = pl.DataFrame({"customer_id": list("abcde"), "segment": [1, 1, 2, None, 2]})
    now = pl.DataFrame({"customer_id": list("fedcb"), "segment": [1, None, None, 2, 2]})
    found = count_moves(before, now)
    assert found.schema == MOVES
    assert found.rows() == [(0, 0, 1), (1, 2, 1), (1, None, 1), (2, 0, 1), (2, 2, 1), (None, 1, 1)]
