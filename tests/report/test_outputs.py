from datetime import date
from pathlib import Path

import polars as pl
import pytest

from segmenter.errors import OutputError
from segmenter.report.outputs import Output, Outputs, csv, page, parquet, write_outputs
from segmenter.report.publication import owner_of
from segmenter.report.sections import Report
from segmenter.settings import DemoJob, LaunchBasics

REPORT = Report("kind", "eyebrow", "name", "footer")
TABLE = pl.DataFrame({"a": [1, 2]})


@pytest.fixture
def job(tmp_path: Path) -> DemoJob:
    launch = LaunchBasics.model_construct(name="spring", as_of=date(2026, 7, 1), timezone="Asia/Shanghai", currency="CNY")
    return DemoJob.model_construct(launch=launch, out=tmp_path / "out", overwrite=False)


def test_all_files_appear_with_a_manifest_that_knows_them(job: DemoJob) -> None:
    files = (
        csv("table", TABLE, public=True),
        parquet("table", lambda: TABLE),
        page("report", REPORT, "en"),
        Output("a/b.txt", lambda path: path.write_text("deep")),
    )
    outputs = Outputs(files, {"said": "so"}, REPORT)
    write_outputs(outputs, None, job)
    assert sorted(path.relative_to(job.out).as_posix() for path in job.out.rglob("*") if path.is_file()) == [
        *("a/b.txt", "manifest.json", "report.html", "table.csv", "table.parquet"),
    ]
    assert owner_of(job.out) == ("demo", "spring")
    assert outputs.public == ("table.csv", "report.html", "manifest.json")


@pytest.mark.parametrize("beside", [False, True])
def test_where_one_cannot_be_written_none_appears(job: DemoJob, beside: bool) -> None:
    def fail(path: Path) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match="No space left"):
        write_outputs(Outputs((csv("table", TABLE), Output("x", fail, beside=beside)), {}, REPORT), None, job)
    assert list(job.out.parent.iterdir()) == []
