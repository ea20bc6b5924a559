from datetime import date, timedelta
from math import ceil

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import betabinom

import segmenter
from segmenter.errors import ConfigError, InputError
from segmenter.planning import plan
from segmenter.planning.shortage import InfeasibleError

SCHEMA = {
    "customer_id": pl.String,
    "verdict": pl.String,
    "score": pl.Float64,
    "province": pl.String,
    "city": pl.String,
    "spend": pl.Int64,
    "component_advocacy": pl.Float64,
    "component_engagement": pl.Float64,
    "days_known": pl.Int32,
    "referrals": pl.Int32,
    "segment": pl.Int32,
}


def planned(rows, invited=None, **overrides):
    limits = {"holdout": 0.0, "fill_confidence": None, "smallest": 1} | overrides
    kind = {"plan": limits.pop("kind", "simple")}
    chosen = segmenter.launch_settings(kind | {"launch.as_of": "2026-07-01"} | {f"plan.{name}": value for name, value in limits.items()})
    return plan(pl.DataFrame(rows, schema=SCHEMA, orient="row"), chosen, invited)


def row(customer, score, province="四川", city=None, advocacy=0.0, verdict="eligible", known=500):
    return (customer, verdict, float(score), province, city, 100, advocacy, 0.0, known, 0, 1)


def test_the_best_are_invited_ties_by_id_and_nobody_who_is_not_eligible():
    done = planned([row("a", 5), row("c", 9), row("b", 9), row("d", 99, verdict="staff")], size=2)
    assert done.customers.sort("customer_id").select("customer_id", "invited", "rank", "left_out").rows() == [
        ("a", False, None, "size"),
        ("b", True, 1, None),
        ("c", True, 2, None),
        ("d", False, None, None),
    ]
    assert not done.warnings


@pytest.mark.parametrize("kind", ["simple", "allocated"])
def test_whom_an_invitation_brings_nothing_is_not_invited_and_not_held_out(kind):
    rows = [row(f"{i:02}", i) for i in range(60)]
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row").with_columns(expected_uplift=pl.int_range(-20, 40))

    def result(**limits):
        shared = {"launch.as_of": "2026-07-01", "plan": kind, "plan.size": "all", "plan.smallest": 1, "plan.holdout": 0.2}
        return plan(frame, segmenter.launch_settings(shared | {f"plan.{name}": value for name, value in limits.items()}))

    done = result()
    idle = done.customers.filter(pl.col("expected_uplift") <= 0)
    assert idle["left_out"].unique().to_list() == ["no_uplift"]
    assert not idle["held_out"].any()
    assert done.customers.filter("invited").height + done.customers["held_out"].sum() == 39
    assert [note.facts["idle"] for note in done.notes if note.code == "planning.no_uplift"] == [21]
    assert any(warning.code == "planning.little_uplift" for warning in result(size=45).warnings)
    assert result(size=10).customers.filter("invited")["expected_uplift"].min() > 0
    with pytest.raises(InputError, match="use scoring=auto"):
        result(size=45, require_size=True)
    frame = frame.with_columns(pl.col("expected_uplift") - 40)
    with pytest.raises(InputError, match="use scoring=auto"):
        result()


def test_fewer_than_asked_for_is_a_warning_or_an_error():
    assert planned([row("a", 5)], size=3).warnings == ("1 eligible, 3 asked for (plan.size): all who are eligible are on the list",)
    with pytest.raises(InputError, match="3 are asked for, but only 1 are eligible"):
        planned([row("a", 5)], size=3, require_size=True)
    assert not planned([row("a", 5)], size="all").warnings
    rows = [row(f"{i:02}", i) for i in range(10)]
    [warning] = planned(rows, size=10, holdout=0.2).warnings
    assert warning.endswith("all who are eligible are on the list, but for 2 held out (plan.holdout)")
    with pytest.raises(InputError, match="of 10 who are eligible 2 are held out"):
        planned(rows, size=9, holdout=0.2, require_size=True)


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


