"""Files of seeds: whichever column has the ids, and what is said where none does."""

import polars as pl
import pytest

from segmenter.errors import InputError
from segmenter.sources.seeds_file import read_seeds


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("customer_id,name\n0002,b\n0001,a\n0001,a\n", ["0001", "0002"]),
        ("姓名,客户编号\na,C1\nb,\n", ["C1"]),
        ("who\nC2\nC1\n", ["C1", "C2"]),
        ("C3\nC2\nC1\n", ["C1", "C2", "C3"]),
        ("kunde;wert\nC1;5\n", ["C1"]),
    ],
)
def test_ids_are_read_each_once_whatever_the_column_is_called(tmp_path, text, ids):
    path = tmp_path / "seeds.csv"
    path.write_text(text)
    read, prints = read_seeds(str(path), ("kunde",))
    assert read.to_list() == ids
    assert [print_.name for print_ in prints] == ["seeds.csv"]


def test_a_workbook_and_a_parquet_file_will_do(tmp_path):
    frame = pl.DataFrame({"customer_id": ["b", "a"]})
    frame.write_excel(tmp_path / "seeds.xlsx")
    frame.write_parquet(tmp_path / "seeds.parquet")
    assert read_seeds(str(tmp_path / "seeds.xlsx"))[0].equals(read_seeds(str(tmp_path / "seeds.parquet"))[0])


@pytest.mark.parametrize(
    ("text", "part"),
    [("a,b\n1,2\n", "should have a column customer_id"), ("", "is empty"), ("customer_id\n", "should hold customer ids"), (None, "")],
)
def test_what_is_no_list_of_customers_is_said_with_its_key(tmp_path, text, part):
    path = tmp_path / "seeds.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=rf"scoring\.seeds: .*{part}"):
        read_seeds(str(path))
