from collections import Counter
from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

import segmenter
from segmenter.errors import ConfigError
from segmenter.planning.live_events import LiveEvent, list_live_events
from segmenter.planning.schedule import schedule
from segmenter.settings import SimplePlan

THURSDAY = date(2026, 9, 24)
# As the State Council announced 2026.
OFF = {date(2026, 9, 25), *(date(2026, 10, day) for day in range(1, 8))}
WORKED = {date(2026, 9, 20), date(2026, 10, 10)}
PLACES = [("四川", "成都"), ("四川", "绵阳"), ("云南", "昆明"), ("云南", None), (None, None)]
SCHEMA = {
    **{"customer_id": pl.String, "rank": pl.Int32, "group": pl.String, "region": pl.String, "province": pl.String, "city": pl.String},
    **{"key_user": pl.Boolean, "language": pl.String, "company": pl.String},
}


DEFAULTS = segmenter.launch_settings({}).plan.model_dump()
REGIONS = segmenter.launch_settings({}).rules.region


def plan_of(**overrides):
    return SimplePlan.model_validate(
        DEFAULTS | {name: tuple(value) if isinstance(value, list) else value for name, value in overrides.items()}
    )


def agent(name, calls, regions=(), languages=(), **more):
    return {"name": name, "calls_per_day": calls, "regions": tuple(sorted(regions)), "languages": tuple(languages), **more}


def people(*rows):
    """Give one row per (group, place, key user, language, company), ranked as given."""
    full = [
        (f"c{rank:05}", rank, group, PLACES[place][0], *PLACES[place], key_user, language, company)
        for rank, (group, place, key_user, language, company) in enumerate(rows, start=1)
    ]
    return pl.DataFrame(full, schema=SCHEMA, orient="row")


def made(invited, plan, *, per_account=None, as_of=THURSDAY, valid_days=14, **more):
    until = as_of + timedelta(valid_days)
    return schedule(invited, plan, as_of=as_of, valid_until=until, per_account=per_account, regions=REGIONS, **more)


def event(day, *days):
    return LiveEvent(day, "20:00", day - timedelta(1), tuple(date(2026, 7, number) for number in days))


def works(day, weekend=(5, 6)):
    return day in WORKED or (day not in OFF and day.weekday() not in weekend)


def first_day(wave, plan):
    day = (plan.start or THURSDAY) + timedelta((wave - 1) * plan.wave_days)
    while not works(day):
        day += timedelta(1)
    return day


def takes(agent, row):
    names = {row["province"], row["city"], f"{row['province']}/{row['city']}"} - {None}
    return (not agent.regions or bool(names & set(agent.regions))) and (not agent.languages or row["language"] in agent.languages)


agents = st.lists(
    st.tuples(
        st.integers(1, 4),
        st.sets(st.sampled_from(["四川", "云南", "成都", "四川/绵阳", "昆明"]), max_size=2),
        st.sets(st.sampled_from(["普通话", "粤语"]), max_size=1),
    ),
    max_size=4,
).map(lambda found: [agent(f"agent {number}", *each) for number, each in enumerate(found)])
plans = st.builds(
    plan_of,
    agents=agents,
    wave_size=st.none() | st.integers(1, 4),
    wave_days=st.integers(1, 8),
    start=st.none() | st.sampled_from([THURSDAY + timedelta(days) for days in (0, 1, 2, 6)]),
)
invitations = st.lists(
    st.tuples(
        st.sampled_from(["g1", "g2", "g3"]),
        st.integers(0, 4),
        st.booleans(),
        st.sampled_from([None, "普通话", "粤语"]),
        st.sampled_from([None, None, "ACME", "Initech"]),
    ),
    max_size=30,
).map(lambda rows: people(*rows))


