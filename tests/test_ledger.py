"""The ledger: what plans and answers may change, and that it agrees with the results wherever a job is killed."""

import json
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date, timedelta
from pathlib import Path
from threading import Timer

import polars as pl
import pytest
import sqlalchemy
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from segmenter.errors import ConfigError, OutputError
from segmenter.ledger import (
    ANSWERS,
    Launch,
    Ledger,
    LedgerError,
    answers,
    held_out,
    invited,
    launches,
    members,
    open_ledger,
    people,
    record_answers,
    record_plan,
    recorded,
    refused_for_good,
)
from segmenter.ledger import (
    connection as opened,
)
from segmenter.ledger.review_answers import find_launch
from segmenter.ledger.schema import VERSION, tables, upgrade, version_of
from segmenter.report import publication
from segmenter.report.publication import publish, sha256
from segmenter.tables import INVITED
from segmenter.themes import themed

DAY = date(2026, 7, 1)


def launch(name: str = "spring", as_of: date = DAY, horizon: int = 30, community: str = "tea") -> Launch:
    return Launch(name, community, as_of, horizon, 30_000_000, "CNY", "e3b0c442", 0.1)


def planned(invite: str = "", hold: str = "", *, wave: int = 1, score: float = 50.0) -> pl.DataFrame:
    ids = [*invite, *hold]
    return pl.DataFrame(
        {
            "customer_id": ids,
            "status": ["planned"] * len(invite) + ["held_out"] * len(hold),
            "wave": [wave] * len(invite) + [None] * len(hold),
            "group": "四川-1",
            "agent": None,
            "score": score,
            "stratum": "",
        },
        schema_overrides={"customer_id": pl.String, "status": pl.String, "wave": pl.Int32},
    )


def said(answer: str, ids: str, day: date = DAY + timedelta(days=1), source: str = "表.xlsx", reason: str | None = None) -> pl.DataFrame:
    return pl.DataFrame({"customer_id": list(ids), "answer": answer, "answered_on": day, "source": source, "reason": reason})


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> Iterator[str | None]:
    if request.param == "sqlite":
        yield None
        return
    with request.getfixturevalue("schema_of")() as found:
        yield found


@pytest.fixture
def ledger(url: str | None, tmp_path: Path) -> Ledger:
    return open_ledger(url, tmp_path / "results")


def test_a_ledger_without_plans_reads_as_empty_and_leaves_no_file(tmp_path):
    ledger = open_ledger(None, tmp_path / "outputs" / "results")
    for frame in (launches(ledger), people(ledger), answers(ledger), members(ledger, DAY), held_out(ledger, "spring", DAY)):
        assert frame.is_empty()
    assert list(tmp_path.iterdir()) == []


def test_what_is_read_back_is_what_was_planned_and_answered(ledger):
    ids = ["C1", "客户,2", 'three "quotes"', "4\nlines", "", " N/A", "\\N", "null"]
    frame = pl.DataFrame(
        {
            "customer_id": ids,
            "status": ["planned"] * 7 + ["held_out"],
            "wave": [1, 2, None, None, 5, 6, 7, 8],
            "group": ["四川-1", "", None, "a,b", '"', "\\N", "null", "g"],
            "agent": [None, *["李"] * 7],
            "score": [0.1, 1 / 3, 1e-300, None, float("nan"), 99.99999999999999, -0.0, 5e300],
            "stratum": ["", None, *["s"] * 6],
            "region": ["四川", "", None, *["x"] * 5],
            "segment": ["0", None, *["big, old"] * 6],
            "planned_at": [DAY, None, DAY + timedelta(days=7), *[DAY] * 5],
            "name": "not kept",
        }
    )
    record_plan(ledger, launch(), frame.sample(fraction=1, shuffle=True, seed=1))
    found = people(ledger)
    expected = frame.with_columns(pl.col("planned_at").fill_null(DAY), pl.col("score").fill_nan(None), pl.col("wave").cast(pl.Int64))
    assert found.select(frame.drop("name").columns).rows() == expected.drop("name").sort("customer_id").rows()
    assert found.drop("customer_id", "in_plan", *frame.columns[1:-1]).unique().rows() == [
        ("spring", "tea", DAY, DAY + timedelta(days=30), None, None, None, None)
    ]
    kept = [("spring", "tea", DAY, 30, DAY + timedelta(days=30), 30_000_000, "CNY", "e3b0c442", 0.1, "planned", 7, 1)]
    assert launches(ledger).rows() == kept
    rows = [(name, "refused", DAY, "表,1.xlsx", reason) for name, reason in zip(ids, [None, "", "太远, 不来", *["x\ny"] * 5], strict=True)]
    told = pl.DataFrame(rows, schema=["customer_id", "answer", "answered_on", "source", "reason"], orient="row")
    assert record_answers(ledger, "spring", told).uninvited.is_empty()
    assert answers(ledger).select(told.columns).rows() == themed(told).sort("customer_id").rows()


