import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import polars as pl
import pytest
from marks import slow_but
from pages import check_alone, check_page, text_of

from segmenter.report import charts
from segmenter.report.backtest_report import backtest_report
from segmenter.report.backtest_words import advice
from segmenter.report.page import render_page
from segmenter.report.sections import lead
from segmenter.report.terminal import show

Make = Callable[..., Any]


def page_of(made: Any) -> str:
    return render_page(backtest_report(made.found, made.settings), made.settings.lang)


def blank(frame: pl.DataFrame) -> pl.DataFrame:
    """Take every figure away."""
    figures = [name for name, kind in frame.schema.items() if kind.is_numeric() and name not in ("customers", "eligible", "bin", "dates")]
    return frame.with_columns(pl.lit(None, kind).alias(name) for name, kind in frame.schema.items() if name in figures)


@pytest.mark.parametrize("lang", slow_but(["en", "zh"], "zh"))
def test_the_page_says_what_it_said(backtest: Make, lang: str) -> None:
    check_page(f"backtest.{lang}", page_of(backtest(f"lang={lang}")))


@pytest.mark.slow
def test_a_marketer_can_say_from_it_what_to_do(backtest: Make) -> None:
    made = backtest()
    found = made.found
    said = text_of(page_of(made))
    means = {row["ranking"]: row for row in found.results.filter(pl.col("cut").is_null()).to_dicts()}
    shares = (means["decayed"]["spend_share_10"], means["best"]["spend_share_10"], means["decayed"]["precision_size"])
    for figure in (*shares, means["rfm"]["spend_share_size"], means["weighted"]["spend_share_1"]):
        assert f"{100 * figure:.1f}%" in said
    assert f"{means['decayed']['lift_10']:.1f}×" in said
    assert all(str(part) in said for part in lead(advice(found, "en")))
    assert "segmenter launch scoring=decayed" in said
    off = round(100 * (means["clv"]["calibration"] - 1))
    assert f"clv: over all, it expects {off}% too much; of its top 10%, " in said
    assert "in the 30 days before would have been to expect 10% too little" in said
    for cut, share in found.results.filter(ranking="weighted").drop_nulls("cut").select("cut", "spend_share_10").rows():
        assert str(cut) in said
        assert f"{100 * share:.1f}%" in said


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"current": "decayed"}, "Nothing has to change: the launch already ranks by decayed"),
        ({}, "Let the next launch rank by it: segmenter launch scoring=decayed"),
    ],
)
def test_what_to_do_next_depends_on_how_clear_it_is(backtest: Make, changes: dict[str, str], said: str) -> None:
    made = backtest(**changes)
    assert said in text_of(page_of(made))


def renamed(found: Any, new: str) -> dict[str, Any]:
    frames = {name: getattr(found, name) for name in ("results", "intervals", "differences", "curves", "calibration")}
    changed = {
        name: frame.with_columns(pl.col(column).replace("decayed", new) for column in ("ranking", "against") if column in frame.columns)
        for name, frame in frames.items()
    }
    return changed | {"recommended": new, "choices": found.choices.clear()}


def test_a_ranking_of_the_users_own_may_have_any_name(backtest: Make) -> None:
    name = "<script>alert(1)</script> & mine"
    made = backtest(**renamed(backtest().found, name))
    page = page_of(made)
    said = text_of(page)
    assert name in said
    assert f"put the settings under rankings.{name} in the place of those under scoring" in said
    assert "scoring=<script>" not in said
    assert "older orders count less" not in said  # nothing is said of what it means
    check_alone(page)
    assert len(page.encode()) < 200_000


def test_what_cannot_be_said_is_left_out(backtest: Make) -> None:
    whole = backtest().found
    nothing = {name: blank(getattr(whole, name)) for name in ("results", "intervals", "differences", "curves")}
    made = backtest(**nothing, calibration=whole.calibration.clear(), choices=whole.choices.clear(), warnings=())
    page = page_of(made)
    said = text_of(page)
    assert "<svg" not in page
    assert not re.search(r"\bNone\b|\bnan\b", said)
    assert "–" in said
    for gone in ("What auto chose", "expected money", "Before you believe"):
        assert gone not in said


@pytest.mark.slow
def test_intervals_too_few_to_tell_one_date_and_everyone_invited(backtest: Make) -> None:
    whole = backtest().found
    cut = whole.cuts[0]
    results = whole.results.filter(pl.col("cut").is_null() | (pl.col("cut") == cut))
    unsure = pl.lit(None, pl.Float64)
    made = backtest(
        "plan.size=all",
        results=results.with_columns(pl.lit(None, pl.Int64).alias("later_spend")),
        differences=whole.differences.with_columns(low=unsure, high=unsure, clearly_better=pl.lit(False)),
        cuts=(cut,),
        compared=(cut,),
    )
    page = page_of(made)
    said = text_of(page)
    assert "On a past date (May 1, 2011)" in said
    assert "too little to tell" in said
    assert "clearly worse" not in said
    assert "size of the launch" not in said
    assert "Buyers among the top 10%" in said
    assert page.count("<svg") == 1  # no line over time


