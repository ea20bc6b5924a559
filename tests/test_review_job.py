"""`segmenter review` as a person uses it, on a launch that the ledger knows."""

import json
from datetime import date, datetime, timedelta
from pathlib import Path

import openpyxl
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
    assert "orders: 1 of 302 rows (0.3%) were left out: 1 × amount is no amount" in done.stderr
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


@pytest.mark.slow
def test_what_a_review_cannot_be_made_of() -> None:
    for override, message in {
        "engine=spark": "engine: single orders are looked at, which needs engine=local",
        "ledger.use=false": "ledger.use: should be true",
        "data=demo": "then review with data=demo_after",
    }.items():
        with pytest.raises(ConfigError, match=message):
            job(override)


@pytest.mark.slow
def test_phones_names_and_members_become_ids_and_a_new_phone_is_in_the_next_sheets(tmp_path: Path) -> None:
    ids = [f"C{place:03}" for place in range(40)]
    orders = [(who, f"2026-06-{1 + day:02} 12:00:00", 100 + place) for place, who in enumerate(ids) for day in range(0, 28, 9)]
    pl.DataFrame(orders, schema=["customer_id", "time", "amount"], orient="row").write_csv(tmp_path / "orders.csv")
    people = {
        "customer_id": ids,
        "name": [f"Name{place:03}" for place in range(40)],
        "phone": [f"138000000{place:02}" for place in range(40)],
    }
    pl.DataFrame(people).write_csv(tmp_path / "customers.csv")
    shop = [*FILES, "data.customers.path=customers.csv", "data.customers.contact=[phone]", "tracking=none", "launch.country=CN"]
    plan = ["plan.size=20", "plan.holdout=0", "segments.k=2", "segments.bootstraps=2", "rules.cooloff_days=null"]
    run_here("launch", *shop, *plan, "launch.name=spring", "launch.as_of=2026-07-01", "launch.commit=true", cwd=tmp_path)
    first, second, third, fourth = pl.read_csv(tmp_path / "outputs/spring/invite_list.csv")["customer_id"].sort().to_list()[:4]

    def of(who: str, column: str) -> str:
        return dict(zip(ids, people[column], strict=True))[who]

    (tmp_path / "back" / "Li").mkdir(parents=True)
    lines = ["name,phone,answer,answered on,new phone", f",+86 {of(first, 'phone')},refused,2026-07-03,"]
    lines += [f"{of(second, 'name')},,wrong number,2026-07-03,13911112222", "Strange Person,13911113333,joined,2026-07-03,"]
    (tmp_path / "back" / "Li" / "calls.csv").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "back" / "members.csv").write_text(f"nickname\n{of(third, 'name')}\n", encoding="utf-8")
    asked = ["review", *shop, "launch.name=spring", "review.as_of=2026-07-20", "review.answers=[back]"]
    done = run_here(*asked, cwd=tmp_path)
    out, ledger = tmp_path / "outputs" / "spring_review", open_ledger(None, tmp_path / "outputs" / "spring")

    def told() -> dict[str, str]:
        return dict(list_invitations(ledger).drop_nulls("answer").select("customer_id", "answer").rows())

    expected = {first: "refused", second: "wrong_number", third: "joined"}
    assert told() == expected
    assert (out / "to_mend.xlsx").stat().st_mode & 0o777 == 0o600
    private = tmp_path / "outputs" / "contacts.csv"
    assert private.stat().st_mode & 0o777 == 0o600
    everywhere = b"".join(
        path.read_bytes()
        for path in (tmp_path / "outputs").rglob("*")
        if path.suffix in (".html", ".json", ".db", ".csv") and path != private
    )
    everywhere += (done.stdout + done.stderr).encode()
    assert not any(contact in everywhere for contact in (b"13911112222", b"13911113333", b"Strange", of(third, "name").encode()))
    # The same again gives the same, though what is to be mended stands in the results now.
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    run_here(*asked, cwd=tmp_path)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    # It is filled in where it stands.
    book = openpyxl.load_workbook(out / "to_mend.xlsx")
    at = {cell.value: cell.column for cell in book.active[1]}
    book.active.cell(2, at["customer_id"]).value = fourth
    book.save(out / "to_mend.xlsx")
    run_here(*asked, cwd=tmp_path)
    assert told() == expected | {fourth: "joined"}
    run_here("launch", *shop, *plan, "plan.size=40", "launch.name=next", "launch.as_of=2026-07-20", cwd=tmp_path)
    phones = {}
    for path in (tmp_path / "outputs" / "next" / "call_sheets").iterdir():
        sheet = openpyxl.load_workbook(path).worksheets[0]
        head, *rows = sheet.iter_rows(values_only=True)
        phones |= {row[head.index("customer_id")]: row[head.index("phone")] for row in rows if "customer_id" in head}
    assert phones[second] == "13911112222"
    assert not {first, third} & phones.keys()
