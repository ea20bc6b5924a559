"""What the ledger says of each customer and of earlier answers to a launch that is planned, and whether it still says so."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

import polars as pl

from segmenter.errors import InputError, LedgerError
from segmenter.ledger.connection import Ledger, connect_reader, snapshot
from segmenter.ledger.queries import (
    list_answers,
    list_held_out,
    list_invitations,
    list_invited,
    list_last_words,
    list_launches,
    list_members,
    list_refused_for_good,
)
from segmenter.ledger.schema import PLANNED, table
from segmenter.messages import Message
from segmenter.tables import INVITED, PRECEDENTS, PastLaunches

_EVER = 36_525  # days
_TRIES = 5  # of a plan, where others are recorded before it again and again
_Plan = TypeVar("_Plan")


@dataclass(frozen=True)
class Basis:
    """What the ledger said when a launch was planned; `marks` says for each launch how far it had come.

    A mark is the number and the manifest of the launch's plan, and how many answers there were. Of a draft that is read back `past`
    is not known any more, but its digest.
    """

    launch: str
    as_of: date
    community: str
    days: int
    past: PastLaunches | None
    marks: Mapping[str, tuple[int, str | None, int]]
    digest: str | None = None

    def as_facts(self) -> dict[str, object]:
        """Give what a draft's manifest keeps of it."""
        marks = {name: list(mark) for name, mark in self.marks.items()}
        kept = {"launch": self.launch, "as_of": str(self.as_of), "community": self.community, "days": self.days}
        return {**kept, "marks": marks, "digest": self.digest or _digest(self.past)}

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> "Basis":
        """Read back what a draft's manifest keeps."""
        marks = {name: (int(mark[0]), mark[1], int(mark[2])) for name, mark in facts["marks"].items()}
        as_of = date.fromisoformat(facts["as_of"])
        return cls(facts["launch"], as_of, facts["community"], int(facts["days"]), None, marks, str(facts["digest"]))


class OvertakenError(LedgerError):
    """What a plan was made on is no longer so: other launches were recorded before it."""

    def __init__(self, launch: str, others: list[str]) -> None:
        self.others = tuple(others)
        super().__init__(
            Message(
                "ledger.overtaken",
                'ledger: should say what it said when "{launch}" was planned (got new plans or answers of {others} each time); '
                "nothing is written: launch again when those jobs are done",
                launch=launch,
                others=self.others,
            )
        )


def read_past_launches(ledger: Ledger, launch: str, as_of: date, *, community: str, days: int) -> PastLaunches | None:
    """Give what other launches did before a date, and what all of them taught; None where there is nothing of either.

    Invitations are counted over so many days; membership is that of the community.
    """
    everyone = list_invitations(ledger, before=as_of)
    running = everyone.filter(pl.col("launch") == launch, "in_plan", pl.col("as_of") < as_of, pl.col("ends_on") > as_of)
    # A plan of its own that nobody has answered teaches nothing: planned again, the launch gives the same bytes.
    everyone = everyone.filter((pl.col("launch") != launch) | pl.col("answer").is_not_null().any())
    if everyone.is_empty() and running.is_empty():
        return None
    customer = "customer_id"
    ever = list_invited(ledger, launch, as_of, _EVER).select(customer, "last_invited")
    lately = list_invited(ledger, launch, as_of, days).select(customer, "invitations")
    joined = list_members(ledger, as_of, community=community).select(customer, member=True)
    own = list_answers(ledger, launch, before=as_of).filter("current", pl.col("answer") == "refused")
    refused = pl.concat([list_refused_for_good(ledger, as_of).select(customer), own.select(customer)]).unique().with_columns(refused=True)
    held = list_held_out(ledger, launch, as_of).select(customer, pl.col("until").alias("held_out_until"))
    words = list_last_words(ledger, launch, as_of, community=community)
    known = pl.concat([ever, lately, joined, refused, held, words], how="align").with_columns(
        pl.col("invitations").fill_null(0), pl.col("member", "refused").fill_null(value=False)
    )
    precedents = known.select(PRECEDENTS.names()).cast(PRECEDENTS).sort(customer)
    goes_on = None if running.is_empty() else running.select(INVITED.names())
    return PastLaunches(precedents, everyone.select(INVITED.names()), goes_on)


