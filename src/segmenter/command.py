"""What every job's script shares: overrides in any script, errors as messages, exit codes."""

import glob
import os
import re
import shutil
import sys
import tempfile
import time
import traceback
import uuid
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar, cast

from segmenter import memory
from segmenter.config_files import loaded, place_of, watch_files
from segmenter.contacts import hide
from segmenter.errors import ConfigError, SegmenterError, nearest
from segmenter.exits import end, finish, leave, prepare
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

_MOST_OVERRIDES = 1_000
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


def _value(argument: str) -> object:
    from hydra.core.override_parser.overrides_parser import OverridesParser

    try:
        override = OverridesParser.create().parse_override(argument)
        # Of a group: the others may have any value.
        return override.value() if "." not in override.key_or_group else ""
    except Exception:
        return ""


def _readable(argument: str) -> bool:
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    try:
        OverridesParser.create().parse_override(argument)
    except (HydraException, RecursionError):
        return False
    return True


def job(main: Callable[Config, None]) -> Callable[Config, None]:
    """Turn every error into its message and exit code, before Hydra adds words of its own: see `ending`.

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
            _check_interpolations(*args)
            main(*args, **kwargs)
        except BaseException as error:
            alone = not HydraConfig.initialized() or HydraConfig.get().mode != RunMode.MULTIRUN
            if alone or not isinstance(error, SegmenterError):
                end(error)
            # The other jobs of a sweep go on.
            print(visible(f"segmenter: {hide(' '.join(HydraConfig.get().overrides.task))}: {error}"), file=sys.stderr)
            _failed.append(error)

    return reported


def command(main: Callable[[], object]) -> None:
    """Run a job's Hydra function as a command.

    Whatever a user can mend ends with its message on standard error and exit code 2, all else with one line and 70: never with a
    traceback.

    Parameters
    ----------
    main : callable
        A function decorated with ``hydra.main``.

    Raises
    ------
    SystemExit
        With 2 where something is wrong, 70 where segmenter itself is, 130 where the user interrupts.

    Examples
    --------
    >>> command(lambda: None)
    """
    prepare()
    sweep = not {"-m", "--multirun"}.isdisjoint(sys.argv)
    try:
        _check_surroundings()
        _check_overrides(sys.argv[1:])
        # Overrides last: Hydra's parser takes none after an option that follows another override.
        sys.argv[1:] = sorted((quoted(argument, sweep=sweep) for argument in sys.argv[1:]), key=lambda word: bool(_OVERRIDE.match(word)))
        watch_files()
        os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # Hydra then raises its errors instead of printing them
        os.environ[SWEEP] = uuid.uuid4().hex
        _failed.clear()
        memory.watch()
        if sweep:
            with suppress(FileNotFoundError):  # no folder for temporary files: then a sweep writes here
                # Hydra makes it, before each job, for what nobody needs; the job clears it away as it begins.
                os.environ[SCRATCH] = os.path.join(tempfile.gettempdir(), _SCRATCH + os.environ[SWEEP])
        main()
        if _failed:
            leave(f"{len(_failed)} of the sweep's jobs failed")
        finish()
    except SystemExit as leaving:
        finish()
        raise SystemExit(2 if leaving.code == 1 else leaving.code) from None  # Hydra's 1 is our 2
    except BaseException as error:
        end(_of_hydra(error) if isinstance(error, Exception) and _while_composing(error) else error)


def _clear_scratch() -> None:
    """Remove Hydra's folder, and those of sweeps that were killed in the moment between Hydra and this: none else is an hour old."""
    own = os.environ.get(SCRATCH, "")
    for folder in glob.glob(os.path.join(glob.escape(os.path.dirname(own)), f"{_SCRATCH}*")) if own else []:
        with suppress(OSError):
            if folder == own or os.stat(folder).st_mtime < time.time() - 3_600:
                shutil.rmtree(folder, ignore_errors=True)


def _check_surroundings() -> None:
    try:
        os.getcwd()
    except FileNotFoundError:
        raise ConfigError("the working directory is gone; change to another") from None


def _while_composing(error: Exception) -> bool:
    """Tell whether it is Hydra that stumbled, over what it was given; a job's own errors do not come so far."""
    modules = [str(frame.f_globals.get("__name__")) for frame, _ in traceback.walk_tb(error.__traceback__)]
    hydra = any(name.partition(".")[0] in ("hydra", "omegaconf", "antlr4") for name in modules)
    return hydra and not isinstance(error, SegmenterError | MemoryError | ImportError)


