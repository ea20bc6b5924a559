"""Plan a launch: from the shop's raw tables to the invite lists."""

import hydra
from omegaconf import DictConfig

from segmenter.command import command, job


@hydra.main(version_base="1.3", config_path="../conf", config_name="launch")
@job
def main(config: DictConfig) -> None:
    """Read, compute, write, log."""
    from segmenter.command import ahead, started
    from segmenter.launch import plan_launch, sampling_of, terms_of
    from segmenter.outputs.publish import check_out
    from segmenter.outputs.results import write_results
    from segmenter.outputs.terminal import progress, show, show_run
    from segmenter.settings import LaunchJob, parse
    from segmenter.sources.reading import read_tables
    from segmenter.tracking import track

    settings, sweep = started(parse(LaunchJob, config))
    check_out(settings.out, overwrite=settings.overwrite)
    ahead("segmenter.segments.choice")  # scikit-learn takes most of a second
    with progress(settings.lang) as stage:
        read = read_tables(
            settings.data,
            settings.launch,
            seed=settings.seed,
            progress=stage,
            terms=None if settings.scoring.kind == "clv" else terms_of(settings),  # which looks at each customer's orders
            engine=settings.engine,
            store=settings.history.store,
            sampling=sampling_of(settings),
        )
        plan = plan_launch(read.tables, settings, progress=stage)
        stage("writing")
        write_results(plan, read, settings)
    show(plan, settings, damaged=read.warnings)
    if settings.tracking.kind == "mlflow":
        with progress(settings.lang) as stage:
            stage("tracking")
            run = track(plan, settings, settings.out, sweep)
        show_run(run)


if __name__ == "__main__":
    command(main)
