"""Look at a shop's files, and write a first experiment for them."""

import hydra
from omegaconf import DictConfig

from segmenter.command import command, job


@hydra.main(version_base="1.3", config_path="../conf", config_name="init")
@job
def main(config: DictConfig) -> None:
    """Look, ask, try, write."""
    from functools import partial

    from segmenter.guesses.experiment import guess_experiment, name_of
    from segmenter.guesses.source_tables import find_sources
    from segmenter.report.experiment_file import check_absent, experiment_path, experiment_text, write_experiment
    from segmenter.report.init_questions import settle
    from segmenter.report.init_report import init_report
    from segmenter.report.terminal import progress, show
    from segmenter.settings import InitJob, parse
    from segmenter.trial import try_experiment

    settings = parse(InitJob, config)
    name = settings.name or name_of(settings.paths)
    path = experiment_path(settings.to, name)
    check_absent(path)
    with progress(settings.lang) as stage:
        stage("orders")
        sources = find_sources(settings.paths)
    experiment = settle(partial(guess_experiment, sources, name), dict(settings.answers.given()), settings.lang)
    with progress(settings.lang) as stage:
        experiment, notes, warnings = try_experiment(experiment, seed=settings.seed, progress=stage)
    write_experiment(experiment_text(experiment, path, (*warnings, *notes), settings.lang), path)
    show(init_report(experiment, path, warnings, settings.lang), path, settings.lang)


if __name__ == "__main__":
    command(main)
