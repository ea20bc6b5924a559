import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segmenter.sources import quotes
from segmenter.sources.quotes import quotes_fit


def by_hand(text: str, line_end: str) -> bool:
    """Read as a person would: a quote only where a field begins, and then up to one that is followed by no other."""
    at, begins = 0, True
    while at < len(text):
        if text[at] == '"':
            if not begins:
                return False
            at += 1
            while True:
                end = text.find('"', at)
                if end < 0:
                    return False
                at = end + 1
                if text[at : at + 1] != '"':
                    break
                at += 1
            if at < len(text) and not text.startswith((",", line_end, line_end[-1]), at):
                return False
            begins = False
        else:
            begins = text[at] in (",", line_end[-1])
            at += 1
    return True


pieces = st.sampled_from(['"', '""', ",", '","', "a", "四川", "word " * 9, "\n", '"a ""b"" c"', '"x\ny"', "x" * 64])


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(st.lists(pieces, max_size=30).map("".join), st.sampled_from(["\n", "\r\n", "\r"]))
def test_quotes_are_judged_as_by_hand_wherever_parts_and_words_end(text: str, line_end: str) -> None:
    text = text.replace("\n", line_end)
    with pytest.MonkeyPatch.context() as patch:
        for step in (64, 128, 1 << 18):
            patch.setattr(quotes, "_STEP", step)
            assert quotes_fit(text.encode(), 0, ",", line_end) == by_hand(text, line_end)


@pytest.mark.parametrize("length", [62, 63, 64, 65, 127, 128, 200])
def test_a_quote_at_any_place_is_seen(length: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quotes, "_STEP", 64)
    for place in range(1, length):
        assert not quotes_fit(b"a" * place + b'"' + b"a" * (length - place - 1), 0, ",", "\n")
        assert quotes_fit(b"a" * (place - 1) + b',"' + b"a" * (length - place) + b'"', 0, ",", "\n")
        assert not quotes_fit(b'"' + b"a" * (place - 1) + b'"' + b"a" * (length - place), 0, ",", "\n")
    assert quotes_fit(b'x"y' + b'"a"\n' * length, 3, ",", "\n")


def test_a_return_alone_ends_no_line_of_a_file_with_two_signs_at_each_end() -> None:
    assert quotes_fit(b'"a"\r\n"b"\r\n', 0, ",", "\r\n")
    assert not quotes_fit(b'"a"\rb\r\n', 0, ",", "\r\n")
