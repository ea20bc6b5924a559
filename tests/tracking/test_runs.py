import json
import os
import pickle
import shutil
import subprocess
import sys
import warnings
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from jobs import MODELS, composed, settings_of
from omegaconf import OmegaConf

from segmenter.errors import TrackingError
from segmenter.evaluation.backtest import Backtest
from segmenter.evaluation.chance import draw_chance
from segmenter.evaluation.review import Review, review
from segmenter.launch_plan import LaunchPlan
from segmenter.launch_record import LaunchRecord
from segmenter.launch_stages import plan_launch
from segmenter.loader import read_tables
from segmenter.report.backtest_outputs import backtest_record
from segmenter.report.backtest_words import advice
from segmenter.report.launch_outputs import launch_outputs
from segmenter.report.outputs import Record, write_outputs
from segmenter.report.plan_words import in_words
from segmenter.report.review_outputs import review_record
from segmenter.settings import BacktestJob, LaunchJob, ReviewJob, parse
from segmenter.sources.inputs import Inputs
from segmenter.tables import INVITED, ORDERS
from segmenter.tracking import Sweep, track
from segmenter.tracking.mlflow_store import connected

CONF = Path(__file__).parents[2] / "conf"
PASSWORD = "s3cret p@ss/word"


def job(data: str = "demo", **changes: object) -> LaunchJob:
    return changed("launch", [f"data={data}"], changes)


def changed(name: str, chosen: list[str], changes: dict[str, object]) -> Any:
    config = composed(name, "launch.as_of=2026-07-01", *chosen)
    for key, value in changes.items():
        OmegaConf.update(config, key.replace("__", "."), value)
    return parse(MODELS[name], config)


@dataclass(frozen=True)
class Shop:
    """A launch of a small demo shop, with its results on disk, and its run in the store beside them."""

    read: Inputs
    plan: LaunchPlan
    record: Record
    files: tuple[str, ...]
    out: Path
    shown: str | None

    @property
    def home(self) -> Path:
        return self.out.parent

    @property
    def store(self) -> str:
        return f"sqlite:///{self.home / 'mlflow.db'}"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    out = tmp_path_factory.mktemp("shop") / "结果 100% #1" / "春季"
    custom = [{"name": "not (so) 新/new", "keep": "orders > 1"}]
    quick = {"scoring__trees": 20, "scoring__trials": 2, "segments__bootstraps": 2}
    settings = job(data__shop__customers=600, plan__size=100, rules__custom=custom, out=str(out), **quick)
    read = read_tables(settings.data, settings.launch, seed=settings.seed)
    plan = in_words(plan_launch(read.tables, settings), settings)
    outputs = launch_outputs(plan, read, settings)
    write_outputs(outputs, read, settings)
    address = {"data__url": f"postgresql://shop:{PASSWORD}@db/shop?sslpassword=opti0nal", "data__orders__query": "SELECT * FROM orders"}
    tracked = job("database", launch__name="春季", launch__topic="x" * 7000, rules__spend__min=500.0, out=str(out), **address)
    record = launch_outputs(plan, read, tracked).record
    assert record is not None
    return Shop(read, plan, record, outputs.public, out, track(record, outputs.public, tracked))


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("begun") / "mlflow.db"
    with connected(str(file), "another", file):
        return file


@pytest.fixture
def store(begun: Path, tmp_path: Path) -> Path:
    """A store of its own for each test, copied, as MLflow takes seconds to begin one."""
    return Path(shutil.copy(begun, tmp_path))


def client(store: str) -> Any:
    with warnings.catch_warnings(action="ignore"):  # MLflow's import warns about other libraries
        from mlflow import MlflowClient

    return MlflowClient(tracking_uri=store, registry_uri=store)


def runs(store: str) -> list[Any]:
    mlflow = client(store)
    return list(mlflow.search_runs([mlflow.get_experiment_by_name("segmenter").experiment_id]))


