"""Errors that end a job with one clear message and exit code 2.

SegmenterError
├── ConfigError        a setting is wrong
├── InputError         the data cannot be used as it is
├── OutputError        the results cannot be written
├── LedgerError        the ledger cannot be read or written, or does not take what it is given
└── TrackingError      MLflow cannot be reached; the results are written all the same
"""

from collections.abc import Callable, Iterable
from difflib import get_close_matches

from segmenter.messages import Message

_LONGEST, _MOST = 1_500, 20  # letters of a problem, and problems that are shown


class SegmenterError(Exception):
    """Base of all errors that a user can mend.

    Parameters
    ----------
    *problems : str
        One line each, all that were found: the thing, the rule, the value and the way out. What looks like a contact in them is
        shown by its shape.

    Examples
    --------
    >>> str(SegmenterError("rules.spend.min: should be ≥ 0 (got -5)"))
    'rules.spend.min: should be ≥ 0 (got -5)'
    """

    def __init__(self, *problems: str) -> None:
        self.messages = problems
        super().__init__(self.text())

    @property
    def problems(self) -> tuple[str, ...]:
        """All problems in English, as they may be shown."""
        return tuple(map(_short, map(str, self.messages)))

    @property
    def reason(self) -> str:
        """The first problem as a part of another message: still a `Message`, where nothing in it had to be hidden or left out."""
        return self.messages[0] if str(self.messages[0]) == self.problems[0] else self.problems[0]

    def text(self, say: Callable[[str], str] = str, more: str = "… and {:,} more") -> str:
        """Give the first 20 problems, one line each, as `say` says a message; `more` says how many more there are."""
        lines = [_short(say(message)) for message in self.messages[:_MOST]]
        return "\n".join([*lines, *([more.format(len(self.messages) - _MOST)] if len(self.messages) > _MOST else [])])


def _short(problem: str) -> str:
    """Show contacts by their shape, and leave out the middle of what nobody reads: a value of thousands of letters."""
    from segmenter.contacts import hide  # a tenth of a second for who only asks for help

    problem = hide(problem)
    return problem if len(problem) <= _LONGEST else f"{problem[: _LONGEST - 300]} … {problem[-300:]}"


class ConfigError(SegmenterError):
    """A setting is wrong."""


class InputError(SegmenterError):
    """The data cannot be used as it is."""


class OutputError(SegmenterError):
    """The results cannot be written."""


class LedgerError(SegmenterError):
    """The ledger cannot be read or written, or does not take what it is given."""


class TrackingError(SegmenterError):
    """MLflow cannot be reached."""


def nearest(name: str, choices: Iterable[str], most: int = 3) -> str:
    """Say which choices are nearest to a name, or the first ones where none is near, as the end of a message.

    >>> nearest("amout", ["amount", "time"])
    '; nearest: amount'
    """
    known = sorted(set(choices))
    folded = {choice.casefold(): choice for choice in known}
    if near := [folded[match] for match in get_close_matches(name.casefold(), folded, n=most, cutoff=0.6)]:
        return Message("errors.nearest", "; nearest: {names}", names=near)
    if not known:
        return ""
    return Message("errors.choices", "; there are: {names}{more}", names=known[:20], more=" …" if len(known) > 20 else "")
