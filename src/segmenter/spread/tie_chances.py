"""With what chance people bring each other: by who knows whom, and by what came of it at earlier launches."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from segmenter.errors import ConfigError, InputError, nearest
from segmenter.messages import Message
from segmenter.settings import CoreSettings, ReferralSpread
from segmenter.spread.graph import cap_friends, cascade_chances
from segmenter.tables import TIES

PAIR = ["from_id", "to_id"]
_MOST_SHARED = 500  # customers with one value of an attribute who may be expected to know each other
_MOST_PAIRS = 20_000_000  # of all who share one
# What chances are learned from at least. Of 20 who were brought a rate is known to a fifth or so; and where 200 could have been and next to
# nobody was, it is below 2 %, which a guess should not be held against.
_BROUGHT, _ASKED = 20, 200
_JOINED = pl.Schema(
    {
        **dict.fromkeys(("launch", "community", "customer_id", "answer", "brought_by"), pl.String()),
        "answered_on": pl.Date(),
    }
)
# Whom a member could have brought in a launch: pairs; how many of them they asked at most; and who was brought.
_NOBODY = pl.Schema({"from_id": pl.String(), "pairs": pl.Int64(), "asked": pl.Float64(), "brought": pl.Int64()})


@dataclass(frozen=True)
class EdgeChances:
    """With what chance people bring each other.

    `edges` has ``from_id``, ``to_id`` and ``chance``: that the first, once in the community, brings the second within the horizon. They are
    `learned` from the pairs of past launches in which somebody could have been brought (`asked`), and who was (`joined`), or else those of
    the weighted cascade. `notes` say so, and what was left out.
    """

    edges: pl.DataFrame
    learned: bool
    asked: int
    joined: int
    notes: tuple[Message, ...] = ()


def spread_settings(settings: CoreSettings) -> ReferralSpread:
    """Give the settings of the spread; a ConfigError where it is off."""
    if not isinstance(settings.spread, ReferralSpread):
        raise ConfigError(Message("spread.off", "spread: should be referrals, where it is asked who brings whom (got off)"))
    return settings.spread


def edge_chances(
    ties: pl.DataFrame | None,
    referrals: pl.DataFrame,
    customers: pl.DataFrame,
    past: pl.DataFrame | None,
    settings: CoreSettings,
    as_of: date,
) -> EdgeChances:
    """Give the chances with which people bring each other: an edge for each pair whose second is not in the community yet; sorted.

    `ties` are as `tables.TIES`, `referrals` as `tables.REFERRALS`, `past` as `tables.INVITED`; `customers` have the attributes of
    ``spread.same``. A pair weighs 1 for a referral and for each attribute that they share, and what its tie weighs. The first guess is the
    chance of the weighted cascade times ``plan.join_chance``. Where past launches that are over tell enough, it is the share that the first
    has brought of those whom they could have: whom they knew before the launch and who did not join otherwise until its end. By
    beta-binomial means of ``spread.evidence`` it is drawn towards the share of all, and that towards the first guess. Of more than
    ``spread.friends`` whom somebody knows they ask so many: what is learned and what is given allow for it.
    """
    spread = spread_settings(settings)
    shared, notes = _sharing(customers, spread.same)
    standing = pl.concat([TIES.to_frame(), *shared, *([] if ties is None else [ties.select(TIES.names())])])
    pairs = _pairs(standing, referrals.filter((pl.col("time") < as_of) | pl.col("time").is_null()), spread)
    if pairs.is_empty():
        sentence = (
            "spread=referrals: nobody is known to know anybody; name referrals of before the as-of date (data.referrals), who knows whom "
            "(data.ties) or what those share who know each other (spread.same=[account]), or take spread=off"
        )
        raise InputError(Message("spread.nobody_known", sentence))
    first = cascade_chances(_without(pairs, members(past, settings.launch.community, as_of)))
    first = first.with_columns(pl.col("chance") * settings.plan.join_chance).sort(PAIR)
    told = _NOBODY.to_frame()
    for launch, community, began, ended in _over(past, as_of):
        known = _pairs(standing, referrals.filter(pl.col("time") < began), spread)
        told = pl.concat([told, _asked(known, members(past, community, ended), launch, began, spread.friends)])
    asked, brought = int(told["pairs"].sum()), int(told["brought"].sum())
    learned = brought >= _BROUGHT or asked >= _ASKED
    edges = cap_friends(_learned(first, told, spread.evidence) if learned else first, spread.friends)
    return EdgeChances(edges, learned, asked, brought, (_say(asked, brought, settings, learned=learned), *notes))


def members(past: pl.DataFrame | None, community: str, before: date) -> pl.DataFrame:
    """Give who had joined a community by a date: ``customer_id``, and of the first time ``launch``, ``joined_on`` and ``brought_by``."""
    known = pl.concat([_JOINED.to_frame(), *([] if past is None else [past])], how="diagonal_relaxed").select(_JOINED.names())
    joined = known.filter(pl.col("answer") == "joined", pl.col("answered_on") < before, community=community)
    first = joined.sort("customer_id", "answered_on", "launch").unique("customer_id", keep="first", maintain_order=True)
    return first.select("customer_id", "launch", "brought_by", joined_on="answered_on")


def _over(past: pl.DataFrame | None, as_of: date) -> list[tuple[str, str, date, date]]:
    """List the launches that are over: of others nobody knows yet whom their members do not bring."""
    if past is None:
        return []
    launches = past.filter(pl.col("ends_on") <= as_of).select("launch", "community", "as_of", "ends_on").unique()
    return launches.sort(pl.all()).rows()


def _sharing(customers: pl.DataFrame, names: Sequence[str]) -> tuple[list[pl.DataFrame], list[Message]]:
    """Give the pairs of customers who share an attribute, both ways; a value that very many share is left out, and that is said."""
    attributes = [name for name, dtype in customers.schema.items() if dtype == pl.String and name not in ("customer_id", "verdict")]
    sentence = "spread.same: {name}: should be an attribute of the customers (data.customers.attributes){nearest}"
    if wrong := [name for name in names if name not in attributes]:
        raise ConfigError(*(Message("spread.no_attribute", sentence, name=name, nearest=nearest(name, attributes)) for name in wrong))
    pairs: list[pl.DataFrame] = []
    notes: list[Message] = []
    for name in names:
        groups = customers.select("customer_id", value=name).drop_nulls().with_columns(many=pl.len().over("value"))
        if (large := groups.filter(pl.col("many") > _MOST_SHARED)).height:
            sentence = (
                "spread.same: {name}: {count:,} values are shared by more than {most} customers each (one by {largest:,}), who hardly all "
                "know each other; they are left out"
            )
            facts = {"count": large["value"].n_unique(), "most": _MOST_SHARED, "largest": large["many"].max()}
            notes.append(Message("spread.many_share", sentence, name=name, **facts))
        small = groups.filter(pl.col("many") <= _MOST_SHARED)
        if (count := int((small["many"].cast(pl.Int64) - 1).sum())) > _MOST_PAIRS:
            sentence = "spread.same: {name}: should make at most {most:,} pairs of customers who share it (got {count:,}); leave it out"
            raise InputError(Message("spread.many_pairs", sentence, name=name, most=_MOST_PAIRS, count=count))
        both = small.join(small, on="value", suffix="_other").filter(pl.col("customer_id") != pl.col("customer_id_other"))
        pairs.append(both.select(from_id="customer_id", to_id="customer_id_other", weight=pl.lit(1.0)))
    return pairs, notes


def _pairs(standing: pl.DataFrame, referrals: pl.DataFrame, spread: ReferralSpread) -> pl.DataFrame:
    """Give who knows whom as `tables.TIES`: what stands anyway, and by these referrals."""
    brought = referrals.select(from_id="customer_id", to_id="friend_id", weight=pl.lit(1.0)).drop_nulls().unique()
    back = [brought.select(from_id="to_id", to_id="from_id", weight="weight")] if spread.both_ways else []
    all_ = pl.concat([standing, brought, *back]).filter(pl.col("from_id") != pl.col("to_id"), pl.col("weight") > 0)
    return all_.sort(pl.all()).group_by(PAIR, maintain_order=True).agg(pl.col("weight").sum())  # a sum of floats differs by their order


def _without(pairs: pl.DataFrame, inside: pl.DataFrame) -> pl.DataFrame:
    """Leave out pairs whose second is in the community already."""
    return pairs.join(inside, left_on="to_id", right_on="customer_id", how="anti", maintain_order="left")


def _asked(pairs: pl.DataFrame, inside: pl.DataFrame, launch: str, began: date, friends: float) -> pl.DataFrame:
    """Count whom each member could have brought in a launch, as `_NOBODY`; `inside` are the community's members at its end.

    Whoever joined otherwise, before or after, is not counted: nobody knows whether the member would have brought them.
    """
    known = _without(pairs, inside.filter(pl.col("joined_on") < began))
    known = known.with_columns(share=(friends / pl.len().over("from_id")).clip(upper_bound=1))  # of those they know they ask so many
    bringers = inside.filter(launch=launch).select(from_id="customer_id")
    then = inside.select("joined_on", "brought_by", to_id="customer_id")
    met = known.join(bringers, on="from_id", how="semi", maintain_order="left").join(then, on="to_id", how="left", maintain_order="left")
    met = met.with_columns(brought=(pl.col("brought_by") == pl.col("from_id")).fill_null(value=False))
    counted = met.filter(pl.col("brought") | pl.col("joined_on").is_null()).group_by("from_id", maintain_order=True)
    sums = {
        "pairs": pl.len().cast(pl.Int64),
        "asked": pl.col("share").first() * pl.len(),
        "brought": pl.col("brought").sum().cast(pl.Int64),
    }
    return counted.agg(**sums).select(_NOBODY.names())


def _learned(first: pl.DataFrame, told: pl.DataFrame, evidence: float) -> pl.DataFrame:
    """Give each edge the rate of who brings: drawn towards that of all, which is drawn towards the mean of the first guesses."""
    of_each = told.group_by("from_id", maintain_order=True).agg(pl.col("asked", "brought").sum()).sort("from_id")
    guess = float(first["chance"].to_numpy().mean()) if first.height else 0.0
    overall = min((int(of_each["brought"].sum()) + evidence * guess) / (float(of_each["asked"].to_numpy().sum()) + evidence), 1.0)
    rate = (pl.col("brought").fill_null(0) + evidence * overall) / (pl.col("asked").fill_null(0) + evidence)
    rated = first.join(of_each, on="from_id", how="left", maintain_order="left")
    return rated.select(*PAIR, chance=rate.clip(upper_bound=1))


def _say(asked: int, brought: int, settings: CoreSettings, *, learned: bool) -> Message:
    """Say where the chances come from."""
    if learned:
        sentence = (
            "With what chance people bring each other is learned from past launches: in {asked:,} pairs a member could have brought "
            "somebody they know, and in {joined:,} did ({share:.2%})."
        )
        return Message("spread.chances_learned", sentence, asked=asked, joined=brought, share=brought / asked)
    sentence = (
        "With what chance people bring each other is a guess: all who know somebody together bring them with a chance of {chance:.3g} % "
        "(plan.join_chance). Past launches tell too little: in {asked:,} pairs a member could have brought somebody they know, "
        "and in {joined:,} did."
    )
    return Message("spread.chances_guessed", sentence, chance=100 * settings.plan.join_chance, asked=asked, joined=brought)
