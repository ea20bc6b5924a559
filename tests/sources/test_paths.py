"""Paths that mean a file, many, or none."""

import os
import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from shop_files import problems, read, saved, values

from segmenter.sources.parquet_files import parquet_files
from segmenter.sources.paths import near_files


def test_what_is_not_there_is_said_with_what_is(tmp_path: Path) -> None:
    saved(tmp_path, "orders.csv", "id\n1\n")
    assert "data.orders.path: is not there" in problems(tmp_path / "order.csv")
    assert "; nearest: orders.csv" in problems(tmp_path / "order.csv")
    assert "; there is no folder" in problems(tmp_path / "nix" / "order.csv")
    assert "matches no file" in problems(tmp_path / "*.parquet")
    (tmp_path / "empty").mkdir()
    assert "should hold files that end in .csv" in problems(tmp_path / "empty")
    assert "its folder is empty" in problems(tmp_path / "empty" / "a.csv")
    assert 'should name a file, a folder or a glob (got "")' in problems(" ")


def test_paths_may_be_relative_of_home_linked_or_look_like_globs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    saved(tmp_path, "订单 [1].csv", "id,amount\n1,2\n")
    (tmp_path / "link.csv").symlink_to("订单 [1].csv")
    for path in ("订单 [1].csv", "./订单 [1].csv", "~/订单 [1].csv", "link.csv"):
        assert values(read(path)) == [("1", "2")]
    assert read("*1?.csv")["__file"].to_list() == ["订单 [1].csv"]


@pytest.mark.parametrize(
    ("links", "path", "said"),
    [
        ({"orders.csv": "gone.csv"}, "orders.csv", r"orders\.csv is a link to gone\.csv, which is not there"),
        ({"orders.csv": "other.csv", "other.csv": "orders.csv"}, "orders.csv", r"link to other\.csv, which leads in a circle"),
        ({"orders.csv": "orders.csv"}, "orders.csv", "which leads in a circle"),
        ({"exports": "usb"}, "exports/orders.csv", "exports is a link to usb, which is not there"),
        ({"order.csv": "gone.csv"}, "orders.csv", r"nearest: ordered\.csv$"),  # no link to nothing is offered instead
    ],
)
def test_a_link_to_nothing_is_said_to_be_one(tmp_path, monkeypatch, links, path, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ordered.csv").write_text("a\n1\n")
    for name, target in links.items():
        (tmp_path / name).symlink_to(target)
    assert re.search(said, near_files(Path(path)))


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    def late(*_: object) -> None:
        raise AssertionError("it waits")  # no OSError, which is told as a message

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(20)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("name", ["a.csv", "a.parquet", "a.xlsx"])
@pytest.mark.parametrize("kind", ["pipe", "socket", "device", "nothing"])
@pytest.mark.parametrize("way", ["file", "folder", "glob"])
def test_what_is_no_file_is_refused_and_never_waited_for(
    tmp_path: Path, name: str, kind: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("b.csv").write_text("customer_id,amount\na,1\n")
    match kind:
        case "pipe":
            os.mkfifo(name)
        case "socket":
            with socket.socket(socket.AF_UNIX) as bound:
                bound.bind(name)
        case "device":
            Path(name).symlink_to("/dev/zero")
        case "nothing":
            Path(name).symlink_to("gone")
    path = {"file": name, "folder": ".", "glob": "*.*"}[way]
    assert parquet_files(path) is None
    assert name in problems(path)


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/stdin", "a\0b.csv", "x" * 5_000, "~no such user/a.csv", "loop.csv"])
def test_a_path_that_leads_to_no_file_is_refused(tmp_path: Path, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("loop.csv").symlink_to("loop.csv")
    monkeypatch.setattr("segmenter.sources.paths.near_files", lambda path: "")
    assert problems(path).startswith("data.orders.path: ")
