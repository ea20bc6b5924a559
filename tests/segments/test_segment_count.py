import polars as pl
from four_kinds import AUTO, shop

from segmenter.segments import features
from segmenter.segments.segment_count import choose


def test_shares_of_all_customers_decide_where_the_sample_misses_someone() -> None:
    frame, _ = shop(2_000)
    shares = iter([0.01, 0.2])
    model, why, trials = choose(features(frame), AUTO, 7, lambda model: next(shares))
    asked = trials.filter(pl.col("smallest_share").is_in([0.01, 0.2]))
    assert asked.height == 2
    assert asked.filter("chosen").rows() == trials.filter("chosen").rows()
    assert asked.filter("chosen")["smallest_share"].item() == 0.2
    assert model.n_clusters == trials.filter("chosen")["k"].item()
    rejected = asked.filter(~pl.col("chosen"))["k"].item()
    assert f"{rejected} would make a segment under" in why or f", {rejected} would make" in why
