"""What a launch can be expected to bring: members, sales within the horizon, and the chance to reach a target.

The launch is replayed at past dates: the eligible of then are ranked as the launch ranks, and their later spend is kept by rank. Four
things are uncertain, and every draw takes all of them into account:

- how many join: the chances are drawn as `planning.joining` learned them;
- whose spend it is: the replayed customers near a rank are weighted anew by the Bayesian bootstrap [1]_;
- how good a month it is: the level is drawn from Student's predictive distribution of the logarithms of the replayed launches' levels,
  as for a further observation of a normal population with unknown mean and variance [2]_;
- who of those invited joins and what these buy: the sum over people is compound, and is drawn from the translated gamma distribution
  with the same mean, variance and skewness [3]_. A normal one would promise too much: a few large buyers make much of the sales.

It is spend as it would come anyway: what the launch itself brings about is not in it. Who joins is taken to buy like others of the same
rank; where the keen ones buy more, a little more comes than is foreseen.

References
----------
.. [1] Rubin, D. B. (1981). The Bayesian Bootstrap. The Annals of Statistics 9 (1), 130-134.
.. [2] Gelman, A. et al. (2013). Bayesian Data Analysis, 3rd ed., CRC Press, section 3.3 (the conjugate prior) and 3.2.
.. [3] Bowers, N. L. et al. (1997). Actuarial Mathematics, 2nd ed., Society of Actuaries, section 12.5.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.errors import ConfigError, InputError
from segmenter.evaluation.auto import rank
from segmenter.measures.past import Past
from segmenter.measures.timeline import with_purchases
from segmenter.money import text, to_minor
from segmenter.planning.join_chances import BINS, Joining, bin_of
from segmenter.regions import with_regions
from segmenter.rules import ELIGIBLE, apply_rules
from segmenter.settings import CoreSettings, LearningSettings
from segmenter.words import Lang, say

Floats = NDArray[np.float64]
Longs = NDArray[np.int64]
Range = tuple[int, int, int]

TAILS = (0.1, 0.5, 0.9)
DRAWS = 2_000
_REPLAYS = 12  # a year of months: all seasons
_LEARNING_REPLAYS = 4  # where each has a model to fit
_FEW = 3  # replays: fewer say little about how much months differ
_PEOPLE = 12  # replayed customers in the first, smallest bin of ranks
# How much the levels of months differ, before any are compared: by 17 %, worth two months.
_SPREAD, _SPREAD_EVIDENCE = 0.17, 2.0
_BY_WAVE = pl.Schema(
    {"wave": pl.Int64(), "invitations": pl.Int64()}
    | {f"{name}{end}": pl.Int64() for name in ("joins", "sales") for end in ("_low", "", "_high")}
    | {"chance": pl.Float64()}
)


@dataclass(frozen=True)
class Foreseen:
    """What to expect of a launch.

    Parameters
    ----------
    invitations : int
        Planned.
    joins, sales : (int, int, int)
        Low, middle and high: in 8 of 10 cases it is between low and high, and as often above the middle as below. Sales in minor units.
    target : int or None
        `launch.target` in minor units.
    chance : float or None
        To reach it; None without a target.
    confidence : float
        `launch.confidence`.
    needed : int or None
        Invitations that reach the target with that chance: the best of those invited, or beyond them the best who are eligible and not
        held out. None without a target, and where all of them would not do.
    most : int
        All who could be invited.
    by_wave : DataFrame
        One row per wave, of this and all earlier ones: ``wave``, ``invitations``, ``joins_low``, ``joins``, ``joins_high``,
        ``sales_low``, ``sales``, ``sales_high`` and ``chance`` (null without a target).
    cuts : tuple of date
        The past dates at which it was replayed, the latest first.
    horizon_days : int
        How long sales count.
    """

    invitations: int
    joins: Range
    sales: Range
    target: int | None
    chance: float | None
    confidence: float
    needed: int | None
    most: int
    by_wave: pl.DataFrame
    cuts: tuple[date, ...]
    horizon_days: int

    def sentence(self, lang: Lang, currency: str) -> str:
        """Say it in plain words.

        Parameters
        ----------
        lang : {"en", "zh"}
            The language.
        currency : str
            ISO 4217 code.

        Returns
        -------
        str
            One sentence, and what it does not count.
        """
        (fewest, _, joins), (least, _, sales) = self.joins, self.sales
        low, high = (_money(_rounded(amount), currency) for amount in (least, sales))
        days = self.horizon_days
        en = f"{self.invitations:,} invitations: {fewest:,} to {joins:,} join and buy for {low} to {high}"
        en += f" within {days} days (8 in 10 chances)"
        zh = f"邀约 {self.invitations:,} 人：预计 {fewest:,}～{joins:,} 人入群，{days} 天内消费 {low}～{high}（八成把握）"
        if self.target is not None and self.chance is not None:
            target, sure = _money(self.target, currency), f"{100 * self.confidence:g} %"
            en += f"; {target} is reached with a chance of {_percent(self.chance)}"
            zh += f"；达到目标 {target} 的概率为 {_percent(self.chance)}"
            if self.needed is None:
                en += f"; even all {self.most:,} who could be invited would not reach it with a chance of {sure}"
                zh += f"；即使邀约全部 {self.most:,} 位可邀客户，达标概率也不到 {sure}"
            else:
                en += f"; it takes {self.needed:,} invitations to reach it with a chance of {sure}"
                zh += f"；要有 {sure} 的把握达标，需邀约 {self.needed:,} 人"
        en += ". This is what they would buy anyway: what the launch itself adds is not counted."
        return say(lang, en, zh + "。以上按客户平时的消费估算，未计入活动本身带来的增量。")


@dataclass(frozen=True)
class _Replay:
    """The later spend of the eligible at a past date, in the order of their ranks."""

    cut: date
    spend: Longs


@dataclass(frozen=True)
class _Drawn:
    """What may come of those invited, in every draw; tables are of shape (draws, bins of ranks)."""

    chance: Floats
    moments: tuple[Floats, Floats, Floats]
    level: Floats
    luck: Floats  # 0 to 1: of what the people buy
    turnout: Floats  # standard normal: of who joins

    def joins(self, people: Floats) -> Floats:
        """Draw how many of those in the bins join."""
        mean, variance = (people * self.chance).sum(axis=1), (people * self.chance * (1 - self.chance)).sum(axis=1)
        joins: Floats = np.clip(mean + variance**0.5 * self.turnout, 0, people.sum())
        return joins

    def sales(self, once: Floats, twice: Floats, thrice: Floats) -> Floats:
        """Draw what they buy; given are, by bin, the sums of the shares of the horizon they have left, of their squares and cubes.

        Such a share is taken as the chance that a purchase falls into the time left.
        """
        from scipy.special import gammaincinv

        chance, (first, second, third) = self.chance, self.moments
        mean = (once * chance * first).sum(axis=1)
        variance = (once * chance * second - twice * (chance * first) ** 2).sum(axis=1)
        skewed = (once * chance * third - 3 * twice * chance**2 * first * second + 2 * thrice * (chance * first) ** 3).sum(axis=1)
        varied = np.maximum(variance, 1e-9)
        skewness = np.maximum(skewed / varied**1.5, 0.01)
        shape = 4 / skewness**2
        sales: Floats = self.level * (mean + varied**0.5 * (gammaincinv(shape, self.luck) - shape) / shape**0.5)
        return sales


def foresee(customers: pl.DataFrame, joining: Joining, past: Past, settings: CoreSettings) -> tuple[Foreseen | None, tuple[str, ...]]:
    """Foresee members and sales of a launch.

    Who is called later has less of the horizon left: their spend counts in proportion.

    Parameters
    ----------
    customers : DataFrame
        One row per customer, by id: ``verdict``, ``score``, ``invited``, ``rank``; ``held_out``, ``wave`` and ``call_on`` where there
        are such.
    joining : Joining
        The chances to join.
    past : Past
        Up to the as-of date; perhaps of some customers only.
    settings : CoreSettings
        The launch, its rules and its scoring, as they are replayed.

    Returns
    -------
    foreseen : Foreseen or None
        None where the shop's history is too short to replay the launch. The same for any order of the rows and number of threads.
    warnings : tuple of str
        What a person should know before believing it.

    Examples
    --------
    >>> import segmenter
    >>> from segmenter.measures.past import past_of
    >>> from segmenter.planning.join_chances import learn_joining
    >>> settings = segmenter.launch_settings({"launch.as_of": "2026-07-01", "launch.target": 100})
    >>> rows = [(f"C{n}", f"2026-0{month}-{1 + n:02}", 10 * n) for n in range(1, 20) for month in range(1, 7)]
    >>> orders = pl.DataFrame(rows, schema=["customer_id", "time", "amount"], orient="row")
    >>> tables = segmenter.canonical_tables({"orders": orders}, settings.data, settings.launch)
    >>> joining = learn_joining(None, as_of=date(2026, 7, 1), chance=0.3, evidence=20)
    >>> places = {"rank": range(1, 20), "invited": True, "verdict": "eligible"}
    >>> customers = pl.DataFrame({"customer_id": [f"C{n}" for n in range(1, 20)], "score": 50.0} | places)
    >>> found, warnings = foresee(customers, joining, past_of(tables, date(2026, 7, 1), 90, None), settings)
    >>> found.invitations, found.joins, found.chance > 0.9, [cut.month for cut in found.cuts], warnings
    (19, (2, 6, 9), True, [5, 4, 3, 2], ())
    """
    launch, lang = settings.launch, settings.lang
    replays, warnings = _replays(past, settings)
    if not replays:
        days = launch.horizon_days
        en = f"sales cannot be foreseen: the history is too short to replay the launch at a past date, with {days} days after it"
        zh = f"无法预测销售额：历史数据太短，不足以在过去某日模拟本次活动（其后需有 {days} 天数据）"
        return None, (*warnings, say(lang, en, zh))
    if len(replays) < _FEW:
        en = f"sales are foreseen from {len(replays)} past dates only: how much months differ is an assumption"
        warnings.append(say(lang, en, f"销售预测仅依据 {len(replays)} 个历史时点，月度波动幅度为假设值"))
    people = _sequence(customers, settings)
    edges = _edges(min(len(each.spend) for each in replays))
    bins = np.searchsorted(edges, people["standing"].to_numpy(), side="right")
    left, waves = people["left"].to_numpy(), people["wave"].to_numpy()
    count = int(people["invited"].sum())

    def counted(some: slice | Longs, power: int) -> Floats:
        return np.bincount(bins[some], left[some] ** power, minlength=len(edges) + 1).astype(np.float64)

    drawn = _draw(replays, edges, _chances(people, bins, len(edges) + 1), counted(slice(count), 1), joining, settings.seed)
    target = None if launch.target is None else to_minor(launch.target, launch.currency)

    def outcome(some: slice | Longs) -> tuple[int, Range, Range, float | None]:
        number, sales = counted(some, 0), drawn.sales(*(counted(some, power) for power in (1, 2, 3)))
        reached = None if target is None else float((sales >= target).mean())
        return int(number.sum()), _range(drawn.joins(number)), _range(sales), reached

    def enough(number: int) -> bool:
        return (outcome(slice(number))[-1] or 0.0) >= launch.confidence

    by_wave = []
    for wave in np.unique(waves[:count]):
        number, joined, sold, chance = outcome(np.flatnonzero(waves[:count] <= wave))
        by_wave.append((int(wave), number, *joined, *sold, chance))
    _, joined, sold, chance = outcome(slice(count))
    foreseen = Foreseen(
        invitations=count,
        joins=joined,
        sales=sold,
        target=target,
        chance=chance,
        confidence=launch.confidence,
        needed=None if target is None else _fewest(enough, people.height),
        most=people.height,
        by_wave=pl.DataFrame(by_wave, schema=_BY_WAVE, orient="row"),
        cuts=tuple(each.cut for each in replays),
        horizon_days=launch.horizon_days,
    )
    return foreseen, tuple(warnings)


def _replays(past: Past, settings: CoreSettings) -> tuple[list[_Replay], list[str]]:
    """Rank the eligible at past dates, and look up what they went on to spend."""
    scoring, horizon = settings.scoring, settings.launch.horizon_days
    most = _LEARNING_REPLAYS if isinstance(scoring, LearningSettings) else _REPLAYS
    what = (scoring.model_dump_json(), settings.rules.model_dump_json(), settings.launch.currency, horizon, settings.seed)
    replays, warnings = [], []
    for cut in past.cuts(horizon, horizon, most):
        try:
            spend = past.once(("target", cut, *what), partial(_later, past, cut, settings))
        except (InputError, ConfigError) as error:  # such as a rule on events of which there were none yet
            why = error.problems[0]
            warnings.append(say(settings.lang, f"sales are foreseen without {cut}: {why}", f"销售预测未使用 {cut}：{why}"))
            continue
        if len(spend):
            replays.append(_Replay(cut, spend))
    return replays, warnings


def _later(past: Past, cut: date, settings: CoreSettings) -> Longs:
    """Give what the eligible of a past date went on to spend, the best first."""
    scoring, horizon, before = settings.scoring, settings.launch.horizon_days, past.before(cut)
    frame = with_regions(before.measures(cut), settings.rules.region)
    frame = apply_rules(frame, settings.rules, settings.launch).customers
    if scoring.needs_purchases:
        frame = with_purchases(frame, before.timeline, cut)
    eligible = frame.filter(pl.col("verdict") == ELIGIBLE)
    if not eligible.height:
        return np.zeros(0, np.int64)
    ranking = rank(frame, scoring, before, horizon_days=horizon, seed=settings.seed, lang=settings.lang)
    spend = past.later(eligible["customer_id"], cut, horizon)["spend"].to_numpy()
    later: Longs = spend[np.argsort(-ranking.values(eligible), kind="stable")]  # the eligible are sorted by id
    return later


def _sequence(customers: pl.DataFrame, settings: CoreSettings) -> pl.DataFrame:
    """Put all who could be invited in the order in which they would be: those of the plan, then the best of the others."""
    eligible = customers.filter(pl.col("verdict") == ELIGIBLE).sort("score", "customer_id", descending=[True, False])
    standing = (pl.int_range(pl.len()) + 0.5) / pl.len()
    days = pl.lit(0)
    if "call_on" in eligible.columns and settings.launch.as_of is not None:
        days = (pl.col("call_on") - settings.launch.as_of).dt.total_days().fill_null(0)
    left = (1 - days / settings.launch.horizon_days).clip(0.0, 1.0)
    people = eligible.select(
        standing=standing,
        bin=bin_of(eligible["score"]),
        invited="invited",
        rank="rank",
        held_out="held_out" if "held_out" in eligible.columns else pl.lit(value=False),
        wave=pl.col("wave").cast(pl.Int64) if "wave" in eligible.columns else pl.lit(1, pl.Int64),
        left=left,
    )
    last = people.select(pl.col("left").filter("invited").min().fill_null(1.0)).item()  # the others would be called at the end
    people = people.with_columns(pl.when("invited").then("left").otherwise(last).alias("left"))
    return people.filter(pl.col("invited") | ~pl.col("held_out")).sort(~pl.col("invited"), "rank", "standing")


def _edges(people: int) -> Floats:
    """Give the inner edges of the bins of ranks, as shares of the eligible: the first bins are the narrowest, as the best differ most."""
    number = int(np.clip((people / _PEOPLE) ** 0.5, 1, 40))
    edges: Floats = (np.arange(1, number) / number) ** 2
    return edges


def _chances(people: pl.DataFrame, bins: Longs, number: int) -> Floats:
    """Give the share of each bin of scores in each bin of ranks."""
    shares = np.zeros((number, BINS + 1))
    np.add.at(shares, (bins, people["bin"].to_numpy()), 1.0)
    shares[shares.sum(axis=1) == 0, BINS] = 1.0
    normal: Floats = shares / shares.sum(axis=1, keepdims=True)
    return normal


def _draw(replays: Sequence[_Replay], edges: Floats, shares: Floats, planned: Floats, joining: Joining, seed: int) -> _Drawn:
    """Draw the chances to join, the spend of the ranks, and the level of the month."""
    rng = np.random.Generator(np.random.PCG64(seed % 2**64))
    chance = (joining.draws(rng, DRAWS)[:, None, :] * shares).sum(axis=2)
    usual = chance.mean(axis=0)
    moments = np.zeros((3, DRAWS, len(edges) + 1))
    luck, turnout = rng.random(DRAWS), rng.standard_normal(DRAWS)
    worth, doubt = [], []
    for number, each in enumerate(replays):
        bins = np.searchsorted(edges, (np.arange(len(each.spend)) + 0.5) / len(each.spend), side="right")
        people = np.bincount(bins, minlength=len(edges) + 1)
        means = np.bincount(bins, each.spend, minlength=len(edges) + 1) / people
        squares = np.bincount(bins, each.spend.astype(np.float64) ** 2, minlength=len(edges) + 1) / people
        # What the launch would have sold then, and how far the chance of who bought could have moved that.
        worth.append(float((planned * usual * means).sum()))
        doubt.append(float(((planned * usual) ** 2 * (squares - means**2) / people).sum()))
        moments[:, number :: len(replays)] = _reweighted(rng, each.spend, bins, people, len(range(number, DRAWS, len(replays))))
    spread, freedom, centre = _months(np.array(worth), np.array(doubt))
    level = np.exp(spread * rng.standard_t(freedom, DRAWS))
    if centre is not None:
        level *= centre / np.array(worth)[np.arange(DRAWS) % len(replays)]
    return _Drawn(chance, (moments[0], moments[1], moments[2]), level, luck, turnout)


def _reweighted(rng: np.random.Generator, spend: Longs, bins: Longs, people: Longs, draws: int) -> Floats:
    """Give mean, mean square and mean cube of the spend in each bin under weights of the Bayesian bootstrap: (3, draws, bins)."""
    buyers = np.flatnonzero(spend)
    found = np.bincount(bins[buyers], minlength=len(people))
    # The weights are independent exponentials, divided by their sum; those of who bought nothing only add up to a gamma.
    total = rng.standard_gamma(np.broadcast_to(people - found, (draws, len(people))))
    sums = np.zeros((3, draws, len(people)))
    if len(buyers):
        some, amounts = np.flatnonzero(found), spend[buyers].astype(np.float64)
        starts = (np.cumsum(found) - found)[some]  # the buyers are in the order of their ranks
        weights = rng.standard_exponential((draws, len(buyers)))
        total[:, some] += np.add.reduceat(weights, starts, axis=1)
        for power in range(3):
            weights *= amounts
            sums[power][:, some] = np.add.reduceat(weights, starts, axis=1)
    return sums / total


def _months(worth: Floats, doubt: Floats) -> tuple[float, float, float | None]:
    """Give spread and degrees of freedom of the logarithm of the next level, and its centre where all levels are above 0."""
    if not len(worth) or worth.min() <= 0:
        return _SPREAD * 2**0.5, _SPREAD_EVIDENCE, None
    logs = np.log(worth)
    more = len(worth) - 1
    # What differs by the chance of who bought is drawn apart from it.
    variance = max(float(logs.var(ddof=1)) - float((doubt / worth**2).mean()), 0.0) if more else 0.0
    freedom = _SPREAD_EVIDENCE + more
    pooled = (_SPREAD_EVIDENCE * _SPREAD**2 + more * variance) / freedom
    return (pooled * (1 + 1 / len(worth))) ** 0.5, freedom, float(np.exp(logs.mean()))


def _fewest(enough: Callable[[int], bool], most: int) -> int | None:
    """Find the least number for which it is enough, by halving; None where `most` is not."""
    if not most or not enough(most):
        return None
    low, high = 0, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _range(drawn: Floats) -> tuple[int, int, int]:
    low, middle, high = np.rint(np.quantile(drawn, TAILS)).astype(np.int64).tolist()
    return low, middle, high


def _rounded(amount: int) -> int:
    """Keep three digits: more would claim to be exact."""
    return round(amount, min(3 - len(str(abs(amount))), 0))


def _money(amount: int, currency: str) -> str:
    return str(pl.DataFrame({"amount": [amount]}).select(text("amount", currency)).item())


def _percent(chance: float) -> str:
    return "< 1 %" if chance < 0.01 else "> 99 %" if chance > 0.99 else f"{100 * chance:.0f} %"
