"""Why an input row is rejected. The rejects hold each reason as English text; `reason_of` finds the message behind it again."""

import re
from functools import cache

from segmenter.messages import Message

EMPTY = Message("rejects.empty", "is empty")
NO_ID = Message("rejects.no_id", "is no id")
NO_KIND = Message("rejects.no_kind", "is no kind")
NO_TIME = Message("rejects.no_time", "is no date or time")
NO_DATE = Message("rejects.no_date", "is no date (the customer is kept without it)")
NO_FLAG = Message("rejects.no_flag", "is neither yes nor no (taken as yes; the customer is kept)")
STRANGER = Message("rejects.stranger", "is no customer of the customers table")
CONTACT = Message("rejects.contact", "looks like a contact, which only the call sheets may show")
CONTACT_LEFT_OUT = Message("rejects.contact_left_out", f"{CONTACT} (taken as empty; the row is kept)")
REPEATED = Message("rejects.repeated", "repeats another row exactly")
TWICE = Message("rejects.twice", "stands in the table more than once, with other values (one row was kept)")
OPEN_QUOTE = Message("rejects.open_quote", "has a quote that does not end as it should (a quote inside a field is written as two)")
BEHIND_QUOTE = Message("rejects.behind_quote", "stands behind a quote that does not end, and may belong to it")

# Of answers.
NO_ANSWER = Message("rejects.no_answer", "is no known answer; write joined, refused, refused for good or no answer")
NO_ANSWER_DATE = Message("rejects.no_answer_date", "is no date; write it like 2026-07-03")
LATE = Message("rejects.late", "is after the review's date")
EARLY = Message("rejects.early", "is before the launch")
UNKNOWN_CUSTOMER = Message("rejects.unknown_customer", "is neither in the plan nor a customer of the shop")


def no_id_column(example: str, columns: str) -> Message:
    """Refuse a list of answers without customers."""
    rule = "should have a column of customer ids, such as customer_id or {example} (got columns {columns})"
    return Message("rejects.no_id_column", rule, example=example, columns=columns)


def no_answer_column(answer: str, joined_on: str, columns: str) -> Message:
    """Refuse a list of customers without answers."""
    rule = (
        "should have a column of answers, such as answer or {answer}, or of the dates of joining, such as joined on or {joined_on} "
        "(got columns {columns})"
    )
    return Message("rejects.no_answer_column", rule, answer=answer, joined_on=joined_on, columns=columns)


def no_time_format(table: str) -> Message:
    """Name the key that helps where times are written in a way of their own."""
    return Message("rejects.no_time_format", "is no date or time (data.{table}.time_format names a format)", table=table)


def no_amount(largest: str) -> Message:
    """Refuse what is no amount, or more than `largest` currency units."""
    return Message("rejects.no_amount", "is no amount, or beyond {largest}", largest=largest)


def other_currency(currency: str) -> Message:
    """Refuse money that is not in the launch's currency."""
    return Message("rejects.currency", "is not the launch's currency, {currency}", currency=currency)


def long_field(limit: str) -> Message:
    """Refuse a line of which a field does not end within so many characters."""
    return Message("rejects.long_field", "has a quote that does not end, or a field of more than {limit} characters", limit=limit)


def other_width(fields: str, width: str) -> Message:
    """Refuse a line with more fields than the header."""
    return Message("rejects.width", "has {fields} fields, the header {width}", fields=fields, width=width)


_WHOLE = (EMPTY, NO_ID, NO_KIND, NO_TIME, NO_DATE, NO_FLAG, STRANGER, CONTACT, CONTACT_LEFT_OUT, REPEATED, TWICE, OPEN_QUOTE, BEHIND_QUOTE)
_ANSWERS = (NO_ANSWER, NO_ANSWER_DATE, LATE, EARLY, UNKNOWN_CUSTOMER, no_id_column("", ""), no_answer_column("", "", ""))
_WITH_FACTS = (no_time_format(""), no_amount(""), other_currency(""), long_field(""), other_width("", ""))


@cache
def reason_of(text: str) -> str:
    """Give the message that a reason was; any other text as it is."""
    for known in (*_WHOLE, *_ANSWERS, *_WITH_FACTS):
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.*)", re.escape(known.sentence))
        if found := re.fullmatch(pattern, text):
            return type(known)(known.code, known.sentence, **found.groupdict())
    return text
