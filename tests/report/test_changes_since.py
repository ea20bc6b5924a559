"""What a launch's page says of the launch before it."""

import polars as pl
import pytest
from jobs import run_here
from pages import text_of

from segmenter.report import changes_since

QUICK = ("tracking=none", "segments.k=2", "segments.bootstraps=2", "data.shop.customers=600", "scoring=spend", "rules.cooloff_days=null")


@pytest.mark.slow
def test_the_page_says_who_is_new_and_who_left_since_the_communitys_last_launch(tmp_path, monkeypatch):
    run_here("launch", "out=june", "launch.name=june", "launch.as_of=2026-06-01", "launch.commit=true", *QUICK, cwd=tmp_path)
    run_here("launch", "out=july", "launch.name=july", "launch.as_of=2026-07-02", "plan.size=150", *QUICK, cwd=tmp_path)
    june, july = (set(pl.read_csv(tmp_path / name / "invite_list.csv")["customer_id"]) for name in ("june", "july"))
    assert "Since the last launch" not in text_of((tmp_path / "june" / "report.html").read_text())
    page = text_of((tmp_path / "july" / "report.html").read_text())
    assert f"{len(june & july):,} are invited again and {len(june - july):,} are not; {len(july - june):,} are new." in page
    run_here("launch", "out=other", "launch.name=other", "launch.as_of=2026-07-02", "launch.community=other", *QUICK, cwd=tmp_path)
    assert "Since the last launch" not in text_of((tmp_path / "other" / "report.html").read_text())
    monkeypatch.setattr(changes_since, "_MOST", 599)
    run_here("launch", "out=august", "launch.name=august", "launch.as_of=2026-07-02", *QUICK, cwd=tmp_path)
    assert "segmenter compare" in text_of((tmp_path / "august" / "report.html").read_text())
