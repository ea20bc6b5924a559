import os
import pty
import sys

from segmenter.outputs.terminal import progress


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
    for words in ("写出结果", "全部客户", "仅因此项", "近期不活跃", "名单前列", "report.html", "call_sheets"):
        assert words in text
    assert "注意" in text  # fewer are eligible than asked for


def test_nothing_where_there_is_no_terminal(capsys):
    with progress("en") as stage:
        stage("history")
    assert capsys.readouterr() == ("", "")
