"""How often customers will buy, and whether they still do: BG/NBD and MBG/NBD.

While alive, a customer buys at random at a rate λ, gamma distributed over customers with shape r and rate α. After each purchase, in
MBG/NBD after the first one too, the customer is gone for good with a probability p, beta distributed over customers with a and b. Where
orders are the likelier the smaller p is, nobody is seen to go: what is left of both models is the NBD, with p = 0.

Sources: Fader, Hardie and Lee (2005), "Counting Your Customers" the Easy Way: An Alternative to the Pareto/NBD Model, Marketing Science
24 (2), below FHL; Batislam, Denizel and Filiztekin (2007), Empirical Validation and Comparison of Models for Customer Base Analysis,
International Journal of Research in Marketing 24 (3), below BDF. The symbols are theirs.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmenter.errors import InputError
from segmenter.messages import Message
from segmenter.scoring.likelihood import SLACK, Floats, Maximum, NoMaximumError, Objective, maximise, maximise_posterior
from segmenter.scoring.negative_binomial import BOUNDS, fit_nbd

Kind = Literal["bg_nbd", "mbg_nbd"]
Integers = NDArray[np.int64]

_BOUNDS = {**BOUNDS, "a": (1e-3, 1e3), "b": (1e-3, 1e3)}
_RARE = 0.01  # mean p, below which a search that ends without a maximum may have been on its way to 0
_POLE = 1e-5  # nearer to a pole of its parts the expectation loses digits
_BLOCK = 16_384  # rows whose intermediate results stay in the processor's cache
_KEYS = 1 << 62  # more combinations than a key can tell apart are not grouped


@dataclass(frozen=True)
class BetaGeometric:
    """A fitted BG/NBD or MBG/NBD, or the NBD that they come down to where nobody is seen to go."""

    kind: Kind | Literal["nbd"]
    r: float
    alpha: float  # in the unit of time that the model was fitted in
    a: float  # of the NBD 0
    b: float  # of the NBD infinite
    standard_errors: dict[str, float]  # of the parameters that were fitted, by name; empty with a weak prior
    log_likelihood: float  # of all customers, in that unit of time
    doubt: Message | None = None  # why a weak prior had to help, where it had

    @property
    def never_gone(self) -> bool:
        """Whether nobody is seen to go: what is left is the NBD."""
        return self.kind == "nbd"

    @property
    def parameters(self) -> dict[str, float]:
        """Those that were fitted."""
        return {"r": self.r, "alpha": self.alpha} | ({} if self.never_gone else {"a": self.a, "b": self.b})

    @property
    def early(self) -> int:
        """1 where customers may go after their first purchase, else 0."""
        return int(self.kind == "mbg_nbd")

    def expected(self, x: ArrayLike, t_x: ArrayLike, T: ArrayLike, horizon: float) -> Floats:  # noqa: N803 - the papers' name
        """Compute the purchases to expect after T: FHL, equation 10; BDF for MBG/NBD; (r + x) / (α + T) · horizon for NBD.

        `horizon` is the time after T, ≥ 0. InputError for numbers that no customer can have.
        """
        repeats, last, known = _checked(x, t_x, T)
        if not (np.isfinite(horizon) and horizon >= 0):
            raise InputError(Message("scoring.horizon", "horizon: should be a time ≥ 0 (got {horizon})", horizon=horizon))
        # While alive it does not matter when the last purchase was: few customers differ, and the function is slow.
        ages, age = np.unique(known, return_inverse=True)
        counts, count = _distinct(repeats)
        pairs, pair = _distinct(count * len(ages) + age)
        alone = _while_alive(self, counts[pairs // len(ages)].astype(np.float64), ages[pairs % len(ages)], float(horizon))
        return alone[pair] * _alive(self, repeats, last, known)

    def alive(self, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> Floats:  # noqa: N803
        """Compute the probability that a customer has not gone by T: 1 of who has not come back in BG/NBD, of everybody in NBD."""
        return _alive(self, *_checked(x, t_x, T))


def fit_beta_geometric(x: ArrayLike, t_x: ArrayLike, T: ArrayLike, *, kind: Kind) -> BetaGeometric:  # noqa: N803
    """Fit the model by maximum likelihood: FHL, equation 6; BDF for MBG/NBD.

    Parameters
    ----------
    x : array-like of int of shape (n_customers,)
        Purchases after the first, ≥ 0.
    t_x : array-like of shape (n_customers,)
        Time from the first purchase to the last, 0 ≤ t_x ≤ T; 0 exactly where x is 0.
    T : array-like of shape (n_customers,)
        Time from the first purchase to the end of what is known; in days, weeks, or any other unit.
    kind : {"bg_nbd", "mbg_nbd"}
        Can a customer go after the first purchase, before any other? Not in BG/NBD.

    Returns
    -------
    BetaGeometric
        The same for any order of the customers. Its kind is ``nbd`` where the likelihood is highest in the limit of nobody going. Where
        no parameters are the most likely ones, as where nobody came back, a weak prior decides, and ``doubt`` says why.

    Raises
    ------
    InputError
        Numbers that no customer can have, or no customers.

    Examples
    --------
    >>> customers = [0] * 7 + [1, 1, 1, 2, 5], [0] * 7 + [3, 9, 25, 13, 33], [11, 23, 35, 38, 38, 30, 26, 28, 38, 37, 39, 36]
    >>> model = fit_beta_geometric(*customers, kind="mbg_nbd")
    >>> model.expected([0, 5], [0, 33], [38, 36], horizon=39).round(1).tolist()
    [0.1, 2.4]
    """
    repeats, last, known = _checked(x, t_x, T)
    if not len(repeats):
        sentence = "scoring=clv: should have customers with a purchase (got none); choose another ranking, such as scoring=spend"
        raise InputError(Message("scoring.no_customers", sentence))
    unit = float(known.max()) or 1.0
    total = float(np.sort(known).sum()) or 1.0  # in order: sums of weeks are not exact
    start = {"r": 1.0, "alpha": total / unit / max(int(repeats.sum()), 1), "a": 1.0, "b": 3.0}
    objective = _objective(repeats, last / unit, known / unit, int(kind == "mbg_nbd"))
    fitted: Kind | Literal["nbd"] = kind
    try:
        if not repeats.any():
            raise NoMaximumError(Message("scoring.no_repeats", "none of {count:,} came back", count=len(repeats)), start)
        optimum = maximise(objective, start, _BOUNDS, len(repeats))
    except NoMaximumError as stopped:
        if (limit := _nobody_goes(repeats, known / unit, stopped)) is not None:
            optimum, fitted = limit, "nbd"
        else:
            optimum = maximise_posterior(objective, start, _BOUNDS, len(repeats), stopped.why)
    parameters, in_unit = {"a": 0.0, "b": np.inf, **optimum.parameters}, {"alpha": unit}
    return BetaGeometric(
        fitted,
        **{name: value * in_unit.get(name, 1.0) for name, value in parameters.items()},
        standard_errors={name: error * in_unit.get(name, 1.0) for name, error in optimum.standard_errors.items()},
        log_likelihood=optimum.log_likelihood - float(repeats.sum() * np.log(unit)),
        doubt=optimum.doubt,
    )


def _nobody_goes(x: Integers, T: Floats, stopped: NoMaximumError) -> Maximum | None:  # noqa: N803
    """Give the limit p = 0 where the search was on its way there, and that limit is the maximum."""
    a, b = stopped.parameters["a"], stopped.parameters["b"]
    if a / (a + b) > _RARE:
        return None
    try:
        optimum = fit_nbd(x, T)
    except NoMaximumError:
        return None
    return None if optimum.log_likelihood < stopped.log_likelihood - SLACK else optimum


def _objective(x: Integers, t_x: Floats, T: Floats, early: int) -> Objective:  # noqa: N803
    """Give minus the mean log likelihood and its gradient; early 1: customers may go after their first purchase.

    With k = x + early, chances to go so far, a customer's likelihood is
    Γ(r+x) α^r / Γ(r) · Γ(a+b) Γ(b+k) / (Γ(b) Γ(a+b+k)) · ((α+T)^-(r+x) + [k > 0] a / (b+k-1) (α+t_x)^-(r+x)).
    """
    from scipy.special import gammaln, psi

    (counts, ends, lasts), (count, end, last), weights = _grouped(x, T, t_x)
    weights /= len(x)
    times, chances = counts.astype(np.float64), counts + float(early)
    of_count, of_end = np.bincount(count, weights), np.bincount(end, weights)
    bought = np.bincount(end, weights * times[count])
    rows = np.flatnonzero(chances[count] > 0)
    blocks = np.split(rows, range(_BLOCK, len(rows), _BLOCK))
    parts = [(count[block], end[block], last[block], weights[block], times[count[block]]) for block in blocks]
    before = np.maximum(chances - 1, 0)

    def objective(log: Floats) -> tuple[float, Floats]:
        r, alpha, a, b = np.exp(log).tolist()
        log_end, log_last, per_end, per_last = np.log(alpha + ends), np.log(alpha + lasts), 1 / (alpha + ends), 1 / (alpha + lasts)
        tail = log[2] - np.log(b + before)
        gone = np.zeros(len(counts))  # weights times the probability of having gone, by count
        value = by_r = by_alpha = 0.0
        for number, to, since, weight, time in parts:
            silent, shape = log_end[to] - log_last[since], r + time
            odds = shape * silent + tail[number]
            small = np.exp(-np.abs(odds))
            larger = 1 / (1 + small)
            value += float((weight * (np.maximum(odds, 0) - np.log(larger))).sum())
            weighted = weight * np.where(odds > 0, larger, small * larger)
            by_r += float((weighted * silent).sum())
            by_alpha += float((weighted * shape * (per_end[to] - per_last[since])).sum())
            gone += np.bincount(number, weighted, len(counts))
        total, ended = of_count.sum(), (of_end * log_end).sum()
        value += (of_count * (gammaln(r + times) + gammaln(b + chances) - gammaln(a + b + chances))).sum()
        value += total * (gammaln(a + b) - gammaln(b) - gammaln(r) + r * log[1]) - r * ended - (bought * log_end).sum()
        by_r += (of_count * psi(r + times)).sum() + total * (log[1] - psi(r)) - ended
        by_alpha += total * r / alpha - ((r * of_end + bought) * per_end).sum()
        both = (of_count * (psi(a + b) - psi(a + b + chances))).sum()
        by_a = both + gone.sum() / a
        by_b = both + (of_count * psi(b + chances)).sum() - total * psi(b) - (gone / (b + before)).sum()
        return -float(value), -np.array([by_r * r, by_alpha * alpha, by_a * a, by_b * b])

    return objective


def _grouped(x: Integers, T: Floats, t_x: Floats) -> tuple[tuple[Integers, Floats, Floats], list[Integers], Floats]:  # noqa: N803
    """Find the distinct values of each column, and the distinct rows, in order: as numbers of those values, and how often."""
    (counts, count), (ends, end), (lasts, last) = _distinct(x), np.unique(T, return_inverse=True), np.unique(t_x, return_inverse=True)
    values, numbers, sizes = (counts, ends, lasts), (count, end, last), (len(counts), len(ends), len(lasts))
    if float(sizes[0]) * sizes[1] * sizes[2] > _KEYS:
        order = np.lexsort(numbers)
        return values, [number[order] for number in numbers], np.ones(len(order))
    keys, often = np.unique(np.ravel_multi_index(numbers, sizes), return_counts=True)
    return values, list(np.unravel_index(keys, sizes)), often.astype(np.float64)


def _distinct(keys: Integers) -> tuple[Integers, Integers]:
    """Give what `numpy.unique` gives, with its inverse; keys ≥ 0 are counted instead of sorted where they are small."""
    size = int(keys.max(initial=0)) + 1
    if size > 4 * len(keys):
        return np.unique(keys, return_inverse=True)
    present = np.zeros(size, np.bool_)
    present[keys] = True
    return np.flatnonzero(present), (np.cumsum(present) - 1)[keys]


def _alive(model: BetaGeometric, x: Integers, t_x: Floats, T: Floats) -> Floats:  # noqa: N803
    from scipy.special import expit

    if model.never_gone:
        return np.ones(len(x))
    chances = x + model.early
    odds = np.log(model.alpha + T)
    odds -= np.log(model.alpha + t_x)
    odds *= model.r + x
    odds += np.log(model.a)
    odds -= np.log(model.b + np.maximum(chances - 1, 0))
    alive: Floats = expit(-odds)
    alive[chances == 0] = 1.0
    return alive


def _while_alive(model: BetaGeometric, x: Floats, T: Floats, horizon: float) -> Floats:  # noqa: N803
    """Expect purchases of customers who are alive: E[(1 - (1 + p y)^-(r+x)) / p], p beta distributed, y = horizon / (α + T)."""
    from scipy.special import betaincinv, expit, hyp2f1

    if model.never_gone:
        return (model.r + x) / (model.alpha + T) * horizon
    late = model.b + x + model.early  # p has the parameters a and this
    shape, ahead = model.r + x, horizon / (model.alpha + T)
    z = horizon / (model.alpha + T + horizon)

    def closed(a: float) -> Floats:
        # Not the papers' 2F1(r+x, b+x; a+b+x-1; z), which overflows, but Euler's transformation of it.
        power, scale = (a - 1) * np.log1p(-z), a + late - 1
        rest = hyp2f1(scale - shape, a - 1, scale, z) - 1
        return scale / (a - 1) * (-np.expm1(power) - np.exp(power) * rest)  # type: ignore[no-any-return]  # SciPy is untyped

    with np.errstate(over="ignore", invalid="ignore"):
        if min(abs(model.a - 1), abs(model.a + model.b - 1)) > _POLE:
            expected = closed(model.a)
        else:  # a = 1 and a + b = 1 divide nothing by nothing; both sides of them agree
            expected = (closed(model.a - 3 * _POLE) + closed(model.a + 3 * _POLE)) / 2
    if not (lost := np.isfinite(expected)).all():
        # A large a and a horizon much longer than T: 0 times infinity; or whole parameters, for which SciPy gives up. Quantiles of p do,
        # the denser the nearer to 0 and 1, where they are steep (tanh-sinh).
        steps, width = np.linspace(-3.5, 3.5, 64, retstep=True)
        levels = expit(np.pi * np.sinh(steps))
        weights = width * np.pi * np.cosh(steps) * levels * (1 - levels)
        p = np.maximum(betaincinv(model.a, late[~lost, None], levels), np.finfo(np.float64).tiny)
        expected[~lost] = -np.expm1(-shape[~lost, None] * np.log1p(p * ahead[~lost, None])) / p @ weights
    return np.clip(expected, 0, shape * ahead)


def _checked(x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> tuple[Integers, Floats, Floats]:  # noqa: N803
    counts, last, known = (np.asarray(values) for values in (x, t_x, T))
    if counts.ndim != 1 or not counts.shape == last.shape == known.shape:
        sentence = "x, t_x, T: should be three columns of one length (got {x}, {t_x}, {T})"
        raise InputError(Message("scoring.three_columns", sentence, x=str(counts.shape), t_x=str(last.shape), T=str(known.shape)))
    last, known = last.astype(np.float64) + 0.0, known.astype(np.float64) + 0.0  # no -0
    whole = counts.dtype.kind in "iu"
    rules = {
        "x: should be whole numbers ≥ 0": (counts >= 0) if whole else (counts >= 0) & (counts < 2**53) & (counts == np.floor(counts)),
        "T: should be times ≥ 0": (known >= 0) & (known < np.inf),
        "t_x: should be times from 0 to T": (last >= 0) & (last <= known),
        "t_x: should be above 0 where x is, and 0 where x is 0": (last > 0) == (counts > 0),
    }
    broken = [(rule, int(np.argmin(kept))) for rule, kept in rules.items() if not kept.all()]
    if broken:
        sentence = "{rule} (got x={x}, t_x={t_x:g}, T={T:g})"
        raise InputError(
            *(Message("scoring.impossible", sentence, rule=rule, x=counts[row], t_x=last[row], T=known[row]) for rule, row in broken)
        )
    return counts.astype(np.int64, copy=False), last, known
