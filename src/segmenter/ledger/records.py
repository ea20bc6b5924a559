"""Plans and answers on their way into the ledger."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from segmenter.errors import LedgerError, nearest
from segmenter.launch_record import LaunchRecord
from segmenter.ledger.basis import Basis, check_basis
from segmenter.ledger.connection import Ledger, connect_writer, shorten_error
from segmenter.ledger.frames import ANSWER, INVITATION, STATUSES, check_rows, insert_rows, read_answers, read_frame
from segmenter.ledger.pending_plans import drop, fingerprint_of, place_of, settle
from segmenter.ledger.schema import PENDING, PLANNED, table
from segmenter.messages import Message
from segmenter.tables import ANSWERS, CHANNELS, by_time
from segmenter.themes import themed

if TYPE_CHECKING:
    from sqlalchemy import Connection


@contextmanager
def record_with_results(
    ledger: Ledger,
    launch: LaunchRecord,
    invitations: pl.DataFrame,
    out: Path,
    publishing: AbstractContextManager[Path],
    basis: Basis | None = None,
) -> Iterator[Path]:
    """Publish results and record their plan: both or neither, wherever the job is killed.

    When the files are written, the plan is committed as pending, under the SHA-256 of the manifest; then the folder is renamed into
    place, which decides; then the plan takes the place of its launch's plan before. A job that is killed leaves at most a pending
    plan. Whoever opens the ledger next looks into the folder: if the manifest is the plan's, the last step is made up for; if not, the
    old results stand, and so does the old plan.

    `publishing` gives the folder to write into, ``manifest.json`` last, and renames it to `out` as it ends. The invitations are as for
    `record_plan`; the basis is looked at again as the plan is recorded.
    """
    rows = _check_invitations(launch, invitations)
    with ExitStack() as stack:
        staged: tuple[Connection, int] | None = None
        token = None
        try:
            with publishing as folder:
                yield folder
                token = fingerprint_of(folder)
                if token is None:
                    rule = "ledger: the results should end with a manifest.json (got none in {folder})"
                    raise LedgerError(Message("ledger.no_manifest", rule, folder=str(folder)))
                connection = stack.enter_context(connect_writer(ledger))
                with connection.begin():
                    staged = connection, _stage(ledger, connection, launch, rows, basis, token, place_of(ledger.file, out))
        finally:
            if staged is not None:
                _resolve(ledger, *staged, out, published=fingerprint_of(out) == token)


def record_plan(ledger: Ledger, launch: LaunchRecord, invitations: pl.DataFrame, basis: Basis | None = None) -> None:
    """Record a plan that has no results folder; it takes the place of its launch's plan before, and of nothing else.

    One row for each customer: ``customer_id``, ``status`` (``planned`` or ``held_out``), ``wave``, ``group``, ``agent``, ``score``,
    ``stratum``; and, which may be left out, ``region``, ``segment``, ``channel``, ``brings`` and ``planned_at``, else the
    as-of date.
    """
    rows = _check_invitations(launch, invitations)
    with connect_writer(ledger) as connection, connection.begin():
        settle(connection, _stage(ledger, connection, launch, rows, basis))


def record_answers(ledger: Ledger, launch: str, answers: pl.DataFrame) -> int:
    """Record what customers answered to a launch, and count what was not known.

    The answers have the columns of `ANSWER`, of which those from ``reason`` on may be left out, and may have a ``channel`` and a ``group``.
    Every answer ever read is kept; a customer's answer is the one with the latest date, and of several with one date the one that says
    most, whatever was read first; only what a file said of a day is replaced by what it says of that day later. What was read before is
    not taken twice. With each answer stays the invitation as it was then, so that no later plan of the launch changes it; its channel is
    the answer's, where that has one, and so is the group of who is in no plan. Where one is wrong, or the launch has no plan, none is
    taken.
    """
    from sqlalchemy import func, select

    needed, choices = ("customer_id", "answer", "answered_on", "source"), {"answer": ANSWERS, "channel": CHANNELS}
    schema = ANSWER | {name: INVITATION[name] for name in _TOLD}
    rows = check_rows("answers", answers, schema, needed=needed, choices=choices, optional=_OPTIONAL)
    # The order of the rows means nothing.
    rows = themed(rows).sort("customer_id", *by_time(), "brought_by", *_TOLD, nulls_last=False)
    rows = rows.unique(["customer_id", "answered_on", "source"], keep="last", maintain_order=True)
    plans, kept = table("plans"), table("answers")
    with connect_writer(ledger) as connection, connection.begin():
        planned = {row.launch: row.id for row in connection.execute(select(plans.c.launch, plans.c.id).where(plans.c.state == PLANNED))}
        if launch not in planned:
            raise LedgerError(unknown_launch(ledger, launch, planned))
        before = read_answers(connection, select(kept).where(kept.c.launch == launch))
        # What another file has said already stands there too, so that it does not matter which was read first.
        new = rows.join(before.filter("standing"), on=list(ANSWER), how="anti", nulls_equal=True)
        if new.is_empty():
            return 0
        now = _read_invitations(connection, planned[launch], new["customer_id"])
        # Who is not in the plan any more answers to the invitation of their answer before.
        past = before.sort("number").unique("customer_id", keep="last").select(*INVITATION).join(now, on="customer_id", how="anti")
        new = new.join(pl.concat([now, past]), on="customer_id", how="left", suffix="_planned")
        given = pl.coalesce("channel", "channel_planned"), pl.coalesce("group_planned", "group")
        new = new.with_columns(channel=given[0], group=given[1]).drop("channel_planned", "group_planned")
        first = int(connection.execute(select(func.coalesce(func.max(kept.c.number), 0)).where(kept.c.launch == launch)).scalar_one()) + 1
        numbered = new.sort("customer_id", "answered_on", maintain_order=True).with_row_index("number", offset=first)
        insert_rows(connection, "answers", numbered.with_columns(launch=pl.lit(launch)))
    return new.height


_TOLD = ("channel", "group")  # of the invitation, that an answer may tell
_OPTIONAL = ("reason", "call_on", "hour", "attempts", "brought_by", *_TOLD)


def unknown_launch(ledger: Ledger, name: str, known: "list[str] | dict[str, int]") -> Message:
    """Say that no launch has this name."""
    rule = 'launch.name: should be a launch in {ledger} (got "{name}"){nearest}'
    return Message("ledger.unknown_launch", rule, ledger=ledger.shown, name=name, nearest=nearest(name, known))


def _read_invitations(connection: "Connection", plan: int, ids: pl.Series) -> pl.DataFrame:
    """Read some of a plan's invitations: it may have a hundred times as many."""
    from sqlalchemy import String, column, select, text

    connection.exec_driver_sql("CREATE TEMPORARY TABLE segmenter_asked (id TEXT)")
    insert_rows(connection, "asked", ids.unique().sort().to_frame("id"))
    invitations, asked = table("invitations"), select(column("id", String)).select_from(text("segmenter_asked"))
    rows = read_frame(connection, select(invitations).where(invitations.c.plan == plan, invitations.c.customer_id.in_(asked)), INVITATION)
    connection.exec_driver_sql("DROP TABLE segmenter_asked")
    return rows


