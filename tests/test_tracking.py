import json
import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote, unquote

import polars as pl
import pytest

from segmenter.errors import TrackingError
from segmenter.serving import Model
from segmenter.settings import LaunchJob, parse
from segmenter.tracking import PUBLIC, Sweep, track

# The predicting process imports it too, so it lies in a file.
MODEL = """
import polars as pl

class SpendModel:
    columns = ["spend", "orders", "days_since_order"]

    def predict(self, frame):
        late = pl.col("days_since_order").fill_null(999) > 30
        score = (pl.col("spend").fill_null(0) / 10 + pl.col("orders")).cast(pl.Float64)
        return frame.select(score.alias("score"), late.cast(pl.Int32).alias("segment"))
"""
PERSONAL = ("customer-0042", "13800138000", "王小明")
PASSWORD = "s3cret p@ss/word"
CONF = Path(__file__).parents[1] / "conf"


def job(data: str = "demo", **changes: Any) -> LaunchJob:
    from hydra import compose, initialize_config_dir
    from omegaconf import OmegaConf

    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("launch", [f"data={data}", "launch.as_of=2026-07-01"])
    for key, value in changes.items():
        OmegaConf.update(config, key, value)
    return parse(LaunchJob, config)


def fake_plan(model: Model) -> Any:
    return SimpleNamespace(
        invite_list=pl.DataFrame({"customer_id": [PERSONAL[0], "b", "c"], "score": [80.5, 60.0, 10.25]}),
        funnel=pl.DataFrame({"rule": ["consent", "spend_min", "no (old) 客户/测试"], "left": [9, 6, 5]}),
        counts={"customers": 10, "eligible": 5, "invited": 3, "key_users": 1, "groups": 1, "segments": 2},
        segmentation=SimpleNamespace(trials=pl.DataFrame({"k": [2, 3], "silhouette": [0.5, 0.4], "chosen": [True, False]})),
        model=model,
    )


def results(out: Path) -> Path:
    out.mkdir(parents=True)
    for name in PUBLIC:
        (out / name).write_text("figures of the whole launch", encoding="utf-8")
    (out / "call_sheets").mkdir()
    for name in ("invite_list.csv", "invite_list.xlsx", "customers.parquet", "rejects.parquet", "call_sheets/kf01.xlsx"):
        (out / name).write_text(" ".join(PERSONAL), encoding="utf-8")
    return out


@dataclass(frozen=True)
class Tracked:
    store: str
    model: Model
    shown: str
    home: Path


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("model")
    (folder / "spend_model.py").write_text(MODEL, encoding="utf-8")
    sys.path.insert(0, str(folder))
    from spend_model import SpendModel  # type: ignore[import-not-found]  # written just now

    yield SpendModel()
    sys.path.remove(str(folder))


@pytest.fixture(scope="module")
def tracked(tmp_path_factory: pytest.TempPathFactory, model: Model) -> Tracked:
    home = tmp_path_factory.mktemp("shop") / "结果 100% #1"
    source: dict[str, Any] = {
        "data.url": f"postgresql://shop:{PASSWORD}@db/shop?sslpassword=opti0nal",
        "data.orders.query": "SELECT * FROM orders",
    }
    settings = job("database", **source, **{"launch.name": "春季", "rules.spend.min": 500.0, "launch.topic": "x" * 7000})
    shown = track(fake_plan(model), settings, results(home / "春季"))
    assert shown is not None
    return Tracked(f"sqlite:///{home / 'mlflow.db'}", model, shown, home)


def client(store: str) -> Any:
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=store, registry_uri=store)


def runs(store: str) -> list[Any]:
    mlflow = client(store)
    return list(mlflow.search_runs([mlflow.get_experiment_by_name("segmenter").experiment_id]))


def test_a_launch_becomes_one_run_with_its_config_and_figures(tracked: Tracked) -> None:
    (run,) = runs(tracked.store)
    params, metrics, tags = run.data.params, run.data.metrics, run.data.tags
    assert run.info.status == "FINISHED"
    assert run.info.run_id in tracked.shown
    assert run.info.run_name == tags["segmenter.launch"] == "春季"
    assert (tags["segmenter.as_of"], tags["segmenter.version"]) == ("2026-07-01", "0.1.0")
    assert (params["rules.spend.min"], params["rules.spend.max"], params["rules.consent"]) == ("500.0", "null", "true")
    assert params["plan.key_user_components"] == '["advocacy", "engagement"]'
    assert float(params["scoring.weights.spend"]) >= 0
    assert json.loads(params["rules.region.aliases"])["Sichuan"] == "四川"
    assert params["data.url"] == "postgresql://shop:***@db/shop"
    assert len(params["launch.topic"]) == 6000
    assert metrics["invited"] == 3
    assert metrics["share_invited"] == 0.3
    assert (metrics["score_min"], metrics["score_median"], metrics["silhouette"]) == (10.25, 60.0, 0.5)
    assert (metrics["funnel.spend_min.left"], metrics["funnel.no _old_ 客户_测试.left"]) == (6, 5)
    assert sorted(file.path for file in client(tracked.store).list_artifacts(run.info.run_id)) == sorted(PUBLIC)


def test_nothing_personal_and_no_password_is_stored(tracked: Tracked) -> None:
    stored = [tracked.home / "mlflow.db", *(path for path in (tracked.home / "mlartifacts").rglob("*") if path.is_file())]
    assert len(stored) > len(PUBLIC)
    for word in (*PERSONAL, PASSWORD, "opti0nal"):
        assert [path for path in stored if word.encode() in path.read_bytes()] == []


