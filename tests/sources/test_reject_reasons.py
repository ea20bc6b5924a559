"""The reasons of rejects: text in the tables, messages for people."""

import ast
import inspect

from segmenter.messages import Message
from segmenter.report.language import translate
from segmenter.sources import reject_reasons
from segmenter.sources.reject_reasons import no_amount, other_width, reason_of


def test_every_reason_is_found_again_in_its_text():
    whole = [value for value in vars(reject_reasons).values() if isinstance(value, Message)]
    made = [reject_reasons.no_time_format("orders"), no_amount("10,000"), reject_reasons.other_currency("CNY")]
    made += [reject_reasons.long_field("131,072"), other_width("4", "3")]
    made += [reject_reasons.no_id_column("客户编号", "a, b"), reject_reasons.no_answer_column("答复", "入群日期", "a, b")]
    for message in (*whole, *made):
        found = reason_of(str(message))
        assert isinstance(found, Message)
        assert (found, found.code, dict(found.facts)) == (message, message.code, dict(message.facts))
        assert translate(found, "zh") != message
    calls = [node for node in ast.walk(ast.parse(inspect.getsource(reject_reasons))) if isinstance(node, ast.Call)]
    assert len({message.code for message in (*whole, *made)}) == sum(getattr(call.func, "id", None) == "Message" for call in calls)


def test_any_other_text_is_given_back():
    assert reason_of("is a riddle") == "is a riddle"
