"""The same input gives the same bytes: any number of threads, any order of rows and files, whatever happened later."""

import json

import polars as pl
import pytest
from jobs import run_command, run_here
from pages import hash_of

OPTIONS = [
    "launch.as_of=2026-07-01",
    "tracking=none",
    "launch.name=same",
    "plan.size=300",
    "segments.sample=500",
    "data.customers.contact=[phone,wechat]",
    "rules.spend.min=200",
    "scoring=auto",
    "scoring.trees=20",
    "scoring.trials=2",
]


def arguments(folder, out):
    paths = [f"data.{name}.path={folder}/{name}*" for name in ("orders", "customers", "events", "referrals")]
    return ["launch", "data=files", *paths, f"out={out}", *OPTIONS]


def launch(folder, out, *more):
    return run_here(*arguments(folder, out), *more, cwd=folder)


def results(out):
    """The bytes of all files; of the manifest all but what names the inputs, and of the rejects all but their row numbers."""
    files = {path.relative_to(out).as_posix(): hash_of(path) for path in sorted(out.rglob("*")) if path.is_file()}
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    for name in ("rejects.parquet", "manifest.json"):
        files.pop(name)
    del (
        manifest["draft"],
        manifest["typed"],
        manifest["files"]["report.html"],
        manifest["inputs"],
        manifest["config"]["data"],
        manifest["config"]["out"],
        manifest["files"]["rejects.parquet"],
    )
    rejects = pl.read_parquet(out / "rejects.parquet").drop("file", "row")
    return files, manifest, rejects.sort(rejects.columns).rows()


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    run_here("demo", "out=whole", "customers=1500", cwd=folder)
    with (folder / "whole" / "orders.csv").open("a", encoding="utf-8") as file:
        file.write(",,2026-01-01,5,,\nx1,nobody,2026-02-29,7,,\nx2,nobody,2026-02-28,7,,\n")
    return folder


@pytest.fixture(scope="module")
def reference(shop):
    launch(shop / "whole", shop / "first")
    return results(shop / "first")


@pytest.mark.slow
@pytest.mark.parametrize("threads", [1, 2])
def test_threads(shop, reference, threads):
    counts = {"POLARS_MAX_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}
    run_command(*arguments(shop / "whole", shop / f"threads{threads}"), cwd=shop, **counts)
    assert results(shop / f"threads{threads}") == reference


@pytest.mark.slow
def test_shuffled_rows_in_split_files_and_rows_from_the_future(shop, reference):
    other = shop / "other"
    other.mkdir()
    for path in (shop / "whole").glob("*.csv"):
        frame = pl.read_csv(path, infer_schema=False)
        later = frame.head(50).with_columns(pl.lit("2026-07-01 00:00:00").alias("time")) if "time" in frame.columns else frame.head(0)
        if path.stem == "customers":  # who joined later, among them some with an earlier customer's id
            joined = frame.head(60).with_columns(pl.lit("2026-07-01").alias("joined"), pl.lit("true").alias("blocked"))
            later = joined.with_columns(
                pl.when(pl.int_range(60) < 30).then("customer_id").otherwise("N" + pl.col("customer_id")).alias("customer_id")
            )
        if path.stem == "events":
            later = later.with_columns(pl.lit("unheard of").alias("kind"))
        if path.stem == "orders":
            broken = later.head(5).with_columns(pl.lit("9999999").alias("amount"), pl.lit(None, pl.String).alias("customer_id"))
            later = pl.concat([later.with_columns(pl.lit("123456").alias("amount")), broken])
        mixed = pl.concat([frame, later]).sample(fraction=1, shuffle=True, seed=5)
        for number in range(3):
            mixed.gather_every(3, number).write_csv(other / f"{path.stem}{number}.csv")
    launch(other, shop / "mixed")
    assert results(shop / "mixed") == reference


@pytest.mark.slow
def test_a_list_of_something_and_a_quiet_job(shop, reference):
    files, manifest, rejects = reference
    assert manifest["counts"]["invited"] == 300
    assert len(rejects) == 3
    assert "invite_list.csv" in files
    done = launch(shop / "whole", shop / "quiet", "plan.holdout=0", "plan.fill_confidence=null")
    assert done.stdout.strip() == str(shop / "quiet")
    assert done.stderr == ""
