"""A second process, for what this one would not do at the same time; it ends with this one, whatever becomes of that."""

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any, Self

Work = Callable[[Iterator[Any], Callable[[object], None]], None]  # takes what is sent until there is no more, and a way to answer


class BrokenDown(Exception):  # noqa: N818  # no error of the job's
    """The process is not there, or ended without an answer."""


class SideProcess:
    """A process in which `work`, a function at the top of a module, takes what is sent and answers; `BrokenDown` where it cannot be."""

    def __init__(self, work: Work) -> None:
        command = f"from {__name__} import serve; from {work.__module__} import {work.__name__} as work; serve(work)"
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        try:  # in a session of its own: who interrupts a job means the job
            self.process = subprocess.Popen([sys.executable, "-P", "-c", command], **pipes, start_new_session=True)
        except OSError as error:
            raise BrokenDown from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Let it end: it is told that nothing comes any more, and waited for."""
        try:
            self.process.__exit__(None, None, None)
        except OSError:  # what it was still to be sent
            self.process.wait()

    def send(self, facts: object) -> None:
        """Send it something."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(pickle.dumps(facts))
            self.process.stdin.flush()
        except OSError as error:
            raise BrokenDown from error

    def receive(self) -> Any:
        """Wait for its next answer."""
        assert self.process.stdout is not None
        try:
            return pickle.load(self.process.stdout)
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            raise BrokenDown from error


def serve(work: Work) -> None:
    """Do the work, in the process: what is sent comes on standard input, answers go where standard output did."""
    with os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)  # whatever is printed here

        def answer(facts: object) -> None:
            answers.write(pickle.dumps(facts))
            answers.flush()

        work(_sent(), answer)
    os._exit(0)  # to take down all that MLflow loads takes Python two seconds, in which the job waits


def _sent() -> Iterator[Any]:
    while True:
        try:
            yield pickle.load(sys.stdin.buffer)
        except EOFError:  # the job has ended
            return
