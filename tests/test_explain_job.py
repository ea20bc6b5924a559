"""`segmenter explain`: what a launch decided on a customer, from its results."""

import json
import shutil

import polars as pl
import pytest
from jobs import run_here
from marks import slow_but

import segmenter
from segmenter.errors import ConfigError, InputError
from segmenter.sources.results_folder import explain_some, read_results

QUICK = ("tracking=none", "ledger.use=false", "segments.k=2", "segments.bootstraps=2", "data.shop.customers=600")
KINDS = {
    "weighted": ("scoring=weighted", "rules.spend.min=300", "rules.orders.min=2"),
    "spend": ("scoring=spend", "plan.size=100", "plan.holdout_by=region"),
    "allocated": ("plan=allocated", "scoring=rfm", "plan.by_region=none"),
}


@pytest.fixture(scope="module", params=slow_but(KINDS, "weighted"))
def results(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("explained")
    run_here("launch", "out=spring", *QUICK, *KINDS[request.param], cwd=folder)
    return folder / "spring"


@pytest.mark.slow
def test_every_customer_is_explained_as_the_results_have_it(results):
    check_all(results)


@pytest.mark.slow
@pytest.mark.parametrize("scoring", ["auto", "weighted"])
def test_every_customer_of_the_demo_shop_is_explained_as_the_results_have_it(tmp_path, scoring):
    run_here("launch", "out=demo", f"scoring={scoring}", *QUICK[:2], cwd=tmp_path)
    check_all(tmp_path / "demo")


def check_all(folder):
    read, customers = read_results(folder), pl.read_parquet(folder / "customers.parquet")
    rules = pl.read_csv(folder / "funnel.csv")["rule"].to_list()
    ranks = dict(pl.read_parquet(folder / "invite_list.parquet").select("customer_id", "rank").rows())
    explained = explain_some(read, customers["customer_id"].to_list())
    assert len(explained) == customers.height
    for row, found in zip(customers.iter_rows(named=True), explained, strict=True):
        assert found.customer_id == row["customer_id"]
        assert (found.outcome == "invited", found.outcome == "held_out") == (row["invited"], row["held_out"])
        assert (found.verdict, found.score) == (row["verdict"], row["score"])
        assert found.decisions.get("rank") == row["rank"] == ranks.get(row["customer_id"])
        assert (found.decisions["group"], found.decisions["wave"], found.decisions["segment"]) == (
            row["group"],
            row["wave"],
            row["segment"],
        )
        assert [rule.rule for rule in found.rules] == rules
        assert next((rule.rule for rule in found.failed), "eligible") == row["verdict"]
        for rule in found.rules:
            if rule.measure is not None:
                kept = rule.value is not None and (rule.value >= rule.limit if rule.floor else rule.value <= rule.limit)
                assert kept == rule.passed
        assert sum(part.weight for part in found.parts) == pytest.approx(1)
        if found.adds_up:
            assert sum(part.points for part in found.parts) == pytest.approx(found.score, abs=6e-5)
        assert found.measures["spend"] == int(row["spend"] * 100)
        assert found.outcome in ("left_out", "removed") or (found.enough is None and not found.alternatives)
    for (unit,), mates in pl.DataFrame({"unit": [each.unit for each in explained], "number": range(len(explained))}).group_by("unit"):
        eligible = [explained[number] for number in mates["number"] if explained[number].verdict == "eligible"]
        assert {each.of for each in eligible} <= {len(eligible)}, unit
        assert all(each.place == 1 + sum(other.score > each.score for other in eligible) for each in eligible[:20])


def test_it_is_told_in_both_languages_without_reading_more_than_the_results(results, monkeypatch):
    ids = pl.read_parquet(results / "customers.parquet").group_by("invited", "held_out", "verdict").first()["customer_id"].to_list()
    english = run_here("explain", "results=spring", f"customer=[{','.join(ids)}]", cwd=results.parent)
    chinese = run_here("explain", "results=spring", f"customer=[{','.join(ids)}]", "lang=zh", cwd=results.parent)
    for said in (english.stdout, chinese.stdout):
        assert all(name in said for name in ids)
        assert said.isascii() is False
    assert "customer" not in chinese.stdout.replace("customer_id", "")
    assert [path.name for path in results.parent.iterdir()] == ["spring"]


def test_a_mistyped_id_is_answered_with_the_nearest(results):
    customer = pl.read_parquet(results / "customers.parquet")["customer_id"][41]
    mistyped = f"{customer[0].lower()}-{int(customer[1:])}"
    said = run_here("explain", "results=spring", f"customer={mistyped}", cwd=results.parent, code=2).stderr
    assert customer in said
    assert "Traceback" not in said
    with pytest.raises(InputError, match=customer):
        segmenter.explain(results, mistyped)


def test_what_holds_no_launch_as_it_was_written_is_refused(results, tmp_path):
    with pytest.raises(ConfigError, match="nowhere"):
        segmenter.explain(tmp_path / "nowhere", "C1")
    shutil.copytree(results, tmp_path / "copy")
    manifest = json.loads((tmp_path / "copy" / "manifest.json").read_text())
    for changed in ({"job": "backtest"}, {"rules": None, "draft": None}, {"config": {}}):
        (tmp_path / "copy" / "manifest.json").write_text(json.dumps(manifest | changed))
        with pytest.raises(ConfigError, match="copy"):
            read_results(tmp_path / "copy")
    (tmp_path / "copy" / "manifest.json").write_text(json.dumps(manifest))
    assert read_results(tmp_path / "copy").runs is False
    with (tmp_path / "copy" / "customers.parquet").open("ab") as file:
        file.write(b" ")
    with pytest.raises(ConfigError, match=r"customers\.parquet"):
        read_results(tmp_path / "copy")
    (tmp_path / "copy" / "customers.parquet").unlink()
    with pytest.raises(ConfigError, match=r"customers\.parquet"):
        read_results(tmp_path / "copy")
