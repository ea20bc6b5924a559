"""What a launch can be expected to bring: members, sales within the horizon, and the chance to reach a target.

The launch is replayed at past dates: the eligible of then are ranked as the launch ranks, and their later spend is kept by rank. It is
spend as it would come anyway: what the launch itself brings about is not in it. Who joins is taken to buy like others of the same rank.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.errors import ConfigError, InputError
from segmenter.evaluation.as_of import past_snapshot
from segmenter.evaluation.auto import rank
from segmenter.evaluation.forecast_draws import bin_edges, draw, score_shares
from segmenter.measures.past import Past
from segmenter.messages import Message, Obstacle
from segmenter.money import text, to_minor
from segmenter.planning.candidates import moves_nothing
from segmenter.planning.join_chances import JoinChances, bin_of
from segmenter.rules import ELIGIBLE
from segmenter.settings import CoreSettings, LearningSettings, UpliftSettings

Floats = NDArray[np.float64]
Longs = NDArray[np.int64]
Range = tuple[int, int, int]

TAILS = (0.1, 0.5, 0.9)
_REPLAYS = 12  # a year of months: all seasons
_LEARNING_REPLAYS = 4  # where each has a model to fit
_FEW_REPLAYS = 3  # fewer say little about how much months differ
_BY_WAVE = pl.Schema(
    {"wave": pl.Int64(), "invitations": pl.Int64()}
    | {f"{name}{end}": pl.Int64() for name in ("joins", "sales") for end in ("_low", "", "_high")}
    | {"chance": pl.Float64()}
)


@dataclass(frozen=True)
class Forecast:
    """What to expect of a launch; sales in minor units.

    Ranges are low, middle and high: in 8 of 10 cases it is between low and high, and as often above the middle as below.
    """

    invitations: int
    joins: Range
    sales: Range
    target: int | None
    chance: float | None  # to reach the target
    confidence: float
    needed: int | None  # invitations, the best first, that reach the target with that confidence; None where all would not do
    available: int  # customers who could be invited
    by_wave: pl.DataFrame  # of this wave and all earlier ones: see `_BY_WAVE`; ``chance`` is null without a target
    cuts: tuple[date, ...]  # past dates at which it was replayed, the latest first
    horizon_days: int
    within_reach: int  # sales that all who could be invited reach with that confidence

    def sentence(self, currency: str) -> Message:
        """Say it in plain words, amounts in the currency."""
        (fewest, _, joins), (low, _, high) = self.joins, self.sales
        reached: str = ""
        enough: str = ""
        if self.target is not None and self.chance is not None:
            confidence, target = f"{100 * self.confidence:g} %", say_amount(self.target, currency)
            sentence = "; {target} is reached with a chance of {chance}"
            reached = Message("evaluation.target_chance", sentence, target=target, chance=say_chance(self.chance))
            if self.needed is None:
                sentence = "; even all {available:,} who could be invited would not reach it with a chance of {confidence}"
                enough = Message("evaluation.target_beyond", sentence, available=self.available, confidence=confidence)
            else:
                sentence = "; it takes {needed:,} invitations to reach it with a chance of {confidence}"
                enough = Message("evaluation.target_invitations", sentence, needed=self.needed, confidence=confidence)
        return Message(
            "evaluation.forecast",
            "{invitations:,} invitations: {fewest:,} to {joins:,} join and buy for {low} to {high} within {days} days (8 in 10 chances)"
            "{reached}{enough}. This is what they would buy anyway: what the launch itself adds is not counted.",
            invitations=self.invitations,
            fewest=fewest,
            joins=joins,
            low=say_amount(_round(low), currency),
            high=say_amount(_round(high), currency),
            days=self.horizon_days,
            reached=reached,
            enough=enough,
        )

    def obstacles(self, currency: str) -> tuple[Obstacle, ...]:
        """Say that the target is as surely missed as it was to be reached, if it is, and what would help."""
        if self.target is None or self.chance is None or self.chance > 1 - self.confidence:
            return ()
        target, chance, confidence = say_amount(self.target, currency), say_chance(self.chance), f"{100 * self.confidence:g} %"
        ways = Message("evaluation.more_invitations", "invite {needed:,} (plan.size={needed})", needed=self.needed or 0)
        if self.needed is None:
            sentence = "no list reaches it: lower it to {within_reach} (launch.target), or give it longer (launch.horizon_days)"
            ways = Message("evaluation.lower_target", sentence, within_reach=say_amount(self.within_reach, currency))
        sentence = "the target of {target} is reached with a chance of {chance}, where launch.confidence asks for {confidence}; {ways}"
        return (Obstacle("evaluation.target_missed", sentence, target=target, chance=chance, confidence=confidence, ways=ways),)


def forecast(
    customers: pl.DataFrame, joining: JoinChances, past: Past, settings: CoreSettings
) -> tuple[Forecast | None, tuple[Message, ...]]:
    """Forecast members and sales of a launch, with what a person should know before believing it.

    `customers`, by id, has ``verdict``, ``score``, ``invited`` and ``rank``, and perhaps ``held_out``, ``wave`` and ``call_on``: who is
    called later has less of the horizon left, and their spend counts in proportion. There is no forecast where the shop's history is
    too short to replay the launch.
    """
    launch, horizon = settings.launch, settings.launch.horizon_days
    ranked, warnings = replay(past, settings)
    spends = {cut: past.later(best, cut, horizon)["spend"].to_numpy() for cut, best in ranked.items()}
    if not spends:
        sentence = "sales cannot be forecast: the history is too short to replay the launch at a past date, with {days} days after it"
        return None, (*warnings, Message("evaluation.no_forecast", sentence, days=horizon))
    if len(spends) < _FEW_REPLAYS:
        sentence = "sales are forecast from {dates} past dates only: how much months differ is an assumption"
        warnings.append(Message("evaluation.few_replays", sentence, dates=len(spends)))
    queue = _queue(customers, settings)
    edges = bin_edges(min(len(spend) for spend in spends.values()))
    bins = np.searchsorted(edges, queue["quantile"].to_numpy(), side="right")
    left, waves = queue["left"].to_numpy(), queue["wave"].to_numpy()
    count = int(queue["invited"].sum())

    def count_bins(some: slice | Longs, power: int) -> Floats:
        return np.bincount(bins[some], left[some] ** power, minlength=len(edges) + 1).astype(np.float64)

    shares = score_shares(queue["score_bin"], bins, len(edges) + 1)
    draws = draw(list(spends.values()), edges, shares, count_bins(slice(count), 1), joining, settings.seed)
    target = None if launch.target is None else to_minor(launch.target, launch.currency)

    def sales_of(some: slice | Longs) -> Floats:
        return draws.sales(*(count_bins(some, power) for power in (1, 2, 3)))

    def outcome(some: slice | Longs) -> tuple[int, Range, Range, float | None]:
        number, sales = count_bins(some, 0), sales_of(some)
        reached = None if target is None else float((sales >= target).mean())
        return int(number.sum()), _range(draws.joins(number)), _range(sales), reached

    def suffice(number: int) -> bool:
        return (outcome(slice(number))[-1] or 0.0) >= launch.confidence

    by_wave = []
    for wave in np.unique(waves[:count]):
        number, joins, sales, chance = outcome(np.flatnonzero(waves[:count] <= wave))
        by_wave.append((int(wave), number, *joins, *sales, chance))
    _, joins, sales, chance = outcome(slice(count))
    expected = Forecast(
        invitations=count,
        joins=joins,
        sales=sales,
        target=target,
        chance=chance,
        confidence=launch.confidence,
        needed=None if target is None else _smallest(suffice, queue.height),
        available=queue.height,
        by_wave=pl.DataFrame(by_wave, schema=_BY_WAVE, orient="row"),
        cuts=tuple(spends),
        horizon_days=horizon,
        within_reach=_round(int(np.quantile(sales_of(slice(queue.height)), 1 - launch.confidence))),
    )
    return expected, (*warnings, *expected.obstacles(launch.currency))


def replay(past: Past, settings: CoreSettings) -> tuple[dict[date, pl.Series], list[Message]]:
    """Give by past date the ids of the eligible of then, the best first."""
    scoring, horizon = settings.scoring, settings.launch.horizon_days
    most = _LEARNING_REPLAYS if isinstance(scoring, LearningSettings) else _REPLAYS
    what = (scoring.model_dump_json(), settings.rules.model_dump_json(), settings.launch.currency, horizon, settings.seed)
    ranked, warnings = {}, []
    for cut in past.cuts(horizon, horizon, most):
        try:
            best = past.once(("target", cut, *what), partial(_rank_at, past, cut, settings))
        except (InputError, ConfigError) as error:  # such as a rule on events of which there were none yet
            sentence = "sales are forecast without {cut}: {why}"
            warnings.append(Message("evaluation.replay_left_out", sentence, cut=cut, why=error.reason))
            continue
        if len(best):
            ranked[cut] = best
    return ranked, warnings


def _rank_at(past: Past, cut: date, settings: CoreSettings) -> pl.Series:
    scoring, horizon = settings.scoring, settings.launch.horizon_days
    snapshot = past_snapshot(past, settings, cut, purchases=scoring.needs_purchases)
    eligible = snapshot.customers.filter(snapshot.eligible)
    if not eligible.height:
        return eligible["customer_id"]
    # Before past dates there were hardly any launches to learn uplift from: whom it puts first today is asked what they spent then.
    known = past if isinstance(scoring, UpliftSettings) else snapshot.past
    ranking = rank(snapshot.customers, scoring, known, horizon_days=horizon, seed=settings.seed)
    # The eligible are sorted by id.
    return eligible["customer_id"].gather(np.argsort(-ranking.values(eligible), kind="stable"))


def _queue(customers: pl.DataFrame, settings: CoreSettings) -> pl.DataFrame:
    """Put all who could be invited in the order in which they would be: those of the plan, then the best of the others."""
    eligible = customers.filter(pl.col("verdict") == ELIGIBLE).sort("score", "customer_id", descending=[True, False])
    days = pl.lit(0)
    if "call_on" in eligible.columns and settings.launch.as_of is not None:
        days = (pl.col("call_on") - settings.launch.as_of).dt.total_days().fill_null(0)
    queue = eligible.select(
        quantile=(pl.int_range(pl.len()) + 0.5) / pl.len(),
        score_bin=bin_of(eligible["score"]),
        invited="invited",
        rank="rank",
        out=moves_nothing(eligible) | (eligible["held_out"] if "held_out" in eligible.columns else False),
        wave=pl.col("wave").cast(pl.Int64) if "wave" in eligible.columns else pl.lit(1, pl.Int64),
        left=(1 - days / settings.launch.horizon_days).clip(0.0, 1.0),  # of the horizon
    )
    last = queue.select(pl.col("left").filter("invited").min().fill_null(1.0)).item()  # the others would be called at the end
    queue = queue.with_columns(pl.when("invited").then("left").otherwise(last).alias("left"))
    return queue.filter(pl.col("invited") | ~pl.col("out")).sort(~pl.col("invited"), "rank", "quantile")


def _smallest(suffice: Callable[[int], bool], most: int) -> int | None:
    """Find the smallest number that suffices, by halving; None where `most` does not."""
    if not most or not suffice(most):
        return None
    low, high = 0, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if suffice(middle) else (middle, high)
    return high


def _range(drawn: Floats) -> tuple[int, int, int]:
    low, middle, high = np.rint(np.quantile(drawn, TAILS)).astype(np.int64).tolist()
    return low, middle, high


def _round(amount: int) -> int:
    """Keep three digits: more would claim to be exact."""
    return round(amount, min(3 - len(str(abs(amount))), 0))


def say_amount(amount: int, currency: str) -> str:
    """Write minor units as an amount of money."""
    return str(pl.DataFrame({"amount": [amount]}).select(text("amount", currency)).item())


def say_chance(chance: float) -> str:
    """Write a chance in whole per cent, never as certain."""
    return "< 1 %" if chance < 0.01 else "> 99 %" if chance > 0.99 else f"{100 * chance:.0f} %"