def _stage(
    ledger: Ledger,
    connection: "Connection",
    launch: LaunchRecord,
    rows: pl.DataFrame,
    basis: Basis | None,
    token: str | None = None,
    place: str | None = None,
) -> int:
    """Look again at what a plan was made on, and write it, in one transaction; nobody sees it yet."""
    from sqlalchemy import func, insert, select

    if basis is not None:
        check_basis(replace(ledger, connection=connection), basis)
    plans = table("plans")
    left = connection.execute(select(plans.c.id).where(plans.c.launch == launch.name, plans.c.state == PENDING)).scalars()
    for dead in list(left):
        drop(connection, dead)
    plan = int(connection.execute(select(func.coalesce(func.max(plans.c.id), 0))).scalar_one()) + 1
    facts = asdict(launch)
    facts |= {"launch": facts.pop("name"), "ends_on": launch.ends_on}
    connection.execute(insert(plans).values(id=plan, state=PENDING, token=token, place=place, **facts))
    insert_rows(connection, "invitations", rows.select(pl.lit(plan).alias("plan"), *INVITATION))
    return plan


def _resolve(ledger: Ledger, connection: "Connection", plan: int, out: Path, *, published: bool) -> None:
    """Let the ledger follow the folder."""
    from sqlalchemy.exc import DBAPIError

    try:
        with connection.begin():
            (settle if published else drop)(connection, plan)
    except DBAPIError as error:
        if published:  # if not, the reason why is the one to raise, and the plan's remains are the next one's to remove
            rule = (
                "ledger: {ledger} was lost at the last step (got {error}); the results are written in {out}, "
                "and the next job that opens the ledger makes up for the step"
            )
            facts = {"ledger": ledger.shown, "error": shorten_error(ledger, error), "out": str(out)}
            raise LedgerError(Message("ledger.lost_at_the_end", rule, **facts)) from error


def _check_invitations(launch: LaunchRecord, frame: pl.DataFrame) -> pl.DataFrame:
    needed, choices = ("customer_id", "status"), {"status": STATUSES, "channel": CHANNELS}
    optional = ("planned_at", "region", "segment", "channel", "brings")
    rows = check_rows("invitations", frame, INVITATION, needed=needed, choices=choices, optional=optional)
    problems = []
    if launch.horizon_days < 1:
        problems.append(Message("ledger.horizon", "launch.horizon_days: should be ≥ 1 (got {days})", days=launch.horizon_days))
    if rows["customer_id"].n_unique() < rows.height:
        twice = rows.filter(pl.col("customer_id").is_duplicated())["customer_id"].unique().sort()
        rule = "invitations: should have each customer once (got {customer} and {others} others more often); keep one row"
        problems.append(Message("ledger.twice", rule, customer=twice[0], others=len(twice) - 1))
    if problems:
        raise LedgerError(*problems)
    # A score that is no number is none: SQLite and PostgreSQL do not keep it alike.
    return rows.with_columns(pl.col("planned_at").fill_null(launch.as_of), pl.col("score", "brings").fill_nan(None)).sort("customer_id")
