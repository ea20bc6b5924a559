"""All that `segmenter demo` leaves: the simulated shop as files, and the commands that use them."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import polars as pl

from segmenter.demo.aftermath import After, answers_before, live_on
from segmenter.demo.calls import CALLS, answer_day
from segmenter.demo.filled_sheets import called_in, fill_sheets, list_members
from segmenter.demo.members import GroupLife
from segmenter.demo.past_launch import DemoLaunch
from segmenter.demo.shop import Shop, simulate
from segmenter.errors import ConfigError, InputError
from segmenter.messages import Message
from segmenter.report.language import say
from segmenter.report.outputs import Output, Outputs
from segmenter.report.sections import Code, Report, Section, Table, columns, row, text
from segmenter.report.shell_commands import Changes, elsewhere, next_command, override
from segmenter.settings import DemoJob
from segmenter.settings.rewards import Tier

ANSWERS, CALLED = "answers", "calls.csv"


def new_shop_outputs(settings: DemoJob, as_of: date) -> Outputs:
    """Simulate a shop up to a date, as files that a launch can read."""
    if settings.day is not None or settings.sheets is not None:
        raise ConfigError(Message("demo.no_results", "results: is needed with day and sheets: the results folder of a launch on data=demo"))
    size = settings.data.shop
    what = say(settings.lang, "To launch on these files:", "用这些文件做一次社群邀请：")
    shop = simulate(size.customers, size.days, as_of, settings.seed)
    return _outputs(shop, settings, as_of, what, [_launch_command(settings, as_of)])


def later_shop_outputs(settings: DemoJob, launch: DemoLaunch) -> Outputs:
    """Let the shop of a launch live on until the launch ends, or to the end of a day, with the call sheets filled in."""
    if settings.day is not None:
        return _day_outputs(settings, launch, settings.day)
    after, out = _live_on(settings, launch, None), settings.out
    what = say(
        settings.lang,
        f"{launch.horizon_days} days later. {_say_brought(settings, after)} The call sheets as the agents filled them in, and lists of the "
        f"groups' members with who invited whom, are in {out / ANSWERS}. What they brought, and the next launch:",
        f"{launch.horizon_days} 天之后。{_say_brought(settings, after)}客服填好的外呼名单，以及注明邀请人的群成员列表，"
        f"在 {out / ANSWERS}。复盘本次活动，并规划下一次：",
    )
    return _outputs(after.shop, settings, launch.ends_on, what, next_commands(out, launch), partial(_fill, settings, launch, after))


def _say_brought(settings: DemoJob, after: After) -> str:
    into, members = after.bringing.filter(~pl.col("new")), after.members.height
    steps, came = int(into["generation"].to_numpy().max(initial=0)), after.bringing.height - into.height
    generations = "1 generation" if steps == 1 else f"{steps} generations"
    cost = f"{after.bringing['cost'].to_numpy().sum():,.2f} {settings.launch.currency}"
    return say(
        settings.lang,
        f"Of {members:,} members {into.height:,} were brought by others, over {generations}, and {came:,} new customers. Rewards: {cost}.",
        f"{members:,} 位群成员中，{into.height:,} 位由他人带来（共 {steps} 代），另带来新客户 {came:,} 位，奖励共 {cost}。",
    )


def _live_on(settings: DemoJob, launch: DemoLaunch, calls: pl.DataFrame | None) -> After:
    shop = simulate(launch.shop.customers, launch.shop.days, launch.as_of, launch.seed)
    return live_on(
        shop,
        launch.horizon_days,
        launch.invited,
        effect=settings.effect,
        seed=launch.seed,
        life=GroupLife(settings.half_life, settings.silent_groups, launch.live_events, settings.event_effect),
        attempts=settings.attempts,
        calls=calls,
        brings=settings.brings,
        tiers=Tier("demo", settings.rewards or {}),
        capacity=launch.capacity,
    )


def _fill(settings: DemoJob, launch: DemoLaunch, after: After, folder: Path) -> None:
    """Fill in the launch's sheets, with lists of the groups' members; untidy ones come three times, as they stand by then."""
    fill = partial(fill_sheets, launch.sheets, seed=launch.seed, lang=launch.lang, untidy=settings.untidy)
    if not settings.untidy:
        fill(after.answers, folder)
    for part in (1, 2, 3) if settings.untidy else ():
        day = launch.as_of + timedelta(days=launch.horizon_days * part // 3)
        fill(answers_before(day, launch.invited, after.calls, after.members), folder / f"{day - timedelta(days=1)}")
    list_members(after.members, after.shop.customers, folder, launch.lang)


def _day_outputs(settings: DemoJob, launch: DemoLaunch, day: date) -> Outputs:
    """Let those answer who stand in a day's sheets, and the shop live on to the end of it; the calls of the days before are in `out`."""
    known, out = settings.out / CALLED, settings.out
    past = pl.read_csv(known, schema=CALLS) if known.is_file() else CALLS.to_frame()
    first, last = launch.as_of - timedelta(days=1), past["called_on"].max()
    if not first <= day < launch.ends_on or (isinstance(last, date) and day < last):
        sentence = "day: should be from {first} on and before {end}, the launch's end (got {day}); days are played in their order"
        facts = {"first": last or first, "end": launch.ends_on, "day": day}
        raise ConfigError(Message("demo.day", sentence, **facts))
    sheets = sorted(Path(settings.sheets).rglob("*.xlsx")) if settings.sheets else []
    if settings.sheets and not sheets:
        sentence = "sheets: should be a folder with the call sheets of the day (got {folder}, without any); run segmenter today"
        raise InputError(Message("demo.no_sheets", sentence, folder=settings.sheets))
    tomorrow = day + timedelta(days=1)
    truth = simulate(launch.shop.customers, launch.shop.days, launch.as_of, launch.seed).truth
    past = past.filter(pl.col("called_on") < day)
    called = called_in(sheets).join(launch.invited, on="customer_id", how="semi")
    made = answer_day(called, day, truth, past, seed=launch.seed)
    calls = pl.concat([past, made])
    after = _live_on(settings, launch, calls).until(tomorrow)

    def fill(folder: Path) -> None:
        folder.mkdir()
        for place in sorted((out / ANSWERS).glob("20*")):
            if place.name < f"{day}":
                (shutil.copytree if place.is_dir() else shutil.copyfile)(place, folder / place.name)
        told, today = made.rename({"called_on": "answered_on"}), folder / f"{day}"
        copies = fill_sheets(sheets, told, today, seed=launch.seed, lang=launch.lang, untidy=settings.untidy)
        if not settings.untidy:
            for path in copies:
                path.rename(folder / f"{day} {path.name}")
            today.rmdir()
        list_members(after.members.filter(pl.col("joined_on") <= day), after.shop.customers, folder, launch.lang)

    what = say(
        settings.lang,
        f"{day} is over: {made.height:,} of {called.height:,} were called. The sheets as the agents filled them in are in {out / ANSWERS}.",
        f"{day} 结束：{called.height:,} 位中已拨打 {made.height:,} 位。客服填好的名单在 {out / ANSWERS}。",
    )
    outputs = _outputs(after.shop, settings, tomorrow, what, next_commands(out, launch, tomorrow, any_calls=not calls.is_empty()), fill)
    return replace(outputs, files=(*outputs.files, Output(CALLED, calls.write_csv)))


