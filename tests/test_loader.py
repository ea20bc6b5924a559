"""What a job reads: which way orders take, and what is said of all tables together. See tests/sources for the files themselves."""

from datetime import date

import polars as pl
import pytest
from shop_files import data_of

import segmenter
from segmenter.errors import InputError
from segmenter.loader import read_tables
from segmenter.measures import shop_orders
from segmenter.measures.sampling import Sampling
from segmenter.settings import FilesSettings, parse
from segmenter.tables import Terms

LAUNCH = segmenter.launch_settings({"launch.as_of": "2026-07-01"}).launch
TERMS = Terms(date(2026, 7, 1), 90.0, None)


@pytest.fixture
def files(tmp_path):
    (tmp_path / "orders.csv").write_text("customer_id,time,amount\na,2026-06-01,5\na,2026-06-02,5\nb,2026-06-03,5\n")
    (tmp_path / "customers.csv").write_text("customer_id\na\nb\nc\n")

    def settings(**changes):
        named = {key.replace("__", "."): value for key, value in changes.items()}
        return parse(FilesSettings, data_of({"orders.path": str(tmp_path / "orders.csv"), **named}))

    return settings


def test_many_orders_are_aggregated_and_of_some_customers_the_single_ones_are_kept(files, monkeypatch):
    few = read_tables(files(), LAUNCH, seed=1, terms=TERMS).tables.orders
    assert few.has_single
    monkeypatch.setattr(shop_orders, "KERNEL_ROWS", 3)
    many = read_tables(files(), LAUNCH, seed=1, terms=TERMS).tables.orders
    sampled = read_tables(files(), LAUNCH, seed=1, terms=TERMS, sampling=Sampling(1, 1)).tables.orders
    assert [orders.has_single for orders in (many, sampled)] == [False, True]
    assert sampled.halvings > 0
    for orders in (many, sampled):
        assert orders.summary(TERMS).frame.equals(few.summary(TERMS).frame)
    assert read_tables(files(), LAUNCH, seed=1).tables.orders.single().height == 3


def test_the_single_orders_of_any_customers_can_be_had_of_a_stream(files, tmp_path, monkeypatch):
    typed = pl.read_csv(tmp_path / "orders.csv", try_parse_dates=True)
    for name, frame in {"typed": typed, "text": typed.cast(pl.String)}.items():
        frame.write_parquet(path := tmp_path / f"{name}.parquet")
        whole = read_tables(files(orders__path=str(path)), LAUNCH, seed=1).tables.orders
        with monkeypatch.context() as patched:
            patched.setattr(shop_orders, "KERNEL_ROWS", 1)
            stream = read_tables(files(orders__path=str(path)), LAUNCH, seed=1, terms=TERMS, single=True).tables.orders
        assert not stream.has_single
        asked = pl.Series(["a", "c"])
        found = stream.of(asked)
        assert found.single().sort("time").equals(whole.single().filter(pl.col("customer_id").is_in(["a", "c"])).sort("time"))
        assert sorted(set(found.ids())) == sorted(set(whole.of(asked).ids())) == ["a", "b"]


def test_what_is_wrong_with_several_tables_is_said_at_once(files, tmp_path):
    with pytest.raises(InputError) as caught:
        read_tables(files(customers__path=str(tmp_path / "none.csv"), events__path=str(tmp_path / "neither.csv")), LAUNCH, seed=1)
    assert [problem.partition(":")[0] for problem in caught.value.problems] == ["data.customers.path", "data.events.path"]


def test_tables_have_the_fingerprints_of_their_files(files, tmp_path):
    read = read_tables(files(customers__path=str(tmp_path / "customers.csv")), LAUNCH, seed=1)
    assert {name: [print_.name for print_ in prints] for name, prints in read.fingerprints.items()} == {
        "orders": ["orders.csv"],
        "customers": ["customers.csv"],
    }
    assert (read.warnings, read.doubts) == ((), ())


def test_the_demo_shop_has_no_files_and_needs_a_date(monkeypatch):
    settings = segmenter.settings.DemoSettings.model_construct(
        **{**dict(segmenter.launch_settings({}).data), "kind": "demo", "shop": segmenter.settings.ShopSettings(customers=100, days=120)}
    )
    read = read_tables(settings, LAUNCH, seed=1)
    assert read.tables.customers.height == 100
    assert read.fingerprints == {}
    with pytest.raises(InputError, match=r"launch\.as_of: is needed"):
        read_tables(settings, segmenter.launch_settings({}).launch, seed=1)
