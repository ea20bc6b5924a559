"""Who agreed in an earlier launch has a workbook of their own."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from marks import slow_but

import segmenter
from segmenter.report.call_sheet_book import BookMaker
from segmenter.report.call_sheets import call_sheets
from segmenter.report.follow_ups import list_follow_ups
from segmenter.tables import INVITED, PRECEDENTS, PastLaunches


@pytest.mark.parametrize("lang", slow_but(["en", "zh"], "zh"))
def test_who_agreed_is_followed_up_and_not_invited_again(small_shop: Any, tmp_path: Path, lang: str) -> None:
    small = {"scoring": "weighted", "plan.size": 60, "plan.holdout": 0, "plan.by_region": "none", "segments.k": 2, "segments.bootstraps": 2}
    settings = segmenter.launch_settings({"launch.as_of": "2026-07-01", "lang": lang, "launch.name": "july", **small})
    one, two = segmenter.plan_launch(small_shop, settings).invite_list["customer_id"].head(2)
    day = date(2026, 6, 3)
    row = {
        "launch": "june",
        "as_of": date(2026, 5, 20),
        "ends_on": date(2026, 6, 20),
        "community": "vip",
        "in_plan": True,
        "status": "planned",
    }
    answers = [
        {
            "customer_id": one,
            "answer": "not_reached",
            "answered_on": date(2026, 6, 9),
            "group": "四川-1",
            "agent": "王芳",
            "calls": 3,
            "missed": 2,
        },
        {"customer_id": two, "answer": "agreed", "answered_on": day, "group": "四川-2"},
    ]
    known = [{"customer_id": who, "invitations": 1, "member": False, "refused": False, "agreed_on": day} for who in (one, two)]
    past = PastLaunches(pl.DataFrame(known, PRECEDENTS), pl.DataFrame([row | answer for answer in answers], INVITED))
    tables = replace(small_shop, launches=past)
    plan = segmenter.in_words(segmenter.plan_launch(tables, settings), settings)
    assert not {one, two} & set(plan.invitations["customer_id"])
    assert plan.funnel.filter(rule="agreed")["removed"].to_list() == [2]
    listed = list_follow_ups(plan.customers, past)
    assert listed.select("customer_id", "agreed_on", "launch", "group", "answer", "missed").rows() == [
        (one, day, "june", "四川-1", "not_reached", 2),
        (two, day, "june", "四川-2", "agreed", None),
    ]
    held = plan.customers.with_columns(held_out=pl.col("customer_id") == one)
    assert list_follow_ups(held, past)["customer_id"].to_list() == [two]
    contacts = pl.DataFrame({"customer_id": [one], "name": ["张三"], "phone": ["13800000001"]})
    books = BookMaker(call_sheets(plan, settings, contacts, past.invited, listed))
    paths = {path.stem: path for path in books.write(tmp_path)}
    sheet, _ = openpyxl.load_workbook(paths["待跟进" if lang == "zh" else "follow up"]).worksheets
    head, first, second = sheet.values
    told = dict(zip(head, first, strict=True))
    assert (told["姓名" if lang == "zh" else "name"], told["phone"]) == ("张三", "13800000001")
    assert "2026-06-03" in told["邀请理由" if lang == "zh" else "reason"]
    assert told["上次联系" if lang == "zh" else "last call"] == (
        "未接通（2 次） · 2026-06-09 · june" if lang == "zh" else "not reached (2 times) · 2026-06-09 · june"
    )
    assert two in second
    assert list_follow_ups(plan.customers, None).is_empty()
