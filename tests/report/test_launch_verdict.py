from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl
import pytest
from marks import slow_but

from segmenter.evaluation.forecast import Forecast
from segmenter.report.labels import Labels
from segmenter.report.launch_verdict import grounds, outlook, verdict, who_when

CUTS = (date(2026, 6, 1), date(2026, 5, 2), date(2026, 4, 2))


def forecast(chance: float | None, needed: int | None = None) -> Forecast:
    target = None if chance is None else 500_000_00
    wave = {"wave": [1, 2], "invitations": [36, 400], "joins_low": [5, 80], "joins": [9, 120], "joins_high": [15, 170]}
    sales = {"sales_low": [-500, 100_000_00], "sales": [900_00, 200_000_00], "sales_high": [9_000_00, 300_000_00]}
    by_wave = pl.DataFrame(wave | sales | {"chance": [0.0, chance]}, schema_overrides={"chance": pl.Float64})
    ranges = (80, 120, 170), (100_000_00, 200_000_00, 300_000_00)
    return Forecast(400, *ranges, target, chance, 0.9, needed, 800, by_wave, CUTS, 30, 70_000_00)


def said(launch: Callable[..., Any], expected: Forecast | None, lang: str = "en", **more: Any) -> tuple[Any, Any, list[str]]:
    made = launch(lang=lang)
    target = None if expected is None or expected.target is None else 500_000
    settings = made.settings.model_copy(update={"launch": made.settings.launch.model_copy(update={"target": target})})
    plan = replace(made.plan, forecast=expected, **more)
    advice = verdict(plan, plan.customers.filter(verdict="eligible"), settings, Labels(lang, "CNY"))
    return plan, settings, [str(sentence) for sentence in advice.sentences]


@pytest.mark.slow
@pytest.mark.parametrize("lang", slow_but(["en", "zh"], "en"))
def test_one_sentence_says_whom_how_many_and_what_it_brings_against_the_target(launch: Callable[..., Any], lang: str) -> None:
    plan, _, (first, watch, then) = said(launch, forecast(0.02), lang, obstacles=("too few",))
    for figure in (plan.counts["invited"], plan.counts["eligible"], 80, 170, "¥100,000", "¥300,000", "¥500,000"):
        assert str(figure) in first
    assert str(plan.counts["key_users"]) in then
    assert {"en": "in red", "zh": "红框"}[lang] in watch


def test_a_chance_is_said_in_words_and_these_never_turn(launch: Callable[..., Any]) -> None:
    words = [said(launch, forecast(chance))[2][0] for chance in (0.0, 0.05, 0.3, 0.5, 0.7, 0.95, 1.0)]
    assert "less than 1 of 100" in words[0]
    assert "95 of 100" in words[5]
    assert ["missed" in sentence for sentence in words] == [True, True, True, False, False, False, False]
    assert ["will" in sentence for sentence in words] == [True, True, True, False, True, True, True]


def test_without_a_forecast_nothing_is_said_of_sales(launch: Callable[..., Any]) -> None:
    plan, settings, (first, *_) = said(launch, None)
    assert f"{round(plan.invite_list['join_chance'].sum())} should join" in first
    assert outlook(plan, settings, Labels("en", "CNY")) == []
    without = replace(plan, counts={**plan.counts, "held_out": 0}, warnings=(), obstacles=())
    assert verdict(without, plan.customers, settings, Labels("en", "CNY")).level == "good"


@pytest.mark.parametrize(("needed", "words"), [(None, "Even all 800"), (650, "It takes 650")])
def test_the_outlook_answers_and_says_how_it_is_known(launch: Callable[..., Any], needed: int | None, words: str) -> None:
    plan, settings, _ = said(launch, forecast(0.4, needed))
    (section,) = outlook(plan, settings, Labels("en", "CNY"))
    texts = " ".join(map(str, section.blocks))
    assert "500,000" in section.heading
    for fact in (words, "3 past dates", "April 2, 2026", "June 1, 2026"):
        assert fact in texts
    sales = section.blocks[-1]
    assert [[cell.text for cell in row.cells[:2]] for row in sales.rows] == [["1", "36"], ["2", "400"]]
    assert [row.cells[3].text for row in sales.rows] == ["-¥5 to ¥9,000", "¥100,000 to ¥300,000"]
    sentence = plan.forecast.sentence("CNY")
    noted = replace(plan, notes=(*plan.notes, sentence))
    assert len(grounds(noted, settings, Labels("en", "CNY")).blocks) == len(plan.notes)


def test_the_waves_and_the_calendar_hold_every_call(launch: Callable[..., Any]) -> None:
    plan, settings, _ = said(launch, forecast(None))
    (section,) = who_when(plan, settings, Labels("en", "CNY"))
    table, grid = section.blocks
    assert [row.cells[2].text for row in table.rows] == ["36", "364"]
    assert [row.cells[-1].text for row in table.rows] == ["5 to 15", "80 to 170"]
    assert sum(int(square.figure or 0) for square in grid.cells[0][0].squares) == plan.invite_list.height
