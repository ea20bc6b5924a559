"""The demo shop's launch planned again on each of the fourteen days that follow, as its customers go on buying and answering."""

from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

import segmenter
from segmenter.checks.ledger_ids import with_launches
from segmenter.demo.aftermath import live_on
from segmenter.demo.shop import simulate
from segmenter.launch_record import LaunchRecord
from segmenter.ledger import (
    cancel_launch,
    list_invitations,
    list_launches,
    list_states,
    open_ledger,
    read_past_launches,
    record_answers,
    record_plan,
)

AS_OF, DAYS = date(2026, 7, 1), 14
KEY = ["customer_id", "wave", "group", "agent", "planned_at"]
pytestmark = pytest.mark.slow


def planned(ledger, tables, day, **changes):
    settings = segmenter.launch_settings(
        {
            "launch.as_of": str(day),
            "scoring": "weighted",
            "launch.name": "spring",
            "plan.size": 150,
            "plan.key_users": 10,
            "plan.agents": [{"name": "王芳", "calls_per_day": 6}, {"name": "李强", "calls_per_day": 4}],
            **changes,
        }
    )
    past = read_past_launches(ledger, "spring", day, community="vip", days=365)
    return segmenter.plan_launch(with_launches(tables, past, day), settings)


def record(ledger, plan):
    began, ended = plan.runs or (AS_OF, AS_OF + timedelta(days=30))
    record_plan(ledger, LaunchRecord("spring", "vip", began, (ended - began).days, None, "CNY", "x", 0.1), plan.invitations)


@pytest.fixture(scope="module")
def shop():
    return simulate(900, 400, AS_OF, 3)


def tables_of(shop, day):
    settings = segmenter.launch_settings({"launch.as_of": str(day), "data.customers.contact": ["phone"]})
    frames = {"orders": shop.orders, "customers": shop.customers, "events": shop.events, "referrals": shop.referrals}
    return segmenter.canonical_tables(frames, settings.data, settings.launch)


def test_nobody_called_and_nobody_of_the_control_group_changes_on_fourteen_days(shop, tmp_path: Path):
    ledger = open_ledger(None, tmp_path / "spring")
    first = planned(ledger, tables_of(shop, AS_OF), AS_OF)
    record(ledger, first)
    begun = first.invitations
    after = live_on(shop, DAYS, first.invite_list.select("customer_id", "call_on"), effect=0.25, seed=3)
    said = after.answers.filter(pl.col("answer").is_in(["joined", "refused"])).select(
        "customer_id", "answer", "answered_on", reason=None, source=pl.lit("x")
    )
    tables = tables_of(after.shop, AS_OF + timedelta(days=DAYS))
    held = set(begun.filter(status="held_out")["customer_id"])
    assert held
    called = begun.clear()
    for day in (AS_OF + timedelta(days=number) for number in range(1, DAYS + 1)):
        if not (news := said.filter(pl.col("answered_on") == day - timedelta(days=1))).is_empty():
            record_answers(ledger, "spring", news)
        before = list_invitations(ledger, "spring").filter(pl.col("status").is_not_null())
        plan = planned(ledger, tables, day)
        now = plan.invitations
        assert set(now.filter(status="held_out")["customer_id"]) == held
        called = before.filter(pl.col("planned_at") < day, status="planned").select(KEY)
        assert called.join(now.filter(status="planned"), on=KEY, how="semi", nulls_equal=True).height == called.height
        assert not set(plan.invite_list["customer_id"]) & (held | set(called["customer_id"]) | set(news["customer_id"]))
        record(ledger, plan)
        assert list_launches(ledger)["as_of"].to_list() == [AS_OF]
    assert called.height > 50
    assert list_states(ledger, 30)["answers"].item() > 0


def test_ten_drafts_and_planning_again_record_nothing_and_cancel_gives_everybody_back(shop, tmp_path: Path):
    ledger, tables = open_ledger(None, tmp_path / "spring"), tables_of(shop, AS_OF)
    drafts = [planned(ledger, tables, AS_OF, **{"plan.holdout": 0.01 * number}) for number in range(3)]
    first = planned(ledger, tables, AS_OF)
    assert list_launches(ledger).is_empty()
    record(ledger, first)
    again = planned(ledger, tables, AS_OF)
    assert again.invitations.equals(first.invitations)
    cancel_launch(ledger, "spring")
    free = read_past_launches(ledger, "summer", AS_OF, community="vip", days=365)
    assert free is None
    assert planned(ledger, tables, AS_OF).invitations.equals(first.invitations)
    assert {draft.counts["eligible"] for draft in drafts} == {first.counts["eligible"]}