def _check_overrides(arguments: list[str]) -> None:
    """Refuse what no shell or person means, before Hydra's parser sees it."""
    if len(arguments) > _MOST_OVERRIDES:
        rule = f"at most {_MOST_OVERRIDES:,} overrides (got {len(arguments):,})"
        raise ConfigError(f"config: {rule}; write them in a file for --config-dir")
    problems = []
    for argument in arguments:
        shown = argument if len(argument) <= 80 else f"{argument[:80]} …"
        if re.search(r"[\0\ud800-\udfff]", argument):
            problems.append(f"{shown}: should be text in UTF-8, without a zero byte".replace("\0", "\\0"))
        elif "_target_" in argument:
            problems.append(f"{shown}: _target_ is no key: no code is called from here")
    if problems:
        raise ConfigError(*problems[:20])


def _check_interpolations(*configs: object) -> None:
    """Resolve all interpolations once, to say where one that cannot be stands."""
    from omegaconf import DictConfig, OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    for config in configs:
        try:
            if isinstance(config, DictConfig):
                OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
        except OmegaConfBaseException as error:
            key, parent = error.full_key or "config", error.parent_node
            node = parent._get_node(error.key) if isinstance(parent, DictConfig) and error.key in parent else None
            told = str(error.msg or error).splitlines()[0]
            raise ConfigError(f"{key}: {told}{place_of(getattr(node, '_value', lambda: None)())}") from None
        except RecursionError:
            raise ConfigError("config: an interpolation, ${…}, leads back to itself; write the value out") from None


def _of_hydra(error: Exception) -> Exception:
    """Say in our words what Hydra found."""
    if isinstance(error, RecursionError):
        files = ", ".join(loaded[-2:])
        return ConfigError(
            f"config: is nested too deep, in an override, or as files name each other in their defaults (read last: {files})"
        )
    if isinstance(error, OSError) and type(error).__module__ == "builtins":
        return error
    text = f"{error}\n{error.__cause__ or ''}"
    if (wrong := re.search(r"Could not override '([^']+)'", text)) and "struct" in text:
        return _unknown_key(wrong[1])
    if missing := re.search(r"Could not (?:find|load) '([^']+)'", text):
        group, _, name = missing[1].rpartition("/")
        choices = re.findall(r"^\t([^_\s]\S*)$", text, flags=re.MULTILINE)
        here = os.path.join(_config_dir() or "", f"{missing[1]}.yaml")
        why = f" ({here} is no file that can be read)" if os.path.lexists(here) else ""
        named = f"; {asked[1]} names it" if (asked := re.match(r"In '([^']+)'", text)) else ""
        way_out = _GONE.get(missing[1]) or nearest(name, choices)
        return ConfigError(f"{group or 'config'}: is not there: {name}{way_out}{why}{named}")
    if type(error).__name__ == "OverrideParseException":
        override = str(getattr(error, "override", None) or "config")
        if not override.partition("=")[0].isascii():
            return ConfigError(f"{override}: a key here is ASCII; write others in a file for --config-dir")
        return ConfigError(f"{override}: should be key=value")
    if "group override must be" in text:
        wrong_ones = [argument for argument in sys.argv[1:] if not isinstance(_value(argument), str | list)]
        return ConfigError(*(f"{each}: should be the name of one of a group's files" for each in wrong_ones or ["config"]))
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("See https")]
    return ConfigError("config: " + " ".join(lines[:2]))


def _unknown_key(key: str) -> ConfigError:
    from hydra import compose, initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra
    from omegaconf import OmegaConf

    from segmenter.home import HOME
    from segmenter.settings.check import unknown_key

    job = os.path.splitext(os.path.basename(sys.argv[0]))[0]
    overrides = [
        argument for argument in sys.argv[1:] if re.match(r"(data|engine|rules|scoring|segments|plan|tracking)=[\w/-]+$", argument)
    ]
    GlobalHydra.instance().clear()
    if folder := _config_dir():  # where a group's file of the user's own may be
        overrides.append(f"hydra.searchpath=[file://{os.path.abspath(folder)}]")
    with initialize_config_dir(str(HOME / "conf"), version_base="1.3"):
        config = compose(job, overrides=overrides)
    names = _keys(OmegaConf.to_container(config, resolve=False))
    section = key.rpartition(".")[0]
    if key in names and not OmegaConf.is_dict(OmegaConf.select(config, key)):
        return ConfigError(
            f"{section or key}: should be a mapping; another override or a file makes it something else, so that {key} has no place"
        )
    if key in names:
        return ConfigError(f"{key}: takes a new key with a plus only, as +{key}.NAME=…")
    return ConfigError(unknown_key(key, names))


def _config_dir() -> str | None:
    folder = re.search(r"(?:^|\0)(?:--config-dir|-cd)[=\0]([^\0]+)", "\0".join(sys.argv[1:]))
    return folder[1] if folder else None


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
    >>> ahead("segmenter.segments.segment_count")
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