def test_a_group_takes_as_many_invitations_as_fill_it():
    rows = [row(f"{i:04}", 50) for i in range(1200)]
    sure = planned(rows, size="all", join_evidence=1e5, fill_confidence=0.9)
    rate, evidence = sure.join_chances.mean, sure.join_chances.evidence
    # As many as overfill a group of 200 with a chance of one in twenty.
    takes = next(n for n in range(1200, 0, -1) if betabinom.sf(200, n, rate * evidence, (1 - rate) * evidence) <= 0.05)
    assert sure.groups["size"].max() <= takes
    assert sure.groups.height == ceil(1200 / takes)
    # Of a guess, no number both fills a group and does not overfill it: no more groups than fill, and than are expected to take them.
    guess = planned(rows, size="all", fill_confidence=0.9)
    assert guess.groups.height == 2
    assert (guess.groups["filled"] >= 0.9).all()
    assert (guess.groups["expected_joins"] <= 200).all()
    learned = planned(rows, pl.DataFrame(answers(400, 320)), size="all", fill_confidence=0.9)
    assert learned.join_chances.asked == 400
    assert learned.groups.height > sure.groups.height  # most of them join: fewer fill it
    assert learned.groups["expected_joins"].sum() == pytest.approx(learned.customers["join_chance"].sum(), abs=learned.groups.height / 10)


def answers(asked, joined):
    said = ["joined"] * joined + ["refused"] * (asked - joined)
    return {"launch": "spring", "ends_on": date(2026, 6, 1), "status": "planned", "score": 50.0, "answer": said}


def test_who_is_held_out_would_have_been_invited_and_stays_so():
    rows = [row(f"{i:03}", i / 4, ("四川", "云南", None)[i % 3]) for i in range(400)]
    done = planned(rows, size=90, holdout=0.1)
    held = done.customers.filter("held_out")
    assert held.height == 10
    assert done.customers["invited"].sum() == 90
    assert held["score"].min() >= done.customers.filter("invited")["score"].min()
    assert held["left_out"].unique().to_list() == ["held_out"]
    assert held["wave"].null_count() == held["call_on"].null_count() == 10
    # A better list of the same launch holds out the same but where somebody comes or goes.
    more = planned([*rows, row("999", 5)], size=90, holdout=0.1)
    assert more.customers.filter("held_out")["customer_id"].equals(held["customer_id"])


def test_planned_again_a_launch_holds_out_the_same_but_where_people_come_and_go():
    regions = [f"R{number:02}" for number in range(20)]
    rows = [row(f"{i:04}", i % 97, regions[i % 20]) for i in range(3000)]
    before, after, other = (
        set(plan(pl.DataFrame(people, schema=SCHEMA, orient="row"), chosen).customers.filter("held_out")["customer_id"])
        for people, chosen in [
            (rows, settings_of("spring")),
            ([*rows[40:], *(row(f"new{i}", 90 + i / 10, regions[i % 3]) for i in range(60))], settings_of("spring")),
            (rows, settings_of("summer")),
        ]
    )
    assert len(before) == 300
    assert len(before & after) > 250
    assert len(before & other) < 60


def settings_of(name):
    return segmenter.launch_settings({"launch.as_of": "2026-07-01", "launch.name": name, "plan.size": "all"})


def test_whole_regions_are_held_out():
    places = ["四川", "云南", "重庆", "贵州", "西藏", "青海"]
    rows = [row(f"{i:03}", i / 3, places[i % 6]) for i in range(300)]
    done = planned(rows, size=100, holdout=0.2, holdout_by="region")
    held, invited = done.customers.filter("held_out"), done.customers.filter("invited")
    assert invited.height == 100
    assert held["province"].n_unique() == 2
    assert not set(held["province"]) & set(invited["province"])
    assert held["score"].min() > invited["score"].min()
    with pytest.raises(ConfigError, match="at least 4 regions"):
        planned([row("a", 1), row("b", 2, "云南")], holdout=0.2, holdout_by="region")


