from dataclasses import replace
from fractions import Fraction
from functools import partial

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segmenter.errors import ConfigError, InputError
from segmenter.planning.agents import share_calls
from segmenter.planning.allocation import allocate
from segmenter.planning.constraints import Agent, Constraints, GroupLimits, Quota
from segmenter.planning.shortage import InfeasibleError
from segmenter.report.language import translate

REGIONS, LANGUAGES, LAYERS = ["四川", "云南", None], ["zh", "en"], ["expert", "newcomer", "regular"]
REACH = [f"{region} {language}" for region in REGIONS for language in LANGUAGES]
SCHEMA = {
    "customer_id": pl.String,
    "region": pl.String,
    "topic": pl.String,
    "layer": pl.String,
    "score": pl.Float64,
    "value": pl.Int64,
    "reach": pl.String,
}
OFTEN = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def people(rows):
    return pl.DataFrame(
        [
            (f"c{at:03}", region, topic, layer, float(value % 7), value, reach)
            for at, (region, topic, layer, value, reach) in enumerate(rows)
        ],
        schema=SCHEMA,
        orient="row",
    )


def shop(many, seed=0, regions=4, layers=3, topics=1):
    random = np.random.default_rng(seed)
    layer = random.choice(layers, many, p=np.arange(layers, 0, -1) / sum(range(layers + 1)))
    return pl.DataFrame(
        {
            "customer_id": [f"C{at:06}" for at in random.permutation(many)],
            "region": [f"R{at:02}" for at in random.choice(regions, many, p=random.dirichlet(np.full(regions, 3.0)))],
            "topic": [f"T{at}" for at in random.integers(0, topics, many)],
            "layer": [f"L{at}" for at in layer],
            "score": random.random(many).round(2),
            "value": (random.lognormal(8, 1.1, many) * (1 + 0.4 * layer)).astype(np.int64),
        }
    ).with_columns(reach="region")


persons = st.lists(
    st.tuples(
        st.sampled_from(REGIONS), st.sampled_from(["茶", None]), st.sampled_from(LAYERS), st.integers(0, 60), st.sampled_from(LANGUAGES)
    ).map(lambda row: (*row[:-1], f"{row[0]} {row[-1]}")),
    min_size=1,
    max_size=45,
)


@st.composite
def constraints(draw):
    smallest = draw(st.integers(1, 6))
    groups = GroupLimits(draw(st.booleans()), draw(st.booleans()), smallest, smallest + draw(st.integers(0, 6)), draw(st.integers(1, 5)))
    shares = st.sampled_from([0.0, 0.1, 0.25, 0.3, 0.34])
    quotas = tuple(Quota(layer, draw(shares), draw(st.sampled_from([0.5, 0.6, 1.0]))) for layer in LAYERS[: draw(st.integers(0, 3))])
    size = draw(st.sampled_from([None, 5, 12, 20]))
    agents = (
        Agent(draw(st.integers(0, 12)), tuple(REACH[:2])),
        Agent(draw(st.integers(0, 12)), tuple(REACH[::2])),
        Agent(draw(st.integers(0, 9)), (*REACH, None)),
    )
    return Constraints(
        groups,
        quotas=quotas,
        size_min=size if size and draw(st.booleans()) else None,
        size_max=size,
        budget=draw(st.sampled_from([None, 20, 60, 200])),
        costs={"expert": 7, "newcomer": 3, "regular": 4},
        agents=agents if draw(st.booleans()) else (),
    )


def cost(invited, limits):
    return sum(limits.costs.get(layer, 0) for layer in invited["layer"])


