"""`segmenter review` as a person uses it, on a launch that the ledger knows."""

import json
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from jobs import run_here, settings_of

from segmenter.errors import ConfigError
from segmenter.ledger import LaunchRecord, list_answers, list_invitations, open_ledger, record_plan
from segmenter.settings import ReviewJob
from segmenter.sources.reject_reasons import UNKNOWN_CUSTOMER

DAY = date(2026, 7, 1)
IDS = [f"C{place:03}" for place in range(300)]


FILES = ["data=files", "data.orders.path=orders.csv"]


def job(*overrides: str) -> ReviewJob:
    return settings_of("review", *overrides, *(FILES if "data=demo" not in overrides else []))


def planned(*ids: str) -> pl.DataFrame:
    return pl.DataFrame({"customer_id": ids, "status": "planned", "wave": 1, "group": "g", "agent": None, "score": 1.0, "stratum": "s"})


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    every = [(who, 1 + place % 90, 10 + place) for place, who in enumerate([*IDS, "friend"])]
    rows = [(who, f"{datetime(2026, 5, 1, 12) + timedelta(days=day)}", f"{amount}") for who, day, amount in every]
    rows.append(("C001", "2026-07-04 12:00:00", "lots"))
    pl.DataFrame(rows, schema=["customer_id", "time", "amount"], orient="row").write_csv(folder / "orders.csv")
    plan = {"customer_id": IDS, "status": ["held_out" if place % 10 == 0 else "planned" for place in range(300)], "wave": 1, "group": "g"}
    frame = pl.DataFrame(plan | {"agent": None, "score": 1.0, "stratum": "s", "region": "四川", "segment": "0"})
    launch = LaunchRecord("spring", "vip", DAY, 30, 5_000_00, "CNY", "f")
    record_plan(open_ledger(None, folder / "outputs" / "spring"), launch, frame)
    (folder / "told").mkdir()
    lines = ["customer_id,answer,answered_on", *(f"{who},joined,2026-07-05" for who in ["C001", "C002", "friend", "C0O3"])]
    (folder / "told" / "group.csv").write_text("\n".join([*lines, "C004,bananas,2026-07-05", "C005,refused,2026-08-20"]), encoding="utf-8")
    return folder


def test_answers_and_orders_become_a_review_and_again_the_same(shop: Path) -> None:
    asked = ["review", *FILES, "tracking=none", "launch.name=spring", "review.as_of=2026-07-31"]
    done = run_here(*asked, "review.answers=[told]", cwd=shop)
    assert done.stdout == "outputs/spring_review\n"
    assert "answers of ids that neither the plan nor the shop knows: 1, see the rejects" in done.stderr
    assert "answers of 2026-07-31 or later: 1, which a later review counts" in done.stderr
    assert "rows of orders that could not be read: 1, see the rejects; sales may be too low" in done.stderr
    assert "1 of those who joined were not invited" in done.stderr
    out = shop / "outputs" / "spring_review"
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["as_of"], manifest["reviewed"], manifest["counts"]["joined"]) == ("2026-07-01", "2026-07-31", 3)
    assert manifest["config"]["review"]["as_of"] == "2026-07-31"
    assert manifest["inputs"]["answers"] | {"sources": []} == {"rows": 6, "open": 0, "rejected": 3, "kept": 3, "sources": []}
    assert manifest["inputs"]["answers"]["sources"][0]["name"] == "group.csv"
    rejects = pl.read_parquet(out / "rejects.parquet")
    assert sorted(rejects["value"]) == ["2026-08-20", "C0O3", "aaaaaaa", "lots"]
    assert rejects.filter(value="C0O3").select("row", "reason").rows() == [(5, UNKNOWN_CUSTOMER)]
    uplift = pl.read_parquet(out / "uplift.parquet")
    july = (
        pl.read_csv(shop / "orders.csv", try_parse_dates=True, infer_schema_length=None)
        .with_columns(pl.col("amount").cast(pl.Int64, strict=False))
        .filter(pl.col("time") >= DAY, pl.col("time") < date(2026, 7, 31))
    )
    assert uplift.height == 300
    assert uplift["spend"].sum() == july.filter(pl.col("customer_id") != "friend")["amount"].sum()
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    later = pl.concat(
        [
            pl.read_csv(shop / "orders.csv", infer_schema=False),
            pl.DataFrame({"customer_id": "C001", "time": "2026-07-31 00:00:00.000000", "amount": "9999"}),
        ]
    )
    later.write_csv(shop / "orders.csv")
    # The sheets are gone, but were read: the ledger knows them. What the shop did since does not count.
    again = run_here(*asked, cwd=shop)
    assert "outputs/spring/call_sheets" in again.stderr
    assert "answers that were read before count all the same: 3" in again.stderr
    after = {path.name: path.read_bytes() for path in out.iterdir()}
    assert {name for name in before if before[name] != after[name]} == {"manifest.json", "rejects.parquet", "review.html"}  # the warnings
    ledger = open_ledger(None, out)
    assert list_answers(ledger).height == 3
    assert list_invitations(ledger).filter(customer_id="friend")["status"].to_list() == [None]


def test_what_a_review_cannot_be_made_of() -> None:
    for override, message in {
        "engine=spark": "engine: single orders are looked at, which needs engine=local",
        "ledger.use=false": "ledger.use: should be true",
        "data=demo": "then review with data=demo_after",
    }.items():
        with pytest.raises(ConfigError, match=message):
            job(override)
