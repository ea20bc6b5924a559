import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from marks import slow_but

from segmenter.errors import LedgerError
from segmenter.ledger import (
    Basis,
    LaunchRecord,
    Ledger,
    check_name,
    list_invitations,
    list_launches,
    open_ledger,
    plan_on_basis,
    read_basis,
    read_past_launches,
    record_answers,
    record_plan,
    record_with_results,
)
from segmenter.ledger.basis import OvertakenError, check_basis
from segmenter.tables import INVITED, PRECEDENTS

JULY = date(2026, 7, 1)


def planned(ledger: Ledger, name: str, as_of: date, community: str = "vip", **customers: str) -> None:
    rows = pl.DataFrame({"customer_id": list(customers), "status": list(customers.values())})
    rest = {"wave": 1, "group": "g", "agent": None, "score": 50.0, "stratum": "s"}
    record_plan(
        ledger, LaunchRecord(name, community, as_of, 30, None, "CNY", "f"), rows.with_columns(**{k: pl.lit(v) for k, v in rest.items()})
    )


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return open_ledger(None, tmp_path / "results")


def answered(ledger: Ledger, name: str, on: date, **answers: str) -> None:
    told = {"customer_id": list(answers), "answer": list(answers.values()), "answered_on": on, "source": "sheet.xlsx"}
    record_answers(ledger, name, pl.DataFrame(told))


def test_what_other_launches_did_stands_by_each_customer(ledger: Ledger) -> None:
    planned(ledger, "spring", date(2026, 4, 1), a="planned", b="planned", c="planned", d="held_out")
    planned(ledger, "june", date(2026, 6, 20), community="other", b="planned", e="held_out")
    answered(ledger, "spring", date(2026, 4, 3), a="joined", c="refused_for_good")
    answered(ledger, "june", JULY, b="joined")  # the day itself does not count any more
    known = read_past_launches(ledger, "july", JULY, community="vip", days=60)
    assert known is not None
    assert known.customers.schema == PRECEDENTS
    nothing = [None] * 4
    assert known.customers.rows() == [
        ("a", date(2026, 4, 1), 0, True, False, *nothing),
        ("b", date(2026, 6, 20), 1, False, False, *nothing),
        ("c", date(2026, 4, 1), 0, False, True, *nothing),
        ("e", None, 0, False, False, date(2026, 7, 20), None, None, None),
    ]
    assert known.invited.schema == INVITED
    assert known.invited.filter(launch="june")["answer"].null_count() == 2
    assert read_past_launches(ledger, "july", JULY, community="other", days=60).customers["member"].sum() == 0
    # Planned before all that, it has no past.
    assert read_past_launches(ledger, "march", date(2026, 3, 1), community="vip", days=60) is None


def test_a_plan_of_its_own_is_no_past_until_it_is_answered(ledger: Ledger) -> None:
    planned(ledger, "july", JULY, a="planned", b="held_out", c="planned")
    assert read_past_launches(ledger, "july", JULY, community="vip", days=365) is None
    answered(ledger, "july", date(2026, 7, 2), a="refused", c="not_reached")
    known = read_past_launches(ledger, "july", date(2026, 7, 3), community="vip", days=365)
    assert known is not None
    # Its own invitations do not stand in its way, but who has said no to it is not asked again.
    assert known.customers.rows() == [("a", None, 0, False, True, *[None] * 4)]
    assert known.invited["answer"].to_list() == ["refused", None, "not_reached"]


def test_a_launch_that_is_over_and_answered_keeps_its_name(ledger: Ledger) -> None:
    planned(ledger, "july", JULY, a="planned")
    check_name(ledger, "july", date(2026, 9, 1))  # nobody answered: nothing is lost
    answered(ledger, "july", date(2026, 7, 2), a="joined")
    check_name(ledger, "july", date(2026, 7, 30))
    check_name(ledger, "august", date(2026, 9, 1))
    with pytest.raises(LedgerError, match=r'that is over \(got "july", of 2026-07-01, which ended on 2026-07-31 with 1 answers'):
        check_name(ledger, "july", date(2026, 7, 31))


AUGUST = date(2026, 8, 1)
# What is recorded between the planning of "july" and its recording, and what is said of it: whose it is, another error, or nothing.
BETWEEN = {
    "a plan": (lambda ledger: planned(ledger, "june", JULY, a="planned"), "june"),
    "a plan of the past": (lambda ledger: planned(ledger, "june", date(2026, 6, 1), a="planned"), "june"),
    "a hold-out": (lambda ledger: planned(ledger, "june", JULY, a="held_out"), "june"),
    "a plan anew": (lambda ledger: planned(ledger, "spring", date(2026, 6, 1), x="planned"), "spring"),
    "a member": (lambda ledger: answered(ledger, "spring", date(2026, 6, 25), x="joined"), "spring"),
    "who wants no more": (lambda ledger: answered(ledger, "spring", date(2026, 6, 25), x="refused_for_good"), "spring"),
    "who agreed": (lambda ledger: answered(ledger, "spring", date(2026, 6, 25), x="agreed"), "spring"),
    "a refusal of this one": (lambda ledger: answered(ledger, "july", date(2026, 6, 30), a="refused"), "july"),
    "a plan of a later date": (lambda ledger: planned(ledger, "august", AUGUST, a="planned"), None),
    "an answer of a later date": (lambda ledger: answered(ledger, "spring", JULY, x="joined"), None),
    "this one's plan": (lambda ledger: planned(ledger, "july", JULY, b="planned"), LedgerError),
    "a ledger removed": (lambda ledger: ledger.file.unlink(), LedgerError),
    "a ledger of before": (lambda ledger: ledger.file.with_suffix(".before").rename(ledger.file), LedgerError),
    "a ledger begun anew": (
        lambda ledger: (ledger.file.unlink(), planned(replace(ledger, there=False), "new", JULY, z="planned")),
        LedgerError,
    ),
}


