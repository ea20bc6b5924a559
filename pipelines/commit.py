"""Make a draft the launch: its invitations are recorded, and its results take the launch's place."""

import hydra
from omegaconf import DictConfig

from segmenter.command import command, job


@hydra.main(version_base="1.3", config_path="../conf", config_name="commit")
@job
def main(config: DictConfig) -> None:
    """Read the draft, record it, say so."""
    from segmenter.ledger import commit_draft, open_draft_ledger, read_draft
    from segmenter.report.ledger_words import say_committed
    from segmenter.report.list_database import with_list_of
    from segmenter.report.publication import put_in_place
    from segmenter.settings import CommitJob, parse

    settings = parse(CommitJob, config)
    draft = read_draft(settings.out)
    ledger = open_draft_ledger(draft, settings.ledger.url)
    with with_list_of(draft.folder, settings.exports_database.url, ledger) as listed:
        invited = commit_draft(ledger, draft, put_in_place(draft.folder, draft.place))
    say_committed(draft, invited, listed, settings.lang)


if __name__ == "__main__":
    command(main)
