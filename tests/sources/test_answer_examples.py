"""Answers by how people have written others."""

from segmenter.sources.answer_examples import learn, likeliest, meaning_of
from segmenter.vocabulary import vocabulary

EXAMPLES = learn([("进群了", "joined"), ("已经进群", "joined"), ("不想进群", "refused"), ("对方关机", "not_reached")])


def test_the_state_is_that_of_the_most_alike_and_what_nobody_has_written_is_none() -> None:
    assert likeliest(("不", "想", "进"), EXAMPLES)[0] == "refused"
    assert likeliest(("已", "关", "机"), EXAMPLES)[0] == "not_reached"
    assert likeliest(("红", "包"), EXAMPLES) == ("", 0.0)


def test_examples_are_of_the_ledgers_states_and_none_stands_under_two() -> None:
    texts = [text for written in vocabulary("answer_examples").values() for text in written]
    assert len(texts) == len(set(texts))


def test_examples_never_turn_a_no_into_a_yes() -> None:
    said = {text: meaning_of(text) for text, state in _all() if state in {"refused", "refused_for_good"}}
    assert not [text for text, meaning in said.items() if meaning and meaning.answer in {"joined", "agreed"}]


def _all() -> list[tuple[str, str]]:
    return [(text, state) for state, texts in vocabulary("answer_examples").items() for text in texts]
