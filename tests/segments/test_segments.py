from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl
import pytest
from four_kinds import AUTO, alike, customers, fixed, run, shop
from hypothesis import given, settings
from hypothesis import strategies as st
from jobs import run_python
from polars.testing import assert_frame_equal
from sklearn.metrics import adjusted_rand_score  # type: ignore[import-untyped]  # scikit-learn ships no types

from segmenter.segments import MEASURES, PROFILED, features, segment
from segmenter.settings import KmeansSegments


def test_finds_the_planted_segments_and_describes_them() -> None:
    frame, kind = shop(3_000)
    removed = shop(200, seed=1)[0].with_columns(pl.format("X{}", "customer_id").alias("customer_id"), pl.lit("spend_min").alias("verdict"))
    found = run(pl.concat([frame, removed]))
    assert found.labels.columns == ["customer_id", "segment"]
    assert found.labels["customer_id"].to_list() == frame["customer_id"].to_list()  # the eligible only
    assert adjusted_rand_score(kind, found.labels["segment"]) > 0.9
    assert found.why.startswith("4 segments: silhouette 0.")
    assert found.trials["k"].to_list() == [2, 3, 4, 5, 6]
    assert found.trials.filter("chosen")["k"].to_list() == [4]
    assert found.profiles["name"].to_list() == [
        "loyal big buyers",
        "slipping away",
        "new customers",
        "browsers who never bought",
    ]
    assert [str(name) for name in found.names] == found.profiles["name"].to_list()

    profiles = found.profiles
    heads = ["segment", "name", "size", "share", "value"]
    later = ["later_customers", "later_share", "later_spend", "everyone_later_share", "everyone_later_spend"]
    figures = [*(f"median_{name}" for name in PROFILED), *(f"everyone_{name}" for name in PROFILED)]
    assert profiles.columns == [*heads, *figures, *later, "who", "advice"]
    joined = frame.join(found.labels, on="customer_id")
    for row in profiles.iter_rows(named=True):
        mine = joined.filter(pl.col("segment") == row["segment"])
        assert row["size"] == len(mine)
        assert row["share"] == len(mine) / len(frame)
        assert row["value"] == round(Fraction(sum(mine["spend"]), len(mine)))
        for name in PROFILED:
            for figure, group in ((row[f"median_{name}"], mine), (row[f"everyone_{name}"], frame)):
                assert figure == pytest.approx(group[name].median(), abs=0.5)
    assert profiles["median_days_since_order"][3] is None  # who never ordered
    assert profiles.schema["median_spend"] == pl.Int64  # money stays whole
    assert found.model.predict(features(frame)).tolist() == found.labels["segment"].to_list()


def test_neither_row_order_nor_other_columns_matter() -> None:
    frame, _ = shop(1_500)
    how = AUTO.model_copy(update={"sample": 400})  # fewer than there are, so that the draw matters
    one, two = run(frame, how), run(frame.sample(fraction=1, shuffle=True, seed=3).with_columns(more=1).reverse(), how)
    assert_frame_equal(one.labels, two.labels)
    assert_frame_equal(one.profiles, two.profiles, check_exact=True)
    assert_frame_equal(one.trials, two.trials, check_exact=True)
    assert one.why == two.why
    assert one.labels.height == 1_500
    assert segment(frame, how, seed=8, currency="CNY").trials["silhouette"].to_list() != one.trials["silhouette"].to_list()


THREADS = """
from datetime import date
import numpy as np, polars as pl
from segmenter.segments import PROFILED, segment
from segmenter.settings import KmeansSegments
random = np.random.RandomState(0)
frame = pl.DataFrame({name: np.exp(random.normal(5, 2, 20_000)).astype(int) for name in PROFILED})  # no clusters
frame = frame.with_columns(
    customer_id=pl.format("C{}", pl.int_range(pl.len())), verdict=pl.lit("eligible"), score=1 / (pl.col("spend") + 1)
)
how = KmeansSegments(**{"from": "new"}, kind="kmeans", k="auto", k_min=2, k_max=5, min_share=0.0, sample=15_000, bootstraps=2)
later = frame.with_columns(later_spend=pl.col("spend") // 7, later_orders=pl.col("orders") // 99)
found = segment(frame, how, seed=-1, currency="CNY", behaviour={date(2026, month, 1): later[month:] for month in (6, 5, 4)})
print(found.labels.write_csv(), found.profiles.write_csv(), found.trials.write_csv(), found.model.cluster_centers_.tolist())
"""


@pytest.mark.slow
def test_the_number_of_threads_does_not_matter() -> None:
    names = ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    seen = [run_python("-c", THREADS, **dict.fromkeys(names, count)).stdout for count in ("1", "2")]
    assert seen[0] == seen[1]
    assert "true" in seen[0]  # a number was chosen


