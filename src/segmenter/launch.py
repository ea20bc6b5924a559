"""One launch: the stages composed, from canonical tables to the invite list."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from segmenter.contacts import Contacts, is_contact_name
from segmenter.errors import ConfigError, InputError
from segmenter.evaluation.auto import rank
from segmenter.evaluation.detectable_effect import describe_detectable_effect
from segmenter.evaluation.forecast import Foreseen, foresee
from segmenter.evaluation.ranking_report import Told, tell
from segmenter.launch_model import LaunchModel, launch_model
from segmenter.measures import measure
from segmenter.measures.categories import main_category
from segmenter.measures.past import Past, past_of
from segmenter.measures.sampling import Sampling
from segmenter.measures.shop_orders import SingleOrders
from segmenter.measures.timeline import with_purchases
from segmenter.messages import Message
from segmenter.planning import plan
from segmenter.planning.candidates import region_of
from segmenter.regions import with_regions
from segmenter.rules import ELIGIBLE, apply_rules
from segmenter.scoring import fit_scorer, with_reasons
from segmenter.scoring.ranking import RankingScore, needs_past, score_of
from segmenter.segments import Segmentation, segment
from segmenter.settings import CoreSettings, LearnedSettings, WeightedSettings, category_key
from segmenter.tables import Tables, Terms
from segmenter.words import say

_FORESEEN = 60_000  # customers whose past tells what a launch brings
INVITE_COLUMNS = (
    *("rank", "customer_id", "wave", "group", "call_on", "agent", "region", "segment", "score", "join_chance", "reason"),
    *("spend", "orders", "last_order_at", "days_since_order"),
)


@dataclass(frozen=True)
class LaunchPlan:
    """What a launch comes to. Money is in minor units.

    Parameters
    ----------
    customers : DataFrame
        Every customer, by id: measures, ``category`` where the plan asks for it, ``verdict``, ``component_*``, ``score``,
        ``expected_spend`` where the ranking expects money, ``segment``, and what was decided: see `planning.Planned`.
    invite_list : DataFrame
        The invited by rank: `INVITE_COLUMNS`.
    invitations : DataFrame
        Who is invited and who is held out, for the ledger: ``customer_id``, ``status`` (planned, held_out), ``wave``, ``group``,
        ``agent``, ``score``, ``stratum``, ``region``, ``segment`` (its name), ``planned_at``.
    funnel, what_if, segments, groups, layers, calls : DataFrame
        See `rules.Ruled`, `segments.Segmentation` and `planning.Planned`.
    segmentation : Segmentation
        The segments of the customers, and why there are so many.
    ranking : Told
        How the customers were ranked, and what that rests on.
    model : LaunchModel
        The fitted scorer and segmenter, to score others later.
    outlook : Foreseen or None
        Whom and what the launch is expected to bring; None where the shop's past is too short to tell, or was not looked at.
    counts : dict of str to int
        customers, eligible, invited, held_out, key_users, groups, segments; rejected: rows of the tables.
    notes : tuple of str
        What the plan rests on and what it can show, in sentences.
    warnings : tuple of str
        What a person should know before using the list.
    valid_until : date
        The last day on which the list is good.
    """

    customers: pl.DataFrame
    invite_list: pl.DataFrame
    invitations: pl.DataFrame
    funnel: pl.DataFrame
    what_if: pl.DataFrame
    segments: pl.DataFrame
    groups: pl.DataFrame
    layers: pl.DataFrame
    calls: pl.DataFrame
    segmentation: Segmentation
    ranking: Told
    model: LaunchModel
    outlook: Foreseen | None
    counts: dict[str, int]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    valid_until: date


def terms_of(settings: CoreSettings) -> Terms:
    """Give what a launch's measures of orders depend on.

    Parameters
    ----------
    settings : CoreSettings
        With `launch.as_of`.

    Returns
    -------
    Terms
        The date, the half-life and the window.

    Raises
    ------
    InputError
        There is no date.

    Examples
    --------
    >>> import segmenter
    >>> terms_of(segmenter.launch_settings({"launch.as_of": "2026-07-01"})).half_life_days
    90.0
    """
    if settings.launch.as_of is None:
        raise InputError(Message("launch.date_missing", "launch.as_of: is needed, as YYYY-MM-DD"))
    return Terms(settings.launch.as_of, settings.scoring.half_life_days, settings.rules.spend.window_days)


def plan_launch(tables: Tables, settings: CoreSettings, *, progress: Callable[[str], None] = lambda stage: None) -> LaunchPlan:
    """Decide whom to invite.

    Parameters
    ----------
    tables : Tables
        The shop's tables, see `canonical_tables`.
    settings : CoreSettings
        The launch, its rules, score, segments and plan; `launch.as_of` is needed.
    progress : callable, optional
        Called with each stage's name as it begins: history, rules, scoring, segments, planning.

    Returns
    -------
    LaunchPlan
        The same for the same tables, whatever their row order and the number of threads.

    Raises
    ------
    InputError
        No order lies before the as-of date, or all lie more than a year before it; a named region has no customer;
        nobody is eligible.
    ConfigError
        A custom rule cannot be computed; the plan asks for the customers' category, and the orders have none.

    Examples
    --------
    >>> import segmenter
    >>> settings = segmenter.launch_settings({"launch.as_of": "2026-07-01"})
    >>> orders = pl.DataFrame({"customer_id": ["a", "b"], "time": ["2026-06-30", "2026-06-01"], "amount": [12.5, 7.5]})
    >>> tables = segmenter.canonical_tables({"orders": orders}, settings.data, settings.launch)
    >>> segmenter.plan_launch(tables, settings).invite_list["customer_id"].to_list()
    ['a', 'b']
    """
    launch, terms = settings.launch, terms_of(settings)
    as_of, window = terms.as_of, terms.window_days
    _check_dates(tables, as_of)
    progress("history")
    measures, unplaced = _placed(_with_category(measure(tables, **asdict(terms)), tables, settings, as_of), tables, settings)
    past = _past(tables, settings, terms)
    if settings.scoring.kind == "clv" and past is not None:
        measures = with_purchases(measures, past.timeline, as_of)
    frame = with_regions(measures, settings.rules.region)
    progress("rules")
    ruled = apply_rules(frame, settings.rules, launch, None if tables.launches is None else tables.launches.customers)
    eligible = int((ruled.customers["verdict"] == ELIGIBLE).sum())
    if not eligible:
        raise InputError(*_nobody(ruled.funnel))
    progress("scoring")
    scorer = fit_scorer(ruled.customers, settings.scoring)
    scored = scorer.score(ruled.customers)
    ranking = rank(ruled.customers, settings.scoring, past, horizon_days=launch.horizon_days, seed=settings.seed, lang=settings.lang)
    score: RankingScore | None = None
    if not isinstance(settings.scoring, WeightedSettings):
        score = score_of(ranking, ruled.customers, knots=settings.scoring.knots)
        scored = scored.with_columns(score.columns_of(scored))
    told = tell(ranking, settings.scoring, past, horizon_days=launch.horizon_days, seed=settings.seed, lang=settings.lang)
    progress("segments")
    segmentation = segment(scored, settings.segments, seed=settings.seed, lang=settings.lang, currency=launch.currency)
    labelled = scored.with_columns(_labels(scored["verdict"] == ELIGIBLE, segmentation))
    progress("planning")
    planned = plan(labelled, settings, None if tables.launches is None else tables.launches.invited)
    foreseen, doubts = (None, ()) if past is None or launch.target is None else foresee(planned.customers, planned.joining, past, settings)
    notes, unmeasured = describe_detectable_effect(planned.customers, settings)
    invited = planned.customers.filter("invited").sort("rank")
    everyone = planned.customers.select("verdict", "spend_window", "orders")
    listed = with_reasons(invited, everyone, scorer, window_days=window, currency=launch.currency, lang=settings.lang)
    counts = {
        "customers": planned.customers.height,
        "eligible": eligible,
        "invited": invited.height,
        "held_out": int(planned.customers["held_out"].sum()),
        "key_users": int((invited["wave"] == 1).sum()),
        "groups": planned.groups.height,
        "segments": segmentation.profiles.height,
        "rejected": sum(counts.get("rejected", 0) for counts in tables.reads.values()),
    }
    return LaunchPlan(
        customers=planned.customers,
        invite_list=listed.select(INVITE_COLUMNS),
        invitations=_invitations(planned.customers, segmentation.profiles, settings, as_of),
        funnel=ruled.funnel,
        what_if=ruled.what_if,
        segments=segmentation.profiles,
        groups=planned.groups,
        layers=planned.layers,
        calls=planned.calls,
        segmentation=segmentation,
        ranking=told,
        model=launch_model(scored, scorer, score, segmentation, launch.currency),
        outlook=foreseen,
        counts=counts,
        notes=(
            planned.joining.sentence(settings.lang),
            *notes,
            *([] if foreseen is None else [foreseen.sentence(settings.lang, launch.currency)]),
        ),
        warnings=(
            *unplaced,
            *ruled.warnings,
            *told.warnings,
            *planned.warnings,
            *unmeasured,
            *doubts,
            *_unscored(measures, settings),
        ),
        valid_until=as_of + timedelta(days=launch.valid_days),
    )


def sampling_of(settings: CoreSettings) -> Sampling | None:
    """Say of how many customers a launch needs single orders.

    Parameters
    ----------
    settings : CoreSettings
        Its ranking.

    Returns
    -------
    Sampling or None
        None where it needs none, or those of all customers.

    Examples
    --------
    >>> import segmenter
    >>> sampling_of(segmenter.launch_settings({"scoring": "learned"})).most
    16666
    """
    scoring = settings.scoring
    if isinstance(scoring, LearnedSettings):
        return Sampling(scoring.rows // scoring.cuts, settings.seed)
    return Sampling(_FORESEEN, settings.seed) if settings.launch.target is not None else None


def _past(tables: Tables, settings: CoreSettings, terms: Terms) -> Past | None:
    """Give the past that the ranking learns from: of all customers, or of as many as it takes."""
    if not needs_past(settings.scoring) and settings.launch.target is None:
        return None
    if settings.scoring.kind not in ("clv", "learned") and not tables.orders.has_single:
        return None
    few = sampling_of(settings)
    most = None if few is None else few.max_customers
    return past_of(tables, terms.as_of, terms.half_life_days, terms.window_days, max_customers=most, seed=settings.seed)


def _with_category(measures: pl.DataFrame, tables: Tables, settings: CoreSettings, as_of: date) -> pl.DataFrame:
    """Add what customers spent most in, where the plan asks for it; an attribute of that name is the customers' own."""
    key = category_key(settings.plan)
    if key is None or "category" in measures.columns:
        return measures
    if tables.spending is None:
        raise ConfigError(f"{key}: category: the orders have no such column; name theirs with data.orders.columns.category=...")
    return measures.join(main_category(tables.spending, as_of), on="customer_id", how="left", maintain_order="left")


