import os
import signal
import sys
from collections.abc import Callable, Iterator

import pytest

from segmenter.side_process import BrokenDown, SideProcess


def double(sent: Iterator[int], answer: Callable[[object], None]) -> None:
    print("nobody reads this")
    for number in sent:
        if number < 0:
            raise ValueError
        answer((os.getpid(), 2 * number))


@pytest.fixture(autouse=True)
def found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(double, "__module__", "test_side_process")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))


def test_it_answers_in_turn_and_ends() -> None:
    with SideProcess(double) as side:
        for number in (1, 2):
            side.send(number)
        assert [side.receive() for _ in range(2)] == [(side.process.pid, 2), (side.process.pid, 4)]
    assert side.process.returncode == 0


@pytest.mark.parametrize("how", ["an error in it", "killed", "killed before"])
def test_one_that_breaks_down_is_told(how: str) -> None:
    with SideProcess(double) as side:
        if how == "killed before":
            side.process.kill()
            side.process.wait()
        with pytest.raises(BrokenDown):
            side.send(-1 if how == "an error in it" else 1)
            if how == "killed":
                side.process.send_signal(signal.SIGKILL)
                side.receive()
            side.receive()
    assert side.process.returncode != 0


def test_where_none_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(BrokenDown):
        SideProcess(double)
