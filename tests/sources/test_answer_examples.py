"""Answers by how people have written others."""

import pytest

from segmenter.sources.answer_examples import example_sets, learn, likeliest, meaning_of
from segmenter.sources.answer_phrases import NO, NOT_YET, YES
from segmenter.tables import ANSWERS

EXAMPLES = learn([("进群了", "joined"), ("已经进群", "joined"), ("不想进群", "refused"), ("对方关机", "not_reached")])


def test_the_state_is_that_of_the_most_alike_and_what_nobody_has_written_is_none() -> None:
    assert likeliest(("不", "想", "进"), EXAMPLES)[0] == "refused"
    assert likeliest(("已", "关", "机"), EXAMPLES)[0] == "not_reached"
    assert likeliest(("红", "包"), EXAMPLES) == ("", 0.0)


ALL = [answer for answers in example_sets().values() for answer in answers]


def test_examples_are_of_the_ledgers_states_and_none_stands_under_two() -> None:
    assert {state for _, state in ALL} == {*ANSWERS, NOT_YET.answer}
    assert len({text for text, _ in ALL}) == len(set(ALL))


@pytest.mark.slow
def test_what_the_examples_say_is_understood_and_never_crosses_between_yes_and_no() -> None:
    said = [(text, state, meaning.answer if (meaning := meaning_of(text)) else None) for text, state in ALL]
    assert not [text for text, state, got in said if (state in YES and got in NO) or (state in NO and got in YES)]
    assert sum(state == got for _, state, got in said) >= 0.99 * len(said)