@pytest.mark.slow
def test_a_ranking_that_failed_at_dates_is_marked_and_lines_have_gaps(backtest: Make) -> None:
    whole = backtest().found
    gone = whole.cuts[3]
    failing = pl.col("ranking") == "learned"
    results = whole.results.filter((pl.col("cut") != gone).fill_null(True) | ~failing)
    results = results.with_columns(dates=pl.when(pl.col("cut").is_null() & failing).then(6).otherwise("dates"))
    six = pl.when(failing).then(6).otherwise("dates")
    said = text_of(page_of(backtest(results=results, intervals=whole.intervals.with_columns(dates=six))))
    assert "learned*" in said
    assert "could not be computed at all 7 dates (learned 6)" in said
    assert "decayed*" not in said
    assert "could not be computed at all" not in text_of(page_of(backtest()))


def test_chance_stands_beside_the_rankings_and_those_that_may_be_no_better_are_named(backtest: Make) -> None:
    made = backtest()
    chance = made.found.chance
    said = text_of(page_of(made))
    assert f"{chance.low:.1%}–{chance.high:.1%}" in said
    assert f"This rests on {chance.buyers:,} customers" in said
    assert "Not surely better than chance" not in said
    unsure = made.found.intervals.with_columns(beats_chance=~pl.col("ranking").is_in(["recency", "rfm"]))
    assert "Not surely better than chance: recency, rfm." in text_of(page_of(backtest(intervals=unsure)))


def test_the_money_of_few_customers_is_not_said(backtest: Make) -> None:
    few = backtest().found.calibration.filter(ranking="clv").head(2).with_columns(customers=pl.Series([34, 35]), expected=77_777_700)
    said = text_of(page_of(backtest(calibration=few)))
    assert f"¥{777_777 / 35:,.0f}" in said
    assert f"¥{777_777 / 34:,.0f}" not in said


@pytest.mark.slow
def test_charts_are_the_same_with_any_fonts_and_in_any_order_of_rows(backtest: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    made = backtest("lang=zh")
    page = page_of(made)
    drawn = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(drawn) == 2
    for svg in drawn:
        root = ElementTree.fromstring(svg)
        names = [node.text for node in root.iter("text") if node.text]
        assert [name for name in names if name in ("decayed", "weighted", "rfm")]
        assert not [node for node in root.iter() if "id" in node.attrib]
    assert page_of(backtest("lang=zh", calibration=made.found.calibration.reverse())) == page
    stack = charts.FONTS
    monkeypatch.setattr(charts, "FONTS", "monospace")
    assert page_of(made) == page.replace(stack.replace('"', "&quot;"), "monospace").replace(stack, "monospace")


@pytest.mark.parametrize("lang", slow_but(["en", "zh"], "zh"))
def test_a_person_at_a_terminal_sees_the_rankings_and_the_advice(
    backtest: Make, lang: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "300")
    made = backtest(f"lang={lang}", "out=results", "launch.name='[b]春'", warnings=("[red]few",))
    show(backtest_report(made.found, made.settings), made.settings.out, made.settings.lang, damaged=("a file [/] was mended",))
    shown = capsys.readouterr()
    share = made.found.results.filter(pl.col("cut").is_null(), ranking="decayed")["spend_share_10"].item()
    for words in ("[b]春", f"{100 * share:.1f}%", advice(made.found, lang), "results/backtest.html", "recency", "rfm"):
        assert words in shown.out
    assert "[red]few" in shown.err
    assert "a file [/] was mended" in shown.err


def test_elsewhere_only_where_the_results_are(backtest: Make, capsys: pytest.CaptureFixture[str]) -> None:
    made = backtest("out=results")
    show(backtest_report(made.found, made.settings), made.settings.out, made.settings.lang)
    shown = capsys.readouterr()
    assert shown.out == "results\n"
    assert "only <few> customers bought later" in shown.err


def test_nulls_are_shown_as_such(backtest: Make, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "300")
    whole = backtest().found
    figures = [name for name, kind in whole.results.schema.items() if kind == pl.Float64]
    none = pl.lit(None, pl.Float64)
    made = backtest(
        "plan.size=all",
        results=whole.results.with_columns(none.alias(name) for name in figures),
        intervals=whole.intervals.with_columns(low=none, high=none, share=none),
        differences=whole.differences.with_columns(low=none, high=none, difference=none),
    )
    show(backtest_report(made.found, made.settings), made.settings.out, made.settings.lang)
    assert "None" not in capsys.readouterr().out