def test_mlflow_serves_the_model_with_the_code_stored_beside_it(tracked: Tracked, tmp_path: Path) -> None:
    (version,) = client(tracked.store).search_model_versions("name = 'segmenter-春季'")
    assert version.run_id == runs(tracked.store)[0].info.run_id
    (needs,) = (tracked.home / "mlartifacts").rglob("requirements.txt")
    assert {"mlflow", "polars"} < {line.partition("==")[0] for line in needs.read_text().splitlines()}
    (code,) = (tracked.home / "mlartifacts").rglob("code/segmenter/serving.py")
    code.write_text(code.read_text(encoding="utf-8") + "\nimport sys\nprint('stored code', file=sys.stderr)\n", encoding="utf-8")
    measures = {"spend": [120.5, 0.0, 90.0], "orders": [3, 1, 12], "days_since_order": [10, None, 40]}
    rows, answer = tmp_path / "rows.csv", tmp_path / "answer.json"
    pl.DataFrame({"customer_id": ["a", "b", "c"], **measures}).write_csv(rows)
    command = [sys.executable, "-m", "mlflow", "models", "predict", "-m", f"models:/segmenter-春季/{version.version}"]
    places = {"MLFLOW_TRACKING_URI": tracked.store, "PYTHONPATH": os.pathsep.join(sys.path), "MLFLOW_DISABLE_TELEMETRY": "true"}
    done = subprocess.run(
        [*command, "-i", str(rows), "-o", str(answer), "-t", "csv", "--env-manager", "local"],
        env={**os.environ, **places},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "stored code" in done.stderr
    assert json.loads(answer.read_text())["predictions"] == tracked.model.predict(pl.DataFrame(measures)).to_dicts()


def test_jobs_of_a_sweep_share_a_parent_and_the_caller_notices_nothing(
    tmp_path: Path, model: Model, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    import mlflow

    monkeypatch.chdir(tmp_path)
    environment, uri = dict(os.environ), mlflow.get_tracking_uri()
    for sweep in (Sweep("first", 0), Sweep("first", 1), Sweep("second", 0)):
        name = f"{sweep.id}-{sweep.number}"
        track(fake_plan(model), job(**{"tracking.uri": "store", "plan.size": 100 + sweep.number}), results(tmp_path / "out" / name), sweep)
    assert capfd.readouterr() == ("", "")
    assert (dict(os.environ), mlflow.get_tracking_uri(), mlflow.active_run()) == (environment, uri, None)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "store"]
    found = runs(f"sqlite:///{tmp_path}/store/mlflow.db")
    parents = {run.info.run_id: run.data.tags["segmenter.sweep"] for run in found if "segmenter.sweep" in run.data.tags}
    children = [run for run in found if run.info.run_id not in parents]
    assert sorted(parents.values()) == ["first", "second"]
    assert {run.info.status for run in found} == {"FINISHED"}
    placed = {
        (parents[run.data.tags["mlflow.parentRunId"]], run.data.tags["segmenter.job"], run.data.params["plan.size"]) for run in children
    }
    assert placed == {("first", "0", "100"), ("first", "1", "101"), ("second", "0", "100")}


def test_two_jobs_may_begin_a_store_at_once(tmp_path: Path, model: Model) -> None:
    script = (
        "import sys, pathlib, test_tracking as t; from spend_model import SpendModel; folder = pathlib.Path(sys.argv[1]);"
        "t.track(t.fake_plan(SpendModel()), t.job(), t.results(folder), t.Sweep('one', 0))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    both = [
        subprocess.Popen([sys.executable, "-c", script, str(tmp_path / name)], env=environment, stderr=subprocess.PIPE, text=True)
        for name in ("a", "b")
    ]
    for process in both:
        assert process.communicate(timeout=60)[1] == ""
    store = f"sqlite:///{tmp_path}/mlflow.db"
    assert len(client(store).search_model_versions("name = 'segmenter-demo'")) == 2
    (parent,) = [run for run in runs(store) if "segmenter.sweep" in run.data.tags]
    assert [run.data.tags.get("mlflow.parentRunId") for run in runs(store) if run != parent].count(parent.info.run_id) == 2


def refused(folder: Path) -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://me:{quote(PASSWORD, safe='')}@127.0.0.1:{free.getsockname()[1]}"


def broken(folder: Path) -> str:
    (folder / "broken.db").write_text("no database at all, whatever its name says")
    return str(folder / "broken.db")


def blocked(folder: Path) -> str:
    (folder / "file").touch()
    return f"sqlite:///{folder}/file/below.db"


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (refused, "tracking.uri: http://me:***@127.0.0.1:{port} cannot be reached (got Failed to establish a new connection: "),
        (broken, "tracking.uri: sqlite:///{home}/broken.db cannot be reached (got (sqlite3.DatabaseError) file is not a database); "),
        (blocked, "tracking.uri: sqlite:///{home}/file/below.db cannot be reached (got [Errno "),
    ],
)
def test_a_store_out_of_reach_is_one_line_and_costs_no_result(tmp_path: Path, model: Model, address: Any, said: str) -> None:
    uri = address(tmp_path)
    out = results(tmp_path / "out")
    with pytest.raises(TrackingError) as caught:
        track(fake_plan(model), job(**{"tracking.uri": uri}), out)
    message = str(caught.value)
    assert message.startswith(said.format(port=uri.rpartition(":")[2], home=tmp_path))
    assert f"; the results are written in {out}; " in message
    assert message.endswith(", or use tracking=none")
    assert "\n" not in message
    assert PASSWORD not in unquote(message)


def test_a_server_that_says_nothing_is_given_up_soon(tmp_path: Path, model: Model) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(8)
        began = time.monotonic()
        with pytest.raises(TrackingError, match="Read timed out"):
            track(fake_plan(model), job(**{"tracking.uri": f"http://127.0.0.1:{silent.getsockname()[1]}"}), tmp_path / "out")
    assert time.monotonic() - began < 12
