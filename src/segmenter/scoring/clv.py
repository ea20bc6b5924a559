"""What customers can be expected to spend: how often they will buy times how much at a time.

Source: Fader, Hardie and Lee (2005), RFM and CLV: Using Iso-Value Curves for Customer Base Analysis, Journal of Marketing Research 42 (4).
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl

from segmenter.errors import InputError
from segmenter.scoring.beta_geometric import BetaGeometric, Integers, Kind, fit_beta_geometric
from segmenter.scoring.gamma_gamma import MOST_CORRELATED, GammaGamma, fit_gamma_gamma
from segmenter.scoring.likelihood import OTHERWISE, Floats
from segmenter.words import Lang, say


@dataclass(frozen=True)
class Clv:
    """Expected spend, learned on the customers of a shop.

    Parameters
    ----------
    purchases : BetaGeometric
        How often customers buy; its time is in units of `unit_days`.
    spend : GammaGamma
        How much they spend on a purchase day after the first; its money is in minor units.
    unit_days : int
        Days in a unit of time.
    counts : dict of str to int
        ``customers`` with a purchase, ``repeat_buyers`` among them, and ``refunded``: those of them left without net spend, whom the
        model of spend was not fitted on.
    warnings : tuple of str
        What the user should know.
    """

    purchases: BetaGeometric
    spend: GammaGamma
    unit_days: int
    counts: dict[str, int]
    warnings: tuple[str, ...]

    def expected_spend(self, purchases: pl.DataFrame, horizon_days: float) -> Floats:
        """Expect what customers will spend: E[purchases] × E[mean].

        Who never came back is expected to spend the mean of all at a time. Who came back and was refunded to nothing, or below, counts
        as having spent 0 each time: the mean of all shrunk towards 0 by (q - 1) / (p x + q - 1), as the model does with any other mean.

        Parameters
        ----------
        purchases : DataFrame
            As in `fit_clv`; these customers or others.
        horizon_days : float
            The days after the as-of date, ≥ 0.

        Returns
        -------
        ndarray of shape (n_customers,)
            Minor units, in the order of the rows: ≥ 0 and finite, 0 for customers without a purchase.

        Raises
        ------
        InputError
            Numbers that no customer can have.
        """
        buyers = _buyers(purchases)
        repeats = buyers["repeats"].to_numpy()
        often = self.purchases.expected(*_times(buyers, self.unit_days), horizon_days / self.unit_days)
        mean = self.spend.expected_mean(repeats, _mean(buyers))
        expected = np.zeros(purchases.height)
        expected[purchases["repeats"].is_not_null().to_numpy()] = often * mean
        return expected

    def report(self) -> dict[str, Any]:
        """Tell what was learned, as plain values.

        Returns
        -------
        dict
            ``kind``, which is ``nbd`` where nobody is seen to stop buying; ``unit_days``; counts; under ``purchases`` and ``spend`` the
            parameters that were fitted, their standard errors and the log likelihoods, in units of `unit_days` and minor units;
            ``population_mean`` of a purchase; ``correlation`` of frequency and mean spend.
        """
        return {
            "kind": self.purchases.kind,
            "unit_days": self.unit_days,
            **self.counts,
            "purchases": _told(self.purchases),
            "spend": _told(self.spend),
            "population_mean": self.spend.population_mean,
            "correlation": self.spend.correlation,
        }


def _told(model: BetaGeometric | GammaGamma) -> dict[str, Any]:
    found = {name: getattr(model, name) for name in model.standard_errors}
    return {"parameters": found, "standard_errors": dict(model.standard_errors), "log_likelihood": model.log_likelihood}


def fit_clv(purchases: pl.DataFrame, *, kind: Kind, unit_days: Literal[1, 7], lang: Lang = "en") -> Clv:
    """Learn how often a shop's customers buy, and how much at a time.

    Parameters
    ----------
    purchases : DataFrame
        One row per customer; all purchases of a day are one. Null ``repeats``: no purchase. Other columns do not count.

        - ``repeats``: purchase days after the first.
        - ``last_days``: days from the first purchase day to the last; 0 where ``repeats`` is 0.
        - ``known_days``: days from the first purchase day to the as-of date, ≥ ``last_days``.
        - ``repeat_spend``: net spend after the first purchase day, in minor units; may be 0 or negative through refunds.
    kind : {"bg_nbd", "mbg_nbd"}
        Can customers go after the first purchase, before any other? Not in BG/NBD.
    unit_days : {1, 7}
        Count time in days or weeks. Purchases stay those of a day; only the parameters' unit changes.
    lang : {"en", "zh"}
        The language of warnings.

    Returns
    -------
    Clv
        The same for any order of the rows.

    Raises
    ------
    InputError
        Numbers that no customer can have; too few or too equal customers for either model.

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
    >>> model.report()["refunded"]
    20
    """
    buyers = _buyers(purchases)
    often = fit_beta_geometric(*_times(buyers, unit_days), kind=kind)
    repeaters = buyers.filter(pl.col("repeats") > 0)
    spenders = repeaters.filter(pl.col("repeat_spend") > 0)
    spend = fit_gamma_gamma(spenders["repeats"].to_numpy(), _mean(spenders))
    counts = {"customers": buyers.height, "repeat_buyers": repeaters.height, "refunded": repeaters.height - spenders.height}
    stay = [_nobody_stops(lang)] if often.kind == "nbd" else []
    depend = [] if spend.independent else [_dependent(spend.correlation, lang)]
    return Clv(often, spend, unit_days, counts, (*stay, *depend))


def _buyers(purchases: pl.DataFrame) -> pl.DataFrame:
    buyers = purchases.filter(pl.col("repeats").is_not_null()).with_columns(pl.col("repeat_spend").fill_null(0))
    if lacking := [name for name in ("last_days", "known_days") if buyers[name].null_count()]:
        raise InputError(*(f"{name}: should be known of every customer with a purchase (got null)" for name in lacking))
    return buyers


def _times(buyers: pl.DataFrame, unit_days: int) -> tuple[Integers, Floats, Floats]:
    last, known = (buyers[name].to_numpy() / unit_days for name in ("last_days", "known_days"))
    return buyers["repeats"].to_numpy(), last, known


def _mean(buyers: pl.DataFrame) -> Floats:
    mean: Floats = np.maximum(buyers["repeat_spend"].to_numpy(), 0) / np.maximum(buyers["repeats"].to_numpy(), 1)
    return mean


def _dependent(correlation: float, lang: Lang) -> str:
    return say(
        lang,
        f"scoring=clv: how often customers buy and how much they spend at a time should be independent (correlation {correlation:.2f}, at "
        f"most ±{MOST_CORRELATED} is fine); the expected spend of frequent buyers is off, so compare with other rankings by a backtest, or "
        f"{OTHERWISE}",
        f"scoring=clv：购买频率与每次消费金额应当互不相关（相关系数 {correlation:.2f}，绝对值不超过 {MOST_CORRELATED} 为宜）；"
        "常客的预期消费会有偏差，请用回测与其他排序方式比较，或改用其他排序，例如 scoring=decayed",
    )


def _nobody_stops(lang: Lang) -> str:
    return say(
        lang,
        "scoring=clv: nobody is seen to stop buying in these orders, so all customers count as staying for good: their expected spend does "
        "not depend on how long ago they last bought; compare with other rankings by a backtest",
        "scoring=clv：从这些订单中看不出有客户流失，因此所有客户都视为会一直购买，预期消费与距上次购买的时间长短无关；"
        "请用回测与其他排序方式比较",
    )
