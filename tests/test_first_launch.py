"""The README's first launch, as a new user makes it: a spreadsheet program's files, `init`, `check`, `launch`, and the report."""

import json

import duckdb
import polars as pl
import pytest
from documents import the_block
from jobs import run_here
from made_exports import pharmacy

RAW = """
    SELECT "会员编号" AS customer_id, sum(replace("实付金额(元)", ',', '')::DECIMAL(18, 2)) AS spend, count(*) AS orders,
        max(strptime("下单时间", '%Y/%m/%d %H:%M')::DATE) AS last
    FROM read_csv('{path}', skip=1, header=true, all_varchar=true, delim=',') WHERE "订单状态" = '交易成功' GROUP BY ALL ORDER BY 1
"""


@pytest.fixture(scope="module")
def launched(tmp_path_factory):
    folder = tmp_path_factory.mktemp("first")
    pharmacy(folder)
    commands = the_block("README.md", "sh", "segmenter init").commands
    for page in ("README.zh.md", "docs/guide/first_launch.md"):  # the same commands
        assert [[word for word in words if word != "lang=zh"] for words in the_block(page, "sh", "segmenter init").commands] == commands
    assert [words[1] for words in commands] == ["init", "check", "launch"]
    for words in commands:
        run_here(*words[1:], cwd=folder)
    return folder


def test_the_experiment_is_the_one_in_the_documents(launched):
    written = (launched / "my_conf" / "experiment" / "spring.yaml").read_text(encoding="utf-8")
    assert written[written.index("launch:\n") :] == the_block("docs/guide/first_launch.md", "yaml", "订单.csv").text


def test_every_customer_has_what_a_query_over_the_raw_file_says(launched):
    utf8 = launched / "orders.utf8"
    utf8.write_text((launched / "订单.csv").read_bytes().decode("gb18030"), encoding="utf-8", newline="")
    expected = duckdb.sql(RAW.format(path=utf8)).pl()
    customers = pl.read_parquet(launched / "outputs" / "spring" / "customers.parquet").filter(pl.col("orders") > 0).sort("customer_id")
    assert customers["customer_id"].to_list() == expected["customer_id"].to_list()
    assert customers["orders"].to_list() == expected["orders"].to_list()
    assert customers["spend"].cast(pl.Float64).to_list() == expected["spend"].cast(pl.Float64).to_list()


def test_nobody_in_the_place_left_out_is_on_a_list_and_contacts_are_in_the_sheets_alone(launched):
    results = launched / "outputs" / "spring"
    assert not pl.read_csv(results / "invite_list.csv")["region"].str.contains("绵阳").any()
    manifest = (results / "manifest.json").read_text(encoding="utf-8")
    assert "wx_0" not in manifest + (results / "report.html").read_text(encoding="utf-8")
    assert json.loads((launched / "outputs" / "spring_check" / "manifest.json").read_text(encoding="utf-8"))["verdict"] == "note"
    sheet = next((results / "call_sheets").iterdir())
    assert pl.read_excel(sheet)["微信号"].str.starts_with("wx_").all()
