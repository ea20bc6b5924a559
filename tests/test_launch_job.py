"""`segmenter launch` as a person uses it, on tables from everywhere."""

import json
import re
import shlex
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from jobs import run_here, run_python, settings_of
from pages import hash_of
from sqlalchemy import create_engine, text

from segmenter.home import HOME
from segmenter.report.publication import sha256

ATTRIBUTES = """data.customers.attributes=[type,account,"CASE WHEN name LIKE '%卫生室' THEN 'village' ELSE 'town' END AS site"]"""

QUICK = ("scoring=weighted", "segments.k=3", "segments.bootstraps=2", "tracking=none")  # where customers come from is all that differs


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The demo shop's files, and the results of the command that the job says to use on them."""
    folder = tmp_path_factory.mktemp("work")
    said = run_here("demo", "out=shop", "customers=800", cwd=folder).stdout
    command = re.search(r"^segmenter (launch .*)$", said, flags=re.MULTILINE)[1]
    run_here(*shlex.split(command), *QUICK, "out=from_files", cwd=folder)
    return folder


def lists(out: Path):
    return {
        path.relative_to(out).as_posix(): hash_of(path)
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.name != "manifest.json"
    }


def test_files_give_what_the_simulator_itself_gives(demo):
    run_here("launch", "data.shop.customers=800", *QUICK, "out=from_demo", cwd=demo)
    assert lists(demo / "from_demo") == lists(demo / "from_files")


def launch_from_database(demo, url, out):
    engine = create_engine(url)
    for path in sorted((demo / "shop").glob("*.csv")):
        frame = pl.read_csv(path, schema_overrides={"phone": pl.String}, try_parse_dates=True)
        frame.write_database(path.stem, engine, if_table_exists="replace")
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM customers")).scalar() == 800
    engine.dispose()
    queries = [f"data.{name}.query=SELECT * FROM {name}" for name in ("orders", "customers", "events", "referrals")]
    asked = [
        "data.customers.contact=[phone,wechat]",
        ATTRIBUTES,
        "personas=demo",
        "launch.name=demo",
        "launch.as_of=2026-07-01",
    ]
    run_here("launch", "data=database", f"data.url={url}", *queries, *asked, *QUICK, f"out={out}", cwd=demo)
    assert lists(demo / out) == lists(demo / "from_files")
    return (demo / out / "manifest.json").read_text(encoding="utf-8")


@pytest.mark.slow
def test_sqlite_gives_the_same(demo):
    launch_from_database(demo, f"sqlite:///{demo}/shop.db", "from_sqlite")


@pytest.mark.slow
def test_postgresql_gives_the_same_and_its_password_stays_secret(demo, postgres_url):
    manifest = launch_from_database(demo, postgres_url.replace("postgresql://", "postgresql+psycopg://"), "from_postgresql")
    assert "s3cret" not in manifest
    assert "***" in manifest


@pytest.mark.slow
def test_excel_parquet_and_gb18030_give_the_same_customers(demo):
    other = demo / "other"
    other.mkdir()
    orders = pl.read_csv(demo / "shop" / "orders.csv", try_parse_dates=True)
    orders.write_excel(other / "orders.xlsx")
    pl.read_csv(demo / "shop" / "events.csv").write_parquet(other / "events.parquet")
    for name in ("customers", "referrals"):
        (other / f"{name}.csv").write_bytes(
            (demo / "shop" / f"{name}.csv").read_text(encoding="utf-8-sig").replace(",", ";").encode("gb18030")
        )
    paths = [
        f"data.orders.path={other}/orders.xlsx",
        f"data.events.path={other}/events.parquet",
        *(f"data.{name}.path={other}/{name}.csv" for name in ("customers", "referrals")),
    ]
    asked = [
        "data.customers.contact=[phone,wechat]",
        ATTRIBUTES,
        "personas=demo",
        "launch.name=demo",
        "launch.as_of=2026-07-01",
    ]
    run_here("launch", "data=files", *paths, *asked, *QUICK, "out=from_others", cwd=demo)
    assert lists(demo / "from_others") == lists(demo / "from_files")


