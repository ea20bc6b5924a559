"""A launch run forward day by day, compiled. Imports Numba, so it is imported where it is used.

Whatever is drawn belongs to a run and to who or what it is about: the same at any number of threads, and the same for every tier, so that
tiers differ by what they change and by nothing else.
"""

import math
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmenter.compiled import compiled
from segmenter.spread.reach_sets import _mix, _unit

Floats = NDArray[np.float64]
Longs = NDArray[np.int64]
GENERATIONS = 8  # that are told apart; the last has all that follow
KINDS = 5
CALLED, BROUGHT, NEW, SALES, COST = range(KINDS)  # what is counted by run and day
_BLOCK = 8  # runs that a thread takes at a time
_ODD = np.uint64(0x9E3779B97F4A7C15)
_MANY, _TRIES = 1 << 32, 16  # more than anybody brings; customers who are looked at until one is no member
_JOINS, _LAG, _BUYS, _EDGE, _OTHERS, _NEW = (np.uint64(number * 0xD1342543DE82EF95 % 2**64) for number in range(1, 7))


@dataclass(frozen=True)
class World:
    """What does not differ between runs.

    People are numbered. After them come, in `orders`, `shapes`, `scales` and `spends_like`, whoever is no customer and joins a group, and
    whoever becomes a customer and joins none.
    """

    called: Longs  # who is called, on which day, into which group, and of which bin their chance to join is
    call_day: Longs
    group: Longs
    join_bin: Longs
    gift: int  # what each who joins is given, in minor units
    gifts: Longs  # and who has brought so many friends; of more than there are, nothing
    lags: Longs  # days from a call to joining, each as likely
    places: Longs  # of each group
    offsets: Longs  # where the ties of each person begin, and where the last one's end
    targets: NDArray[np.int32]
    chances: Floats  # to bring them within the horizon
    open: NDArray[np.bool_]  # who may be brought
    others: Longs  # customers who may be brought by somebody not known to know them
    shapes: Floats  # of each person's gamma distributed number of new customers whom they bring within the horizon
    scales: Floats
    orders: Floats  # each person's average order, in minor units
    spends_like: Longs  # each person's bin of ranks
    fatigue: Floats  # by day after joining: the share of the horizon's bringing up to it
    most: int  # whom somebody brings


@dataclass(frozen=True)
class Buyers:
    """Customers of past dates whose purchases members repeat: by date and bin of ranks, the last of the bins of new customers."""

    starts: Longs  # (dates, bins + 1): the first buyer of each
    firsts: Longs  # the first purchase of each buyer, and where the last one's end
    ends: Longs
    since: Longs  # the date, or the day on which they became a customer
    days: NDArray[np.int32]
    amounts: Longs


@dataclass(frozen=True)
class Draws:
    """What is not known, by run."""

    join: Floats  # (runs, bins of the score and one more)
    ties: Floats  # by what the chances along ties are multiplied
    others: Floats  # by what the number of new customers is multiplied: for others whom somebody brings into their group, and for these
    new: Floats
    known: Floats  # the share of customers among the others
    response: Floats
    date: Longs  # whose purchases are repeated
    level: Floats  # of the sales


def run_forward(
    world: World, buyers: Buyers, draws: Draws, levels: Longs, rewards: Floats, shares: bool, pull: Floats, days: int, seed: int
) -> Any:
    """Run a tier: by run and day who was called in, brought, what was bought and paid; by run the generations, and who found no place.

    `levels` are the friends of each of the tier's `rewards`: shares of an average order, or minor units. `pull` is by person the most that
    a reward of any tier comes to, as a share of their average order.
    """
    runs = len(draws.level)

    def block(first: int) -> Any:
        size = min(_BLOCK, runs - first)
        about = np.uint64(seed % 2**64), levels, rewards, shares, pull, days
        return _run(first, size, *about, *vars(world).values(), *vars(buyers).values(), *vars(draws).values())

    with ThreadPoolExecutor(os.cpu_count()) as cores:
        drawn = list(cores.map(block, range(0, runs, _BLOCK)))
    return tuple(np.concatenate(parts) for parts in zip(*drawn, strict=True))


