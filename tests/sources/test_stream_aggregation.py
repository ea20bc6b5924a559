"""Five million orders: whichever way they are aggregated, the result is the same."""

from datetime import date

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from segmenter import launch_settings
from segmenter.contacts import Contacts
from segmenter.measures.aggregator import Aggregator, Batch
from segmenter.measures.definition import summarize_frame
from segmenter.sources.order_rows import canonical_orders
from segmenter.sources.order_store import Store, fingerprint
from segmenter.sources.parquet_stream import stream_of
from segmenter.sources.stream_aggregation import aggregate_stream
from segmenter.tables import Terms

pytestmark = pytest.mark.slow

ORDERS, CUSTOMERS = 5_000_000, 400_000
TERMS = Terms(date(2026, 7, 1), half_life_days=90, window_days=365)


@pytest.fixture(scope="module")
def orders():
    random = np.random.default_rng(11)
    who = np.minimum((random.pareto(1.3, ORDERS) * CUSTOMERS / 10).astype(np.int64), CUSTOMERS - 1)
    seconds = random.integers(0, 735 * 86_400, ORDERS)  # the last days are after the date
    return pl.DataFrame(
        {
            "customer_id": pl.Series("C" + pl.Series(who).cast(pl.String).str.zfill(9)),
            "time": np.datetime64("2024-07-01", "us") + seconds.astype("timedelta64[s]"),
            "amount": random.lognormal(4, 1, ORDERS).round(2) * random.choice([1, 1, 1, 1, -1], ORDERS),
            "province": random.choice(["四川省", "广东省", "云南", "Sichuan", None], ORDERS),
        },
        schema_overrides={"province": pl.String},
    )


@pytest.fixture(scope="module")
def expected(orders):
    paid = (pl.col("amount") * 100).round(0, mode="half_to_even").cast(pl.Int64)
    nothing = pl.lit(None, pl.String)
    none = [nothing.alias(name) for name in ("order_id", "city", "district")]
    rows = orders.select("customer_id", "time", paid.alias("paid"), (paid < 0).alias("back"), "province", *none)
    return summarize_frame(canonical_orders(rows, "order"), TERMS).frame


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_threads_batch_sizes_and_row_orders(orders, expected, threads):
    aggregator = Aggregator(TERMS, threads=threads)
    mixed = orders.sample(fraction=1, shuffle=True, seed=threads)
    for rows in mixed.iter_slices(50_000 * threads):
        odd = aggregator.add_all([Batch(rows["customer_id"], rows["time"], rows["amount"], places=[rows["province"]])], digits=2)[0]
        assert odd.is_empty()
    assert_frame_equal(aggregator.summary().frame, expected)


def test_files_and_the_store(orders, expected, tmp_path):
    files = [tmp_path / f"{number}.parquet" for number in range(4)]
    for number, file in enumerate(files):
        # Three whole files of the past, and one on both sides of the date.
        past = pl.col("time") < pl.date(2026, 3, 1)
        rows = orders.filter(past).gather_every(3, number) if number < 3 else orders.filter(~past)
        rows.write_parquet(file, row_group_size=200_000)
    settings = launch_settings({"launch.as_of": "2026-07-01"})
    names = [file.name for file in files]
    stream = stream_of(files, names, settings.data, settings.launch)
    stores = [None, *(Store(tmp_path / "store", fingerprint(stream)) for _ in range(2))]
    found = [aggregate_stream(stream, TERMS, None, lambda *done: None, store, Contacts()) for store in stores]
    assert len(stores[-1].entries) == 3
    for reading in found:
        assert_frame_equal(reading.orders.summary(TERMS).frame, expected)
        assert reading.reads == found[0].reads
        assert reading.rejects.is_empty()
    assert found[0].reads["later"] > 0
