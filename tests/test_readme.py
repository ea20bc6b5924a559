"""What the README shows runs."""

import re
from pathlib import Path

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def test_the_library_example_gives_an_invite_list(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert len(code.strip().splitlines()) <= 14
    names = {}
    exec(code, names)
    assert "C2" in capsys.readouterr().out
    assert names["plan"].invite_list.height == 2
    assert not list(tmp_path.iterdir())


def test_every_override_in_the_readme_is_a_key():
    import segmenter.settings as models
    from segmenter.defaults import HOME
    from hydra import compose, initialize_config_dir

    commands = re.findall(r"^segmenter (\w+) (.*)$", README.replace("\\\n", ""), flags=re.MULTILINE)
    assert commands
    import shlex

    from segmenter.command import quoted

    with initialize_config_dir(str(HOME / "conf"), version_base="1.3"):
        for job, line in commands:
            overrides = [quoted(word) for word in shlex.split(line, comments=True) if "=" in word and not word.startswith("--")]
            overrides = [word for word in overrides if "experiment=mine" not in word]
            model = {"launch": models.LaunchJob, "demo": models.DemoJob}[job]
            models.parse(model, compose(job, overrides=overrides))
