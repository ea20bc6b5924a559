"""The questions of `segmenter init`, on the terminal; where there is none, a list of the keys that answer them."""

import sys
from collections.abc import Callable, Mapping
from typing import Any

from rich.prompt import Prompt

from segmenter.contacts import shown_columns
from segmenter.errors import InputError
from segmenter.guesses.experiment import Experiment
from segmenter.guesses.guess import Question
from segmenter.messages import Message
from segmenter.report.language import say, translate
from segmenter.report.terminal import Terminal
from segmenter.words import Lang

_LISTS = ("left_out", "refunded", "fill_down", "contact", "attributes")
_MOST = 30


def is_asked() -> bool:
    """Whether there is somebody to ask."""
    return sys.stdin is not None and sys.stdin.isatty() and Terminal(stderr=True).is_terminal


def settle(guess: Callable[[Mapping[str, Any]], Experiment], answers: Mapping[str, Any], lang: Lang) -> Experiment:
    """Guess, and ask until nothing is open; an InputError lists what is open where nobody can be asked."""
    given = dict(answers)
    experiment = guess(given)
    while questions := [question for question in experiment.questions if question.key not in given] if is_asked() else ():
        given[questions[0].key] = ask(questions[0], lang)
        experiment = guess(given)
    if experiment.open_questions:
        raise InputError(*map(open_question, experiment.open_questions))
    return experiment


def ask(question: Question, lang: Lang) -> object:
    """Ask one question."""
    console, names = Terminal(stderr=True), list(shown_columns(question.choices).values())[:_MOST]
    console.print(translate(question.text, lang), highlight=False, soft_wrap=True)
    for number, name in enumerate(names, start=1):
        console.print(f"  {number}  {name}", highlight=False, soft_wrap=True)
    hint = say(lang, "a number of the list, or a value", "列表中的序号，或直接输入") if names else say(lang, "a value", "请输入")
    said = Prompt.ask(hint, console=console, default=question.otherwise or "").strip()
    return as_answer(question, said)


def as_answer(question: Question, said: str) -> object:
    """Take numbers of the list for what they number; a list where the key takes one."""
    parts = [part.strip() for part in said.split(",") if part.strip()]
    named = [question.choices[int(part) - 1] if part.isdigit() and 0 < int(part) <= len(question.choices) else part for part in parts]
    if question.key.rpartition(".")[2] in _LISTS:
        return named
    return named[0] if len(named) == 1 else said


def open_question(question: Question) -> Message:
    """Say what is open, and which key answers it."""
    choices = tuple(shown_columns(question.choices).values())[:_MOST]
    if choices:
        sentence = "answers.{key}: {question} (one of {choices})"
        return Message("init.open_choice", sentence, key=question.key, question=question.text, choices=choices)
    return Message("init.open", "answers.{key}: {question}", key=question.key, question=question.text)


def assumption(question: Question) -> Message:
    """Say what was assumed where nobody was asked."""
    sentence = "{question}: {value} is assumed; answers.{key}=… says otherwise"
    return Message("init.assumption", sentence, question=question.text, value=question.otherwise, key=question.key)