def test_a_replaced_plan_leaves_answers_and_what_they_answered_to(ledger):
    record_plan(ledger, launch(), planned("abc", "h", wave=1))
    record_plan(ledger, launch("autumn"), planned("xyz"))
    record_answers(ledger, "spring", said("no_answer", "ab"))
    record_plan(ledger, launch(), planned("bcd", "h", wave=2))
    found = people(ledger, "spring").select("customer_id", "in_plan", "status", "wave", "answer")
    assert found.rows() == [
        ("a", False, "planned", 1, "no_answer"),
        ("b", True, "planned", 1, "no_answer"),  # it was the invitation of wave 1 that nobody answered
        ("c", True, "planned", 2, None),
        ("d", True, "planned", 2, None),
        ("h", True, "held_out", None, None),
    ]
    later = DAY + timedelta(days=5)
    imported = record_answers(ledger, "spring", said("joined", "abq", later))
    assert (imported.new, imported.known, imported.uninvited.to_list()) == (3, 0, ["q"])
    found = people(ledger, "spring").filter(answer="joined").select("customer_id", "in_plan", "status", "wave", "answered_on")
    assert found.rows() == [("a", False, "planned", 1, later), ("b", True, "planned", 2, later), ("q", False, None, None, later)]
    assert people(ledger, "spring", before=later).filter(answer="joined").is_empty()
    history = answers(ledger).select("customer_id", "answer", "current").rows()
    assert history == [
        ("a", "no_answer", False),
        ("a", "joined", True),
        ("b", "no_answer", False),
        ("b", "joined", True),
        ("q", "joined", True),
    ]
    assert launches(ledger)["launch"].to_list() == ["autumn", "spring"]
    assert people(ledger, "autumn")["customer_id"].to_list() == ["x", "y", "z"]


def test_answers_of_one_day_do_not_depend_on_the_order_of_rows_but_on_that_of_files(ledger):
    record_plan(ledger, launch(), planned("ab"))
    both = pl.concat([said("joined", "a"), said("no_answer", "a"), said("no_answer", "a", source="copy.xlsx")])
    imported = record_answers(ledger, "spring", both)
    assert (imported.new, imported.known) == (2, 1)
    assert people(ledger)["answer"].to_list() == ["joined", None]
    record_answers(ledger, "spring", said("refused", "a", reason="太远"))  # a sheet that was corrected
    assert record_answers(ledger, "spring", both).new == 0
    assert people(ledger).select("answer", "reason", "source").rows() == [("refused", "distance", "表.xlsx"), (None, None, None)]
    assert answers(ledger)["number"].to_list() == [1, 2, 3]


def test_what_rules_ask(ledger):
    record_plan(ledger, launch("may", DAY - timedelta(days=40)), planned("abm", "h"))
    weeks = planned("bcd", "k").with_columns(planned_at=DAY - timedelta(days=10) + pl.int_range(4) * timedelta(days=7))
    record_plan(ledger, launch("june", DAY - timedelta(days=10)), weeks)
    record_plan(ledger, launch("today", community="coffee"), planned("e", "z"))
    record_plan(ledger, launch("tomorrow", DAY + timedelta(days=1)), planned("f", "y"))
    record_answers(ledger, "may", said("joined", "m", DAY - timedelta(days=30)))
    record_answers(ledger, "may", said("refused_for_good", "ab", DAY - timedelta(days=30)))
    record_answers(ledger, "june", said("joined", "b", DAY - timedelta(days=5)))
    record_answers(ledger, "june", said("refused_for_good", "c", DAY - timedelta(days=5)))
    record_answers(ledger, "june", said("refused", "c", DAY - timedelta(days=4)))
    record_answers(ledger, "today", said("refused_for_good", "e", DAY))  # on the day itself: not known yet
    day = timedelta(days=1)
    assert invited(ledger, "spring", DAY, 60).rows() == [
        *[("a", DAY - 40 * day, 1), ("b", DAY - 10 * day, 2), ("c", DAY - 3 * day, 1)],
        *[("d", DAY + 4 * day, 1), ("e", DAY, 1), ("m", DAY - 40 * day, 1)],
    ]
    assert invited(ledger, "june", DAY, 40)["customer_id"].to_list() == ["e"]
    assert invited(ledger, "june", DAY, 41)["customer_id"].to_list() == ["a", "b", "e", "m"]
    assert held_out(ledger, "spring", DAY).rows() == [("k", DAY + 20 * day), ("z", DAY + 30 * day)]
    assert held_out(ledger, "today", DAY + 20 * day)["customer_id"].to_list() == ["y"]
    assert members(ledger, DAY).rows() == [("b", "tea", "june", DAY - 5 * day), ("m", "tea", "may", DAY - 30 * day)]
    assert members(ledger, DAY, community="coffee").is_empty()
    assert refused_for_good(ledger, DAY).rows() == [("a", "may", DAY - 30 * day)]
    assert refused_for_good(ledger, DAY - 4 * day)["customer_id"].to_list() == ["a", "c"]
    assert refused_for_good(ledger, DAY - 5 * day)["customer_id"].to_list() == ["a", "b"]
    record_plan(ledger, launch("may", DAY - timedelta(days=40)), planned("x"))
    assert invited(ledger, "spring", DAY, 60).filter(customer_id="a")["last_invited"].to_list() == [DAY - 40 * day]
    assert people(ledger, before=DAY)["launch"].unique().sort().to_list() == ["june", "may", "today"]


