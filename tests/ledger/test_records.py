"""What plans and answers may change, and that no failure leaves a half."""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from plans import DAY, launch, planned, publish_plan, said, scores

from segmenter.errors import OutputError
from segmenter.ledger import (
    LedgerError,
    list_answers,
    list_invitations,
    list_launches,
    open_ledger,
    record_answers,
    record_plan,
    record_with_results,
    sqlite_file,
)
from segmenter.ledger.frames import ANSWER_ROW, mark_current
from segmenter.report import publication
from segmenter.report.publication import publish
from segmenter.tables import ANSWERS, DECIDED, REACHED


def test_of_a_days_answers_the_one_that_says_most_stands_whatever_was_read_first_but_a_sheet_may_be_corrected(ledger):
    record_plan(ledger, launch(), planned("ab"))
    both = pl.concat([said("joined", "a"), said("not_reached", "a"), said("not_reached", "a", source="copy.xlsx")])
    assert record_answers(ledger, "spring", both) == 2
    assert record_answers(ledger, "spring", both) == 0
    assert list_invitations(ledger)["answer"].to_list() == ["joined", None]
    record_answers(ledger, "spring", said("refused", "a", reason="太远"))  # a sheet that was corrected
    assert record_answers(ledger, "spring", said("agreed", "a", source="copy.xlsx")) == 1
    assert list_invitations(ledger).select("answer", "reason", "source").rows() == [("refused", "distance", "表.xlsx"), (None, None, None)]
    assert sorted(list_answers(ledger)["number"]) == [1, 2, 3, 4]


CALLS = st.tuples(
    st.sampled_from("ab"), st.sampled_from(ANSWERS), st.integers(1, 4), st.sampled_from([None, 9, 15]), st.sampled_from(["x.xlsx", "y.csv"])
)


@given(st.lists(CALLS, max_size=9, unique_by=lambda call: (call[0], call[2], call[4])), st.randoms())
def test_the_current_answer_is_the_last_one_given_whatever_was_read_first_and_no_call_in_vain_takes_a_decision_back(calls, random):
    def current(order):
        names = ("customer_id", "answer", "answered_on", "hour", "source")
        rows = [dict(zip(names, (who, answer, DAY + timedelta(days=day), *rest), strict=True)) for who, answer, day, *rest in order]
        found = mark_current(pl.DataFrame(rows, ANSWER_ROW).with_columns(number=pl.int_range(pl.len()), launch=pl.lit("spring")))
        return found.filter("current").sort("customer_id").select("customer_id", "answer", pl.col("answered_on") - DAY).rows()

    expected = []
    for who in sorted({call[0] for call in calls}):
        mine = sorted(
            (day, -1 if hour is None else hour, ANSWERS.index(answer), answer) for name, answer, day, hour, _ in calls if name == who
        )
        told = [call for call in mine if call[-1] in REACHED]
        day, *_, answer = told[-1] if told and told[-1][-1] in DECIDED else mine[-1]
        expected.append((who, answer, timedelta(days=day)))
    assert current(calls) == current(random.sample(calls, len(calls))) == expected