@pytest.mark.parametrize(
    "kind", slow_but(BETWEEN, "a refusal of this one", "an answer of a later date", "this one's plan", "a ledger removed")
)
def test_what_the_ledger_said_is_looked_at_again_as_a_plan_is_recorded(kind: str, tmp_path: Path) -> None:
    between, whose = BETWEEN[kind]
    planned(open_ledger(None, tmp_path / "results"), "spring", date(2026, 6, 1), x="planned", y="held_out")
    shutil.copy(tmp_path / "ledger.db", tmp_path / "ledger.before")
    planned(open_ledger(None, tmp_path / "results"), "july", JULY, a="planned")
    ledger = open_ledger(None, tmp_path / "results")
    basis = read_basis(ledger, "july", JULY, community="vip", days=60)
    between(ledger)
    before = list_launches(ledger).rows()
    rest = {"status": "planned", "wave": 1, "group": "g", "agent": None, "score": 50.0, "stratum": "s"}
    frame = pl.DataFrame({"customer_id": ["a", "c"], **rest})

    @contextmanager
    def publishing() -> Iterator[Path]:
        (tmp_path / "new").mkdir()
        yield tmp_path / "new"
        (tmp_path / "new").rename(tmp_path / "results")

    def record() -> None:
        with record_with_results(
            ledger, LaunchRecord("july", "vip", JULY, 30, None, "CNY", "f"), frame, tmp_path / "results", publishing(), basis
        ) as folder:
            (folder / "manifest.json").write_text("{}")

    if whose is None:
        record()
        assert list_invitations(ledger, "july")["customer_id"].to_list() == ["a", "c"]
        return
    with pytest.raises(LedgerError) as caught:
        record()
    assert not (tmp_path / "results").exists()
    assert list_launches(ledger).rows() == before
    assert isinstance(caught.value, OvertakenError) == isinstance(whose, str)
    if isinstance(caught.value, OvertakenError):
        assert caught.value.others == (whose,)


def test_a_name_that_ended_meanwhile_is_not_taken(ledger: Ledger) -> None:
    planned(ledger, "july", JULY, a="planned")
    basis = read_basis(ledger, "july", date(2026, 9, 1), community="vip", days=60)
    answered(ledger, "july", date(2026, 7, 2), a="joined")
    with pytest.raises(LedgerError, match="that is over") as caught:
        check_basis(ledger, basis)
    assert not isinstance(caught.value, OvertakenError)


@pytest.mark.parametrize("died", ["before the results were there", "after"])
def test_the_plan_of_a_job_that_was_killed_counts_where_its_results_are_there(
    died: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, out = open_ledger(None, tmp_path / "results"), tmp_path / "june"
    basis = read_basis(ledger, "july", JULY, community="vip", days=60)
    rest = {"status": "planned", "wave": 1, "group": "g", "agent": None, "score": 50.0, "stratum": "s"}
    frame = pl.DataFrame({"customer_id": ["a", "c"], **rest})
    june, july = (LaunchRecord(name, "vip", JULY, 30, None, "CNY", "f") for name in ("june", "july"))
    with monkeypatch.context() as patch:
        patch.setattr("segmenter.ledger.records._resolve", lambda *_, **__: None)  # as if killed before it
        with record_with_results(ledger, june, frame, out, nullcontext(out)) as folder:
            folder.mkdir()
            (folder / "manifest.json").write_text("{}")
    if died == "after":
        with pytest.raises(OvertakenError):
            record_plan(ledger, july, frame, basis)
    else:
        shutil.rmtree(out)
        record_plan(ledger, july, frame, basis)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("others", "ends"), slow_but([(0, "told"), (2, "told"), (4, "told"), (5, "given up"), (99, "given up")], (2, "told"), (5, "given up"))
)
def test_a_plan_is_made_again_a_few_times(ledger: Ledger, others: int, ends: str) -> None:
    left = others

    def plan(basis: Basis | None) -> str:
        nonlocal left
        if left > 0:
            left -= 1
            planned(ledger, f"other{left}", JULY, a="planned")
        assert basis is not None
        check_basis(ledger, basis)
        return "recorded"

    def run() -> tuple[str, list[str]]:
        return plan_on_basis(ledger, "july", JULY, "vip", 60, plan)

    if ends == "given up":
        with pytest.raises(OvertakenError):
            run()
        return
    found, told = run()
    assert found == "recorded"
    assert len(told) == others
    assert all(f"other{number}" in said for number, said in zip(range(others - 1, -1, -1), told, strict=True))
