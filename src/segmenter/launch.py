"""One launch: the stages composed, from canonical tables to the invite list."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date, timedelta

import polars as pl

from segmenter.contacts import Contacts, is_contact_name
from segmenter.errors import ConfigError, InputError
from segmenter.evaluation.as_of_check import check_as_of
from segmenter.evaluation.auto import rank
from segmenter.evaluation.detectable_effect import measurable
from segmenter.evaluation.forecast import Foreseen, foresee
from segmenter.evaluation.ranking_report import Told, tell
from segmenter.launch_model import LaunchModel, launch_model
from segmenter.measures import measure
from segmenter.measures.categories import main_category
from segmenter.measures.past import Past, Sampling, past_of
from segmenter.measures.timeline import with_purchases
from segmenter.messages import Message
from segmenter.planning import plan
from segmenter.planning.candidates import region_of
from segmenter.regions import with_regions
from segmenter.rules import apply_rules, nobody_eligible
from segmenter.scoring import fit_scorer, with_reasons
from segmenter.scoring.components import uncounted_kinds
from segmenter.scoring.ranking import score_of
from segmenter.segments import Segmentation, segment
from segmenter.settings import CoreSettings, LearningSettings, category_key
from segmenter.tables import Summary, Tables, Terms
from segmenter.words import say

_FORESEEN = 60_000  # customers whose past tells what a launch brings
INVITE_COLUMNS = (
    *("rank", "customer_id", "wave", "group", "call_on", "agent", "region", "segment", "score", "join_chance"),
    *("reasons", "spend_top", "orders_top", "spend", "orders", "last_order_at", "days_since_order"),
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
        See `rules.Verdicts`, `segments.Segmentation` and `planning.Planned`.
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
    """Give what the measures of a launch depend on; InputError without `launch.as_of`."""
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
    as_of = terms.as_of
    check_as_of(tables, as_of)
    progress("history")
    measures, unplaced = _placed(_with_category(measure(tables, **asdict(terms)), tables, settings, as_of), tables, settings)
    past = _past(tables, settings, terms)
    if settings.scoring.needs_purchases and past is not None:
        measures = with_purchases(measures, past.timeline, as_of)
    frame = with_regions(measures, settings.rules.region)
    progress("rules")
    verdicts = apply_rules(frame, settings.rules, launch, None if tables.launches is None else tables.launches.customers)
    eligible = verdicts.eligible
    if not eligible.any():
        raise InputError(*nobody_eligible(verdicts.funnel))
    progress("scoring")
    scorer = fit_scorer(verdicts.customers, settings.scoring)
    scored = scorer.score(verdicts.customers)
    ranking = rank(verdicts.customers, settings.scoring, past, horizon_days=launch.horizon_days, seed=settings.seed, lang=settings.lang)
    score = score_of(ranking, verdicts.customers, knots=settings.scoring.knots)
    if not ranking.scores:
        scored = scored.with_columns(score.columns_of(scored))
    told = tell(ranking, settings.scoring, past, horizon_days=launch.horizon_days, seed=settings.seed, lang=settings.lang)
    progress("segments")
    segmentation = segment(scored, settings.segments, seed=settings.seed, currency=launch.currency)
    labelled = scored.with_columns(segmentation.spread(eligible))
    progress("planning")
    planned = plan(labelled, settings, None if tables.launches is None else tables.launches.invited)
    foreseen, doubts = (None, ()) if past is None or launch.target is None else foresee(planned.customers, planned.joining, past, settings)
    notes, unmeasured = measurable(planned.customers, settings)
    invited = planned.customers.filter("invited").sort("rank")
    everyone = planned.customers.select("verdict", "spend_window", "orders")
    listed = with_reasons(invited, everyone, scorer)
    counts = {
        "customers": planned.customers.height,
        "eligible": int(eligible.sum()),
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
        funnel=verdicts.funnel,
        what_if=verdicts.what_if,
        segments=segmentation.profiles,
        groups=planned.groups,
        layers=planned.layers,
        calls=planned.calls,
        segmentation=segmentation,
        ranking=told,
        model=launch_model(score, segmentation, launch.currency),
        outlook=foreseen,
        counts=counts,
        notes=(
            planned.joining.sentence(settings.lang),
            *notes,
            *([] if foreseen is None else [foreseen.sentence(settings.lang, launch.currency)]),
        ),
        warnings=(
            *unplaced,
            *verdicts.warnings,
            *told.warnings,
            *planned.warnings,
            *unmeasured,
            *doubts,
            *uncounted_kinds(measures, settings.scoring),
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
    if isinstance(scoring, LearningSettings):
        return Sampling(scoring.rows // scoring.cuts, settings.seed)
    return Sampling(_FORESEEN, settings.seed) if settings.launch.target is not None else None


def _past(tables: Tables, settings: CoreSettings, terms: Terms) -> Past | None:
    """Give the past that the ranking learns from: of all customers, or of as many as it takes."""
    if not settings.scoring.needs_past and settings.launch.target is None:
        return None
    if not settings.scoring.needs_single_orders and isinstance(tables.orders, Summary) and tables.sample is None:
        return None
    few = sampling_of(settings)
    most = None if few is None else few.most
    return past_of(tables, terms.as_of, terms.half_life_days, terms.window_days, most=most, seed=settings.seed)


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
