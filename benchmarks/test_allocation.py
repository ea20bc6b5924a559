"""Whom to invite into which group, for ``--customers`` eligible: 31 regions, 8 layers, up to 300 groups, 40 agents, a tight budget.

    make bench BENCH="-k allocation --customers=1000000"

Against what a careful person does in a spreadsheet. From a million customers on, the time is checked as well.
"""

from fractions import Fraction
from heapq import nsmallest
from math import ceil, floor

import numpy as np
import polars as pl
import pytest

from segmenter.planning.agents import share_calls
from segmenter.planning.allocation import allocate
from segmenter.planning.constraints import Agent, Constraints, GroupLimits, Quota

ROUNDS = {"rounds": 3, "warmup_rounds": 1}
REGIONS, LAYERS, AGENTS = 31, 8, 40
SHARES = 0.05, 0.4
MOST_SECONDS = 2.0
LEAST = 1.05  # of greedy's value, where it takes the best first as the score has them; for money it is nearly as good as ours
GAP = 0.0015  # of the bound; in groups of a dozen, whose shares are whole people, the bound itself is farther off


@pytest.fixture(scope="module")
def customers(pytestconfig):
    """Eligible customers: values with heavy tails, later layers rarer and worth more."""
    many = pytestconfig.getoption("customers")
    random = np.random.default_rng(7)
    layer = random.choice(LAYERS, many, p=np.arange(LAYERS, 0, -1) / sum(range(LAYERS + 1)))
    region = random.choice(REGIONS, many, p=random.dirichlet(np.full(REGIONS, 2.0)))
    value = random.lognormal(8, 1.2, many) * (1 + 0.3 * layer) * random.lognormal(0, 0.3, REGIONS)[region]
    return pl.DataFrame(
        {
            "customer_id": [f"C{at:09}" for at in random.permutation(many)],
            "region": pl.Series(np.array([f"R{at:02}" for at in range(REGIONS)])[region]),
            "topic": pl.Series([None], dtype=pl.String).new_from_index(0, many),
            "layer": pl.Series(np.array([f"L{at}" for at in range(LAYERS)])[layer]),
            "score": random.random(many).round(3),
            "value": value.astype(np.int64),
        }
    ).with_columns(reach="region")


