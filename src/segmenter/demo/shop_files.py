"""The simulated shop as files, and the commands that use them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path

import polars as pl

from segmenter.demo.past_launch import DemoLaunched
from segmenter.demo.shop import Shop
from segmenter.report.launch_terminal import Terminal
from segmenter.report.output_folder import check_owner
from segmenter.report.publication import publish
from segmenter.report.shell_commands import override
from segmenter.report.table_files import write_manifest
from segmenter.settings import DemoJob
from segmenter.words import Lang, say

ANSWERS = "answers"


def frames_of(shop: Shop) -> dict[str, pl.DataFrame]:
    """Name the tables that a shop has.

    Parameters
    ----------
    shop : Shop
        The simulated shop.

    Returns
    -------
    dict of str to DataFrame
        ``orders``, ``customers``, ``events``, ``referrals``.

    Examples
    --------
    >>> from segmenter.demo.shop import simulate
    >>> list(frames_of(simulate(customers=10, days=20, as_of=date(2026, 7, 1), seed=1)))
    ['orders', 'customers', 'events', 'referrals']
    """
    return {name: getattr(shop, name) for name in ("orders", "customers", "events", "referrals")}


def write_shop(
    frames: Mapping[str, pl.DataFrame], settings: DemoJob, as_of: date, answers: Callable[[Path], object] = lambda folder: None
) -> None:
    """Write each frame as NAME.csv, and by `answers` a folder of answers, into the shop's folder, whole or not at all."""
    with publish(settings.out, lambda: check_owner(settings)) as folder:
        for name, frame in frames.items():
            frame.write_csv(folder / f"{name}.csv", include_bom=True, float_precision=2)  # the mark lets Excel read the Chinese
        answers(folder / ANSWERS)
        write_manifest({"as_of": str(as_of)}, None, settings, folder)


def show_files(frames: Mapping[str, pl.DataFrame], what: str, commands: Sequence[str], lang: Lang) -> None:
    """Say what was written, and what to do with it.

    Parameters
    ----------
    frames : mapping of str to DataFrame
        The tables.
    what : str
        What the commands are for.
    commands : sequence of str
        One line each, to be copied.
    lang : {"en", "zh"}
        Of the words.
    """
    from rich.table import Table

    table, console = Table(say(lang, "file", "文件")), Terminal()
    table.add_column(say(lang, "rows", "行数"), justify="right")
    for name, frame in frames.items():
        table.add_row(f"{name}.csv", f"{frame.height:,}")
    console.print(table)
    console.print(what, soft_wrap=True, highlight=False)
    for line in commands:
        console.print(line, soft_wrap=True, highlight=False)


def launch_command(settings: DemoJob, as_of: date, names: list[str]) -> str:
    """Give the command that reads the files as the demo reads its shop.

    Parameters
    ----------
    settings : DemoJob
        The job.
    as_of : date
        Of the shop.
    names : list of str
        The tables.

    Returns
    -------
    str
        For a shell.
    """
    customers = settings.data.customers
    paths = [override(f"data.{name}.path", (settings.out / f"{name}.csv").as_posix()) for name in names]
    lists = [override(f"data.customers.{key}", getattr(customers, key)) for key in ("contact", "attributes")]
    launch = {**settings.launch.model_dump(), "as_of": as_of}
    return " ".join(["segmenter launch data=files", *paths, *lists, *(override(f"launch.{key}", str(launch[key])) for key in launch)])


def next_commands(out: Path, launched: DemoLaunched, end: date) -> list[str]:
    """Give the commands that review a launch and plan the next.

    Parameters
    ----------
    out : Path
        Where the shop's files are.
    launched : DemoLaunched
        The launch.
    end : date
        Up to when the shop has lived.

    Returns
    -------
    list of str
        For a shell.

    Examples
    --------
    >>> from segmenter.settings import ShopSettings
    >>> shop = ShopSettings(customers=500, days=200)
    >>> launched = DemoLaunched("spring", shop, date(2026, 7, 1), 30, 7, "en", pl.DataFrame(), ())
    >>> for line in next_commands(Path("after"), launched, date(2026, 7, 31)):
    ...     print(line)
    segmenter review data=demo_after data.dir=after launch.name=spring review.as_of=2026-07-31 'review.answers=[after/answers]'
    segmenter launch data=demo_after data.dir=after launch.name=next launch.as_of=2026-07-31
    """
    files, folder = f"data=demo_after {override('data.dir', out.as_posix())}", (out / ANSWERS).as_posix()
    lang = "" if launched.lang == "en" else f" lang={launched.lang}"
    answers = override("review.answers", [folder])
    return [
        f"segmenter review {files} {override('launch.name', launched.name)} review.as_of={end} {answers}{lang}",
        f"segmenter launch {files} launch.name=next launch.as_of={end}{lang}",
    ]
