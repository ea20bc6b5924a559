"""What every job's script shares: overrides in any script, errors as messages, exit codes."""

import glob
import os
import re
import shutil
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar, cast

from segmenter import memory
from segmenter.contacts import hide
from segmenter.errors import ConfigError, SegmenterError, nearest
from segmenter.words import visible

if TYPE_CHECKING:
    from segmenter.settings import DemoJob, LaunchJob
    from segmenter.tracking import Sweep

Config = ParamSpec("Config")
Job = TypeVar("Job", bound="LaunchJob | DemoJob")
_failed: list[SegmenterError] = []
_GONE = {"engine/duckdb": "; it took as much memory as local, and four times as long: choose engine=local"}
SCRATCH, SWEEP = "SEGMENTER_SCRATCH", "SEGMENTER_SWEEP"
_SCRATCH = "segmenter-sweep-"  # begins the name of its folder

_OVERRIDE = re.compile(r"[^-][^=]*=|~")
# Hydra's grammar knows ASCII words only.
_WORD = re.compile(r"""[^\[\]{},:=()"'\s][^\[\]{},:=()"']*""")


def quoted(argument: str, *, sweep: bool = False) -> str:
    """Put the quotes into an override that Hydra's grammar wants and a person leaves out.

    Parameters
    ----------
    argument : str
        As on the command line.
    sweep : bool
        Whether a comma outside of brackets parts the values of a sweep.

    Returns
    -------
    str
        As Hydra can read it; unchanged where it already can, or where quotes do not help.

    Examples
    --------
    >>> quoted("rules.region.exclude=[四川省,重庆市]")
    'rules.region.exclude=["四川省","重庆市"]'
    >>> quoted("launch.topic=药店 VIP: 春")
    'launch.topic="药店 VIP: 春"'
    """
    key, sign, value = argument.partition("=")
    if not sign or key.startswith("--"):
        return argument
    whole = value.replace("\\", "\\\\").replace('"', '\\"')
    words = [f"{key}={_WORD.sub(_quote, value)}"] if sweep or value.startswith(("[", "{")) else []
    return next((text for text in (argument, *words, f'{key}="{whole}"') if _readable(text)), argument)


def _quote(match: re.Match[str]) -> str:
    word = match[0].rstrip()
    return match[0] if word.isascii() else f'"{word}"{match[0][len(word) :]}'


def _readable(argument: str) -> bool:
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    try:
        OverridesParser.create().parse_override(argument)
    except HydraException:
        return False
    return True


def job(main: Callable[Config, None]) -> Callable[Config, None]:
    """Turn what a user can mend into its message and exit code 2, before Hydra adds words of its own.

    Parameters
    ----------
    main : callable
        A job, to be decorated with this first and then with ``hydra.main``.

    Returns
    -------
    callable
        The same job.

    Examples
    --------
    >>> job(lambda: None)()
    """

    @wraps(main)
    def reported(*args: Config.args, **kwargs: Config.kwargs) -> None:
        from hydra.core.hydra_config import HydraConfig
        from hydra.types import RunMode

        try:
            if HydraConfig.initialized() and HydraConfig.get().mode == RunMode.MULTIRUN:
                _clear_scratch()
            main(*args, **kwargs)
        except SegmenterError as error:
            if not HydraConfig.initialized() or HydraConfig.get().mode != RunMode.MULTIRUN:
                _leave(str(error))
            # The other jobs of a sweep go on.
            print(visible(f"segmenter: {hide(' '.join(HydraConfig.get().overrides.task))}: {error}"), file=sys.stderr)
            _failed.append(error)

    return reported


def command(main: Callable[[], object]) -> None:
    """Run a job's Hydra function as a command.

    Whatever a user can mend ends with its message on standard error and exit code 2, without a traceback.

    Parameters
    ----------
    main : callable
        A function decorated with ``hydra.main``.

    Raises
    ------
    SystemExit
        With 2 where something is wrong, 130 where the user interrupts.

    Examples
    --------
    >>> command(lambda: None)
    """
    sweep = not {"-m", "--multirun"}.isdisjoint(sys.argv)
    # Overrides last: Hydra's parser takes none after an option that follows another override.
    sys.argv[1:] = sorted((quoted(argument, sweep=sweep) for argument in sys.argv[1:]), key=lambda word: bool(_OVERRIDE.match(word)))
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # Hydra then raises its errors instead of printing them
    os.environ[SWEEP] = uuid.uuid4().hex
    _failed.clear()
    memory.watch()
    try:
        os.getcwd()
    except FileNotFoundError:
        _leave("the working directory is gone; change to another")
    try:
        with suppress(FileNotFoundError):  # no folder for temporary files: then a sweep writes here
            # In a sweep Hydra makes it, before each job, for what nobody needs; the job clears it away as it begins.
            os.environ[SCRATCH] = os.path.join(tempfile.gettempdir(), _SCRATCH + os.environ[SWEEP])
        main()
        if _failed:
            _leave(f"{len(_failed)} of the sweep's jobs failed")
    except MemoryError:
        _leave(memory.shortage())
    except KeyboardInterrupt:
        _leave("stopped; the last results are untouched", 130)
    except BrokenPipeError:  # as in `segmenter launch --help | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in ("hydra", "omegaconf", "antlr4"):
            raise
        _leave(str(_of_hydra(error)))


