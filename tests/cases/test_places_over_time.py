"""Whoever's last known place is left out is invited by no launch, whatever the latest order does not say, and however the orders come."""

from pathlib import Path

import polars as pl
import pytest
from jobs import run_here

from segmenter.measures import shop_orders

pytestmark = pytest.mark.slow

NONE = (None, None, None, None)
MIANYANG, CHENGDU = ("四川省", "绵阳市", "涪城区", None), ("四川省", "成都市", "武侯区", None)
# What somebody's orders say, the oldest first: province, city, district and address; and what the launch makes of it with exclude=[绵阳].
TOLD = {
    "names it": ([MIANYANG], "region_exclude"),
    "names it, then nothing": ([MIANYANG, NONE], "region_exclude"),
    "names it, then the province": ([MIANYANG, ("Sichuan", None, None, None)], "region_exclude"),
    "names it, then another street": ([MIANYANG, (None, None, None, "绵阳市临园路 1 号")], "region_exclude"),
    "the province, then the city": ([("四川", None, None, None), (None, "Mianyang", None, None)], "region_exclude"),
    "the city, then the province": ([(None, "綿陽市", None, None), ("四川", None, None, None)], "region_exclude"),
    "was elsewhere": ([("广东省", "广州市", None, None), (None, None, None, "四川省绵阳市涪城区临园路 1 号")], "region_exclude"),
    "was elsewhere, then the district": ([("广东省", "广州市", None, None), (None, None, "涪城区", None)], "region_exclude"),
    "was in another city": ([CHENGDU, ("四川省", None, None, "涪城区临园路 1 号")], "region_exclude"),
    "has moved to another province": ([MIANYANG, ("广东", None, None, None)], "eligible"),
    "has moved to another city": ([MIANYANG, ("四川", "成都", None, None)], "eligible"),
    "has moved, by the address": ([MIANYANG, (None, None, None, "广东省深圳市南山区科技园 1 号")], "eligible"),
    "lives in another city": ([CHENGDU, NONE], "eligible"),
    "has moved within the country, the city unsaid": ([("广东", "广州", None, None), ("四川", None, None, None)], "region_unknown"),
    "only the province": ([("四川", None, None, None)], "region_unknown"),
    "nothing": ([NONE], "region_unknown"),
}


def orders():
    rows = [
        (f"C{at:02}", f"2026-0{day}-11 08:30:00", 100.0 + day, *place)
        for at, (told, _) in enumerate(TOLD.values())
        for day, place in enumerate(told, 3)
    ]
    names = ["customer_id", "time", "amount", "province", "city", "district", "address"]
    return pl.DataFrame(rows, schema=names, orient="row", infer_schema_length=None).sample(fraction=1, shuffle=True, seed=3)


def verdicts(path, folder, *more):
    out = folder / "out"
    asked = [
        "launch.as_of=2026-07-01",
        "tracking=none",
        f"ledger.url=sqlite:///{folder}/ledger.db",
        f"out={out}",
        "rules.region.exclude=[绵阳]",
    ]
    run_here("launch", "data=files", f"data.orders.path={path}", *asked, *more, cwd=folder)
    said = [file for file in out.rglob("*") if file.suffix in (".csv", ".html", ".json", ".md")]
    assert not any("临园路" in file.read_text(encoding="utf-8") for file in said)
    frame = pl.read_parquet(out / "customers.parquet").sort("customer_id")
    assert frame.columns.count("district") == 1
    assert "address" not in frame.columns
    return dict(zip(TOLD, frame["verdict"], strict=True))


def written(frame: pl.DataFrame, folder: Path, kind: str) -> Path:
    match kind:
        case "csv":
            frame.write_csv(folder / "orders.csv")
        case "xlsx":
            frame.write_excel(folder / "orders.xlsx")
        case _:
            (folder / "orders").mkdir()
            timed = frame.with_columns(pl.col("time").str.to_datetime())
            for at, rows in enumerate(timed.iter_slices(5)):
                rows.write_parquet(folder / "orders" / f"{at}.parquet")
            return folder / "orders"
    return folder / f"orders.{kind}"


@pytest.mark.parametrize("kind", ["csv", "xlsx", "parquet", "streamed", "stored"])
def test_the_last_known_place_decides(kind, tmp_path, monkeypatch):
    path = written(orders(), tmp_path, kind)
    more = []
    if kind in ("streamed", "stored"):
        monkeypatch.setattr(shop_orders, "KERNEL_ROWS", 0)
    if kind == "stored":
        more = [f"history.store={tmp_path / 'store'}"]
        verdicts(path, tmp_path, *more)
    assert verdicts(path, tmp_path, *more) == {name: verdict for name, (_, verdict) in TOLD.items()}


def test_the_customers_table_and_the_orders_together(tmp_path):
    path = written(orders(), tmp_path, "csv")
    addresses = [None if name == "lives in another city" else "四川省绵阳市涪城区临园路 9 号" for name in TOLD]
    people = pl.DataFrame({"customer_id": [f"C{at:02}" for at in range(len(TOLD))], "address": addresses})
    people.write_csv(tmp_path / "customers.csv")
    found = verdicts(path, tmp_path, f"data.customers.path={tmp_path / 'customers.csv'}", "data.customers.columns.address=address")
    assert found == {name: "eligible" if name == "lives in another city" else "region_exclude" for name in TOLD}
