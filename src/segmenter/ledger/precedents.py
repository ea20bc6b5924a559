"""What the ledger tells a launch that is planned: about each customer, and about earlier answers."""

from datetime import date

import polars as pl

from segmenter.errors import LedgerError
from segmenter.ledger.opening import Ledger
from segmenter.ledger.reading import answers, held_out, invited, launches, members, people, refused_for_good
from segmenter.ledger.schema import PLANNED
from segmenter.tables import INVITED, PRECEDENTS, PastLaunches

_EVER = 36_525  # days


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
