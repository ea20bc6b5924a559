"""The reasons of rejects: text in the tables, messages for people."""

from segmenter.messages import Message
from segmenter.report.language import translate
from segmenter.sources import reject_reasons
from segmenter.sources.reject_reasons import NO_AMOUNT, NO_TIME_FORMAT, OTHER_WIDTH, reason_of, with_facts


def test_every_reason_is_found_again_in_its_text():
    whole = [value for value in vars(reject_reasons).values() if isinstance(value, Message)]
    made = [
        with_facts(NO_TIME_FORMAT, table="orders"),
        with_facts(NO_AMOUNT, largest="10,000"),
        with_facts(OTHER_WIDTH, fields="4", width="3"),
    ]
    for message in (*whole, *made):
        found = reason_of(str(message))
        assert isinstance(found, Message)
        assert (found, found.code, dict(found.facts)) == (message, message.code, dict(message.facts))
        assert translate(found, "zh") != message


def test_any_other_text_is_given_back():
    assert reason_of("is a riddle") == "is a riddle"