@compiled
def _poisson(mean: float, key: Any) -> int:
    state, count, total = key, 0, 0.0
    while True:
        state += _ODD
        total -= math.log(_unit(_mix(state)))
        if total > mean:
            return count
        count += 1


@compiled
def _gamma(shape: float, key: Any) -> float:
    """Draw from the gamma distribution of scale 1 (Marsaglia and Tsang 2000)."""
    state = key + _ODD
    boost = _unit(_mix(state)) ** (1.0 / shape) if shape < 1.0 else 1.0
    wide = (shape + 1.0 if shape < 1.0 else shape) - 1.0 / 3.0
    narrow = 1.0 / math.sqrt(9.0 * wide)
    while True:
        state += _ODD
        first = _unit(_mix(state))
        state += _ODD
        normal = math.sqrt(-2.0 * math.log(first)) * math.cos(2.0 * math.pi * _unit(_mix(state)))
        cube = (1.0 + narrow * normal) ** 3
        state += _ODD
        if cube > 0.0 and math.log(_unit(_mix(state))) < 0.5 * normal * normal + wide * (1.0 - cube + math.log(cube)):
            return boost * wide * cube


@compiled
def _reward(friends: int, levels: Any, rewards: Any, shares: bool, order: float) -> Any:
    """Give what so many friends come to, in minor units."""
    count = 0
    while count < len(levels) and levels[count] <= friends:
        count += 1
    if count == 0:
        return 0.0
    return rewards[count - 1] * order if shares else rewards[count - 1]