def test_what_is_written(demo):
    out = demo / "from_files"
    customers = pl.read_parquet(out / "customers.parquet")
    invites = pl.read_csv(out / "invite_list.csv", infer_schema_length=None)
    expected = [
        "rank",
        "customer_id",
        "wave",
        "group",
        "call_on",
        "agent",
        "channel",
        "region",
        "segment",
        "persona",
        "role",
        "score",
        "join_chance",
        "reason",
        "spend",
        "orders",
        "last_order_at",
        "days_since_order",
    ]
    assert invites.columns == expected == pl.read_parquet(out / "invite_list.parquet").columns
    assert invites["rank"].to_list() == list(range(1, invites.height + 1))
    assert invites["reason"].null_count() == 0
    assert (out / "invite_list.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert customers.height == 800
    assert customers.filter("invited").height == invites.height
    assert not {"name", "phone", "wechat"} & set(customers.columns)
    assert {"spend", "spend_window", "verdict", "score", "segment", "invited", "type", "days_known", "events_visit"} <= set(
        customers.columns
    )
    assert {path.stem for path in (out / "call_sheets").iterdir()} == set(pl.read_csv(out / "groups.csv")["region"])
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["files"]["report.html"]["sha256"] == sha256(out / "report.html")
    assert manifest["inputs"]["orders"]["sources"][0]["sha256"] == sha256(demo / "shop" / "orders.csv")
    assert manifest["config"]["launch"]["as_of"] == "2026-07-01"


def test_without_an_as_of_date_today_counts(tmp_path):
    yesterday = datetime.now(ZoneInfo("Asia/Shanghai")) - timedelta(days=1)
    pl.DataFrame({"customer_id": ["a", "b"], "time": [f"{yesterday:%Y-%m-%d}"] * 2, "amount": [1, 2]}).write_csv(tmp_path / "orders.csv")
    run_here("launch", "data=files", "data.orders.path=orders.csv", "tracking=none", cwd=tmp_path)
    assert pl.read_csv(tmp_path / "outputs" / "launch" / "invite_list.csv")["days_since_order"].to_list() in ([1, 1], [2, 2])


@pytest.mark.slow
def test_a_sweep_has_a_folder_for_each_launch_and_leaves_nothing_else(tmp_path):
    done = run_here("launch", "-m", "data.shop.customers=800", "rules.spend.min=1,1000", "tracking=none", cwd=tmp_path)
    assert done.stdout.split() == ["outputs/demo-0", "outputs/demo-1"]
    assert [path.name for path in tmp_path.iterdir()] == ["outputs"]
    counts = [
        json.loads((tmp_path / "outputs" / name / "manifest.json").read_text(encoding="utf-8"))["counts"]["eligible"]
        for name in ("demo-0", "demo-1")
    ]
    assert counts[0] > counts[1]


@pytest.mark.slow
def test_the_other_launches_of_a_sweep_go_on_when_one_cannot(tmp_path):
    done = run_here("launch", "-m", "data.shop.customers=300", "rules.spend.min=500,1e9,800", "tracking=none", cwd=tmp_path, code=2)
    assert done.stdout.split() == ["outputs/demo-0", "outputs/demo-2"]
    assert "rules.spend.min=1000000000.0 tracking=none: rules: no customer is eligible" in done.stderr
    assert "1 of the sweep's jobs failed" in done.stderr


@pytest.mark.slow
def test_every_file_in_conf_is_valid():
    groups = {
        folder.name: sorted(path.stem for path in folder.glob("[!_]*.yaml")) for folder in (HOME / "conf").iterdir() if folder.is_dir()
    }
    needed = {"files": ["data.orders.path=x"], "database": ["data.url=sqlite:///x", "data.orders.query=x"]}
    needed |= {preset: ["data.dir=x"] for preset in ("online_retail", "taobao")}
    needed["lookalike"] = ["scoring.seeds=x.csv"]
    for group, choices in groups.items():
        for choice in choices:
            override = f"+{group}={choice}" if group in ("experiment", "source") else f"{group}={choice}"
            if group == "source":
                kind = "database" if choice.endswith("_database") else "files"
                settings_of("launch", override, f"data={kind}", *needed[kind])
            else:
                settings_of("launch", override, *needed.get(choice, []))
    settings_of("backtest", "scoring=learned", "rankings.decayed.half_life_days=30")
    settings_of("tune")
    settings_of("demo")
    settings_of("review", "data=demo_after")
    assert {path.stem for path in (HOME / "pipelines").glob("*.py")} <= {path.stem for path in (HOME / "conf").glob("*.yaml")}


def test_listing_the_jobs_imports_nothing_heavy():
    code = "import sys; sys.argv = ['segmenter']; from segmenter.__main__ import main; main(); print(sorted(sys.modules))"
    listing, _, modules = run_python("-c", code).stdout.rpartition("[")
    assert "launch     Plan a launch" in listing
    assert not {"polars", "numpy", "hydra", "pydantic", "sklearn", "mlflow"} & set(re.findall(r"\w+", modules))
