"""How alike the members of groups are, against chance."""

import numpy as np
import polars as pl
import pytest

import segmenter
from segmenter.planning.group_focus import with_focus

PLAN = segmenter.launch_settings({}).plan


def people(groups):
    names = [f"c{number:03}" for number in range(len(groups))]
    return pl.DataFrame(
        {"customer_id": names, "verdict": "eligible", "province": "Kent", "city": None, "group": groups},
        schema_overrides={"city": pl.String, "group": pl.String},
    )


def shares(rows):
    cells = [(number, place, share) for number, row in enumerate(rows) for place, share in enumerate(row) if share]
    columns = {
        "customer_id": [f"c{number:03}" for number, _, _ in cells],
        "category": [f"k{place}" for _, place, _ in cells],
        "share": [round(share * 1e6) for _, _, share in cells],
    }
    return pl.DataFrame(columns, schema={"customer_id": pl.String, "category": pl.String, "share": pl.Int64})


def test_it_is_the_mean_cosine_of_all_pairs_and_chance_is_that_of_everybody():
    random = np.random.default_rng(0)
    rows = random.dirichlet(np.ones(4), 200)
    rows[:20] = random.dirichlet([9, 1, 1, 1], 20)
    groups = pl.DataFrame({"group": ["a", "b", "c"]})
    found = with_focus(groups, people(["a"] * 20 + ["b"] * 30 + ["c"] + [None] * 149), shares(rows), PLAN, seed=7)
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def mean(part):
        many = len(part)
        return ((part @ part.T).sum() - many) / many / (many - 1)

    assert found["focus"].to_list()[:2] == pytest.approx([mean(unit[:20]), mean(unit[20:50])], abs=1e-4)
    assert found["focus_by_chance"].to_list()[:2] == pytest.approx([mean(unit)] * 2, abs=0.03)
    assert found["focus_above"][0] == 1
    assert 0 <= found["focus_above"][1] < 1
    assert found.row(2) == ("c", None, None, None)  # of one there are no pairs


def test_random_groups_are_of_the_same_regions_and_who_is_not_known_does_not_count():
    rows = [[1, 0]] * 10 + [[0, 1]] * 10
    frame = people(["a"] * 5 + [None] * 5 + ["b"] * 5 + [None] * 5).with_columns(
        province=pl.when(pl.int_range(pl.len()) < 10).then(pl.lit("Kent")).otherwise(pl.lit("Essex"))
    )
    found = with_focus(pl.DataFrame({"group": ["a", "b"]}), frame, shares(rows).filter(pl.col("customer_id") != "c000"), PLAN, seed=7)
    assert found.select("focus", "focus_by_chance").rows() == [(1.0, 1.0)] * 2
    none = with_focus(pl.DataFrame({"group": ["a", "b"]}), frame, shares([]), PLAN, seed=7)
    assert none["focus"].null_count() == 2
