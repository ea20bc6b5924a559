"""Answers and headers as agents write them."""

import pytest

from segmenter.sources.answer_words import NOT_YET, is_answer, meaning_of, more_answers, roles_of


def test_in_a_column_that_asks_whether_somebody_joined_no_tells_of_no_call() -> None:
    for text in ("否", "no", "未入群", "还没进群", "没有", "×"):
        assert meaning_of(text, of_joining=True) == NOT_YET, text
    assert [meaning_of(text, of_joining=True).answer for text in ("是", "1", "已入群", "拒绝")] == ["joined", "joined", "joined", "refused"]
    assert [meaning_of(text).answer for text in ("否", "未入群")] == ["refused", "thinking"]


@pytest.mark.parametrize(("note", "answer"), [("已入群！", True), ("Joined", True), ("joined, is very keen", False), ("y", False)])
def test_a_note_is_an_answer_where_it_is_nothing_else(note: str, answer: bool) -> None:
    assert is_answer(note) == answer


def test_columns_are_found_in_both_languages_and_an_agents_own_beside_the_call_sheets() -> None:
    header = ["排名", "客户编号", "答复", "外呼结果", "答复日期", "姓名"]
    roles = roles_of(header)
    assert roles == {"customer_id": "客户编号", "answer": "答复", "answered_on": "答复日期"}
    assert more_answers(header, roles) == ["外呼结果"]
