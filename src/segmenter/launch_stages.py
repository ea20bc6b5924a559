"""One launch: the stages composed, from canonical tables to the invite list."""

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial

import polars as pl

from segmenter.applicants import channel_of, say_applicants
from segmenter.errors import InputError
from segmenter.evaluation.as_of import asks_for_topics, launch_snapshot, terms_of
from segmenter.evaluation.as_of_check import check_as_of
from segmenter.evaluation.auto import rank
from segmenter.evaluation.detectable_effect import describe_detectable_effect
from segmenter.evaluation.few_eligible import nobody_eligible, say_emptied, say_keepers
from segmenter.evaluation.forecast import Forecast
from segmenter.evaluation.launch_size import plan_for_target
from segmenter.evaluation.past_behaviour import past_behaviour
from segmenter.invitations import invitations_of
from segmenter.launch_model import launch_model
from segmenter.launch_plan import INVITE_COLUMNS, LaunchPlan
from segmenter.measures.spec import LEARNING
from segmenter.messages import Obstacle
from segmenter.personas import check_personas, count_personas, with_personas
from segmenter.planning import plan, still_ahead
from segmenter.planning.group_focus import with_focus
from segmenter.roles import counted_kinds, unknown_kinds
from segmenter.scoring import fit_scorer, with_reasons
from segmenter.scoring.components import REACH, uncounted_kinds
from segmenter.scoring.ranking import Ranking, report_ranking, score_of
from segmenter.scoring.weighted import rank_by
from segmenter.segments import MEASURES, segment
from segmenter.segments.drift import say_drift
from segmenter.segments.fitted import NEW, Fitted, keep_segments, made_by
from segmenter.segments.topics import Topics, count_interests, find_topics
from segmenter.settings import CoreSettings, ReferralSpread, WeightedSettings
from segmenter.spread.launch_spread import LaunchSpread, launch_spread, reach_of_each
from segmenter.tables import Tables, attribute_taken


def plan_launch(
    tables: Tables, settings: CoreSettings, *, progress: Callable[[str], None] = lambda stage: None, fitted: Fitted | None = None
) -> LaunchPlan:
    """Decide whom to invite.

    Parameters
    ----------
    tables : Tables
        The shop's tables, see `canonical_tables`.
    settings : CoreSettings
        The launch, its rules, score, segments and plan; `launch.as_of` is needed.
    progress : callable, optional
        Called with each stage's name as it begins: history, rules, scoring, segments, planning.
    fitted : Fitted, optional
        What an earlier launch fitted, to be used again; see `LaunchPlan.fitted`.

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
    >>> import polars, segmenter
    >>> settings = segmenter.launch_settings({"launch.as_of": "2026-07-01"})
    >>> orders = polars.DataFrame({"customer_id": ["a", "b"], "time": ["2026-06-30", "2026-06-01"], "amount": [12.5, 7.5]})
    >>> tables = segmenter.canonical_tables({"orders": orders}, settings.data, settings.launch)
    >>> segmenter.plan_launch(tables, settings).invite_list["customer_id"].to_list()
    ['a', 'b']
    """
    launch, seed, as_of = settings.launch, settings.seed, terms_of(settings).as_of
    check_as_of(tables, as_of)
    running = None if tables.launches is None else tables.launches.running
    kept, unlike = keep_segments(fitted, settings, as_of, MEASURES, running=running is not None)
    snapshot = launch_snapshot(tables, settings, progress=progress)
    customers, past, eligible = snapshot.customers, snapshot.past, snapshot.eligible
    if not eligible.any():
        raise InputError(
            *nobody_eligible(snapshot.verdicts.funnel), *say_keepers(tables.launches, settings), *unknown_kinds(customers, settings)
        )
    check_personas(customers, settings.personas, launch.currency)
    progress("scoring")
    customers, reach = _with_reach(customers, tables, settings)
    scorer = fit_scorer(customers, settings.scoring, reach=reach)
    if isinstance(settings.scoring, WeightedSettings):
        ranking: Ranking = rank_by(scorer, customers)
    else:
        ranking = rank(customers, settings.scoring, past, horizon_days=launch.horizon_days, seed=seed)
    score = score_of(ranking, customers, knots=settings.scoring.knots)
    # What was there to learn from, and the ranking does not take, is no more than a step on the way.
    needless = {measure.name for measure in LEARNING}.difference(ranking.columns)
    scored = scorer.score(customers).drop(needless, strict=False)
    if not ranking.scores:
        scored = scored.with_columns(score.columns_of(scored))
    ranked = report_ranking(ranking, settings.scoring, past, horizon_days=launch.horizon_days, seed=seed)
    progress("segments")
    behaviour = past_behaviour(past, settings)
    segmentation = segment(scored, settings.segments, seed=seed, currency=launch.currency, behaviour=behaviour, kept=kept)
    scored = scored.with_columns(segmentation.spread(eligible))
    topics = _topics(scored, tables, settings, None if running is None and settings.segments.from_ == NEW else fitted)
    if topics is not None:
        scored = scored.join(topics.customers, on="customer_id", how="left", maintain_order="left")
    scored, personas = with_personas(scored, settings.personas, launch.currency)
    progress("planning")
    precedents = None if tables.launches is None else tables.launches.invited
    spread = None if running is not None else _spread_of(scored, tables, settings)
    choose = partial(plan, scored, invited=precedents, running=running, near={} if topics is None else topics.near, spread=spread)
    expected: Forecast | None = None
    doubts: tuple[str, ...] = ()
    if past is not None and launch.target is not None and running is None:  # how a running launch goes, its review says
        planned, expected, doubts = plan_for_target(choose, past, settings)
    else:
        planned = choose(settings)
    notes, unmeasured = describe_detectable_effect(planned.customers, settings)
    invited = planned.customers.filter("invited").sort("rank")
    groups = planned.groups if topics is None else with_focus(planned.groups, planned.customers, topics.interests, settings.plan, seed=seed)
    invitations = invitations_of(planned.customers, segmentation, settings.plan, as_of, running, planned.kept)
    said = (
        *snapshot.warnings,
        *snapshot.verdicts.warnings,
        *say_emptied(snapshot.verdicts.funnel, settings),
        *ranked.warnings,
        *personas.warnings,
        *planned.warnings,
        *(() if topics is None else topics.warnings),
        *unmeasured,
        *doubts,
        *uncounted_kinds(customers, settings.scoring, counted_kinds(settings)),
        *unknown_kinds(customers, settings),
        *unlike,
        *say_drift(segmentation.kept),
    )
    listed = with_reasons(_list_invited(invited, invitations, settings, running, as_of), planned.customers, scorer)
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
        invite_list=listed.select(column for column in INVITE_COLUMNS if column in listed.columns),
        invitations=invitations,
        funnel=snapshot.verdicts.funnel,
        what_if=snapshot.verdicts.what_if,
        segments=segmentation.profiles,
        personas=count_personas(planned.customers, settings.personas, personas.also),
        groups=groups,
        layers=planned.layers,
        calls=planned.calls,
        starters=planned.starters,
        segmentation=segmentation,
        ranking=ranked,
        model=launch_model(score, segmentation, launch.currency),
        fitted=Fitted(
            made_by(segmentation.fitted, launch.name, as_of, launch.timezone),
            None if topics is None else topics.model,
            launch.name,
            as_of,
            planned.customers.select("customer_id", "segment"),
        ),
        forecast=expected,
        counts=counts,
        notes=(
            *planned.notes,
            *say_applicants(planned.customers),
            *notes,
            *([] if expected is None else [expected.sentence(launch.currency)]),
        ),
        warnings=tuple(each for each in said if not isinstance(each, Obstacle)),
        obstacles=tuple(each for each in said if isinstance(each, Obstacle)),
        valid_until=as_of + timedelta(days=launch.valid_days),
        live_events=planned.live_events,
        platform=planned.platform,
        topics=topics,
        spread=planned.spread,
        runs=None if running is None else (running["as_of"][0], running["ends_on"][0]),
    )