def test_wrong_rows_are_told_together_and_nothing_is_written(ledger):
    record_plan(ledger, launch(), planned("ab"))
    wrong = planned("ab").with_columns(status=pl.lit("planed"), score=pl.lit("high")).drop("agent")
    with pytest.raises(LedgerError) as caught:
        record_plan(ledger, launch(), wrong)
    assert caught.value.problems == (
        "invitations: should have a column agent; there are: customer_id, group, score, status, stratum, wave",
        'invitations.status: should be planned or held_out (got "planed"); nearest: planned',
        "invitations.score: should be Float64 (got String)",
    )
    with pytest.raises(LedgerError, match=r"each customer once \(got a and 0 others more often\)"):
        record_plan(ledger, launch(), planned("aab"))
    with pytest.raises(LedgerError, match=r'launch.name: should be a launch in .* \(got "sprig"\); nearest: spring'):
        record_answers(ledger, "sprig", said("joined", "a"))
    with pytest.raises(LedgerError, match=r'answers.answer: should be .* \(got "yes"\)'):
        record_answers(ledger, "spring", said("yes", "a"))
    with pytest.raises(LedgerError, match=r"answers.customer_id: is needed in every row \(got 1 empty\)"):
        record_answers(ledger, "spring", said("joined", "a").with_columns(customer_id=pl.lit(None, dtype=pl.String)))
    assert people(ledger).select("customer_id", "answer").rows() == [("a", None), ("b", None)]


class Laws(RuleBasedStateMachine):
    """Plans and answers in any order, against dictionaries."""

    url: str | None = None
    names = st.sampled_from(["spring", "summer", "autumn"])
    ids = st.lists(st.sampled_from("abcdef"), unique=True).map("".join)

    @initialize()
    def start(self):
        self.folder = tempfile.TemporaryDirectory()
        self.ledger = open_ledger(self.url, Path(self.folder.name, "results"))
        if self.ledger.file is None:
            with self.ledger.engine.begin() as connection:
                for name in ("plans", "invitations", "answers"):
                    connection.exec_driver_sql(f"DELETE FROM segmenter_{name}")
        self.plans: dict[str, dict[str, tuple[str, float]]] = {}
        self.said: dict[str, list[tuple[str, str, date]]] = {}

    @rule(name=names, invite=ids, hold=ids, score=st.sampled_from([1.5, 2.5]), ends=st.sampled_from(["published", "recorded", "failed"]))
    def plan(self, name, invite, hold, score, ends):
        frame = planned(invite, "".join(sorted(set(hold) - set(invite))), score=score)
        out = Path(self.folder.name, name)
        if ends == "recorded":
            record_plan(self.ledger, launch(name), frame)
        elif ends == "published":
            publish_plan(self.ledger, launch(name), frame, out)
        else:
            before = out.exists()
            with pytest.raises(ZeroDivisionError), recorded(self.ledger, launch(name), frame, out, publish(out)):
                raise ZeroDivisionError
            assert out.exists() == before
            return
        self.plans[name] = {customer: (status, score) for customer, status in frame.select("customer_id", "status").rows()}

    @rule(
        name=names,
        told=st.lists(st.tuples(st.sampled_from("abcdefg"), st.sampled_from(ANSWERS), st.integers(0, 3)), max_size=6),
        times=st.integers(1, 2),
    )
    def answer(self, name, told, times):
        rows = [(customer, answer, DAY + timedelta(days=days)) for customer, answer, days in told]
        frame = pl.DataFrame(rows, schema={"customer_id": pl.String, "answer": pl.String, "answered_on": pl.Date}, orient="row")
        frame = frame.with_columns(source=pl.lit("sheet.csv"))
        if name not in self.plans:
            with pytest.raises(LedgerError, match="should be a launch"):
                record_answers(self.ledger, name, frame)
            return
        known = self.said.setdefault(name, [])
        new = sorted(set(rows) - set(known), key=lambda row: (row[0], row[2], ANSWERS.index(row[1])))
        assert record_answers(self.ledger, name, frame).new == len(new)
        known += new
        for _ in range(1, times):
            assert record_answers(self.ledger, name, frame).new == 0

    @invariant()
    def as_it_should_be(self):
        if not hasattr(self, "ledger"):
            return
        found, all_said = people(self.ledger), answers(self.ledger)
        for name in ("spring", "summer", "autumn"):
            rows = found.filter(launch=name)
            present = rows.filter("in_plan")
            assert sorted(present["customer_id"]) == sorted(self.plans.get(name, {}))
            unanswered = {
                row[0]: row[1:] for row in present.filter(pl.col("answer").is_null()).select("customer_id", "status", "score").rows()
            }
            assert unanswered == {customer: self.plans[name][customer] for customer in unanswered}
            kept = self.said.get(name, [])
            history = all_said.filter(launch=name).sort("number").select("customer_id", "answer", "answered_on").rows()
            assert history == kept  # nothing is lost, changed or taken twice
            current = {}
            for customer, answer, day in kept:
                if customer not in current or day >= current[customer][1]:
                    current[customer] = (answer, day)
            told = rows.drop_nulls("answer").select("customer_id", "answer", "answered_on").rows()
            assert {customer: tuple(rest) for customer, *rest in told} == current

    def teardown(self):
        if hasattr(self, "folder"):
            self.folder.cleanup()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_laws(kind, request):
    with request.getfixturevalue("schema_of")() if kind == "postgresql" else nothing() as url:
        machine = type("Machine", (Laws,), {"url": url})
        run_state_machine_as_test(
            machine, settings=settings(max_examples=8 if kind == "sqlite" else 3, stateful_step_count=12, deadline=None)
        )


