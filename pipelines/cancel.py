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
    from segmenter.report.list_database import with_list_of
    from segmenter.settings import CommitJob, parse

    settings = parse(CommitJob, config)
    draft = read_draft(settings.out)
    ledger = open_draft_ledger(draft, settings.ledger.url)
    with with_list_of(draft.folder, settings.exports_database.url, ledger, cancelled=True):
        invited, held_out = cancel_launch(ledger, draft.record.name)
    say_cancelled(draft, invited, held_out, settings.lang)


if __name__ == "__main__":
    command(main)
