"""Write the demo shop's tables as files, to see what tables look like."""

import os
import re
import shlex
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import hydra
import polars as pl
from omegaconf import DictConfig
from rich.console import Console
from rich.table import Table

from segmenter.command import command, job
from segmenter.errors import OutputError
from segmenter.settings import DemoJob, parse
from segmenter.sources.demo import simulate
from segmenter.words import say


@hydra.main(version_base="1.3", config_path="../conf", config_name="demo")
@job
def main(config: DictConfig) -> None:
    """Simulate, write, and say how to use what was written."""
    settings = parse(DemoJob, config)
    if settings.out.is_dir() and any(settings.out.iterdir()) and not settings.overwrite:
        raise OutputError(
            f"out: should be a new or an empty folder (got {settings.out}, which holds files); set overwrite=true to write there"
        )
    as_of = settings.launch.as_of or datetime.now(ZoneInfo(settings.launch.timezone)).date()
    shop = simulate(settings.data.shop.customers, settings.data.shop.days, as_of, settings.seed)
    frames = {"orders": shop.orders, "customers": shop.customers, "events": shop.events, "referrals": shop.referrals}
    try:
        write(frames, settings.out)
    except OSError as error:
        raise OutputError(f"out: cannot write to {settings.out} ({error.strerror}); choose another folder") from error
    table = Table(say(settings.lang, "file", "文件"))
    table.add_column(say(settings.lang, "rows", "行数"), justify="right")
    for name, frame in frames.items():
        table.add_row(f"{name}.csv", f"{frame.height:,}")
    console = Console()
    console.print(table)
    console.print(say(settings.lang, "To launch on these files:", "用这些文件做一次社群邀请："))
    console.print(launch_command(settings, as_of, list(frames)), soft_wrap=True, markup=False, highlight=False)


def write(frames: dict[str, pl.DataFrame], out: Path) -> None:
    """Write each frame as NAME.csv: beside the folder first, so that no half file is ever in it."""
    out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as beside:
        for name, frame in frames.items():
            with open(Path(beside, f"{name}.csv"), "wb") as file:
                frame.write_csv(file, include_bom=True, float_precision=2)  # the mark lets Excel read the Chinese
                file.flush()
                os.fsync(file.fileno())
        for name in frames:
            os.replace(Path(beside, f"{name}.csv"), out / f"{name}.csv")


def launch_command(settings: DemoJob, as_of: date, names: list[str]) -> str:
    """Give the command that reads the files as the demo reads its shop."""
    customers = settings.data.customers
    paths = [override(f"data.{name}.path", (settings.out / f"{name}.csv").as_posix()) for name in names]
    lists = [f"'data.customers.{key}=[{','.join(getattr(customers, key))}]'" for key in ("contact", "attributes")]
    launch = {**settings.launch.model_dump(), "as_of": as_of}
    return " ".join(["segmenter launch data=files", *paths, *lists, *(override(f"launch.{key}", str(launch[key])) for key in launch)])


def override(key: str, value: str) -> str:
    """Give key=value as both the shell and Hydra read it."""
    if re.fullmatch(r"[A-Za-z./][\w./+-]*|\d{4}-\d\d-\d\d", value, re.ASCII):
        return f"{key}={value}"
    return shlex.quote(f'{key}="{value}"' if '"' not in value else f"{key}='{value}'")


if __name__ == "__main__":
    command(main)
