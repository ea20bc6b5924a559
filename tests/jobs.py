"""Jobs for tests: their settings as the command composes them, and the command itself, in this process or in one of its own."""

import contextlib
import io
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from segmenter.__main__ import main
from segmenter.home import HOME
from segmenter.settings import (
    BacktestJob,
    CheckJob,
    CommitJob,
    CompareJob,
    DemoJob,
    ExplainJob,
    InitJob,
    LaunchJob,
    LedgerJob,
    ReviewJob,
    SimulateJob,
    TodayJob,
    TuneJob,
    parse,
)

MODELS = {
    "launch": LaunchJob,
    "backtest": BacktestJob,
    "tune": TuneJob,
    "review": ReviewJob,
    "today": TodayJob,
    "simulate": SimulateJob,
    "explain": ExplainJob,
    "compare": CompareJob,
    "demo": DemoJob,
    "check": CheckJob,
    "commit": CommitJob,
    "cancel": CommitJob,
    "ledger": LedgerJob,
    "init": InitJob,
}


def composed(job: str, *overrides: str) -> DictConfig:
    with initialize_config_dir(str(HOME / "conf"), version_base="1.3"):
        return compose(job, overrides=list(overrides))


@cache  # they are frozen, and Hydra takes a third of a second
def settings_of(job: str, *overrides: str) -> Any:
    return parse(MODELS[job], composed(job, *overrides))


def exit_code(*arguments: str) -> Any:
    """Run the command in this process, and give the code that it ends with."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["segmenter", *arguments])
        try:
            main()
        except SystemExit as leaving:
            return leaving.code
    return 0


def run_here(*arguments: str, cwd: Path, code: int = 0) -> "subprocess.CompletedProcess[str]":
    """Run the command in this process, as a start of its own costs seconds; it has to end with the code."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        patch.chdir(cwd)
        found = exit_code(*arguments)
    assert found == code, err.getvalue()
    return subprocess.CompletedProcess(arguments, found, out.getvalue(), err.getvalue())


def run_command(*arguments: str, cwd: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run the command in a process of its own, which has to end well."""
    return run_python("-m", "segmenter", *arguments, cwd=cwd, **environment)


def run_python(*arguments: str, cwd: Path | None = None, **environment: str) -> "subprocess.CompletedProcess[str]":
    words = [sys.executable, *arguments]
    done = subprocess.run(words, cwd=cwd, env=os.environ | environment, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    return done
