"""The section that says who comes first, and why."""

import polars as pl
import pytest
from marks import slow_but

import segmenter
from segmenter.report.key_user_report import key_users
from segmenter.report.labels import Labels


@pytest.mark.slow
@pytest.mark.parametrize("value", slow_but(["people", "spend"], "spend"))
def test_page_and_terminal_say_whom_key_users_bring_and_only_the_terminal_who_they_are(small_shop, value):
    ids = sorted(small_shop.customers["customer_id"])
    ties = pl.DataFrame({"from_id": [ids[0]] * 40, "to_id": ids[10:50], "weight": 1.0})
    tables = segmenter.tables.Tables(**{**vars(small_shop), "ties": ties})
    chosen = {
        "launch.as_of": "2026-07-01",
        "plan.size": 80,
        "segments.k": 2,
        "scoring": "decayed",
        "spread": "referrals",
        "spread.value": value,
    }
    settings = segmenter.launch_settings(chosen | {"plan.key_user_components": ["reach"]})
    plan = segmenter.in_words(segmenter.plan_launch(tables, settings), settings)
    recorded = plan.invitations.filter(pl.col("brings").is_not_null())
    assert set(recorded["customer_id"]) == set(plan.spread.people["customer_id"])
    assert "component_reach" in plan.customers.columns
    first = plan.invite_list.filter(wave=1)
    assert first["customer_id"].to_list()[: plan.spread.reaching] == plan.spread.people["customer_id"].to_list()[: plan.spread.reaching]
    assert first["reason"][0].startswith("first, ")
    for lang in ("en", "zh"):
        (section,) = key_users(plan, 30, Labels(lang, "CNY"))
        page, terminal = repr(section.blocks), repr(section.brief)
        for customer in plan.spread.people["customer_id"]:
            assert customer not in page
        assert plan.spread.people["customer_id"][0] in terminal
        assert ("Who spend" in page or "预计消费" in page) == (value == "spend")
    off = segmenter.launch_settings({"launch.as_of": "2026-07-01", "plan.size": 80, "scoring": "decayed"})
    usual = segmenter.plan_launch(small_shop, off)
    assert key_users(usual, 30, Labels("en", "CNY")) == []
    assert usual.invitations["brings"].null_count() == usual.invitations.height
