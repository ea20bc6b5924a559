"""Many orders that are read part by part come to the same as when all are read at once, and so does all that is said of them."""

import random
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from omegaconf import OmegaConf
from polars.testing import assert_frame_equal

import segmenter
from segmenter.errors import InputError
from segmenter.loader import read_tables
from segmenter.measures import shop_orders
from segmenter.measures.sampling import Sampling
from segmenter.settings import FilesSettings, parse
from segmenter.sources import order_parts
from segmenter.tables import Terms

CONF = Path(__file__).parents[2] / "conf" / "data"
LAUNCH = segmenter.launch_settings({"launch.as_of": "2026-07-01"}).launch
TERMS = Terms(date(2026, 7, 1), 90.0, 200)


def lines(orders, *, amount="line", again=0, status=False, seed=1):
    """Orders of one to four lines; of some the number is used by several customers, some lines stand there twice."""
    chance = random.Random(seed)
    rows = []
    for number in range(orders):
        who, when = f"C{chance.randrange(orders // 3):04}", datetime(2026, 7, 10) - timedelta(minutes=chance.randrange(400_000))
        total = round(chance.uniform(5, 300), 2)
        for line in range(chance.choice([1, 1, 2, 3, 4])):
            row = {
                "customer_id": chance.choice([who] * 30 + [" " + who, "", None]),
                "time": when + timedelta(days=chance.choice([0] * 20 + [2, 50])),
                "amount": total if amount == "order" else chance.choice([round(chance.uniform(1, 90), 2)] * 20 + [-3.5, None]),
                "province": chance.choice(["四川省", "云南", None, "北京"]),
                "order_id": chance.choice([f"N{number % again if again else number:05}"] * 60 + [None]),
                "sku": f"{line}-{chance.randrange(40)}",
            }
            if status:
                row["status"] = chance.choice(["paid", "paid", "shipped", "refunded", "cancelled"])
            rows += [row] * chance.choice([1] * 25 + [2])
    return pl.DataFrame(rows, infer_schema_length=None)


LINES = lines(400)
STATES = lines(300, status=True)
BACK = {"orders.refund": "status IN ('refunded', 'cancelled')"}
WHOLE = lines(300, amount="order").filter(pl.col("customer_id").str.starts_with("C"), pl.col("order_id").is_not_null())
UNIQUE = LINES.with_columns(order_id=pl.int_range(pl.len()).cast(pl.String))
CASES = {
    "lines": (LINES, {"orders.grain": "line"}),
    "lines, by their numbers": (LINES, {}),
    "lines, repeats dropped": (LINES, {"orders.grain": "line", "orders.repeats": "drop"}),
    "lines, found and repeats dropped": (LINES, {"orders.repeats": "drop"}),
    "lines in states": (STATES, {"orders.grain": "line", **BACK}),
    "lines in states, repeats dropped": (STATES, {"orders.repeats": "drop", **BACK}),
    "lines of which some are left out": (STATES, {"orders.grain": "line", "orders.where": "status <> 'cancelled'"}),
    "numbers that begin again": (lines(400, again=40), {"orders.grain": "line"}),
    "amounts of whole orders": (WHOLE, {"orders.grain": "line"}),
    "amounts of whole orders, by their name": (WHOLE.rename({"amount": "order_total"}), {"orders.columns.amount": "order_total"}),
    "each row an order": (LINES, {"orders.grain": "order"}),
    "unique numbers": (UNIQUE, {}),
    "unique numbers of rows that repeat others": (pl.concat([UNIQUE, UNIQUE.head(300)]), {"orders.repeats": "drop"}),
    "no numbers, repeats dropped": (pl.concat([LINES.drop("order_id")] * 2), {"orders.repeats": "drop"}),
    "no numbers": (LINES.drop("order_id"), {}),
    "numbers that nobody mapped": (LINES.rename({"order_id": "Order No"}), {}),
    "the last state counts": (STATES, {"orders.repeats": "latest", **BACK}),
}


def settings_of(folder, changes):
    config = OmegaConf.merge(OmegaConf.load(CONF / "_tables.yaml"), OmegaConf.load(CONF / "files.yaml"), {"orders": {"path": str(folder)}})
    del config["defaults"]
    for key, value in ({"max_reject_share": 1.0} | changes).items():
        OmegaConf.update(config, key, value)
    return parse(FilesSettings, config)


def read(data, rows, monkeypatch):
    monkeypatch.setattr(shop_orders, "KERNEL_ROWS", rows)
    try:
        found = read_tables(data, LAUNCH, seed=1, terms=TERMS, sampling=Sampling(20, 1))
    except InputError as error:
        return error.problems
    tables, orders = found.tables, found.tables.orders
    sample = orders.single().sort(pl.all().exclude("order_id")).drop("order_id") if rows == 1 else None
    frames = {"sums": orders.summary(TERMS).frame, "rejects": tables.rejects}
    frames |= {name: getattr(tables.profile, name) for name in ("by_day", "by_status", "by_file")}
    said = [(finding.level, str(finding.message)) for finding in tables.findings]
    return frames, (tables.reads, said, tables.not_customers, found.fingerprints), orders.days, sample


TYPED = ("lines", "lines in states, repeats dropped", "no numbers, repeats dropped")


@pytest.mark.parametrize(("name", "kind"), [*((name, "csv") for name in CASES), *((name, "parquet") for name in TYPED)])
def test_parts_are_as_the_whole(name, kind, tmp_path, monkeypatch):
    frame, changes = CASES[name]
    for number, rows in enumerate(frame.iter_slices(-(-frame.height // 2))):
        getattr(rows, f"write_{kind}")(tmp_path / f"orders-{number}.{kind}")
    data = settings_of(tmp_path, changes)
    monkeypatch.setattr(order_parts, "_ROWS", 100)
    whole, parts = (read(data, rows, monkeypatch) for rows in (10**9, 1))
    if isinstance(whole[0], str):
        assert whole == parts
        return
    for table, there in whole[0].items():
        assert_frame_equal(parts[0][table], there)
    assert parts[1:3] == whole[1:3]
    assert parts[3].height < frame.height