def violations(frame, limits, plan):
    """Everything that a plan must keep to, checked person by person."""
    wrong = []
    invited = plan.customers.filter("invited")
    wrong += ["budget"] * (limits.budget is not None and cost(invited, limits) > limits.budget)
    wrong += ["too many"] * (limits.size_max is not None and invited.height > limits.size_max)
    wrong += ["too few"] * (limits.size_min is not None and invited.height < limits.size_min)
    counted = {(group, layer): people for group, layer, people in plan.layers.rows() if people}
    wrong += ["sums"] * (counted != {(group, layer): people for group, layer, people in invited.group_by("group", "layer").len().rows()})
    wrong += ["groups"] * (plan.groups.height > limits.groups.max_groups or set(plan.groups["group"]) != set(invited["group"]))
    for _, members in invited.group_by("group"):
        wrong += ["size of group"] * (not limits.groups.min_size <= members.height <= limits.groups.max_size)
        wrong += ["regions"] * (limits.groups.by_region and members["region"].n_unique() > 1)
        wrong += ["topics"] * (limits.groups.by_topic and members["topic"].n_unique() > 1)
        for quota in limits.quotas:
            share = Fraction(members.filter(layer=quota.layer).height, members.height)
            wrong += [f"share of {quota.layer}"] * (not Fraction(str(quota.min)) <= share <= Fraction(str(quota.max)))
    if limits.agents and invited.height:
        reach = invited.group_by("reach").len()
        able = [np.flatnonzero([value in agent.reach for value in reach["reach"]]) for agent in limits.agents]
        calls = share_calls(able, [agent.capacity for agent in limits.agents], reach["len"].to_numpy().astype(np.int64))
        wrong += ["calls"] * (int(calls.sum()) != invited.height)
    for _, alike in plan.customers.group_by("region", "topic", "reach", "layer"):
        best, left = alike.filter("invited"), alike.filter(~pl.col("invited"))
        if best.height and left.height:
            wrong += ["a better one is left out"] * (max(map(rank, left.to_dicts())) > min(map(rank, best.to_dicts())))
    return wrong


def rank(person):
    return person["value"], person["score"], tuple(-ord(letter) for letter in person["customer_id"])


def untrue(limits, plan):
    """Reasons that do not hold back the person whom they are given for."""
    wrong, table = [], plan.customers
    left, invited = table.filter(~pl.col("invited")), table.filter("invited")
    wrong += ["no reason"] * (left["reason"].null_count() + invited["reason"].drop_nulls().len())
    smallest, largest = limits.groups.min_size, limits.groups.max_size
    sizes = plan.groups.join(invited.group_by("group").len("size"), on="group")
    for person in left.unique(["region", "topic", "layer", "reach"]).to_dicts():
        keys = [key for key, kept in (("region", limits.groups.by_region), ("topic", limits.groups.by_topic)) if kept]
        takes = sizes.filter(*(pl.col(key).eq_missing(pl.lit(person[key])) for key in keys))
        match person["reason"]:
            case "budget":
                price = max(limits.costs.get(person["layer"], 0), smallest * max(limits.costs.values()))
                true = limits.budget is not None and limits.budget - cost(invited, limits) < price
            case "size":
                true = limits.size_max is not None and limits.size_max - invited.height < (1 if takes.height else smallest + largest)
            case "group_full":
                true = takes.height > 0 and (takes["size"] == largest).any()
            case "layer_full":
                true = takes.height > 0 and bool(limits.quotas)
            case "agents":
                true = bool(limits.agents)
            case _:
                true = takes.height == 0
        wrong += [f"{person['reason']} for {person}"] * (not true)
    return wrong


def loosened(frame, limits, rows):
    """The constraints, and people, after the changes that were named."""
    more, groups = [], limits.groups
    for row in rows.to_dicts():
        match row["limit"]:
            case "size_min" | "size_max" | "budget" as name:
                limits = replace(limits, **{name: getattr(limits, name) + (-1 if name == "size_min" else 1) * row["amount"]})
            case "agents":
                limits = replace(limits, agents=(*limits.agents, Agent(row["amount"], (row["reach"],))))
            case "smallest":
                groups = replace(groups, min_size=max(min(groups.min_size, limits.groups.min_size - row["amount"]), 1))
            case "people":
                more += [(row["region"], row["topic"], row["layer"], 1, row["reach"])] * row["amount"]
    added = people(more).with_columns(customer_id=pl.lit("new") + pl.col("customer_id"))
    return pl.concat([frame, added.select(frame.columns)]), replace(limits, groups=groups)


