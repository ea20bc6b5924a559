"""List whom each agent calls on a day of a launch that runs, and say how it stands."""

import hydra
from omegaconf import DictConfig

from segmenter.command import command, job


@hydra.main(version_base="1.3", config_path="../conf", config_name="today")
@job
def main(config: DictConfig) -> None:
    """Read, compute, write, log."""
    from datetime import datetime, timedelta
    from zoneinfo import ZoneInfo

    from segmenter.evaluation.day_progress import follow_progress
    from segmenter.job import conclude, started
    from segmenter.ledger import open_ledger
    from segmenter.ledger.committed_results import find_agents, find_live_days, find_results
    from segmenter.ledger.day_facts import check_day, read_day
    from segmenter.ledger.review_answers import check_invited, find_launch, read_new_answers, take_answers
    from segmenter.loader import read_tables
    from segmenter.planning.day_calls import last_signs, list_day_calls
    from segmenter.planning.live_events import list_live_events
    from segmenter.report.day_outputs import day_outputs
    from segmenter.report.launch_outputs import with_newest_contacts
    from segmenter.report.output_folder import check_out
    from segmenter.report.outputs import write_outputs
    from segmenter.report.terminal import progress
    from segmenter.settings import TodayJob, parse

    settings, _ = started(parse(TodayJob, config))
    day = settings.today.as_of or datetime.now(ZoneInfo(settings.launch.timezone)).date()
    settings = settings.model_copy(update={"out": settings.out.with_name(f"{settings.out.name}_{day}")})
    check_out(settings)
    ledger = open_ledger(settings.ledger.url, settings.out)
    planned = find_launch(ledger, settings.launch.name, settings.out.parent)
    check_day(planned, day)
    launch = settings.launch.model_copy(update={"as_of": planned.as_of, "horizon_days": planned.horizon_days})
    # What was answered on the day itself is kept, and does not count yet: the list of a day stays as it was.
    reviewed = settings.review.model_copy(update={"as_of": day + timedelta(days=1)})
    today = settings.today.model_copy(update={"as_of": day})
    plan = settings.plan.model_copy(update={"agents": find_agents(ledger, planned, settings)})
    settings = settings.model_copy(update={"launch": launch, "plan": plan, "review": reviewed, "today": today})
    with progress(settings.lang) as stage:
        read = read_tables(settings.data, launch.model_copy(update={"as_of": day}), seed=settings.seed, progress=stage)
        stage("answers")
        answers = read_new_answers(ledger, planned, settings, read.tables)
        read = take_answers(ledger, planned.name, answers, check_invited(ledger, planned, read, day))
        read = with_newest_contacts(read, settings, ledger, day)
        stage("planning")
        facts, orders = read_day(ledger, planned, read, day), read.tables.orders.single()
        events = list_live_events(settings, planned.as_of)
        signs = last_signs(read.tables.events, orders, settings.review.signs_of_life, day)
        event, barred = day in find_live_days(ledger, planned, settings), facts.barred
        calls = list_day_calls(facts.invited, facts.answers, day=day, plan=plan, today=today, barred=barred, signs=signs, event=event)
        stood = follow_progress(calls, orders, planned, settings)
        stage("writing")
        outputs = day_outputs(calls, stood, planned, events, read, settings, find_results(ledger, planned.name))
        write_outputs(outputs, read, settings)
    conclude(outputs, settings, damaged=read.warnings)


if __name__ == "__main__":
    command(main)
