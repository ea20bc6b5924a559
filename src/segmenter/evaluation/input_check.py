"""Whether a shop's tables are fit for a launch: what reading found, and what the launch's own stages would."""

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from segmenter.errors import InputError
from segmenter.evaluation.as_of import launch_snapshot, terms_of
from segmenter.evaluation.as_of_check import check_as_of
from segmenter.findings import Finding, Level, messages_of
from segmenter.messages import Message
from segmenter.personas import check_personas
from segmenter.regions import say_unrecognised
from segmenter.rules import money_spent
from segmenter.settings import CoreSettings
from segmenter.tables import Tables

_MANY = 0.1  # more is a warning
_EXIT_CODES: dict[Level, int] = {"note": 0, "warning": 1, "stop": 2}


@dataclass(frozen=True)
class InputCheck:
    """What a check came to."""

    tables: Tables | None  # None where they could not be read at all
    findings: tuple[Finding, ...]
    customers: int = 0  # as of the launch's date
    eligible: int = 0

    @property
    def level(self) -> Level:
        """The gravest finding: a note is ready, a warning ready with warnings, a stop not ready."""
        levels: tuple[Level, ...] = ("stop", "warning", "note")
        return next((level for level in levels if messages_of(self.findings, level)), "note")

    @property
    def exit_code(self) -> int:
        """0 ready, 1 ready with warnings, 2 not ready."""
        return _EXIT_CODES[self.level]


def check_input(tables: Tables, settings: CoreSettings) -> InputCheck:
    """Judge tables that were read without stopping, and go through the rules as a launch would."""
    findings, customers, eligible = list(tables.findings), 0, 0
    try:
        check_as_of(tables, terms_of(settings).as_of)
        snapshot = launch_snapshot(tables, settings)
        check_personas(snapshot.customers, settings.personas, settings.launch.currency)
        customers, eligible = snapshot.customers.height, int(snapshot.eligible.sum())
        unrecognised = say_unrecognised(snapshot.customers, settings.rules.region, lambda some: money_spent(some, settings.launch))
        findings += [] if unrecognised is None else [Finding("note", unrecognised)]
        findings += [Finding("warning", warning) for warning in (*snapshot.warnings, *snapshot.verdicts.warnings)]
        findings += _unreached(snapshot.verdicts.funnel)
    except InputError as error:
        findings += stops(error.messages)
    return InputCheck(tables, tuple(findings), customers, eligible)


def _unreached(funnel: pl.DataFrame) -> list[Finding]:
    """Say how many whom the other rules keep cannot be reached, and how many have the phone of another."""
    counts = {rule: (before, removed) for rule, before, removed in funnel.select("rule", "before", "removed").rows() if removed}
    found: list[Finding] = []
    if "reachable" in counts:
        before, removed = counts["reachable"]
        sentence = "of {before:,} customers whom the other rules keep {removed:,} cannot be reached (rules.reachable)"
        level: Level = "warning" if removed > _MANY * before else "note"
        found.append(Finding(level, Message("input.reachable", sentence, before=before, removed=removed)))
    if "per_phone" in counts:
        before, removed = counts["per_phone"]
        sentence = "of {before:,} customers who can be reached {removed:,} have the phone of another customer (rules.per_phone)"
        found.append(Finding("note", Message("input.per_phone", sentence, before=before, removed=removed)))
    return found


def stops(problems: Iterable[str]) -> list[Finding]:
    """Make findings of the problems of an error."""
    return [
        Finding("stop", text if isinstance(text, Message) else Message("input.problem", "{problem}", problem=text)) for text in problems
    ]