def test_the_channel_of_an_answer_counts_before_that_of_the_plan(ledger):
    record_plan(ledger, launch(), planned("ab").with_columns(channel=pl.lit("phone")))
    record_answers(ledger, "spring", said("joined", "abz").with_columns(channel=pl.Series(["poster", None, "shop"])))
    found = {"a": "poster", "b": "phone", "z": "shop"}  # z came unasked
    assert dict(list_invitations(ledger).select("customer_id", "channel").rows()) == found
    record_plan(ledger, launch(), planned("ab").with_columns(channel=pl.lit("message")))
    assert dict(list_invitations(ledger).select("customer_id", "channel").rows()) == found
    with pytest.raises(LedgerError, match="channel"):
        record_answers(ledger, "spring", said("joined", "a").with_columns(channel=pl.lit("fax")))


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
        self.standing: dict[str, dict[tuple[str, date], str]] = {}

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
            with pytest.raises(ZeroDivisionError), record_with_results(self.ledger, launch(name), frame, out, publish(out)):
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
        standing = self.standing.setdefault(name, {})
        now = {(who, day): answer for who, answer, day in sorted(rows, key=lambda row: ANSWERS.index(row[1]))}
        new = sorted((who, answer, day) for (who, day), answer in now.items() if standing.get((who, day)) != answer)
        new.sort(key=lambda row: (row[0], row[2]))
        assert record_answers(self.ledger, name, frame) == len(new)
        standing |= now
        for _ in range(1, times):
            assert record_answers(self.ledger, name, frame) == 0

    @invariant()
    def as_it_should_be(self):
        if not hasattr(self, "ledger"):
            return
        found, all_said = list_invitations(self.ledger), list_answers(self.ledger)
        for name in ("spring", "summer", "autumn"):
            rows = found.filter(launch=name)
            present = rows.filter("in_plan")
            assert sorted(present["customer_id"]) == sorted(self.plans.get(name, {}))
            unanswered = {
                row[0]: row[1:] for row in present.filter(pl.col("answer").is_null()).select("customer_id", "status", "score").rows()
            }
            assert unanswered == {customer: self.plans[name][customer] for customer in unanswered}
            history = (
                all_said.filter(launch=name)
                .unique(["customer_id", "answered_on"], keep="last", maintain_order=True)
                .select("customer_id", "answered_on", "answer")
                .rows()
            )
            standing = self.standing.get(name, {})
            assert history == [(*key, answer) for key, answer in sorted(standing.items())]  # nothing is lost, changed or taken twice
            current: dict[str, tuple[str, date]] = {}
            for (who, day), answer in sorted(standing.items()):
                if answer in REACHED or who not in current or current[who][0] not in DECIDED:
                    current[who] = (answer, day)
            told = rows.drop_nulls("answer").select("customer_id", "answer", "answered_on").rows()
            assert {customer: tuple(rest) for customer, *rest in told} == current

    def teardown(self):
        if hasattr(self, "folder"):
            self.folder.cleanup()


@pytest.mark.slow
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


def test_results_that_cannot_be_renamed_leave_the_old_plan(ledger, tmp_path, monkeypatch):
    out = tmp_path / "results"
    publish_plan(ledger, launch(), planned("ab", score=1.0), out)

    def full(folder, out):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(publication, "_swap", full)
    with pytest.raises(OutputError, match="No space left"):
        publish_plan(ledger, launch(), planned("cd", score=2.0), out)
    assert scores(out) == "[1.0, 1.0]"
    assert list_invitations(ledger)["customer_id"].to_list() == ["a", "b"]
    assert list_launches(ledger)["state"].to_list() == ["planned"]


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
    assert list_invitations(ledger)["customer_id"].to_list() == ["a", "b"]


@pytest.mark.parametrize("many", [1, 40])
def test_a_disk_that_is_full_as_a_plan_is_recorded_leaves_the_old_results_and_plan(many, tmp_path, monkeypatch):
    out = tmp_path / "results"
    publish_plan(open_ledger(None, out), launch(), planned("ab", score=1.0), out)
    ledger, connect = open_ledger(None, out), sqlite_file.connect

    def full(file: Path) -> sqlite3.Connection:
        connection = connect(file)
        connection.execute("PRAGMA max_page_count = 1")  # no more than there are
        return connection

    monkeypatch.setattr(sqlite_file, "connect", full)
    frame = pl.concat(planned("c").with_columns(customer_id=pl.lit(f"{number:0999}")) for number in range(many * 10))
    with pytest.raises(LedgerError, match="full"):
        publish_plan(ledger, launch(), frame, out)
    monkeypatch.setattr(sqlite_file, "connect", connect)
    assert scores(out) == "[1.0, 1.0]"
    assert list_invitations(open_ledger(None, out))["customer_id"].to_list() == ["a", "b"]
