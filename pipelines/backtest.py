"""Replay launches at past dates, to see which ranking would have held the right people."""

import hydra
from omegaconf import DictConfig

from segmenter.command import command, job


@hydra.main(version_base="1.3", config_path="../conf", config_name="backtest")
@job
def main(config: DictConfig) -> None:
    """Read, compute, write, log."""
    from dataclasses import replace

    from segmenter.command import ahead, started
    from segmenter.evaluation.as_of import terms_of
    from segmenter.evaluation.backtest import backtest
    from segmenter.evaluation.cuts import sampling_of
    from segmenter.report.backtest_files import write_backtest
    from segmenter.report.backtest_report import backtest_report
    from segmenter.report.output_folder import check_out
    from segmenter.report.terminal import progress, show, show_run
    from segmenter.settings import BacktestJob, parse
    from segmenter.sources.loader import read_tables
    from segmenter.tracking import track_backtest

    settings, _ = started(parse(BacktestJob, config))
    check_out(settings)
    ahead("sklearn.ensemble")
    with progress(settings.lang) as stage:
        read = read_tables(
            settings.data,
            settings.launch,
            seed=settings.seed,
            progress=stage,
            terms=terms_of(settings),
            sampling=sampling_of(settings),
        )
        found = backtest(read.tables, settings, progress=stage)
        found = replace(found, warnings=(*found.warnings, *read.notes))
        stage("writing")
        write_backtest(found, read, settings)
    show(backtest_report(found, settings), settings.out, settings.lang, damaged=read.warnings)
    if settings.tracking.kind == "mlflow":
        with progress(settings.lang) as stage:
            stage("tracking")
            run = track_backtest(found, settings, settings.out)
        show_run(run)


if __name__ == "__main__":
    command(main)
