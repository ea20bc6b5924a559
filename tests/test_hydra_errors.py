import pytest
from omegaconf import OmegaConf

from segmenter.errors import ConfigError
from segmenter.hydra_errors import check_interpolations, in_our_words


def test_an_interpolation_to_nowhere_is_named_by_its_key():
    with pytest.raises(ConfigError, match=r"^launch\.name: "):
        check_interpolations(OmegaConf.create({"launch": {"name": "${nowhere.at_all}"}}))
    check_interpolations(OmegaConf.create({"a": 1, "b": "${a}"}), "no config")


def test_a_circle_and_too_deep_a_config_are_told_apart():
    with pytest.raises(ConfigError, match="interpolation"):
        check_interpolations(OmegaConf.create({"a": "${b}", "b": "${a}"}))
    assert str(in_our_words(RecursionError())).startswith("config: is nested too deep")


def test_what_the_system_refuses_stays_as_it_is():
    error = PermissionError(13, "no")
    assert in_our_words(error) is error
