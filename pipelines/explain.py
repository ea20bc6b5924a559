"""Explain what a launch decided on a customer, and what would have to be otherwise for an invitation."""

import hydra
from omegaconf import DictConfig

from segmenter.command import command, job


@hydra.main(version_base="1.3", config_path="../conf", config_name="explain")
@job
def main(config: DictConfig) -> None:
    """Read and show."""
    from segmenter.report.explanation_report import explanation_report
    from segmenter.report.terminal import show_brief
    from segmenter.settings import ExplainJob, parse
    from segmenter.sources.results_folder import explain_some, read_results

    settings = parse(ExplainJob, config)
    results = read_results(settings.results)
    for explanation in explain_some(results, settings.customer):
        show_brief(explanation_report(explanation, results, settings.lang))


if __name__ == "__main__":
    command(main)
