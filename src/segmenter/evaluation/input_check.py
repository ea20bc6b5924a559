"""Whether a shop's tables are fit for a launch: what reading found, and what the launch's own stages would."""

from collections.abc import Iterable
from dataclasses import dataclass

from segmenter.errors import InputError
from segmenter.evaluation.as_of import launch_snapshot, terms_of
from segmenter.evaluation.as_of_check import check_as_of
from segmenter.findings import Finding, Level, messages_of
from segmenter.messages import Message
from segmenter.regions import say_unrecognised
from segmenter.rules import money_spent
from segmenter.settings import CoreSettings
from segmenter.tables import Tables

_EXIT_CODES: dict[Level, int] = {"note": 0, "warning": 1, "stop": 2}


@dataclass(frozen=True)
class InputCheck:
    """What a check came to."""

    tables: Tables | None  # None where they could not be read at all
    findings: tuple[Finding, ...]
    customers: int = 0  # as of the launch's date

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
    findings, customers = list(tables.findings), 0
    try:
        check_as_of(tables, terms_of(settings).as_of)
        snapshot = launch_snapshot(tables, settings)
        customers = snapshot.customers.height
        unrecognised = say_unrecognised(snapshot.customers, settings.rules.region, lambda some: money_spent(some, settings.launch))
        findings += [] if unrecognised is None else [Finding("note", unrecognised)]
        findings += [Finding("warning", warning) for warning in (*snapshot.warnings, *snapshot.verdicts.warnings)]
    except InputError as error:
        findings += stops(error.messages)
    return InputCheck(tables, tuple(findings), customers)


def stops(problems: Iterable[str]) -> list[Finding]:
    """Make findings of the problems of an error."""
    return [
        Finding("stop", text if isinstance(text, Message) else Message("input.problem", "{problem}", problem=text)) for text in problems
    ]
