"""List whom each agent calls on a day of a launch that runs, and say how it stands."""

import hydra
from omegaconf import DictConfig

from segmenter.command import command, job


@hydra.main(version_base="1.3", config_path="../conf", config_name="today")
@job
def main(config: DictConfig) -> None:
    """Read, compute, write, log."""
    from segmenter.evaluation.day_progress import follow_progress
    from segmenter.job import conclude, started, today_of
    from segmenter.ledger import open_ledger
    from segmenter.ledger.added_people import with_added_people
    from segmenter.ledger.committed_results import find_live_days, find_results
    from segmenter.ledger.day_facts import read_day, settings_of_day
    from segmenter.ledger.review_answers import check_invited, find_launch, read_new_answers, take_answers, with_their_orders
    from segmenter.loader import read_tables
    from segmenter.planning.day_calls import last_signs, list_day_calls
    from segmenter.planning.live_events import list_live_events
    from segmenter.report.day_outputs import day_outputs
    from segmenter.report.launch_outputs import with_newest_contacts
    from segmenter.report.output_folder import check_out
    from segmenter.report.outputs import write_outputs
    from segmenter.report.terminal import progress
    from segmenter.settings import TodayJob, parse
    from segmenter.tables import Terms

    settings, _ = started(parse(TodayJob, config))
    day = settings.today.as_of or today_of(settings)
    settings = settings.model_copy(update={"out": settings.out.with_name(f"{settings.out.name}_{day}")})
    check_out(settings)
    ledger = open_ledger(settings.ledger.url, settings.out)
    planned = find_launch(ledger, settings.launch.name, settings.out.parent)
    settings = settings_of_day(ledger, planned, settings, day)
    with progress(settings.lang) as stage:
        upto, terms = settings.launch.model_copy(update={"as_of": day}), Terms(day, 1, None)
        read = read_tables(settings.data, upto, seed=settings.seed, progress=stage, terms=terms, single=True)
        stage("answers")
        answers = read_new_answers(ledger, planned, settings, read.tables)
        read = with_their_orders(ledger, planned, answers, check_invited(ledger, planned, read, day), day)
        read = take_answers(ledger, planned.name, answers, read)
        read = with_newest_contacts(read, settings, ledger, day)
        stage("planning")
        facts, read = with_added_people(read_day(ledger, planned, read, day), read, answers, planned, day)
        orders, events = read.tables.orders.single(), list_live_events(settings, planned.as_of)
        signs = last_signs(read.tables.events, orders, settings.review.signs_of_life, day)
        event, plan, today, barred = day in find_live_days(ledger, planned, settings), settings.plan, settings.today, facts.barred
        calls = list_day_calls(facts.invited, facts.answers, day=day, plan=plan, today=today, barred=barred, signs=signs, event=event)
        stood = follow_progress(calls, orders, planned, settings)
        stage("writing")
        outputs = day_outputs(calls, stood, planned, events, read, settings, find_results(ledger, planned.name))
        write_outputs(outputs, read, settings)
    conclude(outputs, settings, damaged=read.warnings)


if __name__ == "__main__":
    command(main)
