from datetime import date
from pathlib import Path

from jobs import settings_of

from segmenter.job import ahead, conclude, say_weights, started
from segmenter.report.outputs import Outputs
from segmenter.report.sections import Report
from segmenter.settings import LaunchJob, LaunchSettings


def test_today_is_filled_in_and_a_job_alone_is_in_no_sweep():
    launch = LaunchSettings.model_construct(as_of=None, timezone="Asia/Shanghai")
    settings, sweep = started(LaunchJob.model_construct(launch=launch))
    assert settings.launch.as_of >= date(2026, 1, 1)
    assert sweep is None
    dated = LaunchJob.model_construct(launch=LaunchSettings.model_construct(as_of=date(2026, 7, 1)))
    assert started(dated)[0] is dated


def test_what_cannot_be_imported_ahead_is_no_matter_yet():
    ahead("segmenter.nowhere")


def test_a_job_that_is_not_tracked_ends_with_its_folder(capsys):
    report = Report("", "", "spring", "", warnings=("look",))
    conclude(Outputs((), {}, report), LaunchJob.model_construct(out=Path("outputs/spring"), lang="en", from_run=None), damaged=["a store"])
    said = capsys.readouterr()
    assert said.out == "outputs/spring\n"
    assert said.err == "warning: look\nwarning: a store\n"


def test_weights_that_no_longer_rank_are_said():
    """As of a config that was written when `weighted` was the default."""
    assert not say_weights(settings_of("launch"))
    (said,) = say_weights(settings_of("launch", "scoring.weights.spend=50"))
    assert "scoring=weighted" in said
    assert not say_weights(settings_of("launch", "scoring=weighted", "scoring.weights.spend=50"))
