"""Rankings by one rule: spend, decayed spend, recency, RFM quintiles."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.rules import ELIGIBLE

Floats = NDArray[np.float64]
_QUINTILES = 5
_NEVER = -(1 << 20)  # days: below any recency


@dataclass(frozen=True)
class Rule:
    """A ranking by one measure.

    Parameters
    ----------
    kind : {"spend", "decayed", "recency"}
        Which.

    Examples
    --------
    >>> frame = pl.DataFrame({"spend_window": [100, 900], "days_since_order": [3, None]})
    >>> Rule("spend").values(frame).tolist(), Rule("recency").values(frame).tolist()[0]
    ([100.0, 900.0], -3.0)
    """

    kind: Literal["spend", "decayed", "recency"]
    expects_money = False

    @property
    def columns(self) -> list[str]:
        """The measures that it takes."""
        return [{"spend": "spend_window", "decayed": "decayed_spend", "recency": "days_since_order"}[self.kind]]

    def values(self, frame: pl.DataFrame) -> Floats:
        """Give each customer's value, larger is better.

        Parameters
        ----------
        frame : DataFrame
            The measures.

        Returns
        -------
        ndarray of shape (n_customers,)
            Minor units, or days before the as-of date, negative.
        """
        column = frame[self.columns[0]].cast(pl.Float64)
        values: Floats = (-column).fill_null(_NEVER).to_numpy() if self.kind == "recency" else column.to_numpy()
        return values


@dataclass(frozen=True)
class Rfm:
    """A ranking by quintiles of recency, frequency and monetary value.

    A customer gets 1 to 5 points for each, by the share of the eligible below: equal values get equal points, and a measure with few
    distinct values gives few distinct points. Equal sums are ordered by spend.

    Parameters
    ----------
    learned : dict of str to ndarray
        For each measure the sorted values of the eligible.

    References
    ----------
    .. [1] Hughes, A. M. (1994). Strategic Database Marketing, Probus: customers sorted into fifths, 555 the best.

    Examples
    --------
    >>> frame = pl.DataFrame({"spend_window": [1, 2, 3, 4, 5], "orders": [1, 1, 1, 1, 9], "days_since_order": [5, 4, 3, 2, 1],
    ...     "verdict": "eligible"})
    >>> fit_rfm(frame).points(frame).tolist()
    [3, 5, 7, 9, 15]
    """

    learned: dict[str, Floats]
    expects_money = False
    columns = ("spend_window", "orders", "days_since_order")

    def points(self, frame: pl.DataFrame) -> NDArray[np.int64]:
        """Add up the points.

        Parameters
        ----------
        frame : DataFrame
            The measures.

        Returns
        -------
        ndarray of shape (n_customers,)
            From 3 to 15.
        """
        total = np.zeros(frame.height, np.int64)
        for name, ordered in self.learned.items():
            below = np.searchsorted(ordered, _telling(frame, name), side="left")
            total += np.minimum(_QUINTILES * below // max(len(ordered), 1), _QUINTILES - 1) + 1
        return total

    def values(self, frame: pl.DataFrame) -> Floats:
        """Give each customer's value, larger is better.

        Parameters
        ----------
        frame : DataFrame
            The measures.

        Returns
        -------
        ndarray of shape (n_customers,)
            The points, and less than one more by spend.
        """
        ordered = self.learned["spend_window"]
        below = np.searchsorted(ordered, _telling(frame, "spend_window"), side="left")
        return self.points(frame) + below / (len(ordered) + 1)


def fit_rfm(frame: pl.DataFrame) -> Rfm:
    """Learn the quintiles on the eligible.

    Parameters
    ----------
    frame : DataFrame
        The measures with ``verdict``.

    Returns
    -------
    Rfm
        Ready for all customers.

    Examples
    --------
    See `Rfm`.
    """
    eligible = frame.filter(verdict=ELIGIBLE)
    return Rfm({name: np.sort(_telling(eligible, name)) for name in Rfm.columns})


def _telling(frame: pl.DataFrame, name: str) -> Floats:
    if name == "days_since_order":
        return Rule("recency").values(frame)
    values: Floats = frame[name].cast(pl.Float64).to_numpy()
    return values
