from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from documents import the_block
from icalendar import Calendar
from jobs import run_here
from marks import slow_but
from openpyxl import load_workbook
from pages import text_of

import segmenter
from segmenter.demo.shop import simulate
from segmenter.report.call_sheet_book import BookMaker
from segmenter.report.call_sheets import call_sheets
from segmenter.report.event_calendar import write_calendar
from segmenter.report.labels import Labels
from segmenter.report.launch_report import launch_report
from segmenter.report.page import render_page

AGENTS = [{"name": "王芳", "calls_per_day": 40}, {"name": "=Li", "calls_per_day": 40}]
EVENTS = {"weekday": "thursday", "time": "20:00", "count": 3, "first": "2026-09-17"}


@pytest.fixture(scope="module")
def made() -> Any:
    shop = simulate(customers=600, days=400, as_of=date(2026, 9, 14), seed=3)
    settings = segmenter.launch_settings(
        {
            "scoring": "weighted",
            **{"launch.as_of": "2026-09-14", "launch.name": "four Thursdays", "launch.live_events": EVENTS, "launch.valid_days": 28},
            **{
                "plan.size": 150,
                "plan.key_users": 2,
                "plan.agents": AGENTS,
                "plan.by_region": "none",
                "segments.k": 2,
                "segments.bootstraps": 2,
            },
        }
    )
    tables = segmenter.canonical_tables({"orders": shop.orders, "customers": shop.customers}, settings.data, settings.launch)
    return segmenter.in_words(segmenter.plan_launch(tables, settings), settings), settings, tables


@pytest.mark.slow
@pytest.mark.parametrize("lang", slow_but(["en", "zh"], "zh"))
def test_page_and_terminal_show_the_events_and_the_days(made: Any, lang: str) -> None:
    plan, settings, tables = made
    report = launch_report(plan, settings.model_copy(update={"lang": lang}), tables.rejects)
    (section,) = [section for section in report.sections if section.heading in ("Calendar", "日历")]
    (brief,) = section.brief
    assert [row.cells[-2].text for row in brief.rows] == [str(count) for count in per_event(plan)]
    text = text_of(render_page(report, lang))
    for words in {
        "en": ["Thu 1 Oct 20:00", "Wed 30 Sep", "live event 3, 20:00, public holiday", "王芳"],
        "zh": ["10月1日 周四 20:00", "公众假期"],
    }[lang]:
        assert words in text


def per_event(plan: Any) -> list[int]:
    calls = dict(plan.calls.group_by("day").agg(pl.col("calls").sum()).rows())
    assert sum(calls.values()) == 150
    assert all(any(day in event.days for event in plan.live_events) for day in calls)
    return [sum(calls.get(day, 0) for day in event.days) for event in plan.live_events]


def test_calendars_read_the_file_and_it_has_the_same_bytes(made: Any, tmp_path: Path) -> None:
    plan, settings, _ = made
    paths = [tmp_path / name for name in ("one.ics", "two.ics")]
    for path in paths:
        write_calendar(plan, settings.launch, Labels("en", "CNY"), path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    entries = list(Calendar.from_ical(paths[0].read_bytes()).walk("VEVENT"))
    assert len({str(entry["uid"]) for entry in entries}) == len(entries) == 6 + plan.calls["day"].n_unique()
    assert {entry.decoded("dtstamp").date() for entry in entries} == {date(2026, 9, 14)}
    begins = {str(entry["summary"]).partition(": ")[2]: entry.decoded("dtstart") for entry in entries}
    assert begins["live event 3"] == datetime(2026, 10, 1, 20, tzinfo=ZoneInfo("Asia/Shanghai"))
    assert begins["reminder of live event 3"] == date(2026, 9, 30)
    assert all(len(line.encode()) <= 75 for line in paths[0].read_bytes().decode().split("\r\n"))


def test_call_sheets_say_when_the_events_are(made: Any, tmp_path: Path) -> None:
    plan, settings, tables = made
    (path, *_) = BookMaker(call_sheets(plan, settings, tables.contacts)).write(tmp_path)
    info = {row[0]: row[1] for row in load_workbook(path)["info"].iter_rows(values_only=True)}
    assert "Thu 1 Oct 20:00 (public holiday), reminder on Wed 30 Sep" in info["live events"]


def test_without_events_there_is_no_calendar(made: Any) -> None:
    plan, settings, tables = made
    headings = [section.heading for section in launch_report(replace(plan, live_events=()), settings, tables.rejects).sections]
    assert "Calendar" not in headings


def test_a_running_launch_keeps_its_events(made: Any) -> None:
    plan, settings, _ = made
    began = date(2026, 9, 14)
    running = plan.invitations.with_columns(
        launch=pl.lit("x"),
        community=pl.lit("vip"),
        as_of=began,
        ends_on=began + timedelta(30),
        in_plan=True,
        wave=pl.col("wave").cast(pl.Int64),
        answer=pl.lit(None, pl.String),
        answered_on=pl.lit(None, pl.Date),
        reason=pl.lit(None, pl.String),
        source=pl.lit(None, pl.String),
    )
    later = settings.model_copy(update={"launch": settings.launch.model_copy(update={"as_of": began + timedelta(8)})})
    frame = plan.customers.drop(
        [
            name
            for name in plan.customers.columns
            if name in ("invited", "held_out", "rank", "wave", "group", "agent", "call_on", "join_chance", "stratum", "left_out")
        ]
    )
    again = segmenter.plan(frame, later, None, running)
    assert again.live_events == plan.live_events
    assert (
        again.calls.group_by("day")
        .agg(pl.col("calls").sum())
        .sort("day")
        .equals(plan.calls.group_by("day").agg(pl.col("calls").sum()).sort("day"))
    )


@pytest.mark.slow
def test_the_documented_launch_runs_as_documented(tmp_path: Path) -> None:
    text = the_block("docs/guide/recipes.md", "yaml", "name: thursdays").text
    (tmp_path / "my_conf" / "experiment").mkdir(parents=True)
    (tmp_path / "my_conf" / "experiment" / "thursdays.yaml").write_text(text, encoding="utf-8")
    few = ["data.shop.customers=3000", "plan.by_region=none", "segments.k=2", "tracking=none", "ledger.use=false"]
    said = run_here("launch", "--config-dir", "my_conf", "+experiment=thursdays", *few, cwd=tmp_path).stderr
    assert "2026-10-01" in said
    assert "2026-09-30" in said
    assert "after the reminder" not in said
    out = tmp_path / "outputs" / "thursdays"
    assert (out / "calendar.ics").read_bytes().startswith(b"BEGIN:VCALENDAR")
    listed = pl.read_csv(out / "invite_list.csv", try_parse_dates=True)
    days = {wave: sorted(set(part["call_on"])) for (wave,), part in listed.group_by("wave")}
    assert days[1] == [date(2026, 9, 14), date(2026, 9, 15)]
    assert days[2] == [date(2026, 9, day) for day in (18, 20, 21, 22)]  # the 20th is a Sunday that is worked
    assert days[3] == [date(2026, 9, day) for day in (28, 29)]
    away = listed.filter(agent="李强", call_on=date(2026, 9, 21)), listed.filter(agent="李强", call_on=date(2026, 9, 22))
    assert not any(part.height for part in away)
    assert listed.filter(agent="陈静", call_on=date(2026, 9, 18)).height <= 40
    per_day = listed.group_by("agent", "call_on").len()
    assert per_day["len"].max() <= 80
