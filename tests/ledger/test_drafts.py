"""Drafts: nobody feels them, one commit makes them the launch, one cancel takes it back."""

import json
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from plans import DAY, launch, planned, said

from segmenter.errors import LedgerError
from segmenter.ledger import (
    beside,
    cancel_launch,
    commit_draft,
    describe_draft,
    is_committed,
    list_invitations,
    list_launches,
    list_states,
    open_draft_ledger,
    open_ledger,
    read_basis,
    read_draft,
    record_answers,
)
from segmenter.ledger.schema import table
from segmenter.report.publication import publish, put_in_place, sha256


def write(ledger, out: Path, invite="ab", hold="c", name="spring"):
    """Write a draft as a launch does."""
    basis = read_basis(ledger, name, DAY, community="tea", days=365)
    with publish(out) as folder:
        planned(invite, hold).write_parquet(folder / "invitations.parquet")
        files = {"invitations.parquet": {"sha256": sha256(folder / "invitations.parquet")}}
        manifest = {"draft": describe_draft(launch(name), basis, out), "files": files, "config": {"ledger": {"url": None, "use": True}}}
        (folder / "manifest.json").write_text(json.dumps(manifest))
    return out


def commit(ledger, out: Path) -> int:
    draft = read_draft(out)
    return commit_draft(ledger, draft, put_in_place(draft.folder, draft.place))


@pytest.mark.slow
def test_nobody_feels_a_draft(ledger, tmp_path):
    for name in ("spring", "summer"):
        write(ledger, tmp_path / name, name=name)
    assert list_launches(ledger).is_empty()
    assert not is_committed(ledger, tmp_path / "spring")


def test_a_commit_records_what_a_launch_would(ledger, tmp_path):
    out = write(ledger, tmp_path / "spring")
    assert commit(ledger, out) == 2
    assert list_invitations(ledger)["status"].to_list() == ["planned", "planned", "held_out"]
    assert is_committed(ledger, out)
    assert commit(ledger, out) == 2  # once more changes nothing
    assert list_launches(ledger)["invited"].to_list() == [2]


def rows_of(ledger):
    """All that a ledger holds, but for where its results are."""
    from segmenter.ledger.connection import connect_writer

    with connect_writer(ledger) as connection:
        names = ("plans", "invitations", "answers")
        found = {name: [row._asdict() for row in connection.execute(table(name).select())] for name in names}
    return {
        name: sorted(str({key: row[key] for key in row if key not in ("token", "place")}) for row in rows) for name, rows in found.items()
    }


@pytest.fixture
def other_ledger(url, tmp_path, request):
    if url is None:
        yield open_ledger(None, tmp_path / "other" / "results")
        return
    with request.getfixturevalue("schema_of")() as found:
        yield open_ledger(found, tmp_path / "other" / "results")


def test_ten_drafts_and_a_commit_leave_the_ledger_as_one_commit_does(ledger, other_ledger, tmp_path):
    for number, name in enumerate(["spring", "summer"] * 5):
        write(ledger, tmp_path / name, invite="abdef"[: number % 4 + 1], name=name)
    for place, into in ((tmp_path, ledger), (tmp_path / "other", other_ledger)):
        assert commit(into, write(into, place / "spring")) == 2
    assert rows_of(ledger) == rows_of(other_ledger)
    with pytest.raises(LedgerError, match="spring"):  # what the other drafts were made on is no longer so
        commit(ledger, read_draft(tmp_path / "summer").folder)


def test_a_draft_beside_its_launch_takes_its_place(ledger, tmp_path):
    out = write(ledger, tmp_path / "spring")
    commit(ledger, out)
    later = write(ledger, beside(out), invite="abd")
    assert is_committed(ledger, out)
    assert commit(ledger, later) == 3
    assert (out.exists(), later.exists()) == (True, False)
    assert pl.read_parquet(out / "invitations.parquet").height == 4
    assert list_launches(ledger)["invited"].to_list() == [3]


def test_a_draft_that_others_overtook_is_refused_by_name(ledger, tmp_path):
    early, late = write(ledger, tmp_path / "spring"), write(ledger, tmp_path / "summer", name="summer")
    commit(ledger, early)
    with pytest.raises(LedgerError, match="spring"):
        commit(ledger, late)
    assert list_launches(ledger)["launch"].to_list() == ["spring"]


def test_a_draft_whose_list_was_changed_is_refused(ledger, tmp_path):
    out = write(ledger, tmp_path / "spring")
    planned("xyz").write_parquet(out / "invitations.parquet")
    with pytest.raises(LedgerError, match="has changed"):
        read_draft(out)
    (out / "manifest.json").write_text("{}")
    with pytest.raises(LedgerError, match="launch again"):
        read_draft(out)


def test_cancel_gives_everybody_back_and_leaves_a_draft(ledger, tmp_path):
    out = write(ledger, tmp_path / "spring")
    commit(ledger, out)
    assert cancel_launch(ledger, "spring") == (2, 1)
    assert list_launches(ledger).is_empty()
    assert commit(ledger, out) == 2


def test_what_was_answered_to_cannot_be_taken_back(ledger, tmp_path):
    commit(ledger, write(ledger, tmp_path / "spring"))
    record_answers(ledger, "spring", said("joined", "a"))
    with pytest.raises(LedgerError, match="1 answers"):
        cancel_launch(ledger, "spring")
    with pytest.raises(LedgerError, match="spring"):
        cancel_launch(ledger, "sprung")


def test_the_states_say_who_is_kept_out_until_when(ledger, tmp_path):
    commit(ledger, write(ledger, tmp_path / "spring"))
    record_answers(ledger, "spring", said("joined", "a"))
    state = list_states(ledger, 30).row(0, named=True)
    assert (state["invited"], state["held_out"], state["answers"]) == (2, 1, 1)
    assert (state["invited_until"], state["held_out_until"]) == (DAY + timedelta(days=30), DAY + timedelta(days=30))
    assert list_states(ledger, None)["invited_until"].to_list() == [None]


def test_a_ledger_that_is_not_known_is_asked_for(ledger, tmp_path):
    out = write(ledger, tmp_path / "spring")
    manifest = json.loads((out / "manifest.json").read_text())
    for ledger_of in ({"url": None, "use": False}, {"url": "postgresql://me:***@host/db", "use": True}):
        (out / "manifest.json").write_text(json.dumps(manifest | {"config": {"ledger": ledger_of}}))
        with pytest.raises(LedgerError, match=r"ledger\.url"):
            open_draft_ledger(read_draft(out), None)