def test_a_launch_becomes_one_run_with_its_config_and_figures(shop: Shop) -> None:
    (run,) = runs(shop.store)
    params, metrics, tags = run.data.params, run.data.metrics, run.data.tags
    assert run.info.status == "FINISHED"
    assert shop.shown == f"run {run.info.run_id} in {shop.store}"
    assert run.info.run_name == tags["segmenter.launch"] == "春季"
    assert (tags["segmenter.as_of"], tags["segmenter.version"]) == ("2026-07-01", "0.1.0")
    assert (params["rules.spend.min"], params["rules.spend.max"], params["rules.consent"]) == ("500.0", "null", "true")
    assert params["plan.key_user_components"] == '["advocacy", "engagement"]'
    assert float(params["scoring.weights.spend"]) > 0
    assert json.loads(params["rules.region.aliases"]) == {}
    assert params["data.url"] == "postgresql://shop:***@db/shop"
    assert len(params["launch.topic"]) == 6000
    assert metrics["invited"] == shop.plan.counts["invited"] == 100
    assert metrics["share_invited"] == pytest.approx(100 / 600)
    scores = shop.plan.invite_list["score"]
    assert (metrics["score_min"], metrics["score_median"]) == (scores.min(), scores.median())
    assert -1 <= metrics["silhouette"] <= 1
    lefts = dict(shop.plan.funnel.select("rule", "left").iter_rows())
    assert (metrics["funnel.consent.left"], metrics["funnel.not _so_ 新_new.left"]) == (lefts["consent"], lefts["not (so) 新/new"])
    logged = [file.path for file in client(shop.store).list_artifacts(run.info.run_id)]
    assert logged == ["fitted.json", "funnel.csv", "manifest.json", "personas.csv", "report.html", "segments.csv", "what_if.csv"]


def test_nothing_personal_and_no_password_is_stored(shop: Shop) -> None:
    contacts = shop.read.tables.contacts
    assert contacts is not None
    personal = {str(value) for column in contacts for value in column if value is not None and len(str(value)) > 5}
    assert len(personal) > 1000
    stored = [
        shop.home / "mlflow.db",
        *(path for path in (shop.home / "mlartifacts").rglob("*") if path.is_file() and path.suffix != ".py"),
    ]
    assert len(stored) > 10
    for path in stored:
        text = path.read_bytes().decode(errors="replace")
        assert [word for word in (*personal, PASSWORD, "opti0nal") if word in text] == [], path


