"""`segmenter today` as a person uses it: a workbook for each agent, a page for whoever leads, and the ledger they agree with."""

import json
import os
import random
import shutil
import signal
from datetime import date, timedelta
from pathlib import Path

import openpyxl
import polars as pl
import pytest
from forked import Forked, hashes
from jobs import run_here
from marks import slow_but
from plans import DAY

from segmenter.ledger import LaunchRecord, list_answers, open_ledger, record_plan, record_with_results
from segmenter.report.publication import publish, sha256

AGENTS = "plan.agents=[{name: an, calls_per_day: 9}, {name: bo, calls_per_day: 2}]"
ASKED = [
    *("today", "data=files", "data.orders.path=orders.csv", "data.customers.path=customers.csv", "data.customers.contact=[phone]"),
    *("launch.name=spring", "review.answers=[told]", "tracking=none", "launch.offer=9 % off", AGENTS),
]
LAST = "last call"


def make_shop(folder: Path) -> None:
    ids = [f"c{place}" for place in range(12)]
    pl.DataFrame({"customer_id": ids, "time": "2026-06-01", "amount": "10"}).write_csv(folder / "orders.csv")
    people = {"customer_id": ids, "name": [f"N{place}" for place in range(12)], "phone": [f"1380013800{place % 10}" for place in range(12)]}
    pl.DataFrame(people).write_csv(folder / "customers.csv")
    plan = {
        "customer_id": ids,
        "status": [*["planned"] * 11, "held_out"],
        "wave": 1,
        "group": "g-1",
        "agent": ["an"] * 6 + ["bo"] * 6,
        "score": 1.0,
        "stratum": "",
        "planned_at": [DAY + timedelta(days=place % 3) for place in range(12)],
    }
    record_plan(open_ledger(None, folder / "outputs" / "spring"), LaunchRecord("spring", "vip", DAY, 30, 100_00, "CNY"), pl.DataFrame(plan))
    (folder / "told").mkdir()
    (folder / "told" / "a.csv").write_text("customer_id,answer,answered_on\nc0,not reached,2026-07-01\nc3,joined,2026-07-01\n")


@pytest.fixture(name="shop")
def _shop(tmp_path: Path) -> Path:
    make_shop(tmp_path)
    return tmp_path


def sheets(folder: Path) -> dict[str, dict[str, dict[str, object]]]:
    """The calls of each workbook by customer."""
    found = {}
    for path in sorted((folder / "call_sheets").glob("*.xlsx")):
        rows = list(openpyxl.load_workbook(path).worksheets[0].iter_rows(values_only=True))
        at = next(place for place, row in enumerate(rows) if "customer_id" in row)
        found[path.stem] = {str(row[rows[at].index("customer_id")]): dict(zip(rows[at], row, strict=True)) for row in rows[at + 1 :]}
    return found


@pytest.mark.slow
def test_each_agent_has_a_sheet_and_the_day_stays_as_it_was(shop: Path) -> None:
    run_here(*ASKED, "today.as_of=2026-07-02", cwd=shop)
    out = shop / "outputs" / "spring_today_2026-07-02"
    books = sheets(out)
    assert list(books) == ["agent an 2026-07-02", "agent bo 2026-07-02"]
    assert {who: row["call"] for who, row in books["agent an 2026-07-02"].items()} == {
        "c1": "due today",
        "c4": "due today",
        "c0": "not reached",
    }
    assert list(books["agent bo 2026-07-02"]) == ["c6", "c9"]
    again = books["agent an 2026-07-02"]["c0"]
    assert again[LAST] == "not reached · 07-01"
    assert again["answered on"].date() == date(2026, 7, 2)
    assert again["answer"] is None
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["counts"] == {"called": 5, "later": 5, "done": 1, "out": 1} | manifest["counts"]
    page = (out / "today.html").read_text(encoding="utf-8")
    assert "c0" not in page
    before = hashes(out)
    # Answers of that very day are kept by the ledger, and do not change its list.
    with (shop / "told" / "a.csv").open("a") as file:
        file.write("c1,joined,2026-07-02\n")
    run_here(*ASKED, "today.as_of=2026-07-02", cwd=shop)
    changed = {name for name, sha in hashes(out).items() if before[name] != sha}
    assert changed <= {"manifest.json", "rejects.parquet"}
    assert list_answers(open_ledger(None, out)).height == 3


