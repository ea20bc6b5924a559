"""What the ledger tells: to the rules, to the review, to whoever learns from past launches.

All frames are sorted by launch and customer, and hold nothing dated after what they are asked for.
"""

from datetime import date, timedelta
from typing import TYPE_CHECKING

import polars as pl

from segmenter.ledger.connection import Ledger, reading
from segmenter.ledger.frames import ANSWER, INVITATION, frame_of
from segmenter.ledger.schema import PLANNED, SNAPSHOT, table
from segmenter.themes import themed

if TYPE_CHECKING:
    from sqlalchemy import Connection, Select

_LAUNCH = {
    "launch": pl.String(),
    "community": pl.String(),
    "as_of": pl.Date(),
    "horizon_days": pl.Int64(),
    "ends_on": pl.Date(),
    "target": pl.Int64(),
    "currency": pl.String(),
    "settings": pl.String(),
    "holdout": pl.Float64(),
    "state": pl.String(),
}
_KEPT = {"launch": pl.String(), "number": pl.Int64(), **ANSWER, **INVITATION}
_SAID = ("answer", "answered_on", "reason", "source")


def launches(ledger: Ledger) -> pl.DataFrame:
    """List the launches.

    Parameters
    ----------
    ledger : Ledger
        See `open_ledger`.

    Returns
    -------
    DataFrame
        ``launch``, ``community``, ``as_of``, ``horizon_days``, ``ends_on``, ``target`` (minor units), ``currency``, ``settings``,
        ``holdout`` (the share that was to be held out; null for plans of older versions), ``state`` (``pending`` while a job is just
        publishing it, or was killed before it did; else ``planned``), and how many are ``invited`` and ``held_out``.

    Raises
    ------
    LedgerError
        The ledger cannot be read.

    Examples
    --------
    >>> from pathlib import Path
    >>> from segmenter.ledger import open_ledger
    >>> launches(open_ledger(None, Path("nowhere/results"))).height
    0
    """
    from sqlalchemy import func, select

    plans, invitations = table("plans"), table("invitations")
    counts = (
        select(
            invitations.c.plan,
            func.count().filter(invitations.c.status == "planned").label("invited"),
            func.count().filter(invitations.c.status == "held_out").label("held_out"),
        )
        .group_by(invitations.c.plan)
        .subquery()
    )
    query = select(
        plans,
        func.coalesce(counts.c.invited, 0).label("invited"),
        func.coalesce(counts.c.held_out, 0).label("held_out"),
    ).outerjoin(counts, counts.c.plan == plans.c.id)
    with reading(ledger) as connection:
        return _frame(connection, query, {**_LAUNCH, "invited": pl.Int64(), "held_out": pl.Int64()}).sort("launch", "state")


def invited(ledger: Ledger, launch: str, as_of: date, days: int) -> pl.DataFrame:
    """Tell who was invited to other launches lately: for the cool-off, and for the most invitations in a period.

    A launch with the same as-of date counts too, and so do the waves that other launches have still ahead: who is invited there
    next week should not be invited here today.

    Parameters
    ----------
    ledger : Ledger
        See `open_ledger`.
    launch : str
        The one that is planned; its own invitations do not count.
    as_of : date
        Its as-of date; launches of a later one do not count.
    days : int
        How far to look back, ≥ 1: an invitation this many days before the date counts no more.

    Returns
    -------
    DataFrame
        For each customer: ``customer_id``, ``last_invited``, and ``invitations``, the number of launches.

    Raises
    ------
    LedgerError
        The ledger cannot be read.

    Examples
    --------
    >>> from pathlib import Path
    >>> from segmenter.ledger import open_ledger
    >>> invited(open_ledger(None, Path("nowhere/results")), "spring", date(2026, 7, 1), 90).columns
    ['customer_id', 'last_invited', 'invitations']
    """
    from sqlalchemy import func, select, union_all

    plans, planned, kept = table("plans"), table("invitations"), table("answers")
    known = (plans.c.state == PLANNED) & (plans.c.launch != launch) & (plans.c.as_of <= as_of)
    since = as_of - timedelta(days=days)
    now = select(plans.c.launch, planned.c.customer_id, planned.c.planned_at).join(plans, plans.c.id == planned.c.plan)
    # Who answered and is in the launch's plan no more was invited all the same.
    before = select(plans.c.launch, kept.c.customer_id, kept.c.planned_at).join(plans, plans.c.launch == kept.c.launch)
    both = union_all(
        now.where(known, planned.c.status == "planned", planned.c.planned_at > since),
        before.where(known, kept.c.status == "planned", kept.c.planned_at > since, kept.c.answered_on < as_of),
    ).subquery()
    query = select(
        both.c.customer_id, func.max(both.c.planned_at).label("last_invited"), func.count(both.c.launch.distinct()).label("invitations")
    ).group_by(both.c.customer_id)
    schema = {"customer_id": pl.String(), "last_invited": pl.Date(), "invitations": pl.Int64()}
    with reading(ledger) as connection:
        return _frame(connection, query, schema).sort("customer_id")


