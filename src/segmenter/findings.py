"""What a look at the input found, besides the rows it gives."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from segmenter.errors import InputError
from segmenter.messages import Message

Level = Literal["note", "warning", "stop"]


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    Parameters
    ----------
    level : {'note', 'warning', 'stop'}
        ``note``: how something was read, for who looks at the check. ``warning``: what may be wrong, which a launch says, too.
        ``stop``: what can be read in two ways, or not at all, so that a launch does not go on.
    message : Message
        The sentence: the column, what was taken, an example, and the key that changes it. Its code says what kind of finding it is.
    """

    level: Level
    message: Message


def messages_of(findings: Iterable[Finding], level: Level) -> tuple[Message, ...]:
    """Give the sentences of one level."""
    return tuple(finding.message for finding in findings if finding.level == level)


def raise_stops(findings: Iterable[Finding], more: Iterable[Message] = ()) -> None:
    """Raise an InputError with all that stops a launch, if anything does."""
    if problems := (*messages_of(findings, "stop"), *more):
        raise InputError(*problems)


def as_json(findings: Iterable[Finding]) -> list[Mapping[str, object]]:
    """Give findings for a manifest, without their sentences; of a message at a config key, the message's code and facts, and the key."""
    return [{"level": finding.level, **_code_and_facts(finding.message)} for finding in findings]


def _code_and_facts(message: Message) -> dict[str, object]:
    match message.facts:
        case {"key": key, "problem": Message() as problem, **rest} if not rest:
            return {"key": str(key), **_code_and_facts(problem)}
        case facts:
            return {"found": message.code, **_plain(facts)}


def _plain(facts: Mapping[str, object]) -> dict[str, object]:
    return {
        name: value if isinstance(value, int | float) else [*map(str, value)] if isinstance(value, tuple) else str(value)
        for name, value in facts.items()
    }
