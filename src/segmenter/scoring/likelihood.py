"""Maximum likelihood for models with a few positive parameters."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segmenter.errors import InputError

Floats = NDArray[np.float64]
Objective = Callable[[Floats], tuple[float, Floats]]

OTHERWISE = "choose another ranking, such as scoring=decayed"
_STEP = 1e-4  # of the log-parameters: where central differences of the gradient are most exact
SLACK = 1e-3  # log likelihood that may be missing at the end
_VAGUE = 10  # standard errors in parameters, from which on a parameter says nothing


@dataclass(frozen=True)
class Maximum:
    """Where a likelihood is highest.

    Parameters
    ----------
    parameters, standard_errors : dict of str to float
        In the order in which the search was given them.
    log_likelihood : float
        There.
    """

    parameters: dict[str, float]
    standard_errors: dict[str, float]
    log_likelihood: float


class NoMaximumError(InputError):
    """A search ended without most likely parameters.

    Parameters
    ----------
    problem : str
        Why, and the way out.
    parameters : dict of str to float
        Where it ended.
    log_likelihood : float
        There.
    """

    def __init__(self, problem: str, parameters: Mapping[str, float] | None = None, log_likelihood: float = -np.inf) -> None:
        super().__init__(problem)
        self.parameters = dict(parameters or {})
        self.log_likelihood = log_likelihood


def maximise(
    objective: Objective, start: Mapping[str, float], bounds: Mapping[str, tuple[float, float]], weight: int, model: str
) -> Maximum:
    """Find the parameters that are the most likely, by L-BFGS-B on their logarithms.

    Parameters
    ----------
    objective : callable
        Takes the log-parameters, in the order of `start`; gives minus the log likelihood divided by `weight`, and its gradient.
    start : mapping of str to float
        Where to begin: parameters, > 0.
    bounds : mapping of str to (float, float)
        A parameter that ends at one of its bounds has no most likely value.
    weight : int
        What the objective is divided by: usually the number of customers.
    model : str
        Its name, for errors.

    Returns
    -------
    Maximum
        The standard errors are those of the parameters: from the inverse of the Hessian in the log-parameters (central differences
        of the gradient), by the delta method.

    Raises
    ------
    NoMaximumError
        The search did not converge, ended at a bound or where there is no maximum, or the likelihood says nothing about a parameter.

    Examples
    --------
    Ten customers with 20 purchases in all: a Poisson rate of 2, give or take √(2 / 10).

    >>> found = maximise(lambda log: (np.exp(log[0]) - 2 * log[0], np.exp(log) - 2), {"rate": 1.0}, {"rate": (1e-3, 1e3)}, 10, "Poisson")
    >>> round(found.parameters["rate"], 4), round(found.standard_errors["rate"], 4)
    (2.0, 0.4472)
    """
    from scipy.optimize import minimize

    names = list(start)
    limits = np.log([bounds[name] for name in names])
    options = {"maxiter": 1_000, "maxfun": 2_000, "ftol": 1e-13, "gtol": 1e-7, "maxcor": 20}
    found = minimize(objective, np.log(list(start.values())), jac=True, method="L-BFGS-B", bounds=limits.tolist(), options=options)
    end: Floats = found.x

    def none(why: str) -> NoMaximumError:
        parameters = dict(zip(names, np.exp(end).tolist(), strict=True))
        return NoMaximumError(f"{model}: {why}; {OTHERWISE}", parameters, -float(found.fun) * weight)

    at_bound = [
        f"{name} runs to {'infinity' if side else '0'}"
        for name, row in zip(names, np.abs(limits - end[:, None]) < 1e-3, strict=True)
        for side in np.flatnonzero(row)
    ]
    if at_bound:
        raise none(f"should have most likely parameters, and these orders have none (got: {', '.join(at_bound)})")
    gradient = objective(end)[1]
    hessian = np.array([(objective(end + step)[1] - objective(end - step)[1]) / (2 * _STEP) for step in _STEP * np.eye(len(end))])
    hessian = (hessian + hessian.T) / 2
    if not (np.isfinite(hessian).all() and np.linalg.eigvalsh(hessian)[0] > 0):
        raise none("the fit ended where the likelihood has no maximum")
    inverse = np.linalg.inv(hessian)
    # What a Newton step would still gain. L-BFGS-B's own verdict knows only when it stopped.
    missing = weight * float(gradient @ inverse @ gradient) / 2
    if not missing < SLACK:
        raise none(f"the fit did not converge ({found.message}; log likelihood still missing: {missing:.2g})")
    relative = np.sqrt(np.diag(inverse) / weight)
    if vague := [name for name, error in zip(names, relative, strict=True) if not error < _VAGUE]:
        raise none(f"these orders do not tell {', '.join(vague)} (standard error more than {_VAGUE} times it)")
    end = end - inverse @ gradient  # that step: the figures no longer depend on the way there
    parameters = np.exp(end)
    return Maximum(
        dict(zip(names, parameters.tolist(), strict=True)),
        dict(zip(names, (parameters * relative).tolist(), strict=True)),
        -objective(end)[0] * weight,
    )
