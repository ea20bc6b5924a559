"""Whatever is wrong in a file of a config folder is told by the file and its line, whichever file it is."""

import re

import pytest
from omegaconf import OmegaConf

from segmenter.config_files import load
from segmenter.errors import ConfigError
from segmenter.hydra_errors import check_interpolations

WRONG = {
    "tab": ("launch:\n\tname: x", 2),
    "colon": ("launch:\n  name: a: b", 2),
    "twice": ("launch:\n  name: x\n  topic: z\n  name: y", 4),
    "twice at the top": ("seed: 1\nseed: 2", 2),
    "twice as number and text": ("friends:\n  3: 1\n  '3': 2", 3),
    "twice in a list": ("agents:\n  - name: a\n    name: b", 3),
    "unknown tag": ("launch: !mine {name: x}", 1),
    "python tag": ("a: 1\nlaunch: !!python/object/apply:os.system [id]", 2),
    "binary tag": ("launch: {name: !!binary aGk=}", 1),
    "itself": ("a: &a\n  b: *a", 1),
    "no such anchor": ("a: 1\nb: *c", 2),
    "bombs": ("a0: &a0 1\n" + "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)), None),
    "a list": ("- a\n- b", 1),
    "a number": ("5", 1),
    "a word": ("# nothing\nfoo", 2),
    "open bracket": ("seed: 1\nlaunch: [", 2),
    "open quote": ("launch: 'a", 1),
    "two documents": ("a: 1\n---\nb: 2", 2),
    "a list as key": ("? [a]\n: b", 1),
    "null as key": ("seed: 1\nnull: 5", 2),
    "no end of digits": (f"a: 1\nseed: {'9' * 5000}", 2),
    "a control character": ("a: 1\nb: \x01", 2),
    "an equals sign": ("a: =", 1),
    "broken interpolation": ("launch:\n  name: ${launch", 2),
    "code": ("hydra:\n  callbacks:\n    x: {_target_: os.getcwd}", 3),
    "deep": ("a: " + "[" * 60 + "]" * 60, 1),
    "defaults no list": ("seed: 1\ndefaults: 5", 2),
    "defaults of lists": ("defaults:\n  - [a]", 2),
    "defaults of numbers": ("defaults:\n  - plan: simple\n  - 5: 6", 3),
    "defaults of nothing": ("defaults: [null]", 1),
    "defaults of itself": ("defaults:\n  - mine", 2),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_the_file_and_its_line(tmp_path, wrong):
    text, line = WRONG[wrong]
    (tmp_path / "mine.yaml").write_text(f"{text}\n", encoding="utf-8")
    with pytest.raises(ConfigError) as found:
        load(str(tmp_path / "mine.yaml"))
    assert all(str(tmp_path / "mine.yaml") in problem for problem in found.value.problems)
    told = re.search(r"line (\d+)", str(found.value))
    # What is left open is found to be at its end.
    assert line is None or (told and int(told[1]) in (line, line + 1)), str(found.value)


@pytest.mark.parametrize("mark", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_says_how_to_read(tmp_path, mark):
    text = "# @package _global_\r\nlaunch: {name: 春, topic: 'a\r\n\r\nb'}\r\n"
    (tmp_path / "x.yaml").write_bytes(text.encode(mark))
    config, header = load(str(tmp_path / "x.yaml"))
    assert (config.launch.name, header["package"]) == ("春", "_global_")


@pytest.mark.parametrize("encoding", ["gb18030", "big5", "utf-16-le", "latin-1"])
def test_another_encoding_is_told(tmp_path, encoding):
    (tmp_path / "x.yaml").write_bytes("a: 1\nb: é中\n".replace("中" if encoding == "latin-1" else "é", "").encode(encoding))
    with pytest.raises(ConfigError, match=r"x\.yaml"):
        load(str(tmp_path / "x.yaml"))


def test_an_empty_file_is_an_empty_config(tmp_path):
    for text in ("", "# only a comment\n", "---\n", "{}\n"):
        (tmp_path / "x.yaml").write_text(text)
        assert load(str(tmp_path / "x.yaml"))[0] == {}


def test_what_is_no_file_of_text(tmp_path, monkeypatch):
    (tmp_path / "x.yaml").write_bytes(bytes(range(256)) * 4)
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "large.yaml").write_text("a: 1\n" * 2_100_000)
    for name in ("x", "folder", "large"):
        with pytest.raises(ConfigError, match=rf"{name}\.yaml"):
            load(str(tmp_path / f"{name}.yaml"))
    monkeypatch.setattr("pathlib.Path.read_bytes", lambda *rest, **more: (_ for _ in ()).throw(PermissionError(13, "Permission denied")))
    with pytest.raises(ConfigError, match=r"x\.yaml.*Permission"):
        load(str(tmp_path / "x.yaml"))


def test_merged_mappings_and_aliases_are_fine(tmp_path):
    (tmp_path / "x.yaml").write_text("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: [*a, *a]\n")
    assert load(str(tmp_path / "x.yaml"))[0].b == {"x": 1, "y": 3}


@pytest.mark.parametrize("value", ["${nope}", "${foo:bar}", "${oc.env:SEGMENTER_NOPE}", "${launch.name}"])
def test_an_interpolation_that_leads_nowhere(tmp_path, value):
    (tmp_path / "x.yaml").write_text(f"launch:\n  name: {value}\n")
    with pytest.raises(ConfigError, match=r"launch\.name: .*x\.yaml, line 2"):
        check_interpolations(load(str(tmp_path / "x.yaml"))[0])


def test_two_interpolations_of_each_other():
    with pytest.raises(ConfigError):
        check_interpolations(OmegaConf.create({"a": "${b}", "b": "${a}"}))
