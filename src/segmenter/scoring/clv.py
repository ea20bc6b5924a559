"""What customers can be expected to spend: how often they will buy times how much at a time.

Source: Fader, Hardie and Lee (2005), RFM and CLV: Using Iso-Value Curves for Customer Base Analysis, Journal of Marketing Research 42 (4).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl

from segmenter.errors import InputError
from segmenter.measures.past import Past
from segmenter.measures.timeline import PURCHASES
from segmenter.messages import Message
from segmenter.scoring.beta_geometric import BetaGeometric, Integers, Kind, fit_beta_geometric
from segmenter.scoring.gamma_gamma import MAX_CORRELATION, GammaGamma, fit_gamma_gamma, weak_gamma_gamma
from segmenter.scoring.ranking import Evidence, Floats, Ranking
from segmenter.settings import ClvSettings


@dataclass(frozen=True)
class Clv:
    """Expected spend, learned on the customers of a shop."""

    purchases: BetaGeometric  # how often customers buy; its time is in units of `unit_days`
    spend: GammaGamma  # how much on a purchase day after the first, in minor units
    unit_days: int
    # customers with a purchase, repeat_buyers among them, and refunded: those of them left without net spend, on whom the model of spend
    # was not fitted
    counts: dict[str, int]
    first_only: bool  # nobody came back and spent: each customer's first day counts instead
    warnings: tuple[Message, ...]

    def expected_spend(self, purchases: pl.DataFrame, horizon_days: float) -> Floats:
        """Expect what customers will spend: E[purchases] × E[mean].

        Who never came back is expected to spend the mean of all at a time. Who came back and was refunded to nothing, or below, counts
        as having spent 0 each time: the mean of all shrunk towards 0 by (q - 1) / (p x + q - 1), as the model does with any other mean.

        The purchases are as in `fit_clv`, of these customers or others; minor units, ≥ 0, 0 for customers without a purchase.
        """
        buyers = _buyers(purchases)
        repeats = np.ones(buyers.height) if self.first_only else buyers["repeats"].to_numpy()
        often = self.purchases.expected(*_times(buyers, self.unit_days), horizon_days / self.unit_days)
        mean = self.spend.expected_mean(repeats, _mean(buyers, self.first_only))
        expected = np.zeros(purchases.height)
        expected[purchases["repeats"].is_not_null().to_numpy()] = often * mean
        return expected

    def report(self) -> dict[str, Any]:
        """Give what was learned as plain values: the kind (``nbd`` where nobody is seen to stop buying), counts, parameters and errors."""
        return {
            "kind": self.purchases.kind,
            "unit_days": self.unit_days,
            **self.counts,
            "purchases": _parameters(self.purchases),
            "spend": _parameters(self.spend),
            "population_mean": self.spend.population_mean,
            "correlation": self.spend.correlation,
        }


def _parameters(model: BetaGeometric | GammaGamma) -> dict[str, Any]:
    return {"parameters": model.parameters, "standard_errors": dict(model.standard_errors), "log_likelihood": model.log_likelihood}


@dataclass(frozen=True)
class ClvRanking(Ranking):
    """A ranking by the expected spend of a fitted model over a horizon."""

    model: Clv
    horizon_days: int

    @property
    def columns(self) -> Sequence[str]:
        """When a customer bought first and last, how often, and for how much."""
        return tuple(name for name in PURCHASES.names() if name != "customer_id")

    @property
    def expects_money(self) -> bool:
        """Yes."""
        return True

    def values(self, frame: pl.DataFrame) -> Floats:
        """Give each customer's expected spend in minor units."""
        return self.model.expected_spend(frame, self.horizon_days)

    def evidence(self, past: Past | None, *, horizon_days: int, seed: int) -> Evidence:
        """Give what the model estimated."""
        return Evidence(model=self.model.report(), warnings=self.model.warnings)


def fit(frame: pl.DataFrame, settings: ClvSettings, past: Past | None, *, horizon_days: int, seed: int) -> ClvRanking:
    """Learn how often customers buy and how much they spend, on all who bought."""
    unit: Literal[1, 7] = 7 if settings.time_unit == "weeks" else 1
    return ClvRanking(fit_clv(frame.filter(pl.col("repeats").is_not_null()), kind=settings.model, unit_days=unit), horizon_days)


