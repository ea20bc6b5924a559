"""Text on its way to a person: its language, and no character that steers a terminal."""

from typing import Literal, Protocol

Lang = Literal["en", "zh"]

# What steers a terminal, breaks a line, turns the direction of writing, or cannot be written; a tab and a line feed may stand.
_HIDDEN = (*range(9), *range(0x0B, 0x20), *range(0x7F, 0xA0), 0x61C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x2070))
STAND_INS = {chr(code): f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" for code in _HIDDEN}
_TABLE = str.maketrans(STAND_INS | {chr(code): f"\\u{code:04x}" for code in (*range(0xD800, 0xE000), 0xFFFE, 0xFFFF)})


class Progress(Protocol):
    """What a job calls with the stage that it is at, and the rows done and their number where those are known (else 0)."""

    def __call__(self, stage: str, done: int = 0, total: int = 0) -> None:
        """Take note."""


def visible(text: str) -> str:
    r"""Show characters that steer a terminal or turn the direction of writing, instead of letting them."""
    return text if text.isprintable() else text.replace("\r\n", "\n").translate(_TABLE)
