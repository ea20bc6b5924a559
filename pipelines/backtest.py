"""Replay launches at past dates, to see which ranking would have held the right people."""

import hydra
from omegaconf import DictConfig

from segmenter.command import command, job


@hydra.main(version_base="1.3", config_path="../conf", config_name="backtest")
@job
def main(config: DictConfig) -> None:
    """Read, compute, write, log."""
    from dataclasses import replace

    from segmenter.evaluation.as_of import terms_of
    from segmenter.evaluation.backtest import backtest
    from segmenter.evaluation.cuts import sampling_of
    from segmenter.job import ahead, conclude, started
    from segmenter.loader import read_past
    from segmenter.report.backtest_outputs import backtest_outputs
    from segmenter.report.output_folder import check_out
    from segmenter.report.outputs import write_outputs
    from segmenter.report.terminal import progress
    from segmenter.settings import BacktestJob, parse

    settings, _ = started(parse(BacktestJob, config))
    check_out(settings)
    ahead("sklearn.ensemble")
    with progress(settings.lang) as stage:
        read = read_past(settings, terms_of(settings), sampling_of(settings), progress=stage)
        found = backtest(read.tables, settings, progress=stage)
        stage("writing")
        outputs = backtest_outputs(replace(found, warnings=(*found.warnings, *read.doubts)), settings)
        write_outputs(outputs, read, settings)
    conclude(outputs, settings, damaged=read.warnings)


if __name__ == "__main__":
    command(main)
