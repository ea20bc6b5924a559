"""Plans that wait for their results folder: which are published, and how they take their place or go."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segmenter.errors import LedgerError
from segmenter.ledger.schema import PENDING, PLANNED, table
from segmenter.messages import Message

if TYPE_CHECKING:
    from sqlalchemy import Connection

MANIFEST = "manifest.json"  # the last file of every results folder, with the fingerprints of all others


def place_of(file: Path | None, out: Path) -> str:
    """Write where a results folder is: beside an SQLite ledger as seen from there, so that both can be moved together."""
    out = out.resolve()
    if file is not None and out.is_relative_to(file.parent):
        return out.relative_to(file.parent).as_posix()
    return str(out)


def fingerprint_of(folder: Path, file: str = MANIFEST) -> str | None:
    """Fingerprint a results folder: the SHA-256 of its manifest or of another file, None where there is none."""
    try:
        with (folder / file).open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except (FileNotFoundError, NotADirectoryError):
        return None


def list_published(connection: "Connection", file: Path | None) -> list[int]:
    """List pending plans whose results are in their folder.

    The others stay until their launch is planned again: their folder may be on another machine.
    """
    from sqlalchemy import select

    plans = table("plans")
    rows: list[Any] = list(connection.execute(select(plans.c.id, plans.c.token, plans.c.place).where(plans.c.state == PENDING)))
    folder = Path() if file is None else file.parent
    return [plan for plan, token, place in rows if fingerprint_of(folder / place) == token]


def settle(connection: "Connection", plan: int) -> None:
    """Make a pending plan its launch's plan, in place of the one before."""
    from sqlalchemy import select, update

    plans = table("plans")
    launch = select(plans.c.launch).where(plans.c.id == plan).scalar_subquery()
    before = connection.execute(select(plans.c.id).where(plans.c.launch == launch, plans.c.state == PLANNED)).scalars()
    for old in list(before):
        drop(connection, old)
    if connection.execute(update(plans).where(plans.c.id == plan).values(state=PLANNED)).rowcount != 1:
        rule = "ledger: should still have the plan that is being published (got none: another job removed it); plan again"
        raise LedgerError(Message("ledger.plan_removed", rule))


def drop(connection: "Connection", plan: int) -> None:
    """Remove a plan with its invitations; answers are not its own and stay."""
    from sqlalchemy import delete

    plans, invitations = table("plans"), table("invitations")
    connection.execute(delete(invitations).where(invitations.c.plan == plan))
    connection.execute(delete(plans).where(plans.c.id == plan))
