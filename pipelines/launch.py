"""Plan a launch: from the shop's raw tables to the invite lists."""

import hydra
from omegaconf import DictConfig

from segmenter.command import command, job


@hydra.main(version_base="1.3", config_path="../conf", config_name="launch")
@job
def main(config: DictConfig) -> None:
    """Read, compute, write, log."""
    from dataclasses import replace

    from segmenter.checks.ledger_ids import with_launches
    from segmenter.evaluation.as_of import terms_of
    from segmenter.findings import raise_stops
    from segmenter.job import ahead, conclude, say_weights, started
    from segmenter.launch_stages import plan_launch
    from segmenter.ledger import Basis, check_name, open_ledger, plan_on_basis
    from segmenter.ledger.committed_results import find_fitted, last_results
    from segmenter.loader import read_launch
    from segmenter.report.launch_outputs import beside_launch, launch_outputs, publish_launch, with_newest_contacts
    from segmenter.report.list_database import table_of
    from segmenter.report.output_folder import check_out
    from segmenter.report.outputs import Outputs, write_outputs
    from segmenter.report.plan_words import in_words
    from segmenter.report.terminal import progress
    from segmenter.settings import LaunchJob, parse
    from segmenter.tracking import begin

    settings, sweep = started(parse(LaunchJob, config))
    check_out(settings)
    if sweep is None:
        begin(settings)
    ledger = open_ledger(settings.ledger.url, settings.out) if settings.ledger.use else None
    settings = beside_launch(settings, ledger)
    launch, terms = settings.launch, terms_of(settings)
    if ledger is not None:
        check_name(ledger, launch.name, terms.as_of)
    find_fitted(ledger, settings, terms.as_of)  # a folder that holds no segments is said before all is read
    if settings.scoring.kind in ("auto", "learned"):
        ahead("sklearn.ensemble")  # takes a second or two
    with progress(settings.lang) as stage:
        read = read_launch(settings, terms, progress=stage)
        if ledger is not None:
            read = with_newest_contacts(read, settings, ledger, terms.as_of)

        def plan_and_write(basis: Basis | None) -> Outputs:
            now = replace(read, tables=with_launches(read.tables, None if basis is None else basis.past, terms.as_of))
            raise_stops(now.tables.findings)
            fitted, unread = find_fitted(ledger, settings, terms.as_of)
            plan = plan_launch(now.tables, settings, progress=stage, fitted=fitted)
            plan = replace(plan, warnings=(*plan.warnings, *unread, *now.doubts), notes=(*plan.notes, *say_weights(settings)))
            plan = in_words(plan, settings)
            stage("writing")
            outputs = launch_outputs(plan, now, settings, basis, last_results(ledger, settings, terms.as_of))
            final = launch.commit and not sweep  # of a sweep's variants none is the launch yet
            places = (ledger, table_of(settings)) if final else (None, None)
            write_outputs(outputs, now, settings, publish_launch(plan, settings, basis, *places))
            return outputs

        about = launch.name, terms.as_of, launch.community, settings.rules.invitations.days
        outputs, again = plan_on_basis(ledger, *about, plan_and_write)
    conclude(outputs, settings, sweep=sweep, damaged=[*read.warnings, *again])


if __name__ == "__main__":
    command(main)
