"""Compare two launches: who is invited by one of them only, and why; who moved; which settings differ."""

import hydra
from omegaconf import DictConfig

from segmenter.command import command, job


@hydra.main(version_base="1.3", config_path="../conf", config_name="compare")
@job
def main(config: DictConfig) -> None:
    """Read, compare, write."""
    from segmenter.evaluation.launch_changes import compare_launches
    from segmenter.report.changes_outputs import changes_outputs, side_of
    from segmenter.report.output_folder import check_out
    from segmenter.report.outputs import write_outputs
    from segmenter.report.terminal import show
    from segmenter.settings import CompareJob, parse
    from segmenter.sources.results_folder import read_pair

    settings = parse(CompareJob, config)
    check_out(settings)
    a, b = read_pair(settings.a, settings.b)
    dated = settings.launch.model_copy(update={"as_of": settings.launch.as_of or b.as_of})
    settings = settings.model_copy(update={"launch": dated})
    found = compare_launches(*(side_of(launch, settings.lang) for launch in (a, b)))
    outputs = changes_outputs(found, a, b, settings)
    write_outputs(outputs, None, settings)
    show(outputs.report, settings.out, settings.lang)


if __name__ == "__main__":
    command(main)