@contextmanager
def nothing() -> Iterator[None]:
    yield None


def publish_plan(ledger: Ledger, about: Launch, frame: pl.DataFrame, out: Path) -> None:
    with recorded(ledger, about, frame, out, publish(out)) as folder:
        (folder / "scores.txt").write_text(str(frame["score"].to_list()))
        (folder / "manifest.json").write_text(json.dumps({"files": {"scores.txt": {"sha256": sha256(folder / "scores.txt")}}}))


def scores(out: Path) -> str:
    return (out / "scores.txt").read_text()


def test_results_that_cannot_be_renamed_leave_the_old_plan(ledger, tmp_path, monkeypatch):
    out = tmp_path / "results"
    publish_plan(ledger, launch(), planned("ab", score=1.0), out)

    def full(folder, out):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(publication, "_swap", full)
    with pytest.raises(OutputError, match="No space left"):
        publish_plan(ledger, launch(), planned("cd", score=2.0), out)
    assert scores(out) == "[1.0, 1.0]"
    assert people(ledger)["customer_id"].to_list() == ["a", "b"]
    assert launches(ledger)["state"].to_list() == ["planned"]


def test_no_results_appear_where_the_ledger_fails(ledger, tmp_path, monkeypatch):
    out = tmp_path / "results"
    publish_plan(ledger, launch(), planned("ab", score=1.0), out)
    with ledger.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE segmenter_invitations RENAME TO away")
    with pytest.raises(LedgerError, match=r"ledger: (sqlite|postgresql)://.* cannot be used \(got .*segmenter_invitations.*\); mend that"):
        publish_plan(ledger, launch(), planned("cd", score=2.0), out)
    assert scores(out) == "[1.0, 1.0]"
    with ledger.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE away RENAME TO segmenter_invitations")
    assert people(ledger)["customer_id"].to_list() == ["a", "b"]


def test_a_ledger_lost_at_the_last_step_is_made_up_for_by_the_next_job(ledger, url, tmp_path, monkeypatch):
    out = tmp_path / "results"
    monkeypatch.setattr("segmenter.ledger.records.settle", lambda connection, plan: connection.exec_driver_sql("SELECT gone"))
    with pytest.raises(
        LedgerError, match=r"was lost at the last step \(got .*gone.*\); the results are written in .*results, and the next job"
    ):
        publish_plan(ledger, launch(), planned("ab", score=1.0), out)
    assert scores(out) == "[1.0, 1.0]"
    assert launches(ledger)["state"].to_list() == ["pending"]
    open_ledger(url, out)
    assert launches(ledger)["state"].to_list() == ["planned"]


def test_who_waits_too_long_for_another_job_is_told(ledger, monkeypatch):
    monkeypatch.setattr(opened, "_WAIT", 0.2)
    with opened.writing(ledger), pytest.raises(LedgerError, match="another job is writing it: try again when that is done"):
        record_plan(ledger, launch(), planned("a"))
    record_plan(ledger, launch(), planned("a"))


