import numpy as np
import polars as pl
import pytest

from segmenter.spread import make_graph
from segmenter.spread.reach_sets import ReachSets

PROFILES = {
    "few": [1.0, 0.7, 0.2],
    "many alike": [1 / 40] * 40,
    "falling": [1 / (2 + place) for place in range(60)],
    "none up to the last": [1e-4] * 30 + [1e-9],
    "all but certain, again and again": [0.999] * 80 + [0.3] * 20,
    "certain beside others": [1.0] * 20 + [0.5] * 20 + [0.05] * 20,
}


@pytest.mark.parametrize("profile", PROFILES)
def test_each_edge_brings_by_its_chance_whatever_the_others_do(profile):
    chances, count = np.array(PROFILES[profile]), 40_000
    names = [f"{place:03}" for place in range(len(chances))]
    graph = make_graph(pl.DataFrame({"from_id": names, "to_id": "z", "chance": chances}))
    sets = ReachSets(graph, (graph.people == "z").cast(pl.Float64).to_numpy(), 7)
    sets.grow(count)
    there = np.zeros((count, len(names)), dtype=bool)
    member = sets.members < len(names)  # z is the last
    there[np.repeat(np.arange(count), np.diff(sets.starts))[member], sets.members[member]] = True
    assert np.bincount(sets.members, minlength=len(names) + 1)[-1] == count
    for first, last, alone in [(chances, chances, there), (chances[:-1], chances[1:], there[:, :-1] & there[:, 1:])]:
        expected = first * (last if first is not last else 1)
        error = np.sqrt(expected * (1 - expected) / count)
        assert (np.abs(alone.mean(axis=0) - expected) <= 5 * error + 2 / count).all()


def test_who_counts_for_more_is_drawn_for_in_proportion():
    values = np.array([0, 3, 0, 0, 1, 1e-3, 5, 0])
    sets = ReachSets(
        make_graph(pl.DataFrame(schema={"from_id": pl.String, "to_id": pl.String, "chance": pl.Float64}), pl.Series([*"abcdefgh"])),
        values,
        1,
    )
    sets.grow(10_000)
    assert np.bincount(sets.members, minlength=8) == pytest.approx(10_000 * values / values.sum(), abs=200)  # four standard errors
