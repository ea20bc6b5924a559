"""What the core has to say to a person: a code, the facts, and an English sentence made of them."""

from collections.abc import Mapping
from string import Formatter
from typing import Any


class Message(str):
    """An English sentence that `report.language.translate` can say in another language by its code and facts.

    Parameters
    ----------
    code : str
        Names the sentence: ``area.what``; its translations stand under it in ``report/zh/area.yaml``.
    sentence : str
        In English, with the facts as replacement fields.
    **facts
        Numbers, names, dates; a tuple is a list of such, and a Message a part of the sentence.

    Examples
    --------
    >>> Message("rules.unknown_regions", "no customer is in {regions}; {count:,} are elsewhere", regions=("Kent", "Essex"), count=1200)
    'no customer is in Kent, Essex; 1,200 are elsewhere'
    """

    code: str
    sentence: str
    facts: Mapping[str, Any]

    def __new__(cls, code: str, sentence: str, /, **facts: Any) -> "Message":
        """Fill in the facts."""
        message = super().__new__(cls, fill(sentence, facts, ", "))
        message.code, message.sentence, message.facts = code, sentence, facts
        return message

    def __getnewargs_ex__(self) -> tuple[tuple[str, str], dict[str, Any]]:
        return (self.code, self.sentence), dict(self.facts)

    def said(self, text: str) -> "Message":
        """Give the same message in other words."""
        other = str.__new__(type(self), text)
        other.code, other.sentence, other.facts = self.code, self.sentence, self.facts
        return other

    def to_dict(self) -> dict[str, Any]:
        """Give the parts as JSON has them: lists for tuples, and mappings for the messages among the facts."""
        return {"code": self.code, "sentence": self.sentence, "facts": {name: _plain(fact) for name, fact in self.facts.items()}}

    @classmethod
    def from_dict(cls, parts: Mapping[str, Any]) -> "Message":
        """Read back what `to_dict` gave."""
        return cls(str(parts["code"]), str(parts["sentence"]), **{name: _read(fact) for name, fact in parts["facts"].items()})


class Obstacle(Message):
    """What keeps a plan from being carried out as it stands, and what would help: it stands before all warnings."""


def _plain(fact: Any) -> Any:
    if isinstance(fact, list | tuple):
        return [_plain(item) for item in fact]
    return fact.to_dict() if isinstance(fact, Message) else fact


def _read(fact: Any) -> Any:
    if isinstance(fact, list):
        return tuple(_read(item) for item in fact)
    return Message.from_dict(fact) if isinstance(fact, dict) else fact


class _Fields(Formatter):
    def __init__(self, separator: str) -> None:
        self.separator = separator

    def format_field(self, value: Any, format_spec: str) -> Any:
        if isinstance(value, list | tuple):
            return self.separator.join(self.format_field(item, format_spec) for item in value)
        return super().format_field(value, format_spec)


def fill(sentence: str, facts: Mapping[str, Any], separator: str) -> str:
    """Put facts into a sentence; the items of a list are set apart by the separator."""
    return _Fields(separator).vformat(sentence, (), facts)
