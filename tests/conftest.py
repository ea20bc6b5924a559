"""What several tests need: a throw-away PostgreSQL and the folder of real data."""

import gc
import glob
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from pathlib import Path
from typing import Any, NoReturn

import hypothesis
import pytest

# Workers that each compute on all cores wait for each other, spinning: a fit of milliseconds then takes seconds.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# No test fails for being slow. CI tries the same examples each time: it cannot turn red by chance, and finds nothing new either.
hypothesis.settings.register_profile("segmenter", deadline=None, max_examples=30, derandomize=os.environ.get("CI") == "true")
hypothesis.settings.load_profile("segmenter")
os.environ.setdefault("SCIPY_ARRAY_API", "1")  # before SciPy is imported, or scikit-learn skips one of its checks

PASSWORD = "s3cret p@ss/word"


def _lacking(reason: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason}; CI has to have it")
    pytest.skip(reason)


def _tool(name: str) -> str | None:
    newest_first = sorted(
        glob.glob(f"/usr/lib/postgresql/*/bin/{name}"), key=lambda path: int(path.split("/")[4].split(".")[0]), reverse=True
    )
    return shutil.which(name) or next(iter(newest_first), None)


def _owner() -> str | None:
    # PostgreSQL refuses to run as root.
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in known)


@pytest.hookimpl(trylast=True)  # Hypothesis has marked its laws by then
def pytest_collection_modifyitems(items):
    # They take longest by far: begun last, they would leave all other workers waiting for one.
    long = ["test_kills.py", "test_wheel.py", "test_fuzz.py"]
    items.sort(key=lambda item: long.index(item.path.name) if item.path.name in long else len(long))
    # `make test` tries a fifth of the examples of each law, `make test-all` all of them; SEGMENTER_EXAMPLES=30 looks harder, for an hour.
    share = float(os.environ.get("SEGMENTER_EXAMPLES", "0.2"))
    for law in {item.obj for item in items if item.get_closest_marker("hypothesis") and not item.get_closest_marker("slow")}:
        tried = law._hypothesis_internal_use_settings
        law._hypothesis_internal_use_settings = hypothesis.settings(tried, max_examples=max(2, round(share * tried.max_examples)))


def pytest_collection_finish():
    gc.freeze()  # modules and tests stay for all of the run: to look through them for garbage is a twentieth of its time


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """URL of an empty PostgreSQL database that asks for a password."""
    if url := os.environ.get("SEGMENTER_TEST_POSTGRES"):
        yield url
        return
    initdb, pg_ctl = _tool("initdb"), _tool("pg_ctl")
    if initdb is None or pg_ctl is None:
        _lacking("no PostgreSQL server: install one, or set SEGMENTER_TEST_POSTGRES to a URL")
    owner = _owner()
    home = Path(tempfile.mkdtemp(prefix="segmenter-postgres-"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    secret, data, log = home / "password", home / "data", home / "log"
    secret.write_text(PASSWORD, encoding="utf-8")
    if owner is not None:
        for path in (home, secret):
            shutil.chown(path, owner)

    def run(*command: str) -> None:
        done = subprocess.run(command, user=owner, cwd=home, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode:
            logged = log.read_text(encoding="utf-8") if log.exists() else ""
            raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}{logged}")

    options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories='' -c fsync=off -c shared_buffers=16MB"
    try:
        run(initdb, "-D", str(data), "-U", "shop", "-A", "scram-sha-256", "--pwfile", str(secret), "-E", "UTF8", "--locale=C", "--no-sync")
        # pg_ctl hands its own output on to the server: without a log file, run() would wait for the server to end.
        run(pg_ctl, "-D", str(data), "-l", str(log), "-o", options, "-w", "-t", "30", "start")
        try:
            yield f"postgresql://shop:s3cret%20p%40ss%2Fword@127.0.0.1:{port}/postgres"
        finally:
            run(pg_ctl, "-D", str(data), "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(home)


@pytest.fixture(scope="session")
def schema_of(postgres_url: str) -> Callable[[], AbstractContextManager[str]]:
    """Give a way to URLs whose ledger is no other test's."""
    import sqlalchemy

    url = sqlalchemy.make_url(postgres_url)
    engine = sqlalchemy.create_engine(url.set(drivername="postgresql+psycopg"), poolclass=sqlalchemy.NullPool)

    @contextmanager
    def fresh() -> Iterator[str]:
        name = f"ledger_{uuid.uuid4().hex}"
        with engine.begin() as connection:
            connection.exec_driver_sql(f"CREATE SCHEMA {name}")
        try:
            yield url.update_query_dict({"options": f"-csearch_path={name}"}).render_as_string(hide_password=False)
        finally:
            with engine.begin() as connection:
                connection.exec_driver_sql(f"DROP SCHEMA {name} CASCADE")

    return fresh


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Give Debian's Chromium, as Playwright drives it: what `make browser` installs."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _lacking("no Playwright: make browser")
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        _lacking("no Chromium: apt-get install chromium")
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=found, args=["--no-sandbox"] if os.geteuid() == 0 else [])
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder of the real data sets that ``conf/data`` names."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        _lacking(f"no folder {folder}")
    return folder


@pytest.fixture(scope="session")
def small_shop() -> Any:
    """Give the tables of the demo shop with 600 customers and 400 days, up to July 2026: with customers, events and referrals."""
    import segmenter
    from segmenter.demo.shop import simulate

    shop = simulate(600, 400, date(2026, 7, 1), 3)
    settings = segmenter.launch_settings({"launch.as_of": "2026-07-01", "data.customers.contact": ["phone"]})
    frames = {"orders": shop.orders, "customers": shop.customers, "events": shop.events, "referrals": shop.referrals}
    return segmenter.canonical_tables(frames, settings.data, settings.launch)


@pytest.fixture(scope="session")
def online_retail(data_dir: Path) -> Any:
    """Give the tables of Online Retail as ``data=online_retail`` reads them."""
    return _tables(data_dir, "2011-12-10", "data=online_retail")


@pytest.fixture(scope="session")
def cdnow(data_dir: Path) -> Any:
    """Give the tables of CDNOW, one row per purchase."""
    options = ["data=files", f"data.orders.path={data_dir}/cdnow_master.parquet", "data.orders.columns.time=date"]
    return _tables(data_dir, "1998-07-01", *options, "launch.currency=USD", "launch.timezone=America/New_York")


def _tables(folder: Path, as_of: str, *options: str) -> Any:
    from jobs import settings_of

    from segmenter.loader import read_tables

    settings = settings_of("launch", f"launch.as_of={as_of}", f"data.dir={folder}", *options)
    return read_tables(settings.data, settings.launch, seed=settings.seed).tables