def held_out(ledger: Ledger, launch: str, as_of: date) -> pl.DataFrame:
    """Tell whom other launches hold out that are still running: they stay out of this one.

    Parameters
    ----------
    ledger : Ledger
        See `open_ledger`.
    launch : str
        The one that is planned.
    as_of : date
        Its as-of date; a launch runs from its own as-of date until before that plus its horizon.

    Returns
    -------
    DataFrame
        For each customer: ``customer_id``, and ``until``, the first day on which none of those launches runs.

    Raises
    ------
    LedgerError
        The ledger cannot be read.

    Examples
    --------
    >>> from pathlib import Path
    >>> from segmenter.ledger import open_ledger
    >>> held_out(open_ledger(None, Path("nowhere/results")), "spring", date(2026, 7, 1)).columns
    ['customer_id', 'until']
    """
    from sqlalchemy import func, select

    plans, planned = table("plans"), table("invitations")
    running = (plans.c.state == PLANNED) & (plans.c.launch != launch) & (plans.c.as_of <= as_of) & (plans.c.ends_on > as_of)
    query = (
        select(planned.c.customer_id, func.max(plans.c.ends_on).label("until"))
        .join(plans, plans.c.id == planned.c.plan)
        .where(running, planned.c.status == "held_out")
        .group_by(planned.c.customer_id)
    )
    with reading(ledger) as connection:
        return _frame(connection, query, {"customer_id": pl.String(), "until": pl.Date()}).sort("customer_id")


def members(ledger: Ledger, as_of: date, *, community: str | None = None) -> pl.DataFrame:
    """Tell who has joined.

    Parameters
    ----------
    ledger : Ledger
        See `open_ledger`.
    as_of : date
        Answers from this date on do not count.
    community : str or None
        Which; None for all.

    Returns
    -------
    DataFrame
        For each customer and community: ``customer_id``, ``community``, ``launch`` and ``joined_on``, of the first time.

    Raises
    ------
    LedgerError
        The ledger cannot be read.

    Examples
    --------
    >>> from pathlib import Path
    >>> from segmenter.ledger import open_ledger
    >>> members(open_ledger(None, Path("nowhere/results")), date(2026, 7, 1)).columns
    ['customer_id', 'community', 'launch', 'joined_on']
    """
    with reading(ledger) as connection:
        joined = _current(connection, None, as_of).filter(answer="joined").join(_planned(connection), on="launch")
    if community is not None:
        joined = joined.filter(community=community)
    first = joined.sort("answered_on", "launch").unique(["customer_id", "community"], keep="first")
    return first.select("customer_id", "community", "launch", pl.col("answered_on").alias("joined_on")).sort("customer_id", "community")


def refused_for_good(ledger: Ledger, as_of: date) -> pl.DataFrame:
    """Tell who does not want to be asked again by any launch.

    Who joined later, in whatever launch, does not count.

    Parameters
    ----------
    ledger : Ledger
        See `open_ledger`.
    as_of : date
        Answers from this date on do not count.

    Returns
    -------
    DataFrame
        For each customer: ``customer_id``, ``launch`` and ``refused_on``, of the last time.

    Raises
    ------
    LedgerError
        The ledger cannot be read.

    Examples
    --------
    >>> from pathlib import Path
    >>> from segmenter.ledger import open_ledger
    >>> refused_for_good(open_ledger(None, Path("nowhere/results")), date(2026, 7, 1)).columns
    ['customer_id', 'launch', 'refused_on']
    """
    with reading(ledger) as connection:
        current = _current(connection, None, as_of).sort("answered_on", "launch")
    joined = current.filter(answer="joined").group_by("customer_id").agg(pl.col("answered_on").max().alias("joined_on"))
    refused = current.filter(answer="refused_for_good").unique("customer_id", keep="last").join(joined, on="customer_id", how="left")
    stand = refused.filter((pl.col("joined_on") <= pl.col("answered_on")).fill_null(value=True))
    return stand.select("customer_id", "launch", pl.col("answered_on").alias("refused_on")).sort("customer_id")


