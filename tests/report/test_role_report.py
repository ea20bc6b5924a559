"""The section of roles."""

import polars as pl
import pytest

import segmenter
from segmenter.report.labels import Labels
from segmenter.report.role_report import roles
from segmenter.roles import HOLDS


@pytest.mark.slow
def test_a_role_with_too_few_says_so_and_what_they_did(small_shop):
    settings = segmenter.launch_settings({"launch.as_of": "2026-07-01", "plan.size": 80, "plan.smallest": 7, "scoring": "decayed"})
    plan = segmenter.plan_launch(small_shop, settings)
    eligible = plan.customers.filter(verdict="eligible")
    (section,) = roles(plan, eligible, settings, Labels("en", "CNY"))
    (table,) = section.blocks
    rows = {row.cells[0].text: [cell.text for cell in row.cells[1:]] for row in table.rows}
    assert list(rows) == ["support", "product ideas", "acquisition and advocacy", "content", "external engagement", "no role"]
    holders = eligible.filter(pl.col("role_product") >= HOLDS)
    assert rows["product ideas"][:2] == [str(holders.height), str(holders["invited"].sum())]
    assert rows["product ideas"][2].startswith("no: about ")
    assert rows["external engagement"][2] == "yes"
    assert table.rows[0].cells[0].small.startswith("answers ")
    assert rows["no role"][0] == str(eligible["role"].null_count())
    assert roles(plan, eligible.with_columns(pl.col("^role_.*$") * 0), settings, Labels("en", "CNY")) == []