def _clear_scratch() -> None:
    """Remove Hydra's folder, and those of sweeps that were killed in the moment between Hydra and this: none else is an hour old."""
    own = os.environ.get(SCRATCH, "")
    for folder in glob.glob(os.path.join(glob.escape(os.path.dirname(own)), f"{_SCRATCH}*")) if own else []:
        with suppress(OSError):
            if folder == own or os.stat(folder).st_mtime < time.time() - 3_600:
                shutil.rmtree(folder, ignore_errors=True)


def _leave(message: str, code: int = 2) -> None:
    print(f"segmenter: {visible(message)}", file=sys.stderr)
    raise SystemExit(code)


def _of_hydra(error: Exception) -> ConfigError:
    """Say in our words what Hydra found."""
    text = f"{error}\n{error.__cause__ or ''}"
    if (wrong := re.search(r"Could not override '([^']+)'", text)) and "struct" in text:
        return _unknown_key(wrong[1])
    if missing := re.search(r"Could not find '([^']+)'", text):
        group, _, name = missing[1].rpartition("/")
        choices = re.findall(r"^\t([^_\s]\S*)$", text, flags=re.MULTILINE)
        return ConfigError(f"{group or 'config'}: is not there: {name}{_GONE.get(missing[1]) or nearest(name, choices)}")
    if type(error).__name__ == "OverrideParseException":
        override = str(getattr(error, "override", None) or "config")
        if not override.partition("=")[0].isascii():
            return ConfigError(f"{override}: a key here is ASCII; write others in a file for --config-dir")
        return ConfigError(f"{override}: should be key=value")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("See https")]
    return ConfigError("config: " + " ".join(lines[:2]))


def _unknown_key(key: str) -> ConfigError:
    from hydra import compose, initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra
    from omegaconf import OmegaConf

    from segmenter.home import HOME

    job = os.path.splitext(os.path.basename(sys.argv[0]))[0]
    overrides = [argument for argument in sys.argv[1:] if re.match(r"(data|rules|scoring|segments|plan|tracking)=", argument)]
    GlobalHydra.instance().clear()
    folder = re.search(r"(?:^|\0)--config-dir[=\0]([^\0]+)", "\0".join(sys.argv[1:]))
    if folder:  # where a group's file of the user's own may be
        overrides.append(f"hydra.searchpath=[file://{os.path.abspath(folder[1])}]")
    with initialize_config_dir(str(HOME / "conf"), version_base="1.3"):
        names = _keys(OmegaConf.to_container(compose(job, overrides=overrides), resolve=False))
    if key in names:
        return ConfigError(f"{key}: takes a new key with a plus only, as +{key}.NAME=…")
    return ConfigError(f"{key}: is no key{nearest(key, names)}")


def _keys(config: object, prefix: str = "") -> list[str]:
    if not isinstance(config, dict):
        return []
    return [key for name, value in config.items() for key in (f"{prefix}{name}", *_keys(value, f"{prefix}{name}."))]


def ahead(*modules: str) -> None:
    """Import modules beside the job, which waits for files at first.

    Parameters
    ----------
    *modules : str
        Their full names. One that cannot be imported says so where it is needed.

    Examples
    --------
    >>> ahead("segmenter.segments.choice")
    """
    from importlib import import_module
    from threading import Thread

    def load() -> None:
        with suppress(Exception):
            for name in modules:
                import_module(name)

    Thread(target=load).start()


def started(settings: "Job") -> "tuple[Job, Sweep | None]":
    """Fill in what only the start of a job knows: today's date, and its place in a sweep.

    Parameters
    ----------
    settings : LaunchJob or DemoJob
        As parsed, or that of another job on a launch.

    Returns
    -------
    LaunchJob
        Of the same kind, with `launch.as_of`, and in a sweep (``-m``) with a results folder of its own.
    Sweep or None
        The sweep that this job is one of.

    Examples
    --------
    >>> from datetime import date
    >>> from segmenter.settings import LaunchJob, LaunchSettings
    >>> launch = LaunchSettings.model_construct(as_of=None, timezone="Asia/Shanghai")
    >>> dated, sweep = started(LaunchJob.model_construct(launch=launch))
    >>> dated.launch.as_of >= date(2026, 1, 1), sweep
    (True, None)
    """
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    from segmenter.tracking import Sweep

    if settings.launch.as_of is None:
        today = datetime.now(ZoneInfo(settings.launch.timezone)).date()
        settings = cast("Job", settings.model_copy(update={"launch": settings.launch.model_copy(update={"as_of": today})}))
    if not HydraConfig.initialized() or HydraConfig.get().mode != RunMode.MULTIRUN:
        return settings, None
    number = int(HydraConfig.get().job.num)
    numbered = settings.model_copy(update={"out": settings.out.with_name(f"{settings.out.name}-{number}")})
    return cast("Job", numbered), Sweep(os.environ[SWEEP], number)
