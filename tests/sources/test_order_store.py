"""What was read before is not read again, and nothing else differs: with the store as without."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jobs import exit_code
from marks import slow_but
from pages import hash_of
from polars.testing import assert_frame_equal
from shop_files import data_of

import segmenter
from segmenter.errors import OutputError
from segmenter.loader import read_tables
from segmenter.measures import shop_orders
from segmenter.settings import FilesSettings, parse
from segmenter.sources import order_store, run_recorder, stream_aggregation
from segmenter.tables import Terms

CONF = Path(__file__).parents[2] / "conf" / "data"
AS_OF = date(2026, 7, 1)
TERMS = Terms(AS_OF, 90.0, None)


@pytest.fixture(autouse=True)
def _stream(monkeypatch):
    monkeypatch.setattr(shop_orders, "KERNEL_ROWS", 0)


def orders(seed, rows=40, first=date(2026, 1, 1), days=150, ids="text"):
    random = np.random.default_rng(seed)
    who = pl.Series(random.integers(0, 15, rows))
    names = pl.Series(["N/A", " a ", "さとう", "a customer with a long name", *(f"C{number}" for number in range(11))])
    places = pl.Series(["四川省", None, "さいたま市", "a province with a long name", " 北京"])
    return pl.DataFrame(
        {
            "customer_id": names.gather(who) if ids == "text" else who,
            "time": datetime.combine(first, datetime.min.time())
            + pl.Series(random.integers(0, days * 86_400, rows)) * timedelta(seconds=1),
            "amount": random.normal(100, 80, rows).round(2),
            "province": places.gather(random.integers(0, 5, rows)),
            "kind": pl.Series(["sale", "gift"]).gather(random.integers(0, 2, rows)),
        }
    )


class Shop:
    """A folder of orders and a store; every launch is compared with one without the store."""

    def __init__(self, folder: Path, ids: str = "text") -> None:
        self.folder, self.kept, self.ids = folder / "orders", folder / "store", ids
        self.folder.mkdir(exist_ok=True)
        self.seed = 0
        self.customers: Path | None = None

    def write(self, name: str, **ways: object) -> Path:
        self.seed += 1
        orders(self.seed, ids=self.ids, **ways).write_parquet(self.folder / name, row_group_size=17)
        return self.folder / name

    def data(self, **changes: object) -> FilesSettings:
        people = None if self.customers is None else str(self.customers)
        changed = {"orders.path": str(self.folder), "customers.path": people, "max_reject_share": 1.0, **changes}
        return parse(FilesSettings, data_of(changed))

    def launch(self, terms: Terms = TERMS, **changes: object) -> tuple[list[str], tuple[str, ...]]:
        """Give the files that were decoded and the warnings."""
        data, launch = self.data(**changes), segmenter.launch_settings({"launch.as_of": str(terms.as_of)}).launch
        decoded: list[str] = []
        batches = stream_aggregation.batches
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                stream_aggregation, "batches", lambda stream, at: decoded.extend(stream.names[one] for one in at) or batches(stream, at)
            )
            found = read_tables(data, launch, seed=1, terms=terms, store=str(self.kept))
        there = read_tables(data, launch, seed=1, terms=terms)
        assert_frame_equal(found.tables.orders.summary(terms).frame, there.tables.orders.summary(terms).frame)
        assert found.tables.reads == there.tables.reads
        columns = there.tables.rejects.columns
        assert_frame_equal(found.tables.rejects.sort(columns), there.tables.rejects.sort(columns))
        assert found.fingerprints == there.fingerprints
        return decoded, found.warnings


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """Give the place of a shop of two files, whose orders are in its store, and a copy of all that."""
    place, copy = tmp_path_factory.mktemp("shop"), tmp_path_factory.mktemp("copy") / "of"
    shop = Shop(place)
    for name in ("a.parquet", "b.parquet"):
        shop.write(name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shop_orders, "KERNEL_ROWS", 0)
        assert shop.launch() == (["a.parquet", "b.parquet"], ())
    shutil.copytree(place, copy)
    return place, copy


@pytest.fixture
def shop(places):
    place, copy = places
    shutil.rmtree(place)
    shutil.copytree(copy, place)
    shop = Shop(place)
    shop.seed = 2
    return shop


def test_only_what_is_new_or_changed_is_read(shop):
    assert shop.launch() == ([], ())
    new = shop.write("c.parquet")
    assert shop.launch() == (["c.parquet"], ())
    other = shop.folder / "b.parquet"
    before = other.stat()
    content = bytearray(new.read_bytes())
    other.write_bytes(content)  # as long as it was, and from the same moment
    new.unlink()
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert shop.launch() == (["b.parquet"], ())
    os.utime(other)  # touched
    assert shop.launch() == ([], ())
    other.rename(shop.folder / "d.parquet")
    assert shop.launch() == (["d.parquet"], ())
    assert shop.launch() == ([], ())
    (index,) = shop.kept.glob("*.json")
    assert len(json.loads(index.read_bytes())["kept"]["entries"]) == 2  # of the files that are gone nothing is kept


@pytest.mark.slow
def test_another_mapping_or_currency_is_another_reading(shop):
    assert shop.launch(**{"orders.where": "kind = 'sale'"})[0] == ["a.parquet", "b.parquet"]
    assert shop.launch(**{"orders.where": "kind = 'sale'"})[0] == []
    assert shop.launch(**{"orders.refund": "kind = 'gift'"})[0] == ["a.parquet", "b.parquet"]
    assert shop.launch(**{"orders.columns.city": "province"})[0] == ["a.parquet", "b.parquet"]
    assert shop.launch(**{"max_reject_share": 0.9, "orders.columns.city": "province"})[0] == []


@pytest.mark.slow
def test_terms_may_be_others_and_a_file_on_both_sides_of_the_date_is_exact(shop):
    for terms in (Terms(AS_OF, 7.0, 30), Terms(date(2026, 8, 1), 90.0, None)):
        assert shop.launch(terms) == ([], ())
    # With rejects, an earlier date needs them told apart.
    assert shop.launch(Terms(date(2026, 3, 1), 90.0, None))[0] == ["a.parquet", "b.parquet"]
    for name in ("a.parquet", "b.parquet"):
        (shop.folder / name).unlink()
    shop.write("c.parquet", first=date(2026, 6, 1), days=60)
    assert shop.launch()[0] == shop.launch()[0] == ["c.parquet"]
    assert shop.launch(Terms(date(2026, 8, 1), 90.0, None))[0] == ["c.parquet"]
    assert shop.launch(Terms(date(2026, 9, 1), 90.0, None))[0] == []


@pytest.mark.slow
def test_customers_who_are_all_known_and_others(shop, tmp_path):
    shop.customers = tmp_path / "customers.csv"
    known = ["a", "さとう", "a customer with a long name", *(f"C{number}" for number in range(11))]
    shop.customers.write_text("customer_id\n" + "\n".join(known))
    assert shop.launch()[0] == []
    shop.customers.write_text("customer_id\n" + "\n".join(known[:-1]))  # rows of one are to be rejected
    assert shop.launch()[0] == shop.launch()[0] == ["a.parquet", "b.parquet"]
    shop.customers = None
    assert shop.launch()[0] == []


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["write", "write", "late", "remove", "rename", "touch"]),
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from([AS_OF, AS_OF, date(2026, 4, 1), date(2026, 9, 1)]),
        st.sampled_from([None, "kind = 'sale'"]),
    ),
    min_size=2,
    max_size=6,
)


@pytest.mark.slow
@settings(max_examples=8)
@given(ACTIONS, st.sampled_from(["text", "whole numbers"]))
def test_any_sequence_of_launches(actions, ids):
    with tempfile.TemporaryDirectory() as folder:
        shop = Shop(Path(folder), ids)
        shop.write("z.parquet")
        for what, name, as_of, where in actions:
            path = shop.folder / f"{name}.parquet"
            match what:
                case "write":
                    shop.write(path.name)
                case "late":
                    shop.write(path.name, first=date(2026, 6, 20), days=30)
                case "remove":
                    path.unlink(missing_ok=True)
                case "rename" if path.exists():
                    path.rename(shop.folder / "a.parquet")
                case "touch" if path.exists():
                    path.touch()
            assert shop.launch(Terms(as_of, 90.0, None), **{"orders.where": where})[1] == ()


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def lying(path: Path) -> None:
    """An entry that says other numbers; a part that holds other orders."""
    if path.suffix == ".json":
        index = json.loads(path.read_bytes())
        next(iter(index["kept"]["entries"].values()))["reads"]["kept"] += 1
        path.write_text(json.dumps(index))
    elif path.suffix == ".npy":
        np.save(path, np.load(path)[::-1])
    else:
        pl.read_ipc(path.read_bytes()).head(0).write_ipc(path)


DAMAGES: list[Callable[[Path], object]] = [
    flipped,
    lying,
    lambda path: path.write_bytes(path.read_bytes()[:-30]),
    lambda path: path.write_bytes(b""),
    lambda path: path.write_bytes(b'[{"version": 1}]'),
    lambda path: path.write_bytes(b"\xff\xfe garbage"),
    Path.unlink,
]


@pytest.mark.parametrize(
    "kind", slow_but(["*.json", "*.arrow", "*.run/ids.arrow", "*.run/time.npy", "*.run/paid.npy"], "*.json", "*.run/paid.npy")
)
@pytest.mark.parametrize("damage", slow_but(range(len(DAMAGES)), 0))
def test_what_is_damaged_is_read_again_with_a_warning(shop, kind, damage):
    for path in shop.kept.glob(kind):
        DAMAGES[damage](path)
    decoded, warnings = shop.launch()
    assert decoded == ["a.parquet", "b.parquet"]
    if kind == "*.json":
        # Without an index nothing is known to be lacking.
        assert len(warnings) == (DAMAGES[damage] is not Path.unlink)
    else:
        assert sorted(warning.rsplit("; ", 1)[1][:9] for warning in warnings) == ["a.parquet", "b.parquet"]
        assert all("is damaged" in warning for warning in warnings)
    assert all(warning.startswith("history.store: ") for warning in warnings)
    assert shop.launch() == ([], ())


@pytest.mark.slow
def test_what_another_version_kept_is_read_anew_and_it_says_so(shop, monkeypatch):
    monkeypatch.setattr(order_store, "_VERSION", "another")
    decoded, warnings = shop.launch()
    assert decoded == ["a.parquet", "b.parquet"]
    assert len(warnings) == 1
    assert "another version" in warnings[0]
    assert shop.launch() == ([], ())


@pytest.mark.slow
def test_the_store_of_an_earlier_version_is_emptied_in_time(shop):
    for path in shop.kept.glob("*.json"):
        path.unlink()
    old = [shop.kept / f"{'1f' * 12}.json", shop.kept / f"{'ab' * 32}.arrow"]
    old[0].write_text(json.dumps({"version": "4 0.1 2.1", "mapping": "", "identity": {}, "kept": {}}))
    old[1].touch()
    os.utime(old[1], (0, 0))
    decoded, warnings = shop.launch()
    assert decoded == ["a.parquet", "b.parquet"]
    assert len(warnings) == 1
    assert not any(path.exists() for path in old)
    assert shop.launch() == ([], ())


def runs_in(shop):
    (index,) = shop.kept.glob("*.json")
    return json.loads(index.read_bytes())["kept"]["runs"]


@pytest.mark.slow
def test_runs_are_merged_as_they_become_many_and_lose_what_is_gone(shop):
    most = 0
    for at in range(9):
        shop.write(f"n{at}.parquet")
        assert shop.launch() == ([f"n{at}.parquet"], ())
        most = max(most, len(runs_in(shop)))
    assert most <= 4
    rows = sum(sum(run["rows"]) for run in runs_in(shop))
    for at in range(8):
        (shop.folder / f"n{at}.parquet").unlink()
    assert shop.launch() == ([], ())
    assert sum(sum(run["rows"]) for run in runs_in(shop)) < rows / 2
    assert shop.launch() == ([], ())


@pytest.mark.slow
def test_some_of_the_files_are_a_shop_too(shop):
    for name in ("a.parquet", "*.parquet"):
        assert shop.launch(**{"orders.path": f"{shop.folder}/{name}"}) == ([], ())


@pytest.mark.slow
def test_what_is_in_use_stays_and_what_is_not_goes(shop, monkeypatch):
    in_use = {path.name for path in shop.kept.iterdir()}
    (shop.kept / "left-over.run").mkdir()
    for name in ("left-over.arrow", "killed.new"):
        (shop.kept / name).touch()
    (shop.kept / "left-over.run" / "time.npy").touch()
    shop.launch()
    others = {"left-over.arrow", "left-over.run", "killed.new"}
    assert {path.name for path in shop.kept.iterdir()} == in_use | others  # another launch may be writing them
    for name in others:
        os.utime(shop.kept / name, (0, 0))
    shop.launch()
    assert {path.name for path in shop.kept.iterdir()} == in_use


@pytest.mark.slow
def test_a_file_that_changes_while_it_is_read_is_not_kept(shop, monkeypatch):
    path = shop.write("c.parquet")
    read = stream_aggregation._read_files

    def changing(stream, files, *rest):
        found = read(stream, files, *rest)
        if stream.names[files[0]] == path.name:
            path.touch()
        return found

    monkeypatch.setattr(stream_aggregation, "_read_files", changing)
    launch = segmenter.launch_settings({"launch.as_of": str(AS_OF)}).launch
    read_tables(shop.data(), launch, seed=1, terms=TERMS, store=str(shop.kept))
    monkeypatch.undo()
    monkeypatch.setattr(shop_orders, "KERNEL_ROWS", 0)
    assert shop.launch()[0] == ["c.parquet"]


@pytest.mark.parametrize("call", ["mkdir", "mkstemp", "mkdtemp"])
def test_a_store_that_cannot_be_written_ends_with_its_name(shop, monkeypatch, call):
    def refused(*args, **ways):
        raise PermissionError(13, "Permission denied")

    shop.write("c.parquet")
    monkeypatch.setattr(*((Path, "mkdir") if call == "mkdir" else (order_store.tempfile, call)), refused)
    with pytest.raises(OutputError, match=r'history\.store: cannot be written \(Permission denied\) \(got ".*store"\)'):
        shop.launch()


@pytest.mark.slow
def test_a_store_where_a_file_stands_ends_the_job(shop, monkeypatch, capfd):
    (shop.folder.parent / "taken").touch()
    where = [f"data.orders.path={shop.folder}", f"history.store={shop.folder.parent}/taken", f"out={shop.folder.parent}/results"]
    assert exit_code("launch", "data=files", "launch.as_of=2026-07-01", "tracking=none", *where) == 2
    said = capfd.readouterr().err
    assert "history.store: cannot be written" in said
    assert "Traceback" not in said


SCRIPT = """
import os, signal, sys
from datetime import date
import segmenter
from omegaconf import OmegaConf
from segmenter.tables import Terms
from segmenter.settings import FilesSettings, parse
from segmenter.measures import shop_orders
from segmenter.sources import order_store, run_recorder
from segmenter.loader import read_tables

