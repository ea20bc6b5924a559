"""List the launches in the ledger, and until when they keep people out of others."""

import hydra
from omegaconf import DictConfig

from segmenter.command import command, job


@hydra.main(version_base="1.3", config_path="../conf", config_name="ledger")
@job
def main(config: DictConfig) -> None:
    """Read and show."""
    from segmenter.ledger import list_states, open_ledger
    from segmenter.report.ledger_words import show_launches
    from segmenter.settings import LedgerJob, parse

    settings = parse(LedgerJob, config)
    ledger = open_ledger(settings.ledger.url, settings.out / "any")
    show_launches(list_states(ledger, settings.rules.cooloff_days), settings.lang)


if __name__ == "__main__":
    command(main)
