from itertools import combinations
from math import e

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segmenter.errors import InputError
from segmenter.spread import cascade_chances, choose_key_users, estimate_reach, make_graph

PEOPLE = "abcdefg"
EDGES = st.lists(st.tuples(st.sampled_from(PEOPLE), st.sampled_from(PEOPLE), st.sampled_from([0.1, 0.5, 1.0])), min_size=1, max_size=15)


def _graph(edges, people=PEOPLE):
    frame = pl.DataFrame(edges, schema={"from_id": pl.String, "to_id": pl.String, "chance": pl.Float64}, orient="row")
    return make_graph(frame, pl.Series([*people]))


def _reaches(graph, values):
    """Give a function that says what a set of people reaches, over all ways in which the edges may turn out."""
    targets = np.repeat(np.arange(len(graph.people)), np.diff(graph.offsets))
    edges = list(zip(graph.sources.tolist(), targets.tolist(), graph.chances.tolist(), strict=True))
    sure, open_ = [edge for edge in edges if edge[2] >= 1], [edge for edge in edges if edge[2] < 1]
    worlds = []
    for bits in range(1 << len(open_)):
        chance, there = 1.0, [edge[:2] for edge in sure]
        for number, (source, target, likely) in enumerate(open_):
            taken = bits >> number & 1
            chance *= likely if taken else 1 - likely
            there += [(source, target)] if taken else []
        reach = np.eye(len(graph.people), dtype=bool)
        for _ in graph.people:
            for source, target in there:
                reach[:, target] |= reach[:, source]
        worlds.append((chance, reach))
    return lambda chosen: sum(chance * float(values[reach[list(chosen)].any(axis=0)].sum()) for chance, reach in worlds)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(
    EDGES.filter(lambda edges: sum(edge[2] < 1 for edge in edges) <= 7),
    st.lists(st.integers(1, 4), min_size=7, max_size=7),
    st.integers(2, 8),
)
def test_within_budget_and_quotas_it_is_never_far_from_the_best(edges, costs, budget):
    graph = _graph(edges)
    values, kinds = np.arange(1.0, 8.0), ["x", "y"] * 3 + ["x"]
    people = pl.DataFrame({"person": [*PEOPLE], "value": values, "cost": costs, "kind": kinds, "eligible": [True] * 6 + [False]})
    if min(costs[:6]) > budget:
        return
    reaches, limits = _reaches(graph, values), {"x": 1, "y": 2}
    choice = choose_key_users(graph, 3, people, limits=limits, budget=budget, seed=5)
    chosen = [PEOPLE.index(person) for person in choice.chosen["person"]]

    def allowed(some):
        of_kind = [kinds[person] for person in some]
        return sum(costs[person] for person in some) <= budget and all(of_kind.count(kind) <= most for kind, most in limits.items())

    assert 6 not in chosen
    assert allowed(chosen)
    best = max(reaches(some) for size in (1, 2, 3) for some in combinations(range(6), size) if allowed(some))
    truth = reaches(chosen)
    assert truth >= (1 - 1 / e) / 2 * best
    assert abs(choice.reach - truth) <= 5 * max((choice.high - choice.low) / 2.56, 0.01 * truth)


@given(EDGES, st.integers(1, 9))
@settings(max_examples=20, deadline=None)
def test_reach_grows_with_key_users_and_the_same_are_chosen_whatever_the_order(edges, most):
    choice, again = choose_key_users(_graph(edges), most, seed=2), choose_key_users(_graph(edges[::-1]), most, seed=2)
    assert choice.chosen.equals(again.chosen)
    assert choice.chosen.height == len(set(choice.chosen["person"])) == min(most, 7)
    assert (choice.chosen["brings"] >= 0).all()
    assert 0 <= choice.guarantee <= 1


def test_it_does_not_depend_on_threads(monkeypatch):
    graph = _graph([("a", "b", 0.5), ("b", "c", 0.5), ("d", "c", 0.1), ("e", "f", 1.0)])
    choice = choose_key_users(graph, 3, seed=1)
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    alone = choose_key_users(graph, 3, seed=1)
    assert choice.chosen.equals(alone.chosen)
    assert (choice.reach, choice.guarantee) == (alone.reach, alone.guarantee)


@pytest.mark.parametrize("column", ["eligible", "value"])
def test_nobody_to_choose_or_to_reach_is_said(column):
    people = pl.DataFrame({"person": ["a"]}).with_columns(pl.lit(0).cast(pl.Boolean if column == "eligible" else pl.Float64).alias(column))
    with pytest.raises(InputError):
        choose_key_users(_graph([("a", "b", 0.5)]), 2, people, seed=1)


def test_an_empty_graph_and_one_person():
    with pytest.raises(InputError):
        choose_key_users(_graph([], ""), 2, seed=1)
    alone = choose_key_users(_graph([], "a"), 2, seed=1)
    assert alone.chosen.rows() == [("a", 1.0, 1.0)]
    assert alone.reach == alone.low == alone.high == 1


def _nethept(data_dir):
    """Give NetHEPT, where each of the d who wrote with somebody brings them with a chance of 1/d."""
    edges = pl.read_parquet(data_dir / "nethept.parquet").select(pl.all().cast(pl.String))
    one = edges.select(from_id=edges.columns[0], to_id=edges.columns[1])
    both = pl.concat([one, one.select(from_id="to_id", to_id="from_id")]).unique()
    return make_graph(cascade_chances(both), one["from_id"])


@pytest.mark.slow
def test_fifty_authors_reach_as_many_as_the_best_known(data_dir):
    graph = _nethept(data_dir)
    choice = choose_key_users(graph, 50, seed=1)
    truth = estimate_reach(graph, choice.chosen["person"], seed=9, sets=1 << 20)
    assert truth >= 955  # the best known is 965.1; the fifty with most co-authors reach 850
    assert abs(choice.reach - truth) <= 3 * (choice.high - choice.low) / 2.56


@pytest.mark.slow
def test_greedy_is_all_but_the_bound_of_the_linear_program(data_dir):
    from scipy.optimize import linprog
    from scipy.sparse import csr_array, hstack, vstack

    from segmenter.spread.reach_sets import ReachSets

    graph = _nethept(data_dir)
    nodes, count = len(graph.people), 5_000
    sets = ReachSets(graph, np.ones(nodes), 3)
    sets.grow(count)
    free = np.zeros(nodes)
    _, gains, bound = sets.choose(50, free, np.inf, np.zeros(nodes, dtype=np.int64), np.array([nodes]), by_cost=False)
    rows = np.repeat(np.arange(count), np.diff(sets.starts))
    has = csr_array((np.ones(len(rows)), (rows, sets.members)), shape=(count, nodes))
    covered = hstack([-has, csr_array((np.ones(count), (np.arange(count), np.arange(count))))])
    most = csr_array(np.r_[np.ones(nodes), np.zeros(count)][None])
    answer = linprog(np.r_[np.zeros(nodes), -np.ones(count)], vstack([covered, most]), np.r_[np.zeros(count), 50], bounds=(0, 1))
    assert 0.99 * -answer.fun <= gains.sum() <= -answer.fun + 1e-6 <= bound + 1e-6
