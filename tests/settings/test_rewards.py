import pytest
from jobs import settings_of
from marks import slow_but

from segmenter.errors import ConfigError


def tiers(text):
    return {
        tier.name: tier.rewards
        for tier in settings_of("simulate", "fission.tiers.modest=null", "fission.tiers.generous=null", *text).fission.offered
    }


def test_shares_and_amounts_are_told_apart_by_how_they_are_written():
    found = tiers(["+fission.tiers.own={2: 50, 1: 20}", '+fission.tiers.parts={1: "30 %", 2: 0.4}'])
    assert list(found) == ["none", "own", "parts"]
    assert [(friends, reward.amount) for friends, reward in found["own"].items()] == [(1, 20), (2, 50)]
    assert [reward.share for reward in found["parts"].values()] == [0.3, 0.4]


WRONG = [
    ("{1: 130%}", "fission.tiers.own.1"),
    ("{1: much}", "fission.tiers.own.1"),
    ("{1: -5}", "fission.tiers.own.1"),
    ("{0: 5}", "fission.tiers.own.0"),
    ("{1: 50, 2: 20}", "tiers.own.2"),
    ("{1: 50, 2: 30%}", "tiers.own"),
]


@pytest.mark.parametrize(("wrong", "key"), slow_but(WRONG, WRONG[0], WRONG[-1]))
def test_what_no_reward_can_be_is_refused_with_its_key(wrong, key):
    with pytest.raises(ConfigError, match=key.replace(".", r"\.")):
        tiers([f"+fission.tiers.own={wrong}"])


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(ConfigError) as error:
        tiers(["fission.response.low=3", "fission.response.high=1", "fission.fatigue=0", "fission.margin=7"])
    said = str(error.value)
    assert all(key in said for key in ("response", "fatigue", "margin"))
