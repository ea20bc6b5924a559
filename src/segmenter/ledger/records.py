"""Plans and answers on their way into the ledger."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from segmenter.errors import LedgerError, nearest
from segmenter.ledger.basis import Basis, check_basis
from segmenter.ledger.connection import Ledger, drop, place_of, said, settle, token_of, writing
from segmenter.ledger.frames import ANSWER, ANSWERS, INVITATION, STATUSES, checked, frame_of, insert_rows
from segmenter.ledger.schema import PENDING, PLANNED, table
from segmenter.themes import themed

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(frozen=True)
class Launch:
    """What the ledger keeps of a launch beside its invitations.

    Parameters
    ----------
    name : str
        Says which launch it is: planned again under the same name, it is the same one.
    community : str
        What its customers are invited into; several launches may have the same.
    as_of : date
        Its as-of date, which is also the date of its plan.
    horizon_days : int
        How long it runs, ≥ 1: it ends before ``as_of + horizon_days``.
    target : int or None
        Sales to reach, in minor units.
    currency : str
        ISO 4217.
    settings : str
        Fingerprint of the config.
    holdout : float or None
        The share that was to be held out: what the review compares with. None where it is not known.

    Examples
    --------
    >>> Launch("spring", "tea", date(2026, 7, 1), 30, None, "CNY", "e3b0").ends_on
    datetime.date(2026, 7, 31)
    """

    name: str
    community: str
    as_of: date
    horizon_days: int
    target: int | None
    currency: str
    settings: str
    holdout: float | None = None

    @property
    def ends_on(self) -> date:
        """The first day that no longer counts."""
        return self.as_of + timedelta(days=self.horizon_days)


@dataclass(frozen=True)
class Imported:
    """What an import of answers came to.

    Parameters
    ----------
    new : int
        Answers that were not known.
    known : int
        Rows that said what was known already, or what another row said.
    uninvited : Series of String
        Customers among the new, sorted, whom no plan of the launch ever had.
    """

    new: int
    known: int
    uninvited: pl.Series


@contextmanager
def recorded(
    ledger: Ledger,
    launch: Launch,
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

    Parameters
    ----------
    ledger : Ledger
        Where to record.
    launch : Launch
        Which launch.
    invitations : DataFrame
        One row for each customer invited or held out: ``customer_id``, ``status`` (``planned`` or ``held_out``), ``wave``, ``group``,
        ``agent``, ``score``, ``stratum``, which may be null; ``region``, ``segment``, and ``planned_at``, the date of the invitation,
        which may also be left out: then that is the as-of date. Other columns are not looked at.
    out : Path
        The results folder.
    publishing : context manager
        ``publish(out)``: gives the folder to write into, and renames it into place as it ends.
    basis : Basis or None
        What the plan was made on: it is looked at again as the plan is recorded. None: it was made on nothing.

    Yields
    ------
    Path
        What `publishing` gives. The block writes ``manifest.json`` last.

    Raises
    ------
    LedgerError
        The invitations are wrong (before anything is written), or the ledger cannot be written or no longer says what the plan was
        made on (then no results appear).

    Examples
    --------
    >>> import tempfile
    >>> from contextlib import contextmanager
    >>> from segmenter.ledger import launches, open_ledger
    >>> people = pl.DataFrame({"customer_id": ["a"], "status": "planned", "wave": 1, "group": "g", "agent": None, "score": 9.5,
    ...                        "stratum": "s"})
    >>> @contextmanager
    ... def simply(out):
    ...     out.mkdir()
    ...     yield out
    >>> with tempfile.TemporaryDirectory() as place:
    ...     out = Path(place, "results")
    ...     ledger = open_ledger(None, out)
    ...     launch = Launch("spring", "tea", date(2026, 7, 1), 30, None, "CNY", "e3b0")
    ...     with recorded(ledger, launch, people, out, simply(out)) as folder:
    ...         _ = (folder / "manifest.json").write_text("{}")
    ...     launches(ledger).select("launch", "invited", "held_out").rows()
    [('spring', 1, 0)]
    """
    rows = _invitations(launch, invitations)
    with ExitStack() as stack:
        staged: tuple[Connection, int] | None = None
        token = None
        try:
            with publishing as folder:
                yield folder
                token = token_of(folder)
                if token is None:
                    raise LedgerError(f"ledger: the results should end with a manifest.json (got none in {folder})")
                connection = stack.enter_context(writing(ledger))
                with connection.begin():
                    staged = connection, _stage(ledger, connection, launch, rows, basis, token, place_of(ledger, out))
        finally:
            if staged is not None:
                _resolve(ledger, *staged, out, published=token_of(out) == token)