HELD = {
    "a reader": ["BEGIN", "SELECT * FROM segmenter_plans"],
    "a writer": ["BEGIN IMMEDIATE"],
    "one alone": ["BEGIN EXCLUSIVE"],
}


@contextmanager
def held(file: Path, statements: list[str]) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as connection:
        for statement in statements:
            connection.execute(statement).fetchall()
        yield connection


@pytest.mark.parametrize("kind", HELD)
def test_who_holds_the_ledger_open_is_named_before_any_work(kind, tmp_path, monkeypatch):
    record_plan(open_ledger(None, tmp_path / "results"), launch(), planned("ab"))
    monkeypatch.setattr(opened, "_LOOK", 0.2)
    monkeypatch.setattr(opened, "_READ", 0.2)
    with held(tmp_path / "ledger.db", HELD[kind]), pytest.raises(LedgerError) as caught:
        open_ledger(None, tmp_path / "results")
    (line,) = caught.value.problems
    assert str(tmp_path / "ledger.db") in line
    assert not Path("/proc/locks").exists() or f"process {os.getpid()} " in line
    open_ledger(None, tmp_path / "results")


@pytest.mark.parametrize("kind", [*HELD, "one with a WAL"])
def test_who_holds_the_ledger_open_for_a_while_costs_no_plan(kind, tmp_path, monkeypatch):
    out = tmp_path / "results"
    publish_plan(open_ledger(None, out), launch(), planned("ab", score=1.0), out)
    monkeypatch.setattr(opened, "_READ", 0.1)  # whoever waits, waits longer
    ledger = open_ledger(None, out)
    with held(tmp_path / "ledger.db", HELD.get(kind, ["PRAGMA journal_mode = WAL", "BEGIN", "SELECT * FROM segmenter_plans"])) as holder:
        if kind != "one with a WAL":
            monkeypatch.setattr(opened, "_READ", 60)
            Timer(0.4, holder.execute, ["ROLLBACK"]).start()
        publish_plan(ledger, launch(), planned("cd", score=2.0), out)
    assert people(open_ledger(None, out))["customer_id"].to_list() == ["c", "d"]
    assert scores(out) == "[2.0, 2.0]"


def test_a_server_that_may_not_be_written_is_told_before_any_work(postgres_url, schema_of):
    with schema_of() as url:
        record_plan(open_ledger(url, Path("results")), launch(), planned("ab"))
        read_only = sqlalchemy.make_url(url)
        options = f"{read_only.query['options']} -cdefault_transaction_read_only=on"
        read_only = read_only.update_query_dict({"options": options}).render_as_string(hide_password=False)
        with pytest.raises(LedgerError, match="read-only"):
            open_ledger(read_only, Path("results"))


@pytest.mark.parametrize("kind", ["folder", "fifo", "nowhere", "circle", "folder that is nowhere", "long", "nul", "below a file"])
@pytest.mark.parametrize("by", ["default", "url"])
def test_a_ledger_that_is_no_file_is_told_before_any_work(kind, by, tmp_path):
    file = tmp_path / "shop" / "ledger.db"
    if kind != "folder that is nowhere":
        file.parent.mkdir()
    match kind:
        case "folder":
            file.mkdir()
        case "fifo":
            os.mkfifo(file)
        case "nowhere":
            file.symlink_to(tmp_path / "drive" / "ledger.db")
        case "circle":
            file.symlink_to(tmp_path / "other")
            (tmp_path / "other").symlink_to(file)
        case "folder that is nowhere":
            file.parent.symlink_to(tmp_path / "drive")
        case "long":
            file = file.parent / ("x" * 300) / "ledger.db"
        case "nul":
            file = file.parent / "a\0b" / "ledger.db"
        case "below a file":
            (file.parent / "x").write_text("")
            file = file.parent / "x" / "ledger.db"
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises((ConfigError, LedgerError)) as caught:
        open_ledger(None if by == "default" else f"sqlite:///{file}", file.with_name("results"))
    assert len(caught.value.problems) == 1
    assert sorted(tmp_path.rglob("*")) == before


DAMAGED = {
    "no version": "DELETE FROM segmenter_schema",
    "a version that is none": "UPDATE segmenter_schema SET version = 'x'",
    "no table": "DROP TABLE segmenter_answers",
    "a date that is none": "UPDATE segmenter_plans SET as_of = 'soon'",
    "a number that is none": "UPDATE segmenter_invitations SET wave = 'first'",
    "bytes": "UPDATE segmenter_invitations SET stratum = x'ff00'",
    "bytes as text": "UPDATE segmenter_invitations SET stratum = CAST(x'ff00' AS TEXT)",
}


