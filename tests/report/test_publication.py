import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from segmenter import temp_folders
from segmenter.errors import OutputError
from segmenter.report import publication as module
from segmenter.report.publication import MANIFEST, publish, sha256


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


@pytest.mark.slow
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


def in_a_child(work):
    """Do it in a process of its own; give how that ended."""
    child = os.fork()
    if child == 0:
        work()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.slow
@pytest.mark.parametrize("exchange", [True, False])
def test_killed_at_any_line_results_are_whole_and_the_next_run_leaves_no_litter(tmp_path, monkeypatch, exchange):
    if not exchange:
        monkeypatch.setattr(module, "_exchange", lambda one, other: False)
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    monkeypatch.setattr(os, "getpid", lambda: 1)  # as in containers, where every job has the same number
    out = tmp_path / "results"
    write(out, "before")

    def killed(after: int) -> None:
        lines = 0

        def trace(frame, event, argument):
            nonlocal lines
            if frame.f_code.co_filename not in (module.__file__, temp_folders.__file__):
                return None
            lines += event == "line"
            if lines > after:
                signal.raise_signal(signal.SIGKILL)
            return trace

        sys.settrace(trace)
        write(out, str(after))

    known, litter = {"before"}, 0
    for after in range(exchange, 1_000, 2):
        code = in_a_child(lambda after=after: killed(after))
        module._recover(out)
        known.add(str(after))
        assert text(out) in known
        litter += len(list(tmp_path.iterdir())) > 1
        if code == 0:
            break
    assert after > 40
    assert litter > 10
    write(out, "last")
    assert [path.name for path in tmp_path.iterdir()] == ["results"]


def test_what_a_living_job_writes_is_spared(tmp_path, monkeypatch):
    out = tmp_path / "results"
    monkeypatch.setattr(os, "getpid", lambda: 2**22 + 1)  # of another container: there is no such process here
    with publish(out) as slow:
        (slow / "half").write_text("half")
        write(out, "quick")
        assert (slow / "half").exists()
    assert (out / "half").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["results"]


def test_what_nobody_can_tell_to_be_litter_is_left_alone(tmp_path, monkeypatch):
    mine = [".results.new-pictures", ".results.new-2024-pictures", ".results.old", ".results.new-x.old"]
    for name in mine:
        (tmp_path / name).mkdir()
        (tmp_path / name / "photo.jpg").touch()
    write(tmp_path / "results", "first")
    monkeypatch.setattr(temp_folders, "_locked", lambda file: None)  # a file system without locks
    with publish(tmp_path / "results") as slow:
        write(tmp_path / "results", "second")
        assert slow.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*mine, "results"])
    monkeypatch.setattr(module, "_exchange", lambda one, other: False)
    with pytest.raises(OutputError):  # .results.old is not ours to remove
        write(tmp_path / "results", "third")
    assert (tmp_path / ".results.old" / "photo.jpg").exists()
    assert (tmp_path / "results").exists()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EMFILE])
@pytest.mark.parametrize("call", ["fsync", "mkdir", "rename", "open"])
def test_a_disk_that_takes_no_more_is_said(tmp_path, monkeypatch, code, call):
    out = tmp_path / "results"
    write(out, "good")

    def full(*arguments, **options):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(module, "_exchange", lambda one, other: False)
    monkeypatch.setattr(os, call, full)
    with pytest.raises(OutputError, match=os.strerror(code)):
        write(out, "lost")
    monkeypatch.undo()
    assert text(out) == "good"
    write(out, "better")
    assert [path.name for path in tmp_path.iterdir()] == ["results"]


def test_a_full_disk_is_said(tmp_path):
    out = tmp_path / "results"
    with (
        pytest.raises(OutputError, match=r"out: cannot be written .*No space left on device.*the last results, if any, are untouched"),
        publish(out),
    ):
        raise OSError(28, "No space left on device")