@pytest.mark.slow
def test_whoever_has_a_persona_is_told_its_own(shop: Path) -> None:
    ledger, out, about = (
        open_ledger(None, shop / "outputs" / "tea"),
        shop / "outputs" / "tea",
        LaunchRecord("tea", "tea", DAY, 30, None, "CNY"),
    )
    plan = {"customer_id": ["c1", "c2", "c5"], "status": "planned", "wave": 1, "group": "g-1", "agent": "an", "score": 1.0, "stratum": ""}
    with record_with_results(ledger, about, pl.DataFrame(plan).with_columns(planned_at=DAY), out, publish(out)) as folder:
        listed = {"customer_id": ["c1", "c2", "c5"], "reason": "spent much", "persona": ["clinic", "hall", "other"]}
        pl.DataFrame(listed).write_parquet(folder / "invite_list.parquet")
        shown = {"invite_list.parquet": {"sha256": sha256(folder / "invite_list.parquet")}}
        (folder / "manifest.json").write_text(json.dumps({"files": shown}))
    (shop / "my_conf" / "personas").mkdir(parents=True)
    (shop / "my_conf" / "personas" / "files.yaml").write_text(
        "# @package _global_\npersonas:\n- {name: clinic, where: orders > 9, hook: salve, script: 'Dear {name}, {hook}!'}\n- {name: hall, where: orders > 8}\n"
    )
    (shop / "told" / "b.csv").write_text("customer_id,answer,answered_on\nc1,thinking,2026-07-01\nc2,thinking,2026-07-01\n")
    asked = [*(word for word in ASKED if word != "launch.name=spring"), "launch.name=tea", "launch.script=Hello {name}: {offer}"]
    run_here(*asked, "--config-dir", "my_conf", "today.as_of=2026-07-03", cwd=shop)
    rows = sheets(shop / "outputs" / "tea_today_2026-07-03")["agent an 2026-07-03"]
    opening, told = ({who: rows[who][head] for who in rows} for head in ("opening words", "what to say"))
    assert opening == {"c1": "Dear N1, salve!", "c2": "Hello N2: 9 % off", "c5": "Hello N5: 9 % off"}
    assert {who: rows[who]["persona"] for who in rows} == {"c1": "clinic", "c2": "hall", "c5": "other"}
    assert "salve" in told["c1"]
    assert "9 % off" in told["c2"]
    assert told["c5"] == "spent much"
    assert told["c1"].startswith("clinic: ")


@pytest.mark.slow
def test_a_filled_in_sheet_is_an_answer_file_that_is_never_replaced(shop: Path) -> None:
    run_here(*ASKED, "today.as_of=2026-07-02", cwd=shop)
    path = shop / "outputs" / "spring_today_2026-07-02" / "call_sheets" / "agent an 2026-07-02.xlsx"
    book = openpyxl.load_workbook(path)
    heads = next(row for row in book.worksheets[0].iter_rows() if any(cell.value == "customer_id" for cell in row))
    place = {cell.value: cell.column for cell in heads}
    for row in book.worksheets[0].iter_rows(min_row=heads[0].row + 1):
        if row[place["customer_id"] - 1].value == "c0":
            row[place["answer"] - 1].value = "refused for good"
    book.save(path)
    refused = run_here(*ASKED, "today.as_of=2026-07-02", cwd=shop, code=2)
    assert "agent an 2026-07-02.xlsx" in refused.stderr
    run_here(*ASKED, "today.as_of=2026-07-03", cwd=shop)
    day = pl.read_csv(shop / "outputs" / "spring_today_2026-07-03" / "day.csv")
    assert day.filter(customer_id="c0").select("state", "why").row(0) == ("out", "refused_for_good")
    assert day.filter(customer_id="c1")["kind"].item() == "overdue"
    said = list_answers(open_ledger(None, shop / "outputs" / "spring")).filter(answer="refused_for_good")
    assert said["answered_on"].to_list() == [date(2026, 7, 2)]