def _spread_of(customers: pl.DataFrame, tables: Tables, settings: CoreSettings) -> LaunchSpread | None:
    if not isinstance(settings.spread, ReferralSpread):
        return None
    value = customers["expected_spend"] if "expected_spend" in customers.columns else None
    return launch_spread(customers, tables, settings, value=value)


def _with_reach(customers: pl.DataFrame, tables: Tables, settings: CoreSettings) -> tuple[pl.DataFrame, float | None]:
    """Add ``reach``, the people whom each would bring, where ranking or key users take it; and say what it weighs."""
    spread = settings.spread
    if not isinstance(spread, ReferralSpread) or not (spread.weight or REACH in settings.plan.key_user_components):
        return customers, None
    if REACH in customers.columns:
        raise InputError(attribute_taken([REACH]))
    of_people = settings.model_copy(update={"spread": spread.model_copy(update={"value": "people"})})
    each = reach_of_each(launch_spread(customers, tables, of_people, value=None), settings.seed)
    known = customers.join(each, left_on="customer_id", right_on="person", how="left", maintain_order="left")
    return known.drop("brings").with_columns((pl.col(REACH) - 1).clip(0).fill_null(0)), spread.weight


def _topics(customers: pl.DataFrame, tables: Tables, settings: CoreSettings, fitted: Fitted | None) -> Topics | None:
    """Find what customers buy and do, where that is asked for; as an earlier launch found it, where its segments may be used."""
    if not asks_for_topics(settings, customers):
        return None
    kinds = [name.removeprefix("events_") for name in customers.columns if name.startswith("events_")]
    interests = count_interests(tables.spending, tables.events, settings.topics.events, terms_of(settings).as_of)
    runs = tables.launches is not None and tables.launches.running is not None
    again = fitted if runs or settings.segments.from_ != NEW else None
    return find_topics(interests, settings.topics, seed=settings.seed, kinds=kinds, fitted=again)


def _list_invited(
    invited: pl.DataFrame, invitations: pl.DataFrame, settings: CoreSettings, running: pl.DataFrame | None, as_of: date
) -> pl.DataFrame:
    """List the invited with the channel of each; of a launch that goes on, those who are still ahead."""
    if running is None:
        return invited.with_columns(channel_of(invited, settings.plan).alias("channel"))
    channels = invitations.select("customer_id", "channel")
    return still_ahead(invited, running, as_of).join(channels, on="customer_id", how="left", maintain_order="left")
