import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_flow

from segmenter.planning.workload import balance


@st.composite
def shops(draw):
    kinds, agents = draw(st.integers(1, 6)), draw(st.integers(1, 5))
    serves = np.array(draw(st.lists(st.lists(st.booleans(), min_size=agents, max_size=agents).filter(any), min_size=kinds, max_size=kinds)))
    people = np.array(draw(st.lists(st.integers(0, 60), min_size=kinds, max_size=kinds)))
    return people, serves, np.array(draw(st.lists(st.integers(1, 9), min_size=agents, max_size=agents)))


def most_calls(people, serves, capacity):
    """Give how many calls can be made at all: a maximum flow."""
    kinds, agents = serves.shape
    graph = np.zeros((kinds + agents + 2, kinds + agents + 2), dtype=np.int32)
    graph[0, 1 : kinds + 1] = people
    graph[1 : kinds + 1, kinds + 1 : -1] = serves * people[:, None]
    graph[kinds + 1 : -1, -1] = capacity
    return maximum_flow(csr_array(graph), 0, kinds + agents + 1).flow_value


@given(shops())
def test_as_many_calls_by_the_end_of_each_day_as_there_can_be(shop):
    people, serves, capacity = shop
    calls = balance(*shop)
    assert (calls.sum(axis=1) == people).all()
    assert not calls[~serves].any()
    assert (calls >= 0).all()
    loads = calls.sum(axis=0)
    for day in range(1, 62):
        assert np.minimum(loads, capacity * day).sum() == most_calls(people, serves, capacity * day)
        if (loads <= capacity * day).all():
            break
    for one in range(len(capacity)):
        for other in range(len(capacity)):
            if (serves[:, one] <= serves[:, other]).all():  # the other could make each call of the one
                assert loads[one] / capacity[one] <= (loads[other] + 1) / capacity[other] + 1e-12
    assert (calls > 0).sum() <= sum(calls.shape) - 1


def test_a_flexible_agent_is_not_wasted_where_others_could_serve():
    # A chain: the one who can call all helps where nobody else can, and the others make room.
    serves = np.array([[True, True, False], [False, True, True], [False, False, True]])
    calls = balance(np.array([20, 20, 20]), serves, np.array([1, 1, 1]))
    assert calls.tolist() == [[20, 0, 0], [0, 20, 0], [0, 0, 20]]


def test_twice_the_capacity_takes_twice_the_calls_and_regions_are_parted_no_more_than_needed():
    calls = balance(np.array([30, 20, 10]), np.ones((3, 2), dtype=bool), np.array([20, 10]))
    assert calls.sum(axis=0).tolist() == [40, 20]
    assert (calls > 0).sum() <= 4
