"""Roles: what customers do for the community, from kinds of events with time decay."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from difflib import get_close_matches
from math import ceil

import polars as pl

from segmenter.errors import InputError, nearest
from segmenter.messages import Message
from segmenter.settings import CoreSettings
from segmenter.settings.role_points import ROLE
from segmenter.tables import TROUBLES, Tables

HOLDS = 0.5  # who scores so much holds the role
REFERRAL = "referral"  # a friend brought, which stands among the referrals and not among the events
_ONE = 1 << 20  # an event of today in whole numbers, as sums of floats over groups would differ with the number of threads
_OLDEST = 1 << 16  # days
_ALIKE = 0.8  # so near is a slip to a kind that counts for something else


def with_roles(measures: pl.DataFrame, tables: Tables, settings: CoreSettings, as_of: date, half_life_days: float) -> pl.DataFrame:
    """Add ``role_<name>`` for each role and ``role``, the one that a customer holds most, null where none; nothing without roles.

    A role's points are those of each event before the date times 2^(-days since / half-life). A friend counts from the day on which they
    were brought; without a day, as much as after one half-life. The bound is the points of the last among the `launch.role_share` of
    customers, staff and who is blocked apart, that have most, ties included, and at least `launch.role_points`. The score is points /
    (points + bound): 0 without any, and who has `HOLDS` or more holds the role.
    """
    if not settings.roles:
        return measures
    names = {name: f"{ROLE}{name}" for name in settings.roles}
    if taken := [name for name in ("role", *names.values()) if name in measures.columns]:
        sentence = (
            "data.customers.attributes: {names}: so segmenter calls a column of its own; rename it in the source, or choose roles=none"
        )
        raise InputError(Message("measures.role_taken", sentence, names=tuple(taken)))
    counts = _decayed_counts(tables, sorted(counted_kinds(settings)), as_of, half_life_days)
    if counts.is_empty():  # columns of nothing take neither time nor memory
        return measures.with_columns(*(pl.lit(0.0).alias(name) for name in names.values()), role=pl.lit(None, pl.String))
    known = measures.lazy().select("customer_id", apart=pl.any_horizontal("staff", "blocked"))
    frame = known.join(counts.lazy(), on="customer_id", how="left", maintain_order="left").collect()
    columns = []
    for name, worth in settings.roles.items():
        total = pl.repeat(0.0, pl.len())
        for kind, each in worth.items():  # in a fixed order, as these are floats
            if (count := f"events_{kind.lower()}") in frame.columns:
                total = total + pl.col(count).fill_null(0) / _ONE * each
        columns.append(total.alias(names[name]))
    points = frame.select("apart", *columns)
    few, rated = settings.launch.role_share, points.filter(~pl.col("apart"))
    bounds = {name: max(settings.launch.role_points, rated[name].top_k(ceil(few * rated.height)).min() or 0.0) for name in names.values()}
    scores = points.select(pl.col(name) / (pl.col(name) + bound) for name, bound in bounds.items())
    most = pl.max_horizontal(names.values())
    role = pl.coalesce(pl.when((pl.col(column) == most) & (most >= HOLDS)).then(pl.lit(name)) for name, column in names.items())
    return measures.hstack(scores.with_columns(role=role))


def dated(tables: Tables) -> Tables:
    """Leave out referrals without a time, of which nobody knows whether they were there at a past date."""
    return replace(tables, referrals=tables.referrals.filter(pl.col("time").is_not_null()))


def counted_kinds(settings: CoreSettings) -> set[str]:
    """List the kinds of events that some role gives points for."""
    return {kind.lower() for worth in settings.roles.values() for kind, points in worth.items() if points}


def _decayed_counts(tables: Tables, kinds: Sequence[str], as_of: date, half_life_days: float) -> pl.DataFrame:
    """Count each customer's events of each kind, an older one less: ``events_<kind>`` of each that somebody did, in 2**-20."""
    brought = tables.referrals.lazy().filter(pl.col("customer_id") != pl.col("friend_id"))
    first = brought.group_by("customer_id", "friend_id").agg(pl.col("time").min())
    events = tables.events.lazy().filter(pl.col("kind").is_in(kinds), pl.col("kind") != REFERRAL).select("customer_id", "kind", "time")
    parts = [events, *([first.select("customer_id", pl.lit(REFERRAL).alias("kind"), "time")] if REFERRAL in kinds else [])]
    since = pl.max_horizontal((pl.lit(as_of) - pl.col("time").dt.date()).dt.total_days().fill_null(round(half_life_days)), 0)
    # Plain Python powers: vectorised ones may differ in the last bit with a value's place in its vector.
    left = pl.Series([round(_ONE * 2.0 ** (-day / half_life_days)) for day in range(_OLDEST)], dtype=pl.Int64)
    before = pl.concat(parts).filter(pl.col("time").is_null() | (pl.col("time") < as_of))
    acts = before.select("customer_id", "kind", weight=pl.lit(left).gather(since.clip(upper_bound=_OLDEST - 1))).collect()
    done = sorted(acts["kind"].unique())
    return acts.group_by("customer_id").agg(pl.col("weight").filter(pl.col("kind") == kind).sum().alias(f"events_{kind}") for kind in done)


def unknown_kinds(frame: pl.DataFrame, settings: CoreSettings) -> list[Message]:
    """Warn of kinds of events that the shop does not have and may have meant otherwise, and of roles that are asked for and nobody has."""
    there = {name.removeprefix("events_") for name in frame.columns if name.startswith("events_")}
    scoring = settings.scoring
    free = there - {*TROUBLES} - counted_kinds(settings) - {kind.lower() for kind in (*scoring.engagement, *scoring.advocacy)}
    meant = []
    for name, worth in settings.roles.items():
        for kind in sorted({kind.lower() for kind in worth} & counted_kinds(settings) - there - {REFERRAL}):
            own = {*map(str.lower, worth)}  # a kind beside it is another name for the same, and meant so
            near = [*get_close_matches(kind, free, cutoff=0.6), *get_close_matches(kind, there - own, cutoff=_ALIKE)]
            hint = nearest(kind, near)
            meant += [Message("rules.unknown_kind", "{role}.{kind}{hint}", role=name, kind=kind, hint=hint)] if near else []
    sentence = "roles: nobody did anything of these kinds: {kinds}"
    asked = {name for name, weight in scoring.role_weights.items() if weight} | ({settings.launch.role} - {None})
    idle = [name for name in settings.roles if name in asked and not (frame[f"{ROLE}{name}"] > 0).any()]
    empty = "roles: nobody has points for {roles}; the kinds of events here: {kinds}"
    return [
        *([Message("rules.unknown_kinds", sentence, kinds=tuple(meant))] if meant else []),
        *([Message("rules.idle_roles", empty, roles=tuple(idle), kinds=tuple(sorted(there) or ["–"]))] if idle else []),
    ]