@given(invitations, plans, st.booleans(), st.randoms(use_true_random=False))
@hypothesis_settings(max_examples=60)
def test_what_holds_of_every_schedule(invited, plan, by_company, random):
    done = made(invited, plan, per_account="company" if by_company else None)
    assert done.customers.schema == {"customer_id": pl.String, "wave": pl.Int32, "call_on": pl.Date, "agent": pl.String}
    assert done.customers["customer_id"].to_list() == invited["customer_id"].to_list()
    rows = invited.hstack(done.customers.drop("customer_id")).to_dicts()
    by_name = {each.name: each for each in plan.agents}
    others = Counter()
    for row in rows:  # by rank
        wave = 1 if row["key_user"] else 2 + (0 if plan.wave_size is None else others[row["group"]] // plan.wave_size)
        others[row["group"]] += not row["key_user"]
        first = first_day(wave, plan)
        assert row["wave"] == wave
        assert row["call_on"] >= first
        assert works(row["call_on"])
        able = [each.name for each in plan.agents if takes(each, row)]
        assert row["agent"] in (able or [None])
        if not able and not (by_company and row["company"]):
            assert row["call_on"] == first
    for (name, _), calls in Counter((row["agent"], row["call_on"]) for row in rows).items():
        assert name is None or calls <= by_name[name].calls_per_day
    if by_company:
        assert max(Counter((row["company"], row["call_on"]) for row in rows if row["company"]).values(), default=1) == 1
    else:
        alike = {}
        for row in rows:
            alike.setdefault(tuple(row[key] for key in ("wave", "group", "province", "city", "language")), []).append(row["call_on"])
        assert all(days == sorted(days) for days in alike.values())
    counted = Counter((row["agent"], row["call_on"], row["region"], row["wave"]) for row in rows)
    assert {(*row[:4],): row[4] for row in done.calls.rows()} == counted
    late = sum(row["call_on"] > THURSDAY + timedelta(14) for row in rows)
    assert any(f"{late} of {len(rows)} calls come after 2026-10-08" in warning for warning in done.warnings) == (late > 0)
    mixed = list(range(len(rows)))
    random.shuffle(mixed)
    again = made(invited[mixed], plan, per_account="company" if by_company else None)
    assert again.customers.sort("customer_id").equals(done.customers.sort("customer_id"))
    assert again.calls.equals(done.calls)
    assert again.warnings == done.warnings


def test_waves_of_each_group_and_their_first_days():
    invited = people(*[("g1", 0, rank < 2, None, None) for rank in range(5)], *[("g2", 2, False, None, None)] * 3)
    done = made(invited, plan_of(wave_size=2, start=date(2026, 9, 25)))
    assert done.customers["wave"].to_list() == [1, 1, 2, 2, 3, 2, 2, 3]
    assert dict(done.customers.select("wave", "call_on").rows()) == {1: date(2026, 9, 28), 2: date(2026, 10, 8), 3: date(2026, 10, 9)}
    assert done.customers["agent"].null_count() == 8
    assert made(invited, plan_of()).customers["wave"].to_list() == [1, 1, 2, 2, 2, 2, 2, 2]


def test_capacity_is_used_first_then_shared_evenly_and_groups_stay_together():
    invited = people(
        *[("四川-1", 0, True, None, None)] * 20, *[("云南-1", 2, True, None, None)] * 10, *[("云南-2", 2, True, None, None)] * 10
    )
    plan = plan_of(agents=[agent("any", 5), agent("四川", 5, ["Sichuan"]), agent("西南", 5, ["四川省", "昆明"])], calendar=None)
    done = made(invited, plan, as_of=date(2026, 7, 6))
    # 40 calls at 15 a day: 2 days are full, the third has 10, so that nobody was idle while others were needed.
    assert dict(done.calls.group_by("day").agg(pl.col("calls").sum()).rows()) == {
        date(2026, 7, 6): 15,
        date(2026, 7, 7): 15,
        date(2026, 7, 8): 10,
    }
    assert sorted(done.customers.group_by("agent").len()["len"].to_list()) == [13, 13, 14]
    helped = done.customers.with_columns(invited["group"]).filter(pl.col("agent") == "四川")
    assert helped["group"].unique().to_list() == ["四川-1"]
    assert not done.warnings


def test_later_waves_wait_for_earlier_ones_and_are_shared_anew():
    invited = people(*[("g1", 0, True, None, None)] * 8, *[("g1", 0, False, None, None)] * 8)
    plan = plan_of(agents=[agent("a", 1), agent("b", 1)], wave_days=1, weekend=[], calendar=None)
    done = made(invited, plan)
    days = done.customers["call_on"].to_list()
    assert days == sorted(days)
    assert done.customers.group_by("agent", "call_on").len().height == 16
    assert days[-1] == THURSDAY + timedelta(7)


def test_an_account_is_called_once_a_day_by_its_best_first():
    rows = [("g1", 0, True, None, company) for company in ("ACME", "ACME", None, None, "ACME")]
    done = made(people(*rows), plan_of(calendar=None), per_account="company")
    assert [day.day for day in done.customers["call_on"]] == [24, 25, 24, 24, 28]
    # Of two agents with the same account at hand, the better ranked customer's calls; the other one calls somebody else.
    rows = [("g1", 0, True, None, "ACME"), ("g2", 2, True, None, "ACME"), ("g2", 2, True, None, None)]
    plan = plan_of(calendar=None, agents=[agent("川", 1, ["四川"]), agent("滇", 1, ["云南"])])
    done = made(people(*rows), plan, per_account="company")
    assert [(day.day, name) for day, name in done.customers.select("call_on", "agent").rows()] == [(24, "川"), (25, "滇"), (24, "滇")]


def test_what_falls_behind_the_lists_last_day_and_what_would_help():
    invited = people(*[("g1", 0, True, None, None)] * 40, *[("g2", 2, True, None, None)] * 3)
    sichuan = agent("川", 2, ["四川"])
    done = made(invited, plan_of(calendar=None, agents=[sichuan, agent("滇", 1, ["云南"])]), valid_days=7)
    # 24 September to 1 October: 6 working days.
    assert done.warnings == (
        "28 of 43 calls come after 2026-10-01, the last day on which the list is good, up to 2026-10-21; "
        "more calls a day would make them in time: 四川 5",
    )
    helped = plan_of(calendar=None, agents=[sichuan, agent("滇", 1, ["云南"]), agent("new", 5, ["四川"])])
    assert not made(invited, helped, valid_days=7).warnings
    less = plan_of(calendar=None, agents=[sichuan, agent("滇", 1, ["云南"]), agent("new", 4, ["四川"])])
    assert made(invited, less, valid_days=7).warnings


def test_waves_and_accounts_that_no_agent_could_bring_forward():
    invited = people(*[("g1", 0, True, None, "ACME")] * 4, ("g1", 0, False, None, None))
    (warning,) = made(invited, plan_of(calendar=None), per_account="company", valid_days=1).warnings
    assert "3 of 5 calls come after 2026-09-25" in warning
    assert "1 are of waves that begin later" in warning
    assert "2 wait for others of their account" in warning
    assert "more calls a day" not in warning


def test_calls_that_all_begin_after_the_lists_last_day():
    invited = people(*[("g1", 0, True, None, None)] * 4)
    (warning,) = made(invited, plan_of(calendar=None, start=date(2026, 11, 2)), valid_days=7).warnings
    assert "the first are on 2026-11-02: take an earlier plan.start, or raise launch.valid_days" in warning
    assert "plan.wave_days" not in warning


def test_whom_no_agent_can_call_and_names_that_fit_nobody():
    rows = [("g1", 0, True, "粤语", None), ("g2", 2, True, "粤语", None), ("g2", 2, True, None, None), ("g3", 4, True, "粤语", None)]
    invited = people(*rows, ("g4", 0, True, "粤语", None)).with_columns(city=pl.col("city").replace("昆明", "Chengdu"))
    done = made(invited, plan_of(agents=[agent("王芳", 9, ["成都市", "Chendu"], ["粤语"]), agent("李敏", 9, ["西藏"])]))
    assert done.customers["agent"].to_list() == ["王芳", None, None, None, "王芳"]
    assert done.customers["call_on"].n_unique() == 1
    assert done.warnings == (
        "plan.agents: nobody who is invited has this region, language or attribute: Chendu (王芳; nearest: Chengdu), 西藏 (李敏)",
        "3 of those invited can be called by no agent: no region (粤语) 1, 云南 (language unknown) 1, 云南 (粤语) 1; "
        "widen the regions, languages or attributes in plan.agents",
        "plan.agents: there is nobody to call for 李敏: give them other regions or attributes to serve, or other work",
    )


def test_nobody_and_nothing_known():
    nobody = made(people(), plan_of(agents=[agent("a", 1, ["四川"])]))
    assert (nobody.customers.height, nobody.calls.height, nobody.warnings) == (0, 0, ())
    unknown = (
        people(*[("g1", 4, True, None, None)] * 3)
        .drop("language")
        .with_columns(**dict.fromkeys(("region", "province", "city"), pl.lit(None)))
    )
    done = made(unknown, plan_of(agents=[agent("a", 2)]))
    assert done.customers["agent"].to_list() == ["a"] * 3


def test_wrong_settings_are_told_together():
    invited = people(("g1", 0, True, None, None)).drop("language")
    plan = plan_of(agents=[agent("a", 1, (), ["粤语"])], start=THURSDAY - timedelta(1))
    with pytest.raises(ConfigError) as error:
        made(invited, plan, per_account="compny")
    assert [problem.split(":")[0] for problem in error.value.problems] == ["plan.start", "plan.agents", "rules.per_account"]
    assert 'got "compny"; nearest: company' in error.value.problems[2]
    with pytest.raises(ConfigError, match=r"plan\.wave_days: wave 7,958"):
        made(people(*[("g1", 0, False, None, None)] * 9_000), plan_of(wave_size=1, wave_days=366))


JULY = date(2026, 7, 6)  # a Monday
WEEKLY = (event(date(2026, 7, 9), 6, 7), event(date(2026, 7, 16), 10, 13, 14), event(date(2026, 7, 23), 17, 20, 21))


def test_calls_fill_the_days_before_the_event_of_their_wave():
    invited = people(*[("g1", 0, rank < 10, None, None) for rank in range(40)], *[("g2", 2, False, None, None)] * 6)
    done = made(invited, plan_of(), as_of=JULY, events=WEEKLY, valid_days=28)
    # Without a size of waves, the others of each group are shared out among the events from the second on.
    assert dict(done.customers.group_by("wave").len().rows()) == {1: 10, 2: 18, 3: 18}
    assert sorted(done.customers.group_by("call_on").len()["len"].to_list()) == [5, 5, 6, 6, 6, 6, 6, 6]
    assert set(done.customers["call_on"]) == {day for event in WEEKLY for day in event.days}
    assert not done.warnings
    busy = made(invited, plan_of(agents=[agent("a", 30), agent("b", 15)]), as_of=JULY, events=WEEKLY, valid_days=28)
    assert busy.calls.group_by("day").agg(pl.col("calls").sum())["calls"].max() <= 8  # far from the 45 that could be made
    assert not busy.warnings
    assert "1 of the 2 would be enough" in busy.notes[0]


def test_more_and_fewer_waves_than_live_events():
    invited = people(*[("g1", 0, rank < 4, None, None) for rank in range(24)])
    many = made(invited, plan_of(wave_size=4), as_of=JULY, events=WEEKLY, valid_days=28).customers
    assert many["wave"].unique().sort().to_list() == [1, 2, 3, 4, 5, 6]
    assert all(day in WEEKLY[min(wave, 3) - 1].days for wave, day in many.select("wave", "call_on").rows())
    assert many.filter(pl.col("wave") >= 3).sort("wave")["call_on"].is_sorted()  # the earlier wave first
    few = made(invited, plan_of(wave_size=40), as_of=JULY, events=WEEKLY, valid_days=28).customers
    assert set(few["call_on"]) == {*WEEKLY[0].days, *WEEKLY[1].days}
    single = made(invited, plan_of(), as_of=JULY, events=WEEKLY[:1]).customers
    assert set(single["call_on"]) == set(WEEKLY[0].days)
    idle = LiveEvent(date(2026, 7, 10), None, date(2026, 7, 9), ())
    skipped = made(invited, plan_of(), as_of=JULY, events=(WEEKLY[0], idle, WEEKLY[1]))
    assert set(skipped.customers["call_on"]) == {*WEEKLY[0].days, *WEEKLY[1].days}
    assert "no new calls lead up to the live events of 2026-07-10" in skipped.warnings[0]


def test_calls_that_cannot_be_made_before_the_reminder_are_told():
    invited = people(*[("g1", 0, True, None, None)] * 30)
    done = made(invited, plan_of(agents=[agent("a", 10)]), as_of=JULY, events=WEEKLY)
    (warning,) = done.warnings
    assert "10 calls come after the reminder" in warning
    assert "wave 1 10" in warning
    assert "5 calls more a day" in warning
    assert not made(invited, plan_of(agents=[agent("a", 15)]), as_of=JULY, events=WEEKLY).warnings
    late = made(invited, plan_of(agents=[agent("a", 40)]), as_of=JULY, events=(event(date(2026, 7, 23), 20, 21),), valid_days=14)
    assert "raise launch.valid_days by 1" in late.warnings[0]


@pytest.mark.slow
@given(invitations, plans)
@hypothesis_settings(max_examples=40, deadline=None)
def test_what_holds_of_every_schedule_with_live_events(invited, plan):
    plan = plan.model_copy(update={"start": None})
    found = make_events({"weekday": "thursday", "count": 4}, plan)
    done = made(invited, plan, as_of=JULY, events=found, valid_days=40)
    told = any("calls come after the reminder" in warning for warning in done.warnings)
    days = [found[min(wave, 4) - 1].days for wave in done.customers["wave"]]
    called = list(zip(days, done.customers["call_on"], strict=True))
    assert all(day >= of_event[0] for of_event, day in called)
    assert told == any(day > of_event[-1] for of_event, day in called)
    again = made(invited.reverse(), plan, as_of=JULY, events=found, valid_days=40)
    assert again.customers.sort("customer_id").equals(done.customers.sort("customer_id"))


def make_events(asked, plan):
    settings = segmenter.launch_settings({"launch.live_events": asked})
    return list_live_events(settings.model_copy(update={"plan": plan}), JULY)


def test_days_off_and_half_days():
    invited = people(*[("g1", 0, True, None, None)] * 66)
    off = agent("a", 10, days_off=("2026-07-07", "2026-07-09..2026-07-10"), calls_on={date(2026, 7, 8): 4, date(2026, 7, 11): 2})
    done = made(invited, plan_of(agents=[off, agent("b", 10)]), as_of=JULY)
    by_agent = {name: dict(part.group_by("day").agg(pl.col("calls").sum()).rows()) for (name,), part in done.calls.group_by("agent")}
    assert {day.day: calls for day, calls in sorted(by_agent["a"].items())} == {6: 10, 8: 4, 11: 2}  # the 11th is a Saturday
    assert {day.day: calls for day, calls in sorted(by_agent["b"].items())} == {6: 10, 7: 10, 8: 10, 9: 10, 10: 10}
    halved = made(
        invited, plan_of(agents=[agent("a", 10, days_off=("2026-07-08..2026-07-14",)), agent("b", 10)]), as_of=JULY, events=WEEKLY
    )
    assert dict(halved.customers.group_by("agent").len().rows())["a"] >= 20  # who is away later still does as much before


def test_attributes_that_agents_serve():
    invited = people(*[("g1", 0, True, None, company) for company in ("ACME", "Initech", None) * 4])
    plan = plan_of(agents=[agent("a", 9, serves={"company": ("ACME",)}), agent("b", 9, serves={"company": ("Initech", "Umbrela")})])
    done = made(invited, plan, as_of=JULY)
    assert done.customers["agent"].to_list() == ["a", "b", None] * 4
    assert "Umbrela (b)" in done.warnings[0]
    assert "四川 (company unknown) 4" in done.warnings[1]
    with pytest.raises(
        ConfigError, match=r'plan\.agents: serves should name attributes of the customers \(got "compny"; nearest: company\)'
    ):
        made(invited, plan_of(agents=[agent("a", 9, serves={"compny": ("ACME",)})]))


def test_all_agents_off_is_one_clear_message():
    away = [agent(name, 9, days_off=("2026-07-01..2026-07-31",)) for name in ("a", "b")]
    with pytest.raises(ConfigError) as error:
        made(people(("g1", 0, True, None, None)), plan_of(agents=away), as_of=JULY)
    (problem,) = error.value.problems
    assert problem.startswith("plan.agents: ")
    assert "a, b off" in problem


def test_the_same_agent_calls_again_and_loads_stay_fair():
    invited = people(*[("g1", 0, True, None, None)] * 12)
    plan = plan_of(agents=[agent("a", 3), agent("b", 3), agent("c", 3, ["云南"])])
    before = pl.DataFrame({"customer_id": [f"c{rank:05}" for rank in range(1, 13)], "last": [*"bbabaabbab", "c", "gone"]})
    done = made(invited, plan, as_of=JULY, last_agents=before)
    plain = made(invited, plan, as_of=JULY)
    assert done.customers.drop("agent").equals(plain.customers.drop("agent"))
    assert done.calls.equals(plain.calls)
    same = (done.customers["agent"] == before["last"]).sum()
    assert same > (plain.customers["agent"] == before["last"]).sum()
    assert f"{same} of 10 who were called before" in done.notes[-1]


def test_agents_without_work_are_told():
    invited = people(*[("g1", 0, True, None, None)] * 9)
    done = made(invited, plan_of(agents=[agent("a", 9), agent("b", 9, ["云南"])]), as_of=JULY)
    assert any("nobody to call for b" in warning for warning in done.warnings)


@pytest.mark.slow
def test_a_hundred_thousand_are_scheduled():
    count = 100_000
    invited = pl.select(rank=pl.int_range(1, count + 1, dtype=pl.Int32)).with_columns(
        customer_id=pl.col("rank").cast(pl.String),
        province=pl.format("p{}", pl.col("rank") % 31),
        city=pl.lit(None, dtype=pl.String),
        group=pl.format("g{}", pl.col("rank") % 310),
        key_user=pl.col("rank") < 9_000,
        company=pl.format("{}", pl.col("rank") % 30_000),
    )
    plan = plan_of(agents=[agent(f"a{place}", 200 + place, [f"p{place % 31}", f"p{place % 7}"]) for place in range(40)], wave_size=100)
    done = made(invited.with_columns(region="province"), plan, per_account="company")
    assert done.calls["calls"].sum() == count
    assert done.customers.with_columns(invited["company"]).select(pl.struct("company", "call_on").is_duplicated().any()).item() is False
