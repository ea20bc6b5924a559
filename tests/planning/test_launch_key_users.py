"""Key users by reach within a plan: who, how many where, and what stays apart from the experiment."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planning_spread import frame_of, planned, spread_of


@pytest.mark.slow
@settings(max_examples=6, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 119), st.integers(0, 119)), min_size=1, max_size=60),
    st.sampled_from(["simple", "allocated"]),
    st.sampled_from(["customer", "region"]),
    st.sampled_from([60, "all", "auto"]),
    st.integers(0, 6),
    st.randoms(use_true_random=False),
)
def test_quotas_and_sizes_hold_and_the_same_come_first_whatever_the_order(ties, kind, by, size, key_users, random):
    frame = frame_of(120)
    limits = {"kind": kind, "holdout": 0.2, "holdout_by": by, "size": size, "key_users": key_users, "smallest": 5}
    spread = spread_of(frame, ties)
    done, usual = planned(frame, spread, **limits), planned(frame, None, **limits)
    people = done.customers
    first = people.filter(wave=1)
    assert not (people["invited"] & people["held_out"]).any()
    assert first["invited"].all()
    assert (done.groups["key_users"] <= key_users).all()
    assert done.groups["size"].sum() == people["invited"].sum()
    if size == 60 or kind == "allocated":  # of all, the share to hold out is one of fewer
        assert people["invited"].sum() == usual.customers["invited"].sum()
    assert first.height <= usual.customers.filter(wave=1).height
    assert people.filter(pl.col("brings").is_not_null())["customer_id"].is_in(first["customer_id"].implode()).all()
    assert people.filter("held_out")["stratum"].null_count() == 0
    if done.spread is not None and kind == "simple":
        assert first["stratum"].null_count() == first.height
        assert sorted(first["rank"]) == list(range(1, first.height + 1))
        if by == "region":  # none is of a region that is held out as a whole
            held = people.filter("held_out")["province"].unique()
            assert not first["province"].is_in(held.implode()).any()
    shuffled = [*range(120)]
    random.shuffle(shuffled)
    again = planned(frame[shuffled], spread_of(frame[shuffled], ties[::-1]), **limits)
    assert again.customers.sort("customer_id").equals(people.sort("customer_id"))


def test_who_brings_most_comes_first_though_their_score_is_the_lowest():
    frame = frame_of(120)
    hub = frame["customer_id"][0]
    done = planned(frame, spread_of(frame, [(0, other) for other in range(30, 60)]), size=60, key_users=1, holdout=0.1)
    first = done.customers.filter(customer_id=hub).row(0, named=True)
    assert (first["invited"], first["wave"], first["rank"], first["stratum"]) == (True, 1, 1, None)
    assert first["brings"] == pytest.approx(30, rel=0.1)
    assert done.spread.added == 1
    assert any(note.code == "planning.direct_effect" for note in done.notes)
    assert done.customers["invited"].sum() == 60


def test_where_nobody_brings_anybody_the_best_advocates_stay_and_it_is_said():
    frame = frame_of(120)
    some, done, usual = (
        planned(frame, spread, size=60, key_users=3, holdout=0.1) for spread in (spread_of(frame, [(0, 31)]), spread_of(frame, []), None)
    )
    assert any(warning.code == "planning.places_left" for warning in some.warnings)
    assert some.spread.reaching == 1
    assert some.customers.filter(wave=1).height == usual.customers.filter(wave=1).height > 1
    assert set(done.customers.filter(wave=1)["customer_id"]) == set(usual.customers.filter(wave=1)["customer_id"])
    assert any(warning.code == "planning.nobody_reaches" for warning in done.warnings)
    nobody = spread_of(frame, [(0, 1)], eligible=False)
    done = planned(frame, nobody, size=60, key_users=3, holdout=0.1)
    assert done.spread is None
    assert any(warning.code == "planning.nobody_reaches" for warning in done.warnings)
    assert done.customers.filter(wave=1).height == usual.customers.filter(wave=1).height