def _placed(measures: pl.DataFrame, tables: Tables, settings: CoreSettings) -> tuple[pl.DataFrame, list[str]]:
    """Take places that are contacts, as where columns were mistaken, as unknown: regions stand in all results."""
    named = [] if tables.contacts is None else [name for name in tables.contacts.columns if is_contact_name(name)]
    personal = Contacts(known=[] if tables.contacts is None else [tables.contacts[name] for name in named])
    found = {name: personal.among(measures[name]) for name in ("province", "city")}
    if not (count := int((found["province"] | found["city"]).sum())):
        return measures, []
    measures = measures.with_columns(pl.when(~contact).then(name).alias(name) for name, contact in found.items())
    en = f"customers whose province or city looks like a contact: {count:,}; their region counts as unknown"
    return measures, [say(settings.lang, en, f"{count:,} 位客户的省份或城市疑似联系方式，地区按未知处理")]


def _invitations(customers: pl.DataFrame, profiles: pl.DataFrame, settings: CoreSettings, as_of: date) -> pl.DataFrame:
    people = customers.filter(pl.col("invited") | pl.col("held_out"))
    named = people.join(profiles.select("segment", segment_name="name"), on="segment", how="left", maintain_order="left")
    return named.select(
        "customer_id",
        pl.when("held_out").then(pl.lit("held_out")).otherwise(pl.lit("planned")).alias("status"),
        *("wave", "group", "agent", "score", "stratum"),
        region_of(settings.plan),
        pl.col("segment_name").alias("segment"),
        pl.col("call_on").fill_null(as_of).alias("planned_at"),
    )


