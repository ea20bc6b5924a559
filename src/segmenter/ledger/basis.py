"""What the ledger tells a launch that is planned: about each customer, and about earlier answers; and whether that still holds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

import polars as pl

from segmenter.errors import InputError, LedgerError
from segmenter.ledger.connection import Ledger, reading, state
from segmenter.ledger.queries import answers, held_out, invited, launches, members, people, refused_for_good
from segmenter.ledger.schema import PLANNED, table
from segmenter.tables import INVITED, PRECEDENTS, PastLaunches
from segmenter.words import Lang, say

_EVER = 36_525  # days
_TRIES = 5  # of a plan, where others are recorded before it again and again
_Planned = TypeVar("_Planned")


@dataclass(frozen=True)
class Basis:
    """What the ledger said when a launch was planned.

    Parameters
    ----------
    launch, as_of, community, days
        As for `past_launches`.
    past : PastLaunches or None
        What that gave.
    marks : mapping of str to tuple
        For each launch how far it had come: its plan's number and manifest, and how many answers there were.
    """

    launch: str
    as_of: date
    community: str
    days: int
    past: PastLaunches | None
    marks: Mapping[str, tuple[int, str | None, int]]


class OvertakenError(LedgerError):
    """What a plan was made on is no longer so: other launches were recorded before it."""

    def __init__(self, launch: str, others: list[str]) -> None:
        self.others = ", ".join(others)
        super().__init__(
            f'ledger: should say what it said when "{launch}" was planned (got new plans or answers of {self.others} each time); '
            "nothing is written: launch again when those jobs are done"
        )


def past_launches(ledger: Ledger, launch: str, as_of: date, *, community: str, days: int) -> PastLaunches | None:
    """Give what other launches did, and what all of them taught.

    Parameters
    ----------
    ledger : Ledger
        See `open_ledger`.
    launch : str
        The one that is planned: its own invitations do not stand in its way.
    as_of : date
        Its as-of date: what came later does not count.
    community : str
        What it invites into.
    days : int
        The period in which invitations are counted.

    Returns
    -------
    PastLaunches or None
        None where the ledger has no other launch, and no answers to this one.

    Raises
    ------
    LedgerError
        The ledger cannot be read.

    Examples
    --------
    >>> from pathlib import Path
    >>> from segmenter.ledger import open_ledger
    >>> past_launches(open_ledger(None, Path("nowhere/results")), "spring", date(2026, 7, 1), community="vip", days=365) is None
    True
    """
    everyone = people(ledger, before=as_of)
    # A plan of its own that nobody has answered tells nothing: planned again, the launch gives the same bytes.
    everyone = everyone.filter((pl.col("launch") != launch) | pl.col("answer").is_not_null().any())
    if everyone.is_empty():
        return None
    customer = "customer_id"
    ever = invited(ledger, launch, as_of, _EVER).select(customer, "last_invited")
    lately = invited(ledger, launch, as_of, days).select(customer, "invitations")
    joined = members(ledger, as_of, community=community).select(customer, member=True)
    own = answers(ledger, launch, before=as_of).filter("current", pl.col("answer") == "refused")
    refused = pl.concat([refused_for_good(ledger, as_of).select(customer), own.select(customer)]).unique().with_columns(refused=True)
    held = held_out(ledger, launch, as_of).select(customer, pl.col("until").alias("held_out_until"))
    known = pl.concat([ever, lately, joined, refused, held], how="align").with_columns(
        pl.col("invitations").fill_null(0), pl.col("member", "refused").fill_null(value=False)
    )
    return PastLaunches(known.select(PRECEDENTS.names()).cast(PRECEDENTS).sort(customer), everyone.select(INVITED.names()))


def planned_on_basis(
    ledger: Ledger | None,
    launch: str,
    as_of: date,
    community: str,
    days: int,
    plan: Callable[[Basis | None], _Planned],
    *,
    lang: Lang,
) -> tuple[_Planned, list[str]]:
    """Plan and record a launch, and again where what the ledger said has changed before it was recorded; tell by whom."""
    told: list[str] = []
    while True:
        try:
            return plan(None if ledger is None else basis_of(ledger, launch, as_of, community=community, days=days)), told
        except OvertakenError as error:
            if len(told) == _TRIES - 1:
                raise
            en = f"planned again, as the ledger has new plans or answers of {error.others} since this job began"
            told.append(say(lang, en, f"已重新编制名单：本次运行期间，台账中新增了 {error.others} 的名单或答复"))
        except InputError as error:  # such as: nobody is left
            raise InputError(*error.problems, *told) from error


def basis_of(ledger: Ledger, launch: str, as_of: date, *, community: str, days: int) -> Basis:
    """Read all that a plan rests on from one state of the ledger."""
    with state(ledger) as now:
        return Basis(launch, as_of, community, days, past_launches(now, launch, as_of, community=community, days=days), _marks(now))


def check_basis(ledger: Ledger, basis: Basis) -> None:
    """Make sure, as the only writer, that a plan may be recorded: the ledger still says what the plan was made on."""
    marks, launch = _marks(ledger), basis.launch
    if marks == basis.marks:
        return
    none = (0, None, 0)
    if lost := [name for name, (plan, _, told) in basis.marks.items() if (now := marks.get(name, none))[0] < plan or now[2] < told]:
        raise LedgerError(
            f"ledger: {ledger.shown} should hold what it held when this launch was planned (got less of {', '.join(lost)}: it was removed "
            "or replaced meanwhile); nothing is written: put it back, and launch again"
        )
    if marks.get(launch, none)[0] != basis.marks.get(launch, none)[0]:
        raise LedgerError(
            f'launch.name: another job planned this launch meanwhile (got "{launch}"); its results stand and nothing is written: look at '
            "them, and launch again to replace them, or give this one a name of its own with launch.name=NAME"
        )
    check_name(ledger, launch, basis.as_of)
    if not _same(basis.past, past_launches(ledger, launch, basis.as_of, community=basis.community, days=basis.days)):
        raise OvertakenError(launch, [name for name, mark in sorted(marks.items()) if mark != basis.marks.get(name)])


def _same(one: PastLaunches | None, other: PastLaunches | None) -> bool:
    if one is None or other is None:
        return one is other
    return one.customers.equals(other.customers) and one.invited.equals(other.invited)


def _marks(ledger: Ledger) -> dict[str, tuple[int, str | None, int]]:
    """Give for each launch what grows with all that is recorded of it."""
    from sqlalchemy import func, select

    plans, told = table("plans"), table("answers")
    with reading(ledger) as connection:
        if connection is None:
            return {}
        counts = connection.execute(select(told.c.launch, func.max(told.c.number)).group_by(told.c.launch))
        many = {row[0]: row[1] for row in counts}
        rows = connection.execute(select(plans.c.launch, plans.c.id, plans.c.token).where(plans.c.state == PLANNED))
        return {row.launch: (row.id, row.token, many.get(row.launch, 0)) for row in rows}


def check_name(ledger: Ledger, launch: str, as_of: date) -> None:
    """Refuse to plan anew a launch that is over and was answered: its plan is what the answers are measured by.

    Parameters
    ----------
    ledger : Ledger
        See `open_ledger`.
    launch : str
        The one that is planned.
    as_of : date
        Its as-of date.

    Raises
    ------
    LedgerError
        The name is that of a launch that is over.

    Examples
    --------
    >>> from pathlib import Path
    >>> from segmenter.ledger import open_ledger
    >>> check_name(open_ledger(None, Path("nowhere/results")), "spring", date(2026, 7, 1))
    """
    over = launches(ledger).filter(pl.col("launch") == launch, pl.col("state") == PLANNED, pl.col("ends_on") <= as_of)
    if over.is_empty() or not (told := answers(ledger, launch).height):
        return
    began, ended = over.row(0, named=True)["as_of"], over.row(0, named=True)["ends_on"]
    raise LedgerError(
        f'launch.name: is that of a launch that is over (got "{launch}", of {began}, which ended on {ended} with {told:,} answers in '
        f"{ledger.shown}); give the new one a name of its own with launch.name=NAME"
    )
