"""The simulated shop's hidden network: who knows whom among its customers, and whom they brought to the shop."""

from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.demo.behaviour import DAY, Traits, write_times
from segmenter.demo.customers import Floats, Ints

_ACQUAINTANCES = 10.0  # on average
_CIRCLES = {"account": 0.25, "city": 0.45, "province": 0.25, "country": 0.05}  # where they know each other from
# How many somebody knows goes half with their influence, and half with what is their own: of a Pareto tail, up to so much of its mean.
_TAIL, _MOST = 1.7, 60.0
# How close two are is the chance that one of them brings the other, who heeds each the less the more they know; most ties are faint.
_CLOSEST, _FAINT = 0.6, 7.0
_BROUGHT = 0.205  # of new customers who know somebody there


def draw_network(rng: np.random.Generator, customers: pl.DataFrame, region: Ints, influence: Floats) -> pl.DataFrame:
    """Draw who knows whom: ``one``, ``other`` (rows of the customers), ``chance`` that the one brings the other; both ways, sorted.

    Pairs form within a chain, a city, a province or the country, more often among the sociable (Chung and Lu 2002).
    """
    n = len(influence)
    own = np.minimum((1 - rng.random(n)) ** (-1 / _TAIL) - 1, _MOST)
    sociable = (own / own.mean() + influence / influence.mean()) / 2
    who = np.repeat(np.arange(n), rng.poisson(_ACQUAINTANCES / 2 * sociable))
    city = customers["city"].rank("dense").to_numpy().astype(np.int64)
    account = customers["account"].rank("dense").fill_null(0).to_numpy().astype(np.int64)
    circles = [np.where(account > 0, account + n + 1, city), city, region, np.zeros(n, dtype=np.int64)]
    kind, at = rng.choice(len(_CIRCLES), len(who), p=[*_CIRCLES.values()]), rng.random(len(who))
    other = np.empty_like(who)
    for number, circle in enumerate(circles):
        some = kind == number
        other[some] = _partners(circle, sociable, who[some], at[some])
    pairs = np.unique(np.minimum(who, other) * n + np.maximum(who, other))
    first, second = pairs // n, pairs % n
    first, second = first[first != second], second[first != second]
    close = np.tile(_CLOSEST * rng.random(len(first)) ** _FAINT, 2)
    one, other = np.concatenate([first, second]), np.concatenate([second, first])
    heeds = np.minimum(_ACQUAINTANCES / np.maximum(np.bincount(other, minlength=n), 1), 1)
    return pl.DataFrame({"one": one, "other": other, "chance": close * heeds[other]}).sort("one", "other")


def pull(ties: pl.DataFrame, customers: int) -> Floats:
    """Say how readily each brings new customers: around 1, by how many they know, as they brought others before."""
    known = 1 + np.bincount(ties["one"].to_numpy(), minlength=customers)
    around_one: Floats = known / known.mean()
    return around_one


def _partners(circle: Ints, weight: Floats, who: Ints, at: Floats) -> Ints:
    """Choose somebody of each one's circle by weight; `at` in [0, 1) says where."""
    order = np.argsort(circle, kind="stable")
    pull = np.concatenate([[0.0], np.cumsum(weight[order])])
    begin, end = (np.searchsorted(circle[order], circle[who], side=side) for side in ("left", "right"))
    chosen = np.searchsorted(pull, pull[begin] + (pull[end] - pull[begin]) * at, side="right") - 1
    found: Ints = order[np.clip(chosen, begin, end - 1)]
    return found


def refer(ties: pl.DataFrame, start: date, traits: Traits, luck: tuple[Floats, Floats, Ints]) -> pl.DataFrame:
    """Let some who joined during the history be brought by an earlier customer whom they know, the closer the more often.

    `luck` says of each where they stand among those who know them, whether they are brought, and at which second of the day.
    """
    where, whether, second = luck
    bringer, friend, chance = (ties.filter(pl.col("one") < pl.col("other")).sort("other", "one")[name].to_numpy() for name in ties.columns)
    there = (traits.joined[friend] >= 0) & (traits.dropped[bringer] > traits.joined[friend])
    bringer, friend, pull = bringer[there], friend[there], np.concatenate([[0.0], np.cumsum(chance[there])])
    known: NDArray[np.int64] = np.unique(friend)
    begin, end = (np.searchsorted(friend, known, side=side) for side in ("left", "right"))
    chosen = np.searchsorted(pull, pull[begin] + (pull[end] - pull[begin]) * where[known], side="right") - 1
    brought = whether[known] < _BROUGHT
    bringer, friend = bringer[np.clip(chosen, begin, end - 1)][brought], known[brought]
    at = traits.joined[friend] * DAY + second[friend]
    frame = pl.DataFrame({"customer_id": bringer, "friend_id": friend, "time": write_times(start, at)})
    return frame[np.argsort(at, kind="stable")]
