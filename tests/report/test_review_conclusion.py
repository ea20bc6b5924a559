"""The three sentences that a review ends in."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import polars as pl
import pytest

from segmenter.report.labels import Labels
from segmenter.report.review_conclusion import conclude_review

Make = Callable[..., Any]


@pytest.mark.parametrize(("lang", "stop"), [("en", "."), ("zh", "。")])
def test_they_say_how_it_went_what_to_do_and_what_to_change(reviewed: Make, lang: str, stop: str) -> None:
    found = reviewed(f"lang={lang}").found
    result, now, following = conclude_review(found, Labels(lang, "CNY"))
    assert f"{found.progress.sales / 100:,.0f}" in result
    assert f"{found.lift.best.total / 100:,.0f}" in result
    assert "g3" in now
    assert str(found.complaints.height) in now
    assert str(found.counts["tried_once"]) in following
    assert all(sentence.endswith(stop) for sentence in (result, now, following))


def test_what_stands_out_next_time(reviewed: Make) -> None:
    found, labels = reviewed().found, Labels("en", "CNY")

    def following(**changes: Any) -> str:
        return conclude_review(replace(found, **changes), labels)[2]

    tried = dict(found.counts) | {"tried_once": 0}
    assert "hold out a share" in following(lift=None, counts=tried | {"held_out": 0})
    segments = pl.DataFrame({"over": "segment", "value": ["big", "small"], "share": [0.5, 0.2], "low": [0.4, 0.1], "high": [0.6, 0.3]})
    apart = pl.concat([found.acceptance.filter(over="all"), segments], how="diagonal_relaxed")
    assert "more like big (50.0%) and fewer like small (20.0%)" in following(acceptance=apart, counts=tried)
    alike = found.acceptance.filter(over="all")
    half = f"{found.life.parts['half_life'][0]:.0f} days"
    assert half in following(acceptance=alike, counts=tried)  # its events are 15 days apart
    weekly = pl.DataFrame({"event": [found.launch.as_of + timedelta(days=day) for day in (2, 5, 8)]})
    assert half not in following(acceptance=alike, counts=tried, live_events=weekly)
    unsure = replace(found.lift.best, low=-1.0)
    assert "hold out more than" in following(acceptance=alike, counts=tried, life=None, lift=replace(found.lift, best=unsure))
    assert "Nothing stands out" in following(acceptance=alike, counts=tried, life=None)


def test_where_little_is_known_they_say_so(reviewed: Make) -> None:
    found, labels = reviewed(target=None).found, Labels("en", "CNY")
    quiet = dict(found.counts) | {"agreed": 0, "call_back": 0}
    bare = replace(found, life=None, lift=None, counts=quiet, complaints=found.complaints.clear(), breaches=found.breaches.clear())
    result, now, _ = conclude_review(bare, labels)
    assert result == "The launch had no target; how much of it is ours cannot be measured."
    assert "not known" in now
