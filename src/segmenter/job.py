"""How every job begins and ends."""

import os
from collections.abc import Iterable
from contextlib import suppress
from datetime import date, datetime
from typing import TYPE_CHECKING, TypeVar, cast
from zoneinfo import ZoneInfo

from segmenter.home import HOME
from segmenter.messages import Message

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from segmenter.report.outputs import Outputs
    from segmenter.settings import DemoJob, FrameLaunch, LaunchJob
    from segmenter.tracking import Sweep

SWEEP = "SEGMENTER_SWEEP"
Job = TypeVar("Job", bound="LaunchJob | DemoJob")


def today_of(settings: "FrameLaunch | DemoJob") -> date:
    """Give today's date where the launch is."""
    return datetime.now(ZoneInfo(settings.launch.timezone)).date()


def started(settings: "Job") -> "tuple[Job, Sweep | None]":
    """Fill in what only the start of a job knows: today's date, and in a sweep (``-m``) a results folder of its own."""
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    if settings.launch.as_of is None:
        launch = settings.launch.model_copy(update={"as_of": today_of(settings)})
        settings = cast("Job", settings.model_copy(update={"launch": launch}))
    if not HydraConfig.initialized() or HydraConfig.get().mode != RunMode.MULTIRUN:
        return settings, None
    from segmenter.tracking import Sweep

    number = int(HydraConfig.get().job.num)
    numbered = settings.model_copy(update={"out": settings.out.with_name(f"{settings.out.name}-{number}")})
    return cast("Job", numbered), Sweep(os.environ[SWEEP], number)


def say_weights(settings: "FrameLaunch") -> tuple[Message, ...]:
    """Say where weights differ from those shipped, and do not rank: they did, before `auto` was the default."""
    from omegaconf import OmegaConf

    shipped = cast("DictConfig", OmegaConf.load(HOME / "conf" / "scoring" / "_components.yaml"))
    if settings.scoring.kind != "auto" or settings.scoring.weights.model_dump() == shipped.weights:
        return ()
    sentence = "scoring.weights: with scoring=auto they give reasons and choose key users; to rank by them use scoring=weighted"
    return (Message("jobs.weights", sentence),)


def ahead(*modules: str) -> None:
    """Import modules beside the job, which waits for files at first; one that cannot be imported says so where it is needed."""
    from importlib import import_module
    from threading import Thread

    def load() -> None:
        with suppress(Exception):
            for name in modules:
                import_module(name)

    Thread(target=load).start()


def conclude(outputs: "Outputs", settings: "LaunchJob", *, sweep: "Sweep | None" = None, damaged: Iterable[str] = ()) -> None:
    """Show a job's report when its files are written, and log its record.

    `damaged` is what was found damaged on the way while the results are right.
    """
    from segmenter.report.earlier_run import what_differs
    from segmenter.report.terminal import progress, show, show_run
    from segmenter.settings import NoTracking

    show(outputs.report, settings.out, settings.lang, damaged=(*damaged, *what_differs(settings)))
    if outputs.record is not None and not isinstance(settings.tracking, NoTracking):
        from segmenter.tracking import track_beside

        with progress(settings.lang) as stage:
            stage("tracking")
            run = track_beside(outputs.record, outputs.public, settings, sweep)
        show_run(run)
