"""A ranking by its settings, and the score that it gives."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.errors import InputError
from segmenter.measures.past import Past
from segmenter.measures.timeline import PURCHASES
from segmenter.rules import ELIGIBLE
from segmenter.scoring.single_measure import Rule, fit_rfm
from segmenter.scoring.weighted import WeightedScorer, fit_scorer
from segmenter.settings import AnyScoring, AutoSettings, ClvSettings, LearnedSettings, RuleSettings, WeightedSettings

if TYPE_CHECKING:
    from segmenter.scoring.clv import Clv
    from segmenter.scoring.quantiles import QuantileMap

Floats = NDArray[np.float64]


class Ranking(Protocol):
    """A fitted ranking."""

    @property
    def expects_money(self) -> bool:
        """Whether its values are expected spend in minor units."""

    @property
    def columns(self) -> Sequence[str]:
        """The measures that it takes."""

    def values(self, frame: pl.DataFrame) -> Floats:
        """Give each customer's value, larger is better."""


@dataclass(frozen=True)
class _Weighted:
    scorer: WeightedScorer
    columns: Sequence[str]
    expects_money = False

    def values(self, frame: pl.DataFrame) -> Floats:
        values: Floats = self.scorer.score(frame)["score"].to_numpy()
        return values


@dataclass(frozen=True)
class ClvRanking:
    """A ranking by expected spend.

    Parameters
    ----------
    model : Clv
        Fitted.
    horizon_days : int
        How far it looks ahead.
    """

    model: "Clv"
    horizon_days: int
    columns = tuple(name for name in PURCHASES.names() if name != "customer_id")
    expects_money = True

    def values(self, frame: pl.DataFrame) -> Floats:
        """Give each customer's expected spend.

        Parameters
        ----------
        frame : DataFrame
            With the columns of `timeline.PURCHASES`.

        Returns
        -------
        ndarray of shape (n_customers,)
            Minor units over the horizon.
        """
        return self.model.expected_spend(frame, self.horizon_days)


def needs_past(settings: AnyScoring) -> bool:
    """Say whether a ranking looks at single orders, or at earlier dates.

    Parameters
    ----------
    settings : AnyScoring
        Of the ranking.

    Returns
    -------
    bool
        True for `clv`, `learned` and `auto`.

    Examples
    --------
    >>> import segmenter
    >>> needs_past(segmenter.launch_settings({}).scoring)
    False
    """
    return isinstance(settings, ClvSettings | LearnedSettings | AutoSettings)


def fit_ranking(frame: pl.DataFrame, settings: AnyScoring, past: Past | None, *, horizon_days: int, seed: int) -> Ranking:
    """Fit a ranking on the eligible customers and, where it needs one, on the shop's past.

    Parameters
    ----------
    frame : DataFrame
        The measures with ``verdict``, and for `clv` the columns of `timeline.PURCHASES`.
    settings : AnyScoring
        Any but `auto`, which lies above: see `evaluation.auto`.
    past : Past or None
        Up to the as-of date; needed where `needs_past`.
    horizon_days : int
        How far it looks ahead.
    seed : int
        The job's seed.

    Returns
    -------
    Ranking
        Fitted.

    Raises
    ------
    InputError
        The history is too short, or a model does not fit the shop.

    Examples
    --------
    >>> import segmenter
    >>> settings = segmenter.launch_settings({"scoring": "spend"})
    >>> frame = pl.DataFrame({"spend_window": [100, 900], "verdict": "eligible"})
    >>> fit_ranking(frame, settings.scoring, None, horizon_days=30, seed=1).values(frame).tolist()
    [100.0, 900.0]
    """
    match settings:
        case WeightedSettings():
            return _Weighted(fit_scorer(frame, settings), ())
        case RuleSettings(kind="rfm"):
            return fit_rfm(frame)
        case RuleSettings():
            return Rule(settings.kind)  # type: ignore[arg-type]  # rfm is the case above
    if past is None:
        raise InputError(f"scoring: {settings.kind} needs the shop's past, which was not read")
    match settings:
        case ClvSettings():
            from segmenter.scoring.clv import fit_clv

            unit: Literal[1, 7] = 7 if settings.time_unit == "weeks" else 1
            bought = frame.filter(pl.col("repeats").is_not_null())
            return ClvRanking(fit_clv(bought, kind=settings.model, unit_days=unit), horizon_days)
        case AutoSettings():
            raise TypeError("auto chooses among rankings: see segmenter.evaluation.auto")
        case LearnedSettings():
            from segmenter.scoring.learned import learned_from

            return learned_from(past, settings, horizon_days=horizon_days, seed=seed)


@dataclass(frozen=True)
class RankingScore:
    """The score 0 to 100 of a ranking: where its value stands among those of the eligible.

    Parameters
    ----------
    ranking : Ranking
        Fitted.
    quantiles : QuantileMap
        The map of its values.
    """

    ranking: Ranking
    quantiles: "QuantileMap"

    def columns_of(self, frame: pl.DataFrame) -> list[pl.Series]:
        """Score customers, these or others.

        Parameters
        ----------
        frame : DataFrame
            The measures.

        Returns
        -------
        list of Series
            ``score``, not rounded so that different values keep apart; and where the ranking expects money ``expected_spend``, in
            whole minor units.
        """
        from segmenter.scoring.quantiles import image

        values = self.ranking.values(frame)
        series = [pl.Series("score", 100 * image(values, self.quantiles.knots_[0], self.quantiles.levels_[0]))]
        if self.ranking.expects_money:
            series.append(pl.Series("expected_spend", np.rint(values).astype(np.int64)))
        return series


def score_of(ranking: Ranking, frame: pl.DataFrame, *, knots: int) -> RankingScore:
    """Learn the score of a ranking on the eligible.

    Parameters
    ----------
    ranking : Ranking
        Fitted.
    frame : DataFrame
        The measures with ``verdict``.
    knots : int
        Of the map.

    Returns
    -------
    RankingScore
        Ready for all customers.

    Examples
    --------
    >>> from segmenter.scoring.single_measure import Rule
    >>> frame = pl.DataFrame({"spend_window": [100, 900, 500], "verdict": "eligible"})
    >>> score_of(Rule("spend"), frame, knots=8).columns_of(frame)[0].to_list()
    [0.0, 100.0, 50.0]
    """
    from segmenter.scoring.quantiles import QuantileMap

    eligible = ranking.values(frame.filter(verdict=ELIGIBLE))
    return RankingScore(ranking, QuantileMap(knots=knots).fit_columns([eligible]))
