import polars as pl
import pytest
from four_customers import scored

from segmenter.report.reason_words import reason_text
from segmenter.scoring import with_reasons


def said(lang, window_days=None, currency="CNY", **overrides):
    scorer, done = scored(max_reasons=7, **overrides)
    chosen = with_reasons(done, done, scorer)
    return chosen.select(reason_text(chosen, scorer.settings, window_days=window_days, currency=currency, lang=lang)).to_series().to_list()


def test_english():
    assert said("en") == [
        "last order on 2026-06-30",
        "spent 5,000 in all, 12 orders, visited twice, brought a friend, spending up 50 % on the 90 days before",
        "spent 900 in all, 2 orders, last order on 2026-06-29, gave feedback twice, brought 3 friends",
        "visited once",
    ]


def test_chinese_with_a_window_and_kinds_of_the_shop_s_own():
    third = said("zh", window_days=365, engagement={"浏览": 1})[2]
    assert third.startswith("近 365 天消费 900 元")
    assert "浏览 4 次" in third
    assert "反馈 2 次、带来 3 位好友" in third


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_everybody_gets_a_reason(lang):
    scorer, done = scored()
    chosen = with_reasons(done, done, scorer).with_columns(reasons=pl.lit([], dtype=pl.List(pl.String)), days_since_order=pl.lit(None))
    words = chosen.select(reason_text(chosen, scorer.settings, window_days=None, currency="EUR", lang=lang)).to_series()
    assert all("700" in text or "5" in text or "200" in text or "9" in text for text in words)  # known for so many days
    unknown = chosen.with_columns(days_known=pl.lit(None, pl.Int32))
    words = unknown.select(reason_text(unknown, scorer.settings, window_days=None, currency="EUR", lang=lang)).to_series()
    assert words.n_unique() == 1
    assert words.null_count() == 0