def test_one_segment_where_no_division_is_warranted() -> None:
    frame, _ = shop(400)
    for few, why in (
        (frame.head(49), "1 segment: there are fewer than 50 eligible customers"),
        (alike(frame), "1 segment: the customers have only 1 different set of measures"),
    ):
        found = run(few)
        assert found.why == why
        assert found.labels["segment"].to_list() == [1] * len(few)
        assert found.profiles.select("segment", "name", "size", "share").rows() == [(1, "all eligible customers", len(few), 1.0)]
        assert found.trials.is_empty()
        assert found.model.predict(features(few)).tolist() == [1] * len(few)
    noise = np.random.RandomState(0).randint(1, 1_000, (6, 300))
    torn = run(
        customers(**dict(zip(("orders", "days", "known", "average", "recent", "events"), noise, strict=True))),
        AUTO.model_copy(update={"k_min": 5}),
    )
    assert torn.profiles.height == 1
    assert torn.why.startswith("1 segment: 5 gave 0.")
    assert torn.why.endswith("5, 6 would come out otherwise in another sample")


def test_nobody_eligible() -> None:
    frame = shop(60)[0].with_columns(verdict=pl.lit("region_exclude"))
    for how in (AUTO, fixed(3)):
        found = run(frame, how)
        assert (found.labels.height, found.profiles.height) == (0, 0)
        assert found.labels.schema == {"customer_id": pl.String, "segment": pl.Int32}
        assert found.profiles.schema == run(shop(60)[0]).profiles.schema
        assert set(found.model.predict(features(frame)).tolist()) == {1}


@pytest.mark.slow
def test_no_segment_is_smaller_than_min_share() -> None:
    frame, kind = shop(2_000)
    rare = frame.with_columns(
        pl.when(pl.Series(kind == 0) & (pl.int_range(pl.len()) % 8 != 0)).then(pl.lit("recency")).otherwise("verdict").alias("verdict")
    )
    shares = {}
    for least in (0.0, 0.1, 0.3):
        found = run(rare, AUTO.model_copy(update={"min_share": least}))
        shares[least] = min(found.profiles["share"])
        assert shares[least] >= least
        left_out = found.trials.filter(pl.col("smallest_share") < least)
        assert not left_out["chosen"].any()
        assert left_out.is_empty() or f"would make a segment under {least * 100:g}%" in found.why
    assert shares[0.0] < 0.1  # the loyal ones are few, and a segment where that is allowed
    assert run(rare, AUTO.model_copy(update={"min_share": 0.5})).profiles["share"].to_list() == [1.0]


def test_a_fixed_number_is_kept_as_far_as_it_can_be() -> None:
    frame, _ = shop(500)
    found = run(frame, fixed(7))
    assert found.profiles["segment"].to_list() == [1, 2, 3, 4, 5, 6, 7]
    assert found.why.endswith("; as set")
    assert run(frame, fixed(1)).why == "1 segment: as set"
    two = pl.concat([alike(frame)[:3], frame[5:6]])
    found = run(two, fixed(4))
    assert found.profiles["size"].sum() == 4
    assert found.profiles.height == 2
    assert found.why.endswith("not 4, because the customers have only 2 different sets of measures")


days = st.none() | st.integers(1, 900)
verdicts = st.sampled_from(["eligible", "eligible", "eligible", "spend_min"])
rows = st.tuples(
    st.integers(-10_000, 10**13), st.integers(0, 40), days, days, st.integers(0, 10**6), st.integers(0, 9), verdicts, st.floats(0, 100)
)


@given(st.lists(rows, max_size=90), st.sampled_from(["auto", 1, 2, 5, 9]), st.randoms())
@settings(max_examples=40, deadline=None)
def test_whatever_the_customers_the_best_come_first_and_names_differ(drawn: list[Any], k: Any, random: Any) -> None:
    columns = [*MEASURES, "verdict", "score"]
    types = {
        **dict.fromkeys(MEASURES, pl.Int64),
        "days_since_order": pl.Int32,
        "days_known": pl.Int32,
        "score": pl.Float64,
        "verdict": pl.String,
    }
    frame = pl.DataFrame(drawn, schema={name: types[name] for name in columns}, orient="row").with_columns(
        pl.format("C{}", pl.int_range(pl.len())).alias("customer_id"),
        pl.when(pl.col("orders") > 0).then(pl.col("spend") // pl.col("orders")).alias("average_order"),
        pl.lit(None, pl.Float64).alias("average_gap_days"),
        pl.lit(0, pl.Int64).alias("referrals"),
        pl.lit(0, pl.Int64).alias("refunds"),
    )
    how = KmeansSegments(**{"from": "new"}, kind="kmeans", k=k, k_min=2, k_max=4, min_share=0.05, sample=100, bootstraps=2)
    found = run(frame, how)
    eligible = frame.filter(pl.col("verdict") == "eligible")
    assert sorted(found.labels["customer_id"]) == sorted(eligible["customer_id"])
    profiles = found.profiles
    assert profiles["segment"].to_list() == list(range(1, profiles.height + 1))
    assert profiles["name"].n_unique() == profiles.height
    joined = eligible.join(found.labels, on="customer_id")
    means = [Fraction(sum(group["spend"]), len(group)) for _, group in sorted(joined.group_by("segment"), key=lambda pair: pair[0])]
    assert means == sorted(means, reverse=True)
    if how.k == "auto" and profiles.height:
        assert min(profiles["share"]) >= how.min_share
    shuffled = random.sample(range(len(frame)), len(frame))
    assert_frame_equal(run(frame[shuffled], how).labels, found.labels)
