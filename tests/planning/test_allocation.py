from dataclasses import replace
from fractions import Fraction

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segmenter.errors import ConfigError, InputError
from segmenter.planning.allocation import allocate
from segmenter.planning.constraints import Agent, GroupRule, GroupsBy, Quota, Terms
from segmenter.planning.not_invited import REASONS, reason_words
from segmenter.planning.shortage import InfeasibleError

REGIONS, LAYERS = ["四川", "云南", None], ["expert", "newcomer", "regular"]
SCHEMA = {
    "customer_id": pl.String,
    "region": pl.String,
    "topic": pl.String,
    "layer": pl.String,
    "score": pl.Float64,
    "value": pl.Int64,
    "language": pl.String,
}
OFTEN = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def people(rows):
    return pl.DataFrame(
        [
            (f"c{at:03}", region, topic, layer, float(value % 7), value, language)
            for at, (region, topic, layer, value, language) in enumerate(rows)
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
    )


persons = st.lists(
    st.tuples(
        st.sampled_from(REGIONS), st.sampled_from(["茶", None]), st.sampled_from(LAYERS), st.integers(0, 60), st.sampled_from(["zh", "en"])
    ),
    max_size=45,
)


@st.composite
def terms(draw):
    smallest = draw(st.integers(1, 6))
    sizes = {"smallest": smallest, "largest": smallest + draw(st.integers(0, 6))}
    if draw(st.booleans()):
        groups = GroupsBy(draw(st.booleans()), draw(st.booleans()), **sizes, most=draw(st.integers(0, 5)))
    else:
        least = draw(st.integers(0, 1))
        groups = (
            GroupRule("A", "四川", None, **sizes, least=least, most=draw(st.integers(1, 3))),
            GroupRule("B", None, "茶", **sizes, least=draw(st.integers(0, 1))),
        )
    shares = st.sampled_from([0.0, 0.1, 0.25, 0.3, 0.34])
    quotas = tuple(Quota(layer, draw(shares), draw(st.sampled_from([0.5, 0.6, 1.0]))) for layer in LAYERS[: draw(st.integers(0, 3))])
    size = draw(st.sampled_from([None, 5, 12, 20]))
    agents = (
        Agent("a", draw(st.integers(0, 12)), ("四川",)),
        Agent("b", draw(st.integers(0, 12)), (), ("zh",)),
        Agent("c", draw(st.integers(0, 9))),
    )
    return Terms(
        groups,
        quotas=quotas,
        size_min=size if size and draw(st.booleans()) else None,
        size_max=size,
        budget=draw(st.sampled_from([None, 20, 60, 200])),
        costs={"expert": 7, "newcomer": 3, "regular": 4},
        agents=agents if draw(st.booleans()) else (),
    )


def violations(frame, terms, plan):
    """Everything that a plan must keep to, checked person by person."""
    wrong = []
    invited = plan.customers.filter("invited")
    costs = [terms.costs.get(layer, 0) for layer in invited["layer"]]
    wrong += ["budget"] * (terms.budget is not None and sum(costs) > terms.budget)
    wrong += ["too many"] * (terms.size_max is not None and invited.height > terms.size_max)
    wrong += ["too few"] * (terms.size_min is not None and invited.height < terms.size_min)
    wrong += ["sums"] * ((invited.height, sum(costs), invited["value"].sum()) != (plan.groups["size"].sum(), plan.cost, plan.value))
    rules = [terms.groups] if isinstance(terms.groups, GroupsBy) else terms.groups
    for name, members in invited.group_by("group"):
        rule = rules[0] if isinstance(terms.groups, GroupsBy) else next(rule for rule in rules if name[0].split("-")[0] == rule.name)
        wrong += ["size of group"] * (not rule.smallest <= members.height <= rule.largest)
        if isinstance(rule, GroupsBy):
            wrong += ["regions"] * (rule.region and members["region"].n_unique() > 1)
            wrong += ["topics"] * (rule.topic and members["topic"].n_unique() > 1)
        else:
            wrong += ["whom"] * (rule.region is not None and set(members["region"]) != {rule.region})
            wrong += ["whom"] * (rule.topic is not None and set(members["topic"]) != {rule.topic})
        for quota in terms.quotas:
            share = Fraction(members.filter(layer=quota.layer).height, members.height)
            wrong += [f"share of {quota.layer}"] * (not Fraction(str(quota.least)) <= share <= Fraction(str(quota.most)))
    if isinstance(terms.groups, GroupsBy):
        wrong += ["groups"] * (plan.groups.height > terms.groups.most)
    else:
        for rule in rules:
            number = sum(name.split("-")[0] == rule.name for name in plan.groups["group"])
            wrong += ["number of groups"] * (not rule.least <= number <= rule.most)
    if terms.agents:
        calls = plan.calls
        for agent in terms.agents:
            mine = calls.filter(agent=agent.name)
            wrong += ["capacity"] * (mine["people"].sum() > agent.capacity)
            wrong += ["whose region"] * (bool(agent.regions) and not set(mine["region"]) <= set(agent.regions))
            wrong += ["whose language"] * (bool(agent.languages) and not set(mine["language"]) <= set(agent.languages))
        keys = ["region", "language"] if "language" in frame.columns else ["region"]
        needed = {key: len_ for *key_, len_ in invited.group_by(keys).len().rows() for key in [tuple(key_)]}
        called = {key: many for *key_, many in calls.group_by(keys).agg(pl.col("people").sum()).rows() for key in [tuple(key_)]}
        wrong += ["calls"] * (needed != called)
    keys = [key for key in ("region", "topic", "language", "layer") if key in frame.columns]
    for _, alike in plan.customers.group_by(keys):
        best, left = alike.filter("invited"), alike.filter(~pl.col("invited"))
        if best.height and left.height:
            wrong += ["a better one is left out"] * (max(map(rank, left.to_dicts())) > min(map(rank, best.to_dicts())))
    return wrong


def rank(person):
    return person["value"], person["score"], tuple(-ord(letter) for letter in person["customer_id"])


def untrue(terms, plan):
    """Reasons that do not hold back the person whom they are given for."""
    wrong, table = [], plan.customers
    left, invited = table.filter(~pl.col("invited")), table.filter("invited")
    wrong += ["no reason"] * (left["reason"].null_count() + invited["reason"].drop_nulls().len())
    rules = [terms.groups] if isinstance(terms.groups, GroupsBy) else terms.groups
    smallest, largest = min(rule.smallest for rule in rules), max(rule.largest for rule in rules)
    for person in left.unique(["region", "topic", "layer", "language"]).to_dicts():
        cost = terms.costs.get(person["layer"], 0)
        for_all = isinstance(terms.groups, GroupsBy)
        takes = plan.groups.filter(
            (pl.col("region").is_null() if not (for_all and terms.groups.region) else pl.lit(value=False))
            | pl.col("region").eq_missing(pl.lit(person["region"])),
            (pl.col("topic").is_null() if not (for_all and terms.groups.topic) else pl.lit(value=False))
            | pl.col("topic").eq_missing(pl.lit(person["topic"])),
        )
        match person["reason"]:
            case "budget":
                true = terms.budget is not None and terms.budget - plan.cost < max(cost, smallest * max(terms.costs.values()))
            case "size":
                true = terms.size_max is not None and terms.size_max - invited.height < (1 if takes.height else smallest + largest)
            case "group_full":
                true = takes.height > 0 and (takes["size"] == largest).any()
            case "layer_full":
                true = takes.height > 0 and bool(terms.quotas)
            case "groups":
                true = takes.height == 0
            case "no_group":
                true = not for_all and person["region"] != "四川" and person["topic"] != "茶"
            case "agents":
                true = bool(terms.agents)
            case _:
                true = takes.height == 0
        wrong += [f"{person['reason']} for {person}"] * (not true)
    return wrong


def loosened(frame, terms, rows):
    """The terms, and people, after the changes that were named."""
    more, groups = [], terms.groups
    for at, row in enumerate(rows.to_dicts()):
        match row["limit"]:
            case "size_min" | "size_max" | "budget" as name:
                terms = replace(terms, **{name: getattr(terms, name) + (-1 if name == "size_min" else 1) * row["amount"]})
            case "agents":
                regions, languages = (row["region"],) if row["region"] else (), (row["language"],) if row["language"] else ()
                terms = replace(terms, agents=(*terms.agents, Agent(f"more {at}", row["amount"], regions, languages)))
            case "smallest":
                if isinstance(groups, GroupsBy):
                    groups = replace(groups, smallest=max(min(groups.smallest, terms.groups.smallest - row["amount"]), 1))
                else:
                    groups = tuple(
                        replace(rule, smallest=max(rule.smallest - row["amount"], 1)) if rule.name == row["group"] else rule
                        for rule in groups
                    )
            case "people":
                more += [(row["region"], row["topic"], row["layer"], 1, row["language"])] * row["amount"]
    added = people(more).with_columns(customer_id=pl.lit("new") + pl.col("customer_id"))
    return pl.concat([frame, added.select(frame.columns)]), replace(terms, groups=groups)


@OFTEN
@given(persons, terms(), st.randoms(use_true_random=False))
def test_a_plan_keeps_to_everything_or_says_what_is_short(rows, terms, random):
    frame = people(rows)
    try:
        plan = allocate(frame, terms)
    except InfeasibleError as error:
        assert error.short.height > 0  # noqa: PT017
        mended = allocate(*loosened(frame, terms, error.short))
        assert mended.customers.height >= frame.height  # whoever was missing is there now
        for _, rows_ in error.alone.group_by("limit"):
            allocate(*loosened(frame, terms, rows_))
            if rows_["limit"][0] in {"size_min", "size_max", "budget"}:
                with pytest.raises(InfeasibleError):
                    allocate(*loosened(frame, terms, rows_.with_columns(pl.col("amount") - 1)))
        return
    except (ConfigError, InputError) as error:
        assert "can hold the quotas" in str(error) or "add up to at most 1" in str(error)  # noqa: PT017
        return
    assert violations(frame, terms, plan) == []
    assert untrue(terms, plan) == []
    shuffled = list(range(frame.height))
    random.shuffle(shuffled)
    again = allocate(frame[shuffled], terms)
    assert again.customers.sort("customer_id").equals(plan.customers.sort("customer_id"))
    assert again.groups.equals(plan.groups)
    assert again.calls.equals(plan.calls)


def best_by_person(frame, terms, most):
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
        row([*columns, opened[group]], [1] * len(columns) + [-terms.groups.smallest], 0, np.inf)
        row([*columns, opened[group]], [1] * len(columns) + [-terms.groups.largest], -np.inf, 0)
        for quota in terms.quotas:
            own = [layer[at] == quota.layer for at in members]
            row(columns, [float(mine) - quota.least for mine in own], -1e-9, np.inf)
            row(columns, [float(mine) - quota.most for mine in own], -np.inf, 1e-9)
    row(list(opened.values()), [1] * len(opened), 0, terms.groups.most)
    columns = list(place.values())
    of = [at for at, _ in place]
    row(columns, [terms.costs.get(layer[at], 0) for at in of], 0, terms.budget)
    row(columns, [1] * len(columns), 0, terms.size_max)
    for agent in terms.agents:  # each serves regions of its own
        mine = [place_ for (at, _), place_ in place.items() if region[at] in agent.regions]
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


@pytest.mark.parametrize("seed", range(4))
def test_it_is_as_good_as_the_program_of_persons(seed):
    frame = shop(90, seed, regions=3)
    agents = (Agent("a", 14, ("R00",)), Agent("b", 40, ("R01", "R02")))
    quotas = (Quota("L0", 0.2, 0.6), Quota("L1", 0.25, 0.5), Quota("L2", 0.1, 0.4))
    terms = Terms(GroupsBy(True, False, 6, 10, 4), quotas, size_max=34, budget=400, costs={"L0": 9, "L1": 12, "L2": 17}, agents=agents)
    plan = allocate(frame, terms)
    assert violations(frame, terms, plan) == []
    assert plan.value >= 0.999 * best_by_person(frame, terms, most=2)


def test_many_customers_near_the_bound():
    frame = shop(30_000, seed=5, regions=8, layers=5)
    quotas = tuple(Quota(f"L{at}", share, 0.6) for at, share in enumerate([0.05, 0.1, 0.15, 0.2, 0.2]))
    agents = tuple(Agent(f"a{at}", 220, (f"R{at % 8:02}", f"R{(at * 3 + 1) % 8:02}")) for at in range(12))
    costs = {f"L{at}": 500 + 200 * at for at in range(5)}
    terms = Terms(GroupsBy(True, False, 60, 120, 25), quotas, size_max=2_400, budget=1_500_000, costs=costs, agents=agents)
    plan = allocate(frame, terms)
    assert violations(frame, terms, plan) == []
    assert plan.gap <= 0.003  # of a bound that allows fractions of groups
    again = allocate(frame.sample(fraction=1, shuffle=True, seed=1), terms)
    assert again.customers.sort("customer_id").equals(plan.customers.sort("customer_id"))
    strength = (
        plan.groups.with_columns(mean=pl.col("value") / pl.col("size")).group_by("region").agg(pl.col("mean").max() / pl.col("mean").min())
    )
    assert strength["mean"].max() < 1.35


def test_what_is_short_in_words():
    frame = people([("四川", None, "regular", value, "zh") for value in range(30)])
    rules = (GroupRule("A", "四川", None, 20, 25, least=1), GroupRule("B", "云南", None, 20, 25, least=1))
    with pytest.raises(InfeasibleError) as caught:
        allocate(frame, Terms(rules, (Quota("expert", 0.1, 0.5),), budget=100_00, costs={"regular": 6_00, "expert": 9_00}))
    assert {"smallest", "people"} & set(caught.value.short["limit"])
    assert "of layer expert short" in caught.value.problems[0]
    with pytest.raises(InfeasibleError, match="超出预算 20 CNY"):
        allocate(frame, Terms(rules[:1], budget=100_00, costs={"regular": 6_00}, size_min=20), lang="zh")
    assert set(reason_words("zh")) == set(reason_words("en")) == set(REASONS)


def test_terms_that_contradict_themselves():
    wrong = Terms(GroupsBy(True, False, 5, 4, 3), (Quota("a", 0.6, 0.5), Quota("a", 0.7, 1)), size_min=9, size_max=8, budget=-1)
    with pytest.raises(ConfigError) as caught:
        allocate(people([]), wrong)
    assert len(caught.value.problems) == 6
    with pytest.raises(InputError, match="no group of 2 to 3 people can hold the quotas"):
        allocate(people([("四川", None, "expert", 1, "zh")]), Terms(GroupsBy(True, False, 2, 3, 3), (Quota("expert", 0.1, 0.2),)))
    assert allocate(people([]), Terms(GroupsBy(True, False, 2, 3, 3))).value == 0