@pytest.mark.slow
@OFTEN
@given(persons, constraints(), st.randoms(use_true_random=False))
def test_a_plan_keeps_to_everything_or_says_what_is_short(rows, limits, random):
    frame = people(rows)
    try:
        plan = allocate(frame, limits)
    except InfeasibleError as error:
        assert error.short.height > 0  # noqa: PT017
        mended = allocate(*loosened(frame, limits, error.short))
        assert mended.customers.height >= frame.height  # whoever was missing is there now
        for _, rows_ in error.alone.group_by("limit"):
            allocate(*loosened(frame, limits, rows_))
            if rows_["limit"][0] in {"size_min", "size_max", "budget"}:
                with pytest.raises(InfeasibleError):
                    allocate(*loosened(frame, limits, rows_.with_columns(pl.col("amount") - 1)))
        return
    except InputError as error:
        assert "can hold the quotas" in str(error)  # noqa: PT017
        return
    assert violations(frame, limits, plan) == []
    assert untrue(limits, plan) == []
    shuffled = list(range(frame.height))
    random.shuffle(shuffled)
    again = allocate(frame[shuffled], limits)
    assert again.customers.sort("customer_id").equals(plan.customers.sort("customer_id"))
    assert again.groups.equals(plan.groups)


def best_by_person(frame, limits, most):
    """The whole program, person by person and group by group: the value of the best plan."""
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import coo_array

    many, value = frame.height, frame["value"].to_numpy()
    region = frame["region"].to_list()
    groups = [(name, number) for name in sorted(set(region)) for number in range(most)]
    entries, low, high = [], [], []

    def row(columns, factors, least, largest):
        entries.extend((len(low), column, factor) for column, factor in zip(columns, factors, strict=True))
        low.append(least)
        high.append(largest)

    place = {
        (at, group): number
        for number, (at, group) in enumerate((at, group) for at in range(many) for group in groups if group[0] == region[at])
    }
    opened = {group: len(place) + at for at, group in enumerate(groups)}
    by_group = {group: [at for at in range(many) if (at, group) in place] for group in groups}
    for at in range(many):
        mine = [place[at, group] for group in groups if (at, group) in place]
        row(mine, [1] * len(mine), 0, 1)
    layer = frame["layer"].to_list()
    for group, members in by_group.items():
        columns = [place[at, group] for at in members]
        row([*columns, opened[group]], [1] * len(columns) + [-limits.groups.min_size], 0, np.inf)
        row([*columns, opened[group]], [1] * len(columns) + [-limits.groups.max_size], -np.inf, 0)
        for quota in limits.quotas:
            own = [layer[at] == quota.layer for at in members]
            row(columns, [float(mine) - quota.min for mine in own], -1e-9, np.inf)
            row(columns, [float(mine) - quota.max for mine in own], -np.inf, 1e-9)
    row(list(opened.values()), [1] * len(opened), 0, limits.groups.max_groups)
    columns = list(place.values())
    of = [at for at, _ in place]
    row(columns, [limits.costs.get(layer[at], 0) for at in of], 0, limits.budget)
    row(columns, [1] * len(columns), 0, limits.size_max)
    for agent in limits.agents:  # each serves regions of its own
        mine = [place_ for (at, _), place_ in place.items() if region[at] in agent.reach]
        row(mine, [1] * len(mine), 0, agent.capacity)
    width = len(place) + len(opened)
    tail, head, factors = zip(*entries, strict=True)
    gain = np.concatenate([value[of], np.zeros(len(opened))]).astype(float)
    found = milp(
        -gain,
        integrality=np.ones(width),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(coo_array((factors, (tail, head)), shape=(len(low), width)).tocsc(), low, high),
        options={"mip_rel_gap": 1e-5, "time_limit": 20},
    )
    return -found.mip_dual_bound if found.x is None else -found.fun


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_it_is_as_good_as_the_program_of_persons(seed):
    frame = shop(90, seed, regions=3)
    agents = (Agent(14, ("R00",)), Agent(40, ("R01", "R02")))
    quotas = (Quota("L0", 0.2, 0.6), Quota("L1", 0.25, 0.5), Quota("L2", 0.1, 0.4))
    limits = Constraints(
        GroupLimits(True, False, 6, 10, 4), quotas, size_max=34, budget=400, costs={"L0": 9, "L1": 12, "L2": 17}, agents=agents
    )
    plan = allocate(frame, limits)
    assert violations(frame, limits, plan) == []
    assert plan.customers.filter("invited")["value"].sum() >= 0.999 * best_by_person(frame, limits, most=2)


