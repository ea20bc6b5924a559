"""Whatever happens, a command ends with a message and an exit code, and never with a traceback."""

import errno
import glob
import os
import signal
import subprocess
import sys
import tempfile

import pytest

from segmenter.__main__ import main
from segmenter.command import command, job
from segmenter.errors import InputError
from segmenter.exits import Stopped, prepare


class PanicException(BaseException):
    """As Rust's, which is no Exception."""


PRIVATE = "13800138000 of wang@example.com, '王芳', \"Wang Fang\" and `Li Si` at 12345678"


@pytest.fixture(autouse=True)
def temp(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["segmenter", "launch"])
    handlers = {asked: signal.getsignal(asked) for asked in (signal.SIGTERM, signal.SIGHUP)}
    yield tmp_path
    for asked, handler in handlers.items():
        signal.signal(asked, handler)


def ended(error, capsys, wrap=lambda function: function):
    def fails():
        secret = "13900139000"  # noqa: F841  # a local variable
        raise error

    with pytest.raises(SystemExit) as leaving:
        command(wrap(fails))
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1), said
    assert said.err.startswith("segmenter: ")
    assert "Traceback" not in said.err
    return leaving.value.code, said.err


@pytest.mark.parametrize("wrap", [lambda function: function, job], ids=["bare", "job"])
@pytest.mark.parametrize(
    "error",
    [
        KeyError(PRIVATE),
        PanicException(PRIVATE),
        RecursionError(),
        ZeroDivisionError(),
        OSError("odd"),
        AssertionError(),
        UnicodeEncodeError("ascii", "春", 0, 1, "no"),
        ImportError("no module"),
        ExceptionGroup("two", [ValueError(PRIVATE)]),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_mistake_of_its_own_is_one_line_and_a_report(error, wrap, capsys, temp):
    code, said = ended(error, capsys, wrap)
    (report,) = temp.glob("segmenter-crash-*.txt")
    assert code == 70
    assert str(report) in said
    told = report.read_text(encoding="utf-8")
    assert type(error).__name__ in told
    assert "test_exits.py" in told
    for private in ("138001", "139001", "example.com", "王芳", "Wang", "Li Si", "12345678"):
        assert private not in told + said
    assert report.stat().st_mode & 0o077 == 0


def test_the_report_holds_no_password_and_no_contact_of_the_command(capsys, temp, monkeypatch):
    monkeypatch.setattr("sys.argv", ["segmenter", "launch.topic=13800138000", "data.url=postgresql://me:s3cret@host/shop"])
    ended(KeyError("customer_id"), capsys)
    (report,) = temp.glob("segmenter-crash-*.txt")
    told = report.read_text(encoding="utf-8")
    assert "s3cret" not in told
    assert "13800138000" not in told
    assert "'customer_id'" in told


def test_where_no_report_can_be_written_the_line_says_so(capsys, monkeypatch, temp):
    monkeypatch.setattr(tempfile, "mkstemp", lambda **more: (_ for _ in ()).throw(OSError(errno.ENOSPC, "No space left")))
    code, said = ended(KeyError(PRIVATE), capsys)
    assert (code, "No space left" in said) == (70, True)
    assert not glob.glob(str(temp / "segmenter-crash-*"))


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InputError("orders: is wrong"), 2),
        (OSError(errno.ENOSPC, "No space left on device", "results"), 2),
        (PermissionError(errno.EACCES, "Permission denied", "results"), 2),
        (OSError(errno.EMFILE, "Too many open files"), 2),
        (PanicException("could not open: Too many open files (os error 24)"), 2),
        (OSError("No space left on device (os error 28)"), 2),
        (MemoryError(), 2),
        (KeyboardInterrupt(), 130),
        (Stopped(15), 143),
    ],
    ids=str,
)
@pytest.mark.parametrize("wrap", [lambda function: function, job], ids=["bare", "job"])
def test_what_a_user_can_mend_is_no_crash(error, code, wrap, capsys, temp):
    assert ended(error, capsys, wrap)[0] == code
    assert not list(temp.glob("segmenter-crash-*"))


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_who_is_asked_to_end_ends(name, capsys):
    before = signal.signal(getattr(signal, name), signal.SIG_DFL)  # whoever runs the tests may have it ignored, as nohup does

    def waits():
        signal.raise_signal(getattr(signal, name))

    try:
        with pytest.raises(SystemExit) as leaving:
            command(waits)
    finally:
        signal.signal(getattr(signal, name), before)
    assert leaving.value.code == 128 + getattr(signal, name)
    assert "Traceback" not in capsys.readouterr().err


def test_text_that_no_code_page_has_can_be_said(monkeypatch, tmp_path):
    with (tmp_path / "said").open("w", encoding="ascii") as stream:
        monkeypatch.setattr("sys.stderr", stream)
        monkeypatch.setattr("sys.argv", ["segmenter", "la\udc80unch春"])
        with pytest.raises(SystemExit):
            main()
    assert "春" in (tmp_path / "said").read_text(encoding="utf-8")


def test_closed_streams_are_opened_nowhere(monkeypatch):
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(f"sys.{name}", None)
    prepare()
    print("nowhere", file=sys.stderr)
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        assert stream.name == os.devnull
        stream.close()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_device_as_standard_output(unbuffered):
    with open("/dev/full", "w") as full:
        environment = os.environ | {"PYTHONUNBUFFERED": unbuffered}
        done = subprocess.run(
            [sys.executable, "-m", "segmenter", "--version"], stdout=full, stderr=subprocess.PIPE, text=True, env=environment, check=False
        )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
