import numpy as np
import polars as pl
import pytest

from segmenter.errors import InputError
from segmenter.planning.cells import KEYS, count_cells
from segmenter.planning.constraints import Constraints, GroupLimits

FREE = Constraints(GroupLimits(by_region=False, by_topic=False, min_size=1, max_size=9, max_groups=9))


@pytest.mark.parametrize("rows", [500, 70_000])  # many are counted without sorting them
def test_cells_are_what_a_group_by_finds_and_hold_the_most_valuable_first(rows):
    random = np.random.default_rng(1)
    names = {key: pl.Series(random.choice(["a", "b", "c"], rows)).replace("c", None) for key in ("region", "topic", "reach")}
    frame = pl.DataFrame(names | {"layer": random.choice(["x", "y"], rows), "value": random.integers(0, 100, rows)})
    cells = count_cells(frame, FREE)
    expected = frame.group_by(KEYS).agg(pl.len().cast(pl.Int64).alias("customers"), pl.col("value").sum()).sort(KEYS, nulls_last=True)
    assert cells.table.equals(expected.drop("value"))
    assert cells.value(cells.customers).tolist() == expected["value"].to_list()
    ordered = frame[cells.order].with_columns(cell=pl.Series(np.repeat(np.arange(cells.table.height), cells.customers)))
    assert (ordered.with_columns(falls=(pl.col("value").diff() <= 0).over("cell"))["falls"].drop_nulls()).all()


def test_a_value_that_sums_could_not_hold():
    with pytest.raises(InputError, match="values should be at most"):
        count_cells(pl.DataFrame({"region": "a", "topic": None, "layer": "x", "value": [10**13]}), FREE)
