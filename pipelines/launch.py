"""Plan a launch: from the shop's raw tables to the invite lists."""

import hydra
from omegaconf import DictConfig

from segmenter.command import command, job


@hydra.main(version_base="1.3", config_path="../conf", config_name="launch")
@job
def main(config: DictConfig) -> None:
    """Read, compute, write, log."""
    from dataclasses import replace

    from segmenter.command import ahead, started
    from segmenter.evaluation.as_of import sampling_of, terms_of
    from segmenter.launch import plan_launch
    from segmenter.launch_plan import LaunchPlan
    from segmenter.ledger import Basis, check_name, open_ledger, planned_on_basis
    from segmenter.report.launch_files import write_results
    from segmenter.report.launch_terminal import progress, show, show_run
    from segmenter.report.output_folder import check_out
    from segmenter.report.plan_words import in_words
    from segmenter.settings import LaunchJob, parse
    from segmenter.sources.loader import read_tables
    from segmenter.tracking import track

    settings, sweep = started(parse(LaunchJob, config))
    launch, terms = settings.launch, terms_of(settings)
    check_out(settings)
    ledger = open_ledger(settings.ledger.url, settings.out) if settings.ledger.use else None
    if ledger is not None:
        check_name(ledger, launch.name, terms.as_of)
    ahead("segmenter.segments.segment_count")  # scikit-learn takes most of a second
    with progress(settings.lang) as stage:
        read = read_tables(
            settings.data,
            launch,
            seed=settings.seed,
            progress=stage,
            terms=None if settings.needs_every_order else terms,
            engine=settings.engine,
            store=settings.history.store,
            sampling=sampling_of(settings),
            categories=settings.by_category,
        )

        def planned(basis: Basis | None) -> LaunchPlan:
            plan = plan_launch(replace(read.tables, launches=None if basis is None else basis.past), settings, progress=stage)
            plan = in_words(replace(plan, warnings=(*plan.warnings, *read.notes)), settings)
            stage("writing")
            write_results(plan, read, settings, None if sweep else ledger, basis)  # of a sweep's variants none is the launch yet
            return plan

        about = launch.name, terms.as_of, launch.community, settings.rules.invitations.days
        plan, again = planned_on_basis(ledger, *about, planned, lang=settings.lang)
    show(plan, settings, damaged=[*read.warnings, *again])
    if settings.tracking.kind == "mlflow":
        with progress(settings.lang) as stage:
            stage("tracking")
            run = track(plan, settings, settings.out, sweep)
        show_run(run)


if __name__ == "__main__":
    command(main)
