"""Review a launch: what came of its invitations, and what they brought."""

import hydra
from omegaconf import DictConfig

from segmenter.command import command, job


@hydra.main(version_base="1.3", config_path="../conf", config_name="review")
@job
def main(config: DictConfig) -> None:
    """Read, compute, write, log."""
    from dataclasses import replace

    from segmenter.evaluation.review import review
    from segmenter.job import conclude, started, today_of
    from segmenter.ledger import open_ledger
    from segmenter.ledger.committed_results import find_live_days
    from segmenter.ledger.queries import list_answers
    from segmenter.ledger.review_answers import check_invited, find_launch, invited_now, read_new_answers, take_answers, with_their_orders
    from segmenter.loader import read_tables
    from segmenter.report.output_folder import check_out
    from segmenter.report.outputs import write_outputs
    from segmenter.report.review_outputs import review_outputs
    from segmenter.report.terminal import progress
    from segmenter.settings import ReviewJob, parse
    from segmenter.tables import Terms

    settings, _ = started(parse(ReviewJob, config))
    check_out(settings)
    ledger = open_ledger(settings.ledger.url, settings.out)
    planned = find_launch(ledger, settings.launch.name, settings.out.parent)
    until = settings.review.as_of or today_of(settings)
    launch = settings.launch.model_copy(update={"as_of": planned.as_of, "horizon_days": planned.horizon_days})
    settings = settings.model_copy(update={"launch": launch, "review": settings.review.model_copy(update={"as_of": until})})
    with progress(settings.lang) as stage:
        upto = launch.model_copy(update={"as_of": until})
        read = read_tables(settings.data, upto, seed=settings.seed, progress=stage, terms=Terms(until, 1, None), single=True)
        stage("answers")
        answers = read_new_answers(ledger, planned, settings, read.tables)
        read = check_invited(ledger, planned, read, until)
        read = with_their_orders(ledger, planned, answers, read, until)
        read = take_answers(ledger, planned.name, answers, read)
        stage("review")
        invited = invited_now(ledger, planned, read, until)
        days = find_live_days(ledger, planned, settings)
        answered = list_answers(ledger, planned.name, before=until)
        more = {"answers": answered, "events": read.tables.events, "visits": read.tables.visits}
        more |= {"referrals": read.tables.referrals, "newcomers": answers.newcomers}
        bought_on = read.tables.profile.by_day["day"]
        found = review(planned, invited, read.tables.orders.single(), settings, **more, live_days=days, days=bought_on)
        stage("writing")
        outputs = review_outputs(replace(found, warnings=(*found.warnings, *read.warnings)), read, settings)
        write_outputs(outputs, read, settings)
    conclude(outputs, settings)


if __name__ == "__main__":
    command(main)
