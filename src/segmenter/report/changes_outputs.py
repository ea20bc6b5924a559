"""All that a comparison of two launches leaves."""

from segmenter.evaluation.launch_changes import LaunchChanges, LaunchSide
from segmenter.report.changes_report import changes_report
from segmenter.report.language import translate
from segmenter.report.outputs import Outputs, csv, page
from segmenter.settings import CompareJob
from segmenter.sources.results_folder import LaunchResults
from segmenter.words import Lang


def side_of(results: LaunchResults, lang: Lang) -> LaunchSide:
    """Give a launch as it is compared, its segments named in a language."""
    segments = {number: translate(name, lang) for number, name in results.segment_names().items()}
    return LaunchSide(results.customers, results.settings, results.manifest["config"], segments)


def changes_outputs(found: LaunchChanges, a: LaunchResults, b: LaunchResults, settings: CompareJob) -> Outputs:
    """List what a comparison leaves, in its language."""
    report = changes_report(found, a, b, settings)
    said = {
        "counts": dict(found.counts),
        "settings": [{"key": key, "a": then, "b": now} for key, then, now in found.settings],
        "of": {
            name: {"folder": str(of.folder), "launch": of.settings.launch.name, "as_of": str(of.as_of)} for name, of in (("a", a), ("b", b))
        },
    }
    return Outputs((csv("comparison", found.customers), page("comparison", report, settings.lang)), said, report)