def record_plan(ledger: Ledger, launch: Launch, invitations: pl.DataFrame, basis: Basis | None = None) -> None:
    """Record a plan that has no results folder; it takes the place of its launch's plan before, and of nothing else.

    Parameters
    ----------
    ledger : Ledger
        Where to record.
    launch : Launch
        Which launch.
    invitations, basis
        As for `recorded`.

    Raises
    ------
    LedgerError
        The invitations are wrong, or the ledger cannot be written or no longer says what the plan was made on.

    Examples
    --------
    >>> import tempfile
    >>> from segmenter.ledger import open_ledger, people
    >>> launch = Launch("spring", "tea", date(2026, 7, 1), 30, None, "CNY", "e3b0")
    >>> planned = {"customer_id": ["a"], "status": "planned", "wave": 1, "group": "g", "agent": None, "score": 9.5, "stratum": "s"}
    >>> with tempfile.TemporaryDirectory() as place:
    ...     ledger = open_ledger(None, Path(place, "results"))
    ...     record_plan(ledger, launch, pl.DataFrame(planned))
    ...     people(ledger).select("customer_id", "planned_at", "answer").rows()
    [('a', datetime.date(2026, 7, 1), None)]
    """
    rows = _invitations(launch, invitations)
    with writing(ledger) as connection, connection.begin():
        settle(connection, _stage(ledger, connection, launch, rows, basis))


def record_answers(ledger: Ledger, launch: str, answers: pl.DataFrame) -> Imported:
    """Record what customers answered to a launch.

    Every answer ever read is kept; a customer's answer is the one with the latest date, and of several with one date the one that was
    read last. What was read before is not taken twice. With each answer stays the invitation as it was then, so that no later plan
    of the launch changes it.

    Parameters
    ----------
    ledger : Ledger
        Where to record.
    launch : str
        Its name.
    answers : DataFrame
        ``customer_id``, ``answer`` (one of `ANSWERS`), ``answered_on`` and ``source``, the file's name, none of them null; ``reason``,
        which may be null or left out. Other columns are not looked at.

    Returns
    -------
    Imported
        What was new.

    Raises
    ------
    LedgerError
        The answers are wrong, the launch has no plan, or the ledger cannot be written; then no answer is taken.

    Examples
    --------
    >>> import tempfile
    >>> from segmenter.ledger import open_ledger
    >>> launch = Launch("spring", "tea", date(2026, 7, 1), 30, None, "CNY", "e3b0")
    >>> planned = {"customer_id": ["a"], "status": "planned", "wave": 1, "group": "g", "agent": None, "score": 9.5, "stratum": "s"}
    >>> told = pl.DataFrame({"customer_id": ["a"], "answer": "joined", "answered_on": date(2026, 7, 2), "source": "sheet.xlsx"})
    >>> with tempfile.TemporaryDirectory() as place:
    ...     ledger = open_ledger(None, Path(place, "results"))
    ...     record_plan(ledger, launch, pl.DataFrame(planned))
    ...     [record_answers(ledger, "spring", told).new for _ in range(2)]
    [1, 0]
    """
    from sqlalchemy import String, column, func, select, text

    rows = checked("answers", answers, ANSWER, ("customer_id", "answer", "answered_on", "source"), {"answer": ANSWERS}, ("reason",))
    # A day's answers in an order of their own: that of the rows means nothing.
    strength = pl.col("answer").replace_strict(ANSWERS, range(len(ANSWERS)), return_dtype=pl.Int64)
    rows = themed(rows).sort("customer_id", "answered_on", strength, "reason", "source", nulls_last=False)
    same = ["customer_id", "answer", "answered_on", "reason"]
    plans, invitations, kept = table("plans"), table("invitations"), table("answers")
    with writing(ledger) as connection, connection.begin():
        planned = {row.launch: row.id for row in connection.execute(select(plans.c.launch, plans.c.id).where(plans.c.state == PLANNED))}
        if launch not in planned:
            raise LedgerError(f'launch.name: should be a launch in {ledger.shown} (got "{launch}"){nearest(launch, planned)}')
        before = themed(frame_of(connection, select(kept).where(kept.c.launch == launch), {"number": pl.Int64(), **ANSWER, **INVITATION}))
        new = rows.unique(same, keep="first", maintain_order=True).join(before, on=same, how="anti", nulls_equal=True)
        if new.is_empty():
            return Imported(0, rows.height, pl.Series("customer_id", [], dtype=pl.String))
        # The plan may have a hundred times as many.
        connection.exec_driver_sql("CREATE TEMPORARY TABLE segmenter_asked (id TEXT)")
        insert_rows(connection, "asked", new.select(pl.col("customer_id").unique().sort().alias("id")))
        asked = select(column("id", String)).select_from(text("segmenter_asked"))
        query = select(invitations).where(invitations.c.plan == planned[launch], invitations.c.customer_id.in_(asked))
        now = frame_of(connection, query, INVITATION)
        connection.exec_driver_sql("DROP TABLE segmenter_asked")
        # Who is not in the plan any more answers to the invitation of their answer before.
        past = before.sort("number").unique("customer_id", keep="last").select(*INVITATION).join(now, on="customer_id", how="anti")
        new = new.join(pl.concat([now, past]), on="customer_id", how="left")
        first = int(connection.execute(select(func.coalesce(func.max(kept.c.number), 0)).where(kept.c.launch == launch)).scalar_one()) + 1
        placed = new.sort("customer_id", "answered_on", maintain_order=True).with_row_index("number", offset=first)
        insert_rows(connection, "answers", placed.with_columns(launch=pl.lit(launch)))
    uninvited = placed.filter(pl.col("status").is_null())["customer_id"].unique().sort()
    return Imported(new.height, rows.height - new.height, uninvited)


