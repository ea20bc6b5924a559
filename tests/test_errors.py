import pytest

from segmenter.errors import InputError, nearest
from segmenter.messages import Message


def test_a_value_of_thousands_of_letters_leaves_its_message_short():
    said = str(InputError(f"data.encoding: is none (got {'x' * 5000}); choose another", "orders: is wrong"))
    assert len(said) < 1_600
    assert said.endswith("; choose another\norders: is wrong")
    assert len(str(InputError(*("backtest: a past date is wrong",) * 500)).splitlines()) == 21


def test_a_contact_is_hidden_in_each_language_and_in_the_reason():
    error = InputError(Message("a.b", "orders: is wrong (got {value})", value="13800138000"), "rules: are wrong")
    assert "13800138000" not in f"{error}{error.problems}{error.reason}{error.text(lambda message: message + ' 13900139000')}"
    assert not isinstance(error.reason, Message)
    harmless = Message("a.b", "orders: is wrong (got {value})", value=5)
    assert InputError(harmless).reason is harmless


@pytest.mark.parametrize(
    ("name", "choices", "code", "names"),
    [("amout", ["time", "amount"], "errors.nearest", ["amount"]), ("xyz", ["time", "amount"], "errors.choices", ["amount", "time"])],
)
def test_the_nearest_choices_are_named_or_the_first(name, choices, code, names):
    found = nearest(name, choices)
    assert (found.code, found.facts["names"]) == (code, names)
    assert nearest(name, []) == ""
