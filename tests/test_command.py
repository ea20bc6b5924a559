import os
import re
import tempfile

import pytest
from jobs import exit_code
from marks import slow_but

from segmenter.command import command
from segmenter.errors import OutputError
from segmenter.report import output_folder


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """Where temporary files go."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "tmp"


def test_a_job_has_no_folder_that_a_kill_could_leave(temporary, monkeypatch):
    monkeypatch.setattr("sys.argv", ["launch.py"])
    found = []
    command(lambda: found.extend(temporary.iterdir()))
    assert found == []


def test_a_working_directory_that_is_gone_is_said(tmp_path, monkeypatch, capsys):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    for words in (["launch"], ["demo"], ["launch", "-m", "seed=1,2"]):
        assert exit_code(*words) == 2
        assert "Traceback" not in capsys.readouterr().err


@pytest.mark.slow
def test_nor_has_a_job_of_a_sweep_and_the_next_sweep_removes_older_ones(temporary, monkeypatch):
    (temporary / "segmenter-sweep-dead").mkdir()
    (temporary / "segmenter-sweep-dead" / "multirun.yaml").touch()
    os.utime(temporary / "segmenter-sweep-dead", (0, 0))
    (temporary / "segmenter-sweep-living").mkdir()
    found = []

    def look(settings):
        found.append([path.name for path in temporary.iterdir()])
        raise OutputError("out: no more of it")

    monkeypatch.setattr(output_folder, "check_out", look)
    assert exit_code("launch", "-m", "seed=1,2", "tracking=none") == 2
    assert found == [["segmenter-sweep-living"]] * 2
    assert [path.name for path in temporary.parent.iterdir()] == ["tmp"]


@pytest.mark.parametrize("words", slow_but([["rules.spend.mim=3"], ["data=nowhere"], ["out=/dev/null/x"]], ["data=nowhere"]))
def test_errors_are_said_in_the_launchs_language(temporary, monkeypatch, capsys, words):
    said = {}
    for lang in ("en", "zh"):
        assert exit_code("launch", f"lang={lang}", *words) == 2
        said[lang] = capsys.readouterr().err
    chinese = re.compile("[\u4e00-\u9fff]")
    assert not chinese.search(said["en"])
    assert chinese.search(said["zh"])


def test_a_jobs_help_is_kept_until_what_it_is_made_of_changes(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.pycache_prefix", str(tmp_path / "compiled"))
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    helps = []
    for _ in range(2):
        exit_code("ledger", "--help")
        helps.append(capsys.readouterr().out)
    (kept,) = (tmp_path / "compiled").rglob("ledger.*")
    mark, _, text = kept.read_text(encoding="utf-8").partition("\n")
    assert helps == [text, text]
    assert "segmenter ledger" in text
    kept.write_text(f"{mark}\nkept", encoding="utf-8")
    exit_code("ledger", "--help")
    assert capsys.readouterr().out == "kept"
    kept.write_text("made of something else\nkept", encoding="utf-8")
    exit_code("ledger", "--help")
    assert capsys.readouterr().out == text == kept.read_text(encoding="utf-8").partition("\n")[2]
