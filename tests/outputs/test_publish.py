import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from segmenter.errors import OutputError
from segmenter.outputs import publish as module
from segmenter.outputs.publish import MANIFEST, owner_of, publish, sha256


def write(out: Path, text: str) -> None:
    with publish(out) as folder:
        (folder / "call_sheets").mkdir()
        (folder / "call_sheets" / "四川.txt").write_text(text, encoding="utf-8")
        files = {"call_sheets/四川.txt": {"sha256": sha256(folder / "call_sheets" / "四川.txt")}}
        told = {"job": "launch", "config": {"launch": {"name": "spring"}}, "files": files}
        (folder / MANIFEST).write_text(json.dumps(told), encoding="utf-8")


def text(out: Path) -> str:
    return (out / "call_sheets" / "四川.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("exchange", [True, False])
def test_results_are_replaced_whole(tmp_path, monkeypatch, exchange):
    if not exchange:  # as on systems that cannot exchange two folders in one step
        monkeypatch.setattr(module, "_exchange", lambda one, other: False)
    out = tmp_path / "deep" / "results"
    for words in ("first", "second"):
        write(out, words)
        assert text(out) == words
    assert [path.name for path in out.parent.iterdir()] == ["results"]
    (tmp_path / "plain").mkdir()
    assert out.stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_failure_leaves_the_last_results_and_no_litter(tmp_path):
    out = tmp_path / "results"
    write(out, "good")
    with pytest.raises(ZeroDivisionError), publish(out) as folder:
        (folder / "half").write_text("half")
        raise ZeroDivisionError
    assert text(out) == "good"
    assert [path.name for path in tmp_path.iterdir()] == ["results"]


def test_a_run_killed_between_two_renames_is_mended_by_the_next(tmp_path):
    out = tmp_path / "results"
    write(out, "good")
    out.rename(tmp_path / ".results.old")
    module._recover(out)
    assert text(out) == "good"


def test_one_killed_before_it_removed_the_old_results_does_not_stop_the_next(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_exchange", lambda one, other: False)
    out = tmp_path / "results"
    write(out, "good")
    write(tmp_path / ".results.old", "older")
    write(out, "better")
    assert text(out) == "better"
    assert [path.name for path in tmp_path.iterdir()] == ["results"]


def test_behind_a_link_the_folder_is_replaced(tmp_path):
    write(tmp_path / "real", "first")
    (tmp_path / "link").symlink_to("real")
    write(tmp_path / "link", "second")
    assert (tmp_path / "link").is_symlink()
    assert text(tmp_path / "real") == "second"


KILLED = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_publish_writes import write
for number in range(10_000):
    write(Path(sys.argv[1]), f"{sys.argv[3]}.{number} " * 1000)
"""


def test_killed_at_any_moment_there_is_a_whole_result(tmp_path):
    out = tmp_path / "results"
    write(out, "0" * 1000)
    helper = tmp_path / "code"
    helper.mkdir()
    (helper / "test_publish_writes.py").write_text(Path(__file__).read_text(encoding="utf-8"), encoding="utf-8")
    for attempt in range(6):
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(out), str(helper), str(attempt)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        before = text(out)
        deadline = time.monotonic() + 30
        while text(out) == before and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.003 * attempt)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stderr.close()
        found = text(out)
        assert found != before
        assert found == found[: len(found) // 1000] * 1000
        files = json.loads((out / MANIFEST).read_text(encoding="utf-8"))["files"]
        assert {name: entry["sha256"] for name, entry in files.items()} == {name: sha256(out / name) for name in files}
    write(out, "last")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["code", "results"]  # what the killed runs left is swept up


def test_a_full_disk_is_said(tmp_path):
    out = tmp_path / "results"
    with (
        pytest.raises(OutputError, match=r"out: cannot be written .*No space left on device.*the last results, if any, are untouched"),
        publish(out),
    ):
        raise OSError(28, "No space left on device")
