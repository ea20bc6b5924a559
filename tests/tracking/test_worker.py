import subprocess

import pytest
from jobs import composed

from segmenter.errors import TrackingError
from segmenter.report.outputs import Record
from segmenter.settings import LaunchJob, parse
from segmenter.tracking import begin, track_beside, worker
from segmenter.tracking.mlflow_store import connected


def settings_in(folder, *overrides):
    return parse(LaunchJob, composed("launch", "launch.as_of=2026-07-01", f"out={folder / 'results' / 'r'}", *overrides))


@pytest.fixture(autouse=True)
def nothing_runs():
    yield
    for side in worker._running:
        side.process.kill()
        side.__exit__()
    worker._running.clear()


def runs_in(settings):
    with connected(None, "segmenter", settings.out) as store:
        return [run.data.metrics for run in store.client.search_runs([store.experiment])]


@pytest.mark.slow
def test_a_run_is_logged_beside_the_job_into_a_new_store(tmp_path):
    settings = settings_in(tmp_path)
    begin(settings)
    assert not (tmp_path / "results").exists()
    shown = track_beside(Record("launch", {"invited": 3}), (), settings)
    assert shown is not None
    assert shown.endswith("mlflow.db")
    assert runs_in(settings) == [{"invited": 3}]
    assert sorted(path.name for path in (tmp_path / "results").iterdir()) == ["mlflow.db"]


@pytest.mark.slow
def test_what_goes_wrong_there_is_said_as_here(tmp_path):
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "mlflow.db").write_text("no database")
    settings = settings_in(tmp_path)
    with pytest.raises(TrackingError) as here:
        track_beside(Record("launch"), (), settings)
    begin(settings)
    with pytest.raises(TrackingError) as there:
        track_beside(Record("launch"), (), settings)
    assert there.value.messages == here.value.messages
    assert there.value.messages[0].code == here.value.messages[0].code


@pytest.mark.slow
def test_a_process_that_broke_down_is_not_needed(tmp_path):
    settings = settings_in(tmp_path)
    begin(settings)
    worker._running[0].process.kill()
    worker._running[0].process.wait()
    assert track_beside(Record("launch", {"invited": 3}), (), settings) is not None
    assert runs_in(settings) == [{"invited": 3}]


@pytest.mark.slow
def test_it_ends_with_a_job_that_ends_early_and_leaves_nothing(tmp_path, monkeypatch):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    begin(settings_in(tmp_path))
    process = worker._running[0].process
    process.stdin.close()
    try:
        assert process.wait(timeout=120) == 0
    except subprocess.TimeoutExpired:  # pragma: no cover
        pytest.fail("still there")
    assert [path.name for path in tmp_path.rglob("*")] == ["temporary"]


def test_nothing_is_begun_where_nothing_is_tracked(tmp_path):
    begin(settings_in(tmp_path, "tracking=none"))
    assert not worker._running
