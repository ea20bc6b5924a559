"""What the rejected rows of the tables hold: how many and how much, what they have in common, and what would read them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import reduce

import polars as pl

from segmenter.findings import Finding, Level
from segmenter.messages import Message
from segmenter.money import exact

_SOME = 3  # rows, from which on it is no chance that they are of one month or of one file
_TIMES = 3  # so many times larger than the others on average are large
_EXAMPLES = 3
_REASONS = 5  # that a warning names
_HARDLY = 0.001  # a share of rows and of money that is not worth a warning, where the rows have nothing in common


@dataclass(frozen=True)
class TableSource:
    """What is known of a table besides its rejects."""

    turnover: int = 0  # the amounts of its kept rows added up, refunds as well; 0 where it has none
    files: int = 1
    days: tuple[date | None, date | None] = (None, None)  # the first and the last


def summarize_rejects(
    reads: Mapping[str, Mapping[str, int]],
    rejects: pl.DataFrame,
    sources: Mapping[str, TableSource],
    *,
    currency: str,
    decimal: str,
    max_share: float,
    reason_of: Callable[[str], str],
) -> list[Finding]:
    """Say of each table what its rejected rows hold: a stop where that is more than a share of 1 of its rows or money, or all.

    Parameters
    ----------
    reads : mapping
        Of each table what became of its rows, as in `Tables`.
    rejects : DataFrame
        See `tables.REJECTED`; contacts in it are hidden.
    sources : mapping
        Of some tables what else is known.
    currency : str
        The launch's.
    decimal : str
        ``data.decimal``.
    max_share : float
        ``data.max_reject_share``.
    reason_of : callable
        Gives the message that a reason's text was.
    """
    findings: list[Finding] = []
    for table, counts in reads.items():
        if counts.get("dropped"):
            sentence = "{table}: {count:,} rows repeat another row exactly and were dropped, as data.{table}.repeats says"
            findings.append(Finding("note", Message("amounts.dropped", sentence, table=table, count=counts["dropped"])))
        if not (rejected := counts["rejected"]):
            continue
        own = rejects.filter(table=table, kept=False)
        known, worth = sources.get(table, TableSource()), _worth(own)
        share, money_share = rejected / (rejected + counts["kept"]), worth / max(worth + known.turnover, 1)
        stop = share > max_share or money_share > max_share or not counts["kept"]
        common = _in_common(own, known, counts["kept"])
        reasons = _reasons(own, table, decimal, reason_of)
        facts = {
            "table": table,
            "share": Message("amounts.all", "all") if not counts["kept"] else f"{share:.1%}",
            "count": rejected + counts["kept"],
            "rejected": rejected,
            "money": _money(worth, money_share, currency) if worth else "",
            "common": reduce(_and, common) if common else "",
        }
        if stop:
            sentence = (
                "{table}: {share} of {count:,} rows were rejected{money}{common}. Mend the rows or the mapping "
                "(data.max_reject_share allows {allowed:g}% of the rows and of the money):"
            )
            findings.append(Finding("stop", Message("amounts.many_rejects", sentence, **facts, allowed=100 * max_share)))
            findings += [Finding("stop", Message("amounts.line", "  {reason}", reason=reason)) for reason in reasons]
            continue
        sentence = "{table}: {rejected:,} of {count:,} rows ({share}) were left out{money}{common}: {reasons}"
        listed = reduce(lambda first, other: Message("amounts.and", "{first}; {other}", first=first, other=other), reasons[:_REASONS])
        level: Level = "note" if max(share, money_share) < _HARDLY and not common else "warning"
        findings.append(Finding(level, Message("amounts.rejects", sentence, **facts, reasons=listed)))
    return findings


def _worth(rejects: pl.DataFrame) -> int:
    return int(rejects["amount"].abs().sum())


def _money(worth: int, share: float, currency: str) -> Message:
    sentence = ", with {amount} {currency} as far as it can be read, {share:.1%} of the money"
    return Message("amounts.money", sentence, amount=exact(worth, currency), currency=currency, share=share)


def _and(first: Message, other: Message) -> Message:
    return Message("amounts.joined", "{first}{other}", first=first, other=other)


def _in_common(rejects: pl.DataFrame, known: TableSource, kept: int) -> list[Message]:
    """Say in what the rejected rows differ from the others: it may be why, and whom it concerns."""
    said: list[Message] = []
    amounts = rejects["amount"].drop_nulls()
    if len(amounts) > 1 and (amounts < 0).all():
        said.append(Message("amounts.refunds", "; all of them are refunds"))
    if len(amounts) and kept and known.turnover and (times := (_worth(rejects) / len(amounts)) / (known.turnover / kept)) >= _TIMES:
        said.append(Message("amounts.large", "; they are {times:,.0f} times as large as the others on average", times=times))
    if rejects.height < _SOME:
        return said
    if known.files > 1 and len(files := rejects["file"].unique()) == 1 and files[0] is not None:
        said.append(Message("amounts.one_file", "; all of them stand in {file}", file=files[0]))
    months = rejects["day"].dt.strftime("%Y-%m").unique()
    first, last = known.days
    if (
        len(months) == 1
        and months[0] is not None
        and first is not None
        and last is not None
        and (first.year, first.month) != (last.year, last.month)
    ):
        said.append(Message("amounts.one_month", "; all of them are of {month}", month=months[0]))
    return said


def _reasons(rejects: pl.DataFrame, table: str, decimal: str, reason_of: Callable[[str], str]) -> list[Message]:
    """List the reasons with their examples, those worth most."""
    # Of a whole row its place is shown rather than its text, which may hold a phone number.
    place = pl.struct("file", "row").filter(pl.col("file").is_not_null() & pl.col("row").is_not_null()).sort().first()
    values = rejects.filter(pl.col("value").is_not_null()).group_by("column", "reason", "value").agg(pl.col("amount").abs().max())
    values = values.sort(["amount", "value"], descending=[True, False], nulls_last=True)
    examples = values.group_by("column", "reason", maintain_order=True).agg(pl.col("value").head(_EXAMPLES).alias("values"))
    reasons = rejects.group_by("column", "reason").agg(pl.len().alias("count"), place.alias("place"))
    reasons = reasons.join(examples, on=["column", "reason"], how="left", nulls_equal=True)
    lines: list[Message] = []
    for row in reasons.sort(["count", "column", "reason"], descending=[True, False, False]).rows(named=True):
        column, at, reason = row["column"], row["place"], reason_of(row["reason"])
        such_as: Message | str = ""
        if column is None and at is not None and at["row"] is not None:
            such_as = Message("amounts.such_as_row", ", such as row {row} of {file}", **at)
        elif column is not None and row["values"]:
            quoted = tuple(Message("amounts.quoted", '"{value}"', value=value) for value in row["values"])
            such_as = Message("amounts.such_as", ", such as {values}", values=quoted)
        way_out = _way_out(getattr(reason, "code", ""), table, decimal)
        facts = {"column": column or Message("amounts.whole_row", "row"), "reason": reason, "such_as": such_as, "way_out": way_out}
        lines.append(Message("amounts.reason", "{count:,} × {column} {reason}{such_as}{way_out}", count=row["count"], **facts))
    return lines


def _way_out(code: str, table: str, decimal: str) -> Message | str:
    """Name the key that reads such rows, or leaves them out."""
    match code, decimal:
        case "rejects.no_amount", "." | ",":
            other = "," if decimal == "." else "."
            way = Message("amounts.other_mark", 'data.decimal="{other}" or auto may read them', other=other)
        case "rejects.two_readings", _:
            way = Message("amounts.name_mark", 'data.decimal="." or "," says which')
        case "rejects.empty" | "rejects.currency", _:
            way = Message("amounts.leave_out", "data.{table}.where leaves out what is not wanted", table=table)
        case _:
            return ""
    return Message("amounts.way_out", " ({way})", way=way)