def plan_on_basis(
    ledger: Ledger | None, launch: str, as_of: date, community: str, days: int, plan: Callable[[Basis | None], _Plan]
) -> tuple[_Plan, list[Message]]:
    """Plan and record a launch, and again where the ledger has changed before it was recorded; the notes say by whom."""
    notes: list[Message] = []
    while True:
        try:
            return plan(None if ledger is None else read_basis(ledger, launch, as_of, community=community, days=days)), notes
        except OvertakenError as error:
            if len(notes) == _TRIES - 1:
                raise
            again = "planned again, as the ledger has new plans or answers of {others} since this job began"
            notes.append(Message("ledger.planned_again", again, others=error.others))
        except InputError as error:  # such as: nobody is left
            raise InputError(*error.messages, *notes) from error


def read_basis(ledger: Ledger, launch: str, as_of: date, *, community: str, days: int) -> Basis:
    """Read all that a plan rests on from one state of the ledger."""
    with snapshot(ledger) as now:
        past = read_past_launches(now, launch, as_of, community=community, days=days)
        return Basis(launch, as_of, community, days, past, _read_marks(now))


def check_basis(ledger: Ledger, basis: Basis) -> None:
    """Make sure, as the only writer, that a plan may be recorded: the ledger still says what the plan was made on."""
    marks, launch = _read_marks(ledger), basis.launch
    if marks == basis.marks:
        return
    none = (0, None, 0)
    if lost := [name for name, (plan, _, count) in basis.marks.items() if (now := marks.get(name, none))[0] < plan or now[2] < count]:
        raise LedgerError(
            Message(
                "ledger.shrunk",
                "ledger: {ledger} should hold what it held when this launch was planned (got less of {launches}: it was removed "
                "or replaced meanwhile); nothing is written: put it back, and launch again",
                ledger=ledger.shown,
                launches=tuple(lost),
            )
        )
    if marks.get(launch, none)[0] != basis.marks.get(launch, none)[0]:
        raise LedgerError(
            Message(
                "ledger.planned_elsewhere",
                'launch.name: another job planned this launch meanwhile (got "{launch}"); its results stand and nothing is written: look '
                "at them, and launch again to replace them, or give this one a name of its own with launch.name=NAME",
                launch=launch,
            )
        )
    check_name(ledger, launch, basis.as_of)
    past = read_past_launches(ledger, launch, basis.as_of, community=basis.community, days=basis.days)
    if _digest(past) != (basis.digest or _digest(basis.past)):
        raise OvertakenError(launch, [name for name, mark in sorted(marks.items()) if mark != basis.marks.get(name)])


def _digest(past: PastLaunches | None) -> str:
    """Tell one past from another; both of its frames are sorted."""
    frames = () if past is None else (past.customers, past.invited, *([] if past.running is None else [past.running]))
    return hashlib.sha256(b"".join(frame.hash_rows().to_numpy().tobytes() for frame in frames)).hexdigest()


def _read_marks(ledger: Ledger) -> dict[str, tuple[int, str | None, int]]:
    """Give for each launch what grows with all that is recorded of it."""
    from sqlalchemy import func, select

    plans, answers = table("plans"), table("answers")
    with connect_reader(ledger) as connection:
        if connection is None:
            return {}
        last = connection.execute(select(answers.c.launch, func.max(answers.c.number)).group_by(answers.c.launch))
        counts = {row[0]: row[1] for row in last}
        rows = connection.execute(select(plans.c.launch, plans.c.id, plans.c.token).where(plans.c.state == PLANNED))
        return {row.launch: (row.id, row.token, counts.get(row.launch, 0)) for row in rows}


def check_name(ledger: Ledger, launch: str, as_of: date) -> None:
    """Refuse to plan anew a launch that is over and was answered: its plan is what the answers are measured by."""
    over = list_launches(ledger).filter(pl.col("launch") == launch, pl.col("state") == PLANNED, pl.col("ends_on") <= as_of)
    if over.is_empty() or not (count := list_answers(ledger, launch).height):
        return
    began, ended = over.row(0, named=True)["as_of"], over.row(0, named=True)["ends_on"]
    raise LedgerError(
        Message(
            "ledger.launch_over",
            'launch.name: is that of a launch that is over (got "{launch}", of {began}, which ended on {ended} with {answers:,} answers '
            "in {ledger}); give the new one a name of its own with launch.name=NAME",
            launch=launch,
            began=began,
            ended=ended,
            answers=count,
            ledger=ledger.shown,
        )
    )
