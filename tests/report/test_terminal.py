import os
import pty
import re
import sys
from concurrent.futures import ThreadPoolExecutor

import polars as pl
import pytest

import segmenter
from segmenter.report.launch_report import launch_report
from segmenter.report.sections import Report, Section, Table, columns, row
from segmenter.report.terminal import _rows, progress, show, show_brief


@pytest.mark.slow
def test_a_person_at_a_terminal_sees_the_funnel_the_list_and_what_to_open(tmp_path):
    command = [
        sys.executable,
        "-m",
        "segmenter",
        "launch",
        "data.shop.customers=500",
        "plan.size=400",
        "tracking=none",
        f"out={tmp_path}/results",
        "lang=zh",
    ]
    parent, child = pty.openpty()
    pid = os.fork()
    if pid == 0:
        os.setsid()
        for stream in (0, 1, 2):
            os.dup2(child, stream)
        os.execve(sys.executable, command, os.environ | {"COLUMNS": "160", "LINES": "50", "TERM": "xterm"})
    os.close(child)
    seen = b""
    while True:
        try:
            block = os.read(parent, 65536)
        except OSError:  # the end, on Linux
            break
        if not block:
            break
        seen += block
    os.close(parent)
    _, status = os.waitpid(pid, 0)
    text = seen.decode("utf-8", errors="replace")
    assert os.waitstatus_to_exitcode(status) == 0, text
    for words in ("写出结果", "全部客户", "仅因此条", "近期不活跃", "名单前列", "report.html", "call_sheets"):
        assert words in text
    assert "注意" in text  # fewer are eligible than asked for


def test_what_looks_like_markup_is_shown_as_it_is(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "160")
    settings = segmenter.launch_settings({"launch.as_of": "2026-07-01", "launch.name": "[b]春"})
    orders = pl.DataFrame({"customer_id": ["[/b]x", "[red]7"], "time": "2026-06-01", "amount": 5, "province": "[i]West"})
    tables = segmenter.canonical_tables({"orders": orders}, settings.data, settings.launch)
    show(launch_report(segmenter.in_words(segmenter.plan_launch(tables, settings), settings), settings, tables.rejects), tmp_path, "en")
    said = capsys.readouterr().out
    for words in ("[b]春", "[/b]x", "[red]7", "[i]West"):
        assert words in said


def test_what_cannot_be_carried_out_is_said_first(tmp_path, capsys):
    show(Report("", "", "", "", obstacles=("nobody calls",), warnings=("some are late",)), tmp_path, "en", damaged=["a store"])
    assert capsys.readouterr().err.splitlines() == ["falls short: nobody calls", "warning: some are late", "warning: a store"]


def test_nothing_where_there_is_no_terminal(capsys):
    with progress("en") as stage:
        stage("history")
    assert capsys.readouterr() == ("", "")


def test_rows_their_speed_and_what_is_left():
    assert _rows(12_400_000, 50_000_000, 8_100_000, "en") == ": 12,400,000 of 50,000,000 rows, 8.1 M rows/s, 5 s left"
    assert _rows(12_400_000, 50_000_000, 8_100_000, "zh") == "：12,400,000 / 50,000,000 行，每秒 810 万行，约剩 5 秒"
    assert _rows(0, 2_000, None, "en") == ": 0 of 2,000 rows"
    assert _rows(1_000, 901_000, 1_500, "en").endswith("1.5 k rows/s, 10 min left")
    assert _rows(1_000, 901_000, 1_500, "zh").endswith("每秒 1,500 行，约剩 10 分钟")
    assert _rows(2_000, 2_000, 20.4, "en") == ": 2,000 of 2,000 rows, 20 rows/s"


def test_rows_are_shown_at_a_terminal_and_the_next_stage_begins_without(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")  # a dumb one cannot show lines anew
    with progress("zh") as stage:
        stage("orders")
        stage("orders", 1_000_000, 3_000_000)
        stage("orders", 3_000_000, 3_000_000)
    assert "读取订单：3,000,000 / 3,000,000 行" in capsys.readouterr().err
    with progress("en") as stage:
        stage("orders", 2, 3)
        stage("history")
    last = capsys.readouterr().err
    assert "history" in last
    assert "of 3 rows" not in last.rpartition("history")[2]


def test_stages_may_come_from_several_threads(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    with progress("en") as stage, ThreadPoolExecutor(8) as threads:
        list(threads.map(stage, [f"2026-01-{day % 28 + 1:02}" for day in range(400)]))
    assert "2026-01-" in capsys.readouterr().err


def test_no_text_of_a_table_is_lost_behind_wide_characters(monkeypatch, capsys):
    cell = "累计消费 80,416 元（前 2%），近 90 天消费 16,219 元，下单 86 次（前 1%）"
    report = Report("", "", "", "", sections=(Section(brief=(Table(columns("x"), (row(cell),)),)),))
    for width in range(20, 90):
        monkeypatch.setenv("COLUMNS", str(width))
        show_brief(report)
        text = re.sub(r"[\s│┃┏┓┗┛└┘━─]", "", capsys.readouterr().out)
        assert cell.replace(" ", "") in text, width
