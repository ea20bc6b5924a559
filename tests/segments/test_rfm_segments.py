import numpy as np
import polars as pl
from four_kinds import alike, shop
from hypothesis import given
from hypothesis import strategies as st

import segmenter
from segmenter.scoring.rfm import fit
from segmenter.segments import features, segment
from segmenter.segments.rfm_segments import GRID, NEVER, RFM, RfmGrid
from segmenter.settings import FrameLaunch, KmeansSegments, RfmSegments, parse

RFM_SETTINGS = segmenter.launch_settings({"segments": "rfm"}).segments


def run(frame):
    return segment(frame, RFM_SETTINGS, seed=1, currency="CNY")


def test_the_grid_has_the_eleven_usual_names():
    assert isinstance(RFM_SETTINGS, RfmSegments)
    kinds = {name for row in GRID for name in row}
    assert len(kinds) == 11
    assert kinds | {NEVER} == RFM.keys()
    assert str(RFM["at_risk"].who) == "Recency 1-2, frequency and spend 3-5."


def test_segments_are_the_cells_of_the_grid():
    frame, _ = shop(2_000)
    found = run(frame)
    assert found.profiles["size"].sum() == 2_000
    assert found.profiles["value"].to_list() == sorted(found.profiles["value"], reverse=True)
    labelled = frame.join(found.labels, on="customer_id")
    names = dict(found.profiles.select("segment", "name").rows())
    by_name = {name: labelled.filter(pl.col("segment") == number) for number, name in names.items()}
    assert by_name["yet to buy"]["orders"].max() == 0
    assert by_name["champions"]["days_since_order"].max() < by_name["cannot lose them"]["days_since_order"].min()
    assert by_name["champions"]["spend"].median() > by_name["new customers"]["spend"].median()
    assert found.model.predict(features(frame)).tolist() == found.labels["segment"].to_list()
    assert found.labels.equals(run(frame.sample(fraction=1, shuffle=True, seed=3)).labels)


@given(st.lists(st.tuples(st.integers(-50, 10**13), st.integers(1, 9), st.integers(1, 400)), min_size=1, max_size=60))
def test_fifths_are_those_of_the_ranking(drawn):
    measures = np.array(drawn, dtype=np.float64)
    names = ("spend_window", "orders", "days_since_order")
    frame = pl.DataFrame(measures.astype(np.int64), schema=names, orient="row").with_columns(verdict=pl.lit("eligible"))
    grid = RfmGrid.fit(measures)
    points = [np.searchsorted(limits, part) + 1 for limits, part in zip(grid.limits, (measures * (1, 1, -1)).T, strict=True)]
    assert sum(points).tolist() == fit(frame, None, None, horizon_days=30, seed=1).points(frame).tolist()
    assert set(grid.predict(measures).tolist()) == set(range(1, grid.n_clusters + 1))
    assert RfmGrid.from_dict(grid.to_dict()) == grid


def test_who_is_later_where_nobody_was_goes_to_the_nearest():
    grid = RfmGrid.fit(np.array([[float(n), n, 50 - n] for n in range(1, 11)]))
    names = [str(name) for name in grid.names()]
    assert names[grid.predict(np.array([[1.0, 1, 1]]))[0] - 1] in ("champions", "need attention")  # new, of which there were none
    assert names[grid.predict(np.array([[0.0, 0, 500]]))[0] - 1] == "lost customers"  # who never ordered


def test_odd_shops():
    frame, _ = shop(200)
    assert run(alike(frame)).profiles.height == 1
    nobody = run(frame.with_columns(verdict=pl.lit("region_exclude")))
    assert (nobody.profiles.height, nobody.names) == (0, ())
    never = frame.with_columns(orders=pl.lit(0, pl.Int64), spend=pl.lit(0, pl.Int64), days_since_order=pl.lit(None, pl.Int32))
    assert run(never).profiles["name"].to_list() == ["yet to buy"]


def test_configs_of_before_there_were_kinds_mean_clusters():
    config = segmenter.launch_settings({"launch.as_of": "2026-07-01"}).model_dump(mode="json", by_alias=True)
    del config["segments"]["kind"]
    assert isinstance(parse(FrameLaunch, config).segments, KmeansSegments)
