"""The report of a review: its page, and what of it a terminal shows."""

import re
from collections.abc import Callable
from datetime import date
from typing import Any

import polars as pl
import pytest
from marks import slow_but
from pages import check_alone, check_page, text_of

from segmenter.report.labels import Labels
from segmenter.report.language import translate
from segmenter.report.page import render_page
from segmenter.report.review_report import review_report
from segmenter.report.review_words import say_acceptance, say_launch_lift, say_progress
from segmenter.report.terminal import show
from segmenter.tables import INVITED

Make = Callable[..., Any]


def page_of(found: Any, settings: Any) -> str:
    return render_page(review_report(found, settings), settings.lang)


@pytest.mark.slow
@pytest.mark.parametrize("lang", slow_but(["en", "zh"], "zh"))
def test_the_page_says_what_it_said(reviewed: Make, lang: str) -> None:
    made = reviewed(f"lang={lang}", "review.as_of=2026-07-20")
    check_page(f"review.{lang}", page_of(made.found, made.settings))


@pytest.mark.parametrize("lang", slow_but(["en", "zh"], "en"))
def test_the_target_the_lift_and_who_accepted_are_on_it(reviewed: Make, lang: str) -> None:
    made = reviewed(f"lang={lang}", warnings=("<script>few</script>",))
    found = made.found
    page = page_of(found, made.settings)
    said = text_of(page)
    for sentence in (
        say_progress(found, lang),
        say_launch_lift(found, lang),
        *(translate(said, lang) for said in (*found.doubts, *found.warnings)),
    ):
        assert re.sub(r"\s+", " ", sentence) in said
    assert found.progress.state == "missed"
    assert found.lift.best.low > 0
    for minor in (found.progress.sales, found.lift.best.total, found.lift.best.total_high, found.lift.estimates[0].total):
        assert f"¥{round(minor / 100):,}" in said
    for row in found.acceptance.filter(pl.col("over").is_in(["all", "wave", "agent", "region", "segment"])).to_dicts():
        assert f"{100 * row['share']:.1f}%" in said
    assert "<b>Li</b>" in said
    assert "big & old" in said
    assert page.count("<svg") == 1
    check_alone(page)
    assert page_of(found, made.settings) == page
    assert len(page.encode()) < 100_000


def test_no_customer_and_no_words_of_a_single_one(reviewed: Make) -> None:
    made = reviewed()
    page = page_of(made.found, made.settings)
    assert not re.search(r"K\d{4}", page)
    assert set(made.found.reasons["reason"]) == {"distance", "other", None}
    assert "call me" not in page
    said = text_of(page)
    assert "too far" in said
    assert "other reasons" in said
    assert "none noted" in said


def test_the_money_of_few_customers_is_not_told(reviewed: Make) -> None:
    made = reviewed()
    joined = reviewed(people=_with_joined(made.found.uplift.filter("joined").head(4)["customer_id"])).found
    said = text_of(page_of(joined, made.settings))
    assert joined.counts["joined"] == 4
    assert f"¥{round(joined.progress.sales / 100):,}" not in said
    assert "what they spend is not shown here" in said
    assert "Sales day by day" not in said


def test_where_those_who_joined_bought_nothing_there_is_a_page_all_the_same(reviewed: Make) -> None:
    made = reviewed(target=None, people=_with_joined(pl.Series([f"K{place}" for place in range(9)])))
    assert (made.found.counts["joined"], made.found.progress.sales) == (9, 0)
    page = page_of(made.found, made.settings)
    assert page.count("<svg") == 1
    assert "Those who joined have spent 0 in the 30 days. The launch had no target." in text_of(page)


def _with_joined(ids: pl.Series) -> pl.DataFrame:
    first = date(2026, 7, 1)
    row = {"launch": "tea", "community": "vip", "as_of": first, "ends_on": date(2026, 7, 31), "in_plan": True, "status": "planned"}
    row |= {"planned_at": first, "answer": "joined", "answered_on": first}
    return pl.DataFrame([row | {"customer_id": name} for name in ids], INVITED)


def test_what_cannot_be_said_is_left_out(reviewed: Make) -> None:
    silent = _with_joined(pl.Series(["K0001", "K0002"])).with_columns(answer=pl.lit(None, pl.String))
    made = reviewed("review.as_of=2026-07-02", target=None, people=silent)
    page = page_of(made.found, made.settings)
    said = text_of(page)
    assert "<svg" not in page
    assert not re.search(r"\bNone\b|\bnan\b", said)
    assert [section.heading for section in review_report(made.found, made.settings).sections if section.blocks] == [
        "What to do next",
        "Words",
    ]
    for there in ("review.answers=[FOLDER]", "plan.holdout=0.1"):
        assert there in said


def test_the_first_day_and_a_loss_are_drawn_too(reviewed: Make) -> None:
    made = reviewed("review.as_of=2026-07-02")
    said = text_of(page_of(made.found, made.settings))
    assert "Only 1 of 30 days have passed" in said
    assert "not shown" in said
    assert "Run the review again on July 31, 2026" in said
    loss = made.found.daily.with_columns(joined=-pl.col("joined"), joined_so_far=-pl.col("joined_so_far"))
    assert "−¥" in text_of(page_of(reviewed("review.as_of=2026-07-02", daily=loss).found, made.settings))


@pytest.mark.parametrize("lang", slow_but(["en", "zh"], "zh"))
def test_a_person_at_a_terminal_sees_how_the_launch_stands(
    reviewed: Callable[..., Any], lang: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "400")
    made = reviewed(f"lang={lang}", "out=results", warnings=("[red]few",), doubts=("[/] unequal",))
    show(review_report(made.found, made.settings), made.settings.out, made.settings.lang)
    shown = capsys.readouterr()
    for words in (say_progress(made.found, lang), say_launch_lift(made.found, lang), "results/review.html"):
        assert words in shown.out
    assert say_acceptance(made.found, Labels(lang, "CNY")) in shown.out
    assert "[red]few" in shown.err
    assert "[/] unequal" in shown.err
