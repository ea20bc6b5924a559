"""The two languages: words side by side, and the core's messages in Chinese."""

from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

import yaml

from segmenter.errors import SegmenterError
from segmenter.messages import Message, fill
from segmenter.words import Lang

__all__ = ["Lang", "chinese", "error_text", "say", "translate"]


_Words = TypeVar("_Words")


def say(lang: Lang, en: _Words, zh: _Words) -> _Words:
    """Choose the words of a language."""
    return zh if lang == "zh" else en


def translate(message: str, lang: Lang) -> str:
    """Say a message of the core in a language; text that is no `Message`, or has no Chinese in ``zh/``, stays as it is."""
    if lang == "en" or not isinstance(message, Message) or (sentence := chinese().get(message.code)) is None:
        return str(message)
    return fill(sentence, {name: _translated(fact, lang) for name, fact in message.facts.items()}, "、")


def told(message: str, lang: Lang) -> str:
    """Say a message as `translate` does; it keeps its code, for the log."""
    return message.said(translate(message, lang)) if isinstance(message, Message) else message


def _translated(fact: Any, lang: Lang) -> Any:
    if isinstance(fact, list | tuple):
        return tuple(_translated(item, lang) for item in fact)
    return translate(fact, lang) if isinstance(fact, str) else fact


@cache
def chinese() -> dict[str, str]:
    """Give the Chinese sentences by code, from all files in ``zh/``."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the one in C takes 3 ms, the other 50
    found: dict[str, str] = {}
    for file in sorted(files("segmenter.report").joinpath("zh").iterdir(), key=lambda file: file.name):
        area = file.name.removesuffix(".yaml")
        found |= {f"{area}.{what}": sentence for what, sentence in yaml.load(file.read_bytes(), loader).items()}
    return found


def error_text(error: SegmenterError, lang: Lang) -> str:
    """Say an error's problems, one line each."""
    return error.text(lambda message: translate(message, lang), say(lang, "… and {:,} more", "……以及另外 {:,} 个"))
