import errno
import json
import os
import shutil
from functools import cache
from pathlib import Path

import polars as pl
import pytest
from jobs import MODELS, exit_code, settings_of
from marks import slow_but

from segmenter.errors import ConfigError, OutputError
from segmenter.report.output_folder import check_out, check_owner
from segmenter.report.publication import MANIFEST, owner_of, publish, sha256
from segmenter.settings import parse, shareable

JOBS = ("launch", "backtest", "tune", "review", "demo")


@cache
def composed(job):
    return settings_of(
        job, "launch.name=spring", *([] if job == "demo" else ["data=files", "data.orders.path=orders.csv", "tracking=mlflow"])
    )


def settings(job, out, launch="spring", **changed):
    """Give a job's settings; a section is changed by a mapping."""
    made = composed(job)
    changed = {key: getattr(made, key).model_copy(update=value) if isinstance(value, dict) else value for key, value in changed.items()}
    changed["launch"] = made.launch.model_copy(update={"name": launch})
    return made.model_copy(update={"out": Path(out), **changed})


def results(out, job="launch", launch="spring", *, older=False):
    """Make a folder of results; before `job`, manifests told it by their config only."""
    made = settings(job, out, launch)
    with publish(out) as folder:
        (folder / "call_sheets").mkdir()
        (folder / "call_sheets" / "四川.txt").write_text("call", encoding="utf-8")
        files = {"call_sheets/四川.txt": {"bytes": 4, "sha256": sha256(folder / "call_sheets" / "四川.txt")}}
        told = {"segmenter": "0.1.0", "job": job, "launch": launch, "config": shareable(made), "files": files}
        if older:
            del told["job"]
        (folder / MANIFEST).write_text(json.dumps(told), encoding="utf-8")
    return made


def listing(folder):
    return {
        path.relative_to(folder).as_posix(): os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def photos(out):
    (out / "2026").mkdir(parents=True)
    (out / "2026" / "a.jpg").write_bytes(b"photo")


def hidden(out):
    out.mkdir()
    (out / ".diary").write_text("mine")


def empty_folders(out):
    (out / "2026").mkdir(parents=True)


def only_links(out):
    out.mkdir()
    (out / "elsewhere").symlink_to("/")
    (out / "dangling").symlink_to("nowhere")


def pipe(out):
    out.mkdir()
    os.mkfifo(out / "pipe")


def manifest_of_an_app(out):
    photos(out)
    (out / MANIFEST).write_text(json.dumps({"name": "My app", "icons": [], "files": ["a.js"]}))


def manifest_that_is_a_pipe(out):
    photos(out)
    os.mkfifo(out / MANIFEST)


def manifest_cut_short(out):
    results(out)
    (out / MANIFEST).write_bytes((out / MANIFEST).read_bytes()[:-9])


def manifest_of_brackets(out):
    results(out)
    (out / MANIFEST).write_text("[" * 100_000)


def results_without_manifest(out):
    results(out)
    (out / MANIFEST).unlink()


FOREIGN = [
    *(photos, hidden, empty_folders, only_links, pipe, manifest_of_an_app, manifest_that_is_a_pipe),
    *(manifest_cut_short, manifest_of_brackets, results_without_manifest),
]


@pytest.mark.parametrize("overwrite", slow_but([False, True], True))
@pytest.mark.parametrize("kind", slow_but(FOREIGN, photos, manifest_of_an_app), ids=lambda kind: kind.__name__)
def test_a_folder_that_is_no_results_is_never_replaced(kind, overwrite, tmp_path):
    out = tmp_path / "out"
    kind(out)
    (tmp_path / "link").symlink_to("out")
    before = listing(tmp_path)
    for job in JOBS:
        for place in (out, tmp_path / "link"):
            for look in (check_out, check_owner):
                with pytest.raises(OutputError, match=r"^out: "):
                    look(settings(job, place, overwrite=overwrite))
    assert listing(tmp_path) == before


@pytest.mark.parametrize("older", [False, True])
@pytest.mark.parametrize("job", JOBS)
def test_results_are_replaced_by_those_of_the_same_job_and_launch_only(job, older, tmp_path):
    out = tmp_path / "out"
    results(out, job, older=older and job != "demo")  # which had no manifest
    assert owner_of(out) == (job, "spring")
    for other in JOBS:
        for launch in ("spring", "autumn"):
            for overwrite in (False, True):
                if (other, launch) == (job, "spring"):
                    check_out(settings(other, out, launch, overwrite=overwrite))
                    continue
                with pytest.raises(OutputError, match=r"^out: "):
                    check_out(settings(other, out, launch, overwrite=overwrite))


def test_what_a_person_changed_or_added_is_lost_only_with_overwrite(tmp_path):
    out = tmp_path / "out"
    made = results(out)
    for name in ("~$四川.xlsx", ".DS_Store", "Thumbs.db"):  # left by systems
        (out / "call_sheets" / name).touch()
    check_out(made)
    (out / "call_sheets" / "四川.txt").write_text("answers")
    (out / ".notes").write_text("notes")
    (out / "link").symlink_to("/")
    os.mkfifo(out / "pipe")
    with pytest.raises(OutputError) as error:
        check_out(made)
    assert ".notes, call_sheets/四川.txt, link, pipe" in error.value.problems[0]
    assert "overwrite=true" in error.value.problems[1]
    check_out(made.model_copy(update={"overwrite": True}))


def test_a_folder_is_looked_at_again_before_it_is_replaced(tmp_path):
    out = tmp_path / "out"
    made = results(out)
    with pytest.raises(OutputError, match="notes"), publish(out, lambda: check_owner(made)):
        (out / "notes.txt").write_text("notes")  # while the job runs
    assert (out / "notes.txt").read_text() == "notes"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]


