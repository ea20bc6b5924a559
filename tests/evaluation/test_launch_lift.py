"""What casts doubt on a measured lift."""

import polars as pl
import pytest
from made_up_launches import Shop, story

from segmenter.evaluation.launch_lift import find_doubts, measure_launch
from segmenter.evaluation.lift import estimate_lift


def test_a_sound_measurement_raises_no_doubt_and_each_fault_its_own():
    sound = {"share": 0.5, "days": 30, "horizon_days": 30, "joined": 0}
    frame = story(5_000)

    def doubts(frame, **change):
        return find_doubts(frame, estimate_lift(frame), **sound | change)

    assert doubts(frame) == doubts(story(5_000, cluster=True)) == ()
    unbalanced = frame.with_columns(before=pl.col("before") + 10 * pl.col("invited"))
    faults = [
        (doubts(frame, days=29), "Only 29 of 30 days"),
        (doubts(frame, share=0.3), "500 of 1,000 customers are held out, where the plan has 300"),
        (doubts(frame, joined=20), "20 of the 500 held-out customers (4 %) joined"),
        (doubts(unbalanced), "Those invited had spent 9.6 % more than those held out"),
        (doubts(story(5_000, held=495)), "Only 495 customers were held out"),
    ]
    for warnings, start in faults:
        (warning,) = warnings
        assert warning.startswith(start)
    one_region = story(5_000, cluster=True).filter(pl.col("invited") | pl.col("cluster").is_in(["1", "3"]))
    assert any("2 of 7 regions were held out" in doubt for doubt in doubts(one_region, share=0.9))
    assert len(doubts(unbalanced.head(900), share=0.3, days=3, joined=20)) == 5


@pytest.mark.slow
def test_the_balance_test_cries_wolf_about_once_in_a_thousand():
    shop = Shop(5_000, 0.15, 1.0)
    cried = sum(
        len(find_doubts(frame, estimate_lift(frame), share=0.1, days=1, horizon_days=1, joined=0))
        for frame, _ in (shop.launched(0) for _ in range(100))
    )
    assert cried <= 1


def test_key_users_whom_nobody_drew_are_not_compared():
    frame = story(5_000).with_columns(
        pl.lit("四川").alias("region"),
        status=pl.when("invited").then(pl.lit("planned")).otherwise(pl.lit("held_out")),
        joined=pl.lit(False),
        answer=pl.lit(None, pl.String),
        brings=pl.lit(None, pl.Float64),
    )
    around = {"days": 30, "horizon_days": 30, "holdout": 0.5}
    lift, _, doubts = measure_launch(frame, **around)
    key_users = (
        frame.filter("invited")
        .head(50)
        .with_columns(
            pl.format("key {}", "customer_id").alias("customer_id"),
            stratum=pl.lit(None, pl.String),
            spend=pl.lit(10**9, pl.Int64),
            brings=pl.lit(9.0),
        )
    )
    again, _, others = measure_launch(pl.concat([frame, key_users]), **around)
    assert again == lift
    assert [doubt.code for doubt in set(others) - set(doubts)] == ["lift.without_brought"]
