"""The commands that a report prints as next steps are the user's own, and run as they are pasted."""

import json
import re
import shlex
from datetime import date, timedelta
from html import unescape
from pathlib import Path

import polars as pl
import pytest
from jobs import run_here

from segmenter.ledger import list_launches, open_ledger

pytestmark = pytest.mark.slow

EXPERIMENT = """# @package _global_
defaults:
  - override /data: files
launch: {name: "spring & tea's", as_of: 2026-07-01, target: 900}
data: {dir: my shop, orders: {path: "${data.dir}/orders.csv"}}
lang: LANG
"""


def commands(page: Path) -> dict[str, list[str]]:
    """What a page says to type, as a shell takes it apart, by the job."""
    lines = [unescape(line) for line in re.findall(r"<code>(segmenter .*?)</code>", page.read_text(encoding="utf-8"))]
    words = [shlex.split(line) for line in lines]
    return {each[1]: each[1:] for each in words}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    days = [date(2026, 7, 30) - timedelta(days=37 * order % 400 + 1) for order in range(400)]
    orders = [f"c{order % 60},{day},{order % 17 + 1}.50,四川\n" for order, day in enumerate(days)]
    (tmp_path / "my shop").mkdir()
    (tmp_path / "my shop" / "orders.csv").write_text("customer_id,time,amount,province\n" + "".join(orders), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(("lang", "out"), [("en", None), ("zh", "far away/五月 'VIP'")])
def test_what_the_reports_say_to_type_next_runs_as_it_stands(shop: Path, lang: str, out: str | None) -> None:
    experiment = shop / "my conf" / "experiment" / "tea.yaml"
    experiment.parent.mkdir(parents=True)
    experiment.write_text(EXPERIMENT.replace("LANG", lang), encoding="utf-8")
    given = [] if out is None else [f"out={out}", "ledger.url=sqlite:///my ledger.db"]
    run_here(
        "launch", "--config-dir", "my conf", "+experiment=tea", "tracking=none", "plan.size=20", "launch.topic=Tea: 新茶", *given, cwd=shop
    )
    results = shop / (out or "outputs/spring & tea's")
    ledger = open_ledger(None if out is None else f"sqlite:///{shop}/my ledger.db", results)
    said = commands(results / "report.html")
    assert {"--config-dir=my conf", "+experiment=tea", "plan.size=20"} <= set(said["review"]) & set(said["launch"])
    back = re.search(r"`?(segmenter cancel .*?)`?$", run_here(*said["commit"], cwd=shop).stdout, flags=re.MULTILINE)[1]
    run_here(*shlex.split(back)[1:], cwd=shop)
    assert list_launches(ledger).is_empty()
    run_here(*said["commit"], cwd=shop)
    assert list_launches(ledger)["launch"].to_list() == ["spring & tea's"]
    run_here(*said["review"], "review.as_of=2026-07-20", cwd=shop)
    reviewed = results.with_name(f"{results.name}_review")
    then = commands(reviewed / "review.html")
    assert "review.as_of=2026-07-31" in then["review"]
    run_here(*then["launch"], "rules.cooloff_days=1", cwd=shop)
    following = results.with_name("spring & tea's_next")
    assert json.loads((following / "manifest.json").read_text(encoding="utf-8"))["config"]["launch"]["as_of"] == "2026-07-20"
    first, again = (set(pl.read_csv(place / "invite_list.csv")["customer_id"]) for place in (results, following))
    assert again - first  # of the shop that the first was of
    run_here(*said["launch"], cwd=shop)  # the running launch, when its lists are too old


def test_the_demo_shops_next_commands_run_as_they_stand(tmp_path: Path) -> None:
    given = ["+experiment=sichuan_vip", "data.shop.customers=10000", "plan.size=90", "plan.smallest=8", "launch.target=30000"]
    run_here("launch", *given, "tracking=none", "out=away/sichuan", "launch.commit=true", cwd=tmp_path)
    said = run_here(*commands(tmp_path / "away/sichuan/report.html")["demo"], cwd=tmp_path).stdout
    review, launch = (shlex.split(line)[1:] for line in said.splitlines() if line.startswith("segmenter "))
    run_here(*review, cwd=tmp_path)
    assert json.loads((tmp_path / "away/sichuan_review/manifest.json").read_text(encoding="utf-8"))["counts"]["joined"] > 0
    run_here(*launch, "rules.cooloff_days=1", cwd=tmp_path)
    assert (tmp_path / "away/next/report.html").is_file()