def test_of_whole_regions_an_allocated_plan_holds_out_as_large_a_share_as_it_invites_elsewhere():
    places = ["四川", "云南", "重庆", "贵州", "西藏", "青海"]
    rows = [row(f"{i:03}", i / 3, places[i % 6]) for i in range(300)]
    done = planned(rows, kind="allocated", size=80, smallest=5, group_capacity=30, holdout=0.2, holdout_by="region")
    held, invited = done.customers.filter("held_out"), done.customers.filter("invited")
    assert (held.height, invited.height) == (40, 80)  # of 100 and of 200
    assert held["province"].n_unique() == 2
    assert not set(held["province"]) & set(invited["province"])
    left = done.customers.filter(~pl.col("invited"), ~pl.col("held_out"), pl.col("province").is_in(held["province"].implode()))
    assert left["score"].max() < held["score"].min()
    assert left["left_out"].null_count() == 0
    # Nobody of regions that are too small for a group is held out, as nobody of such ones is invited.
    small = [row(f"s{i:02}", 99, f"R{i:02}") for i in range(40)]
    held = planned([*rows, *small], kind="allocated", size=80, smallest=5, group_capacity=30, holdout=0.5, holdout_by="region")
    assert set(held.customers.filter("held_out")["province"]) <= set(places)


def test_a_drawn_customer_who_is_alone_of_their_layer_is_judged_by_their_group():
    rows = [row(f"{i:03}", 50 + i % 7, known=500) for i in range(60)] + [row(f"n{i}", 90, known=10) for i in range(3)]
    done = planned(rows, kind="allocated", size="all", smallest=5, group_capacity=100, holdout=0.5)
    assert set(done.customers["left_out"]) == {None, "held_out"}  # all of the group who are not drawn are invited


def test_an_agent_for_one_city_is_given_nobody_of_others_of_its_province():
    rows = [row(f"{i:03}", i, city=("成都", "绵阳", None)[i % 3]) for i in range(90)]
    agents = [{"name": "Li", "calls_per_day": 5, "regions": ["成都"]}]
    done = planned(rows, kind="allocated", size=60, smallest=5, group_capacity=100, agents=agents)
    assert done.customers.filter("invited").select("city", "agent").unique().rows() == [("成都", "Li")]
    assert done.customers["invited"].sum() == 30
    assert not done.warnings


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (
            {"topic": "spend"},
            r"plan.topic: should be topic, segment, category or an attribute of the customers \(got spend\); there are: category, city, province",
        ),
        ({"topic": "role"}, r"plan.topic: should be topic, segment, category"),
        ({"layers": {"experts": {"max": 0.3}}}, r"plan.layers: .* by plan.layer_by=tenure \(got experts; nearest: expert\)"),
        ({"layers": {"9": {"min": 0.3}}, "layer_by": "segment"}, r"plan.layers: .* by plan.layer_by=segment \(got 9; there are: 1\)"),
        ({"layers": {"expert": {"min": 0.6, "max": 0.3}}}, r"plan.layers.expert.min should be ≤ max"),
        ({"layers": {"expert": {"min": 0.6}, "regular": {"min": 0.6}}}, r"plan.layers: the min shares should add up to at most 1"),
        ({"layers": {"expert": {"max": 0.2}, "regular": {"max": 0.2}, "newcomer": {"max": 0.2}}}, "plan.layers: no group of 5 to 30"),
        ({"size": 4}, r"plan.size: should be at least 5, .* plan.smallest=5 .* \(got 4\); ask for more"),
        ({"agents": [{"name": "a", "calls_per_day": 1, "languages": ["yue"]}]}, "plan.agents: languages need an attribute"),
        ({"agents": [{"name": "a", "calls_per_day": 1}], "start": "2026-09-01"}, "plan.start: should leave a working day until 2026-07-15"),
        ({"start": "2026-06-01"}, "plan.start: should not lie before launch.as_of"),
    ],
)
def test_what_no_allocated_plan_could_mean_is_said_before(limits, said):
    rows = [row(f"{i:03}", i / 3) for i in range(60)]
    with pytest.raises((ConfigError, InputError), match=said):
        planned(rows, **{"kind": "allocated", "size": 50, "smallest": 5, "group_capacity": 30} | limits)


def test_a_layer_of_another_word_that_nobody_is_of_is_a_warning_where_its_share_may_be_nothing():
    rows = [row(f"{i:03}", i / 3) for i in range(60)]
    done = planned(rows, kind="allocated", size=50, smallest=5, group_capacity=60, layer_by="segment", layers={"9": {"max": 0.3}})
    assert done.warnings == ("plan.layers: nobody who is eligible is of layer 9; there are: 1",)


