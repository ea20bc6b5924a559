"""Why key users come first: whom each brings, what more of them would, and what others at their places would bring."""

from dataclasses import dataclass
from math import sqrt
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.messages import Message
from segmenter.planning.launch_key_users import PickedKeyUsers
from segmenter.settings import AllocatedPlan, CoreSettings, PlanSettings
from segmenter.spread.launch_spread import EdgeChances, LaunchSpread

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_SETS = (1 << 17, 1 << 20)  # drawn anew to judge by: as many as the choice took, within these
_Z = 1.2815515655446004  # 80 % of a normal distribution lie between -z and z
_MOSTLY = 0.5  # whom somebody brings are mostly of a kind where so many are,
_FEWEST = 8  # of so many sets at least
_KINDS = 30  # and where a column tells no more kinds apart
_WORTH_IT = 0.1  # who brings less than this share of what the best brings adds little
_NO_KINDS = {"customer_id", "verdict", "province", "city", "district", "region", "role", "persona", "left_out", "group", "agent", "stratum"}


@dataclass(frozen=True)
class Estimate:
    """A mean and its interval; here that of 80 %, of the estimate: by chance one launch lies further from it."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class OtherChoice:
    """Other key users at the same places: how many, what they would bring, and how much more the chosen ones do."""

    by: Literal["score", "degree", "advocacy"]
    key_users: int
    brings: float  # people
    more: Estimate
    worth: float  # of these, in the unit of the values
    more_worth: Estimate


@dataclass(frozen=True)
class KeyUserChoice:
    """Key users from whom most is reached, and why.

    Parameters
    ----------
    people : DataFrame
        A row for each, the first first: ``order`` (from 1), ``customer_id``, ``score``, ``knows`` (how many they
        may bring), ``group``, ``alone`` (people whom they would bring by
        themselves), ``brings`` (whom those before do not), ``newcomers`` (of these: known to nobody yet), ``worth`` (of all these, in the
        `unit`), ``upto`` (people whom all up to them bring), ``city`` and ``kind`` with ``kind_column``: what most of the known ones among
        those whom they bring are, null where they are of many. No key user counts as brought.
    reaching : int
        The first so many bring somebody; the others are advocates, in places that are left.
    brings, worth : Estimate
        People whom all bring together, and what these are worth.
    stop : int or None
        Each after the first so many brings less than a tenth of what the best one does; None where nobody does.
    guarantee : float
        The share of the best possible worth that they bring at least, but for a chance of 0.1 %.
    added : int
        Those who are on the list for their reach only.
    room : int
        Places left in each group for whom they bring.
    others : tuple of OtherChoice
        The same number of key users in the same places, chosen otherwise.
    chances : EdgeChances
        How the chances were come by.
    unit : str
        ``spend`` in minor units, or ``people``.
    """

    people: pl.DataFrame
    reaching: int
    brings: Estimate
    worth: Estimate
    stop: int | None
    guarantee: float
    added: int
    room: int
    others: tuple[OtherChoice, ...]
    chances: EdgeChances
    unit: Literal["spend", "people"]


class _Pool:
    """Sets that had no part in the choice, each for a person who may be brought: a known one, or a friend whom a known one would bring."""

    def __init__(self, spread: LaunchSpread, seed: int, sets: int) -> None:
        graph = spread.graph
        known = graph.people.to_frame("person").join(spread.people, on="person", how="left", maintain_order="left")
        value, friends, newcomer = (known[name].fill_null(0).to_numpy().astype(np.float64) for name in ("value", "friends", "newcomer"))
        counts = (value > 0).astype(np.float64)
        friends = friends * counts
        known_by = counts * (np.diff(graph.offsets) > 0)  # whom nobody may bring
        self.people, nodes = graph.people, len(graph.people)
        from segmenter.spread.reach_sets import ReachSets

        self._sets = ReachSets(graph, known_by + friends, 2 * seed + 2, known_by)  # none of those that the choice has
        self._sets.grow(sets)
        self.each = self._sets.worth / sets  # people that a set stands for
        self.known, self.roots = self._sets.roots >= nodes, self._sets.roots % nodes
        self._worth = self.each * np.where(self.known, np.maximum(value - friends * newcomer, 0.0)[self.roots], newcomer[self.roots])

    def numbers(self, ids: pl.Series) -> Ints:
        """Give the numbers of people in the graph."""
        return self.people.search_sorted(ids).to_numpy().astype(np.int64)

    def judge(self, chosen: Ints) -> tuple[Ints, Floats, Floats]:
        """Give of each set which of the chosen is the first in it (their number if nobody), and what people and worth it brings them."""
        sets, turns = self._sets.turns(chosen)
        first = np.full(self._sets.count, len(chosen))
        np.minimum.at(first, sets, turns)
        first[self.known & np.isin(self.roots, chosen)] = len(chosen)  # no key user counts as brought
        reached = first < len(chosen)
        return first, np.where(reached, self.each, 0.0), np.where(reached, self._worth, 0.0)

    def alone(self, chosen: Ints) -> Floats:
        """Give how many people each would bring by themselves."""
        sets = np.bincount(self._sets.turns(chosen)[1], minlength=len(chosen)).astype(np.float64)
        return sets * self.each


def describe_key_users(frame: pl.DataFrame, spread: LaunchSpread, picked: PickedKeyUsers, chosen: pl.DataFrame, seed: int) -> KeyUserChoice:
    """Say why the `chosen` key users (``row``, ``group``) come first; `frame` has every customer."""
    pool = _Pool(spread, seed, int(np.clip(picked.found.sets, *_SETS)))
    groups = dict(chosen.select("row", "group").rows())
    rows = np.array([row for row in picked.rows.tolist() if row in groups], dtype=np.int64)
    ids = frame["customer_id"].gather(rows)
    numbers = pool.numbers(ids)
    first, people, worth = pool.judge(numbers)
    brings, value, newcomers = (np.bincount(first, part, len(rows) + 1)[:-1] for part in (people, worth, people * ~pool.known))
    table = pl.DataFrame(
        {
            "order": np.arange(1, len(rows) + 1),
            "customer_id": ids,
            "score": frame["score"].gather(rows),
            "knows": _degrees(spread)[numbers],
            "group": [groups[row] for row in rows.tolist()],
            "alone": pool.alone(numbers),
            "brings": brings,
            "newcomers": newcomers,
            "worth": np.rint(value).astype(np.int64) if spread.unit == "spend" else value,
            "upto": brings.cumsum(),
        }
    )
    degrees = pl.Series(_degrees(spread)[pool.numbers(picked.open["customer_id"])])
    rival = {"score": _best(picked, picked.open["score"]), "degree": _best(picked, degrees), "advocacy": picked.advocates}
    others = []
    for by, rivals in rival.items():
        _, theirs, their_worth = pool.judge(pool.numbers(frame["customer_id"].gather(rivals)))
        more = _estimate(people - theirs), _estimate(worth - their_worth)
        others.append(OtherChoice(by, len(rivals), float(theirs.sum()), more[0], float(their_worth.sum()), more[1]))  # type: ignore[arg-type]  # a key of these
    little = np.flatnonzero(brings >= _WORTH_IT * brings.max(initial=0.0)).max(initial=-1) + 1
    brought = (first < len(rows)) & pool.known
    return KeyUserChoice(
        table.join(_describe_brought(frame, pool, first[brought], pool.roots[brought]), on="order", how="left", maintain_order="left"),
        picked.reaching,
        _estimate(people),
        _estimate(worth),
        int(little) if 0 < little < len(rows) else None,
        picked.found.guarantee,
        picked.added,
        picked.room,
        tuple(others),
        spread.chances,
        spread.unit,
    )


def _estimate(parts: Floats) -> Estimate:
    total, half = float(parts.sum()), _Z * float(parts.std()) * sqrt(len(parts))
    return Estimate(total, total - half, total + half)


def _best(picked: PickedKeyUsers, by: pl.Series) -> Ints:
    """Give the rows of the best by something, of each kind as many as there are places."""
    most = pl.col("kind").replace_strict(picked.limits, return_dtype=pl.Int64)
    ordered = picked.open.with_columns(by=by).sort("by", "customer_id", descending=[True, False])
    return ordered.filter(pl.int_range(pl.len()).over("kind") < most)["row"].to_numpy().astype(np.int64)


def _degrees(spread: LaunchSpread) -> Ints:
    """Count whom each may bring."""
    return np.bincount(spread.graph.sources, minlength=len(spread.graph.people))


def _describe_brought(frame: pl.DataFrame, pool: _Pool, turns: Ints, roots: Ints) -> pl.DataFrame:
    """Say what most of those are whom each of the key users brings: their ``city`` (or province), and a ``kind`` of a ``kind_column``."""
    ids = pl.DataFrame({"order": turns + 1, "customer_id": pool.people.gather(roots)})
    texts = [name for name, dtype in frame.schema.items() if dtype == pl.String and name not in _NO_KINDS]
    kinds = [name for name in texts if 2 <= frame[name].n_unique() <= _KINDS] + ["segment"] * ("segment" in frame.columns)
    known = frame.select("customer_id", "city", "province", pl.col(kinds).cast(pl.String))
    brought = ids.join(known, on="customer_id", how="left", maintain_order="left")
    places = pl.concat(_most(brought, name) for name in ("province", "city")).unique("order", keep="last", maintain_order=True)
    tellings = pl.concat([places.clear(), *(_most(brought, name) for name in reversed(kinds))])
    telling = tellings.sort("order", "above", maintain_order=True).unique("order", keep="last", maintain_order=True)
    many = pl.DataFrame({"order": np.flatnonzero(np.bincount(turns, minlength=1) >= _FEWEST) + 1})
    named = places.select("order", city="value").join(
        telling.select("order", kind_column="column", kind="value"), on="order", how="full", coalesce=True
    )
    return many.join(named, on="order", how="left", maintain_order="left")


def _most(brought: pl.DataFrame, column: str) -> pl.DataFrame:
    """Give of each ``order`` the ``value`` that most of the brought have, and how far its share is ``above`` that among all of them."""
    counts = brought.group_by("order", pl.col(column).alias("value")).len("many")
    counts = counts.with_columns(share=pl.col("many") / pl.col("many").sum().over("order"))
    above = pl.col("share") - pl.col("many").sum().over("value") / pl.col("many").sum()
    most = (
        counts.with_columns(above=above).filter(pl.col("share") >= _MOSTLY, pl.col("value").is_not_null()).sort("order", "share", "value")
    )
    return most.unique("order", keep="last", maintain_order=True).select("order", "value", "above", column=pl.lit(column))


def with_brings(invitations: pl.DataFrame, frame: pl.DataFrame, reach: KeyUserChoice | None) -> pl.DataFrame:
    """Add ``brings`` to rows of the frame: how many people a key user by reach is expected to bring."""
    if reach is None:
        return invitations.with_columns(brings=pl.lit(None, dtype=pl.Float64))
    brings = dict(reach.people.select("customer_id", pl.col("brings").round(2)).rows())
    ids = frame["customer_id"].gather(invitations["row"])
    return invitations.with_columns(ids.replace_strict(brings, default=None, return_dtype=pl.Float64).alias("brings"))


def say_key_users(
    reach: KeyUserChoice | None, spread: LaunchSpread, settings: CoreSettings, groups: pl.DataFrame
) -> tuple[tuple[Message, ...], tuple[Message, ...]]:
    """Say what key users by reach rest on and change, in notes; in warnings, where they are too few, or the groups too small for them."""
    plan = settings.plan
    notes: list[Message] = []
    if reach is None:
        sentence = (
            "spread: by all that is known (data.referrals, data.ties, spread.same) nobody who may be a key user would bring anybody: key "
            "users are the best advocates, as with spread=off"
        )
        return tuple(notes), (Message("planning.nobody_reaches", sentence),) if plan.key_users else ()
    count = reach.people.height
    sentence = (
        "The {count:,} key users are those from whom most is reached: once all have joined they are expected to bring {brings:,.0f} people "
        "within {days} days; {added:,} of them are invited only because of whom they bring."
    )
    facts = {"count": count, "brings": reach.brings.mean, "days": settings.launch.horizon_days, "added": reach.added}
    notes.append(Message("planning.key_users_by_reach", sentence, **facts))
    if reach.room:
        sentence = "In each group {room:,} of plan.group_capacity={capacity:,} places are left for whom key users bring."
        notes.append(Message("planning.room_for_friends", sentence, room=reach.room, capacity=plan.group_capacity + reach.room))
    if isinstance(plan, AllocatedPlan):
        sentence = "plan=allocated decides who is invited; key users are those of the invited who reach most, in each group."
        notes.append(Message("planning.reach_of_invited", sentence))
    if plan.holdout and plan.holdout_by == "customer":
        sentence = (
            "Who is held out may be brought by members all the same: the control group measures the direct effect of an invitation "
            "only, and not what key users bring; plan.holdout_by=region measures both."
        )
        notes.append(Message("planning.direct_effect", sentence))
    elif plan.holdout:
        sentence = "Whole regions are held out: the lift has in it what people bring about in each other, as far as that stays in a region."
        notes.append(Message("planning.total_effect", sentence))
    warnings = _too_full(reach, groups, plan)
    if not (left := count - reach.reaching):
        return tuple(notes), warnings
    sentence = (
        "of {count:,} places for key users {left:,} are the best advocates': nobody else there would bring anybody, by all that is known"
    )
    return tuple(notes), (*warnings, Message("planning.places_left", sentence, count=count, left=left))


def _too_full(reach: KeyUserChoice, groups: pl.DataFrame, plan: PlanSettings) -> tuple[Message, ...]:
    """Say where those who are called leave no room for whom key users bring into their groups: a simple plan leaves it."""
    if not isinstance(plan, AllocatedPlan):
        return ()
    friends = reach.people.group_by("group").agg(friends=(pl.col("brings") - pl.col("newcomers")).clip(0).sum()).sort("group")
    over = pl.col("expected_joins") + pl.col("friends") - plan.group_capacity
    known = groups.join(friends, on="group", maintain_order="left").select("friends", left=over.clip(0, pl.col("friends")))
    asked, left = (round(known[name].sum()) for name in ("friends", "left"))
    if not left:
        return ()
    sentence = (
        "those who are called fill the groups: of {friends:,} whom key users may bring into them {left:,} find no place; invite fewer "
        "(plan.size), or raise plan.group_capacity"
    )
    return (Message("planning.no_room_for_friends", sentence, friends=asked, left=left),)
