import numpy as np
import pytest

from segmenter.scoring.likelihood import NoMaximumError, maximise


def poisson(log):
    """Ten customers with 20 purchases in all."""
    return np.exp(log[0]) - 2 * log[0], np.exp(log) - 2


def test_a_rate_and_its_standard_error():
    found = maximise(poisson, {"rate": 1.0}, {"rate": (1e-3, 1e3)}, 10, "Poisson")
    assert found.parameters["rate"] == pytest.approx(2)
    assert found.standard_errors["rate"] == pytest.approx(np.sqrt(2 / 10), rel=1e-4)
    assert found.log_likelihood == pytest.approx(-10 * (2 - 2 * np.log(2)))


@pytest.mark.parametrize("objective", [lambda log: (log[0], np.ones(1)), lambda log: (0.0, np.zeros(1))])
def test_none_where_there_is_no_maximum(objective):
    with pytest.raises(NoMaximumError, match=r"^Model: .*scoring=decayed$"):
        maximise(objective, {"rate": 1.0}, {"rate": (1e-3, 1e3)}, 10, "Model")


def test_none_where_the_data_say_nothing():
    with pytest.raises(NoMaximumError) as error:
        maximise(poisson, {"rate": 1.0}, {"rate": (1e-3, 1e3)}, 10**-3, "Poisson")
    assert error.value.messages[0].facts["why"].code == "scoring.vague"
    assert error.value.parameters["rate"] == pytest.approx(2, rel=1e-3)
