"""What a program's tables are taken for where they lack columns of the names that segmenter has for them."""

from collections.abc import Iterator, Mapping

import polars as pl

from segmenter.contacts import shown_columns
from segmenter.errors import InputError
from segmenter.guesses.experiment import guess_experiment
from segmenter.guesses.guess import Question
from segmenter.guesses.source_tables import Sources, SourceTable
from segmenter.messages import Message
from segmenter.sources.row_mapping import NEEDED

_GUESSED = ("orders", "customers", "events", "referrals")


def guess_frames(frames: Mapping[str, pl.DataFrame], said: Mapping[str, object]) -> dict[str, object]:
    """Guess the settings of tables that lack a column they need, as `segmenter init` does; an InputError says what cannot be told.

    `said` are settings by their dotted keys: nothing is guessed against them.
    """
    tables = [name for name in _GUESSED if name in frames]
    answers = dict(_answers(tables, frames, said))
    lacking = [name for name in tables if any(f"{name}.{field}" not in answers for field in NEEDED[name])]
    if not lacking or "orders" not in frames:
        return {}
    found = guess_experiment(Sources(tuple(SourceTable(name, (), frames[name]) for name in tables)), "launch", answers)
    asked = [question for question in found.open_questions if question.key.partition(".")[0] in lacking]
    if problems := [_open(question) for question in asked if question.key != "orders.left_out" or "data.orders.where" not in said]:
        raise InputError(*problems)
    own = {f"data.{name}" for name in tables if name not in lacking}
    guessed = {guess.key: guess.value for guess in found.guesses if ".".join(guess.key.split(".")[:2]) not in own}
    if "orders" not in lacking:
        guessed = {key: value for key, value in guessed.items() if key.count(".") > 1}
    return {key: value for key, value in guessed.items() if key not in said and key.rpartition(".")[2] != value}


def _answers(tables: list[str], frames: Mapping[str, pl.DataFrame], said: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """Say what is known as `segmenter init` is told it: which table is which, what was said, and columns of our own names."""
    yield "customers.file", "none"
    for name in tables:
        yield f"{name}.file", name
        yield from ((f"{name}.{field}", field) for field in NEEDED[name] if field in frames[name].columns)
    for key, value in said.items():
        if value is not None and (key.startswith("data.") or key in ("launch.currency", "launch.timezone")):
            yield key.partition(".")[2].replace(".columns.", "."), value


def _open(question: Question) -> Message:
    table, _, field = question.key.partition(".")
    choices = tuple(shown_columns(question.choices).values())[:20]
    if field == "left_out":
        sentence = (
            'data.orders.where: "{column}" has states whose meaning is not known: {states}; '
            "say which rows are orders (and by data.orders.refund which are refunds), such as \"{column} = 'paid'\""
        )
        return Message("frames.states", sentence, **question.text.facts)
    key = f'columns={{"{table}": {{"{field}": …}}}}' if field in NEEDED[table] else f"data.{question.key}"
    return Message("frames.open", "{key}: {question} (one of {choices})", key=key, question=question.text, choices=choices)