def test_groups_of_names_that_run_together_stay_apart():
    places = [("a", "b-c"), ("a-b", "c"), ("a", None), ("a", "no topic")]
    rows = [(*row(f"{i:02}", i, places[i % 4][0]), places[i % 4][1]) for i in range(24)]
    chosen = {
        "plan": "allocated",
        "launch.as_of": "2026-07-01",
        "plan.topic": "type",
        "plan.size": "all",
        "plan.smallest": 2,
        "plan.group_capacity": 9,
    }
    frame = pl.DataFrame(rows, schema={**SCHEMA, "type": pl.String}, orient="row")
    done = plan(frame, segmenter.launch_settings(chosen | {"plan.fill_confidence": None, "plan.holdout": 0.0}))
    assert done.groups.select("group", "region", "topic", "size").sort("group").rows() == [
        ("a-b-c'-1", "a-b", "c", 6),
        ("a-b-c-1", "a", "b-c", 6),
        ("a-no topic'-1", "a", None, 6),
        ("a-no topic-1", "a", "no topic", 6),
    ]


def test_of_a_size_of_its_own_choice_it_is_a_group_for_each_topic():
    rows = [(*row(f"{i:03}", i / 3), ("a", "b", "c", None)[i % 4]) for i in range(320)]
    frame = pl.DataFrame(rows, schema={**SCHEMA, "type": pl.String}, orient="row")
    chosen = {"plan": "allocated", "launch.as_of": "2026-07-01", "plan.topic": "type", "plan.by_region": "none", "plan.size": "auto"}
    chosen |= {"plan.smallest": 5, "plan.group_capacity": 20, "plan.fill_confidence": None, "plan.holdout": 0.0}
    done = plan(frame, segmenter.launch_settings(chosen))
    assert done.customers["invited"].sum() == 3 * 20  # whoever has no topic asks for no group


def test_too_few_for_any_group_are_not_advised_to_ask_for_fewer():
    with pytest.raises(InfeasibleError) as caught:
        planned([row(f"{i}", i) for i in range(7)], kind="allocated", smallest=5, group_capacity=30, fill_confidence=0.9)
    assert caught.value.problems == (
        "plan: no plan keeps to the terms: 10 places under the smallest size of groups",
        "plan: any one of these would do: allow groups to be smaller, by 10 in all (plan.smallest), or find 10 more eligible customers",
        "plan: these are invitations: a group takes 17 to 100 of them (plan.smallest=5, plan.group_capacity=30, and the chance to join)",
    )


@pytest.mark.slow
def test_an_allocated_plan_keeps_to_its_terms_and_says_why_others_are_left_out():
    rows = [row(f"{i:03}", i / 3, ("四川", "云南")[i % 2], advocacy=float(i % 7 == 0), known=30 if i % 3 == 1 else 500) for i in range(240)]
    layers = {"expert": {"min": 0.1, "max": 0.2}, "newcomer": {"min": 0.2}}
    limits = {"layers": layers, "group_capacity": 30, "smallest": 20, "max_groups": 3, "budget": 160, "gifts.invite": 1, "gifts.join": 4}
    done = planned(rows, kind="allocated", size=120, holdout=0.1, **limits)
    shares = done.layers.with_columns(pl.col("people") / pl.col("people").sum().over("group"))
    assert shares.filter(layer="expert")["people"].is_between(0.1, 0.2).all()
    assert (shares.filter(layer="newcomer")["people"] >= 0.2).all()
    assert done.groups["size"].is_between(20, 30).all()
    invited = done.customers["invited"].sum()
    assert invited == 72  # 160 buys invitations at 1 + 0.3 × 4 each
    reasons = set(done.customers.filter(~pl.col("invited"))["left_out"])
    assert "held_out" in reasons
    assert None not in reasons
    nobody = [row(f"{i:03}", i / 3, advocacy=1.0, known=500) for i in range(60)]
    with pytest.raises(InputError, match="newcomer"):
        planned(nobody, kind="allocated", size=50, **limits)


people = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from([None, "四川", "云南"]), st.sampled_from(["eligible", "staff"]), st.floats(0, 1)),
    min_size=1,
    max_size=40,
)
SIMPLE = st.fixed_dictionaries(
    {
        "size": st.one_of(st.integers(1, 50), st.just("auto")),
        "group_capacity": st.integers(4, 7),
        "smallest": st.integers(1, 4),
        "key_users": st.integers(0, 4),
        "by_region": st.sampled_from(["province", "city", "none"]),
        "holdout": st.sampled_from([0.0, 0.1, 0.5]),
        "wave_size": st.sampled_from([None, 2]),
        "fill_confidence": st.sampled_from([None, 0.9]),
        "overflow_risk": st.sampled_from([0.05, 0.5]),
    }
)


def test_regions_that_fill_no_group_are_joined_with_their_neighbours():
    many = [("四川", "成都", 90), ("四川", "绵阳", 30), ("四川", None, 10), ("云南", None, 40), ("广东", "广州", 70), ("甘肃", None, 40)]
    rows = [row(f"{p}{c}{i:03}", i % 50, p, c) for p, c, count in many for i in range(count)]
    limits = {"size": "all", "fill_confidence": 0.9, "join_evidence": 1e5, "group_capacity": 40, "smallest": 5, "by_region": "city"}
    done = planned(rows, **limits)
    # Half of 40 fill a group, which 80 invitations bring: 绵阳 and 云南 join 成都 in the south-west, 广东 and 甘肃 fill none.
    assert done.groups.select("group", "size").rows() == [("Southwest China-1", 85), ("Southwest China-2", 85), ("all-1", 110)]
    assert [note.code for note in done.notes].count("planning.regions_across") == 1
    assert not [warning for warning in done.warnings if warning.code == "planning.unfilled"]
    alone = planned([one for one in rows if one[3] == "四川"], **limits)
    assert alone.groups["group"].to_list() == ["四川-1"]
    few = planned([one for one in rows if one[3] in ("广东", "甘肃")], **limits | {"size": 50})
    assert few.groups["group"].to_list() == ["all-1"]
    [short] = few.warnings
    assert short.code == "planning.unfilled"
    # As it says, a smaller group or more invitations would do.
    ways = {way.code: way.facts for way in short.facts["ways"]}
    smaller = planned(rows[-110:], **limits | {"size": 50, "group_capacity": ways["planning.fill_by_capacity"]["capacity"]})
    more = planned(rows[-110:], **limits | {"size": 50 + ways["planning.fill_by_more"]["more"]})
    assert not {warning.code for warning in (*smaller.warnings, *more.warnings)} & {"planning.unfilled"}


def test_auto_takes_the_best_of_each_area_and_key_users_are_a_share_of_the_members():
    rows = [row(f"{p}{i:04}", i % 97, p) for p in ("四川", "云南", "广东", "青海", None) for i in range(500)]
    done = planned(rows, size="auto", fill_confidence=0.9, group_capacity=100, holdout=0.1)
    assert done.groups["size"].to_list() == [333] * 4
    assert done.groups["region"].to_list() == ["Southwest China", "no region", "广东", "青海"]
    assert done.groups["key_users"].to_list() == [20] * 4
    assert (done.groups["filled"] >= 0.9).all()
    # Within an area nobody better is left out, and who is held out would have been invited.
    invited = done.customers.filter("invited", province="广东")["score"].min()
    assert done.customers.filter(pl.col("left_out") == "size", province="广东")["score"].max() <= invited
    assert done.customers.filter("held_out", province="广东")["score"].min() >= invited
    assert 100 < done.customers["held_out"].sum() < 250


def test_who_finds_no_place_is_left_out_where_another_group_would_be_too_small():
    done = planned([row(f"{i}", i) for i in range(5)], size=5, smallest=3, group_capacity=4)
    assert done.customers.sort("customer_id")["left_out"].to_list() == ["group_full", None, None, None, None]


