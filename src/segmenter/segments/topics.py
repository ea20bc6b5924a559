"""What customers buy and do, as a few topics: whose is which, how strongly, and what they are called."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from segmenter.errors import InputError, nearest
from segmenter.messages import Message
from segmenter.segments.fitted import Fitted
from segmenter.segments.topic_model import UNIT, assign_topics, fit_topics, near_topics
from segmenter.settings import TopicsSettings

_SHOWN = 3  # categories of a profile
UNKNOWN = 0.1  # a larger share of what is bought in categories that topics made earlier do not know is said


@dataclass(frozen=True)
class Topics:
    """The topics of a launch.

    `customers` has ``customer_id``, ``topic`` and ``topic_share``: how much of what they buy and do is of the topic's own categories;
    sorted, without those of whom nothing is known. `profiles` has a row for each topic, the largest first: ``topic``, ``customers``,
    ``strength`` (their median share), and ``category_1``, ``share_1`` and so on, what they buy most of. `interests` are those of
    `count_interests`, `model` is plain and kept for the next launch, `near` names the other topics of each, the nearest first.
    """

    customers: pl.DataFrame
    profiles: pl.DataFrame
    interests: pl.DataFrame
    model: Mapping[str, Any]
    near: Mapping[str, tuple[str, ...]]
    why: Message
    warnings: tuple[Message, ...]


def count_interests(spending: pl.DataFrame | None, events: pl.DataFrame, kinds: Sequence[str], as_of: date) -> pl.DataFrame:
    """Count what customers bought and did before a date: ``customer_id``, ``category``, ``share`` (in millionths), sorted.

    Bought counts what was spent net of refunds, done the events of some kinds; who did both has half of each.
    """
    parts = []
    if spending is not None:
        bought = spending.lazy().filter(pl.col("time") < as_of, pl.col("category").is_not_null())
        parts.append(bought.group_by("customer_id", "category").agg(pl.col("amount").sum()))
    if kinds:
        did = events.lazy().filter(pl.col("time") < as_of, pl.col("kind").is_in(list(kinds)))
        parts.append(did.group_by("customer_id", pl.col("kind").alias("category")).agg(pl.len().cast(pl.Int64).alias("amount")))
    shares = [_shares(part.filter(pl.col("amount") > 0)) for part in parts]
    joined = pl.concat(shares).group_by("customer_id", "category").agg(pl.col("amount").sum())
    return _shares(joined).rename({"amount": "share"}).filter(pl.col("share") > 0).sort("customer_id", "category").collect()


def _shares(amounts: pl.LazyFrame) -> pl.LazyFrame:
    share = pl.col("amount") / pl.col("amount").sum().over("customer_id") * UNIT
    return amounts.select("customer_id", "category", share.round().cast(pl.Int64).alias("amount"))


def find_topics(
    interests: pl.DataFrame, settings: TopicsSettings, *, seed: int, kinds: Sequence[str] = (), fitted: Fitted | None = None
) -> Topics:
    """Find the topics of customers by their interests, or take those of an earlier launch.

    Nothing depends on the order of rows or the number of threads. `kinds` are those that the shop's events have.
    """
    warnings = [
        Message("segments.no_such_kind", "topics.events: nobody has done {kind}{hint}", kind=kind, hint=nearest(kind, kinds))
        for kind in settings.events
        if kind not in kinds
    ]
    kept, said = _keep(fitted, settings)
    warnings += said
    if fitted is not None and kept is not None:
        model: Mapping[str, Any] = kept
        why = Message("segments.topics_kept", "{k} topics, those of {launch}", k=len(kept["names"]), launch=fitted.launch or "")
        warnings += _unknown(interests, kept)
    else:
        model, why, left_out = fit_topics(interests, settings, seed)
        warnings += left_out
    customers = assign_topics(interests, model)
    profiles = _profiles(interests, customers)
    return Topics(
        customers.select("customer_id", "topic", "topic_share"), profiles, interests, model, near_topics(model), why, tuple(warnings)
    )


def _keep(fitted: Fitted | None, settings: TopicsSettings) -> tuple[Mapping[str, Any] | None, list[Message]]:
    """Give the topics of an earlier launch, where they are what is asked for; an InputError where they cannot be read."""
    if fitted is None or not fitted.topics or fitted.topics.get("names") == []:
        return None, []
    kept, launch = fitted.topics, fitted.launch or ""
    match kept:
        case {"names": list(names), "own": list(own), "centers": dict(centers), "events": list(events)} if len(own) == len(names) == len(
            set(names)
        ) and all(len(values) == len(names) and all(isinstance(value, int) for value in values) for values in centers.values()):
            if events == list(settings.events) and settings.k in ("auto", len(names)):
                return kept, []
            sentence = "topics: are made new, as topics.k or topics.events is not what it was in {launch}"
            return None, [Message("segments.topics_new", sentence, launch=launch)]
    sentence = (
        "topics of {launch}: are not as `segmenter launch` wrote them; name another launch's, or make them new with segments.from=new"
    )
    raise InputError(Message("segments.topics_damaged", sentence, launch=launch))


def _unknown(interests: pl.DataFrame, model: Mapping[str, Any]) -> list[Message]:
    new = interests.filter(~pl.col("category").is_in(list(model["centers"])))
    share = int(new["share"].sum()) / max(int(interests["share"].sum()), 1)
    if share <= UNKNOWN:
        return []
    sentence = (
        "topics: {share:.0%} of what customers buy is in categories that the topics were not made of, such as {names}; make them new with "
        "segments.from=new"
    )
    most = new.group_by("category").len().sort("len", "category", descending=[True, False])["category"].head(3)
    return [Message("segments.topics_unknown", sentence, share=share, names=tuple(most))]


def _profiles(interests: pl.DataFrame, customers: pl.DataFrame) -> pl.DataFrame:
    sizes = customers.group_by("topic").agg(
        pl.len().cast(pl.Int64).alias("customers"), pl.col("topic_share").median().round(4).alias("strength")
    )
    shares = interests.join(customers, on="customer_id").group_by("topic", "category").agg(pl.col("share").sum())
    best = shares.sort("topic", "share", "category", descending=[False, True, False]).group_by("topic", maintain_order=True).head(_SHOWN)
    wide = best.group_by("topic", maintain_order=True).agg("category", "share")
    shown = [
        column.alias(f"{name}_{place + 1}")
        for place in range(_SHOWN)
        for name, column in (
            ("category", pl.col("category").list.get(place, null_on_oob=True)),
            ("share", (pl.col("share").list.get(place, null_on_oob=True) / pl.col("customers") / UNIT).round(4)),
        )
    ]
    profiles = sizes.join(wide, on="topic", how="left").select("topic", "customers", "strength", *shown)
    return profiles.sort("customers", "topic", descending=[True, False])
