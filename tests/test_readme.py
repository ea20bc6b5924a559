"""What the README shows runs."""

import re
import shlex
from pathlib import Path

from jobs import settings_of

from segmenter.overrides import quoted

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def test_the_library_example_gives_an_invite_list(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert len(code.strip().splitlines()) <= 12
    names = {}
    exec(code, names)
    assert "C2" in capsys.readouterr().out
    assert names["plan"].invite_list["region"].to_list() == ["四川"]
    assert not list(tmp_path.iterdir())


def test_every_override_in_the_readme_is_a_key():
    commands = re.findall(r"^segmenter (\w+) (.*)$", README.replace("\\\n", ""), flags=re.MULTILINE)
    assert len(commands) >= 5
    for job, line in commands:
        words = shlex.split(line, comments=True)
        overrides = [quoted(word) for word in words if "=" in word and not word.startswith("--") and not word.startswith("+experiment=")]
        if "-m" in words:
            overrides = [word.partition(",")[0] for word in overrides]
        settings_of(job, *(word for word in overrides if word != "scoring=tuned"))  # what the command above it writes
