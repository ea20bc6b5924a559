"""A guessed experiment as a file of a config folder: each line with the evidence for it."""

import json
import os
import shlex
import textwrap
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from segmenter.errors import OutputError
from segmenter.guesses.experiment import Experiment
from segmenter.guesses.guess import Guess
from segmenter.messages import Message
from segmenter.report.language import say, translate
from segmenter.words import Lang, visible

_WIDTH = 140
_ORDER = ("launch", "data")
_FIRST = ("url", "decimal", "ids", "max_reject_share", "orders", "customers", "events", "referrals")


def experiment_path(to: Path, name: str) -> Path:
    """Say where an experiment stands in a config folder."""
    return to / "experiment" / f"{name}.yaml"


def check_absent(path: Path) -> None:
    """Refuse to replace what is there."""
    if os.path.lexists(path):
        sentence = "{path}: is there already, and init never overwrites; choose another name with name=…, or another folder with to=…"
        raise OutputError(Message("init.there_already", sentence, path=path))


def write_experiment(text: str, path: Path) -> None:
    """Write a new file, and nothing over another."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        check_absent(path)
        raise
    except OSError as error:
        sentence = "{path}: cannot be written ({reason}); choose another folder with to=…"
        raise OutputError(Message("init.unwritable", sentence, path=path, reason=error.strerror or str(error))) from error


def experiment_text(experiment: Experiment, path: Path, found: Sequence[Message], lang: Lang) -> str:
    """Write an experiment as YAML that is to stand at a path; `found` is what a look at the input said."""
    head = say(
        lang,
        "A first experiment, guessed by `segmenter init`. Each line says why; change what is wrong. It is run by\n"
        "`segmenter launch --config-dir {folder} +experiment={name}`, and looked at by `segmenter check` in the same way.",
        "由 `segmenter init` 识别生成的实验配置。每一行都写明依据，有误请直接修改。\n"
        "运行：`segmenter launch --config-dir {folder} +experiment={name}`；检查：把 launch 换成 check。",
    )
    lines = ["# @package _global_", *_comment(head.format(name=experiment.name, folder=shlex.quote(path.parent.parent.as_posix())))]
    for note in experiment.notes:
        lines += _comment(f"- {translate(note, lang)}")
    if found:
        lines += _comment(say(lang, "What a check of the input says:", "数据检查的结果："))
        lines += [line for message in found for line in _comment(f"- {translate(message, lang)}")]
    given = {guess.key: guess.value for guess in experiment.guesses}
    abroad = given.get("launch.currency") not in (None, "CNY")  # the default platform is China's
    lines += ["defaults:", f"  - override /data: {experiment.kind}", *(["  - override /platform: none"] if abroad else [])]
    extra = [] if "launch.name" in given else [Guess("launch.name", experiment.name, Message("init.name", "names the results folder"))]
    guesses = sorted([*extra, *experiment.guesses], key=_place)
    open_: list[str] = []
    for guess in guesses:
        *above, key = guess.key.split(".")
        shared = next((at for at, (one, other) in enumerate(zip(open_, above, strict=False)) if one != other), min(len(open_), len(above)))
        lines += [f"{'  ' * at}{part}:" for at, part in enumerate(above) if at >= shared]
        open_ = above
        lines += _line("  " * len(above), key, guess.value, translate(guess.why, lang))
    if lang != "en":
        lines.append(f"lang: {lang}")
    return "\n".join(lines) + "\n"


def _place(guess: Guess) -> tuple[object, ...]:
    """Sort keys so that those of a mapping stand together, single ones first."""
    parts = guess.key.split(".")
    inside = _FIRST.index(parts[1]) if parts[1] in _FIRST else -1
    return _ORDER.index(parts[0]), inside, len(parts) > 3, parts[2:3] not in (["path"], ["query"]) and len(parts) > 2


def _line(indent: str, key: str, value: object, why: str) -> list[str]:
    if isinstance(value, str) and '"' in value and value.isprintable():  # SQL, in a block of its own
        escaped = value.replace("${", "\\${")
        return [*(f"{indent}{line}" for line in _comment(why, _WIDTH - len(indent))), f"{indent}{key}: >-", f"{indent}  {escaped}"]
    whole = f"{indent}{key}: {_yaml(value)}  # {visible(why)}"
    above = [f"{indent}{line}" for line in _comment(why, _WIDTH - len(indent))]
    return [whole] if len(whole) <= _WIDTH else [*above, f"{indent}{key}: {_yaml(value)}"]


def _comment(text: str, width: int = _WIDTH) -> list[str]:
    wrapped = [line for part in visible(text).splitlines() for line in textwrap.wrap(part, width - 2, break_on_hyphens=False)]
    return [f"# {line}" for line in wrapped]


def _yaml(value: object) -> str:
    """Write a value as YAML: in quotes, so that it stays what it is; what OmegaConf would fill in stays as it stands."""
    match value:
        case date():
            return str(value)
        case list() | tuple():
            return f"[{', '.join(_yaml(item) for item in value)}]"
        case str():
            return json.dumps(value, ensure_ascii=False).replace("${", "\\\\${")
        case _:
            return json.dumps(value)
