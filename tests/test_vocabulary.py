"""The vocabularies of what shops and people write."""

import re
from importlib.resources import files

import polars as pl
import pytest

from segmenter.vocabulary import vocabulary

NAMES = [file.name.removesuffix(".yaml") for file in files("segmenter.vocabulary").iterdir() if file.name.endswith(".yaml")]


@pytest.mark.parametrize("name", NAMES)
def test_a_vocabulary_says_nothing_twice(name):
    def lists(node):
        if isinstance(node, dict):
            yield from (found for value in node.values() for found in lists(value))
        elif isinstance(node, list):
            yield node
            yield from (found for value in node for found in lists(value))

    for words in lists(vocabulary(name)):
        plain = [word for word in words if isinstance(word, str)]
        assert len(plain) == len(set(plain)), words


def test_patterns_of_contacts_can_be_read_by_who_reads_them():
    known = vocabulary("contacts")
    for look in known["looks"]:
        re.compile(look.replace("<gap>", known["gap"]))
    assert pl.Series(["a@b.com", "x"]).str.contains("|".join(known["hint"])).to_list() == [True, False]