@pytest.fixture(scope="module")
def limits(customers):
    """One in twenty may be invited, and the budget is for half of them; a gift makes each layer dearer than the one before."""
    random = np.random.default_rng(8)
    size = max(customers.height // 20, 300)
    largest = max(size // 200, 20)
    regions = sorted(customers["region"].unique())
    agents = tuple(Agent(size // 25, tuple(regions[one] for one in random.choice(len(regions), 4, replace=False))) for _ in range(AGENTS))
    costs = {f"L{at}": round(300 * 1.4**at) for at in range(LAYERS)}
    quotas = tuple(Quota(f"L{at}", *SHARES) for at in range(LAYERS))
    budget = size // 2 * 1000
    groups = GroupLimits(True, False, largest // 2, largest, 300)
    return Constraints(groups, quotas, size_max=size, budget=budget, costs=costs, agents=agents)


def greedy(customers, limits, *, by_cost):
    """Fill group after group, the least of each layer and then the best; next the region whose group is worth most."""
    groups, price = limits.groups, limits.costs
    left = [agent.capacity for agent in limits.agents]
    calling = {
        region: [number for number, agent in enumerate(limits.agents) if region in agent.reach] for region in customers["region"].unique()
    }
    found = customers.partition_by("region", "layer", as_dict=True)
    lists = {(region, layer): [] for region in calling for layer in price}  # few customers leave some of them empty
    lists |= {key: part["value"].sort(descending=True).to_list() for key, part in found.items()}
    used = dict.fromkeys(lists, 0)
    quotas = [(quota.layer, Fraction(str(quota.min)), Fraction(str(quota.max))) for quota in limits.quotas]

    def group(region, size):
        """Say whom the next group of a region would have: people by layer, value and cost; None where it cannot be filled."""
        people = {layer: ceil(least * size) for layer, least, _ in quotas}
        best = [
            (-lists[region, layer][at] / (price[layer] if by_cost else 1), layer)
            for layer, _, most in quotas
            for at in range(used[region, layer] + people[layer], min(used[region, layer] + floor(most * size), len(lists[region, layer])))
        ]
        for _, layer in nsmallest(size - sum(people.values()), best):
            people[layer] += 1
        if sum(people.values()) != size or any(used[region, layer] + many > len(lists[region, layer]) for layer, many in people.items()):
            return None
        value = sum(sum(lists[region, layer][used[region, layer] :][:many]) for layer, many in people.items())
        return people, value, sum(price[layer] * many for layer, many in people.items())

    def next_group(region):
        calls = sum(left[agent] for agent in calling[region])
        for size in (groups.max_size, (groups.min_size + groups.max_size) // 2, groups.min_size):
            made = group(region, size) if size <= min(calls, limits.size_max - people) else None
            if made and made[2] <= limits.budget - money:
                return made[1] / (made[2] if by_cost else size), region, made
        return None

    value = money = people = opened = 0
    while opened < groups.max_groups and (ways := [way for region in sorted(calling) if (way := next_group(region))]):
        _, region, (members, worth, cost) = max(ways, key=lambda way: way[:2])
        for layer, many in members.items():
            used[region, layer] += many
        for _ in range(sum(members.values())):
            left[max(calling[region], key=left.__getitem__)] -= 1
        value, money, people, opened = value + worth, money + cost, people + sum(members.values()), opened + 1
    return value


def violations(plan, limits):
    """What the plan does not keep to."""
    invited = plan.customers.filter("invited")
    shares = plan.layers.with_columns(share=pl.col("people") / pl.col("people").sum().over("group"))
    sizes = invited.group_by("group").agg(pl.len(), pl.col("region").n_unique())
    counted = invited.group_by("group", "layer").len()
    again = plan.layers.filter(pl.col("people") > 0).join(counted, on=["group", "layer"], how="full")
    reach = invited.group_by("reach").len()
    able = [np.flatnonzero(reach["reach"].is_in(list(agent.reach)).to_numpy()) for agent in limits.agents]
    calls = share_calls(able, [agent.capacity for agent in limits.agents], reach["len"].to_numpy().astype(np.int64))
    kept = {
        "budget": sum(limits.costs[layer] for layer in invited["layer"]) <= limits.budget,
        "size": invited.height <= limits.size_max,
        "groups": sizes.height <= limits.groups.max_groups,
        "sizes": sizes["len"].is_between(limits.groups.min_size, limits.groups.max_size).all(),
        "shares": shares["share"].is_between(*SHARES).all(),
        "counts": (again["people"] == again["len"]).all(),
        "one region": (sizes["region"] == 1).all(),
        "all are called": calls.sum() == invited.height,
        "reasons": not plan.customers.filter(~pl.col("invited"))["reason"].has_nulls(),
    }
    return [what for what, holds in kept.items() if not holds]


@pytest.mark.benchmark(group="allocation")
def test_allocate(benchmark, customers, limits):
    plan = benchmark.pedantic(lambda: allocate(customers, limits), **ROUNDS)
    invited = plan.customers.filter("invited")
    assert violations(plan, limits) == []
    assert plan.gap <= GAP or customers.height < 1_000_000
    permuted = allocate(customers.sample(fraction=1.0, shuffle=True, seed=1), limits)
    assert permuted.customers.sort("customer_id").equals(plan.customers.sort("customer_id"))
    by_value, by_money = (invited["value"].sum() / greedy(customers, limits, by_cost=by_cost) for by_cost in (False, True))
    figures = {"groups": plan.groups.height, "invited": invited.height, "gap": plan.gap}
    figures |= {"of_greedy_by_value": by_value, "of_greedy_by_value_for_money": by_money}
    print(figures)
    assert by_value >= LEAST
    assert by_money >= 1
    benchmark.extra_info.update(figures)
    if benchmark.stats is not None and customers.height >= 1_000_000:
        assert benchmark.stats.stats.median <= MOST_SECONDS
