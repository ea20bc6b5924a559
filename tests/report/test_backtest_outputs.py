import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from segmenter.errors import OutputError
from segmenter.report.backtest_outputs import backtest_outputs
from segmenter.report.output_folder import check_out
from segmenter.report.outputs import write_outputs
from segmenter.report.publication import sha256


def rows(path: Path) -> list[dict[str, str]]:
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_the_folder_holds_what_was_found(backtest: Callable[..., Any], tmp_path: Path) -> None:
    made = backtest(f"out={tmp_path}/results", "data=database", "data.url='postgresql://me:s3cret@db/shop'", "data.orders.query='SELECT 1'")
    write_outputs(backtest_outputs(made.found, made.settings), made.read, made.settings)
    out = made.settings.out
    names = ["backtest.csv", "backtest.html", "calibration.csv", "choices.csv", "curves.csv", "differences.csv", "manifest.json"]
    assert sorted(path.name for path in out.iterdir()) == names
    written, whole = rows(out / "backtest.csv"), made.found.results
    assert [row["ranking"] for row in written] == whole["ranking"].to_list()
    assert [row["cut"] for row in written] == ["all" if cut is None else str(cut) for cut in whole["cut"]]
    assert written[0]["later_spend"] == f"{whole['later_spend'][0] / 100:.2f}"
    assert written[0]["spend_share_10"] == f"{whole['spend_share_10'][0]:.6f}".rstrip("0")
    assert (written[0]["expected_spend"], written[0]["calibration"]) == ("", "")
    clv = next(row for row in written if row["ranking"] == "clv" and row["cut"] == "all")
    mean = whole.filter(pl.col("cut").is_null(), ranking="clv")["expected_spend"].item()
    assert clv["expected_spend"] == f"{round(mean) / 100:.2f}"
    assert rows(out / "calibration.csv")[0]["actual"] == f"{made.found.calibration['actual'][0] / 100:.2f}"
    assert len(rows(out / "curves.csv")) == 101 * 10
    assert {row["clearly_better"] for row in rows(out / "differences.csv")} == {"true", "false"}
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["recommended"], manifest["current"], manifest["horizon_days"]) == ("decayed", "weighted", 30)
    assert manifest["cuts"] == manifest["compared"] == [str(cut) for cut in made.found.cuts]
    assert manifest["inputs"]["orders"]["rows"] == 2
    assert manifest["config"]["data"]["url"] == "postgresql://me:***@db/shop"
    assert {name: entry["sha256"] for name, entry in manifest["files"].items()} == {name: sha256(out / name) for name in names[:-1]}
    check_out(made.settings)
    (out / "backtest.csv").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match=r"backtest\.csv"):
        check_out(made.settings)


@pytest.mark.slow
def test_the_same_bytes_again_and_nulls_stay_empty(backtest: Callable[..., Any], tmp_path: Path) -> None:
    whole = backtest().found
    figures = {name: kind for name, kind in whole.results.schema.items() if kind.is_numeric()}
    empty = {
        "results": whole.results.with_columns(pl.lit(None, kind).alias(name) for name, kind in figures.items()),
        "intervals": whole.intervals.with_columns(share=pl.lit(None, pl.Float64)),
        "differences": whole.differences.with_columns(low=pl.lit(None, pl.Float64), difference=pl.lit(-1e-9)),
        "calibration": whole.calibration.clear(),
        "choices": whole.choices.clear(),
    }
    made = backtest(f"out={tmp_path}/results", **empty)
    bytes_of = []
    for _ in range(2):
        write_outputs(backtest_outputs(made.found, made.settings), made.read, made.settings)
        bytes_of.append({path.name: path.read_bytes() for path in made.settings.out.iterdir()})
    assert bytes_of[0] == bytes_of[1]
    assert "choices.csv" not in bytes_of[0]
    assert {value for row in rows(made.settings.out / "backtest.csv") for name, value in row.items() if name in figures} == {""}
    difference = rows(made.settings.out / "differences.csv")[0]
    assert (difference["difference"], difference["low"]) == ("0.0", "")
