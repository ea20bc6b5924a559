from datetime import date

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from segmenter.demo.network import draw_network, pull
from segmenter.demo.shop import Shop, simulate, stream

AS_OF = date(2026, 7, 1)


@pytest.fixture(scope="module")
def shop() -> Shop:
    return simulate(20_000, 730, AS_OF, seed=7)


def known_of(shop: Shop) -> np.ndarray:
    return np.bincount(shop.ties["one"].to_numpy(), minlength=shop.truth.height)


def test_ties_are_of_two_and_go_both_ways(shop: Shop) -> None:
    ties = shop.ties
    assert (ties["one"] != ties["other"]).all()
    assert ties.select(pl.struct("one", "other").is_unique().all()).item()
    assert ties["chance"].is_between(0, 1).all()
    assert ties.join(ties, left_on=["one", "other"], right_on=["other", "one"]).height == ties.height
    # Either heeds the other by how close they are, the less the more they know.
    known = known_of(shop)
    both = ties.join(ties, left_on=["one", "other"], right_on=["other", "one"], suffix="_back")
    heeded = [
        both[name].to_numpy() * np.maximum(known[both[who].to_numpy()], 10) for name, who in (("chance", "other"), ("chance_back", "one"))
    ]
    assert np.allclose(*heeded)


def test_some_know_very_many_and_influence_tells_it_in_part(shop: Shop) -> None:
    known, influence = known_of(shop), shop.truth["influence"].to_numpy()
    assert 5 < known.mean() < 15
    assert known.max() > 12 * known.mean()
    assert np.quantile(known, 0.99) > 4 * np.median(known)
    assert 0.3 < np.corrcoef(known, influence)[0, 1] < 0.7
    best = np.argsort(-known)[:100]
    assert (influence[best] < np.quantile(influence, 0.8)).sum() > 10  # who speak little and know many
    assert pull(shop.ties, shop.truth.height).mean() == pytest.approx(1)


def test_most_know_each_other_from_one_place_or_chain(shop: Shop) -> None:
    of = shop.customers.select("city", "account")
    one, other = (of[shop.ties[name]] for name in ("one", "other"))
    assert (one["city"] == other["city"]).mean() > 0.5
    chained = one["account"].is_not_null()
    alike = (one["account"] == other["account"]).filter(chained)
    assert alike.fill_null(value=False).mean() > 0.15


def test_a_launch_of_it_dies_out_and_hubs_bring_several(shop: Shop) -> None:
    alive = shop.truth["alive"].to_numpy()
    one, other, chance = (shop.ties[name].to_numpy() for name in shop.ties.columns)
    brings = np.bincount(one, chance * alive[other], len(alive))
    assert 0.2 < brings[alive].mean() < 0.5
    assert 5 < brings.max() < 30
    comes = np.bincount(other, chance * alive[one], len(alive)) * alive
    assert (comes * brings).sum() / comes.sum() < 0.8  # whom those bring who were brought


def test_past_referrals_are_of_those_who_know_each_other(shop: Shop) -> None:
    ids = shop.truth["customer_id"]
    tied = shop.ties.select(customer_id=ids.gather(shop.ties["one"]), friend_id=ids.gather(shop.ties["other"]), chance="chance")
    both = shop.referrals.join(tied, on=["customer_id", "friend_id"], how="left", validate="1:1")
    assert both["chance"].null_count() == 0
    assert both["chance"].mean() > 2 * shop.ties["chance"].mean()
    assert shop.referrals["friend_id"].is_unique().all()
    joined = shop.customers.select("customer_id", "joined")
    came = shop.referrals.join(joined, left_on="friend_id", right_on="customer_id").join(joined, on="customer_id", suffix="_bringer")
    assert (came["joined_bringer"] <= came["joined"]).all()
    assert (came["time"].str.slice(0, 10) == came["joined"].cast(pl.String)).all()
    new = shop.customers.filter(pl.col("joined") >= date(2024, 7, 1)).height
    assert 0.15 < shop.referrals.height / new < 0.25
    counts = shop.referrals["customer_id"].value_counts()
    known = pl.DataFrame({"customer_id": ids, "known": known_of(shop)}).join(counts, on="customer_id", how="left")
    assert known.filter(pl.col("count") >= 3)["known"].mean() > 3 * known["known"].mean()


@pytest.mark.parametrize("customers", [1, 2, 30])
def test_the_smallest_networks(customers: int) -> None:
    listed = pl.DataFrame({"city": ["x"] * customers, "account": [None] * customers}, schema=dict.fromkeys(("city", "account"), pl.String))
    one, again = (draw_network(stream(3, "network"), listed, np.zeros(customers, dtype=np.int64), np.ones(customers)) for _ in range(2))
    assert_frame_equal(one, again)
    assert (one["one"] != one["other"]).all()
    assert np.isfinite(pull(one, customers)).all()
