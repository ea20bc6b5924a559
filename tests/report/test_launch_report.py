import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import polars as pl
import pytest
from marks import slow_but
from pages import Page, check_alone, check_page, text_of

from segmenter.report.launch_report import launch_report
from segmenter.report.page import render_page


def page_of(plan: Any, settings: Any, rejects: pl.DataFrame) -> str:
    return render_page(launch_report(plan, settings, rejects), settings.lang)


@pytest.mark.parametrize("lang", slow_but(["en", "zh"], "zh"))
def test_says_what_the_launch_came_to(launch: Callable[..., Any], lang: str) -> None:
    made = launch(scoring="auto", lang=lang)
    page = page_of(replace(made.plan, warnings=("only <few> are left",)), made.settings, made.tables.rejects)
    text = text_of(page)
    counts = made.plan.counts
    listed, eligible = made.plan.invite_list["spend"].sum(), made.plan.customers.filter(verdict="eligible")["spend"].sum()
    figures = [f"{counts['customers']:,}", f"{counts['eligible']:,}", *(f" {removed:,} " for removed in made.plan.funnel["removed"])]
    names = ["summer & tea", "tea <first> & news", "only <few> are left", *made.plan.groups["group"]]
    for words in [*figures, *names, f"{100 * listed / eligible:.1f}%"]:
        assert words in text
    check_page(f"launch.{lang}", page)


@pytest.mark.slow
def test_what_keeps_a_plan_from_being_carried_out_stands_before_all_else(launch: Callable[..., Any]) -> None:
    made = launch()
    plan = replace(made.plan, warnings=("some are late",), obstacles=("nobody <calls>",))
    text = text_of(page_of(plan, made.settings, made.tables.rejects))
    assert text.index("nobody <calls>") < text.index("Control group") < text.index("some are late")


def test_loads_nothing_and_is_small(launch: Callable[..., Any]) -> None:
    made = launch()
    page = page_of(made.plan, made.settings, made.tables.rejects)
    check_alone(page)
    assert len(page.encode()) < 400_000


@pytest.mark.slow
def test_holds_no_customer(launch: Callable[..., Any]) -> None:
    made = launch()
    page = page_of(made.plan, made.settings, made.tables.rejects)
    contacts = made.tables.contacts
    personal = [value for name in contacts.columns for value in contacts[name].drop_nulls() if value != "=1+1"]
    assert len(personal) > 4_000
    assert not [value for value in personal if value in page]
    assert not [reason for reason in made.plan.invite_list["reason"] if reason in page]
    assert "bananas" not in page  # a rejected value
    assert made.tables.rejects["reason"][0] in page


@pytest.mark.slow
def test_hostile_names_stay_text(launch: Callable[..., Any]) -> None:
    made = launch(rules__region__exclude=("../../etc",), rules__region__allow_missing=True)
    rejects = made.tables.rejects.with_columns(pl.lit("<img src=x>").alias("column"))
    segments = made.plan.segments.with_columns(pl.lit('<svg onload="x">').alias("name"))
    page = page_of(replace(made.plan, segments=segments), made.settings, rejects)
    assert "<script>alert(1)</script>" in text_of(page)
    assert "img" not in Page(page).tags
    assert page.count("<script") == 1
    assert "onload=" not in re.sub(r">[^<]*<", "><", page)


@pytest.mark.slow
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_tells_how_many_are_of_each_persona_and_what_they_are_told(launch: Callable[..., Any], lang: str) -> None:
    wanted = [
        {"name": "<b>big</b>", "where": "spend > 2000", "hook": "cartons & more, 13800138000", "script": "Dear {name}: {hook}"},
        {"name": "clinic", "where": "type = 'clinic'"},
    ]
    made = launch(personas=wanted, lang=lang)
    page = page_of(made.plan, made.settings, made.tables.rejects)
    text = text_of(page)
    assert "<b>big</b>" in text
    assert {"en": "Dear (name): cartons & more, 99999999999", "zh": "Dear （客户姓名）: cartons & more"}[lang] in text
    (also,) = made.plan.personas["also"].drop_nulls()
    assert also in text
    assert {"en": "Other", "zh": "其他"}[lang] in text
    assert "<b>big" not in page


@pytest.mark.slow
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_tells_the_topics_and_what_groups_have_in_common(launch: Callable[..., Any], lang: str) -> None:
    made = launch(topics__use=True, lang=lang)
    text = text_of(page_of(made.plan, made.settings, made.tables.rejects))
    for topic in made.plan.topics.profiles["topic"]:
        assert topic in text
    focus = made.plan.groups.drop_nulls("focus").select("group", "focus", "focus_by_chance").row(0)
    assert focus[0] in text
    assert all(f"{figure:.2f}" in text for figure in focus[1:])
    plain = launch(lang=lang)
    assert {"en": "Topics", "zh": "集中度"}[lang] not in text_of(page_of(plain.plan, plain.settings, plain.tables.rejects))


def test_tells_the_spend_of_no_group_of_few(launch: Callable[..., Any]) -> None:
    made = launch()
    groups = made.plan.groups.with_columns(
        pl.int_range(1, pl.len() + 1).alias("size"), (pl.int_range(1, pl.len() + 1) * 7_777_700).alias("spend")
    )
    text = text_of(page_of(replace(made.plan, groups=groups), made.settings, made.tables.rejects))
    assert [f"¥{number * 77_777:,}" in text for number in range(1, 8)] == [False] * 4 + [True] * 3


def test_charts_are_well_formed_text(launch: Callable[..., Any]) -> None:
    made = launch(scoring="auto", lang="zh")
    drawn = re.findall(r"<svg.*?</svg>", page_of(made.plan, made.settings, made.tables.rejects), re.DOTALL)
    assert len(drawn) == 6
    for svg in drawn:
        root = ElementTree.fromstring(svg)
        assert "PingFang SC" in root.attrib["font-family"]
        assert [node for node in root.iter("text") if node.text]
        assert not [node for node in root.iter() if "id" in node.attrib]  # ids of several charts would meet on one page
    assert any("消费额不足" in svg for svg in drawn)


def test_same_bytes_again_and_in_any_order_of_rows(launch: Callable[..., Any]) -> None:
    made = launch()
    rejects = made.tables.rejects.with_columns(pl.Series("column", ["a", "b", "c"]))
    page = page_of(made.plan, made.settings, rejects)
    shuffled = replace(
        made.plan, customers=made.plan.customers.sample(fraction=1, shuffle=True, seed=1), invite_list=made.plan.invite_list.reverse()
    )
    assert page_of(shuffled, made.settings, rejects.reverse()) == page


@pytest.mark.slow
def test_a_launch_with_next_to_nothing(launch: Callable[..., Any]) -> None:
    settings = {"plan.size": 1, "rules.recency.max_days": None, "rules.spend.min": None, "rules.staff": False, "rules.blocked": False}
    settings |= {"rules.reachable": None, "rules.per_phone": False}
    made = launch(**{name.replace(".", "__"): value for name, value in settings.items()}, rules__consent=False, segments__k=1)
    assert made.plan.funnel.is_empty()
    page = page_of(made.plan, made.settings, made.tables.rejects.clear())
    assert "every customer is eligible" in text_of(page)
    assert "could not be understood" not in page
