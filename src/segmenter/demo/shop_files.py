"""All that `segmenter demo` leaves: the simulated shop as files, and the commands that use them."""

from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from pathlib import Path

import polars as pl

from segmenter.demo.aftermath import live_on
from segmenter.demo.filled_sheets import fill_sheets
from segmenter.demo.past_launch import DemoLaunch
from segmenter.demo.shop import Shop, simulate
from segmenter.report.language import say
from segmenter.report.outputs import Output, Outputs
from segmenter.report.sections import Code, Report, Section, Table, columns, row, text
from segmenter.report.shell_commands import Changes, elsewhere, next_command, override
from segmenter.settings import DemoJob

ANSWERS = "answers"


def new_shop_outputs(settings: DemoJob, as_of: date) -> Outputs:
    """Simulate a shop up to a date, as files that a launch can read."""
    size = settings.data.shop
    what = say(settings.lang, "To launch on these files:", "用这些文件做一次社群邀请：")
    shop = simulate(size.customers, size.days, as_of, settings.seed)
    return _outputs(shop, settings, as_of, what, [_launch_command(settings, as_of)])


def later_shop_outputs(settings: DemoJob, launch: DemoLaunch) -> Outputs:
    """Let the shop of a launch live on until the launch ends, with its call sheets filled in."""
    days, seed, out = launch.horizon_days, launch.seed, settings.out
    shop = simulate(launch.shop.customers, launch.shop.days, launch.as_of, seed)
    after = live_on(shop, days, launch.invited, effect=settings.effect, seed=seed)
    sheets = partial(fill_sheets, launch.sheets, after.answers, seed=seed, lang=launch.lang)
    what = say(
        settings.lang,
        f"{days} days later. The call sheets as the agents filled them in are in {out / ANSWERS}. What they brought, and the next launch:",
        f"{days} 天之后。客服填好的外呼名单在 {out / ANSWERS}。复盘本次活动，并规划下一次：",
    )
    return _outputs(after.shop, settings, launch.ends_on, what, next_commands(out, launch), sheets)


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
    return " ".join(["segmenter launch data=files", *paths, *lists, *(override(f"launch.{key}", str(launch[key])) for key in launch)])


def next_commands(out: Path, launch: DemoLaunch) -> list[str]:
    """Give the commands that review a launch and plan the next, with the shop's files in a folder."""
    place = launch.place or Path("outputs", launch.name)
    lang: Changes = {} if launch.lang == "en" else {"lang": launch.lang}
    files = {"launch.commit": None, "data.": None, "data": "demo_after", "data.dir": out.as_posix()}
    review: Changes = {"launch.as_of": None, "launch.name": launch.name, "review.as_of": str(launch.ends_on)}
    review = {**review, "review.answers": [(out / ANSWERS).as_posix()], **elsewhere(place, launch.name, f"{place.name}_review")}
    following = {"launch.name": "next", "launch.as_of": str(launch.ends_on), **elsewhere(place, launch.name, "next")}
    return [next_command(job, launch.typed, {**files, **changes, **lang}) for job, changes in (("review", review), ("launch", following))]
