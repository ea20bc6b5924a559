from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from segmenter.report.backtest_terminal import show_backtest


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_person_at_a_terminal_sees_the_rankings_and_the_advice(
    backtest: Callable[..., Any], lang: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "160")
    made = backtest(f"lang={lang}", "out=results", "launch.name='[b]春'", warnings=("[red]few",))
    show_backtest(made.found, made.settings, damaged=("a file [/] was mended",))
    shown = capsys.readouterr()
    share = made.found.results.filter(pl.col("cut").is_null(), ranking="decayed")["spend_share_10"].item()
    for words in ("[b]春", f"{100 * share:.1f}%", made.found.advice, "results/backtest.html", "recency", "rfm"):
        assert words in shown.out
    for words in ("clearly worse", "no clear difference", "best possible") if lang == "en" else ("明显更差", "无明显差别", "理论上限"):
        assert words in shown.out
    assert "[red]few" in shown.err
    assert "a file [/] was mended" in shown.err


def test_elsewhere_only_where_the_results_are(backtest: Callable[..., Any], capsys: pytest.CaptureFixture[str]) -> None:
    made = backtest("out=results")
    show_backtest(made.found, made.settings)
    shown = capsys.readouterr()
    assert shown.out == "results\n"
    assert "only <few> customers bought later" in shown.err


def test_nulls_are_shown_as_such(backtest: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "160")
    whole = backtest().found
    figures = [name for name, kind in whole.results.schema.items() if kind == pl.Float64]
    none = pl.lit(None, pl.Float64)
    made = backtest(
        "plan.size=all",
        results=whole.results.with_columns(none.alias(name) for name in figures),
        intervals=whole.intervals.with_columns(low=none, high=none, share=none),
        differences=whole.differences.with_columns(low=none, high=none, difference=none),
    )
    show_backtest(made.found, made.settings)
    assert "None" not in capsys.readouterr().out
