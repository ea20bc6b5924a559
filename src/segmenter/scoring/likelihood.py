"""Maximum likelihood for models with a few positive parameters."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segmenter.errors import InputError
from segmenter.messages import Message

Floats = NDArray[np.float64]
Objective = Callable[[Floats], tuple[float, Floats]]

OTHERWISE = Message("scoring.otherwise", "choose another ranking, such as scoring=decayed")
_STEP = 1e-4  # of the log-parameters: where central differences of the gradient are most exact
SLACK = 1e-3  # log likelihood that may be missing at the end
_VAGUE = 10  # standard errors in parameters, from which on a parameter says nothing


@dataclass(frozen=True)
class Maximum:
    """Where a likelihood is highest: parameters and their standard errors, in the order in which the search was given them."""

    parameters: dict[str, float]
    standard_errors: dict[str, float]
    log_likelihood: float


class NoMaximumError(InputError):
    """A search ended without most likely parameters: why, and where it ended."""

    def __init__(self, problem: str, parameters: Mapping[str, float] | None = None, log_likelihood: float = -np.inf) -> None:
        super().__init__(problem)
        self.parameters = dict(parameters or {})
        self.log_likelihood = log_likelihood


def maximise(
    objective: Objective, start: Mapping[str, float], bounds: Mapping[str, tuple[float, float]], weight: int, model: str
) -> Maximum:
    """Find the parameters that are the most likely, by L-BFGS-B on their logarithms.

    Standard errors are those of the parameters: from the inverse of the Hessian in the log-parameters (central differences of the
    gradient), by the delta method. NoMaximumError where the search did not converge, ended at a bound or where there is no maximum, or
    the likelihood says nothing about a parameter.

    `objective` takes the log-parameters, in the order of `start`, and gives minus the log likelihood divided by `weight` (usually the
    number of customers), and its gradient; a parameter that ends at one of its bounds has no most likely value.
    """
    from scipy.optimize import minimize

    names = list(start)
    limits = np.log([bounds[name] for name in names])
    options = {"maxiter": 1_000, "maxfun": 2_000, "ftol": 1e-13, "gtol": 1e-7, "maxcor": 20}
    search = minimize(objective, np.log(list(start.values())), jac=True, method="L-BFGS-B", bounds=limits.tolist(), options=options)
    end: Floats = search.x

    def none(why: str) -> NoMaximumError:
        parameters = dict(zip(names, np.exp(end).tolist(), strict=True))
        problem = Message("scoring.no_maximum", "{model}: {why}; {otherwise}", model=model, why=why, otherwise=OTHERWISE)
        return NoMaximumError(problem, parameters, -float(search.fun) * weight)

    at_bound = [
        Message("scoring.to_bound", "{name} runs to {bound}", name=name, bound="infinity" if side else "0")
        for name, row in zip(names, np.abs(limits - end[:, None]) < 1e-3, strict=True)
        for side in np.flatnonzero(row)
    ]
    if at_bound:
        sentence = "should have most likely parameters, and these orders have none (got: {parameters})"
        raise none(Message("scoring.at_bound", sentence, parameters=at_bound))
    gradient = objective(end)[1]
    hessian = np.array([(objective(end + step)[1] - objective(end - step)[1]) / (2 * _STEP) for step in _STEP * np.eye(len(end))])
    hessian = (hessian + hessian.T) / 2
    if not (np.isfinite(hessian).all() and np.linalg.eigvalsh(hessian)[0] > 0):
        raise none(Message("scoring.saddle", "the fit ended where the likelihood has no maximum"))
    inverse = np.linalg.inv(hessian)
    # What a Newton step would still gain. L-BFGS-B's own verdict knows only when it stopped.
    missing = weight * float(gradient @ inverse @ gradient) / 2
    if not missing < SLACK:
        sentence = "the fit did not converge ({end}; log likelihood still missing: {missing:.2g})"
        raise none(Message("scoring.not_converged", sentence, end=search.message, missing=missing))
    relative = np.sqrt(np.diag(inverse) / weight)
    if vague := [name for name, error in zip(names, relative, strict=True) if not error < _VAGUE]:
        sentence = "these orders do not tell {parameters} (standard error more than {times} times it)"
        raise none(Message("scoring.vague", sentence, parameters=vague, times=_VAGUE))
    end = end - inverse @ gradient  # that step: the figures no longer depend on the way there
    parameters = np.exp(end)
    return Maximum(
        dict(zip(names, parameters.tolist(), strict=True)),
        dict(zip(names, (parameters * relative).tolist(), strict=True)),
        -objective(end)[0] * weight,
    )