@pytest.mark.parametrize("kind", [*DAMAGED, *range(12)])
def test_a_damaged_ledger_is_told(kind, tmp_path):
    out, file = tmp_path / "results", tmp_path / "ledger.db"
    record_plan(open_ledger(None, out), launch(), planned("ab"))
    if isinstance(kind, str):
        with held(file, [DAMAGED[kind]]):
            pass
    else:
        chance, content = random.Random(kind), bytearray(file.read_bytes())
        for place in chance.sample([place for place, byte in enumerate(content) if byte], 40):
            content[place] = chance.randrange(256)
        file.write_bytes(content)
    with pytest.raises(LedgerError) as caught:
        found = open_ledger(None, out)
        people(found), launches(found)
    assert len(caught.value.problems) == 1


@pytest.mark.parametrize("many", [1, 40])
def test_a_disk_that_is_full_as_a_plan_is_recorded_leaves_the_old_results_and_plan(many, tmp_path, monkeypatch):
    out = tmp_path / "results"
    publish_plan(open_ledger(None, out), launch(), planned("ab", score=1.0), out)
    ledger, connect = open_ledger(None, out), opened._sqlite

    def full(file: Path) -> sqlite3.Connection:
        connection = connect(file)
        connection.execute("PRAGMA max_page_count = 1")  # no more than there are
        return connection

    monkeypatch.setattr(opened, "_sqlite", full)
    frame = pl.concat(planned("c").with_columns(customer_id=pl.lit(f"{number:0999}")) for number in range(many * 10))
    with pytest.raises(LedgerError, match="full"):
        publish_plan(ledger, launch(), frame, out)
    monkeypatch.setattr(opened, "_sqlite", connect)
    assert scores(out) == "[1.0, 1.0]"
    assert people(open_ledger(None, out))["customer_id"].to_list() == ["a", "b"]


def test_a_results_folder_and_an_sqlite_ledger_may_be_moved_together(tmp_path, monkeypatch):
    here, there = tmp_path / "here", tmp_path / "there"
    ledger = open_ledger(None, here / "results")
    monkeypatch.setattr("segmenter.ledger.records._resolve", lambda *_, **__: None)  # as if killed before it
    publish_plan(ledger, launch(), planned("ab"), here / "results")
    assert people(ledger).is_empty()
    here.rename(there)
    assert people(open_ledger(None, there / "results"))["customer_id"].to_list() == ["a", "b"]


def filled_version_1(url: str | None, out: Path) -> Ledger:
    ledger = opened._ledger(url, out)  # not opened: that would make the newest
    with ledger.engine.begin() as connection:
        upgrade(connection, to=1)
        connection.exec_driver_sql(
            """INSERT INTO segmenter_plans VALUES (3, 'spring', 'tea', '2026-07-01', 30, '2026-07-31', NULL, 'CNY', 'f', 'planned', NULL, NULL)"""
        )
        for number in range(200):
            row = f"'C{number:03d}', 'planned', '2026-07-01', 2, '四川-1', 'Li', {number}.5, 's'"
            connection.exec_driver_sql(f"INSERT INTO segmenter_invitations VALUES (3, {row})")
            answer = f"'spring', {number + 1}, 'C{number:03d}', 'joined', '2026-07-02', 'a.csv', 'planned', '2026-07-01', 2, '四川-1', 'Li', {number}.5, 's'"
            connection.exec_driver_sql(f"INSERT INTO segmenter_answers VALUES ({answer})")
    return ledger


OPENS = """
import sys
from pathlib import Path
from segmenter.ledger import open_ledger, people
import segmenter.report.publication
print("ready", flush=True)
sys.stdin.readline()
print(people(open_ledger(sys.argv[1] or None, Path(sys.argv[2]))).height)
"""


def test_an_older_ledger_is_brought_up_to_date_once_by_two_at_a_time_and_loses_nothing(url, tmp_path):
    ledger = filled_version_1(url, tmp_path / "results")
    command = [sys.executable, "-c", OPENS, url or "", str(tmp_path / "results")]
    both = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for process in both:
        assert process.stdout.readline() == "ready\n"
    for process in both:
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [process.communicate()[0] for process in both] == ["200\n", "200\n"]
    with ledger.engine.connect() as connection:
        assert version_of(connection) == VERSION
        found = sqlalchemy.inspect(connection)
        columns = {name: [column["name"] for column in found.get_columns(name)] for name in found.get_table_names()}
    assert columns == {name: table.columns.keys() for name, table in tables().tables.items()}
    rows = people(ledger)
    assert rows["score"].to_list() == [number + 0.5 for number in range(200)]
    assert rows.drop("customer_id", "score").unique().rows() == [
        *[
            (
                "spring",
                "tea",
                DAY,
                date(2026, 7, 31),
                True,
                "planned",
                DAY,
                2,
                "四川-1",
                "Li",
                "s",
                None,
                None,
                "joined",
                date(2026, 7, 2),
                None,
                "a.csv",
            )
        ]
    ]
    assert record_answers(ledger, "spring", said("refused", "a", reason="太远")).new == 1
    assert answers(ledger)["reason"].drop_nulls().to_list() == ["distance"]


