"""Tune the weighted score on the shop's own past."""

import hydra
from omegaconf import DictConfig

from segmenter.command import command, job


@hydra.main(version_base="1.3", config_path="../conf", config_name="tune")
@job
def main(config: DictConfig) -> None:
    """Read, compute, write, log."""
    from dataclasses import replace

    from segmenter.command import started
    from segmenter.evaluation.as_of import terms_of
    from segmenter.evaluation.cuts import sampling_of
    from segmenter.evaluation.tune import tune
    from segmenter.evaluation.tuning_trials import load_optuna
    from segmenter.report.output_folder import check_out
    from segmenter.report.terminal import progress, show, show_run
    from segmenter.report.tuning_files import write_tuning
    from segmenter.report.tuning_report import tuning_report
    from segmenter.settings import TuneJob, parse
    from segmenter.sources.loader import read_tables
    from segmenter.tracking import track_tuning

    settings, _ = started(parse(TuneJob, config))
    check_out(settings)
    load_optuna()  # before orders are read that may take minutes
    with progress(settings.lang) as stage:
        read = read_tables(
            settings.data,
            settings.launch,
            seed=settings.seed,
            progress=stage,
            terms=terms_of(settings),
            sampling=sampling_of(settings),
        )
        found = tune(read.tables, settings, progress=stage)
        found = replace(found, warnings=(*found.warnings, *read.notes))
        stage("writing")
        write_tuning(found, read, settings)
    show(tuning_report(found, settings), settings.out, settings.lang, damaged=read.warnings)
    if settings.tracking.kind == "mlflow":
        with progress(settings.lang) as stage:
            stage("tracking")
            run = track_tuning(found, settings, settings.out)
        show_run(run)


if __name__ == "__main__":
    command(main)
