"""Why an input row is rejected. The rejects hold each reason as English text; `reason_of` finds the message behind it again."""

import re
from functools import cache

from segmenter.messages import Message

EMPTY = Message("rejects.empty", "is empty")
NO_ID = Message("rejects.no_id", "is no id")
NO_KIND = Message("rejects.no_kind", "is no kind")
NO_TIME = Message("rejects.no_time", "is no date or time")
NO_DATE = Message("rejects.no_date", "is no date (the customer is kept without it)")
NO_HOUR = Message("rejects.no_hour", "is no hour of the day, from 0 to 23")
NO_COUNT = Message("rejects.no_count", "is no whole number from 0 up")
NO_WEIGHT = Message("rejects.no_weight", "is no number from 0 up")
NO_FLAG = Message("rejects.no_flag", "is neither yes nor no (taken as yes; the customer is kept)")
NO_CHANNEL = Message("rejects.no_channel", "is no known channel (plan.channel is taken; the applicant is kept)")
STRANGER = Message("rejects.stranger", "is no customer of the customers table")
CONTACT = Message("rejects.contact", "looks like a contact, which only the call sheets may show")
CONTACT_LEFT_OUT = Message("rejects.contact_left_out", f"{CONTACT} (taken as empty; the row is kept)")
TWO_READINGS = Message("rejects.two_readings", "has three decimals as no other amount has, or is meant in thousands")
TWICE = Message("rejects.twice", "stands in the table more than once, with other values (one row was kept)")
OPEN_QUOTE = Message("rejects.open_quote", "has a quote that does not end as it should (a quote inside a field is written as two)")
BEHIND_QUOTE = Message("rejects.behind_quote", "stands behind a quote that does not end, and may belong to it")

# With facts: see `with_facts`.
NO_TIME_FORMAT = Message("rejects.no_time_format", "is no date or time (data.{table}.time_format names a format)", table="")
NO_AMOUNT = Message("rejects.no_amount", "is no amount, or beyond {largest}", largest="")  # in currency units
OTHER_CURRENCY = Message("rejects.currency", "is not the launch's currency, {currency}", currency="")
LONG_FIELD = Message("rejects.long_field", "has a quote that does not end, or a field of more than {limit} characters", limit="")
OTHER_WIDTH = Message("rejects.width", "has {fields} fields, the header {width}", fields="", width="")

# Of answers.
NO_ANSWER = Message("rejects.no_answer", "is no known answer; write joined, will join, refused or another word of the sheet's list")
NO_ANSWER_DATE = Message("rejects.no_answer_date", "is no date; write it like 2026-07-03")
LATE = Message("rejects.late", "is after the review's date")
EARLY = Message("rejects.early", "is before the launch")
UNKNOWN_CUSTOMER = Message("rejects.unknown_customer", "is neither in the plan nor a customer of the shop")
NOBODY = Message("rejects.nobody", "is nobody whom the launch or the shop knows by phone or name; write the customer id")
SEVERAL = Message("rejects.several", "may be several people by phone or name; write the customer id")
BRINGER_NOBODY = Message(
    "rejects.bringer_nobody", "names nobody whom the launch or the shop knows as who brought them; write the customer id"
)
BRINGER_SEVERAL = Message("rejects.bringer_several", "may be several people as who brought them; write the customer id")
BRINGER_SELF = Message("rejects.bringer_self", "says that they brought themselves; write who did, or nothing")
BRINGERS = (str(BRINGER_NOBODY), str(BRINGER_SEVERAL), str(BRINGER_SELF))  # the answer is kept
_NO_ID_COLUMN = "should have a column of customer ids, such as customer_id or {example} (got columns {columns})"
NO_ID_COLUMN = Message("rejects.no_id_column", _NO_ID_COLUMN, example="", columns="")
_NO_ANSWER_COLUMN = (
    "should have a column of answers, such as answer or {answer}, or of the dates of joining, such as joined on or {joined_on} "
    "(got columns {columns})"
)
NO_ANSWER_COLUMN = Message("rejects.no_answer_column", _NO_ANSWER_COLUMN, answer="", joined_on="", columns="")

_ALL = tuple(value for value in list(globals().values()) if isinstance(value, Message))


def with_facts(reason: Message, **facts: str) -> Message:
    """Give a reason with its facts in it."""
    return type(reason)(reason.code, reason.sentence, **facts)


@cache
def reason_of(text: str) -> str:
    """Give the message that a reason was; any other text as it is."""
    for known in _ALL:
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.*)", re.escape(known.sentence))
        if found := re.fullmatch(pattern, text):
            return with_facts(known, **found.groupdict())
    return text