def test_a_ledger_of_the_second_version_keeps_its_reasons_and_takes_regions(url, tmp_path):
    ledger = opened._ledger(url, tmp_path / "results")
    with ledger.engine.begin() as connection:
        upgrade(connection, to=2)
        row = "'a', 'planned', '2026-07-01', 2, 'g', 'Li', 1.5, 's'"
        connection.exec_driver_sql(
            """INSERT INTO segmenter_plans VALUES (1, 'spring', 'tea', '2026-07-01', 30, '2026-07-31', NULL, 'CNY', 'f', 'planned', NULL, NULL)"""
        )
        connection.exec_driver_sql(f"INSERT INTO segmenter_invitations VALUES (1, {row})")
        answer = "'a', 'refused', '2026-07-02', 'a.csv', 'planned', '2026-07-01', 2, 'g', 'Li', 1.5, 's', '太远'"
        connection.exec_driver_sql(f"INSERT INTO segmenter_answers VALUES ('spring', 1, {answer})")
    before = people(open_ledger(url, tmp_path / "results"))
    assert before.select("wave", "stratum", "region", "segment", "answer", "reason").rows() == [(2, "s", None, None, "refused", "distance")]
    assert before.schema == INVITED
    record_plan(ledger, launch(), planned("ab").with_columns(region=pl.lit("四川"), segment=pl.lit("0")))
    record_answers(ledger, "spring", said("joined", "b"))
    assert people(ledger).select("region", "segment", "answer").rows() == [(None, None, "refused"), ("四川", "0", "joined")]


def test_a_ledger_of_the_third_version_keeps_its_plans_and_takes_the_share_held_out(url, tmp_path):
    ledger = opened._ledger(url, tmp_path / "results")
    with ledger.engine.begin() as connection:
        upgrade(connection, to=3)
        connection.exec_driver_sql(
            """INSERT INTO segmenter_plans VALUES (1, 'old', 'tea', '2026-07-01', 30, '2026-07-31', 5, 'CNY', 'f', 'planned', NULL, NULL)"""
        )
        connection.exec_driver_sql(
            "INSERT INTO segmenter_invitations VALUES (1, 'a', 'planned', '2026-07-01', 2, 'g', 'Li', 1.5, 's', 'r', '0')"
        )
    record_plan(open_ledger(url, tmp_path / "results"), launch(), planned("ab"))
    assert launches(ledger).select("launch", "target", "holdout", "invited").rows() == [("old", 5, None, 1), ("spring", 30_000_000, 0.1, 2)]
    assert find_launch(ledger, "old").holdout is None
    assert find_launch(ledger, "spring").holdout == 0.1


def test_a_ledger_newer_than_the_program_is_refused(url, tmp_path):
    record_plan(open_ledger(url, tmp_path / "results"), launch(), planned("a"))
    ledger = open_ledger(url, tmp_path / "results")
    with ledger.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE segmenter_schema SET version = 99")
    for use in (
        lambda: open_ledger(url, tmp_path / "results"),
        lambda: people(ledger),
        lambda: record_plan(ledger, launch(), planned("b")),
    ):
        with pytest.raises(LedgerError, match=rf"ledger: should be of version {VERSION} or older \(got 99\); use the newer segmenter"):
            use()


def test_wrong_addresses_are_told_without_their_passwords(tmp_path):
    (tmp_path / "text.db").write_text("no database at all, but long enough to look for a header in it " * 20)
    wrong = {
        f"sqlite:///{tmp_path}/text.db": (LedgerError, "cannot be used (got file is not a database)"),
        f"sqlite:///{tmp_path}/text.db/x.db": (LedgerError, "cannot be written"),
        "sqlite://": (ConfigError, "should name a database file"),
        "s3cret": (ConfigError, "should be null or a database's URL"),
        "mysql://me:s3cret@host/shop": (ConfigError, 'got a URL of "mysql"'),
        "postgresql://me:s3cret@127.0.0.1:1/shop?password=s3cret": (
            LedgerError,
            "ledger: postgresql://me:***@127.0.0.1:1/shop cannot be used",
        ),
    }
    for url, (kind, message) in wrong.items():
        with pytest.raises(kind) as caught:
            open_ledger(url, tmp_path / "results")
        (line,) = caught.value.problems
        assert message in line
        assert "s3cret" not in line
        assert "\n" not in line