@pytest.mark.slow
def test_mlflow_serves_the_model_with_the_code_stored_beside_it(shop: Shop, tmp_path: Path) -> None:
    (version,) = client(shop.store).search_model_versions("name = 'segmenter-春季'")
    assert version.run_id == runs(shop.store)[0].info.run_id
    (needs,) = (shop.home / "mlartifacts").rglob("requirements.txt")
    assert {"mlflow", "polars", "scikit-learn"} < {line.partition("==")[0] for line in needs.read_text().splitlines()}
    (code,) = (shop.home / "mlartifacts").rglob("code/segmenter/tracking/served_model.py")
    code.write_text(code.read_text(encoding="utf-8") + "\nimport sys\nprint('stored code', file=sys.stderr)\n", encoding="utf-8")
    rows, answer = tmp_path / "rows.csv", tmp_path / "answer.json"
    customers = pl.read_parquet(shop.out / "customers.parquet")
    assert customers["days_since_order"].has_nulls()
    customers.write_csv(rows)
    files = ["-i", str(rows), "-o", str(answer), "-t", "csv", "--env-manager", "local"]
    done = subprocess.run(
        [sys.executable, "-m", "mlflow", "models", "predict", "-m", f"models:/segmenter-春季/{version.version}", *files],
        env={**os.environ, "MLFLOW_TRACKING_URI": shop.store, "MLFLOW_DISABLE_TELEMETRY": "true"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "stored code" in done.stderr
    answered = pl.DataFrame(json.loads(answer.read_text())["predictions"], schema={"score": pl.Float64, "segment": pl.Int32})
    assert answered.equals(shop.plan.model.predict(customers.select(pl.col(shop.plan.model.columns).cast(pl.Float64))))
    assert answered["score"].equals(customers["score"])


@pytest.mark.slow
def test_jobs_of_a_sweep_share_a_parent_and_the_caller_notices_nothing(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with warnings.catch_warnings(action="ignore"):
        import mlflow

    monkeypatch.chdir(tmp_path)
    environment, uri = dict(os.environ), mlflow.get_tracking_uri()
    for sweep in (Sweep("first", 0), Sweep("first", 1), Sweep("second", 0)):
        track(shop.record, shop.files, job(out=str(shop.out), tracking__uri="store", plan__size=100 + sweep.number), sweep)
    assert capfd.readouterr() == ("", "")
    assert (dict(os.environ), mlflow.get_tracking_uri(), mlflow.active_run()) == (environment, uri, None)
    assert [path.name for path in tmp_path.iterdir()] == ["store"]
    found = runs(f"sqlite:///{tmp_path}/store/mlflow.db")
    parents = {run.info.run_id: run.data.tags["segmenter.sweep"] for run in found if "segmenter.sweep" in run.data.tags}
    children = [run for run in found if run.info.run_id not in parents]
    assert sorted(parents.values()) == ["first", "second"]
    assert {run.info.status for run in found} == {"FINISHED"}
    placed = {
        (parents[run.data.tags["mlflow.parentRunId"]], run.data.tags["segmenter.job"], run.data.params["plan.size"]) for run in children
    }
    assert placed == {("first", "0", "100"), ("first", "1", "101"), ("second", "0", "100")}


@pytest.mark.slow
def test_two_jobs_may_begin_a_store_and_a_sweep_at_once(shop: Shop, tmp_path: Path) -> None:
    given = tmp_path / "given.pickle"
    given.write_bytes(pickle.dumps((shop.record, job())))
    script = (
        "import pickle, sys; from pathlib import Path; from segmenter.tracking import Sweep, track;"
        "record, settings = pickle.loads(Path(sys.argv[1]).read_bytes());"
        "track(record, [], settings.model_copy(update={'out': Path(sys.argv[2])}), Sweep('one', 0))"
    )
    both = [
        subprocess.Popen([sys.executable, "-c", script, str(given), str(tmp_path / "store" / name)], stderr=subprocess.PIPE, text=True)
        for name in ("a", "b")
    ]
    for process in both:
        assert process.communicate(timeout=120)[1] == ""
        assert process.returncode == 0
    store = f"sqlite:///{tmp_path}/store/mlflow.db"
    assert len(client(store).search_model_versions("name = 'segmenter-demo'")) == 2
    found = runs(store)
    (parent,) = [run.info.run_id for run in found if "segmenter.sweep" in run.data.tags]
    assert sorted(run.data.tags.get("mlflow.parentRunId", "") for run in found) == ["", parent, parent]


@pytest.mark.slow
def test_a_run_that_fails_halfway_is_marked_so(shop: Shop, store: Path, tmp_path: Path) -> None:
    (tmp_path / "mlartifacts").write_text("a file where the artifacts should go")
    with pytest.raises(TrackingError, match=r"^tracking: sqlite:.* did not take the run \(got .*; mend that, or use tracking=none$"):
        track(shop.record, shop.files, job(out=str(shop.out), tracking__uri=str(store)))
    assert [run.info.status for run in runs(f"sqlite:///{store}")] == ["FAILED"]


def backtest_job(**changes: object) -> BacktestJob:
    return changed("backtest", [], changes)


def replayed() -> Backtest:
    """Two rankings at two dates, at the first of which nothing was spent."""
    cuts = (date(2026, 4, 1), date(2026, 5, 1))
    figures = [(cuts[0], "mine (old)", None, None), (cuts[1], "mine (old)", 0.5, 1.2), (cuts[1], "rfm", 0.25, None)]
    means = [(None, "mine (old)", 0.5, 1.2), (None, "rfm", 0.25, None), (None, "best", 0.9, None)]
    results = pl.DataFrame([*figures, *means], ["cut", "ranking", "spend_share_10", "calibration"], orient="row")
    return Backtest(
        results.with_columns(eligible=pl.lit(1_000)),
        intervals=pl.DataFrame(schema={"ranking": pl.String, "share": pl.Float64, "beats_chance": pl.Boolean}),
        chance=draw_chance([], [10], 7),
        **dict.fromkeys(("differences", "curves", "calibration", "choices"), pl.DataFrame()),
        cuts=cuts,
        compared=cuts[1:],
        horizon_days=30,
        current="rfm",
        recommended="mine (old)",
        warnings=(),
    )


@pytest.mark.slow
def test_a_backtest_becomes_one_run_and_each_ranking_a_child(store: Path, tmp_path: Path) -> None:
    (tmp_path / "backtest.csv").write_text("-", encoding="utf-8")
    settings = backtest_job(launch__name="春季", tracking__uri=str(store), out=str(tmp_path))
    shown = track(backtest_record(replayed(), settings), ["backtest.csv"], settings)
    found = {run.info.run_name: run for run in runs(f"sqlite:///{store}")}
    parent = found.pop("春季 backtest")
    assert shown == f"run {parent.info.run_id} in sqlite:///{store}"
    tags = parent.data.tags
    assert (tags["segmenter.advice"], tags["segmenter.recommended"]) == (advice(replayed(), "en"), "mine (old)")
    assert (parent.data.params["backtest.step_days"], parent.data.params["scoring.kind"]) == ("30", "auto")
    assert parent.data.metrics == {"spend_share_10": 0.5, "calibration": 1.2, "eligible": 1000, "cuts": 2}
    logged = client(f"sqlite:///{store}")
    assert [file.path for file in logged.list_artifacts(parent.info.run_id)] == ["backtest.csv"]
    assert {name: run.data.tags["segmenter.recommended"] for name, run in found.items()} == {"mine (old)": "yes", "rfm": "no", "best": "no"}
    assert {run.data.tags["mlflow.parentRunId"] for run in found.values()} == {parent.info.run_id}
    assert {run.info.status for run in (parent, *found.values())} == {"FINISHED"}
    mine = found["mine (old)"]
    assert mine.data.tags["segmenter.ranking"] == "mine (old)"
    assert (mine.data.metrics["spend_share_10"], mine.data.metrics["calibration"]) == (0.5, 1.2)
    history = logged.get_metric_history(mine.info.run_id, "cut_spend_share_10")
    assert [(metric.step, metric.value) for metric in history] == [(1, 0.5)]
    assert found["best"].data.metrics == {"spend_share_10": 0.9, "eligible": 1000}


@pytest.mark.slow
def test_a_backtest_that_fails_halfway_is_marked_so(store: Path, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{}", encoding="utf-8")
    (tmp_path / "mlartifacts").write_text("a file where the artifacts should go")
    with pytest.raises(TrackingError, match=r"^tracking: sqlite:.* did not take the run \(got .*; mend that, or use tracking=none$"):
        settings = backtest_job(launch__name="春季", tracking__uri=str(store), out=str(tmp_path))
        track(backtest_record(replayed(), settings), ["manifest.json"], settings)
    assert {run.info.status for run in runs(f"sqlite:///{store}")} == {"FAILED"}


def reviewed(joined: int) -> tuple[Review, ReviewJob]:
    asked = ["data=files", "data.orders.path=x", "launch.as_of=2026-07-01", 'launch.name="it\'s 春"', "review.as_of=2026-07-03"]
    settings = settings_of("review", *asked)
    row = {"launch": "it's 春", "in_plan": True, "planned_at": date(2026, 7, 1), "status": "planned", "stratum": "s"}
    said = {"answer": "joined", "answered_on": date(2026, 7, 1)}
    told = [row | {"customer_id": f"C{place}"} | (said if place < joined else {}) for place in range(9)]
    people = pl.DataFrame(
        [*told, row | {"customer_id": "h", "status": "held_out"}, row | {"customer_id": "i", "status": "held_out"}], INVITED
    )
    orders = [{"customer_id": "C0", "time": datetime(2026, 7, day), "amount": 50, "is_order": True} for day in (1, 2)]
    launch = LaunchRecord("it's 春", "vip", date(2026, 7, 1), 30, 3_000, "CNY")
    return review(launch, people, pl.DataFrame(orders, ORDERS), settings), settings


@pytest.mark.slow
def test_a_review_becomes_a_child_of_its_launchs_latest_run(store: Path, tmp_path: Path) -> None:
    uri = f"sqlite:///{store}"
    found, settings = reviewed(joined=6)
    settings = settings.model_copy(update={"tracking": settings.tracking.model_copy(update={"uri": uri}), "out": tmp_path})
    (tmp_path / "lift.csv").write_text("-", encoding="utf-8")
    track(review_record(found, settings), ["lift.csv"], settings)
    (alone,) = runs(uri)
    assert "segmenter.launch_run" not in alone.data.tags  # the store knows no such launch
    tags = {"segmenter.launch": "it's 春", "segmenter.as_of": "2026-07-01"}
    mlflow = client(uri)
    planned = {}
    for place, (kind, name, own) in enumerate(
        [
            ("older", "it's 春", {}),
            ("latest", "it's 春", {}),
            ("backtest", "it's 春 backtest", {}),
            ("ranking", "it's 春", {"segmenter.ranking": "it's 春"}),
            ("other", "spring", {"segmenter.launch": "spring"}),
            ("failed", "it's 春", {}),
        ]
    ):
        run = mlflow.create_run(alone.info.experiment_id, start_time=1_000 + place, tags=tags | own, run_name=name)
        mlflow.set_terminated(run.info.run_id, "FAILED" if kind == "failed" else "FINISHED")
        planned[kind] = run.info.run_id
    shown = track(review_record(found, settings), ["lift.csv"], settings)
    run = next(run for run in runs(uri) if shown == f"run {run.info.run_id} in {uri}")
    assert run.data.tags["segmenter.launch_run"] == run.data.tags["mlflow.parentRunId"] == planned["latest"]
    assert (run.info.run_name, run.info.status, run.data.tags["segmenter.standing"]) == ("it's 春 review", "FINISHED", "behind")
    metrics = run.data.metrics
    assert (metrics["joined"], metrics["held_out"], metrics["target"], metrics["joined_share"]) == (6, 2, 3_000, pytest.approx(6 / 9))
    assert metrics["lift"] == found.lift.best.total
    steps = [(metric.step, metric.value) for metric in mlflow.get_metric_history(run.info.run_id, "sales.joined_so_far")]
    assert steps == [(1, 50), (2, 100)]
    assert "sales.held_out_so_far" not in metrics  # two customers
    assert [file.path for file in mlflow.list_artifacts(run.info.run_id)] == ["lift.csv"]


@pytest.mark.slow
def test_a_review_that_fails_halfway_is_marked_so(store: Path, tmp_path: Path) -> None:
    found, settings = reviewed(joined=2)
    tracking = settings.tracking.model_copy(update={"uri": str(store)})
    settings = settings.model_copy(update={"tracking": tracking, "out": tmp_path})
    (tmp_path / "review.html").write_text("-", encoding="utf-8")
    (tmp_path / "mlartifacts").write_text("a file where the artifacts should go")
    with pytest.raises(TrackingError, match=r"^tracking: sqlite:.* did not take the run \(got .*; mend that, or use tracking=none$"):
        track(review_record(found, settings), ["review.html"], settings)
    (run,) = runs(f"sqlite:///{store}")
    assert run.info.status == "FAILED"
    assert "sales.joined_so_far" not in run.data.metrics