def _labels(eligible: pl.Series, segmentation: Segmentation) -> pl.Series:
    """Spread the segments of the eligible over all customers: both are sorted by customer_id, so no join is needed."""
    rows = np.full(len(eligible), segmentation.labels.height, dtype=np.uint32)
    rows[eligible.to_numpy()] = np.arange(segmentation.labels.height, dtype=np.uint32)
    return segmentation.labels["segment"].extend_constant(None, 1).gather(pl.Series(rows))


def _unscored(measures: pl.DataFrame, settings: CoreSettings) -> list[str]:
    """Say which kinds of events nobody gave points for: perhaps they are called otherwise here."""
    # Friends brought come from the referrals; an event called so counts nothing either.
    worth = {kind.lower() for kind in (*settings.scoring.engagement, *settings.scoring.advocacy)} - {"referral"}
    kinds = [name.removeprefix("events_") for name in measures.columns if name.startswith("events_")]
    if not (left := [kind for kind in kinds if kind not in worth]):
        return []
    en = f"events of these kinds count nothing: scoring.engagement and scoring.advocacy do not name them: {', '.join(left)}"
    zh = f"以下互动类型未计入评分（scoring.engagement 与 scoring.advocacy 中没有）：{'、'.join(left)}"
    return [say(settings.lang, en, zh)]


