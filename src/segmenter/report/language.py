"""The two languages: words side by side, and the core's messages in Chinese."""

from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from segmenter.errors import SegmenterError
from segmenter.messages import Message, fill
from segmenter.words import Lang, say

__all__ = ["Lang", "chinese", "say", "translate"]


def translate(message: str, lang: Lang) -> str:
    """Say a message of the core in a language.

    Parameters
    ----------
    message : str
        A `Message`; any other text is given back as it is.
    lang : {"en", "zh"}
        The language.

    Returns
    -------
    str
        The sentence; the English one where ``zh/`` has no other.

    Examples
    --------
    >>> translate(Message("launch.date_missing", "launch.as_of: is needed, as YYYY-MM-DD"), "en")
    'launch.as_of: is needed, as YYYY-MM-DD'
    """
    if lang == "en" or not isinstance(message, Message) or (sentence := chinese().get(message.code)) is None:
        return str(message)
    return fill(sentence, {name: _translated(fact, lang) for name, fact in message.facts.items()}, "、")


def _translated(fact: Any, lang: Lang) -> Any:
    if isinstance(fact, list | tuple):
        return tuple(_translated(item, lang) for item in fact)
    return translate(fact, lang) if isinstance(fact, str) else fact


@cache
def chinese() -> dict[str, str]:
    """Give the Chinese sentences by code, from all files in ``zh/``."""
    found: dict[str, str] = {}
    for file in sorted(files("segmenter.report").joinpath("zh").iterdir(), key=lambda file: file.name):
        found |= {f"{file.name.removesuffix('.yaml')}.{what}": sentence for what, sentence in yaml.safe_load(file.read_bytes()).items()}
    return found


def error_text(error: SegmenterError, lang: Lang) -> str:
    """Say an error's problems, one line each."""
    return error.text(lambda message: translate(message, lang), say(lang, "… and {:,} more", "……以及另外 {:,} 个"))
