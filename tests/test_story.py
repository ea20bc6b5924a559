"""From a list to a launch, and from the launch to the next list: the README's commands, and the launch that this began from."""

import json
import re
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from documents import the_block
from jobs import run_command

from segmenter.demo.aftermath import After, live_on
from segmenter.demo.past_launch import read_demo_launch
from segmenter.demo.shop import simulate
from segmenter.ledger import list_answers, list_invitations, list_launches, open_ledger

SHOPS = {"demo": 2_000, "sichuan_vip": 10_000, "thursdays": 4_000}  # customers; as many as give each launch its people


def manifest(folder: Path, name: str) -> dict[str, object]:
    told: dict[str, object] = json.loads((folder / "outputs" / name / "manifest.json").read_text(encoding="utf-8"))
    return told


def lived(folder: Path, name: str, attempts: int) -> After:
    """What was so in the month after a launch."""
    past = read_demo_launch(folder / "outputs" / name)
    shop = simulate(past.shop.customers, past.shop.days, past.as_of, past.seed)
    return live_on(shop, past.horizon_days, past.invited, effect=0.25, seed=past.seed, attempts=attempts, capacity=past.capacity)


@pytest.fixture(scope="module")
def documented(tmp_path_factory: pytest.TempPathFactory) -> Path:
    commands = the_block("README.md", "sh", "segmenter demo results=outputs/demo").commands
    assert [words[1] for words in commands] == ["launch", "commit", "demo", "review", "launch", "commit"]
    folder = tmp_path_factory.mktemp("story")
    for place, words in enumerate(commands):
        small = [f"data.shop.customers={SHOPS['demo']}", "plan.size=400"] if place == 0 else []
        quiet = ["tracking=none"] if words[1] in ("launch", "review") else []
        run_command(*words[1:], *small, *quiet, "lang=en", cwd=folder)
    return folder


@pytest.mark.slow
def test_the_next_launch_knows_what_the_first_one_taught(documented: Path) -> None:
    first, reviewed, following = (manifest(documented, name) for name in ("demo", "demo_review", "next"))
    assert first["notes"][0] == "The chance to join, 30 %, is a guess (plan.join_chance): nobody has answered yet."
    asked = reviewed["counts"]["asked"]
    assert asked == first["counts"]["invited"] == 400
    called, reached, came = map(int, re.search(r"of (\d+) called (\d+) were reached, (\d+) joined", following["notes"][0]).groups())
    assert asked >= called > reached > came
    assert reviewed["lift"].startswith(("The invitation brought", "No effect could be shown"))
    ledger = open_ledger(None, documented / "outputs" / "next")
    assert list_launches(ledger)["launch"].to_list() == ["demo", "next"]
    known = list_invitations(ledger, "demo")
    assert reviewed["counts"]["joined"] == known.filter(answer="joined").height
    assert came == known.filter(pl.col("brought_by").is_null(), status="planned", answer="joined").height  # some were brought
    members, held = (set(known.filter(**which)["customer_id"]) for which in ({"answer": "joined"}, {"status": "held_out"}))
    invited = set(pl.read_csv(documented / "outputs" / "next" / "invite_list.csv")["customer_id"])
    assert not invited & members
    assert len(held) == first["counts"]["held_out"] > 0
    # Nobody asked them; members may bring them all the same.
    brought = lived(documented, "demo", 1).members.drop_nulls("brought_by")["customer_id"]
    assert set(known.filter(status="held_out").drop_nulls("answer")["customer_id"]) == held & set(brought)
    sheets = pl.concat(
        [pl.read_excel(sheet).select("customer_id", "answer") for sheet in (documented / "outputs" / "demo" / "call_sheets").iterdir()]
    )
    assert set(sheets["customer_id"]) == set(known.filter(status="planned")["customer_id"])


