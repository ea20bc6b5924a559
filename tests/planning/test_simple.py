import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import segmenter
from segmenter.errors import InputError
from segmenter.planning import plan


def planned(rows, **overrides):
    settings = segmenter.launch_settings({f"plan.{name}": value for name, value in overrides.items()})
    schema = {
        "customer_id": pl.String,
        "verdict": pl.String,
        "score": pl.Float64,
        "province": pl.String,
        "city": pl.String,
        "spend": pl.Int64,
        "component_advocacy": pl.Float64,
        "component_engagement": pl.Float64,
    }
    return plan(pl.DataFrame(rows, schema=schema, orient="row"), settings.plan, lang="en")


def row(customer, score, province="四川", city=None, advocacy=0.0, verdict="eligible"):
    return (customer, verdict, float(score), province, city, 100, advocacy, 0.0)


def test_the_best_are_invited_ties_by_id_and_nobody_who_is_not_eligible():
    done = planned([row("a", 5), row("c", 9), row("b", 9), row("d", 99, verdict="staff")], size=2)
    assert done.customers.sort("customer_id").select("customer_id", "invited", "rank").rows() == [
        ("a", False, None),
        ("b", True, 1),
        ("c", True, 2),
        ("d", False, None),
    ]
    assert not done.warnings


def test_fewer_than_asked_for_is_a_warning_or_an_error():
    assert planned([row("a", 5)], size=3).warnings == ("1 eligible, 3 asked for (plan.size): all who are eligible are on the list",)
    with pytest.raises(InputError, match="3 are asked for, but only 1 are eligible"):
        planned([row("a", 5)], size=3, require_size=True)
    assert not planned([row("a", 5)], size="all").warnings


def test_groups_keep_to_a_region_and_key_users_are_the_best_advocates():
    rows = [row(f"s{i}", 90 - i, "四川", "成都", advocacy=float(i == 4)) for i in range(5)] + [row("y", 50, None, None)]
    done = planned(rows, size="all", by_region="city", group_capacity=3, key_users=1)
    assert done.groups.select("group", "region", "size", "key_users").rows() == [
        ("no region-1", "no region", 1, 1),
        ("四川/成都-1", "四川/成都", 3, 1),
        ("四川/成都-2", "四川/成都", 2, 1),
    ]
    waves = dict(done.customers.select("customer_id", "wave").rows())
    assert waves == {"s0": 2, "s1": 1, "s2": 2, "s3": 2, "s4": 1, "y": 1}


people = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from([None, "四川", "云南"]), st.sampled_from(["eligible", "staff"]), st.floats(0, 1)),
    min_size=1,
    max_size=40,
)


@given(people, st.integers(1, 50), st.integers(1, 7), st.integers(0, 4), st.sampled_from(["province", "city", "none"]))
def test_capacities_hold_and_nobody_better_is_left_out(people, size, capacity, key_users, by_region):
    rows = [row(f"{i:02}", score, province, None, advocacy, verdict) for i, (score, province, verdict, advocacy) in enumerate(people)]
    done = planned(rows, size=size, group_capacity=capacity, key_users=key_users, by_region=by_region)
    invited, left = done.customers.filter("invited"), done.customers.filter(~pl.col("invited") & (pl.col("verdict") == "eligible"))
    assert invited.height == min(size, sum(person[2] == "eligible" for person in people)) == done.groups["size"].sum()
    assert sorted(invited["rank"]) == list(range(1, invited.height + 1))
    assert (invited.group_by("group").len()["len"] <= capacity).all()
    assert (invited.filter(wave=1).group_by("group").len()["len"] <= key_users).all()
    assert left.is_empty() or invited.is_empty() or left["score"].max() <= invited["score"].min()
    sizes = done.groups.group_by("region").agg(pl.col("size").max() - pl.col("size").min())
    assert (sizes["size"] <= 1).all()
    if by_region == "province":
        assert (invited.group_by("group").agg(pl.col("province").n_unique())["province"] == 1).all()
    backwards = planned(rows[::-1], size=size, group_capacity=capacity, key_users=key_users, by_region=by_region)
    assert backwards.customers.sort("customer_id").equals(done.customers.sort("customer_id"))
