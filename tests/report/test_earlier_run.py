"""A run repeated from its manifest."""

import json
import shutil

import pytest
from jobs import run_here

from segmenter.report.earlier_run import as_typed, differences

WORDS = (
    *("data=files", "data.orders.path=orders.csv", "data.orders.where='amount > 0'", "launch.name=spring", "launch.as_of=2026-07-01"),
    *("scoring=weighted", "scoring.weights.spend=2", "plan.size=10", "segments.k=2", "tracking=none", "launch.topic='what \\${tea} costs'"),
)


@pytest.fixture
def shop(tmp_path):
    rows = [f"C{n:03},2026-{1 + n % 6:02}-{1 + n % 28:02},{100 + n * 7}.50,{n:011}" for n in range(120)]
    (tmp_path / "orders.csv").write_text("customer_id,time,amount,phone\n" + "\n".join(rows) + "\n")
    return tmp_path


def manifest(folder):
    return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))


def files(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_same_input_gives_the_same_bytes_and_each_difference_is_said(shop):
    run_here("launch", *WORDS, cwd=shop)
    first = files(shop / "outputs/spring")
    # In its own place, to the last byte; the page's commands are those typed for the run itself.
    run_here("launch", "from_run=outputs/spring", "out=outputs/spring", "log=log", "quiet=true", cwd=shop)
    assert files(shop / "outputs/spring") == first
    # Elsewhere: all but what names the folder.
    run_here("launch", "from_run=outputs/spring", cwd=shop)
    again = files(shop / "outputs/spring_again")
    assert {name for name in first.keys() | again.keys() if first.get(name) != again.get(name)} <= {"report.html", "manifest.json"}
    # A key of a group that is chosen otherwise in the defaults, on top of that run's and not of the defaults'.
    words = ("scoring.weights.spend=3", "launch.name=summer", "out=outputs/${launch.name}")
    said = run_here("launch", "from_run=outputs/spring", *words, cwd=shop).stderr
    there = manifest(shop / "outputs/summer")
    assert "scoring.weights.spend" in said
    assert there["config"]["scoring"]["kind"] == "weighted"
    assert there["config"]["scoring"]["weights"]["spend"] == 3
    assert there["config"]["launch"]["topic"] == "what ${tea} costs"
    assert there["config"]["data"]["orders"]["where"] == "amount > 0"
    assert not any(word.startswith(("++", "from_run")) for word in there["typed"])
    assert "scoring.weights.spend=3" in there["typed"]
    assert "scoring.weights.spend=2" not in there["typed"]
    # Other input: it stops before anything is written, or goes on and says so.
    with (shop / "orders.csv").open("a") as file:
        file.write("C999,2026-06-30,900.00,1\n")
    said = run_here("launch", "from_run=outputs/spring", "out=outputs/other", cwd=shop, code=2).stderr
    assert "orders.csv" in said
    assert "from_run_changed" in said
    assert not (shop / "outputs/other").exists()
    said = run_here("launch", "from_run=outputs/spring", "out=outputs/other", "from_run_changed=allow", cwd=shop).stderr
    assert "orders.csv" in said
    assert (shop / "outputs/other/manifest.json").exists()


@pytest.mark.slow
def test_another_state_of_the_ledger_stops_it_and_a_commit_is_not_repeated(shop):
    run_here("launch", *WORDS, "launch.commit=true", cwd=shop)
    run_here("launch", "from_run=outputs/spring", cwd=shop)
    assert manifest(shop / "outputs/spring_again")["config"]["launch"]["commit"] is False
    run_here("launch", *WORDS, "launch.name=between", "launch.as_of=2026-06-20", "launch.commit=true", cwd=shop)
    said = run_here("launch", "from_run=outputs/spring", cwd=shop, code=2).stderr
    assert "ledger" in said


@pytest.mark.slow
def test_what_is_masked_has_to_be_given_again(shop):
    run_here("launch", *WORDS, "data.orders.where=\"phone <> '00000000007'\"", cwd=shop)
    assert manifest(shop / "outputs/spring")["masked"] == ["data.orders.where"]
    said = run_here("launch", "from_run=outputs/spring", cwd=shop, code=2).stderr
    assert "data.orders.where" in said
    again = "data.orders.where=\"phone <> '00000000007'\""
    run_here("launch", "from_run=outputs/spring", again, cwd=shop)
    assert manifest(shop / "outputs/spring_again")["inputs"] == manifest(shop / "outputs/spring")["inputs"]


@pytest.mark.slow
def test_what_is_no_run_to_repeat_is_refused(shop):
    run_here("launch", *WORDS, cwd=shop)
    kept = shop / "outputs/spring"
    for name, change in {"old": ("masked", None), "version": ("segmenter", "0.0.1"), "bent": ("config", [])}.items():
        shutil.copytree(kept, shop / name)
        told = manifest(kept) | {change[0]: change[1]}
        (shop / name / "manifest.json").write_text(json.dumps({key: value for key, value in told.items() if value is not None}))
    wrong = [("launch", "old"), ("launch", "version"), ("launch", "bent"), ("launch", "nowhere"), ("launch", "outputs")]
    for job, folder in [*wrong, ("backtest", "outputs/spring"), ("review", "outputs/spring"), ("explain", "outputs/spring")]:
        assert "from_run" in run_here(job, f"from_run={folder}", cwd=shop, code=2).stderr
    run_here("launch", "from_run=outputs/spring", "~launch.topic", cwd=shop, code=2)
    run_here("launch", "from_run=outputs/spring", "+experiment=sichuan_vip", cwd=shop, code=2)
    run_here("launch", "from_run=version", "from_run_changed=allow", "launch.name=spring", cwd=shop)


def test_files_that_came_and_went_are_told_and_counts_alone_are_not():
    def read(**files):
        return {"inputs": {"orders": {"rows": len(files), "sources": [{"name": name, "sha256": mark} for name, mark in files.items()]}}}

    then = {"segmenter": "1", **read(a="1" * 64, b="2" * 64)}
    assert list(differences(then, {"segmenter": "1", **read(a="1" * 64, b="2" * 64)}, "folder")) == []
    (one,) = differences(then, read(a="1" * 64, c="3" * 64), "folder")
    assert [word[0] for word in one.facts["files"]] == ["b", "c"]
    assert [message.code for message in differences({**then, "ledger": "x"}, {"segmenter": "2", "ledger": "y"}, "folder")] == [
        *("report.run_version", "report.run_ledger")
    ]


def test_how_a_job_is_run_is_not_among_its_words():
    assert as_typed(["quiet=true", "plan.size=3", "log=x", "lang=zh"]) == ["plan.size=3", "lang=zh"]
