"""Drafts, which the ledger does not know, and how one becomes the launch or a launch becomes a draft again."""

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import polars as pl

from segmenter.errors import LedgerError
from segmenter.launch_record import LaunchRecord
from segmenter.ledger.basis import Basis, OvertakenError, check_name
from segmenter.ledger.connection import Ledger, connect_reader, connect_writer, open_ledger
from segmenter.ledger.pending_plans import MANIFEST, drop, fingerprint_of, place_of
from segmenter.ledger.records import record_with_results, unknown_launch
from segmenter.ledger.schema import PLANNED, table
from segmenter.messages import Message

INVITATIONS = "invitations.parquet"
_SUFFIX = "_draft"


@dataclass(frozen=True)
class Draft:
    """A plan in its results folder, as `describe_draft` wrote it into the manifest."""

    folder: Path
    place: Path  # where the launch's results belong
    record: LaunchRecord
    basis: Basis | None  # None where it was no draft, or there was no ledger
    uses_ledger: bool
    ledger_url: str | None
    obstacles: tuple[str, ...] = ()  # to carrying it out


def beside(out: Path) -> Path:
    """Give the folder of a draft whose launch has its results in `out` already."""
    return out.with_name(out.name + _SUFFIX)


def place_for(out: Path) -> Path:
    """Give where a launch's results belong, whose draft is written to `out`."""
    return out.with_name(out.name.removesuffix(_SUFFIX))


def describe_draft(record: LaunchRecord, basis: Basis | None, out: Path) -> Mapping[str, object]:
    """Give what a manifest keeps of a plan, so that it can be committed later."""
    facts = asdict(record) | {"as_of": str(record.as_of)}
    return {"of": place_for(out).name, "record": facts, "basis": None if basis is None else basis.as_facts()}


def read_draft(folder: Path) -> Draft:
    """Read a plan back; a LedgerError says why there is none in a folder."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        draft, files = manifest["draft"], manifest["files"]
        record = LaunchRecord(**draft["record"] | {"as_of": date.fromisoformat(draft["record"]["as_of"])})
        basis = None if draft["basis"] is None else Basis.from_facts(draft["basis"])
        place, config = folder.with_name(draft["of"]), manifest["config"]["ledger"]
        read = Draft(folder, place, record, basis, config["use"], config["url"], tuple(manifest.get("obstacles", ())))
        known = files[INVITATIONS]["sha256"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        rule = "out: should be the folder of a plan that `segmenter launch` of this version wrote (got {folder}); launch again"
        raise LedgerError(Message("ledger.no_draft", rule, folder=folder)) from error
    if fingerprint_of(folder, INVITATIONS) != known:
        rule = "out: {folder} is not as `segmenter launch` wrote it (its {file} has changed); launch again"
        raise LedgerError(Message("ledger.draft_changed", rule, folder=folder, file=INVITATIONS))
    return read


def find_draft(folder: Path, name: str) -> Path | None:
    """Give a folder that holds the plan of a launch, if it does."""
    try:
        return folder if read_draft(folder).record.name == name else None
    except LedgerError:
        return None


def open_draft_ledger(draft: Draft, url: str | None) -> Ledger:
    """Open the ledger that a draft was planned on; `url` names it where a password is needed."""
    if url is None and not draft.uses_ledger:
        rule = "ledger.url: is needed, as the plan in {folder} was made without a ledger (ledger.use=false)"
        raise LedgerError(Message("ledger.draft_without", rule, folder=draft.folder))
    if url is None and draft.ledger_url is not None and "***" in draft.ledger_url:
        rule = "ledger.url: is needed, as no results keep its password (the draft's is {url})"
        raise LedgerError(Message("ledger.draft_password", rule, url=draft.ledger_url))
    return open_ledger(url or draft.ledger_url, draft.place)


def commit_draft(ledger: Ledger, draft: Draft, publishing: AbstractContextManager[Path]) -> int:
    """Make a draft the launch: both or neither of its invitations in the ledger and, by `publishing`, its folder in the launch's place.

    Back comes how many are invited.
    """
    check_name(ledger, draft.record.name, draft.record.as_of)
    invitations = pl.read_parquet(draft.folder / INVITATIONS)
    invited = invitations.filter(status="planned").height
    if draft.folder == draft.place and is_committed(ledger, draft.place):
        return invited  # as where a commit was killed at its very end
    if draft.basis is None:
        rule = "out: {folder} does not say what the ledger held when it was planned; launch again"
        raise LedgerError(Message("ledger.draft_without_basis", rule, folder=draft.folder))
    try:
        with record_with_results(ledger, draft.record, invitations, draft.place, publishing, draft.basis):
            pass
    except OvertakenError as error:
        rule = "out: since {folder} was planned the ledger has new plans or answers of {others}; launch again, it may invite others now"
        raise LedgerError(Message("ledger.draft_overtaken", rule, others=error.others, folder=draft.folder)) from error
    return invited


def cancel_launch(ledger: Ledger, name: str) -> tuple[int, int]:
    """Take a launch back that nobody has answered: its results are a draft again; give how many were invited and held out."""
    from sqlalchemy import func, select

    plans, invitations, answers = table("plans"), table("invitations"), table("answers")
    with connect_writer(ledger) as connection, connection.begin():
        known = {row.launch: row.id for row in connection.execute(select(plans.c.launch, plans.c.id).where(plans.c.state == PLANNED))}
        if name not in known:
            raise LedgerError(unknown_launch(ledger, name, known))
        if count := connection.execute(select(func.count()).where(answers.c.launch == name)).scalar_one():
            rule = 'launch.name: "{launch}" has {count:,} answers, and what people answered to cannot be taken back; review it instead'
            raise LedgerError(Message("ledger.answered", rule, launch=name, count=count))
        query = select(invitations.c.status, func.count()).where(invitations.c.plan == known[name]).group_by(invitations.c.status)
        counts = {status: int(count) for status, count in connection.execute(query)}
        drop(connection, known[name])
    return counts.get("planned", 0), counts.get("held_out", 0)


def is_committed(ledger: Ledger, out: Path) -> bool:
    """Tell whether a folder holds the results of a launch that the ledger knows."""
    from sqlalchemy import select

    token = fingerprint_of(out)
    if token is None:
        return False
    plans = table("plans")
    query = select(plans.c.id).where(plans.c.state == PLANNED, (plans.c.token == token) | (plans.c.place == place_of(ledger.file, out)))
    with connect_reader(ledger) as connection:
        return connection is not None and connection.execute(query).first() is not None
