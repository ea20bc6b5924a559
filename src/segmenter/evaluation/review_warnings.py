"""What a person should know of the answers and orders that a review is made of."""

from collections.abc import Mapping
from datetime import date, timedelta

import polars as pl

from segmenter.launch_record import LaunchRecord
from segmenter.messages import Message

_YEAR = timedelta(days=365)


def review_warnings(
    counts: Mapping[str, int], invitations: pl.DataFrame, orders: pl.DataFrame, launch: LaunchRecord, end: date
) -> tuple[Message, ...]:
    """Say what makes a review's figures smaller than they are, or other than they seem; `orders` are those before its date."""
    warnings = []
    if not invitations["answer"].count():
        rule = "No answers are known: fill in the call sheets, or name the lists of who joined with review.answers."
        warnings.append(Message("review.no_answers", rule))
    warnings += _warn_of_early_export(orders["time"].dt.date().unique().sort(), launch, end)
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


def _longest_silence(days: pl.Series) -> int:
    """Give the most days in a row without an order, as far as the shop is known: so many more say nothing."""
    gaps = days.filter(days > days.max() - _YEAR).diff().drop_nulls()  # type: ignore[operator]  # a date, as there are days
    return max(gaps.dt.total_days(), default=1) - 1