def _stage(
    ledger: Ledger,
    connection: "Connection",
    launch: Launch,
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
    connection.execute(
        insert(plans).values(
            id=plan,
            launch=launch.name,
            community=launch.community,
            as_of=launch.as_of,
            horizon_days=launch.horizon_days,
            ends_on=launch.ends_on,
            target=launch.target,
            currency=launch.currency,
            settings=launch.settings,
            holdout=launch.holdout,
            state=PENDING,
            token=token,
            place=place,
        )
    )
    insert_rows(connection, "invitations", rows.select(pl.lit(plan).alias("plan"), *INVITATION))
    return plan


def _resolve(ledger: Ledger, connection: "Connection", plan: int, out: Path, *, published: bool) -> None:
    """Let the ledger follow the folder."""
    from sqlalchemy.exc import DBAPIError

    try:
        with connection.begin():
            (settle if published else drop)(connection, plan)
    except DBAPIError as error:
        if published:  # if not, the reason why is the one to tell, and the plan's remains are the next one's to remove
            raise LedgerError(
                f"ledger: {ledger.shown} was lost at the last step (got {said(ledger, error)}); the results are written in {out}, "
                "and the next job that opens the ledger makes up for the step"
            ) from error


def _invitations(launch: Launch, frame: pl.DataFrame) -> pl.DataFrame:
    needed, choices = ("customer_id", "status"), {"status": STATUSES}
    rows = checked("invitations", frame, INVITATION, needed, choices, ("planned_at", "region", "segment"))
    problems = []
    if launch.horizon_days < 1:
        problems.append(f"launch.horizon_days: should be ≥ 1 (got {launch.horizon_days})")
    if rows["customer_id"].n_unique() < rows.height:
        twice = rows.filter(pl.col("customer_id").is_duplicated())["customer_id"].unique().sort()
        problems.append(
            f"invitations: should have each customer once (got {twice[0]} and {len(twice) - 1} others more often); keep one row"
        )
    if problems:
        raise LedgerError(*problems)
    # A score that is no number is none: SQLite and PostgreSQL do not keep it alike.
    return rows.with_columns(pl.col("planned_at").fill_null(launch.as_of), pl.col("score").fill_nan(None)).sort("customer_id")
