import polars as pl
import pytest
from polars.testing import assert_frame_equal

import segmenter
from segmenter.launch_plan import INVITE_COLUMNS


@pytest.mark.slow
def test_a_plan_is_said_in_the_language_of_its_settings_and_its_figures_stay(small_shop):
    chosen = {"launch.as_of": "2026-07-01", "plan.size": 80, "segments.k": 4}
    settings = {lang: segmenter.launch_settings(chosen | {"lang": lang}) for lang in ("en", "zh")}
    plan = segmenter.plan_launch(small_shop, settings["en"])
    english, chinese = (segmenter.in_words(plan, settings[lang]) for lang in ("en", "zh"))
    without = ("spend_top", "orders_top", "persona", "topic")
    columns = ["reason" if name == "reasons" else name for name in INVITE_COLUMNS if name not in without]
    for words in (english, chinese):
        assert words.invite_list.columns == columns
        assert words.invite_list["reason"].null_count() == 0
        assert set(words.invitations["segment"]) <= set(words.segments["name"])
        assert words.segments["name"].n_unique() == 4
    assert_frame_equal(english.segments, plan.segments)
    assert_frame_equal(english.invitations, plan.invitations)
    assert not set(chinese.segments["name"]) & set(english.segments["name"])
    assert chinese.segmentation.why != english.segmentation.why == plan.segmentation.why
    for name in ("segments", "invitations"):
        words = {"name", "who", "advice"} if name == "segments" else {"segment"}
        assert_frame_equal(getattr(chinese, name).select(pl.exclude(words)), getattr(plan, name).select(pl.exclude(words)))