@pytest.mark.slow
def test_whom_agents_add_by_hand_is_called_as_long_as_their_state_asks_for_it(shop: Path) -> None:
    told = "customer_id,name,phone,answer,answered_on,call again on\nc0,N0,,not reached,2026-07-01,\n"
    told += ",Newt,13911110001,call back,2026-07-01,2026-07-03\n,Rita,13911110002,refused,2026-07-01,\n,Yves,13911110003,,,\n"
    told += ",N11,13911110004,call back,2026-07-01,\n,Late,13911110005,call back,2026-07-03,\n"  # N11 may be the one held out
    (shop / "told" / "a.csv").write_text(told)

    def called(day: str) -> dict[str, str]:
        run_here(*ASKED, f"today.as_of={day}", cwd=shop)
        out = shop / "outputs" / f"spring_today_{day}"
        rows = list(openpyxl.load_workbook(out / "call_sheets" / f"agent an {day}.xlsx").worksheets[0].iter_rows(values_only=True))
        at = next(place for place, row in enumerate(rows) if "customer_id" in row)
        cells = [dict(zip(rows[at], row, strict=True)) for row in rows[at + 1 :]]
        for name in ("page", "day.csv"):
            text = (out / ("today.html" if name == "page" else name)).read_text(encoding="utf-8")
            assert not any(word in text for word in ("Newt", "Yves", "1391111"))
        return {str(row["phone"]): f"{row['name']}: {row['call']}, {row['what to say']}" for row in cells if row["customer_id"] is None}

    words = "Not known in the shop. "
    assert called("2026-07-02") == {"13911110003": f"Yves: due today, {words}has not ordered yet"}
    third = called("2026-07-03")
    assert set(third) == {"13911110001", "13911110003"}
    assert third["13911110001"].startswith(f"Newt: call back, {words}Asked to be called on 2026-07-03")
    # A later answer, on another sheet and with the phone written otherwise, is the same person's.
    (shop / "told" / "b.csv").write_text(
        "customer_id,name,phone,answer,answered_on\nc1,N1,,joined,2026-07-03\n,Newt,+86 139 1111 0001,refused,2026-07-03\n"
    )
    assert set(called("2026-07-06")) == {"13911110003", "13911110005"}
    manifest = json.loads((shop / "outputs" / "spring_today_2026-07-06" / "manifest.json").read_text(encoding="utf-8"))
    groups = pl.read_csv(shop / "outputs" / "spring_today_2026-07-06" / "groups.csv")
    assert groups["open"].sum() + groups["joined"].sum() <= 11
    assert sum(manifest["counts"].values()) == 14


@pytest.mark.slow
def test_who_has_another_phone_is_called_there(shop: Path) -> None:
    told = "customer_id,answer,answered_on,new phone\nc0,空号,2026-07-02,13912345678\nc1,空号,2026-07-02,\n"
    (shop / "told" / "b.csv").write_text(told, encoding="utf-8")
    run_here(*ASKED, "today.as_of=2026-07-03", cwd=shop)
    out = shop / "outputs" / "spring_today_2026-07-03"
    day = pl.read_csv(out / "day.csv")
    assert day.filter(pl.col("customer_id").is_in(["c0", "c1"])).sort("customer_id").select("state", "why").rows() == [
        ("called", None),
        ("out", "wrong_number"),
    ]
    assert sheets(out)["agent an 2026-07-03"]["c0"]["phone"] == "13912345678"


@pytest.mark.slow
def test_a_day_outside_the_launch_is_refused(shop: Path) -> None:
    for day in ("2026-06-30", "2026-07-31"):
        assert "today.as_of" in run_here(*ASKED, f"today.as_of={day}", cwd=shop, code=2).stderr


@pytest.mark.parametrize("lang", slow_but(["zh", "en"], "zh"))
def test_the_page_is_whole_in_both_languages(shop: Path, lang: str) -> None:
    run_here(*ASKED, "today.as_of=2026-07-09", f"lang={lang}", cwd=shop)
    page = (shop / "outputs" / "spring_today_2026-07-09" / "today.html").read_text(encoding="utf-8")
    assert "g-1" in page
    assert "1380013800" not in page


@pytest.mark.slow
def test_killed_at_any_moment_sheets_and_ledger_agree(tmp_path: Path) -> None:
    forked, chance = Forked(), random.Random(7)
    start, words = tmp_path / "start", [*ASKED, "today.as_of=2026-07-02"]
    (start / "work").mkdir(parents=True)
    make_shop(start / "work")
    for number in range(int(os.environ.get("SEGMENTER_KILLS", "12"))):
        place = tmp_path / f"kill{number}"
        shutil.copytree(start, place)
        killed = forked(place, *words, at=chance.uniform(0, 3))
        assert killed.code in (0, -signal.SIGKILL)
        out = place / "work" / "outputs" / "spring_today_2026-07-02"
        if out.exists():
            assert list_answers(open_ledger(None, out)).height == 2
        assert forked(place, *words).code == 0
        assert list(sheets(out)["agent bo 2026-07-02"]) == ["c6", "c9"]
    forked.close()
