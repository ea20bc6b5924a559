"""Whom to call on a day: the order, who never is, and that everybody of the plan is somewhere."""

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jobs import settings_of
from plans import DAY
from polars.testing import assert_frame_equal

from segmenter.planning.day_calls import KINDS, OUT, SECOND, STATES, DayCalls, last_signs, list_day_calls
from segmenter.settings import AgentSettings, TodayJob
from segmenter.tables import ANSWERS, INVITED, REACHED

AGENTS = tuple(AgentSettings(name=name, calls_per_day=calls) for name, calls in (("an", 3), ("bo", 2)))
NO_SIGNS = pl.DataFrame(schema={"customer_id": pl.String, "sign_on": pl.Date, "ordered_on": pl.Date})
NO_BARS = pl.DataFrame(schema={"customer_id": pl.String, "why": pl.String})
ROW = {
    **{"launch": pl.String, "number": pl.Int64, "customer_id": pl.String, "answer": pl.String, "answered_on": pl.Date},
    **{"source": pl.String, "reason": pl.String, "call_on": pl.Date, "hour": pl.Int64, "attempts": pl.Int64},
}
Said = tuple[str, str, int]  # customer, answer, day of the launch


def days(number: int) -> date:
    return DAY + timedelta(days=number)


def told(*said: Said, call_on: dict[str, int] | None = None, hour: int | None = None) -> pl.DataFrame:
    rows = [
        ("spring", number, who, answer, days(day), f"{number}.xlsx", None, days((call_on or {})[who]) if who in (call_on or {}) else None)
        for number, (who, answer, day) in enumerate(said, start=1)
    ]
    return pl.DataFrame([(*row, hour, None) for row in rows], schema=ROW, orient="row")


def invited(people: dict[str, int], answers: pl.DataFrame, until: date, **columns: pl.Expr) -> pl.DataFrame:
    """The launch's people as the ledger gives them; everybody is called on a day of the launch."""
    strength = pl.col("answer").replace_strict(ANSWERS, range(len(ANSWERS)), return_dtype=pl.Int64)
    before = answers.filter(pl.col("answered_on") < until).sort("answered_on", strength)
    current = before.unique("customer_id", keep="last").select("customer_id", "answer", "answered_on", "call_on", "hour")
    at = pl.col("answered_on")
    day = before.group_by("customer_id", "answered_on").agg(
        reached=pl.col("answer").is_in(REACHED).any(), missed=(pl.col("answer") == "not_reached").any()
    )
    since = (at > at.filter("reached").max()).fill_null(value=True)
    counted = day.group_by("customer_id").agg(calls=pl.len().cast(pl.Int64), missed=(since & pl.col("missed")).sum().cast(pl.Int64))
    plan = pl.DataFrame(
        {"customer_id": list(people), "planned_at": [days(day) for day in people.values()]},
        schema={"customer_id": pl.String, "planned_at": pl.Date},
    )
    joined = plan.join(current, on="customer_id", how="left").join(counted, on="customer_id", how="left")
    facts = {"launch": pl.lit("spring"), "in_plan": pl.lit(value=True), "status": pl.lit("planned"), "wave": 1, "group": pl.lit("g-1")}
    facts |= {"agent": pl.when(pl.col("customer_id") < "f").then(pl.lit("an")).otherwise(pl.lit("bo")), "score": 1.0, **columns}
    with_facts = joined.with_columns(**{name: value if isinstance(value, pl.Expr) else pl.lit(value) for name, value in facts.items()})
    lacking = {name: pl.lit(None, dtype) for name, dtype in INVITED.items() if name not in with_facts.columns}
    return with_facts.with_columns(**lacking).select(pl.col(name).cast(dtype) for name, dtype in INVITED.items())


def job(*overrides: str) -> TodayJob:
    return settings_of("today", "data=files", "data.orders.path=orders.csv", "plan.weekend=[]", "plan.calendar=null", *overrides)


JOB = job()