def _check_dates(tables: Tables, as_of: date) -> None:
    """Refuse a date that the orders do not fit; where customers are known without orders, their events will do."""
    events, before, (first, last) = tables.events, tables.orders.last_order(as_of), tables.orders.days
    if first is None:
        return
    what = "order"
    if tables.customers is not None:
        what = "order or event"
        active = events.select(pl.col("time").dt.date().filter(pl.col("time") < as_of).max()).item()
        before = max((day for day in (before, active) if day is not None), default=None)
    if before is None and first < as_of:
        raise InputError(_no_order(tables, as_of))
    if before is None:
        raise InputError(f"launch.as_of: should be after some orders (got {as_of}; the orders run from {first} to {last})")
    if (as_of - before).days > 366:
        rule = f"should be within a year of the last {what} (got {as_of}; the last is of {before})"
        raise InputError(f"launch.as_of: {rule}; take a newer export, or an earlier date")


def _no_order(tables: Tables, as_of: date) -> str:
    """Say that all orders are refunds or cancellations."""
    match tables.orders:
        case SingleOrders(orders):
            rows = orders.filter(pl.col("time") < as_of)
            count, negative = rows.height, rows.filter(pl.col("amount") < 0).height
            why = f"amount is negative in {negative:,}, and data.orders.refund holds of {count - negative:,}"
        case _:
            count, why = tables.reads["orders"]["kept"], "amount is negative, or data.orders.refund holds of them"
    way_out = "where payments stand as negative amounts, map data.orders.columns.amount to minus the column, such as -amount"
    return f"data.orders: should have orders (got {count:,} before {as_of}, all of them refunds or cancellations: {why}); {way_out}"


def _nobody(funnel: pl.DataFrame) -> list[str]:
    rows = [
        f"  {rule}: {before:,} before, {removed:,} removed ({only:,} by it alone), {left:,} left"
        for rule, before, removed, only, left in funnel.rows()
    ]
    return ["rules: no customer is eligible; loosen the rule that removes too many:", *rows]
