"""The wheel, installed in an empty environment, runs from an empty directory."""

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import polars as pl
import pytest

ROOT = Path(__file__).parents[1]


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    # The build tools of this environment, so that the test needs no index for them.
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT))
    return next(folder.glob("*.whl"))


@pytest.mark.slow
def test_the_wheel_holds_the_package_its_config_and_its_jobs(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    source = {
        path.relative_to(ROOT / "src").as_posix()
        for path in (ROOT / "src" / "segmenter").rglob("*")
        if path.suffix in (".py", ".j2", ".typed")
    }
    assert source <= names
    for folder in ("conf", "pipelines"):
        files = {f"segmenter/{path.relative_to(ROOT).as_posix()}" for path in (ROOT / folder).rglob("*") if path.suffix in (".yaml", ".py")}
        assert files <= names


@pytest.mark.slow
def test_the_installed_wheel_runs_from_an_empty_directory(wheel, tmp_path):
    home, work = tmp_path / "environment", tmp_path / "empty"
    work.mkdir()
    venv.create(home, with_pip=True)
    python = home / "bin" / "python"
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV", "COV_"))}
    run(
        str(python),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--constraint",
        str(ROOT / "constraints.txt"),
        str(wheel),
        env=clean,
    )
    segmenter = home / "bin" / "segmenter"
    assert "launch" in run(str(segmenter), cwd=work, env=clean)
    own = work / "mine" / "experiment"
    own.mkdir(parents=True)
    (own / "small.yaml").write_text("# @package _global_\nplan: {size: 40}\nlaunch: {name: 小规模}\n", encoding="utf-8")
    out = run(
        str(segmenter),
        "launch",
        "data.shop.customers=500",
        "--config-dir",
        "mine",
        "+experiment=small",
        "rules.region.exclude=[四川]",
        cwd=work,
        env=clean,
    )
    assert out.strip() == "outputs/小规模"
    assert pl.read_parquet(work / "outputs" / "小规模" / "invite_list.parquet").height == 40
    assert sorted(path.name for path in work.iterdir()) == ["mine", "outputs"]
    left = {"mlartifacts", "mlflow.db", "小规模"}
    assert {path.name for path in (work / "outputs").iterdir()} == left
