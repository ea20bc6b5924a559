from collections.abc import Callable
from typing import Any

import pytest

from segmenter.report.review_terminal import show_review


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_person_at_a_terminal_sees_how_the_launch_stands(
    reviewed: Callable[..., Any], lang: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "400")
    made = reviewed(f"lang={lang}", "out=results", warnings=("[red]few",), doubts=("[/] unequal",))
    show_review(made.found, made.settings)
    shown = capsys.readouterr()
    for words in (made.found.standing.sentence, made.found.lift_sentence, "results/review.html"):
        assert words in shown.out
    for words in ("customers asked have joined", "held out") if lang == "en" else ("位加入，占", "留出"):
        assert words in shown.out
    assert "[red]few" in shown.err
    assert "[/] unequal" in shown.err


def test_elsewhere_only_where_the_results_are(reviewed: Callable[..., Any], capsys: pytest.CaptureFixture[str]) -> None:
    made = reviewed("out=results")
    show_review(made.found, made.settings)
    assert capsys.readouterr().out == "results\n"