@given(people, SIMPLE)
@settings(deadline=None, max_examples=40)
def test_capacities_hold_and_nobody_better_is_left_out(people, limits):
    rows = [row(f"{i:02}", score, province, None, advocacy, verdict) for i, (score, province, verdict, advocacy) in enumerate(people)]
    done = planned(rows, **limits)
    eligible = sum(person[2] == "eligible" for person in people)
    invited, held = done.customers.filter("invited"), done.customers.filter("held_out")
    left, full = (done.customers.filter(pl.col("left_out") == why) for why in ("size", "group_full"))
    assert invited.height + held.height + left.height + full.height == eligible
    # Somebody has no place only where another group would be too small.
    assert full.is_empty() or (limits["fill_confidence"] is None and limits["group_capacity"] < 2 * limits["smallest"])
    assert invited.height == done.groups["size"].sum()
    assert limits["size"] == "auto" or invited.height <= limits["size"]
    assert sorted(invited["rank"]) == list(range(1, invited.height + 1))
    if limits["fill_confidence"] is None:
        assert (invited.group_by("group").len()["len"] <= limits["group_capacity"]).all()
    assert (invited.filter(wave=1).group_by("group").len()["len"] <= limits["key_users"]).all()
    assert (
        done.groups.height == 1 or limits["fill_confidence"] is None or (done.groups["expected_joins"] >= limits["smallest"] - 0.06).all()
    )
    assert done.groups.height == 1 or (done.groups["size"] >= limits["smallest"]).all()
    assert left.is_empty() or invited.is_empty() or limits["size"] == "auto" or left["score"].max() <= invited["score"].min()
    sizes = done.groups.group_by("region").agg(pl.col("size").max() - pl.col("size").min())
    assert (sizes["size"] <= 1).all()
    across = invited.filter(pl.col("province").n_unique().over("group") > 1)["group"]
    assert limits["by_region"] == "none" or across.is_empty() or "planning.regions_" in " ".join(note.code for note in done.notes)
    assert invited["call_on"].is_between(date(2026, 7, 1), date(2026, 7, 1) + timedelta(days=200)).all()
    backwards = planned(rows[::-1], **limits)
    assert backwards.customers.sort("customer_id").equals(done.customers.sort("customer_id"))


SHOP = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.sampled_from([None, ("四川", "成都"), ("四川", "绵阳"), ("云南", None), ("重庆", None), ("贵州", None)]),
        st.floats(0, 1),
        st.sampled_from([30, 500]),
        st.sampled_from([None, "A", "B"]),
        st.sampled_from([None, "yue"]),
    ),
    min_size=10,
    max_size=45,
)
ALLOCATED = st.fixed_dictionaries(
    {
        "size": st.one_of(st.integers(6, 40), st.just("all")),
        "group_capacity": st.integers(3, 9),
        "smallest": st.integers(1, 3),
        "max_groups": st.integers(1, 6),
        "by_region": st.sampled_from(["province", "city", "none"]),
        "topic": st.sampled_from([None, "segment"]),
        "layers": st.sampled_from([{}, {"newcomer": {"min": 0.2, "max": 0.7}}, {"expert": {"max": 0.5}, "regular": {"min": 0.1}}]),
        "budget": st.sampled_from([None, 20, 60]),
        "gifts.invite": st.just(2),
        "gifts.join": st.sampled_from([0, 1]),
        "holdout": st.sampled_from([0.0, 0.2, 0.5]),
        "holdout_by": st.sampled_from(["customer", "customer", "region"]),
        "require_size": st.booleans(),
        "calendar": st.just(None),
        "agents": st.sampled_from(
            [
                [],
                [{"name": "a", "calls_per_day": 2, "regions": ["成都"]}, {"name": "b", "calls_per_day": 3, "languages": ["yue"]}],
                [{"name": "a", "calls_per_day": 1, "regions": ["四川", "云南"]}, {"name": "b", "calls_per_day": 1}],
            ]
        ),
    }
)


