import os
import tempfile

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from segmenter.__main__ import main
from segmenter.command import command
from segmenter.errors import OutputError
from segmenter.overrides import quoted
from segmenter.report import output_folder


@pytest.mark.parametrize(
    ("argument", "sweep", "value"),
    [
        ("a=1000", False, 1000),
        ("a=[United Kingdom]", False, ["United Kingdom"]),
        ("a=[四川省,重庆市]", False, ["四川省", "重庆市"]),
        ("a=[四川/成都, 云 南]", False, ["四川/成都", "云 南"]),
        ("a=药店 VIP 群", False, "药店 VIP 群"),
        ("a=四川：药店, VIP", False, "四川：药店, VIP"),
        ("a='四川'", False, "四川"),
        ("a=Quantity * UnitPrice", False, "Quantity * UnitPrice"),
        ("a=InvoiceNo NOT LIKE 'C%'", False, "InvoiceNo NOT LIKE 'C%'"),
        ('a="状态" = \'退款 "全额"\'', False, '"状态" = \'退款 "全额"\''),
        ("a=[{name: 大客户, keep: 'spend > 3'}]", False, [{"name": "大客户", "keep": "spend > 3"}]),
        ("a=C:\\exports\\orders.csv", False, "C:\\exports\\orders.csv"),
    ],
)
def test_what_a_person_types_reaches_the_config(argument, sweep, value):
    parsed = OverridesParser.create().parse_override(quoted(argument, sweep=sweep))
    assert parsed.key_or_group == "a"
    found = parsed.value()
    assert (found.text if hasattr(found, "text") else plain(found)) == value


def plain(value):
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    return getattr(value, "text", value)


def test_a_sweep_over_chinese_words_stays_a_sweep():
    assert quoted("launch.name=春,夏", sweep=True) == 'launch.name="春","夏"'
    assert quoted("seed=1,2", sweep=True) == "seed=1,2"


def test_other_words_pass():
    assert [quoted(word) for word in ("--help", "-m", "foo", "--config-dir=目录")] == ["--help", "-m", "foo", "--config-dir=目录"]


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
        monkeypatch.setattr("sys.argv", ["segmenter", *words])
        with pytest.raises(SystemExit) as leaving:
            main()
        assert leaving.value.code == 2
        assert "Traceback" not in capsys.readouterr().err


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
    monkeypatch.setattr("sys.argv", ["segmenter", "launch", "-m", "seed=1,2", "tracking=none"])
    with pytest.raises(SystemExit) as leaving:
        main()
    assert leaving.value.code == 2
    assert found == [["segmenter-sweep-living"]] * 2
    assert [path.name for path in temporary.parent.iterdir()] == ["tmp"]
