"""What a launch brought: who accepted, what those who joined spent against the target, and what of it the invitation brought."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from segmenter.errors import ConfigError
from segmenter.evaluation.acceptance import REFUSED, count_answers, count_reasons, is_asked
from segmenter.evaluation.event_effects import measure_live_events
from segmenter.evaluation.generations import Generations, trace_generations
from segmenter.evaluation.launch_lift import measure_launch
from segmenter.evaluation.launch_sales import TargetProgress, add_spend, compare_with_target, is_in, sum_cohorts, sum_days
from segmenter.evaluation.lift import Lift
from segmenter.evaluation.member_care import list_breaches, list_complaints
from segmenter.evaluation.review_warnings import warn_of_early_events, warn_of_figures, warn_of_spread
from segmenter.evaluation.second_calls import count_second_calls
from segmenter.evaluation.signs_of_life import SignsOfLife, measure_life
from segmenter.launch_record import LaunchRecord
from segmenter.messages import Message
from segmenter.settings import ReviewCore
from segmenter.tables import EVENTS, REACHED


@dataclass(frozen=True)
class Review:
    """What a launch brought; all amounts in minor units.

    Parameters
    ----------
    launch : LaunchRecord
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
        Customers: ``invited``, ``asked``, ``joined`` (all, of whom ``unasked`` were not invited), ``refused``, ``agreed``, ``call_back``,
        ``not_reached`` (or a wrong number), ``tried_once`` (not reached, and not called again), ``held_out``, ``held_out_joined``, and
        ``replaced``, who answered to a plan that was replaced since.
    acceptance, reasons : DataFrame
        See `acceptance.count_answers` and `acceptance.count_reasons`.
    daily : DataFrame
        One row for each day that has passed: ``date``, ``day`` (from 1), sales of the day to those who ``joined``, ``invited``,
        ``held_out``; the same so far (``joined_so_far``, ...); and ``target_so_far``, a straight line, null without a target.
    cohorts : DataFrame
        ``cohort`` (as in `daily`), ``customers``, ``buyers``, ``orders`` and ``sales`` since the launch.
    progress : TargetProgress
        Against the target.
    lift : Lift or None
        What the invitation brought; None where it cannot be measured.
    no_lift : str or None
        Why it cannot.
    doubts : tuple of str
        What casts doubt on the lift.
    uplift : DataFrame
        One row for each customer of the plan: ``launch``, ``as_of``, ``days``, ``customer_id``, ``invited``, ``held_out``, ``joined``,
        ``answer``, ``stratum``, ``region``, ``segment``, ``score``, ``before`` (spend before the launch), ``spend`` and ``orders`` since.
    warnings : tuple of str
        What else a person should know.
    live_events, second_calls : DataFrame
        See `event_effects.measure_live_events` and `second_calls.count_second_calls`.
    life : SignsOfLife or None
        How alive the groups are; None where no events say it.
    complaints, breaches : DataFrame
        See `member_care`.
    through : Generations or None
        Who came through whom; None where of nobody it is known.
    """

    launch: LaunchRecord
    as_of: date
    days: int
    over: bool
    last_order: date | None
    counts: Mapping[str, int]
    acceptance: pl.DataFrame
    reasons: pl.DataFrame
    daily: pl.DataFrame
    cohorts: pl.DataFrame
    progress: TargetProgress
    lift: Lift | None
    no_lift: Message | None
    doubts: tuple[str, ...]
    uplift: pl.DataFrame
    warnings: tuple[str, ...]
    live_events: pl.DataFrame
    second_calls: pl.DataFrame
    life: SignsOfLife | None
    complaints: pl.DataFrame
    breaches: pl.DataFrame
    through: Generations | None


def review(
    launch: LaunchRecord,
    invitations: pl.DataFrame,
    orders: pl.DataFrame,
    settings: ReviewCore,
    *,
    events: pl.DataFrame | None = None,
    answers: pl.DataFrame | None = None,
    live_days: Sequence[date] = (),
    visits: pl.DataFrame | None = None,
    referrals: pl.DataFrame | None = None,
    newcomers: pl.DataFrame | None = None,
    days: pl.Series | None = None,
) -> Review:
    """Say what a launch brought so far.

    Parameters
    ----------
    launch : LaunchRecord
        Which launch.
    invitations : DataFrame
        See `segmenter.tables.INVITED`; of this launch, with the answers before ``review.as_of``.
    orders : DataFrame
        See `segmenter.tables.ORDERS`; those from ``review.as_of`` on do not matter, and those of other customers only for `days`.
    settings : ReviewCore
        With ``review.as_of`` given.
    events : DataFrame, optional
        See `segmenter.tables.EVENTS`: what members did.
    answers : DataFrame, optional
        All that was answered, as `ledger.list_answers` gives it: for what second calls brought.
    live_days : sequence of date, optional
        The days of the launch's live events.
    visits : DataFrame, optional
        See `segmenter.tables.VISITS`.
    referrals : DataFrame, optional
        See `segmenter.tables.REFERRALS`: they say who came through whom where no answer does.
    newcomers : DataFrame, optional
        Members whom the shop does not know: ``customer_id``, ``brought_by``, ``answered_on``, ``group``.
    days : Series, optional
        The days with orders or refunds of anybody before ``review.as_of``, sorted; without them, those of `orders`.

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
    >>> launch = LaunchRecord("spring", "tea", date(2026, 7, 1), 30, 10_000, "CNY")
    >>> row = {"launch": "spring", "as_of": launch.as_of, "in_plan": True, "planned_at": launch.as_of, "stratum": "", "wave": 1}
    >>> rows = [row | {"customer_id": name, "status": "held_out" if name in "yz" else "planned"} for name in "abcyz"]
    >>> rows[0] |= {"answer": "joined", "answered_on": date(2026, 7, 2)}
    >>> orders = [{"customer_id": "a", "time": datetime(2026, 7, 3), "amount": 12_000, "is_order": True}]
    >>> settings = segmenter.review_settings({"review.as_of": "2026-07-31"})
    >>> found = review(launch, pl.DataFrame(rows, INVITED), pl.DataFrame(orders, ORDERS), settings)
    >>> found.progress.state, found.counts["joined"], found.lift.held_out
    ('met', 1, 2)
    """
    until = _check_date(launch, settings)
    time = pl.col("time")
    past = orders.filter(time < until)
    invitations = invitations.sort("customer_id").with_columns(joined=(pl.col("answer") == "joined").fill_null(value=False))
    end = min(until, launch.ends_on)
    passed = (end - launch.as_of).days
    ordered_on = past["time"].dt.date().unique().sort() if days is None else days
    since = past.filter(time >= launch.as_of, time < end).join(invitations.select("customer_id"), on="customer_id", how="semi")
    earlier = past.filter(time >= launch.as_of - timedelta(days=settings.review.before_days), time < launch.as_of)
    spent = add_spend(invitations, since, earlier)
    daily, counts = sum_days(spent, since, launch, passed), _count(invitations, until)
    told = EVENTS.to_frame() if events is None else events.filter(time < until)
    members = spent.filter("joined", pl.col("answered_on") < until)
    called = spent.filter((pl.col("status") != "held_out").fill_null(value=True) | pl.col("joined"))
    bought = past.join(spent.select("customer_id"), on="customer_id", how="semi")
    asked = settings.review
    life = measure_life(members, told, asked.signs_of_life, until=until, silent_days=asked.silent_days)
    present = spent.filter("in_plan", pl.col("status").is_not_null())
    lift, no_lift, doubts = measure_launch(
        present, days=(until - launch.as_of).days, horizon_days=launch.horizon_days, holdout=launch.holdout
    )
    last: date | None = ordered_on[-1] if len(ordered_on) else None
    known = bool(invitations["answer"].count())
    links = {"orders": orders, "referrals": referrals, "newcomers": newcomers}
    through = trace_generations(spent, launch, until=until, settled_days=asked.settled_days, **links)
    return Review(
        launch=launch,
        as_of=until,
        days=passed,
        over=until >= launch.ends_on,
        last_order=last,
        counts=counts,
        acceptance=count_answers(invitations, until),
        reasons=count_reasons(invitations),
        daily=daily,
        cohorts=sum_cohorts(spent),
        progress=compare_with_target(daily, launch.target, days=passed, horizon_days=launch.horizon_days, known=known),
        lift=lift,
        no_lift=no_lift,
        doubts=doubts,
        uplift=_list_uplift(present, launch, passed),
        warnings=(
            *warn_of_figures(counts, invitations, ordered_on, launch, end),
            *warn_of_early_events(life, until),
            *warn_of_spread(spent, through),
        ),
        live_events=measure_live_events(
            spent, bought, told, live_days, launch, until=until, around=asked.event_days, weeks=asked.event_weeks, visits=visits
        ),
        second_calls=count_second_calls(answers, until),
        life=life,
        complaints=list_complaints(called, told, until=until, hours=asked.complaint_hours),
        breaches=list_breaches(members, told, until=until, times=settings.rules.violations),
        through=through,
    )


def _check_date(launch: LaunchRecord, settings: ReviewCore) -> date:
    until, problems = settings.review.as_of, []
    if until is None:
        problems.append(Message("review.date_missing", "review.as_of: is needed, as YYYY-MM-DD"))
    elif until <= launch.as_of:
        rule = "review.as_of: should be after {first}, the first day of launch {launch} (got {date})"
        problems.append(Message("review.too_soon", rule, first=launch.as_of, launch=launch.name, date=until))
    if settings.launch.currency != launch.currency:
        rule = "launch.currency: should be {currency}, as of launch {launch} (got {found})"
        facts = {"currency": launch.currency, "launch": launch.name, "found": settings.launch.currency}
        problems.append(Message("review.other_currency", rule, **facts))
    if problems:
        raise ConfigError(*problems)
    assert until is not None  # for the type checker
    return until


def _count(invitations: pl.DataFrame, until: date) -> dict[str, int]:
    planned, held, answer = is_in("invited"), is_in("held_out"), pl.col("answer")
    conditions = {
        "invited": planned,
        "asked": is_asked(until),
        "joined": pl.col("joined"),
        "unasked": pl.col("joined") & pl.col("status").is_null(),
        "refused": planned & answer.is_in(REFUSED),
        "agreed": planned & (answer == "agreed"),
        "call_back": planned & (answer == "call_back"),
        "not_reached": planned & answer.is_not_null() & ~answer.is_in(REACHED),
        "tried_once": planned & (answer == "not_reached") & (pl.col("calls").fill_null(1) < 2),
        "held_out": held,
        "held_out_joined": held & pl.col("joined"),
        "held_out_asked": held & answer.is_not_null(),
        "replaced": pl.col("status").is_not_null() & ~pl.col("in_plan"),
    }
    counts = invitations.select(condition.sum().alias(name) for name, condition in conditions.items())
    return {name: int(count) for name, count in counts.row(0, named=True).items()}


def _list_uplift(present: pl.DataFrame, launch: LaunchRecord, days: int) -> pl.DataFrame:
    return present.select(
        pl.lit(launch.name).alias("launch"),
        pl.lit(launch.as_of).alias("as_of"),
        pl.lit(days, pl.Int64).alias("days"),
        "customer_id",
        is_in("invited").alias("invited"),
        is_in("held_out").alias("held_out"),
        *("joined", "answer", "stratum", "region", "segment", "score", "before", "spend", "orders"),
    )