def _outputs(
    shop: Shop, settings: DemoJob, as_of: date, what: str, commands: Sequence[str], answers: Callable[[Path], object] | None = None
) -> Outputs:
    lang, frames = settings.lang, shop.tables()
    files = [Output(f"{name}.csv", partial(_write_table, frame)) for name, frame in frames.items()]
    rows = tuple(row(f"{name}.csv", f"{frame.height:,}") for name, frame in frames.items())
    brief = (Table(columns(say(lang, "file", "文件"), say(lang, "rows", "行数")), rows), text(Code(what)))
    report = Report("", "", settings.launch.name, "", sections=(Section(brief=(*brief, *(text(Code(line)) for line in commands))),))
    return Outputs((*files, *([Output(ANSWERS, answers)] if answers else [])), {"as_of": str(as_of)}, report)


def _write_table(frame: pl.DataFrame, path: Path) -> None:
    frame.write_csv(path, include_bom=True, float_precision=2)  # the mark lets Excel read the Chinese


def _launch_command(settings: DemoJob, as_of: date) -> str:
    """Give the command that reads the files as the demo reads its shop."""
    customers = settings.data.customers
    paths = [override(f"data.{name}.path", (settings.out / f"{name}.csv").as_posix()) for name in Shop.TABLES]
    lists = [override(f"data.customers.{key}", getattr(customers, key)) for key in ("contact", "attributes")]
    launch = {**settings.launch.model_dump(), "as_of": as_of}
    basics = [override(f"launch.{key}", str(launch[key])) for key in launch]
    return " ".join(["segmenter launch data=files", *paths, *lists, "personas=demo", *basics])


def next_commands(out: Path, launch: DemoLaunch, day: date | None = None, *, any_calls: bool = True) -> list[str]:
    """Give the commands that review a launch and plan the next, or those of a day, with the shop's files in a folder."""
    place = launch.place or Path("outputs", launch.name)
    lang: Changes = {} if launch.lang == "en" else {"lang": launch.lang}
    files: Changes = {"launch.commit": None, "data.": None, "data": "demo_after", "data.dir": out.as_posix()}
    known: Changes = {"launch.as_of": None, "launch.name": launch.name, "review.answers": [(out / ANSWERS).as_posix()] if any_calls else []}
    if day is not None and day < launch.ends_on:
        today: Changes = {**files, **known, "today.as_of": str(day), **elsewhere(place, launch.name, f"{place.name}_today"), **lang}
        sheets = place.with_name(f"{place.name}_today_{day}") / "call_sheets"
        answer: Changes = {"results": place.as_posix(), "day": str(day), "sheets": sheets.as_posix(), "out": out.as_posix(), **lang}
        return [next_command("today", launch.typed, today), next_command("demo", (), answer)]
    review = {**known, "review.as_of": str(launch.ends_on), **elsewhere(place, launch.name, f"{place.name}_review")}
    following = {"launch.name": "next", "launch.as_of": str(launch.ends_on), **elsewhere(place, launch.name, "next")}
    return [next_command(job, launch.typed, {**files, **changes, **lang}) for job, changes in (("review", review), ("launch", following))]
