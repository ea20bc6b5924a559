import pytest

from segmenter.planning.choice import SIZE
from segmenter.planning.not_invited import REASONS
from segmenter.planning.planner import HELD_OUT
from segmenter.report.not_invited_words import not_invited_words


@pytest.mark.parametrize("reason", sorted({*REASONS, SIZE, HELD_OUT}))
def test_every_reason_has_words_of_its_own_in_both_languages(reason):
    en, zh = not_invited_words(reason, "en"), not_invited_words(reason, "zh")
    assert en.isascii()
    assert not zh.isascii()