def answers(ledger: Ledger, launch: str | None = None, *, before: date | None = None) -> pl.DataFrame:
    """List every answer ever read, also those that a later one replaced.

    Parameters
    ----------
    ledger : Ledger
        See `open_ledger`.
    launch : str or None
        Of which launch; None for all.
    before : date or None
        Answers from this date on do not count.

    Returns
    -------
    DataFrame
        ``launch``, ``number`` (from 1 in each launch, as they were read), ``customer_id``, ``answer``, ``answered_on``, ``source``,
        ``reason``; the invitation as it was when the answer was read: ``status`` (null for who was never in the plan), ``planned_at``,
        ``wave``, ``group``, ``agent``, ``score``, ``stratum``, ``region``, ``segment``; and ``current``: whether it is the customer's
        answer to the launch.

    Raises
    ------
    LedgerError
        The ledger cannot be read.

    Examples
    --------
    >>> from pathlib import Path
    >>> from segmenter.ledger import open_ledger
    >>> answers(open_ledger(None, Path("nowhere/results"))).height
    0
    """
    with reading(ledger) as connection:
        return _answers(connection, launch, before)


def people(ledger: Ledger, launch: str | None = None, *, before: date | None = None) -> pl.DataFrame:
    """Give one flat row for each launch and customer: who was invited or held out, why, and what came of it.

    For the review of one launch, and over all launches to learn the chance to join or the lift of being invited. An answer belongs to
    the invitation that it was given to: where there is one, the columns are of that, and ``in_plan`` says whether the launch's present
    plan has the customer still.

    Parameters
    ----------
    ledger : Ledger
        See `open_ledger`.
    launch : str or None
        Of which launch; None for all.
    before : date or None
        Answers from this date on, and launches of a later as-of date, do not count.

    Returns
    -------
    DataFrame
        ``launch``, ``community``, ``as_of``, ``ends_on``, ``customer_id``, ``in_plan``, ``status`` (null for who joined without being
        planned), ``planned_at``, ``wave``, ``group``, ``agent``, ``score``, ``stratum``, ``region``, ``segment``; ``answer``,
        ``answered_on``, ``reason`` and ``source``, null where there is no answer. See `segmenter.tables.INVITED`.

    Raises
    ------
    LedgerError
        The ledger cannot be read.

    Examples
    --------
    >>> from pathlib import Path
    >>> from segmenter.ledger import open_ledger
    >>> people(open_ledger(None, Path("nowhere/results"))).height
    0
    """
    from sqlalchemy import select

    plans, planned = table("plans"), table("invitations")
    query = select(plans.c.launch, planned).join(plans, plans.c.id == planned.c.plan).where(plans.c.state == PLANNED)
    if launch is not None:
        query = query.where(plans.c.launch == launch)
    with reading(ledger) as connection:
        present = _frame(connection, query, {"launch": pl.String(), **INVITATION})
        said, of = _current(connection, launch, before), _planned(connection)
    if before is not None:
        of = of.filter(pl.col("as_of") <= before)
    key = ["launch", "customer_id"]
    both = present.with_columns(in_plan=True).join(said, on=key, how="full", coalesce=True, suffix="_then")
    then = pl.col("status_then").is_not_null()
    rows = both.with_columns(
        pl.col("in_plan").fill_null(value=False), *(pl.when(then).then(f"{name}_then").otherwise(name).alias(name) for name in SNAPSHOT)
    )
    return rows.join(of, on="launch").select(*of.columns, "customer_id", "in_plan", *SNAPSHOT, *_SAID).sort(key)


def _planned(connection: "Connection | None") -> pl.DataFrame:
    from sqlalchemy import select

    plans = table("plans")
    schema = {name: _LAUNCH[name] for name in ("launch", "community", "as_of", "ends_on")}
    return _frame(connection, select(plans).where(plans.c.state == PLANNED), schema)


def _answers(connection: "Connection | None", launch: str | None, before: date | None) -> pl.DataFrame:
    from sqlalchemy import select

    kept = table("answers")
    query = select(kept)
    if launch is not None:
        query = query.where(kept.c.launch == launch)
    if before is not None:
        query = query.where(kept.c.answered_on < before)
    rows = themed(_frame(connection, query, _KEPT)).sort("launch", "customer_id", "answered_on", "number")
    return rows.with_columns(current=pl.struct("launch", "customer_id").is_last_distinct())


def _current(connection: "Connection | None", launch: str | None, before: date | None) -> pl.DataFrame:
    return _answers(connection, launch, before).filter("current").drop("current")


def _frame(connection: "Connection | None", query: "Select[tuple[object, ...]]", schema: dict[str, pl.DataType]) -> pl.DataFrame:
    return pl.DataFrame(schema=schema) if connection is None else frame_of(connection, query, schema)
