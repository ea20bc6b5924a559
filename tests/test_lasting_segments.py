"""Segments that last: a committed launch, the next month's on the same segments, and the way back to new ones."""

import json
from pathlib import Path

import polars as pl
import pytest
from jobs import run_here

QUICK = ("scoring=spend", "plan.size=200", "tracking=none", "lang=en", "segments.bootstraps=2", "data=files", "launch.topic=null")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lasting")
    run_here("demo", "out=shop", "customers=1200", "launch.as_of=2026-07-01", cwd=folder)
    return folder


def launch(folder: Path, name: str, day: str, *more: str, code: int = 0) -> str:
    paths = [f"data.{table}.path=shop/{table}.csv" for table in ("orders", "customers", "events", "referrals")]
    words = [*paths, *QUICK, f"launch.name={name}", f"launch.as_of={day}", *(more or ["launch.commit=true"])]
    done = run_here("launch", *words, cwd=folder, code=code)
    return done.stdout + done.stderr


def fitted(folder: Path, name: str) -> dict:
    return json.loads((folder / "outputs" / name / "fitted.json").read_text(encoding="utf-8"))


def test_the_next_month_has_the_same_segments(shop: Path) -> None:
    launch(shop, "may", "2026-05-01")
    launch(shop, "june", "2026-06-01")
    first, second = fitted(shop, "may"), fitted(shop, "june")
    assert second["segments"] == first["segments"]
    assert (first["segments"]["launch"], second["launch"]) == ("may", "june")
    names = [set(pl.read_csv(shop / "outputs" / name / "segments.csv")["name"]) for name in ("may", "june")]
    assert names[1] <= names[0]
    moves = pl.read_csv(shop / "outputs" / "june" / "segment_moves.csv")
    assert set(moves["before"]) <= names[0] | {"not eligible", "not a customer yet"}
    customers = pl.read_parquet(shop / "outputs" / "june" / "customers.parquet")
    assert moves["customers"].sum() == customers.height
    assert "Segments since may" in (shop / "outputs" / "june" / "report.html").read_text(encoding="utf-8")
    assert not (shop / "outputs" / "may" / "segment_moves.csv").exists()

    # The same input and the same ledger give the same bytes.
    before = {path: path.read_bytes() for path in (shop / "outputs" / "june").rglob("*") if path.is_file()}
    launch(shop, "june", "2026-06-01")
    assert {path: path.read_bytes() for path in (shop / "outputs" / "june").rglob("*") if path.is_file()} == before


def test_whoever_wants_new_ones_or_another_launchs_gets_them(shop: Path) -> None:
    draft = "launch.commit=false"
    launch(shop, "new", "2026-06-15", draft, "segments.from=new")
    assert fitted(shop, "new")["segments"]["launch"] == "new"
    launch(shop, "named", "2026-06-15", draft, "segments.from=outputs/may/fitted.json")
    assert fitted(shop, "named")["segments"]["launch"] == "may"
    assert "should be new, last, or the results of a launch" in launch(shop, "x", "2026-06-15", draft, "segments.from=neu", code=2)
    assert "launch.as_of was 2026-05-01" in launch(shop, "x", "2026-04-15", draft, "segments.from=outputs/may", code=2)
    said = launch(shop, "other", "2026-06-15", draft, "segments.k=3", "out=outputs/other")
    assert "segments.k was auto and is 3" in said
    assert "which holds outputs/may" in launch(shop, "may", "2026-06-15", draft, "segments.from=outputs/may", "out=outputs/may", code=2)
