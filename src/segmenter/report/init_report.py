"""What `segmenter init` has found, and what to do with it."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from segmenter.guesses.experiment import Experiment
from segmenter.messages import Message
from segmenter.report.init_questions import assumption
from segmenter.report.language import say, translate
from segmenter.report.sections import Code, Report, Section, Table, columns, row, text
from segmenter.report.shell_commands import override
from segmenter.words import Lang


def init_report(experiment: Experiment, path: Path, warnings: Sequence[Message], lang: Lang) -> Report:
    """Say what was taken for what, in the user's language."""
    title = say(lang, "First experiment", "首个实验配置")
    rows = tuple(row(guess.key, _value(guess.value), translate(guess.why, lang)) for guess in experiment.guesses)
    table = Table(columns(say(lang, "key", "配置项"), say(lang, "value", "取值"), say(lang, "why", "依据"), left=(0, 1, 2)), rows)
    notes = tuple(text(translate(note, lang)) for note in experiment.notes)
    assumed = [assumption(question) for question in experiment.questions if question.otherwise is not None]
    folder = f"--config-dir {shlex.quote(path.parent.parent.as_posix())}"
    next_ = [text(Code(f"segmenter {job} {folder} {override('+experiment', experiment.name)}")) for job in ("check", "launch")]
    what = say(lang, f"Written: {path}. Read it, then:", f"已写入：{path}。请先阅读，然后：")
    return Report(
        title,
        title,
        experiment.name,
        "",
        warnings=(*assumed, *warnings),
        sections=(Section(brief=(table, *notes, text(Code(what)), *next_)),),
    )


def _value(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
