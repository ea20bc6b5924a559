import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmenter.errors import InputError
from segmenter.spread import cap_friends, cascade_chances, make_graph

EDGES = st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from("abcde"), st.floats(0, 1)), max_size=20)


def _frame(edges, name="chance"):
    return pl.DataFrame(edges, schema={"from_id": pl.String, "to_id": pl.String, name: pl.Float64}, orient="row")


@given(EDGES, st.randoms())
def test_the_order_of_edges_changes_nothing(edges, random):
    shuffled = random.sample(edges, len(edges))
    one, other = make_graph(_frame(edges)), make_graph(_frame(shuffled))
    assert one.people.equals(other.people)
    assert (one.sources.tolist(), one.chances.tolist(), one.offsets.tolist()) == (
        other.sources.tolist(),
        other.chances.tolist(),
        other.offsets.tolist(),
    )


def test_repeats_are_tries_of_their_own_and_nobody_brings_themselves():
    graph = make_graph(_frame([("a", "b", 0.5), ("a", "b", 0.5), ("a", "a", 1.0), ("c", "b", 0.0)]))
    assert graph.people.to_list() == ["a", "b", "c"]
    assert (graph.sources.tolist(), graph.chances.tolist()) == ([0], [0.75])


@pytest.mark.parametrize("chance", [-0.1, 1.5, float("nan"), None])
def test_a_chance_that_is_none_is_refused(chance):
    with pytest.raises(InputError, match="a → b"):
        make_graph(_frame([("a", "b", chance)]))


@given(EDGES)
def test_cascade_chances_into_a_person_are_all_of_one(edges):
    chances = cascade_chances(_frame(edges, "weight"))
    assert all(abs(total - 1) < 1e-9 for total in chances.group_by("to_id").agg(pl.col("chance").sum())["chance"])


def test_who_knows_many_brings_as_many_friends_as_they_can():
    edges = _frame([("a", "b", 0.5), ("a", "c", 0.5), ("b", "c", 0.5)])
    assert cap_friends(edges, 1)["chance"].to_list() == [0.25, 0.25, 0.5]
