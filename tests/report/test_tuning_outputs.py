"""What `segmenter tune` writes and shows, and that a launch takes it."""

import json
import warnings
from datetime import date

import polars as pl
import pytest
from hydra import compose, initialize_config_dir
from jobs import run_command, settings_of

from segmenter.evaluation.tune import Tuning, tune
from segmenter.loader import read_tables
from segmenter.overrides import quoted
from segmenter.report.outputs import write_outputs
from segmenter.report.publication import sha256
from segmenter.report.terminal import show
from segmenter.report.tuning_outputs import tuning_outputs
from segmenter.report.tuning_report import tuning_advice, tuning_report
from segmenter.settings import TuneJob, WeightedSettings, Weights, parse
from segmenter.sources.inputs import Inputs

SHOP = ["data.shop.customers=500", "launch.as_of=2026-07-01"]
PRESENT = ["scoring=weighted"]
SMALL = ["tune.trials=12", "tune.half_lives=[30]", "backtest.max_cuts=4"]


def job(*overrides) -> TuneJob:
    return settings_of("tune", *SHOP, *PRESENT, *map(quoted, overrides))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where a tuning was run at one thread."""
    place = tmp_path_factory.mktemp("work")
    assert (
        run_command("tune", *SHOP, *PRESENT, *SMALL, "tracking.experiment=tuning", cwd=place, POLARS_MAX_THREADS="1").stdout
        == "outputs/demo_tune\n"
    )
    return place


@pytest.mark.slow
def test_the_files_are_the_same_at_any_number_of_threads(folder):
    settings = job(*SMALL, f"out={folder}/again")
    read = read_tables(settings.data, settings.launch, seed=settings.seed, progress=lambda *stage: None)
    write_outputs(tuning_outputs(tune(read.tables, settings), settings), read, settings)
    folders = (folder / "outputs/demo_tune", folder / "again")
    one, other = ({path.relative_to(at).as_posix(): sha256(path) for path in at.rglob("*") if path.is_file()} for at in folders)
    assert set(one) == set(other) == {"tune.csv", "tune.html", "conf/scoring/tuned.yaml", "manifest.json"}
    assert all(one[name] == other[name] for name in ("tune.csv", "conf/scoring/tuned.yaml"))
    manifest = json.loads((folder / "again/manifest.json").read_text(encoding="utf-8"))
    assert manifest["files"].keys() == {"tune.csv", "tune.html", "conf/scoring/tuned.yaml"}
    trials = pl.read_csv(folder / "again/tune.csv")
    assert trials.height == 12
    assert trials["share"].max() == manifest["shares"][0]["learned_from"] >= manifest["shares"][1]["learned_from"] == trials["share"][0]
    best = trials.filter(pl.col("share") == trials["share"].max()).head(1).select(list(Weights.model_fields)).row(0, named=True)
    assert manifest["weights"] == best
    assert manifest["held_back"][-1] == "2026-06-01"


@pytest.mark.slow
def test_a_launch_takes_what_was_written(folder):
    """As the terminal says it."""
    few = ["segments.k=3", "segments.bootstraps=2", "tracking=none"]
    run_command("launch", "--config-dir", "outputs/demo_tune/conf", "scoring=tuned", *SHOP, *few, cwd=folder, POLARS_MAX_THREADS="1")
    used = json.loads((folder / "outputs/demo/manifest.json").read_text(encoding="utf-8"))["config"]["scoring"]
    tuned = json.loads((folder / "outputs/demo_tune/manifest.json").read_text(encoding="utf-8"))
    assert (used["kind"], used["half_life_days"], used["weights"]) == ("weighted", tuned["half_life_days"], tuned["weights"])
    present = tuned["config"]["scoring"]
    assert {key: used[key] for key in ("engagement", "advocacy", "knots", "max_reasons")} == {
        key: present[key] for key in ("engagement", "advocacy", "knots", "max_reasons")
    }


@pytest.mark.slow
def test_mlflow_has_one_run_with_a_step_for_each_trial(folder):
    with warnings.catch_warnings(action="ignore"):  # MLflow's own
        from mlflow import MlflowClient

        client = MlflowClient(f"sqlite:///{folder}/outputs/mlflow.db")
        (run,) = client.search_runs([client.get_experiment_by_name("tuning").experiment_id])
        shares = client.get_metric_history(run.info.run_id, "trial_share")
        artifacts = client.list_artifacts(run.info.run_id)
    assert (run.info.run_name, run.info.status) == ("demo tune", "FINISHED")
    trials = pl.read_csv(folder / "outputs/demo_tune/tune.csv")
    assert [round(each.value, 6) for each in sorted(shares, key=lambda each: each.step)] == trials["share"].to_list()
    assert run.data.metrics["trial_best_share"] == run.data.metrics["learned_from.tuned"]
    assert {"held_back.tuned", "held_back.present", "held_back.decayed", "held_back.spend"} <= run.data.metrics.keys()
    assert run.data.params["tuned.weights.spend"] == str(
        json.loads((folder / "outputs/demo_tune/manifest.json").read_text(encoding="utf-8"))["weights"]["spend"]
    )
    assert {each.path for each in artifacts} == {"tune.csv", "tune.html", "tuned.yaml", "manifest.json"}


def made_up(scoring: WeightedSettings, **changes) -> Tuning:
    weights = Weights(**dict.fromkeys(Weights.model_fields, 0.0) | {"recency": 99.5, "growth": 0.5})
    tuned = scoring.model_copy(update={"half_life_days": 45.0, "weights": weights, "engagement": {"看直播": 2.5, "yes": 1.0}})
    shares = [("tuned", 0.6, 0.55, 0.5, 0.6), ("present", 0.5, 0.5, None, None), ("[red]", None, 0.4, 0.35, 0.45)]
    return Tuning(
        scoring=tuned,
        present=scoring,
        trials=pl.DataFrame({"trial": [0], "share": [0.1234567]}),
        shares=pl.DataFrame(shares, schema=["ranking", "learned_from", "held_back", "low", "high"], orient="row"),
        differences=pl.DataFrame({"against": ["present"], "difference": [0.05], "low": [0.01], "high": [0.09], "clearly_better": [True]}),
        learned_from=(date(2026, 1, 1), date(2026, 2, 1)),
        held_back=(date(2026, 3, 1),),
        horizon_days=30,
        current="present",
        warnings=("one [bold]word[/]",),
    )


@pytest.mark.slow
def test_what_names_of_events_are_is_written_so_that_it_is_read_back(tmp_path):
    import segmenter as library

    mapped = library.launch_settings({"launch.as_of": "2026-07-01"})
    orders = pl.DataFrame({"customer_id": ["a"], "time": ["2026-06-30"], "amount": [12.5]})
    read = Inputs(library.canonical_tables({"orders": orders}, mapped.data, mapped.launch), {})
    settings = job(f"out={tmp_path}/out", "lang=zh")
    found = made_up(settings.scoring)
    write_outputs(tuning_outputs(found, settings), read, settings)
    with initialize_config_dir(str(tmp_path / "out/conf/scoring"), version_base="1.3"):
        assert parse(WeightedSettings, compose("tuned")) == found.scoring
    text = (tmp_path / "out/conf/scoring/tuned.yaml").read_text(encoding="utf-8")
    assert f"# {tuning_advice(found, 'zh')}\n" in text
    assert "  recency: 99.5\n" in text
    assert "  spend: 0\n" in text


def test_a_person_sees_weights_shares_and_the_command(tmp_path, monkeypatch, capsys):
    settings = job("out=一个 文件夹/调优", "lang=zh")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "150")
    found = made_up(settings.scoring)
    show(tuning_report(found, settings), settings.out, settings.lang)
    seen = capsys.readouterr()
    for words in (
        "45",
        "99.5",
        "50.0%–60.0%",
        "[red]",
        tuning_advice(found, "zh")[:20],
        "'--config-dir=一个 文件夹/调优/conf' scoring=tuned",
    ):
        assert words in seen.out, words
    assert "one [bold]word[/]" in seen.err
