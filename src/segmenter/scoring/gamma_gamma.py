"""How much customers spend at a time: the Gamma-Gamma model.

Each purchase of a customer is gamma distributed with shape p and a rate of the customer's own, which is gamma distributed over customers
with shape q and rate γ, below v as in RFM and CLV. How often someone buys says nothing about how much: that is checked.

Sources: Hardie and Fader (2013), The Gamma-Gamma Model of Monetary Value, note 025 (below: note); Fader, Hardie and Lee (2005), RFM and
CLV: Using Iso-Value Curves for Customer Base Analysis, Journal of Marketing Research 42 (4).
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from segmenter.errors import InputError
from segmenter.messages import Message
from segmenter.scoring.likelihood import Floats, Maximum, NoMaximumError, Objective, maximise, maximise_posterior

MAX_CORRELATION = 0.3  # of frequency and mean spend, either way
_BOUNDS = {"p": (1e-3, 1e4), "q": (1e-3, 1e4), "v": (1e-5, 1e6)}  # money in units of the geometric mean
_PRIOR = {"p": 2.0, "q": 3.0, "v": 1.0}  # the mean is 1
_LEAST_Q = 1.5  # nearer to 1 the mean of all, p v / (q - 1), is that of a few who are not there: on the demo shop half too much


@dataclass(frozen=True)
class GammaGamma:
    """A fitted Gamma-Gamma model."""

    p: float
    q: float
    v: float  # γ, in the unit of money that the model was fitted in
    standard_errors: dict[str, float]  # of the three, by name; empty with a weak prior
    log_likelihood: float  # of all customers, in that unit of money
    # Pearson's, of x and mean. The model takes it to be 0: E[mean | x] is the same for every x, which holds for no rank or logarithm.
    correlation: float
    doubt: Message | None = None  # why a weak prior had to help, where it had

    @property
    def parameters(self) -> dict[str, float]:
        """The three."""
        return {"p": self.p, "q": self.q, "v": self.v}

    @property
    def independent(self) -> bool:
        """Whether frequency and mean spend are independent enough for the product of their expectations."""
        return abs(self.correlation) <= MAX_CORRELATION

    @property
    def population_mean(self) -> float:
        """Mean of a purchase over all customers, p v / (q - 1)."""
        return self.p * self.v / (self.q - 1)

    def expected_mean(self, x: ArrayLike, mean: ArrayLike) -> Floats:
        """Compute the mean that a customer's purchases tend to, p (v + x mean) / (p x + q - 1): note and RFM and CLV.

        It lies between the customer's own mean and that of all, the nearer to the own the larger x is.

        A mean of 0 is allowed here, though not in a fit: customers whose purchases came to nothing are expected to spend the less the
        more of these there were. Where x is 0 the mean does not count.
        """
        counts, means = (np.asarray(values, np.float64) for values in (x, mean))
        _check(counts, means, {"x: should be counts ≥ 0": counts >= 0, "mean: should be ≥ 0": (counts == 0) | (means >= 0)})
        own = counts / (counts + (self.q - 1) / self.p)
        return (1 - own) * self.population_mean + own * np.where(counts > 0, means, 0.0)


def fit_gamma_gamma(x: ArrayLike, mean: ArrayLike) -> GammaGamma:
    """Fit the model by maximum likelihood: note, equation 1a.

    Parameters
    ----------
    x : array-like of int of shape (n_customers,)
        Purchases, ≥ 1. For customers' value: those after the first one.
    mean : array-like of shape (n_customers,)
        Their mean, > 0, in any unit of money.

    Returns
    -------
    GammaGamma
        The same for any order of the customers, with q ≥ 1.5. Where no such parameters are the most likely ones, as where all amounts are
        equal, a weak prior decides, and ``doubt`` says why.

    Raises
    ------
    InputError
        Numbers that no customer can have, or nobody.

    Examples
    --------
    >>> model = fit_gamma_gamma([1, 2, 4, 9, 1, 3, 2, 8], [10.0, 22.5, 35.0, 12.0, 60.0, 18.0, 41.0, 33.0])
    >>> model.expected_mean([0, 1, 9], [0.0, 60.0, 12.0]).round(1).tolist()
    [28.4, 42.0, 14.1]
    """
    counts, means = (np.asarray(values, np.float64) for values in (x, mean))
    _check(counts, means, {"x: should be counts ≥ 1": counts >= 1, "mean: should be > 0": means > 0})
    if not len(counts):
        raise InputError(Message("scoring.no_spenders", "x, mean: should have customers who came back and spent (got none)"))
    order = np.lexsort((means, counts))
    counts, means = counts[order], means[order]
    logs = np.log(means)
    unit = float(np.exp(logs.mean()))
    if means.min() == means.max():  # exactly this, then, is the mean of all
        return replace(weak_gamma_gamma(float(means[0])), doubt=Message("scoring.equal_amounts", "everybody spends the same at a time"))
    optimum = _fit(_objective(counts, means / unit), len(counts))
    in_unit = {"v": unit}
    return GammaGamma(
        **{name: value * in_unit.get(name, 1.0) for name, value in optimum.parameters.items()},
        standard_errors={name: error * in_unit.get(name, 1.0) for name, error in optimum.standard_errors.items()},
        log_likelihood=optimum.log_likelihood - len(counts) * float(np.log(unit)),
        correlation=_correlation(counts, means),
        doubt=optimum.doubt,
    )


def weak_gamma_gamma(mean: float) -> GammaGamma:
    """Give the weak prior itself, with a mean of all: half of the way to it goes who bought once."""
    return GammaGamma(_PRIOR["p"], _PRIOR["q"], mean, {}, 0.0, 0.0)


def _fit(objective: Objective, customers: int) -> Maximum:
    """Find the parameters; money in units of the geometric mean."""
    try:
        optimum = maximise(objective, _PRIOR, _BOUNDS, customers)
        if optimum.parameters["q"] > _LEAST_Q:
            return optimum
        why = Message("scoring.no_mean", "a few spend out of all proportion, q = {q:.3g}", q=optimum.parameters["q"])
    except NoMaximumError as stopped:
        why = stopped.why
    return maximise_posterior(objective, _PRIOR, {**_BOUNDS, "q": (_LEAST_Q, _BOUNDS["q"][1])}, customers, why)


def _objective(x: Floats, mean: Floats) -> Objective:
    """Give minus the mean log likelihood and its gradient; x in ascending order.

    A customer's likelihood is Γ(p x + q) / (Γ(p x) Γ(q)) · v^q mean^(p x - 1) x^(p x) / (v + x mean)^(p x + q).
    """
    from scipy.special import gammaln, psi

    n, total, log_mean = len(x), x * mean, np.log(mean)
    counts, often = np.unique(x, return_counts=True)
    share = often / n
    log_total = float((x * np.log(total)).sum()) / n
    rest = float(log_mean.sum()) / n

    def objective(log: Floats) -> tuple[float, Floats]:
        p, q, v = np.exp(log).tolist()
        together = v + total
        logs, inverse = np.log(together), 1 / together
        times_logs, mean_logs = float((x * logs).sum()) / n, float(logs.sum()) / n
        shape = p * counts
        value = (share * (gammaln(shape + q) - gammaln(shape))).sum() - gammaln(q) + q * log[2] - rest
        value += p * log_total - p * times_logs - q * mean_logs
        both = psi(shape + q)
        by_p = (share * counts * (both - psi(shape))).sum() + log_total - times_logs
        by_q = (share * both).sum() - psi(q) + log[2] - mean_logs
        by_v = q / v - (p * float((x * inverse).sum()) + q * float(inverse.sum())) / n
        return -float(value), -np.array([by_p * p, by_q * q, by_v * v])

    return objective


def _correlation(x: Floats, mean: Floats) -> float:
    left, right = x - x.mean(), mean - mean.mean()
    spread = float(np.sqrt((left**2).sum() * (right**2).sum()))
    return float((left * right).sum()) / spread if spread > 0 else 0.0


def _check(x: Floats, mean: Floats, rules: dict[str, "np.typing.NDArray[np.bool_]"]) -> None:
    if x.ndim != 1 or x.shape != mean.shape:
        sentence = "x, mean: should be two columns of one length (got {x}, {mean})"
        raise InputError(Message("scoring.two_columns", sentence, x=str(x.shape), mean=str(mean.shape)))
    rules = {**rules, "x: should be whole": (x == np.floor(x)) & (x < np.inf), "mean: should be finite": (x == 0) | (np.abs(mean) < np.inf)}
    broken = [(rule, int(np.argmin(kept))) for rule, kept in rules.items() if not kept.all()]
    if broken:
        sentence = "{rule} (got x={x:g}, mean={mean:g})"
        raise InputError(*(Message("scoring.impossible_mean", sentence, rule=rule, x=x[row], mean=mean[row]) for rule, row in broken))