@pytest.mark.slow
def test_many_customers_near_the_bound():
    frame = shop(30_000, seed=5, regions=8, layers=5)
    quotas = tuple(Quota(f"L{at}", share, 0.6) for at, share in enumerate([0.05, 0.1, 0.15, 0.2, 0.2]))
    agents = tuple(Agent(220, (f"R{at % 8:02}", f"R{(at * 3 + 1) % 8:02}")) for at in range(12))
    costs = {f"L{at}": 500 + 200 * at for at in range(5)}
    limits = Constraints(GroupLimits(True, False, 60, 120, 25), quotas, size_max=2_400, budget=1_500_000, costs=costs, agents=agents)
    plan = allocate(frame, limits)
    assert violations(frame, limits, plan) == []
    assert plan.gap <= 0.003  # of a bound that allows fractions of groups
    again = allocate(frame.sample(fraction=1, shuffle=True, seed=1), limits)
    assert again.customers.sort("customer_id").equals(plan.customers.sort("customer_id"))
    means = plan.customers.filter("invited").group_by("region", "group").agg(pl.col("value").mean())
    strength = means.group_by("region").agg(pl.col("value").max() / pl.col("value").min())
    assert strength["value"].max() < 1.35


def test_what_is_short_in_words():
    frame = people([("四川", None, "regular", value, "zh") for value in range(30)])
    limits = Constraints(GroupLimits(True, False, 20, 25, 2), size_min=20, costs={"regular": 6_00})
    with pytest.raises(InfeasibleError) as caught:
        allocate(frame, replace(limits, quotas=(Quota("expert", 0.1, 0.5),), budget=30_00, agents=(Agent(2, ("zh",)),)))
    assert {"people", "agents"} <= set(caught.value.short["limit"])
    assert "of layer expert short" in caught.value.problems[0]
    assert "short (四川 " in caught.value.problems[0]
    assert caught.value.problems[1:] == ("plan: no single change is enough: all of these are",)
    with pytest.raises(InfeasibleError, match=r"any one of these would do: add 20 CNY to the budget \(plan.budget\)") as caught:
        allocate(frame, replace(limits, budget=100_00))
    assert caught.value.text(partial(translate, lang="zh")).count("20 CNY") == 2


def test_constraints_that_no_group_can_hold():
    with pytest.raises(InputError, match="no group of 2 to 3 people can hold the quotas"):
        allocate(people([("四川", None, "expert", 1, "zh")]), Constraints(GroupLimits(True, False, 2, 3, 3), (Quota("expert", 0.1, 0.2),)))
    with pytest.raises(ConfigError, match=r"plan\.budget: should be at most"):
        allocate(people([]), Constraints(GroupLimits(True, False, 2, 3, 3), budget=10**13))
    assert allocate(people([]), Constraints(GroupLimits(True, False, 2, 3, 3))).groups.is_empty()
