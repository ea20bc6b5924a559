import numpy as np
import pytest

from segmenter.messages import Message
from segmenter.scoring.likelihood import NoMaximumError, maximise, maximise_posterior


def poisson(log):
    """Ten customers with 20 purchases in all."""
    return np.exp(log[0]) - 2 * log[0], np.exp(log) - 2


def test_a_rate_and_its_standard_error():
    found = maximise(poisson, {"rate": 1.0}, {"rate": (1e-3, 1e3)}, 10)
    assert found.parameters["rate"] == pytest.approx(2)
    assert found.standard_errors["rate"] == pytest.approx(np.sqrt(2 / 10), rel=1e-4)
    assert found.log_likelihood == pytest.approx(-10 * (2 - 2 * np.log(2)))


@pytest.mark.parametrize("objective", [lambda log: (log[0], np.ones(1)), lambda log: (0.0, np.zeros(1))])
def test_none_where_there_is_no_maximum(objective):
    with pytest.raises(NoMaximumError):
        maximise(objective, {"rate": 1.0}, {"rate": (1e-3, 1e3)}, 10)


def test_none_where_the_data_say_nothing():
    with pytest.raises(NoMaximumError) as error:
        maximise(poisson, {"rate": 1.0}, {"rate": (1e-3, 1e3)}, 10**-3)
    assert error.value.why.code == "scoring.vague"
    assert error.value.parameters["rate"] == pytest.approx(2, rel=1e-3)


def test_a_weak_prior_gives_way_to_many_and_decides_where_nobody_tells_anything():
    doubt, bounds = Message("test.why", "nobody tells"), {"rate": (1e-3, 1e3)}
    found = [maximise_posterior(poisson, {"rate": 10.0}, bounds, customers, doubt) for customers in (10_000, 10, 10**-6)]
    rates = [maximum.parameters["rate"] for maximum in found]
    assert rates == sorted(rates)
    assert (rates[0], rates[-1]) == pytest.approx((2, 10), rel=1e-3)
    assert found[0].doubt is doubt
    assert found[0].standard_errors == {}
    assert maximise_posterior(lambda log: (-100 * log[0], -np.full(1, 100.0)), {"rate": 1.0}, bounds, 10, doubt).parameters["rate"] <= 1e3
