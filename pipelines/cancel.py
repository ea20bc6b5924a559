"""Take a launch back that nobody has answered."""

import hydra
from omegaconf import DictConfig

from segmenter.command import command, job


@hydra.main(version_base="1.3", config_path="../conf", config_name="cancel")
@job
def main(config: DictConfig) -> None:
    """Read which launch it is, take it back, say so."""
    from segmenter.ledger import cancel_launch, open_draft_ledger, read_draft
    from segmenter.report.ledger_words import say_cancelled
    from segmenter.settings import CommitJob, parse

    settings = parse(CommitJob, config)
    draft = read_draft(settings.out)
    ledger = open_draft_ledger(draft, settings.ledger.url)
    say_cancelled(draft, *cancel_launch(ledger, draft.record.name), settings.lang)


if __name__ == "__main__":
    command(main)