@pytest.mark.slow
@given(SHOP, ALLOCATED)
@settings(deadline=None, max_examples=25)
def test_an_allocated_plan_holds_all_its_terms_or_names_a_true_conflict(shop, limits):
    columns = {**SCHEMA, "account": pl.String, "language": pl.String}
    rows = [
        (*row(f"{i:02}", score, *(place or (None, None)), advocacy, "eligible", known)[:-1], 1 + i % 2, account, language)
        for i, (score, place, advocacy, known, account, language) in enumerate(shop)
    ]
    given_ = {"plan": "allocated", "launch.as_of": "2026-07-01", "launch.valid_days": 6, "rules.per_account": "account"}
    given_ |= {f"plan.{name}": value for name, value in ({"fill_confidence": None} | limits).items()}
    frame = pl.DataFrame(rows, schema=columns, orient="row")
    chosen = segmenter.launch_settings(given_)
    try:
        done = plan(frame, chosen)
    except InfeasibleError as error:
        for limit, amount in error.alone.group_by("limit").agg(pl.col("amount").sum()).rows():
            mended = loosened(given_, limits, limit, amount)
            if mended is not None:
                plan(frame, segmenter.launch_settings(given_ | mended))  # what is advised helps
        return
    except (ConfigError, InputError) as error:
        assert any(words in str(error) for words in ("plan.size", "can hold the quotas", "at least 4 regions"))  # noqa: PT017
        return
    everybody = done.customers
    invited, held = everybody.filter("invited"), everybody.filter("held_out")
    assert not (everybody["invited"] & everybody["held_out"]).any()
    assert (everybody["left_out"].is_null() == everybody["invited"]).all()
    assert done.groups["size"].sum() == invited.height > 0
    assert limits["size"] == "all" or invited.height <= limits["size"]
    assert not limits["require_size"] or limits["size"] == "all" or invited.height == limits["size"]
    assert done.groups.height <= limits["max_groups"]
    assert done.groups["size"].is_between(limits["smallest"], limits["group_capacity"]).all()
    shares = done.layers.with_columns(share=pl.col("people") / pl.col("people").sum().over("group"))
    for layer, bounds in limits["layers"].items():
        assert shares.filter(layer=layer)["share"].is_between(bounds.get("min", 0), bounds.get("max", 1)).all()
    if limits["budget"] is not None:
        assert invited.select((2 + limits["gifts.join"] * pl.col("join_chance")).sum()).item() <= limits["budget"] + 1e-6
    calls = {agent["name"]: agent["calls_per_day"] for agent in limits["agents"]}
    for agent, people_called in invited.filter(pl.col("agent").is_not_null()).group_by("agent", "call_on").len().drop("call_on").rows():
        assert people_called <= calls[agent]
    for agent in limits["agents"]:
        own = invited.filter(agent=agent["name"])
        assert own["city"].is_in(["成都"]).all() or agent.get("regions") != ["成都"]
        assert own["language"].is_in(["yue"]).all() or "languages" not in agent
        assert own.height <= 5 * calls[agent["name"]] or invited["account"].is_not_null().any()  # five working days
    assert not limits["agents"] or invited["agent"].null_count() == 0
    twice = invited.filter(pl.col("account").is_not_null()).select("account", "call_on").is_duplicated()
    assert not twice.any()
    keeps_to = [limits["topic"]] * bool(limits["topic"])
    assert all((invited.group_by("group").agg(pl.col(name).n_unique())[name] == 1).all() for name in keeps_to)
    if limits["holdout_by"] == "region" and limits["holdout"]:
        place = "city" if limits["by_region"] == "city" else "province"
        assert not set(held.filter(pl.col(place).is_not_null())["stratum"].str.replace(r"\|\d$", "")) & set(
            invited["stratum"].str.replace(r"\|\d$", "")
        )
    backwards = plan(frame[::-1], chosen)
    assert backwards.customers.sort("customer_id").equals(everybody.sort("customer_id"))
    assert backwards.groups.equals(done.groups)


def loosened(given_, limits, limit, amount):
    """The settings with one limit loosened as advised; None where settings cannot say it."""
    match limit:
        case "size_min":
            return {"plan.size": limits["size"] - amount, "plan.require_size": True}
        case "budget":
            return {"plan.budget": limits["budget"] + amount / 100}
        case "smallest":  # of smaller groups fewer regions are joined
            return {"plan.smallest": 1} if limits["by_region"] == "none" else None
        case "agents":  # who calls them is somebody new
            return {"plan.agents": [*given_["plan.agents"], {"name": "new", "calls_per_day": amount}]}
        case _:
            return None