conf, folder, kept, when, most = sys.argv[1:]
shop_orders.KERNEL_ROWS = 0
run_recorder.MAX_ROWS = int(most)
config = OmegaConf.merge(OmegaConf.load(f"{conf}/_tables.yaml"), OmegaConf.load(f"{conf}/files.yaml"), {"orders": {"path": folder}})
del config["defaults"]
config.max_reject_share = 1.0
calls = []
replace = order_store.Path.replace

def killed(path, target):
    calls.append(target)
    if when != "never" and len(calls) == int(when):
        os.kill(os.getpid(), signal.SIGKILL)
    return replace(path, target)

order_store.Path.replace = killed
launch = segmenter.launch_settings({"launch.as_of": "2026-07-01"}).launch
for _ in range(1 if when != "never" else 3):
    read = read_tables(parse(FilesSettings, config), launch, seed=1, terms=Terms(date(2026, 7, 1), 90.0, None), store=kept)
    print(int(read.tables.orders.aggregate.frame.hash_rows(1).sum()), read.warnings)
"""


def started(shop, when="never", most=10**9):
    command = [sys.executable, "-c", SCRIPT, str(CONF), str(shop.folder), str(shop.kept), when, str(most)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_two_launches_at_once_and_a_killed_one_leave_a_good_store(tmp_path):
    shop = Shop(tmp_path)
    for name in "abcd":
        shop.write(f"{name}.parquet", rows=3_000)
    killed = started(shop, "5")  # as it puts its index in place, after the rejects of each file
    said, told = killed.communicate()
    assert (killed.returncode, said) == (-signal.SIGKILL, ""), told
    assert list(shop.kept.glob("*.new"))
    both = [started(shop) for _ in range(2)]
    said = set()
    for run in both:
        out, told = run.communicate()
        assert run.returncode == 0, told
        said |= set(out.splitlines())
    assert len(said) == 1
    assert said.pop().endswith(" ()")
    assert shop.launch() == ([], ())


@pytest.mark.slow
def test_what_a_killed_launch_had_finished_is_not_read_again(tmp_path):
    shop = Shop(tmp_path)
    for name in "abcd":
        shop.write(f"{name}.parquet", rows=3_000)
    killed = started(shop, "5", most=5_000)  # two files are a run: rejects of both, the index, rejects of both, killed
    said, told = killed.communicate()
    assert (killed.returncode, said) == (-signal.SIGKILL, ""), told
    assert shop.launch() == (["c.parquet", "d.parquet"], ())
    assert shop.launch() == ([], ())


@pytest.mark.slow
def test_runs_as_large_as_can_be_held_stay_as_they_are(tmp_path, monkeypatch):
    monkeypatch.setattr(run_recorder, "MAX_ROWS", 70)
    shop = Shop(tmp_path)
    for name in "abcde":
        shop.write(f"{name}.parquet")
    assert shop.launch() == ([f"{name}.parquet" for name in "abcde"], ())
    assert len(runs_in(shop)) == 3
    assert shop.launch() == ([], ())
    for name in "ab":
        shop.write(f"{name}.parquet")
    assert shop.launch() == (["a.parquet", "b.parquet"], ())
    assert shop.launch() == ([], ())


@pytest.mark.slow
@pytest.mark.parametrize("job", ["backtest", "tune"])
def test_all_files_of_past_dates_are_the_same_bytes_with_the_store_and_without(tmp_path, monkeypatch, job):
    shop = Shop(tmp_path)
    for name in ("a.parquet", "b.parquet"):
        shop.write(name, rows=1500, days=178)
    monkeypatch.setattr(run_recorder, "MAX_ROWS", 1_000)  # two runs
    monkeypatch.setattr(shop_orders, "KERNEL_ROWS", 0)
    came = {}
    for out, *more in (("without", "history.store=off"), ("filled", kept := f"history.store={shop.kept}"), ("kept", kept)):
        where = [f"data.orders.path={shop.folder}", f"out={tmp_path}/{out}", "data.max_reject_share=0.5", "backtest.customers=null"]
        few = ["backtest.rankings=[spend,decayed,clv,learned]", "backtest.max_cuts=3", *(["tune.trials=3"] if job == "tune" else [])]
        assert exit_code(job, "data=files", "launch.as_of=2026-07-01", "tracking=none", *where, *few, *more) == 0
        files = {path.relative_to(tmp_path / out): hash_of(path) for path in (tmp_path / out).rglob("*") if path.is_file()}
        came[out] = {path: value for path, value in files.items() if path.name not in ("manifest.json", "report.html")}
    assert len(came["without"]) > 1
    assert came["without"] == came["filled"] == came["kept"]


@pytest.mark.slow
def test_all_files_of_a_launch_are_the_same_bytes_with_the_store_and_without(tmp_path, monkeypatch):
    shop = Shop(tmp_path)
    for name in ("a.parquet", "b.parquet", "c.parquet"):
        shop.write(name, rows=400, days=170)
    (shop.folder / "c.parquet").rename(tmp_path / "c.parquet")
    came = {}

    def run(out, fewest, *more):
        monkeypatch.setattr(shop_orders, "KERNEL_ROWS", fewest)
        where = [f"data.orders.path={shop.folder}", f"out={tmp_path}/{out}", "data.max_reject_share=0.5", "rules.spend.min=1", *more]
        assert exit_code("launch", "data=files", "launch.as_of=2026-07-01", "tracking=none", *where) == 0
        files = {path.relative_to(tmp_path / out): hash_of(path) for path in (tmp_path / out).rglob("*") if path.is_file()}
        del files[Path("manifest.json")]
        manifest = json.loads((tmp_path / out / "manifest.json").read_text(encoding="utf-8"))
        # What names the folder and the words of the command.
        del manifest["config"], manifest["draft"], manifest["typed"], manifest["files"]["report.html"]
        came[out] = files, manifest

    kept = f"history.store={shop.kept}"
    run("first", 0, kept)  # of two files
    (tmp_path / "c.parquet").rename(shop.folder / "c.parquet")
    run("at once", 10**9)
    run("streamed", 0)
    run("one file more", 0, kept)
    run("all kept", 0, kept)
    assert came.pop("first") != came["at once"]
    assert all(files == came["at once"] for files in came.values())