@compiled
def _run(  # noqa: PLR0912, PLR0915
    first: int, runs: int, seed: Any, levels: Any, rewards: Any, shares: bool, pull: Any, days: int,
    called: Any, call_day: Any, groups: Any, join_bin: Any, gift: Any, gifts: Any, lags: Any, places: Any, offsets: Any, targets: Any,
    chances: Any, open_: Any, others: Any, shapes: Any, scales: Any, orders: Any, spends_like: Any, fatigue: Any, most: int,
    starts: Any, firsts: Any, ends: Any, origin: Any, bought_on: Any, amounts: Any,
    join: Any, ties: Any, other: Any, new: Any, known: Any, response: Any, date: Any, level: Any,
) -> Any:  # fmt: skip
    people, room = len(offsets) - 1, places.sum()
    by_day = np.zeros((runs, days, KINDS), dtype=np.int64)
    by_generation, turned = np.zeros((runs, GENERATIONS), dtype=np.int64), np.zeros(runs, dtype=np.int64)
    number = np.full(people + 2, -1, dtype=np.int64)  # of each person among the members
    person, group, generation = np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room, np.int64)
    friends = np.empty(room, np.int64)
    size = 4 * len(called) + 64
    after, who, whom = np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size, np.int64)
    bar, own = np.empty(size, np.float64), np.empty(size, np.uint64)
    for run in range(runs):
        at = first + run
        base = _mix(seed + np.uint64(at) * _ODD)
        heads = np.full(days, -1, dtype=np.int64)  # what happens on each day, the last that was found first
        free, members, taken = 0, 0, np.zeros(len(places), dtype=np.int64)
        for index in range(len(called) - 1, -1, -1):
            key = _mix(base + np.uint64(called[index]) * _ODD)
            day = call_day[index] + lags[int(_unit(_mix(key + _LAG)) * len(lags))]
            if day < days and _unit(_mix(key + _JOINS)) < join[at, join_bin[index]]:
                after[free], who[free], whom[free], own[free] = heads[day], -1 - index, called[index], key
                heads[day] = free
                free += 1
        for day in range(days):
            event = heads[day]
            while event >= 0:
                by, node, key, needs = who[event], whom[event], own[event], bar[event]
                event = after[event]
                if node == people and len(others) and _unit(_mix(key + _EDGE)) < known[at]:
                    for turn in range(_TRIES):  # another customer than the members
                        node = others[int(_unit(_mix(key + np.uint64(turn) * _ODD)) * len(others))]
                        if number[node] < 0:
                            break
                    key = _mix(base + np.uint64(node) * _ODD)
                if number[node] >= 0:
                    continue
                paid = 0.0
                if by >= 0:
                    order = orders[person[by]]
                    paid = _reward(friends[by] + 1, levels, rewards, shares, order) - _reward(friends[by], levels, rewards, shares, order)
                    if friends[by] >= most or needs >= 1.0 + response[at] * paid / max(order, 1.0):
                        continue
                into = group[by] if by >= 0 else groups[-1 - by]
                if node <= people and taken[into] >= places[into]:
                    turned[run] += 1
                    continue
                if by >= 0:
                    friends[by] += 1
                    paid += gifts[min(friends[by], len(gifts) - 1)]
                else:
                    paid += gift
                by_day[run, day, COST] += round(paid)
                by_day[run, day, NEW if node > people else BROUGHT if by >= 0 else CALLED] += 1
                # They buy as one of those did who ranked as they do; who is new, from the first day on as others who were.
                low, high = starts[date[at], spends_like[node]], starts[date[at], spends_like[node] + 1]
                if high > low:
                    buyer = low + int(_unit(_mix(key + _BUYS)) * (high - low))
                    for purchase in range(firsts[buyer], ends[buyer]):
                        on = bought_on[purchase] - origin[buyer] + (day if node >= people else 0)
                        if on >= days:
                            break
                        if on >= day:
                            by_day[run, on, SALES] += round(level[at] * amounts[purchase])
                if node > people:
                    continue
                member = members
                members += 1
                taken[into] += 1
                person[member], group[member], friends[member] = node, into, 0
                generation[member] = generation[by] + 1 if by >= 0 else 0
                by_generation[run, min(generation[member], GENERATIONS - 1)] += 1
                if node < people:
                    number[node] = member
                # Whom they may bring: along ties, others into their group, and new customers.
                highest = 1.0 + response[at] * pull[node]
                edges = offsets[node + 1] - offsets[node] if node < people else 0
                readily = _gamma(shapes[node], _mix(key + _OTHERS)) * scales[node] * highest
                strangers = _poisson(readily * other[at], _mix(key + _NEW))
                found = edges + strangers + _poisson(readily * new[at], _mix(key + _NEW + _OTHERS))
                if free + found > len(after):
                    grown = 2 * len(after) + found
                    after, who = np.concatenate((after, np.empty(grown, np.int64))), np.concatenate((who, np.empty(grown, np.int64)))
                    whom, bar = np.concatenate((whom, np.empty(grown, np.int64))), np.concatenate((bar, np.empty(grown, np.float64)))
                    own = np.concatenate((own, np.empty(grown, np.uint64)))
                for place in range(found):
                    if place < edges:
                        edge = offsets[node] + place
                        target: Any = np.int64(targets[edge])
                        drawn = _mix(_mix(base + _EDGE) + np.uint64(edge) * _ODD)
                        needs = _unit(_mix(drawn)) / max(chances[edge] * ties[at], 1e-300)
                        if not open_[target] or needs >= highest:
                            continue
                    else:
                        drawn = _mix(
                            _mix(key + _EDGE) + np.uint64(place if place < edges + strangers else place - strangers + _MANY) * _ODD
                        )
                        needs = _unit(_mix(drawn)) * highest
                        target = people if place < edges + strangers else people + 1
                    its = _mix(base + np.uint64(target) * _ODD) if target < people else _mix(drawn + _NEW)
                    share = _unit(_mix(drawn + _LAG))
                    # New customers come as evenly as ever; into groups members bring fewer from week to week.
                    wait: Any = int(share * days) if target > people else np.searchsorted(fatigue, share, side="right")
                    on = day + 1 + wait
                    if on < days:
                        after[free], who[free], whom[free], bar[free], own[free] = heads[on], member, target, needs, its
                        heads[on] = free
                        free += 1
        for member in range(members):
            number[person[member]] = -1
    return by_day, by_generation, turned
