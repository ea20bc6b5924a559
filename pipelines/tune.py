"""Tune the weighted score on the shop's own past."""

import hydra
from omegaconf import DictConfig

from segmenter.command import command, job


@hydra.main(version_base="1.3", config_path="../conf", config_name="tune")
@job
def main(config: DictConfig) -> None:
    """Read, compute, write, log."""
    from dataclasses import replace

    from segmenter.evaluation.as_of import terms_of
    from segmenter.evaluation.cuts import sampling_of
    from segmenter.evaluation.tune import tune
    from segmenter.evaluation.tuning_trials import load_optuna
    from segmenter.job import conclude, started
    from segmenter.loader import read_past
    from segmenter.report.output_folder import check_out
    from segmenter.report.outputs import write_outputs
    from segmenter.report.terminal import progress
    from segmenter.report.tuning_outputs import tuning_outputs
    from segmenter.settings import TuneJob, parse

    settings, _ = started(parse(TuneJob, config))
    check_out(settings)
    load_optuna()  # before orders are read that may take minutes
    with progress(settings.lang) as stage:
        read = read_past(settings, terms_of(settings), sampling_of(settings), progress=stage)
        found = tune(read.tables, settings, progress=stage)
        stage("writing")
        outputs = tuning_outputs(replace(found, warnings=(*found.warnings, *read.doubts)), settings)
        write_outputs(outputs, read, settings)
    conclude(outputs, settings, damaged=read.warnings)


if __name__ == "__main__":
    command(main)
