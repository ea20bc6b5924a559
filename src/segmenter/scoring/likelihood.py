"""Maximum likelihood for models with a few positive parameters."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmenter.messages import Message

Floats = NDArray[np.float64]
Objective = Callable[[Floats], tuple[float, Floats]]

_STEP = 1e-4  # of the log-parameters: where central differences of the gradient are most exact
SLACK = 1e-3  # log likelihood that may be missing at the end
_VAGUE = 10  # standard errors in parameters, from which on a parameter says nothing
_PRIOR = 1.5  # standard deviation of a weak prior on a log-parameter: 20 times less or more is not out of the question


@dataclass(frozen=True)
class Maximum:
    """Where a likelihood is highest, or with a weak prior most plausible: parameters in the order in which the search was given them."""

    parameters: dict[str, float]
    standard_errors: dict[str, float]  # empty with a prior, whose they would be
    log_likelihood: float
    doubt: Message | None = None  # why the prior had to help


class NoMaximumError(Exception):
    """A search ended without most likely parameters: why, and where it ended."""

    def __init__(self, why: Message, parameters: Mapping[str, float] | None = None, log_likelihood: float = -np.inf) -> None:
        super().__init__(why)
        self.why = why
        self.parameters = dict(parameters or {})
        self.log_likelihood = log_likelihood


def maximise(objective: Objective, start: Mapping[str, float], bounds: Mapping[str, tuple[float, float]], weight: int) -> Maximum:
    """Find the parameters that are the most likely, by L-BFGS-B on their logarithms.

    Standard errors are those of the parameters: from the inverse of the Hessian in the log-parameters (central differences of the
    gradient), by the delta method. NoMaximumError where the search did not converge, ended at a bound or where there is no maximum, or
    the likelihood says nothing about a parameter.

    `objective` takes the log-parameters, in the order of `start`, and gives minus the log likelihood divided by `weight` (usually the
    number of customers), and its gradient; a parameter that ends at one of its bounds has no most likely value.
    """
    names, limits = list(start), np.log([bounds[name] for name in start])
    search = _search(objective, start, limits)
    end: Floats = search.x

    def none(why: Message) -> NoMaximumError:
        parameters = dict(zip(names, np.exp(end).tolist(), strict=True))
        return NoMaximumError(why, parameters, -float(search.fun) * weight)

    at_bound = [
        Message("scoring.to_bound", "{name} runs to {bound}", name=name, bound="infinity" if side else "0")
        for name, row in zip(names, np.abs(limits - end[:, None]) < 1e-3, strict=True)
        for side in np.flatnonzero(row)
    ]
    if at_bound:
        raise none(Message("scoring.at_bound", "no parameters are the most likely: {parameters}", parameters=at_bound))
    gradient = objective(end)[1]
    hessian = np.array([(objective(end + step)[1] - objective(end - step)[1]) / (2 * _STEP) for step in _STEP * np.eye(len(end))])
    hessian = (hessian + hessian.T) / 2
    if not (np.isfinite(hessian).all() and np.linalg.eigvalsh(hessian)[0] > 0):
        raise none(Message("scoring.saddle", "the fit ended where the likelihood has no maximum"))
    inverse = np.linalg.inv(hessian)
    # What a Newton step would still gain. L-BFGS-B's own verdict knows only when it stopped.
    missing = weight * float(gradient @ inverse @ gradient) / 2
    if not missing < SLACK:
        sentence = "the fit did not converge, log likelihood still missing: {missing:.2g}"
        raise none(Message("scoring.not_converged", sentence, missing=missing))
    relative = np.sqrt(np.diag(inverse) / weight)
    if vague := [name for name, error in zip(names, relative, strict=True) if not error < _VAGUE]:
        sentence = "{parameters} could be anything, standard error more than {times} times it"
        raise none(Message("scoring.vague", sentence, parameters=vague, times=_VAGUE))
    end = end - inverse @ gradient  # that step: the figures no longer depend on the way there
    parameters = np.exp(end)
    return Maximum(
        dict(zip(names, parameters.tolist(), strict=True)),
        dict(zip(names, (parameters * relative).tolist(), strict=True)),
        -objective(end)[0] * weight,
    )


def maximise_posterior(
    objective: Objective, centre: Mapping[str, float], bounds: Mapping[str, tuple[float, float]], weight: int, doubt: Message
) -> Maximum:
    """Find the parameters that are the most plausible where orders alone do not tell them, as `doubt` says.

    To the likelihood comes a normal prior on the log-parameters, weak enough to give way to what a few dozen customers tell. There always
    are such parameters: what customers say nothing about stays at the centre, and what runs away ends at a bound at the latest.
    """
    middle = np.log(list(centre.values()))

    def posterior(log: Floats) -> tuple[float, Floats]:
        value, gradient = objective(log)
        off = (log - middle) / _PRIOR
        return value + float(off @ off) / 2 / weight, gradient + off / _PRIOR / weight

    end: Floats = _search(posterior, centre, np.log([bounds[name] for name in centre])).x
    return Maximum(dict(zip(centre, np.exp(end).tolist(), strict=True)), {}, -objective(end)[0] * weight, doubt)


def _search(objective: Objective, start: Mapping[str, float], limits: Floats) -> Any:
    from scipy.optimize import minimize

    options = {"maxiter": 1_000, "maxfun": 2_000, "ftol": 1e-13, "gtol": 1e-7, "maxcor": 20}
    return minimize(objective, np.log(list(start.values())), jac=True, method="L-BFGS-B", bounds=limits.tolist(), options=options)
