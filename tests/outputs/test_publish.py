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
from segmenter.outputs.publish import MANIFEST, check_out, publish, sha256


def write(out: Path, text: str) -> None:
    with publish(out) as folder:
        (folder / "call_sheets").mkdir()
        (folder / "call_sheets" / "四川.txt").write_text(text, encoding="utf-8")
        files = {"call_sheets/四川.txt": {"sha256": sha256(folder / "call_sheets" / "四川.txt")}}
        (folder / MANIFEST).write_text(json.dumps({"files": files}), encoding="utf-8")


def text(out: Path) -> str:
    return (out / "call_sheets" / "四川.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("exchange", [True, False])
def test_results_are_replaced_whole(tmp_path, monkeypatch, exchange):
    if not exchange:  # as on systems that cannot exchange two folders in one step
        monkeypatch.setattr(module, "_exchange", lambda one, other: False)
    out = tmp_path / "deep" / "results"
    for words in ("first", "second"):
        check_out(out, overwrite=False)
        write(out, words)
        assert text(out) == words
    assert [path.name for path in out.parent.iterdir()] == ["results"]
    assert out.stat().st_mode & 0o777 == 0o777 & ~module._umask()


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
    check_out(out, overwrite=False)
    assert text(out) == "good"


def test_one_killed_before_it_removed_the_old_results_does_not_stop_the_next(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_exchange", lambda one, other: False)
    out = tmp_path / "results"
    write(out, "good")
    write(tmp_path / ".results.old", "older")
    write(out, "better")
    assert text(out) == "better"
    assert [path.name for path in tmp_path.iterdir()] == ["results"]


def test_behind_a_link_the_folder_is_replaced_and_the_working_directory_never(tmp_path, monkeypatch):
    write(tmp_path / "real", "first")
    (tmp_path / "link").symlink_to("real")
    check_out(tmp_path / "link", overwrite=False)
    write(tmp_path / "link", "second")
    assert (tmp_path / "link").is_symlink()
    assert text(tmp_path / "real") == "second"
    monkeypatch.chdir(tmp_path / "real")
    for out in (Path("."), Path(".."), tmp_path / "link"):
        with pytest.raises(OutputError, match="may not hold the working directory"):
            check_out(out, overwrite=True)


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
        check_out(out, overwrite=False)  # whole: what the manifest says is there
    write(out, "last")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["code", "results"]  # what the killed runs left is swept up


def test_what_a_person_changed_or_added_is_not_lost(tmp_path):
    out = tmp_path / "results"
    write(out, "empty sheet")
    (out / "call_sheets" / "~$四川.xlsx").touch()  # Excel has it open
    check_out(out, overwrite=False)
    (out / "call_sheets" / "四川.txt").write_text("answers")
    (out / "notes.txt").write_text("notes")
    with pytest.raises(OutputError) as error:
        check_out(out, overwrite=False)
    assert "call_sheets/四川.txt, notes.txt" in error.value.problems[0]
    assert "overwrite=true" in error.value.problems[1]
    check_out(out, overwrite=True)
    (out / MANIFEST).write_text("[]")
    with pytest.raises(OutputError, match="manifest"):
        check_out(out, overwrite=False)


def test_a_full_disk_is_said(tmp_path):
    out = tmp_path / "results"
    with (
        pytest.raises(OutputError, match=r"out: cannot be written .*No space left on device.*the last results, if any, are untouched"),
        publish(out),
    ):
        raise OSError(28, "No space left on device")
