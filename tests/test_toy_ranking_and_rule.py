"""A ranking and a rule are added in three files each: settings, itself, words. Conf and tests apart."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import segmenter
from segmenter.home import HOME

RANKING = {
    "settings/rankings.py": [
        ("AnyScoring = Annotated[\n", 'class ToySettings(ScoringSettings):\n    kind: Literal["toy"]\n\n\nAnyScoring = Annotated[\n    ToySettings |\n')
    ],
    "scoring/toy.py": """
from segmenter.scoring.single_measure import SingleMeasure

def fit(frame, settings, past, *, horizon_days, seed):
    return SingleMeasure("refunds", ascending=True)
""",
    "report/ranking_words.py": [('_RANKED_BY = {\n', '_RANKED_BY = {\n    "toy": ("by how little they gave back", "退货越少越靠前"),\n')],
}  # fmt: skip
RULE = {
    "settings/eligibility.py": [
        ("    orders: OrdersRule\n", "    orders: OrdersRule\n    refunds: Count | None\n"),
        ('"orders_min", ', '"orders_min", "refunds_max", '),
    ],
    "rules.py": [
        ("    rules = [\n", '    rules = [\n        ("refunds_max", "refunds", settings.refunds, False, None),\n'),
    ],
    "report/labels.py": [("_RULES = {\n", '_RULES = {\n    "refunds_max": ("gave back too often", "退货过多"),\n')],
}
SCRIPT = """
import polars as pl, segmenter
from segmenter.report.labels import Labels
from segmenter.report.ranking_words import ranking_sentence

settings = segmenter.launch_settings({"launch.as_of": "2026-07-01", **OVERRIDES})
rows = [(customer, "2026-06-30", amount) for customer, amounts in {"a": [9, -1, -1], "b": [5, -1], "c": [1]}.items() for amount in amounts]
orders = pl.DataFrame(rows, schema=["customer_id", "time", "amount"], orient="row")
plan = segmenter.plan_launch(segmenter.canonical_tables({"orders": orders}, settings.data, settings.launch), settings)
print(",".join(plan.customers.filter(verdict="eligible").sort("score", descending=True)["customer_id"]))
print(ranking_sentence(plan.ranking, "en"))
print([Labels("en", "CNY").rule(name) for name in plan.funnel["rule"]][-1])
"""


@pytest.fixture
def add(tmp_path):
    package = Path(segmenter.__file__).parent
    shutil.copytree(package, tmp_path / "src" / "segmenter", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(HOME / "conf", tmp_path / "conf")

    def add(changes):
        for name, change in changes.items():
            path = tmp_path / "src" / "segmenter" / name
            text = change
            if isinstance(change, list):
                text = path.read_text(encoding="utf-8")
                for old, new in change:
                    assert text.count(old) == 1, old
                    text = text.replace(old, new)
            path.write_text(text, encoding="utf-8")

        def run(overrides):
            words = [sys.executable, "-c", SCRIPT.replace("OVERRIDES", repr(overrides))]
            environment = {"PYTHONPATH": str(tmp_path / "src"), "PATH": ""}
            return subprocess.run(words, env=environment, capture_output=True, text=True, check=True, encoding="utf-8").stdout.splitlines()

        return run

    return add


def test_a_ranking(add, tmp_path):
    assert len(RANKING) == 3
    (tmp_path / "conf/scoring/toy.yaml").write_text("defaults:\n  - _components\n  - _self_\nkind: toy\n", encoding="utf-8")
    assert add(RANKING)({"scoring": "toy"})[:2] == ["c,b,a", "Customers are ranked by how little they gave back."]


def test_a_rule(add, tmp_path):
    assert len(RULE) == 3
    with (tmp_path / "conf/rules/default.yaml").open("a", encoding="utf-8") as file:
        file.write("refunds: null\n")
    names, _, rule = add(RULE)({"rules.refunds": 100, "rules.recency.max_days": None})
    assert names == "b,c"
    assert rule == "gave back too often"
