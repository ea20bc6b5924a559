"""CONTRIBUTING's recipes: each is applied to a copy of the package as it stands, and what it adds is run."""

import json
import re
import shutil
from pathlib import Path

import polars as pl
import pytest
from jobs import run_command

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r'```(?:python|yaml)\n# (?P<file>[\w/.]+)(?:, before "(?P<line>[^\n]+)")?\n(?P<text>.*?)```', flags=re.DOTALL)
# How many files each may touch, conf apart.
FILES = {"A measure": 2, "A rule": 3, "A ranking": 3, "A job": 5}
SMALL = ["data.shop.customers=600", "data.shop.days=300", "tracking=none"]


def recipes() -> dict[str, list[re.Match[str]]]:
    sections = re.split(r"^### ", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return {section.partition(":")[0]: found for section in sections if (found := list(BLOCK.finditer(section)))}


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a copy of the package to which all recipes are applied."""
    copy = tmp_path_factory.mktemp("copy")
    for name in ("src", "conf", "pipelines"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for block in (block for blocks in recipes().values() for block in blocks):
        file, line, text = copy / block["file"], block["line"], block["text"]
        if line is None:
            assert not file.exists(), block["file"]
            file.write_text(text, encoding="utf-8")
        else:
            source = file.read_text(encoding="utf-8")
            assert source.count(f"\n{line}") == 1, f"{block['file']}: {line}"
            file.write_text(source.replace(f"\n{line}", f"\n{text}{line}"), encoding="utf-8")
    return copy


def run(copy: Path, *arguments: str) -> str:
    return run_command(*arguments, cwd=copy, PYTHONPATH=str(copy / "src")).stdout


def test_each_touches_as_few_files_as_it_says() -> None:
    touched = {
        name: len({block["file"] for block in blocks if not block["file"].startswith("conf/")}) for name, blocks in recipes().items()
    }
    assert touched == FILES


@pytest.mark.slow
def test_a_launch_has_the_measure_the_rule_and_the_ranking(changed: Path) -> None:
    options = ["scoring=frequency", "rules.orders.max=8", "rules.custom=[{name: a_year, keep: 'spend_of_year > 0'}]", "plan.size=50"]
    run(changed, "launch", *SMALL, *options, "lang=zh", "out=results")
    customers = pl.read_parquet(changed / "results" / "customers.parquet")
    assert customers["spend_of_year"].max() > 0
    assert set(customers.filter(pl.col("orders") > 8)["verdict"]) <= {"orders_max", "staff", "blocked", "consent"}
    invited = customers.filter("invited").sort("rank")
    assert invited["orders"].is_sorted(descending=True)
    page = (changed / "results" / "report.html").read_text(encoding="utf-8")
    assert "订单数过多" in page
    assert "下单次数" in page


@pytest.mark.slow
def test_a_job_stands_beside_the_others(changed: Path) -> None:
    assert "Count the customers" in run(changed)
    run(changed, "census", *SMALL, "out=census")
    counts = pl.read_csv(changed / "census" / "census.csv")
    assert counts["customers"].sum() > 0
    assert "eligible" in counts["verdict"].to_list()
    assert json.loads((changed / "census" / "manifest.json").read_text(encoding="utf-8"))["job"] == "census"