def listed(
    people: dict[str, int],
    answers: pl.DataFrame,
    day: int,
    *,
    asked: TodayJob = JOB,
    agents: tuple[AgentSettings, ...] = (),
    event: bool = False,
    signs: pl.DataFrame = NO_SIGNS,
    barred: pl.DataFrame = NO_BARS,
    **columns: pl.Expr,
) -> DayCalls:
    frame = invited(people, answers, days(day), **columns)
    plan = asked.plan.model_copy(update={"agents": agents})
    return list_day_calls(frame, answers, day=days(day), plan=plan, today=asked.today, barred=barred, signs=signs, event=event)


def kinds(calls: DayCalls) -> dict[str, str]:
    return dict(calls.calls.select("customer_id", "kind").rows())


def test_overdue_and_call_backs_come_before_due_and_second_calls() -> None:
    said = told(("a", "not_reached", 1), ("b", "agreed", 1), ("c", "call_back", 1), ("g", "thinking", 4))
    calls = listed({"a": 1, "b": 1, "c": 1, "d": 3, "e": 4, "g": 1, "h": 6}, said, 4)
    assert calls.calls.filter(agent="an")["kind"].to_list() == ["overdue", "call_back", "due", "again", "agreed"]
    assert calls.people.filter(state="later").select("customer_id", "due_on").rows() == [("h", days(6))]


def test_a_call_back_waits_for_its_day() -> None:
    said = told(("a", "call_back", 1), ("b", "agreed", 1), call_on={"a": 5, "b": 3})
    assert kinds(listed({"a": 1, "b": 1}, said, 3)) == {"b": "call_back"}
    assert kinds(listed({"a": 1, "b": 1}, said, 5)) == {"a": "call_back", "b": "call_back"}


def test_who_said_no_is_never_called_whatever_came_after_in_vain() -> None:
    said = told(
        *(("a", "refused_for_good", 1), ("a", "not_reached", 2), ("b", "wrong_number", 1), ("b", "not_reached", 2)),
        *(("c", "refused", 1), ("c", "not_reached", 2), ("d", "refused", 1), ("d", "agreed", 2)),
    )
    calls = listed(dict.fromkeys("abcd", 1), said, 9)
    assert kinds(calls) == {"d": "agreed"}
    assert dict(calls.people.filter(state="out").select("customer_id", "why").rows()) == {
        "a": "refused_for_good",
        "b": "wrong_number",
        "c": "refused",
    }


def test_whoever_is_barred_held_out_or_no_longer_in_the_plan_is_out() -> None:
    barred = pl.DataFrame({"customer_id": ["a", "a", "b"], "why": ["refused_for_good", "held_out", "no_contact"]})
    moved = pl.col("customer_id") != "c"
    status = pl.when(pl.col("customer_id") == "d").then(pl.lit("held_out")).otherwise(pl.lit("planned"))
    calls = listed(dict.fromkeys("abcde", 1), told(), 1, barred=barred, in_plan=moved, status=status)
    assert kinds(calls) == {"e": "due"}
    assert calls.people["why"].to_list() == ["held_out", "no_contact", "left_plan", "held_out", None]


def test_calls_in_vain_end_after_so_many_attempts() -> None:
    said = told(*(("a", "not_reached", day) for day in (1, 2, 3)))
    assert kinds(listed({"a": 1}, said, 3)) == {"a": "again"}
    assert listed({"a": 1}, said, 9).people["why"].to_list() == ["attempts"]
    assert kinds(listed({"a": 1}, said, 9, asked=job("today.attempts=4"))) == {"a": "again"}
    assert listed({"a": 1}, said, 3, asked=job("today.second_calls=false")).people["why"].to_list() == ["no_second_calls"]


def test_members_are_called_when_they_are_silent_or_have_not_ordered_by_the_event() -> None:
    said = told(("a", "joined", 1), ("b", "joined", 1), ("c", "joined", 1))
    signs = pl.DataFrame({"customer_id": ["b", "c"], "sign_on": [days(2), days(2)], "ordered_on": [None, days(3)]}, schema=NO_SIGNS.schema)
    assert kinds(listed(dict.fromkeys("abc", 1), said, 5, signs=signs)) == {}
    assert kinds(listed(dict.fromkeys("abc", 1), said, 8, signs=signs)) == {"a": "silent"}
    assert kinds(listed(dict.fromkeys("abc", 1), said, 5, signs=signs, event=True)) == {"a": "event", "b": "event"}
    assert listed(dict.fromkeys("abc", 1), said, 5, signs=signs).people.filter(customer_id="c")["state"].item() == "done"


