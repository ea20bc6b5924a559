"""What makes the figures of a review other than they seem."""

from collections.abc import Mapping
from datetime import date, timedelta

import polars as pl

from segmenter.evaluation.generations import Generations
from segmenter.evaluation.signs_of_life import SignsOfLife
from segmenter.launch_record import LaunchRecord
from segmenter.messages import Message

_YEAR = timedelta(days=365)
_QUIET = 2  # days without any event, that are hardly chance


def warn_of_figures(
    counts: Mapping[str, int], invitations: pl.DataFrame, days: pl.Series, launch: LaunchRecord, end: date
) -> tuple[Message, ...]:
    """Say what makes a review's figures smaller than they are, or other than they seem; `days` are those with orders before its date."""
    warnings = []
    if not invitations["answer"].count():
        rule = "No answers are known: fill in the call sheets, or name the lists of who joined with review.answers."
        warnings.append(Message("review.no_answers", rule))
    warnings += _warn_of_early_export(days, launch, end)
    if replaced := counts["replaced"]:
        rule = "{count:,} customers answered to an invitation of a plan that was replaced since: they count in everything but the lift."
        warnings.append(Message("review.replaced", rule, count=replaced))
    if unasked := counts["unasked"]:
        rule = "{count:,} of those who joined were not invited: their sales count towards the target, not in the lift."
        warnings.append(Message("review.not_invited", rule, count=unasked))
    return tuple(warnings)


def _warn_of_early_export(days: pl.Series, launch: LaunchRecord, end: date) -> list[Message]:
    """Compare the last day with an order with the launch's, where that is later than the shop's silences explain."""
    last: date | None = days.max()  # type: ignore[assignment]  # a date or None, as its column is of dates
    if last is None:
        rule = "No order is as late as the launch (there are none): the tables may have been read before it."
        return [Message("review.no_orders", rule)]
    if last < launch.as_of:
        rule = "No order is as late as the launch (the last is of {last}): the tables may have been read before it."
        return [Message("review.old_orders", rule, last=last)]
    if (silent := (end - last).days - 1) > _longest_silence(days):
        rule = (
            "The last order is of {last}; days after it that should have some: {days:,}. The tables may have been read too early, and "
            "sales be too low. Export them again."
        )
        return [Message("review.early_export", rule, last=last, days=silent)]
    return []


def warn_of_early_events(life: SignsOfLife | None, until: date) -> list[Message]:
    """Say that events end earlier than the review."""
    if life is None or (silent := (until - life.until).days) < _QUIET:
        return []
    rule = "The last event is of {last}, none of the {days:,} days since: what members did then is not known. Export the events again."
    return [Message("review.early_events", rule, last=life.until - timedelta(days=1), days=silent)]


def _longest_silence(days: pl.Series) -> int:
    """Give the most days in a row without an order, as far as the shop is known: so many more say nothing."""
    gaps = days.filter(days > days.max() - _YEAR).diff().drop_nulls()  # type: ignore[operator]  # a date, as there are days
    return max(gaps.dt.total_days(), default=1) - 1


def warn_of_spread(spent: pl.DataFrame, through: Generations | None) -> list[Message]:
    """Say what is not known of who came through whom, where key users were to bring others, and what cannot be."""
    if through is None and spent["brings"].count():
        rule = (
            "Who brought whom is not known, so what the key users brought cannot be compared with what was expected: fill in the column "
            "brought by of the call sheets, name a list with it in review.answers, or give data.referrals."
        )
        return [Message("review.no_bringers", rule)]
    if through is None or not through.circles:
        return []
    rule = "{count:,} members are said to have come through each other in a circle: nobody counts as who brought them."
    return [Message("review.circles", rule, count=through.circles)]