@pytest.mark.slow
def test_planned_again_a_launch_gives_the_same_bytes(documented: Path) -> None:
    again = ["launch", "data=demo_after", "launch.name=next", "launch.as_of=2026-08-01", "launch.target=800000", "tracking=none", "lang=en"]
    run_command(*again, "launch.commit=true", cwd=documented)
    before = {path: path.read_bytes() for path in (documented / "outputs" / "next").rglob("*") if path.is_file()}
    run_command(*again, "launch.commit=true", cwd=documented)
    assert {path: path.read_bytes() for path in (documented / "outputs" / "next").rglob("*") if path.is_file()} == before


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documents' launch on Thursdays, day by day and then the rest of it, to the next month's launch."""
    folder = tmp_path_factory.mktemp("month")
    (folder / "my_conf" / "experiment").mkdir(parents=True)
    (folder / "my_conf" / "experiment" / "thursdays.yaml").write_text(
        the_block("docs/guide/recipes.md", "yaml", "name: thursdays").text, encoding="utf-8"
    )
    commands = the_block("docs/jobs/today.md", "sh", "results=outputs/thursdays").commands
    jobs = ["launch", "commit", "demo", "today", "demo", "today", "demo", "demo", "review", "launch", "commit"]
    assert [words[1] for words in commands] == jobs
    for place, words in enumerate(commands):
        small = [f"data.shop.customers={SHOPS['thursdays']}"] if place == 0 else []
        quiet = ["tracking=none"] if words[1] in ("launch", "today", "review") else []
        run_command(*words[1:], *small, *quiet, "lang=en", cwd=folder)
    return folder


@pytest.mark.slow
def test_after_a_month_of_sheets_the_ledger_says_what_was_so_and_the_next_launch_goes_by_it(month: Path) -> None:
    past = read_demo_launch(month / "outputs" / "thursdays")
    after = lived(month, "thursdays", 3)
    truth = after.answers
    ledger = open_ledger(None, month / "outputs" / "thursdays")
    found = list_invitations(ledger, "thursdays", before=past.ends_on).filter(status="planned")
    both = truth.join(found.select("customer_id", said="answer"), on="customer_id", validate="1:1")
    assert both.height == past.invited.height == 400
    wrong = both.filter(pl.col("answer").ne_missing(pl.col("said"))).select("answer", "said").rows()
    assert len(wrong) <= 0.01 * both.height, wrong
    # Of the control group nobody was called, and none came but whom members brought.
    answers = list_answers(ledger, "thursdays")
    held = set(list_invitations(ledger, "thursdays").filter(status="held_out")["customer_id"])
    assert set(answers["customer_id"]) & held == held & set(after.members.drop_nulls("brought_by")["customer_id"])
    following = manifest(month, "october")
    called, reached, came = map(int, re.search(r"of (\d+) called (\d+) were reached, (\d+) joined", following["notes"][0]).groups())
    # Whom members brought tells nothing of how many come when they are called.
    known = list_invitations(ledger, "thursdays", before=date.fromisoformat(following["as_of"])).filter(status="planned")
    assert came == known.filter(pl.col("brought_by").is_null(), answer="joined").height
    assert abs(known.filter(answer="joined").height - both.filter(answer="joined").height) <= 4
    assert called >= reached >= came
    invited = set(pl.read_csv(month / "outputs" / "october" / "invite_list.csv")["customer_id"])
    closed = pl.col("answer").is_in(["joined", "refused", "refused_for_good"]) | (
        (pl.col("answer") == "wrong_number") & pl.col("new_phone").is_null()
    )
    assert not invited & set(truth.filter(closed)["customer_id"])


@pytest.mark.slow
def test_the_launch_this_project_began_from(tmp_path: Path) -> None:
    experiment = ["+experiment=sichuan_vip", "tracking=none"]
    size = [f"data.shop.customers={SHOPS['sichuan_vip']}", "plan.size=90", "plan.smallest=8"]
    run_command("launch", *experiment, *size, "launch.target=30000", "launch.commit=true", cwd=tmp_path)
    invited = pl.read_csv(tmp_path / "outputs" / "sichuan_vip" / "invite_list.csv", try_parse_dates=True)
    events = invited.group_by("wave").agg(pl.col("call_on").min()).sort("wave")["call_on"].to_list()
    assert events == [date(2026, 7, day) for day in (2, 10, 17, 24)]  # live events on Thursdays from the 9th on
    assert invited["region"].str.starts_with("四川/").all()
    assert not invited["region"].str.contains("绵阳|南充").any()
    sheets = {path.stem for path in (tmp_path / "outputs" / "sichuan_vip" / "call_sheets").iterdir()}
    agents = {f"客服 {name}" for name in invited["agent"].drop_nulls().unique()}
    assert sheets == {"四川"} | agents  # cities that fill no group of their own share one
    run_command("demo", "results=outputs/sichuan_vip", cwd=tmp_path)
    told = ["data=demo_after", "launch.name=sichuan_vip", "review.as_of=2026-07-31", "review.answers=[demo_shop/answers]"]
    run_command("review", *experiment, *told, cwd=tmp_path)
    reviewed = manifest(tmp_path, "sichuan_vip_review")
    assert reviewed["standing"] in ("met", "missed")
