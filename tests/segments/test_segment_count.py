import numpy as np
import polars as pl
import pytest
from four_kinds import AUTO, shop

from segmenter.segments import features
from segmenter.segments.segment_count import choose


def chosen(measures, behaviour=(), **changes):
    model, why, trials = choose(measures, AUTO.model_copy(update=changes), 7, lambda model: 0.1, behaviour)
    return model, why, trials.filter("chosen")


def test_shares_of_all_customers_decide_where_the_sample_misses_someone() -> None:
    frame, _ = shop(2_000)
    shares = iter([0.01, 0.2])
    model, why, trials = choose(features(frame), AUTO, 7, lambda model: next(shares))
    asked = trials.filter(pl.col("smallest_share").is_in([0.01, 0.2]))
    assert asked.height == 2
    assert asked.filter("chosen").rows() == trials.filter("chosen").rows()
    assert asked.filter("chosen")["smallest_share"].item() == 0.2
    assert model.n_clusters == trials.filter("chosen")["k"].item()
    rejected = asked.filter(~pl.col("chosen"))["k"].item()
    assert f"{rejected} would make a segment under" in why or f", {rejected} would make" in why


@pytest.mark.slow
def test_the_past_decides_between_numbers_that_are_stable() -> None:
    frame, kind = shop(2_000)
    measures, random = features(frame), np.random.RandomState(0)
    known = np.column_stack([kind == 0, kind < 2]).astype(float)
    for dates in (1, 3):
        _, why, trial = chosen(measures, [(measures, known)] * dates)
        assert trial["foreseen"].item() > 0.9
        assert "of the differences in what customers did" in why
        assert "silhouette decides" not in why
    for behaviour in ((), [(measures, random.rand(2_000, 2))] * 1, [(measures, np.zeros((2_000, 2)))] * 2):
        model, why, trial = chosen(measures, behaviour)
        assert (model.n_clusters, trial["k"].item()) == (4, 4)
        assert "the silhouette decides" in why


def test_what_is_foreseen_is_foreseen_of_other_dates() -> None:
    measures = features(shop(2_000)[0])
    noise = [(measures, np.random.RandomState(seed).rand(2_000, 2)) for seed in range(3)]
    _, _, trials = choose(measures, AUTO, 7, lambda model: 0.1, noise)
    assert trials["foreseen"].max() < 0.002  # within a date, 4 segments would explain more of chance than none


def test_fewer_than_four_have_a_reason() -> None:
    random = np.random.RandomState(0)
    two = np.exp(np.where(np.arange(600)[:, None] % 2, 1.0, 6.0) + random.normal(0, 0.03, (600, 6)))
    model, why, _ = chosen(two)
    assert model.n_clusters == 2
    assert "would make two that hardly differ" in why or "would not surely be stable" in why


def test_segments_that_a_person_would_not_tell_apart_are_none() -> None:
    factor = np.random.RandomState(0).normal(0, 1, (600, 1))
    model, why, trials = chosen(100 + 2 * factor * np.ones(6))
    assert model.n_clusters == 1
    assert why == "1 segment: " + why.split(": ", 1)[1]
    assert "2, 3, 4, 5, 6 would make two that hardly differ" in why
    assert trials.is_empty()
