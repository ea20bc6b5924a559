"""What every job's script shares: overrides in any script, errors as messages in the launch's language, exit codes."""

import glob
import os
import shutil
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout, suppress
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec

from segmenter import memory, run_log
from segmenter.config_files import watch_files
from segmenter.errors import ConfigError, SegmenterError
from segmenter.exits import MENDABLE, Verdict, end, finish, leave, prepare
from segmenter.hydra_errors import check_files, check_interpolations, in_our_words, while_composing
from segmenter.job import SWEEP
from segmenter.messages import Message
from segmenter.overrides import IS_OVERRIDE, check_overrides, forced, quoted
from segmenter.words import visible

if TYPE_CHECKING:
    from segmenter.words import Lang

Config = ParamSpec("Config")
SCRATCH = "SEGMENTER_SCRATCH"
_SCRATCH = "segmenter-sweep-"  # begins the name of its folder
_failed: list[SegmenterError] = []
_verdicts: list[int] = []


def job(main: Callable[Config, None]) -> Callable[Config, None]:
    """Decorate a job, below ``hydra.main``: every error becomes its message and exit code before Hydra adds words of its own."""

    @wraps(main)
    def reported(*args: Config.args, **kwargs: Config.kwargs) -> None:
        from hydra.core.hydra_config import HydraConfig
        from hydra.types import RunMode

        lang, alone = _lang(*args), not HydraConfig.initialized() or HydraConfig.get().mode != RunMode.MULTIRUN
        try:
            if not alone:
                _clear_scratch()
            run_log.begin(os.path.splitext(os.path.basename(sys.argv[0]))[0], _given(args, "log", str), _given(args, "out", str))
            check_interpolations(*args)
            check_files()
            again: Any = args
            if _given(args, "from_run", str):
                from segmenter.report.earlier_run import repeated

                again = [repeated(each) for each in again]
            _run(lambda: main(*again, **kwargs), quiet=bool(_given(args, "quiet", bool)))
        except BaseException as error:
            if alone or not isinstance(error, SegmenterError | Verdict):
                end(error, lang)
            if isinstance(error, Verdict):
                _verdicts.append(int(error.code or 0))
                return
            run_log.failed(error.messages, MENDABLE)
            # The other jobs of a sweep go on.
            from segmenter.contacts import hide
            from segmenter.report.language import error_text

            said = f"segmenter: {hide(' '.join(HydraConfig.get().overrides.task))}: {error_text(error, lang)}"
            print(visible(said), file=sys.stderr)
            _failed.append(error)

    return reported


def _run(main: Callable[[], object], *, quiet: bool) -> None:
    """Run a job to its end, and write its summary; it alone stands on standard output of one that is quiet."""
    verdict = None
    with open(os.devnull, "w", encoding="utf-8") as nowhere, redirect_stdout(nowhere if quiet else sys.stdout):
        try:
            main()
        except Verdict as ended:
            verdict = ended
    summary = run_log.done(0 if verdict is None else int(verdict.code or 0))
    if quiet:
        print(visible(summary))
    if verdict is not None:
        raise verdict


def _given(configs: Sequence[Any], key: str, kind: type) -> Any:
    """Give the value of a key, where the config has one of that kind; what else it has is said where all of it is checked."""
    with suppress(Exception):
        if isinstance(configs[0][key], kind):
            return configs[0][key]
    return None


def command(main: Callable[[], object]) -> None:
    """Run a function decorated with ``hydra.main`` as a command.

    Whatever a user can mend ends with its message on standard error and exit code 2, all else with one line and 70: never with a
    traceback. An interrupt ends with 130.
    """
    prepare()
    sweep = not {"-m", "--multirun"}.isdisjoint(sys.argv)
    try:
        _check_surroundings()
        check_overrides(sys.argv[1:])
        # Overrides last: Hydra's parser takes none after an option that follows another override.
        sys.argv[1:] = sorted(
            (forced(quoted(argument, sweep=sweep), sys.argv) for argument in sys.argv[1:]), key=lambda word: bool(IS_OVERRIDE.match(word))
        )
        watch_files()
        os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # Hydra then raises its errors instead of printing them
        os.environ[SWEEP] = uuid.uuid4().hex
        _failed.clear()
        _verdicts.clear()
        memory.watch()
        if sweep:
            with suppress(FileNotFoundError):  # no folder for temporary files: then a sweep writes here
                # Hydra makes it, before each job, for what nobody needs; the job clears it away as it begins.
                os.environ[SCRATCH] = os.path.join(tempfile.gettempdir(), _SCRATCH + os.environ[SWEEP])
        main()
        if _failed:
            leave(Message("jobs.sweep_failed", "{count} of the sweep's jobs failed", count=len(_failed)), lang=_lang())
        finish()
        if any(_verdicts):
            raise Verdict(max(_verdicts))
    except SystemExit as leaving:
        finish()
        # Hydra's 1 is our 2.
        raise SystemExit(2 if leaving.code == 1 and not isinstance(leaving, Verdict) else leaving.code) from None
    except BaseException as error:
        with suppress(ConfigError):  # the config cannot be put together: what of it was typed is known
            logs = [word.removeprefix("log=") for word in sys.argv[1:] if word.startswith("log=")]
            run_log.begin(os.path.splitext(os.path.basename(sys.argv[0]))[0], logs[-1] if logs else None)
        end(in_our_words(error) if isinstance(error, Exception) and while_composing(error) else error, _lang())


def _lang(*configs: Any) -> "Lang":
    """Say in which language the user is spoken to: the config's, or the command line's where there is no config yet."""
    for config in configs:
        with suppress(Exception):  # whatever is wrong with the config is said elsewhere
            return "zh" if config["lang"] == "zh" else "en"
    return "zh" if "lang=zh" in sys.argv else "en"


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
        raise ConfigError(Message("jobs.no_working_directory", "the working directory is gone; change to another")) from None
