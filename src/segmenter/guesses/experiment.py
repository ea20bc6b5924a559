"""A first experiment for a shop: all guesses together, and the settings that they make."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import PurePath
from typing import Any

from segmenter.defaults import launch_basics, source_settings
from segmenter.errors import ConfigError
from segmenter.guesses.guess import Draft, Guess, Question, answered
from segmenter.guesses.shop_locale import guess_locale
from segmenter.guesses.source_tables import Sources
from segmenter.guesses.table_guess import guess_tables
from segmenter.messages import Message
from segmenter.settings import DatabaseSettings, FilesSettings, LaunchSettings

_NO_KEYS = ("file", "left_out", "refunded")  # answers that are no keys of the config


@dataclass(frozen=True)
class Experiment:
    """What a launch on a shop's tables would be set to."""

    name: str
    kind: str  # files or database
    guesses: tuple[Guess, ...]
    questions: tuple[Question, ...]
    notes: tuple[Message, ...]

    @property
    def open_questions(self) -> tuple[Question, ...]:
        """The questions without whose answer nothing can be written."""
        return tuple(question for question in self.questions if question.otherwise is None)

    def launch(self, as_of: date) -> LaunchSettings:
        """Give the launch's settings, at a date."""
        own = {guess.key.removeprefix("launch."): guess.value for guess in self.guesses if guess.key.startswith("launch.")}
        return launch_basics({"name": self.name, **own, "as_of": as_of})

    def data(self) -> FilesSettings | DatabaseSettings:
        """Give the settings of the sources."""
        own = {guess.key.removeprefix("data."): guess.value for guess in self.guesses if guess.key.startswith("data.")}
        return source_settings("files" if self.kind == "files" else "database", own)


def guess_experiment(sources: Sources, name: str, answers: Mapping[str, Any]) -> Experiment:
    """Guess all that a launch on a shop's tables needs; what `answers` say counts."""
    found = Draft(answers)
    orders = guess_tables(sources, found)
    if orders is not None:
        guess_locale(orders, launch_basics({"name": name}), found)
    _take_answers(found)
    kind = "database" if any(key == "query" for table in sources.tables for key, _ in table.settings) else "files"
    return Experiment(name, kind, tuple(found.guesses), tuple(found.questions), tuple(found.notes))


def _take_answers(found: Draft) -> None:
    """Take what a person said of keys that nothing else has taken."""
    taken = {guess.key for guess in found.guesses}
    for name, said in found.answers.items():
        table, _, key = name.rpartition(".")
        if key in _NO_KEYS or name in ("currency", "timezone"):
            continue
        column = table and key not in (
            "where",
            "refund",
            "grain",
            "repeats",
            "fill_down",
            "not_customers",
            "time_format",
            "contact",
            "attributes",
        )
        full = f"data.{table}.columns.{key}" if column else f"data.{name}"
        if full not in taken:
            found.take(full, said, answered(name))


def with_date(experiment: Experiment, last: date) -> Experiment:
    """Set the launch to the day after the last order, so that all orders count whenever it is run."""
    why = Message("init.as_of", "the day after the last order; null = the day on which it is run")
    guess = Guess("launch.as_of", last + timedelta(days=1), why)
    return Experiment(experiment.name, experiment.kind, (guess, *experiment.guesses), experiment.questions, experiment.notes)


def name_of(paths: tuple[str, ...]) -> str:
    """Name an experiment after the first path.

    >>> name_of(("exports/orders 2026.csv",)), name_of(("postgresql://me@host/shop",)), name_of(("exports/*.csv",))
    ('orders 2026', 'shop', 'exports')
    """
    path = PurePath(paths[0].partition("?")[0])
    stems = [part.partition(".")[0] for part in reversed(path.parts) if not any(sign in part for sign in "*?[:@")]
    name = next((stem for stem in stems if stem.strip("/\\ .")), "")
    if not name:
        raise ConfigError(Message("init.no_name", "name: is needed, as the paths give none"))
    return name
