"""How answers are spelt."""

import pytest

from segmenter.sources.answer_spelling import near, spoken


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("konghao", "空号"),
        ("bu xuyao", "不需要"),
        ("bxy", "不需要"),
        ("同意jq", "同意加群"),
        ("no answer", "no answer"),  # English stays as it is
        ("加了VIP", "加了vip"),
        ("she'll join", "she will join"),
        ("電話熄咗機", "电话熄机了"),
        ("開緊會，聽日先打", "开会,明天先打"),
        ("佢話唔要", "他说不要"),
        ("未接×3", "未接3次"),
    ],
)
def test_what_is_spelt_in_another_way_is_said_in_standard_words(written: str, meant: str) -> None:
    assert spoken(written) == meant


def test_words_are_alike_that_sound_or_look_alike_but_not_what_turns_them_round() -> None:
    assert near("群", "裙")
    assert near("己", "已")
    assert near("joined", "joind")
    assert not near("agreed", "disagreed")
