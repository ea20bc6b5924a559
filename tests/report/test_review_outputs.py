import csv
import json
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from segmenter.evaluation.review import review
from segmenter.launch_record import LaunchRecord
from segmenter.report.output_folder import check_out
from segmenter.report.outputs import write_outputs
from segmenter.report.publication import sha256
from segmenter.report.review_outputs import review_outputs
from segmenter.report.review_words import say_launch_lift
from segmenter.tables import INVITED, ORDERS


def write_review(found: Any, read: Any, settings: Any) -> None:
    write_outputs(review_outputs(found, read, settings), read, settings)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_everything_is_there_in_units_and_the_manifest_tells_it(reviewed: Callable[..., Any], tmp_path: Path) -> None:
    made = reviewed(f"out={tmp_path}/results", "data.orders.path=x")
    found, out = made.found, made.settings.out
    write_review(found, made.read, made.settings)
    names = ["acceptance.csv", "cohorts.csv", "lift.csv", "manifest.json", "reasons.csv", "rejects.parquet", "review.html", "sales.csv"]
    names += [f"{name}.csv" for name in ("breaches", "complaints", "life", "life_weeks", "live_events", "second_calls")]
    assert sorted(path.name for path in out.iterdir()) == sorted([*names, "uplift.parquet"])
    events = rows(out / "live_events.csv")
    assert events[0]["sales"] == f"{found.live_events['sales'][0] / 100:.2f}"
    assert {row["value"] for row in rows(out / "life.csv") if row["silent"] == "true"} == set(found.life.silent) > set()
    sales = rows(out / "sales.csv")
    assert len(sales) == 30
    assert sales[-1]["joined_so_far"] == f"{found.progress.sales / 100:.2f}"
    assert sales[-1]["target_so_far"] == "80000.00"
    assert rows(out / "cohorts.csv")[0]["sales"] == f"{found.progress.sales / 100:.2f}"
    used = next(row for row in rows(out / "lift.csv") if row["used"] == "true")
    assert used["total"] == f"{found.lift.best.total / 100:.2f}"
    assert float(used["effect"]) * found.lift.invited == pytest.approx(found.lift.best.total / 100)
    assert rows(out / "acceptance.csv")[0]["share"] == f"{found.acceptance['share'][0]:.6f}".rstrip("0")
    uplift = pl.read_parquet(out / "uplift.parquet")
    assert uplift["spend"].sum() * 100 == found.uplift["spend"].sum()
    assert uplift.filter(pl.col("invited") == pl.col("held_out")).is_empty()
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["as_of"], manifest["reviewed"], manifest["standing"]) == ("2026-07-01", "2026-07-31", "missed")
    assert manifest["lift"] == say_launch_lift(found, "en")
    assert manifest["counts"] == found.counts
    assert len(manifest["conclusion"]) == 3
    assert manifest["files"]["review.html"]["sha256"] == sha256(out / "review.html")
    check_out(made.settings)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    write_review(found, made.read, made.settings)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_where_there_is_no_lift_the_table_is_empty(reviewed: Callable[..., Any], tmp_path: Path) -> None:
    made = reviewed(f"out={tmp_path}/results", lift=None, target=None)
    write_review(made.found, made.read, made.settings)
    assert rows(made.settings.out / "lift.csv") == []
    assert {row["target_so_far"] for row in rows(made.settings.out / "sales.csv")} == {""}


GOLDEN = {
    "acceptance.csv": """\
over,value,invited,asked,reached,joined,agreed,refused,not_reached,open,share,low,high
all,,3,3,2,1,0,1,0,1,0.333333,0.061492,0.79234
wave,1,2,2,1,1,0,0,0,1,0.5,0.094531,0.905469
wave,2,1,1,1,0,0,1,0,0,0.0,0.0,0.793451
""",
    "cohorts.csv": """\
cohort,customers,buyers,orders,sales
joined,1,1,1,99.50
invited,3,2,2,109.50
held_out,2,1,1,5.00
""",
    "reasons.csv": "reason,customers,for_good\ndistance,1,0\n",
    "sales.csv": """\
date,day,joined,invited,held_out,joined_so_far,invited_so_far,held_out_so_far,target_so_far
2026-07-01,1,100.00,100.00,0.00,100.00,100.00,0.00,3.33
2026-07-02,2,-0.50,9.50,5.00,99.50,109.50,5.00,6.66
""",
}


def test_the_files_of_a_small_launch(reviewed: Callable[..., Any], tmp_path: Path) -> None:
    day = date(2026, 7, 1)
    row = {"launch": "tea", "in_plan": True, "planned_at": day, "status": "planned", "wave": 1, "stratum": "s"}
    joined = {"answer": "joined", "answered_on": day}
    refused = {"answer": "refused", "answered_on": day, "reason": "=too far"}
    changes: dict[str, dict[str, Any]] = {
        "a": joined,
        "b": {},
        "c": {"wave": 2, **refused},
        "h": {"status": "held_out"},
        "i": {"status": "held_out"},
    }
    people = pl.DataFrame([row | {"customer_id": name} | change for name, change in changes.items()], INVITED)
    bought = [("a", 1, 10_000), ("a", 2, -50), ("b", 2, 1_000), ("h", 2, 500), ("a", 3, 7_777)]
    orders = [{"customer_id": who, "time": datetime(2026, 7, on, 9), "amount": each, "is_order": each > 0} for who, on, each in bought]
    made = reviewed(f"out={tmp_path}/results", "review.as_of=2026-07-03")
    launch = LaunchRecord("tea", "vip", day, 30, 100_00, "CNY")
    write_review(review(launch, people, pl.DataFrame(orders, ORDERS), made.settings), made.read, made.settings)
    for name, expected in GOLDEN.items():
        assert (made.settings.out / name).read_text(encoding="utf-8-sig") == expected