def fit_clv(purchases: pl.DataFrame, *, kind: Kind, unit_days: Literal[1, 7]) -> Clv:
    """Learn how often a shop's customers buy, and how much at a time.

    Parameters
    ----------
    purchases : DataFrame
        One row per customer; all purchases of a day are one. Null ``repeats``: no purchase. Other columns do not count.

        - ``repeats``: purchase days after the first.
        - ``last_days``: days from the first purchase day to the last; 0 where ``repeats`` is 0.
        - ``known_days``: days from the first purchase day to the as-of date, ≥ ``last_days``.
        - ``first_spend``, ``repeat_spend``: net spend on the first purchase day and after it, in minor units; may be 0 or negative through
          refunds. The first counts only where nobody came back and spent.
    kind : {"bg_nbd", "mbg_nbd"}
        Can customers go after the first purchase, before any other? Not in BG/NBD.
    unit_days : {1, 7}
        Count time in days or weeks. Purchases stay those of a day; only the parameters' unit changes.

    Returns
    -------
    Clv
        The same for any order of the rows. Where few came back, or amounts are all equal, a weak prior decides what the orders leave
        open, and ``warnings`` say so. InputError for numbers that no customer can have, or without a customer.

    Examples
    --------
    >>> frame = pl.DataFrame({
    ...     "customer_id": list("abcdefghijk"),
    ...     "repeats": [0, 0, 0, 0, 0, 1, 1, 1, 2, 5, None],
    ...     "last_days": [0, 0, 0, 0, 0, 3, 9, 25, 13, 33, None],
    ...     "known_days": [11, 23, 38, 30, 26, 28, 38, 37, 39, 36, None],
    ...     "repeat_spend": [0, 0, 0, 0, 0, 3200, 7400, 0, 18400, 23500, None],
    ... })
    >>> model = fit_clv(pl.concat([frame] * 20), kind="mbg_nbd", unit_days=1)
    >>> model.expected_spend(frame, horizon_days=30)[4:].round().tolist()
    [1886.0, 2282.0, 2260.0, 3414.0, 3382.0, 10190.0, 0.0]
    """
    from threadpoolctl import threadpool_limits

    buyers = _buyers(purchases)
    with threadpool_limits(1, "blas"):  # a few parameters are no work for several threads, which on a busy machine wait for each other
        return _fit(buyers, kind, unit_days)


def _fit(buyers: pl.DataFrame, kind: Kind, unit_days: int) -> Clv:
    often = fit_beta_geometric(*_times(buyers, unit_days), kind=kind)
    repeaters = buyers.filter(pl.col("repeats") > 0)
    spenders = repeaters.filter(pl.col("repeat_spend") > 0)
    if first_only := spenders.is_empty():
        spend = weak_gamma_gamma(float(_mean(buyers, first_only).mean()))
    else:
        spend = fit_gamma_gamma(spenders["repeats"].to_numpy(), _mean(spenders))
    counts = {"customers": buyers.height, "repeat_buyers": repeaters.height, "refunded": repeaters.height - spenders.height}
    return Clv(often, spend, unit_days, counts, first_only, tuple(_warnings(often, spend, first_only)))


def _buyers(purchases: pl.DataFrame) -> pl.DataFrame:
    buyers = purchases.filter(pl.col("repeats").is_not_null()).with_columns(pl.col("repeat_spend").fill_null(0))
    if unknown := [name for name in ("last_days", "known_days") if buyers[name].null_count()]:
        sentence = "{name}: should be known of every customer with a purchase (got null)"
        raise InputError(*(Message("scoring.unknown_purchase", sentence, name=name) for name in unknown))
    return buyers


def _times(buyers: pl.DataFrame, unit_days: int) -> tuple[Integers, Floats, Floats]:
    last, known = (buyers[name].to_numpy() / unit_days for name in ("last_days", "known_days"))
    return buyers["repeats"].to_numpy(), last, known


def _mean(buyers: pl.DataFrame, first_only: bool = False) -> Floats:
    if first_only:
        first: Floats = np.maximum(buyers["first_spend"].to_numpy(), 0).astype(np.float64)
        return first
    mean: Floats = np.maximum(buyers["repeat_spend"].to_numpy(), 0) / np.maximum(buyers["repeats"].to_numpy(), 1)
    return mean


def _warnings(often: BetaGeometric, spend: GammaGamma, first_only: bool) -> list[Message]:
    warnings = []
    if often.doubt is not None:
        sentence = (
            "scoring=clv: these orders do not tell when customers buy again or stop ({why}); a weak prior fills in, so the expected spend "
            "is rough: compare with other rankings by a backtest"
        )
        warnings.append(Message("scoring.weak_times", sentence, why=often.doubt))
    if spend.doubt is not None:
        sentence = (
            "scoring=clv: these orders do not tell how much customers differ in what they spend at a time ({why}); a weak prior fills in: "
            "compare with other rankings by a backtest"
        )
        warnings.append(Message("scoring.weak_spend", sentence, why=spend.doubt))
    if first_only:
        sentence = "scoring=clv: nobody has come back and spent, so what the first orders came to stands for what later ones will"
        warnings.append(Message("scoring.first_orders", sentence))
    if often.never_gone:
        sentence = (
            "scoring=clv: nobody is seen to stop buying in these orders, so all customers count as staying for good: their expected spend "
            "does not depend on how long ago they last bought; compare with other rankings by a backtest"
        )
        warnings.append(Message("scoring.nobody_stops", sentence))
    if not spend.independent:
        sentence = (
            "scoring=clv: how often customers buy and how much they spend at a time should be independent (correlation {correlation:.2f}, "
            "at most ±{max} is fine); the expected spend of frequent buyers is off, so compare with other rankings by a backtest, or "
            "choose another ranking, such as scoring=decayed"
        )
        facts = {"correlation": spend.correlation, "max": MAX_CORRELATION}
        warnings.append(Message("scoring.dependent", sentence, **facts))
    return warnings
