"""A new job is its settings, a function that computes, and the list of its outputs: nothing else has to know of it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from segmenter.home import HOME

JOB = '''
"""Count a shop's customers."""

from typing import ClassVar

import hydra
import polars as pl

from segmenter.command import command, job
from segmenter.job import conclude, started
from segmenter.report.output_folder import check_out
from segmenter.report.outputs import Outputs, Record, csv, page, write_outputs
from segmenter.report.sections import Report, Section, Table, columns, row
from segmenter.settings import LaunchJob, parse
from segmenter.loader import read_tables


class CountJob(LaunchJob):
    job: ClassVar[str] = "count"
    count: dict[str, int]


def count_outputs(counts: pl.DataFrame, settings: CountJob) -> Outputs:
    table = Table(columns("type", "customers"), tuple(row(kind, str(number)) for kind, number in counts.rows()))
    report = Report("count", "Count", settings.launch.name, "the end", sections=(Section("Customers", (table,), brief=(table,)),))
    record = Record(settings.launch.name + " count", metrics={"types": counts.height})
    return Outputs((csv("counts", counts, public=True), page("count", report, settings.lang)), {"types": counts.height}, report, record)


@hydra.main(version_base="1.3", config_path="../conf", config_name="count")
@job
def main(config):
    settings, _ = started(parse(CountJob, config))
    check_out(settings)
    read = read_tables(settings.data, settings.launch, seed=settings.seed)
    counts = read.tables.customers.group_by("type").len("customers").filter(pl.col("customers") >= settings.count["least"]).sort("type")
    outputs = count_outputs(counts, settings)
    write_outputs(outputs, read, settings)
    conclude(outputs, settings)


command(main)
'''
CONF = """
defaults: [launch, _self_]
out: outputs/${launch.name}_count
count: {least: 2}
"""


def test_a_job_is_three_things(tmp_path: Path) -> None:
    shutil.copytree(HOME / "conf", tmp_path / "conf")
    (tmp_path / "conf" / "count.yaml").write_text(CONF, encoding="utf-8")
    (tmp_path / "pipelines").mkdir()
    script = tmp_path / "pipelines" / "count.py"
    script.write_text(JOB, encoding="utf-8")

    def run(*words: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, str(script), "data.shop.customers=300", "launch.as_of=2026-07-01", *words]
        return subprocess.run(command, cwd=tmp_path, env=os.environ, capture_output=True, text=True, check=False)

    done = run()
    assert (done.returncode, done.stdout) == (0, "outputs/demo_count\n"), done.stderr
    out = tmp_path / "outputs" / "demo_count"
    assert sorted(path.name for path in out.iterdir()) == ["count.html", "counts.csv", "manifest.json"]
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["job"], manifest["types"], manifest["config"]["count"]) == ("count", 3, {"least": 2})
    assert (tmp_path / "outputs" / "mlflow.db").exists()
    refused = run("count.least=two", "tracking=none")
    assert refused.returncode == 2
    assert refused.stderr.startswith("segmenter: count.least: ")
    other = run("out=outputs/demo_count", "launch.name=other", "tracking=none")
    assert "holds results of `count` for the launch demo" in other.stderr
