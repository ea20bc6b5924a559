import pytest

from segmenter.errors import ConfigError, SegmenterError, nearest
from segmenter.messages import Message
from segmenter.report.language import translate


def test_a_reason_is_a_message_still_unless_something_in_it_had_to_be_hidden():
    nobody = Message("evaluation.nobody_eligible", "nobody was eligible")
    assert translate(SegmenterError(nobody, "and more").reason, "zh") != nobody
    rule = Message("evaluation.cut_left_out", "{cut} is left out: {why}", cut="2026-05-01", why="ask 13812345678")
    reason = SegmenterError(rule).reason
    assert "13812345678" not in reason
    assert "13812345678" not in translate(reason, "zh")


@pytest.mark.parametrize("count", [1, 20, 21, 500])
def test_of_many_problems_the_first_are_shown_and_the_others_counted(count):
    lines = ConfigError(*(f"key{number}: is wrong" for number in range(count))).text(more="{:,} others").splitlines()
    assert len(lines) == min(count, 20) + (count > 20)
    assert lines[-1] == (f"{count - 20} others" if count > 20 else f"key{count - 1}: is wrong")


def test_a_long_value_leaves_its_message_short():
    assert len(SegmenterError(f"key: is wrong (got {'x' * 10_000})").problems[0]) < 1_600


@pytest.mark.parametrize(
    ("name", "code", "names"), [("amout", "errors.nearest", ["amount"]), ("xyz", "errors.choices", ["amount", "time"])]
)
def test_the_nearest_choices_are_named_or_the_first(name, code, names):
    found = nearest(name, ["time", "amount"])
    assert (found.code, found.facts["names"]) == (code, names)
    assert nearest(name, []) == ""