def test_agents_call_as_many_as_they_can_and_the_rest_is_told() -> None:
    off = (AGENTS[0].model_copy(update={"days_off": (str(days(2)),)}), AGENTS[1])
    people = {**dict.fromkeys("abcde", 2), **dict.fromkeys("ghi", 2)}
    calls = listed(people, told(), 2, agents=off)
    assert calls.loads.rows() == [("an", 0, 0, 5, 5, 3), ("bo", 2, 2, 1, 1, 2)]
    assert set(kinds(calls)) == {"g", "h"}
    later = listed(people, told(("g", "agreed", 2), ("h", "not_reached", 2)), 3, agents=off)
    assert kinds(later) == {"a": "overdue", "b": "overdue", "c": "overdue", "i": "overdue", "h": "again"}
    strange = listed(people, told(), 2, agents=off[:1])
    assert strange.warnings[0].code == "day.unknown_agents"


def test_signs_are_those_of_the_kinds_before_the_day() -> None:
    moments = [days(1), days(3), days(9)]
    events = pl.DataFrame({"customer_id": "a", "kind": ["speak", "view", "speak"], "time": moments}).cast({"time": pl.Datetime("us")})
    orders = pl.DataFrame({"customer_id": ["a", "b"], "is_order": [False, True], "time": [days(2), days(2)]}).cast(
        {"time": pl.Datetime("us")}
    )
    found = last_signs(events, orders, ("speak",), days(8)).sort("customer_id")
    assert found.rows() == [("a", days(1), None), ("b", None, days(2))]


MONTH = st.lists(
    st.tuples(st.sampled_from("abcdefghij"), st.sampled_from(ANSWERS), st.integers(0, 20)), max_size=40, unique_by=lambda said: said[::2]
)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    MONTH, st.dictionaries(st.sampled_from("abcdefghij"), st.integers(0, 12), min_size=1), st.integers(0, 25), st.booleans(), st.randoms()
)
def test_any_day_of_any_month(said: list[Said], people: dict[str, int], day: int, event: bool, chance) -> None:
    known = [each for each in said if each[0] in people]
    held = pl.col("customer_id").is_in(["b", "h"])
    status = pl.when(held).then(pl.lit("held_out")).otherwise(pl.lit("planned"))
    asked = {"agents": AGENTS, "event": event, "status": status}
    calls = listed(people, told(*known), day, **asked)
    # Everybody of the plan is in exactly one place.
    assert calls.people["customer_id"].to_list() == sorted(people)
    assert set(calls.people["state"]) <= set(STATES)
    assert set(calls.people.filter(state="out")["why"]) <= set(OUT)
    assert set(calls.people.filter(pl.col("state").is_in(("called", "later")))["kind"]) <= set(KINDS)
    called = calls.calls
    assert called["customer_id"].is_unique().all()
    for agent in AGENTS:
        assert called.filter(agent=agent.name).height <= agent.calls_per_day
    for row in called.iter_rows(named=True):
        history = sorted((when, ANSWERS.index(answer), answer) for who, answer, when in known if who == row["customer_id"] and when < day)
        words = [answer for *_, answer in history]
        assert row["customer_id"] not in ("b", "h")
        assert words[::-1].index("joined") < words[::-1].index("refused_for_good") if "refused_for_good" in words else True
        assert not words or words[-1] not in ("wrong_number", "refused", "refused_for_good")
        assert len(words) < 3 or words[-3:] != ["not_reached"] * 3
        assert row["kind"] not in SECOND or words
    # What comes on the day itself or later, and the order of the answers, change nothing.
    earlier = [each for each in known if each[2] < day]
    chance.shuffle(earlier)
    again = listed(people, told(*earlier), day, **asked)
    assert_frame_equal(again.people, calls.people)


def test_whoever_joined_through_somebody_before_their_call_needs_none() -> None:
    said = told(("a", "joined", 1), ("b", "joined", 1))
    brought = pl.when(pl.col("customer_id") == "a").then(pl.lit("b"))
    assert kinds(listed({"a": 2, "b": 2, "c": 2}, said, 2, brought_by=brought)) == {"c": "due"}
