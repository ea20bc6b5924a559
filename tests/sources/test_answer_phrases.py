"""Answers as agents write them: those collected, those held out, and laws that hold for any."""

from functools import cache
from itertools import islice, product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marks import slow_but

from segmenter.report.call_sheet_words import ANSWER_WORDS
from segmenter.sources import answer_examples
from segmenter.sources.answer_examples import example_sets, learn, meaning_of
from segmenter.sources.answer_phrases import NOT_YET, is_phrase, patterns
from segmenter.tables import ANSWERS

YES, NO = {"joined", "agreed"}, {"refused", "refused_for_good"}


def state_of(text: str) -> str | None:
    meaning = meaning_of(text)
    return meaning.answer if meaning else None


@pytest.mark.parametrize("name", slow_but(example_sets(), *islice(example_sets(), 2)))
def test_answers_as_people_write_them_are_sorted_right_and_no_refusal_is_taken_for_a_yes(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sets = example_sets()
    others = learn(answer for other, answers in sets.items() if other != name for answer in answers)
    monkeypatch.setattr(answer_examples, "_examples", lambda: others)
    meaning_of.cache_clear()
    found = [(text, state, state_of(text)) for text, state in sets[name]]
    meaning_of.cache_clear()
    crossed = [(text, got) for text, state, got in found if (state in YES and got in NO) or (state in NO and got in YES)]
    wrong = [(text, state, got) for text, state, got in found if got != state]
    assert not crossed
    assert len(wrong) <= 0.04 * len(found), wrong


def test_every_phrase_of_the_drop_down_means_what_it_says() -> None:
    assert [state_of(text) for words in ANSWER_WORDS.values() for text in words] == [answer for answer in ANSWER_WORDS for _ in range(2)]


@cache
def phrases() -> list[tuple[str, str]]:
    return [
        ("".join(chosen), pattern.says)
        for pattern in patterns()
        for chosen in islice(
            product(
                *(
                    ["".join(option) if option and not option[0].isascii() else f" {' '.join(option)} " for option in part]
                    for part in pattern.parts
                )
            ),
            40,
        )
        if "".join(chosen).strip()
    ]


@cache
def saying(says: frozenset[str], states: frozenset[str]) -> list[str]:
    return [text.strip() for text, said in phrases() if said in says and state_of(text) in states]


# To know them takes seconds: only when they are asked for.
phrase = st.deferred(lambda: st.sampled_from(phrases()))
yes = st.deferred(lambda: st.sampled_from(saying(frozenset({"joined", "agreed", "in", "contact"}), frozenset(YES))))
no = st.deferred(lambda: st.sampled_from(saying(frozenset({"refused", "refused_for_good", "left"}), frozenset(NO))))


@given(phrase, st.sampled_from(["{}", " {} ", "{}!", "{}。", "（{}）"]), st.booleans())
def test_dressing_changes_no_meaning(phrase: tuple[str, str], dress: str, shout: bool) -> None:
    text = phrase[0].strip()
    assert meaning_of(dress.format(text.upper() if shout else text)) == meaning_of(text)


@given(st.text(max_size=12))
def test_any_text_is_understood_or_not(text: str) -> None:
    assert state_of(text) in (None, *ANSWERS, NOT_YET.answer)


@pytest.mark.slow
@given(
    yes,
    st.sampled_from(["不", "没", "没有", "未", "不想", "拒绝", "别", "并不", "不是", "not ", "never ", "nto ", "refuses: "]),
)
def test_what_is_turned_round_is_no_yes(text: str, turn: str) -> None:
    if text.isascii() == turn.isascii():
        assert state_of(turn + text) not in YES or is_phrase(turn + text, of="agreed")


@given(yes, no, st.booleans(), st.sampled_from(["，", "; ", " / ", "\n"]))
def test_yes_and_no_in_one_answer_are_never_a_yes(one: str, other: str, first: bool, mark: str) -> None:
    both = mark.join((one, other) if first else (other, one))
    assert state_of(both) not in YES


@pytest.mark.parametrize(
    "text",
    [
        "同意？",
        "可以吗",
        "能不能便宜点",
        "why not join?",
        "nto joined",
        "unjoined",
        "没有什么可以加入",
        "无意加入吗",
        "不需要，他老婆同意",
        "家里有事",
    ],
)
def test_what_cannot_be_told_is_left_to_people(text: str) -> None:
    assert state_of(text) not in YES


def test_attempts_are_counted_as_they_are_told() -> None:
    told = {
        "打了三次没人接": 3,
        "3次未接": 3,
        "连打两次没人接": 2,
        "tried 3 times, no answer": 3,
        "called twice, no reply": 2,
        "第二次打，还是没接": None,
        "未接": None,
    }
    assert {text: meaning_of(text).attempts for text in told} == told
