"""Why customers refuse, as themes."""

import polars as pl
import pytest

from segmenter.evaluation.acceptance import count_reasons
from segmenter.themes import theme_of


@pytest.mark.parametrize(
    ("theme", "reasons"),
    [
        ("price", "too expensive|太贵了|价格不合适|没钱"),
        ("time", "busy|no time|太忙|没空"),
        ("not needed", "no need|sees no use in it|不需要|不感兴趣"),
        ("already member", "already in it|已经在群里"),
        ("wrong number", "wrong number|打错了"),
        ("messages", "too many groups already|群太多|消息太多"),
        ("other", "她女儿管，找欧阳明月|call her daughter"),
    ],
)
def test_reasons_have_themes(theme: str, reasons: str) -> None:
    assert {reason: theme_of(reason) for reason in reasons.split("|")} == dict.fromkeys(reasons.split("|"), theme)
    assert theme_of(theme) == theme


def test_review_of_the_library_counts_themes() -> None:
    said = pl.DataFrame({"answer": ["refused", "refused_for_good"], "reason": ["找欧阳明月，太贵", "13812345671 贵"]})
    assert count_reasons(said).rows() == [("price", 2, 1)]
