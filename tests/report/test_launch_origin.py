from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import polars as pl

from segmenter.checks.freshness import check_freshness
from segmenter.report.labels import Labels
from segmenter.report.launch_origin import origin, quality
from segmenter.sources.inputs import Inputs
from segmenter.sources.raw import Fingerprint
from segmenter.tables import NO_PROFILE

EN = Labels("en", "CNY")


def texts(section: Any) -> str:
    return " ".join(map(str, section.blocks))


def read_of(made: Any, rows: dict[date, int]) -> Inputs:
    by_day = pl.DataFrame({"day": list(rows), "rows": list(rows.values()), "amount": 0}, schema=NO_PROFILE.by_day.schema).sort("day")
    tables = replace(made.tables, profile=replace(NO_PROFILE, by_day=by_day))
    return Inputs(tables, {"orders": (Fingerprint("orders.csv", 3, "abcdef0123456789", "CSV"),)})


def test_a_broken_export_is_said_and_drawn_and_a_whole_one_is_called_so(launch: Callable[..., Any]) -> None:
    made = launch()
    whole = {date(2026, 3, 1) + timedelta(days=at): 40 for at in range(122)}
    broken = whole | {date(2026, 6, day): 3 for day in (28, 29, 30)}
    for rows, fine in ((whole, True), (broken, False)):
        read = read_of(made, rows)
        findings = check_freshness(read.tables.profile, date(2026, 7, 1))
        section = quality(made.plan, made.tables.rejects, findings, read, EN)
        assert ("No unusual gap" in texts(section)) == fine
        assert ("2026-06-28" in texts(section)) != fine
        (chart,) = [block.chart for block in section.blocks if hasattr(block, "chart")]
        drawn = [count for _, count in chart.drawn[0].points]
        assert len(drawn) == 91
        assert drawn[-1] == rows[max(rows)]
    assert "Every row" in texts(quality(made.plan, made.tables.rejects.clear(), (), None, EN))


def test_what_differs_from_the_defaults_and_nothing_else_is_listed(launch: Callable[..., Any]) -> None:
    made = launch(rules__spend__min=123, personas=[{"name": "a", "where": "spend > 1", "hook": "call 13800138000"}])
    section = origin(made.settings, read_of(made, {}), EN)
    settings, sources = section.blocks[1:]
    shown = {row.cells[0].text: row.cells[1].text for row in settings.rows}
    assert shown["rules.spend.min"].startswith("123")
    assert shown["personas"] == "[1]"
    assert shown["scoring.kind"] == "weighted"
    assert not {"rules.recency.max_days", "lang", "launch.as_of", "plan.kind", "scoring.half_life_days"} & set(shown)
    assert "13800138000" not in texts(section)
    assert [cell.text for cell in sources.rows[0].cells] == ["orders", "orders.csv", "abcdef012345"]
