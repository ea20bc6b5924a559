"""Every message of the core can be said in Chinese, with facts that it has."""

import ast
import re
from pathlib import Path
from string import Formatter

import segmenter
from segmenter.messages import Message
from segmenter.report.language import chinese, translate

SOURCES = [path for path in Path(segmenter.__file__).parent.rglob("*.py") if path.name != "messages.py"]


def said() -> list[tuple[str, set[str] | None]]:
    """The code of each message in the sources, and the names of its facts: None where they are passed on as they come."""
    texts = [text for path in SOURCES if re.search(r"\b(?:Message|Obstacle)\(", text := path.read_text(encoding="utf-8"))]
    calls = [node for text in texts for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    messages = [call for call in calls if getattr(call.func, "id", None) in ("Message", "Obstacle")]
    return [
        (ast.literal_eval(call.args[0]), None if any(word.arg is None for word in call.keywords) else {word.arg for word in call.keywords})
        for call in messages
    ]


def test_every_message_has_its_chinese_sentence_with_no_other_facts():
    codes = dict(said())
    assert codes.keys() == chinese().keys()
    for code, sentence in chinese().items():
        named = {name.partition(".")[0].partition("[")[0] for _, name, _, _ in Formatter().parse(sentence) if name is not None}
        assert codes[code] is None or named <= codes[code], code


def test_a_list_is_set_apart_as_the_language_does_and_parts_are_translated_too(monkeypatch):
    monkeypatch.setattr("segmenter.report.language.chinese", lambda: {"a.whole": "{parts}：{count:,}", "a.part": "部分"})
    message = Message("a.whole", "{parts}: {count:,}", parts=(Message("a.part", "a part"), "四川"), count=1200)
    assert message == "a part, 四川: 1,200"
    assert translate(message, "zh") == "部分、四川：1,200"
    assert translate("as it is", "zh") == "as it is"
