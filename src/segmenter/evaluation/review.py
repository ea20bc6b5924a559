"""What a launch brought: who accepted, what those who joined spent against the target, and what of it the invitation brought."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from segmenter.errors import ConfigError
from segmenter.evaluation.acceptance import acceptance, asked, reasons
from segmenter.evaluation.launch_lift import launch_lift
from segmenter.evaluation.lift import Lift
from segmenter.evaluation.target_progress import Standing, stand
from segmenter.settings import ReviewCore
from segmenter.tables import TIME
from segmenter.words import Lang, say

_YEAR = timedelta(days=365)
COHORTS = ("joined", "invited", "held_out")


@dataclass(frozen=True)
class Launched:
    """What the ledger knows of the launch that is reviewed.

    Parameters
    ----------
    name : str
        Its name.
    as_of, ends_on : date
        Its first day, and the first day that no longer counts.
    target : int or None
        Sales to reach, in minor units of `currency`.
    currency : str
        ISO 4217 code.
    holdout : float or None
        The share that was to be held out; None where it is not known.

    Examples
    --------
    >>> Launched("spring", date(2026, 7, 1), date(2026, 7, 31), None, "CNY").horizon_days
    30
    """

    name: str
    as_of: date
    ends_on: date
    target: int | None
    currency: str
    holdout: float | None = None

    @property
    def horizon_days(self) -> int:
        """How long it runs."""
        return (self.ends_on - self.as_of).days


@dataclass(frozen=True)
class Review:
    """What a launch brought; all amounts in minor units.

    Parameters
    ----------
    launched : Launched
        Which launch.
    as_of : date
        Of the review: only what came before it counts.
    days : int
        Of the launch that have passed.
    over : bool
        Whether all have.
    last_order : date or None
        The day of the latest order of the shop before `as_of`.
    counts : mapping of str to int
        Customers: ``invited``, ``asked``, ``joined`` (all, of whom ``unasked`` were not invited), ``refused``, ``no_answer``,
        ``held_out``, ``held_out_joined``, and ``replaced``, who answered to a plan that was replaced since.
    acceptance, reasons : DataFrame
        See `acceptance.acceptance` and `acceptance.reasons`.
    daily : DataFrame
        One row for each day that has passed: ``date``, ``day`` (from 1), sales of the day to those who ``joined``, ``invited``,
        ``held_out``; the same added up so far (``joined_so_far``, ...); and ``target_so_far``, a straight line, null without a target.
    cohorts : DataFrame
        ``cohort`` (as in `daily`), ``customers``, ``buyers``, ``orders`` and ``sales`` since the launch.
    standing : Standing
        Against the target.
    lift : Lift or None
        What the invitation brought; None where it cannot be measured.
    lift_sentence : str
        The lift in words, or why there is none.
    doubts : tuple of str
        What casts doubt on the lift.
    uplift : DataFrame
        One row for each customer of the plan: ``launch``, ``as_of``, ``days``, ``customer_id``, ``invited``, ``held_out``, ``joined``,
        ``answer``, ``stratum``, ``region``, ``segment``, ``score``, ``before`` (spend before the launch), ``spend`` and ``orders`` since.
    warnings : tuple of str
        What else a person should know.
    """

    launched: Launched
    as_of: date
    days: int
    over: bool
    last_order: date | None
    counts: Mapping[str, int]
    acceptance: pl.DataFrame
    reasons: pl.DataFrame
    daily: pl.DataFrame
    cohorts: pl.DataFrame
    standing: Standing
    lift: Lift | None
    lift_sentence: str
    doubts: tuple[str, ...]
    uplift: pl.DataFrame
    warnings: tuple[str, ...]


def review(launched: Launched, people: pl.DataFrame, orders: pl.DataFrame, settings: ReviewCore) -> Review:
    """Say what a launch brought so far.

    Parameters
    ----------
    launched : Launched
        Which launch.
    people : DataFrame
        See `segmenter.tables.INVITED`; of this launch, with the answers before ``review.as_of``.
    orders : DataFrame
        See `segmenter.tables.ORDERS`; those of other customers, and from ``review.as_of`` on, do not matter.
    settings : ReviewCore
        With ``review.as_of`` given.

    Returns
    -------
    Review
        The same for any order of the rows.

    Raises
    ------
    ConfigError
        The review's date is not after the launch's, or another currency is asked for.

    Examples
    --------
    >>> import segmenter
    >>> from datetime import datetime
    >>> from segmenter.tables import INVITED, ORDERS
    >>> launched = Launched("spring", date(2026, 7, 1), date(2026, 7, 31), 10_000, "CNY")
    >>> row = {"launch": "spring", "as_of": launched.as_of, "in_plan": True, "planned_at": launched.as_of, "stratum": "", "wave": 1}
    >>> rows = [row | {"customer_id": each, "status": "held_out" if each in "yz" else "planned"} for each in "abcyz"]
    >>> rows[0] |= {"answer": "joined", "answered_on": date(2026, 7, 2)}
    >>> orders = [{"customer_id": "a", "time": datetime(2026, 7, 3), "amount": 12_000, "is_order": True}]
    >>> settings = segmenter.review_settings({"review.as_of": "2026-07-31"})
    >>> found = review(launched, pl.DataFrame(rows, INVITED), pl.DataFrame(orders, ORDERS), settings)
    >>> found.standing.state, found.counts["joined"], found.lift.held_out
    ('met', 1, 2)
    """
    until = _until(launched, settings)
    past = orders.filter(pl.col("time") < pl.lit(until).cast(TIME))
    people = people.sort("customer_id").with_columns(joined=(pl.col("answer") == "joined").fill_null(value=False))
    end = min(until, launched.ends_on)
    days = (end - launched.as_of).days
    within = past.filter(_from(launched.as_of), pl.col("time") < pl.lit(end).cast(TIME)).join(
        people.select("customer_id"), on="customer_id", how="semi"
    )
    before = past.filter(
        _from(launched.as_of - timedelta(days=settings.review.before_days)), pl.col("time") < pl.lit(launched.as_of).cast(TIME)
    )
    spent = _spent(people, within, before)
    daily = _daily(spent, within, launched, days)
    counts = _counts(people, until)
    standing = stand(
        daily,
        launched.target,
        days=days,
        horizon_days=launched.horizon_days,
        joined=counts["joined"],
        known=bool(people["answer"].count()),
        currency=launched.currency,
        lang=settings.lang,
    )
    present = spent.filter("in_plan", pl.col("status").is_not_null())
    lift, told, doubted = launch_lift(
        present,
        days=(until - launched.as_of).days,
        horizon_days=launched.horizon_days,
        holdout=launched.holdout,
        currency=launched.currency,
        lang=settings.lang,
    )
    last: date | None = past["time"].dt.date().max()  # type: ignore[assignment]  # a date or None, as its column is of dates
    return Review(
        launched=launched,
        as_of=until,
        days=days,
        over=until >= launched.ends_on,
        last_order=last,
        counts=counts,
        acceptance=acceptance(people, until),
        reasons=reasons(people),
        daily=daily,
        cohorts=_cohorts(spent),
        standing=standing,
        lift=lift,
        lift_sentence=told,
        doubts=doubted,
        uplift=_uplift(present, launched, days),
        warnings=_warnings(counts, people, past, launched, end, settings.lang),
    )


def _until(launched: Launched, settings: ReviewCore) -> date:
    until, problems = settings.review.as_of, []
    if until is None:
        problems.append("review.as_of: is needed, as YYYY-MM-DD")
    elif until <= launched.as_of:
        problems.append(f"review.as_of: should be after {launched.as_of}, the first day of launch {launched.name} (got {until})")
    if settings.launch.currency != launched.currency:
        problems.append(f"launch.currency: should be {launched.currency}, as of launch {launched.name} (got {settings.launch.currency})")
    if problems:
        raise ConfigError(*problems)
    assert until is not None  # for the type checker
    return until


def _from(day: date) -> pl.Expr:
    return pl.col("time") >= pl.lit(day).cast(TIME)


def _spent(people: pl.DataFrame, within: pl.DataFrame, before: pl.DataFrame) -> pl.DataFrame:
    since = within.group_by("customer_id").agg(
        pl.col("amount").sum().alias("spend"), pl.col("is_order").sum().cast(pl.Int64).alias("orders")
    )
    earlier = before.group_by("customer_id").agg(pl.col("amount").sum().alias("before"))
    with_both = people.join(since, on="customer_id", how="left", maintain_order="left").join(
        earlier, on="customer_id", how="left", maintain_order="left"
    )
    return with_both.with_columns(pl.col("spend", "orders", "before").fill_null(0))


def _of(cohort: str) -> pl.Expr:
    status = {"invited": "planned", "held_out": "held_out"}
    return pl.col("joined") if cohort == "joined" else (pl.col("status") == status[cohort]).fill_null(value=False)


def _daily(spent: pl.DataFrame, within: pl.DataFrame, launched: Launched, days: int) -> pl.DataFrame:
    of = spent.select("customer_id", *(_of(name).alias(name) for name in COHORTS))
    each = within.select("customer_id", "amount", pl.col("time").dt.date().alias("date")).join(of, on="customer_id")
    sums = each.group_by("date").agg(pl.col("amount").filter(name).sum().alias(name) for name in COHORTS)
    calendar = pl.DataFrame({"day": range(1, days + 1)}, schema={"day": pl.Int64}).select(
        (pl.lit(launched.as_of) + pl.duration(days=pl.col("day") - 1)).cast(pl.Date).alias("date"), "day"
    )
    line = pl.lit(None, pl.Int64) if launched.target is None else pl.lit(launched.target) * pl.col("day") // launched.horizon_days
    return (
        calendar.join(sums, on="date", how="left", maintain_order="left")
        .with_columns(pl.col(COHORTS).fill_null(0))
        .with_columns(*(pl.col(name).cum_sum().alias(f"{name}_so_far") for name in COHORTS), line.cast(pl.Int64).alias("target_so_far"))
    )


def _cohorts(spent: pl.DataFrame) -> pl.DataFrame:
    parts = [
        spent.filter(_of(name)).select(
            pl.lit(name).alias("cohort"),
            pl.len().cast(pl.Int64).alias("customers"),
            (pl.col("orders") > 0).sum().cast(pl.Int64).alias("buyers"),
            pl.col("orders").sum(),
            pl.col("spend").sum().alias("sales"),
        )
        for name in COHORTS
    ]
    return pl.concat(parts)


def _counts(people: pl.DataFrame, until: date) -> dict[str, int]:
    planned, held = _of("invited"), _of("held_out")
    answer = pl.col("answer")
    counted = {
        "invited": planned,
        "asked": asked(until),
        "joined": pl.col("joined"),
        "unasked": pl.col("joined") & pl.col("status").is_null(),
        "refused": planned & answer.is_in(["refused", "refused_for_good"]),
        "no_answer": planned & (answer == "no_answer"),
        "held_out": held,
        "held_out_joined": held & pl.col("joined"),
        "held_out_asked": held & answer.is_not_null(),
        "replaced": pl.col("status").is_not_null() & ~pl.col("in_plan"),
    }
    return {
        name: int(count)
        for name, count in people.select(each.sum().alias(name) for name, each in counted.items()).row(0, named=True).items()
    }


def _uplift(present: pl.DataFrame, launched: Launched, days: int) -> pl.DataFrame:
    return present.select(
        pl.lit(launched.name).alias("launch"),
        pl.lit(launched.as_of).alias("as_of"),
        pl.lit(days, pl.Int64).alias("days"),
        "customer_id",
        _of("invited").alias("invited"),
        _of("held_out").alias("held_out"),
        *("joined", "answer", "stratum", "region", "segment", "score", "before", "spend", "orders"),
    )


def _warnings(
    counts: Mapping[str, int], people: pl.DataFrame, past: pl.DataFrame, launched: Launched, end: date, lang: Lang
) -> tuple[str, ...]:
    found = []
    days = past["time"].dt.date().unique().sort()
    last: date | None = days.max()  # type: ignore[assignment]  # a date or None, as its column is of dates
    if not people["answer"].count():
        en = "No answers are known: fill in the call sheets, or name the lists of who joined with review.answers."
        found.append(say(lang, en, "没有任何答复记录：请填写外呼表，或用 review.answers 指定加入者名单。"))
    if last is None or last < launched.as_of:
        when = say(lang, "there are none", "没有订单") if last is None else say(lang, f"the last is of {last}", f"最后一单在 {last}")
        en = f"No order is as late as the launch ({when}): the tables may have been read before it."
        found.append(say(lang, en, f"没有活动开始之后的订单（{when}）：数据可能是活动之前导出的。"))
    elif (silent := (end - last).days - 1) > _longest_silence(days):
        en = f"The last order is of {last}; days after it that should have some: {silent:,}. The tables may have been read too early, "
        zh = f"最后一单在 {last}，此后 {silent:,} 天没有任何订单：数据可能导出得太早，销售额因此偏低，请重新导出后再复盘。"
        found.append(say(lang, en + "and sales be too low. Export them again.", zh))
    if replaced := counts["replaced"]:
        en = f"{replaced:,} customers answered to an invitation of a plan that was replaced since: they count in everything but the lift."
        found.append(say(lang, en, f"有 {replaced:,} 位客户答复的是之后被替换的计划：除提升值外，他们计入其他各项。"))
    if unasked := counts["unasked"]:
        en = f"{unasked:,} of those who joined were not invited: their sales count towards the target, not in the lift."
        found.append(say(lang, en, f"加入者中有 {unasked:,} 位未受邀请：其消费计入目标，不计入提升值。"))
    return tuple(found)


def _longest_silence(days: pl.Series) -> int:
    """Give the most days in a row without an order, as far as the shop is known: so many more say nothing."""
    gaps = days.filter(days > days.max() - _YEAR).diff().drop_nulls()  # type: ignore[operator]  # a date, as there are days
    return max(gaps.dt.total_days(), default=1) - 1
