"""Why key users come first: whom each brings, and what others would."""

import pytest
from planning_spread import frame_of, planned, spread_of


def test_each_is_told_for_whom_they_bring_beyond_those_before():
    frame = frame_of(120)
    ties = [(1, other) for other in range(30, 60)] + [(2, other) for other in range(50, 64)]
    done = planned(frame, spread_of(frame, ties), size="all", by_region="none", key_users=5, group_capacity=200, holdout=0)
    told = done.spread.people
    one, two = (told.filter(customer_id=customer).row(0, named=True) for customer in ("c001", "c002"))
    # Blocked customers count here, too: what people are worth is said by who makes the graph.
    assert (one["order"], one["knows"], one["kind"], one["kind_column"]) == (1, 30, "clinic", "type")
    assert one["alone"] == pytest.approx(30, rel=0.02) == one["brings"]
    assert two["alone"] == pytest.approx(14, rel=0.02)
    assert two["brings"] == pytest.approx(4, abs=0.2)
    assert told["upto"].to_list() == pytest.approx(told["brings"].cum_sum().to_list())
    assert done.spread.brings.mean == pytest.approx(told["brings"].sum()) == pytest.approx(34, rel=0.02)
    assert done.spread.stop == 2
    assert done.spread.reaching == 2
    for other in done.spread.others:
        assert other.key_users == told.height
        assert other.brings <= done.spread.brings.mean + 1
        assert done.spread.brings.mean - other.brings == pytest.approx(other.more.mean)
        assert other.more.low <= other.more.mean <= other.more.high
    degree = next(other for other in done.spread.others if other.by == "degree")
    assert degree.more.mean == pytest.approx(0, abs=0.5)  # they know most, too
    assert next(other for other in done.spread.others if other.by == "score").brings == 0


@pytest.mark.slow
def test_friends_whom_nobody_knows_yet_count_as_brought_and_are_told_apart():
    frame = frame_of(60)
    done = planned(frame, spread_of(frame, [(1, 2)], friends=0.5), size="all", by_region="none", key_users=2, holdout=0)
    best = done.spread.people.row(0, named=True)
    assert best["customer_id"] == "c001"
    assert best["brings"] == pytest.approx(2.0, rel=0.05)  # c002, whose friends too, and their own
    assert best["newcomers"] == pytest.approx(1.0, rel=0.05)
