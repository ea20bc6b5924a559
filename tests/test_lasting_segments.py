"""Segments that last: a committed launch, the next month's on the same segments, and the way back to new ones."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from jobs import run_here

import segmenter
from segmenter.demo.shop import simulate
from segmenter.segments import MEASURES, features
from segmenter.segments.drift import near_border

pytestmark = pytest.mark.slow
QUICK = ("scoring=spend", "plan.size=200", "tracking=none", "lang=en", "segments.bootstraps=2", "data=files", "launch.topic=null")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lasting")
    run_here("demo", "out=shop", "customers=1200", "launch.as_of=2026-07-01", cwd=folder)
    launch(folder, "may", "2026-05-01")
    launch(folder, "june", "2026-06-01")
    return folder


def launch(folder: Path, name: str, day: str, *more: str, code: int = 0) -> str:
    paths = [f"data.{table}.path=shop/{table}.csv" for table in ("orders", "customers", "events", "referrals")]
    words = [*paths, *QUICK, f"launch.name={name}", f"launch.as_of={day}", *(more or ["launch.commit=true"])]
    done = run_here("launch", *words, cwd=folder, code=code)
    return done.stdout + done.stderr


def fitted(folder: Path, name: str) -> dict:
    return json.loads((folder / "outputs" / name / "fitted.json").read_text(encoding="utf-8"))


def test_the_next_month_has_the_same_segments(shop: Path) -> None:
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


def demo(_: Path) -> dict[str, pl.DataFrame]:
    shop = simulate(customers=3_000, days=900, as_of=date(2026, 7, 1), seed=3)
    return {"orders": shop.orders, "customers": shop.customers, "events": shop.events, "referrals": shop.referrals}


def online_retail(folder: Path) -> dict[str, pl.DataFrame]:
    lines = pl.read_parquet(folder / "online_retail.parquet").filter(pl.col("CustomerID").is_not_null())
    amount = (pl.col("Quantity") * pl.col("UnitPrice")).sum().round(2)
    orders = lines.group_by("InvoiceNo").agg(pl.col("CustomerID", "InvoiceDate").first(), amount=amount)
    return {"orders": orders.select(customer_id=pl.col("CustomerID").cast(pl.String), time="InvoiceDate", amount="amount")}


def taobao(folder: Path) -> dict[str, pl.DataFrame]:
    orders = pl.read_parquet(folder / "taobao_orders.parquet").filter(~pl.col("order_status").str.contains("退款"))
    return {"orders": orders.select(customer_id="buyer_hash", time="paid_at", amount="amount")}


def cdnow(folder: Path) -> dict[str, pl.DataFrame]:
    return {"orders": pl.read_parquet(folder / "cdnow_master.parquet").select("customer_id", time="date", amount="amount")}


@pytest.mark.parametrize(
    ("read", "first", "step"),
    [(demo, date(2025, 10, 1), 30), (online_retail, date(2011, 3, 10), 30), (taobao, date(2019, 2, 1), 15), (cdnow, date(1997, 10, 1), 30)],
)
def test_at_ten_dates_who_is_away_from_borders_and_hardly_changes_stays(
    read: Callable[[Path], dict[str, pl.DataFrame]], first: date, step: int, request: pytest.FixtureRequest
) -> None:
    frames = read(Path() if read is demo else request.getfixturevalue("data_dir"))
    texts = {name: frame.with_columns(pl.col(pl.Datetime, pl.Date, pl.Float64).cast(pl.String)) for name, frame in frames.items()}
    kept, before, stayed = None, None, 0
    for place in range(10):
        settings = segmenter.launch_settings({"launch.as_of": str(first + timedelta(place * step)), "scoring": "spend"})
        if kept is None:
            tables = segmenter.canonical_tables(texts, settings.data, settings.launch)
        plan = segmenter.plan_launch(tables, settings, fitted=kept)
        eligible = plan.customers.filter(pl.col("segment").is_not_null())
        measures = features(eligible)
        near = pl.Series("near", near_border(plan.model.segmenter.predict, measures))
        now = pl.DataFrame(measures, schema=list(MEASURES)).insert_column(0, eligible["customer_id"])
        now = now.with_columns(eligible["segment"], near)
        if kept is not None and before is not None:
            assert plan.fitted.segments == kept.segments
            assert plan.segmentation.kept is not None
            assert plan.segmentation.kept.moves is not None
            assert plan.segmentation.kept.moves["customers"].sum() >= plan.customers.height
            both = before.join(now, on="customer_id", suffix="_now").filter(~pl.col("near"))
            alike = [(pl.col(f"{name}_now") - pl.col(name)).abs() <= 0.1 * pl.col(name) for name in MEASURES]
            same = both.filter(pl.all_horizontal(alike))
            assert (same["segment"] == same["segment_now"]).mean() in (None, 1.0)
            stayed += same.height
        before, kept = now, plan.fitted
    assert stayed > 20
