import hashlib
import random
from functools import cache

import numpy as np
import polars as pl
import pytest
from marks import slow_but
from scipy import stats  # type: ignore[import-untyped]  # ships no types

from segmenter.hashing import draw, uniform

IDS = {
    "counted": str,
    "padded": "CUST-{:012d}".format,
    "hex": lambda i: f"{random.Random(i).getrandbits(128):032x}",
    "chinese": "客户{}号".format,
}


@cache
def ids_of(kind: str) -> pl.Series:
    return pl.Series("id", [IDS[kind](i) for i in range(100_000)])


def test_never_changes() -> None:
    ids = pl.Series("customer_id", ["C1", "客户7", "", "a" * 300])
    drawn = uniform(ids, -3, "holdout")
    assert drawn.to_list() == [0.6476834463232369, 0.3692997510210314, 0.06994412182014553, 0.8261982263004328]
    assert drawn.name == "customer_id"
    assert drawn.dtype == pl.Float64
    text = hashlib.blake2b("-3:holdout:客户7".encode(), digest_size=8).hexdigest()  # what b2sum -l 64 prints
    assert drawn[1] == pytest.approx(int(text, 16) / 2**64, abs=2**-53)


@pytest.mark.slow
@pytest.mark.parametrize("kind", slow_but(IDS, "hex", "chinese"))
def test_uniform_and_independent_of_seed_purpose_and_neighbour(kind: str) -> None:
    ids = ids_of(kind)
    drawn = uniform(ids, 1, "segments").to_numpy()
    assert 0 <= drawn.min() < drawn.max() < 1
    assert len(np.unique(drawn)) == len(ids)
    assert stats.kstest(drawn, "uniform").pvalue > 1e-3
    fine = np.bincount((drawn * 1_000).astype(int), minlength=1_000)
    assert stats.chisquare(fine).pvalue > 1e-3
    low_bits = np.bincount((drawn * 2**53).astype(np.int64) % 1_000, minlength=1_000)
    assert stats.chisquare(low_bits).pvalue > 1e-3
    for other in (uniform(ids, 2, "segments"), uniform(ids, 1, "holdout"), pl.Series(np.roll(drawn, 1))):
        table = np.histogram2d(drawn, other.to_numpy(), bins=20, range=[[0, 1], [0, 1]])[0]
        assert stats.chisquare(table.ravel()).pvalue > 1e-3


def test_belongs_to_the_id_and_not_to_its_row() -> None:
    ids = ids_of("padded")[:1_000]
    drawn = dict(zip(ids, uniform(ids, 1, "x"), strict=True))
    some = ids.gather(list(range(999, 0, -7)))
    assert uniform(some, 1, "x").to_list() == [drawn[each] for each in some]
    assert uniform(ids.clear(), 1, "x").to_list() == []


@pytest.mark.parametrize("kind", IDS)
def test_a_draw_is_fair_and_belongs_to_the_ids(kind: str) -> None:
    ids = ids_of(kind).sort()
    drawn = draw(ids, 1, "segments", 10_000)
    assert len(np.unique(drawn)) == 10_000
    assert stats.chisquare(np.bincount(drawn // 1_000, minlength=100)).pvalue > 1e-3  # whatever the ids begin with
    assert stats.chisquare(np.bincount(drawn % 100, minlength=100)).pvalue > 1e-3  # and end with
    assert stats.chisquare(np.bincount(drawn[:1_000] // 1_000, minlength=100)).pvalue > 1e-3  # in any order
    assert 800 < len(np.intersect1d(drawn, draw(ids, 2, "segments", 10_000))) < 1_200  # of another seed: by chance
    chosen, some = set(ids[drawn]), ids.gather_every(3)
    again = some[draw(some, 1, "segments", 10_000)].to_list()
    assert {each for each in some if each in chosen} <= set(again)
    assert draw(some, 1, "segments", 50_000).tolist() == uniform(some, 1, "segments").arg_sort().to_list()


def test_who_is_drawn_never_changes() -> None:
    ids = pl.Series(sorted([*(f"C{number}" for number in range(5_000)), "", "客户7", "a" * 300, "a" * 299 + "b", "\0", "12345678"]))
    assert ids[draw(ids, -3, "segments", 5)].to_list() == ["C4147", "C2087", "C961", "C3918", "C584"]
    assert draw(ids.clear(), 1, "x", 5).tolist() == []
