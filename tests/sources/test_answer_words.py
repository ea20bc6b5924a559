"""Answers and headers as agents write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmenter.sources.answer_words import NOT_YET, is_answer, known_answers, meaning_of, more_answers, roles_of
from segmenter.tables import ANSWERS


def test_every_word_is_in_the_ledgers_terms_and_a_turned_word_is_never_taken_for_its_opposite() -> None:
    assert {meaning.answer for meaning in known_answers().values()} == {*ANSWERS, NOT_YET.answer}
    for word in (
        "not joind",
        "unjoined",
        "will not jion",
        "wont join",
        "没有入群",
        "要加入",
        "已经退群",
        "不想进群",
        "无意加入",
        "未曾加入",
    ):
        meaning = meaning_of(word)
        assert meaning is None or meaning.answer != "joined", word
    for word in ("refuesd", "Declind", "拒绝了", "No, thanks!", "不加啦"):
        assert meaning_of(word).answer == "refused", word


@given(st.sampled_from(sorted(known_answers())), st.sampled_from(["{}", " {} ", "{}!", "{}。", "（{}）"]), st.booleans())
def test_dressing_changes_no_meaning(word: str, dress: str, shout: bool) -> None:
    assert meaning_of(dress.format(word.upper() if shout else word)) == known_answers()[word]


@given(st.text(max_size=12))
def test_any_text_is_understood_or_not(text: str) -> None:
    assert meaning_of(text) is None or meaning_of(text).answer in (*ANSWERS, NOT_YET.answer)


@pytest.mark.parametrize(("note", "answer"), [("已入群！", True), ("Joined", True), ("joined, is very keen", False), ("y", False)])
def test_a_note_is_an_answer_where_it_is_nothing_else(note: str, answer: bool) -> None:
    assert is_answer(note) == answer


def test_columns_are_found_in_both_languages_and_an_agents_own_beside_the_call_sheets() -> None:
    header = ["排名", "客户编号", "答复", "外呼结果", "答复日期", "姓名"]
    roles = roles_of(header)
    assert roles == {"customer_id": "客户编号", "answer": "答复", "answered_on": "答复日期"}
    assert more_answers(header, roles) == ["外呼结果"]
