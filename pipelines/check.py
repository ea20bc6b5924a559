"""Check the input of a launch: read it, and say what was found."""

import hydra
from omegaconf import DictConfig

from segmenter.command import command, job


@hydra.main(version_base="1.3", config_path="../conf", config_name="check")
@job
def main(config: DictConfig) -> None:
    """Read, judge, write."""
    from segmenter.evaluation.as_of import terms_of
    from segmenter.exits import Verdict
    from segmenter.job import conclude, started
    from segmenter.loader import check_tables
    from segmenter.report.check_outputs import check_outputs
    from segmenter.report.output_folder import check_out
    from segmenter.report.outputs import write_outputs
    from segmenter.report.terminal import progress
    from segmenter.settings import CheckJob, parse

    settings, _ = started(parse(CheckJob, config))
    check_out(settings)
    with progress(settings.lang) as stage:
        read, found = check_tables(settings, terms_of(settings), progress=stage)
        outputs = check_outputs(found, settings)
        write_outputs(outputs, read, settings)
    conclude(outputs, settings, damaged=() if read is None else read.warnings)
    raise Verdict(found.exit_code)


if __name__ == "__main__":
    command(main)