# What the processes below publish: results and a plan that both tell the number of their run.
RUNS = """
import json, os, signal, sys
from datetime import date
from pathlib import Path
import polars as pl
import sqlalchemy.dialects.postgresql.psycopg, sqlalchemy.dialects.sqlite
from segmenter.ledger import Launch, open_ledger, recorded
from segmenter.ledger.schema import VERSION
from segmenter.report import publication
from segmenter.report.publication import publish

url, out = sys.argv[1] or None, Path(sys.argv[2])

def run(number, ledger=None):
    ledger = ledger or open_ledger(url, out)
    frame = pl.DataFrame({"customer_id": ["a", "b", "c"], "status": "planned", "wave": number, "group": "g", "agent": None, "score": 1.0, "stratum": "s"})
    with recorded(ledger, Launch("spring", "tea", date(2026, 7, 1), 30, None, "CNY", "f"), frame, out, publish(out)) as folder:
        (folder / "manifest.json").write_text(json.dumps({"run": number}))

def agreed():
    ledger = open_ledger(url, out)
    published = json.loads((out / "manifest.json").read_text())["run"] if out.exists() else None
    if ledger.file is not None and not ledger.file.exists():
        return published, None
    with ledger.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT wave FROM segmenter_invitations JOIN segmenter_plans ON plan = id WHERE state = 'planned'").fetchall()
    assert len(rows) in (0, 3) and len(set(rows)) <= 1, rows
    return published, rows[0][0] if rows else None
"""
TOGETHER = """
print("ready", flush=True)
sys.stdin.readline()
for number in range(6):
    run(int(sys.argv[3]) + number)
"""
# The process imports all, then forks a child for each line of the ledger's and the results' code, which is killed there.
KILLED = """
if sys.argv[3] == "rename":
    publication._exchange = lambda one, other: False  # as on systems that cannot exchange two folders in one step
files = tuple(sys.modules[f"segmenter.{name}"].__file__ for name in sys.argv[4].split(","))
pure = ("_invitations", "checked", "_umask", "<listcomp>", "<genexpr>", "table", "place_of", "ends_on", "token_of", "version_of")

def killed_at(number, step):
    left = step
    def trace(frame, event, argument):
        nonlocal left
        if frame.f_code.co_filename not in files or frame.f_code.co_name in pure:
            return None
        if event == "line":
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace
    child = os.fork()
    if child == 0:
        sys.settrace(trace)
        run(number, opened)
        sys.settrace(None)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

opened = open_ledger(url, out)
before, number, step, seen = None, 0, 0, []
while True:
    number, step = number + 1, step + 1
    code = killed_at(number, step)
    assert code in (0, -signal.SIGKILL), code
    publication._recover(out.resolve())  # as check_out does at the start of every job
    published, planned = agreed()
    assert published == planned, (step, published, planned)
    assert planned in (before, number), (step, planned)
    seen.append(planned == number)
    before = planned
    if code == 0:
        break
print(json.dumps({"kills": len(seen) - 1, "kept": seen.count(False), "last": seen[-1]}))
"""


@pytest.mark.slow
@pytest.mark.parametrize(("url", "swap"), [("sqlite", "exchange"), ("sqlite", "rename"), ("postgresql", "exchange")], indirect=["url"])
def test_killed_at_any_line_results_and_ledger_agree(url, tmp_path, swap):
    out = tmp_path / "outputs" / "results"
    code = [
        *(["ledger.connection", "ledger.frames", "ledger.records"] if swap == "exchange" else []),
        *(["report.publication"] if url is None else []),
    ]
    command = [sys.executable, "-c", RUNS + KILLED, url or "", str(out), swap, ",".join(code)]
    done = subprocess.run(command, env={**os.environ, "POLARS_MAX_THREADS": "1"}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["kills"] >= (30 if swap == "rename" else 80)
    assert 0 < found["kept"] < found["kills"]  # some died before, some after the results were there
    assert found["last"]
    left = {path.name for path in out.parent.iterdir()} - {"results", "ledger.db", ".ledger.db.lock"}
    assert not left
    assert launches(open_ledger(url, out))["state"].to_list() == ["planned"]


def test_two_jobs_publishing_the_same_launch_at_once_leave_results_and_ledger_agreed(url, tmp_path):
    out = tmp_path / "outputs" / "results"
    commands = [[sys.executable, "-c", RUNS + TOGETHER, url or "", str(out), first] for first in ("100", "200")]
    both = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for command in commands
    ]
    for process in both:
        assert process.stdout.readline() == "ready\n"
    for process in both:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in both:
        _, errors = process.communicate()
        assert process.returncode == 0, errors
    waves = people(open_ledger(url, out))["wave"].to_list()
    assert waves == [json.loads((out / "manifest.json").read_text())["run"]] * 3
    assert waves[0] in (105, 205)
    assert launches(open_ledger(url, out))["state"].to_list() == ["planned"]
