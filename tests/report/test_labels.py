from datetime import date
from decimal import Decimal

import pytest

import segmenter
from segmenter.measures.spec import LEARNING, MEASURES
from segmenter.planning.choice import SIZE
from segmenter.planning.not_invited import REASONS
from segmenter.planning.planner import HELD_OUT
from segmenter.report.charts import _short
from segmenter.report.labels import Labels, ratio

EN, ZH = Labels("en", "GBP"), Labels("zh", "CNY")


def test_money_is_in_whole_units_of_its_currency():
    assert (EN.money(1_234_070), ZH.money(1_234_070), Labels("en", "JPY").money(1_234)) == ("£12,341", "¥12,341", "¥1,234")
    assert EN.money(None) == "–"
    assert (EN.symbol, ZH.symbol, Labels("en", "XTS").symbol) == ("£", "¥", "XTS")


def test_numbers_shares_changes_and_days():
    assert (EN.number(1_234.56), EN.number(Decimal("0.04")), EN.number(None)) == ("1,234.6", "0", "–")
    assert (EN.share(0.1234), EN.share(None)) == ("12.3%", "–")
    assert (EN.change(1_000), EN.change(-3), EN.change(0), EN.change(None)) == ("+1,000", "−3", "–", "–")
    assert EN.day(date(2026, 7, 1)) == "July 1, 2026"
    assert (ratio(1, 4), ratio(1, 0)) == (0.25, None)


@pytest.mark.parametrize("labels", [EN, ZH])
def test_every_measure_has_a_name_of_its_own(labels):
    names = {name: labels.measure(name) for name in (measure.name for measure in (*MEASURES, *LEARNING))}
    assert len({_short(name) for name in names.values()}) == len(names)  # as charts show them
    assert not [name for name in names.values() if "_" in name]


def test_a_window_names_itself_by_what_it_counts():
    assert EN.measure("spend_365d") == "spend, last 365 days"
    assert EN.measure("orders_7d_before") == "orders, 7 days before"
    assert ZH.measure("orders_7d") == ZH.measure("orders_30d").replace("30", "7")
    assert EN.measure("shoe_size") == "shoe size"


@pytest.mark.parametrize("labels", [EN, ZH])
def test_every_rule_of_the_config_says_whom_it_removes(labels):
    settings = segmenter.launch_settings({"launch.as_of": "2026-07-01", "rules.custom": [{"name": "mine", "keep": "orders > 1"}]})
    for rule in ("staff", "consent", "spend_min", "orders_min", "recency", "cooloff"):
        assert labels.rule(rule) != rule
    assert labels.rule("mine") == "mine"
    assert "orders > 1" in labels.rule_detail("mine", settings.rules)
    assert labels.rule_detail("staff", settings.rules) == ""


def test_long_lists_of_regions_are_cut():
    settings = segmenter.launch_settings({"launch.as_of": "2026-07-01", "rules.region.exclude": [f"r{number}" for number in range(12)]})
    assert EN.rule_detail("region_exclude", settings.rules) == "r0, r1, r2, r3, r4, r5, r6, r7 and 4 more"


@pytest.mark.parametrize("reason", sorted({*REASONS, SIZE, HELD_OUT}))
def test_every_reason_not_to_invite_has_words_in_both_languages(reason):
    assert EN.left_out(reason).isascii()
    assert not ZH.left_out(reason).isascii()