def orders_in(path):
    return {"data": {"orders": composed("review").data.orders.model_copy(update={"path": str(path)})}}


def answers_in(*paths):
    return {"review": {"answers": tuple(map(str, paths))}}


# What a review reads or keeps, given its results folder and another one, in which links lie.
NEEDED = {
    "a file": lambda out, other: orders_in(out / "orders.csv"),
    "a folder": lambda out, other: orders_in(out),
    "a folder in it": lambda out, other: orders_in(out / "call_sheets"),
    "a glob": lambda out, other: orders_in(out.parent / "**" / "*.txt"),
    "a glob with a dot": lambda out, other: orders_in(out.parent / "other" / ".." / "out" / "*.csv"),
    "a link to the file": lambda out, other: orders_in(other / "file"),
    "a folder with a link": lambda out, other: orders_in(other),
    "a link to the folder": lambda out, other: orders_in(other / "folder" / "orders.csv"),
    "a link in it": lambda out, other: orders_in(out / "outwards"),
    "answers": lambda out, other: answers_in(other / "elsewhere", out / "call_sheets"),
    "a database": lambda out, other: {"ledger": {"url": f"sqlite:///{out}/shop.db"}},
    "the ledger through a link": lambda out, other: {"ledger": {"url": f"sqlite:///{other}/folder/ledger.db"}},
    "a ledger that is not used": lambda out, other: {"ledger": {"url": f"sqlite:///{out}/ledger.db", "use": False}},
    "the store": lambda out, other: {"history": {"store": f"{out}/store"}},
    "MLflow's file": lambda out, other: {"tracking": {"uri": f"sqlite:///{out}/mlflow.db"}},
    "MLflow's folder": lambda out, other: {"tracking": {"uri": f"file://{out}/runs"}},
}


@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize("kind", NEEDED)
def test_results_replace_nothing_that_the_job_reads_or_keeps(kind, there, tmp_path):
    out, other = tmp_path / "out", tmp_path / "other"
    results(out, "review")
    (out / "orders.csv").write_text("customer_id\n")
    other.mkdir()
    (other / "file").symlink_to(out / "orders.csv")
    (other / "folder").symlink_to("../out")
    (out / "outwards").symlink_to(other / "file")
    if not there:  # what is made only later, such as a ledger
        if kind in ("a glob", "a folder with a link", "a link to the file"):
            return
        shutil.rmtree(out)
    with pytest.raises(OutputError, match=r"^out: "):
        check_out(settings("review", out, overwrite=True, **NEEDED[kind](out, other)))


@pytest.mark.parametrize("job", JOBS)
def test_nothing_is_written_into_results_or_into_what_is_kept(job, tmp_path):
    results(tmp_path / "spring")
    with pytest.raises(OutputError, match="results"):
        check_out(settings(job, tmp_path / "spring" / "deep" / "mine"))
    if job != "demo":
        with pytest.raises(OutputError, match=r"ledger\.url"):
            check_out(settings(job, tmp_path / "mine", ledger={"url": f"sqlite:///{tmp_path}/spring/ledger.db"}))
        with pytest.raises(OutputError, match=r"history\.store"):
            check_out(settings(job, tmp_path / "store" / "mine", history={"store": str(tmp_path / "store")}))
    check_out(settings(job, tmp_path / "mine"))


