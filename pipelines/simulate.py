"""Run a launch forward before anything is paid for it: members, sales and cost with several rewards for bringing others."""

import hydra
from omegaconf import DictConfig

from segmenter.command import command, job


@hydra.main(version_base="1.3", config_path="../conf", config_name="simulate")
@job
def main(config: DictConfig) -> None:
    """Read, compute, write, log."""
    from dataclasses import replace

    from segmenter.checks.ledger_ids import with_launches
    from segmenter.evaluation.as_of import FORECAST_SAMPLE, terms_of
    from segmenter.evaluation.fission import simulate_fission
    from segmenter.findings import raise_stops
    from segmenter.job import ahead, conclude, started
    from segmenter.launch_stages import plan_launch
    from segmenter.ledger import open_ledger
    from segmenter.ledger.basis import read_basis
    from segmenter.loader import read_launch
    from segmenter.measures.sampling import Sampling
    from segmenter.report.output_folder import check_out
    from segmenter.report.outputs import write_outputs
    from segmenter.report.simulation_outputs import simulation_outputs
    from segmenter.report.terminal import progress
    from segmenter.settings import SimulateJob, parse

    settings, sweep = started(parse(SimulateJob, config))
    check_out(settings)
    ledger = open_ledger(settings.ledger.url, settings.out) if settings.ledger.use else None
    launch, terms = settings.launch, terms_of(settings)
    ahead("segmenter.evaluation.fission_runs")
    with progress(settings.lang) as stage:
        read = read_launch(settings, terms, progress=stage, sampling=Sampling(FORECAST_SAMPLE, settings.seed))
        days = settings.rules.invitations.days
        basis = None if ledger is None else read_basis(ledger, launch.name, terms.as_of, community=launch.community, days=days)
        tables = with_launches(read.tables, None if basis is None else basis.past, terms.as_of)
        raise_stops(tables.findings)
        plan = plan_launch(tables, settings, progress=stage)
        stage("simulating")
        found = simulate_fission(plan.customers, plan.groups, tables, settings)
        outputs = simulation_outputs(replace(found, warnings=(*plan.obstacles, *found.warnings, *read.doubts)), settings)
        stage("writing")
        write_outputs(outputs, read, settings)
    conclude(outputs, settings, sweep=sweep, damaged=read.warnings)


if __name__ == "__main__":
    command(main)
