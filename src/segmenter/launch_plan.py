"""What a launch comes to."""

from dataclasses import dataclass
from datetime import date

import polars as pl

from segmenter.evaluation.forecast import Forecast
from segmenter.launch_model import LaunchModel
from segmenter.planning import KeyUserChoice, LiveEvent
from segmenter.scoring.ranking import RankingReport
from segmenter.segments import Segmentation
from segmenter.segments.fitted import Fitted
from segmenter.segments.topics import Topics

INVITE_COLUMNS = (
    *("rank", "customer_id", "wave", "group", "call_on", "agent", "channel", "region"),
    *("segment", "persona", "role", "topic", "score", "join_chance"),  # those of persona, role and topic that there are
    *("reasons", "spend_top", "orders_top", "spend", "orders", "last_order_at", "days_since_order"),
)


@dataclass(frozen=True)
class LaunchPlan:
    """What a launch comes to. Money is in minor units.

    Parameters
    ----------
    customers : DataFrame
        Every customer, by id: measures, ``role`` and ``role_<name>`` where there are roles (see `roles.with_roles`), ``category`` where
        the plan asks for it, ``verdict``, ``component_*``, ``score``, ``expected_spend`` or ``expected_uplift`` where the ranking expects
        it, ``segment``, ``topic`` and ``topic_share`` where asked for, ``persona`` where there are any, and what was decided: see
        `planning.InvitationPlan`.
    invite_list : DataFrame
        The invited by rank: `INVITE_COLUMNS`. Why they are invited stands in it as facts, see `scoring.with_reasons`.
    invitations : DataFrame
        Who is invited and who is held out, for the ledger: ``customer_id``, ``status`` (planned, held_out), ``wave``, ``group``,
        ``agent``, ``score``, ``stratum``, ``region``, ``segment`` (its name in English), ``channel``, ``planned_at``,
        ``brings`` (people whom a key user by reach is expected to bring).
    funnel, what_if, segments, personas, groups, layers, calls, starters : DataFrame
        See `rules.Verdicts`, `segments.Segmentation`, `personas.count_personas` and `planning.InvitationPlan`.
    topics : Topics or None
        What customers buy and do, where that was asked for: see `segments.topics`.
    segmentation : Segmentation
        The segments of the customers, and why there are so many.
    ranking : RankingReport
        How the customers were ranked, and what that rests on.
    model : LaunchModel
        The fitted score and segmenter, to score others later.
    fitted : Fitted
        The segments and topics, for the next launch to use again.
    forecast : Forecast or None
        Whom and what the launch is expected to bring; None where the shop's past is too short, or was not looked at.
    counts : dict of str to int
        customers, eligible, invited, held_out, key_users, groups, segments; rejected: rows of the tables.
    notes : tuple of str
        What the plan rests on and what it can show: messages, which `in_words` says in the launch's language.
    warnings : tuple of str
        What a person should know before using the list; messages, too.
    obstacles : tuple of str
        What keeps the plan from being carried out as it stands, with what would help: `Obstacle`s.
    valid_until : date
        The last day on which the list is good.
    runs : tuple of two dates, or None
        Of a launch that was committed before and goes on: the as-of date of its beginning, and the first day after its end.
    live_events : tuple of LiveEvent
        The dated activities that the waves lead up to, see `planning.live_events`.
    platform : tuple of str
        Those of the notes that say what the groups' platform asks for, which the call sheets have, too.
    spread : KeyUserChoice or None
        Why the key users come first, where they are those from whom most is reached.
    """

    customers: pl.DataFrame
    invite_list: pl.DataFrame
    invitations: pl.DataFrame
    funnel: pl.DataFrame
    what_if: pl.DataFrame
    segments: pl.DataFrame
    personas: pl.DataFrame
    groups: pl.DataFrame
    layers: pl.DataFrame
    calls: pl.DataFrame
    starters: pl.DataFrame
    segmentation: Segmentation
    ranking: RankingReport
    model: LaunchModel
    fitted: Fitted
    forecast: Forecast | None
    counts: dict[str, int]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    obstacles: tuple[str, ...]
    valid_until: date
    runs: tuple[date, date] | None = None
    live_events: tuple[LiveEvent, ...] = ()
    platform: tuple[str, ...] = ()
    topics: Topics | None = None
    spread: KeyUserChoice | None = None