def test_neighbours_are_no_obstacle(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "orders.csv").write_text("customer_id\n")
    for path in ("orders.csv", "*.csv", ".", "out/../orders.csv"):  # the default place lies in the working directory
        check_out(settings("launch", "outputs/spring", **orders_in(path)))
    (tmp_path / "empty").mkdir()
    check_out(settings("launch", "empty"))
    check_out(settings("launch", "x" * 240))


def a_file(place):
    (place / "out").touch()


def a_pipe(place):
    os.mkfifo(place / "out")


def below_a_file(place):
    (place / "file").touch()
    return "file/deep/out"


def a_device(place):
    return os.devnull


def a_circle(place):
    (place / "out").symlink_to("other")
    (place / "other").symlink_to("out")


def below_a_circle(place):
    a_circle(place)
    return "out/deep"


def a_link_to_nothing(place):
    (place / "out").symlink_to("nowhere")


def below_a_link_to_nothing(place):
    (place / "disk").symlink_to("/not mounted")
    return "disk/out"


def too_long(place):
    return "x" * 256


def too_long_with_what_is_put_before_it(place):
    return "deep/" + "x" * 245


def too_long_in_all(place):
    return "/".join(["x" * 200] * 21)


def the_working_directory(place):
    return place


def above_the_working_directory(place):
    return place.parent


def a_mount(place):
    return "/proc"


UNWRITABLE = [
    *(a_file, a_pipe, below_a_file, a_device, a_circle, below_a_circle, a_link_to_nothing, below_a_link_to_nothing),
    *(too_long, too_long_with_what_is_put_before_it, too_long_in_all, the_working_directory, above_the_working_directory, a_mount),
]


@pytest.mark.parametrize("kind", UNWRITABLE, ids=lambda kind: kind.__name__)
def test_an_out_that_cannot_be_is_said_at_the_start(kind, tmp_path, monkeypatch):
    place = tmp_path / "deep" / "place"
    place.mkdir(parents=True)
    monkeypatch.chdir(place)
    out = kind(place) or "out"
    before = sorted(place.iterdir())
    for job in ("launch", "demo"):
        with pytest.raises(OutputError, match=r"^out: "):
            check_out(settings(job, out, overwrite=True))
    assert sorted(place.iterdir()) == before


def test_a_working_directory_that_is_gone_and_too_few_file_handles_are_said(tmp_path, monkeypatch):
    made = results(tmp_path / "out")

    def none_left(*arguments, **options):
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", none_left)
        with pytest.raises(OutputError, match=r"^out: "):
            check_out(made)
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(OutputError, match=r"^out: "):
        check_out(settings("launch", "out"))
    with pytest.raises(OutputError, match=r"^out: "), publish(Path("out")):
        pass


@pytest.mark.parametrize("job", JOBS)
def test_out_is_a_folder_of_its_own_and_may_begin_at_home(job, monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    how = ("quiet", "log", *([] if job == "demo" else ["from_run", "from_run_changed"]))  # no manifest has these
    config = {**shareable(made := composed(job)), **{name: getattr(made, name) for name in how}}
    assert parse(MODELS[job], {**config, "out": "~/spring"}).out == Path("/home/me/spring")
    for out in ("", ".", "/", "./", "~no such person/spring", None, 3):
        with pytest.raises(ConfigError, match=r"^out: "):
            parse(MODELS[job], {**config, "out": out})


@pytest.mark.parametrize(
    ("job", "out"), slow_but([*((job, "photos") for job in JOBS), ("launch", "shop")], ("launch", "photos"), ("launch", "shop"))
)
def test_the_commands_spare_photos_and_their_own_data(job, out, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    photos(tmp_path / "photos")
    (tmp_path / "shop").mkdir()
    pl.DataFrame({"customer_id": ["a", "b"], "time": ["2026-06-01"] * 2, "amount": [1, 2]}).write_csv("shop/orders.csv")
    before = listing(tmp_path)
    source = [] if job == "demo" else ["data=files", "data.orders.path=shop", "tracking=none"]
    assert exit_code(job, *source, "launch.as_of=2026-07-01", f"out={out}", "overwrite=true") == 2
    assert capfd.readouterr().err.startswith("segmenter: out: ")
    assert listing(tmp_path) == before


def test_the_folder_of_the_config_is_not_replaced(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    results(tmp_path / "out", "tune")
    (tmp_path / "out" / "conf" / "experiment").mkdir(parents=True)
    (tmp_path / "out" / "conf" / "experiment" / "mine.yaml").write_text("# @package _global_\nseed: 3\n")
    words = ["--config-dir", "out/conf", "+experiment=mine", "launch.name=spring", "out=out", "overwrite=true", "tracking=none"]
    assert exit_code("tune", *words) == 2
    assert "config" in capfd.readouterr().err
