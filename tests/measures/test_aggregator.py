"""The kernel aggregates exactly as the definition, whatever the batches, their order, the ids and the number of threads."""

import weakref
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from marks import slow_but
from polars.testing import assert_frame_equal

from segmenter.checks.number_format import NumberFormat
from segmenter.measures import text_views
from segmenter.measures.aggregator import Aggregator, Batch, aggregate
from segmenter.measures.definition import summarize_frame
from segmenter.measures.order_runs import merged, narrow, run_of_rows
from segmenter.measures.run_history import RunHistory
from segmenter.measures.run_summary import summarize_runs
from segmenter.measures.timeline import timeline_of
from segmenter.sources import fields
from segmenter.sources.order_rows import canonical_orders
from segmenter.tables import LEVELS, ORDERS, TIME, Terms

AS_OF = date(2026, 7, 1)
MIDNIGHT = datetime(2026, 7, 1)

# Inline in a view, and not; equal in the first 4, 8, 12 bytes; apart only in their length, in the last byte, or in NULs.
ENDS = st.sampled_from(["", "a", "b", "\0", "\0\0", "é", "é\0", "客户", "1", " ", "\u3000", "\xa0", "さ", "£"])
STEMS = ["", "C", "C000", "C0000001", "C00000000012", "客户客户", "the same prefix of many", "前缀" * 9, "0123456789abcdef" * 3]
texts = st.builds(lambda stem, end: stem + end, st.sampled_from(STEMS), ENDS) | st.sampled_from([" x", "N/A", "null", "-", "\0", "NULLS"])
places = st.none() | st.sampled_from(
    ["四川省", "云南", "é", "z", "Z", "さいたま", "a place with a long name 1", "a place with a long name 2"]
)
raw_places = places | texts
moments = st.one_of(
    st.sampled_from([0, 1, 200 * 86_400_000_000 - 1]).map(lambda micros: datetime(2026, 1, 1) + timedelta(microseconds=micros)),  # ties
    st.sampled_from([datetime(1970, 1, 1), datetime(1969, 12, 31, 23), datetime(2200, 12, 31, 23), datetime(2201, 1, 1), MIDNIGHT]),
    st.integers(-200 * 86_400, 86_400).map(lambda seconds: MIDNIGHT + timedelta(seconds=seconds)),
)
numbers = st.one_of(
    st.none(),
    st.integers(-(10**10), 10**10).map(float),
    st.sampled_from([0.0, -0.0, 0.005, 0.015, 1.005, -2.675, float("nan"), float("inf"), 1e10, 1.0000000001e10, 1e300, 5e-324]),
    st.floats(-1000, 1000),
)
raw_rows = st.lists(
    st.tuples(
        st.none() | texts, st.none() | moments, numbers, st.none() | st.booleans(), raw_places, raw_places, raw_places, st.booleans()
    ),
    max_size=30,
)
terms = st.builds(
    Terms,
    as_of=st.sampled_from([AS_OF, date(2026, 6, 2)]),
    half_life_days=st.sampled_from([1.0, 90.0]),
    window_days=st.sampled_from([None, 45]),
    horizon_days=st.sampled_from([None, 1, 60, 364, 365]),
)
RAW = pl.Schema(
    {
        "id": pl.String,
        "time": TIME,
        "amount": pl.Float64,
        "back": pl.Boolean,
        "province": pl.String,
        "city": pl.String,
        "district": pl.String,
        "fallback": pl.Boolean,
    }
)


def read(frame):
    """Order rows as the slow way reads them, and which are good."""
    values = pl.DataFrame(
        {
            "customer_id": fields.text(frame["id"]),
            "order_id": pl.repeat(None, frame.height, dtype=pl.String, eager=True),
            "time": fields.time(frame["time"], "auto", "Asia/Shanghai"),
            "paid": fields.amount(frame["amount"], "CNY", NumberFormat(".")),
            "back": frame["back"].fill_null(value=False),
            "province": fields.text(frame["province"]),
            "city": fields.text(frame["city"]),
            "district": fields.text(frame["district"]),
        }
    )
    return values, values.select(pl.all_horizontal(pl.col("customer_id", "time", "paid").is_not_null())).to_series()


def check_fallback(frame, fallback, as_of, known):
    """Accepted rows are what they seem to be, and no row is left to the fallback without a reason."""
    values, good = read(frame)
    if known is not None:
        good &= values["customer_id"].is_in(known.implode()).fill_null(value=False)
    left = pl.int_range(frame.height, eager=True).is_in(fallback.implode())
    later = (
        fields.time(frame["time"], "auto", "Asia/Shanghai").to_frame("t").select((pl.col("t") >= as_of).fill_null(value=False)).to_series()
    )
    assert not (left & later).any()
    accepted = ~left & ~later
    assert (accepted & (~good | frame["fallback"])).sum() == 0
    assert values.filter(accepted)["customer_id"].to_list() == frame.filter(accepted)["id"].cast(pl.String).to_list()
    edge = r"^[\x00-\x20\x80-\xa0\x{1680}-\x{16bf}\x{2000}-\x{207f}\x{3000}-\x{303f}]|[\x00-\x20\x80-\xa0\x{1680}-\x{16bf}\x{2000}-\x{207f}\x{3000}-\x{303f}]$"
    spaced = frame.select(pl.any_horizontal(pl.col("id", *LEVELS).cast(pl.String).str.contains(edge).fill_null(value=False)))
    assert (left & good & ~frame["fallback"] & ~spaced.to_series()).sum() == 0


def kept(frame, known=None):
    values, good = read(frame)
    if known is not None:
        good &= values["customer_id"].is_in(known.implode()).fill_null(value=False)
    return values.filter(good)


def expected(frame, terms, known=None):
    return summarize_frame(canonical_orders(kept(frame, known), "order"), terms).frame


def check_history(runs, orders, until, terms):
    """Runs give what a timeline of the same orders does, without some customers as with all of them."""
    orders, whole = orders.filter(pl.col("time") < until), RunHistory(runs, until)
    for nobody in ([], whole.known(until).head(1).to_list()):
        history, some = whole.without(nobody), orders.filter(~pl.col("customer_id").is_in(nobody))
        timeline = timeline_of(some)
        assert history.span == timeline.span
        assert_frame_equal(history.orders(lambda ids: ids.is_not_null()), some, check_row_order=False)
        assert_frame_equal(history.orders(lambda ids: ids < "C", date(2026, 1, 1), date(2026, 6, 1)), some.filter(
            pl.col("customer_id") < "C", pl.col("time").is_between(date(2026, 1, 1), min(until, date(2026, 6, 1)), closed="left")
        ), check_row_order=False)  # fmt: skip
        found, there = history.summary(terms), timeline.summary(terms)
        assert_frame_equal(found.frame, there.frame)
        assert (found.first, found.last) == (there.first, there.last)
        for day in (terms.as_of, until):
            assert history.last_day(day) == timeline.last_day(day)
            assert history.known(day).to_list() == timeline.known(day).to_list()
            assert_frame_equal(history.purchases(day), timeline.purchases(day))
        between, there = (past.between(min(terms.as_of, date(2026, 1, 1)), terms.as_of) for past in (history, timeline))
        assert_frame_equal(between.filter(pl.col("customer_id").is_in(there["customer_id"].implode())), there)
        assert between["spend"].sum() == there["spend"].sum()


def in_memory(name, dtype, length):
    return np.empty(length, dtype)


def runs_of(aggregator, size):
    """What was recorded, as runs of so many batches, each a file of its own."""
    rows = [narrow(part, at) for at, part in enumerate(aggregator.recorded) if len(part["record"])]
    whole = aggregator.customers(), aggregator.place_names()
    return [run_of_rows(rows[at : at + size], *whole[0], whole[1], in_memory) for at in range(0, len(rows), size)]


def fed(frame, terms, *, size=1000, recorded=False, **ways):
    aggregator = Aggregator(terms, **ways)
    aggregator.recorded = [] if recorded else None
    for rows in frame.iter_slices(size):
        batch = Batch(rows["id"], rows["time"], rows["amount"], rows["back"], rows["fallback"], [rows[level] for level in LEVELS])
        fallback = aggregator.add_all([batch], digits=2)[0]
        check_fallback(rows, fallback, terms.as_of, ways.get("known"))
        values, good = read(rows[fallback])
        if ways.get("known") is not None:
            good &= values["customer_id"].is_in(ways["known"].implode()).fill_null(value=False)
        aggregator.add_rows(values.filter(good))
    return aggregator


@pytest.mark.slow
@settings(max_examples=40)
@given(
    raw_rows,
    terms,
    st.integers(1, 3),
    st.sampled_from([1, 7, 31]),
    st.randoms(use_true_random=False),
    st.none() | st.lists(texts, max_size=6),
    st.sampled_from([date(2026, 5, 3), date(1970, 1, 2)]),
)
@example(
    [("a", datetime(2026, 6, 30), 1.0, None, "さいたま", None, None, True)], Terms(AS_OF, 1.0, None), 1, 7, None, None, AS_OF
)  # left to the fallback, with kana
def test_batches_as_the_definition(rows, terms, threads, size, random, known, earlier):
    frame = pl.DataFrame(rows, schema=RAW, orient="row")
    if known is not None:
        known = fields.text(pl.Series(known, dtype=pl.String)).drop_nulls().unique()
    aggregator = fed(frame, terms, size=size, threads=threads, known=known)
    there = expected(frame, terms, known)
    assert_frame_equal(aggregator.summary().frame, there)
    if random is not None:
        random.shuffle(rows)
        other = fed(pl.DataFrame(rows, schema=RAW, orient="row"), terms, threads=4 - threads, known=known)
        assert_frame_equal(other.summary().frame, there)
    # What was recorded comes to the same on this and on any earlier day, in any runs.
    recorder = fed(frame, terms, size=size, threads=threads, known=known, recorded=True)
    for before in (terms, Terms(min(earlier, terms.as_of), 7.0, 30)):
        runs = runs_of(recorder, 2)
        files = [np.arange(len(recorder.recorded), dtype=np.uint32)] * len(runs)
        for ways in [runs, [merged(runs, files, in_memory)]] if runs else [[]]:
            found = summarize_runs(ways, before, threads)
            assert_frame_equal(found.frame, expected(frame, before, known))
            assert found.rows == sum(len(part["record"]) for part in recorder.recorded) - found.later
            check_history(ways, canonical_orders(kept(frame, known), "order"), terms.as_of, before)


@pytest.mark.slow
@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.none() | st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 3), moments, numbers), max_size=20),
    st.sampled_from([pl.Int64, pl.Int8, pl.UInt32]),
    st.integers(1, 3),
    st.none()
    | st.lists(st.sampled_from(["0", "1", "-1", "007", "+2", " 3", "x", "9223372036854775808", "-9223372036854775808"]), unique=True),
)
def test_ids_that_are_whole_numbers(rows, dtype, threads, known):
    frame = pl.DataFrame(
        [(who, when, amount, None, None, "x", "y", None) for who, when, amount in rows], schema=RAW | {"id": pl.Int64}, orient="row"
    ).with_columns(pl.col("id").cast(dtype, strict=False))
    known = None if known is None else pl.Series(known, dtype=pl.String)
    aggregator = fed(frame, Terms(AS_OF, 90.0, None), size=7, threads=threads, integers=True, known=known)
    assert_frame_equal(aggregator.summary().frame, expected(frame, Terms(AS_OF, 90.0, None), known))


# Of lines of an order, sums may be large, and a later line is neither an order nor a refund.
orders = st.lists(
    st.tuples(
        texts,
        st.just(None),
        moments.filter(lambda moment: 1970 <= moment.year <= 2200),
        st.integers(-(10**12), 10**12) | st.integers(10**16 - 3, 10**16) | st.sampled_from([0, -1, -65_536, 65_535, -(10**16)]),
        st.integers(0, 10**12) | st.just(0),
        st.booleans(),
        places,
        places,
        places,
    ),
    max_size=30,
)


@pytest.mark.slow
@settings(max_examples=50)
@given(orders, terms, st.integers(1, 3), st.integers(1, 31))
def test_canonical_orders_as_the_definition(rows, terms, threads, size):
    frame = pl.DataFrame(rows, schema=ORDERS, orient="row")
    aggregator = Aggregator(terms, threads=threads)
    for part in frame.iter_slices(size):
        aggregator.add_orders(part)
    found, there = aggregator.summary(), summarize_frame(frame, terms)
    assert_frame_equal(found.frame, there.frame)
    assert (found.first, found.last, found.terms) == (there.first, there.last, terms)
    assert_frame_equal(aggregate(pl.concat([frame[:3], frame[3:]], rechunk=False), terms).frame, there.frame)


def test_a_place_counts_though_a_batch_between_has_none():
    frame = pl.DataFrame(
        [("a", datetime(2026, 1, day), 1.0, None, place, None, None, None) for day, place in ((1, "first"), (20, None), (10, "latest"))],
        schema=RAW,
        orient="row",
    )
    for size in (1, 2, 3):
        assert fed(frame, Terms(AS_OF, 90.0, None), size=size).summary().frame["province"].to_list() == ["latest"]


ODD_64 = np.uint64(0x9E3779B97F4A7C15)
INVERSE = np.uint64(pow(int(ODD_64), -1, 2**64))


def mixed(a, b):
    x = a ^ b * ODD_64
    for _ in range(2):
        x = (x ^ (x >> np.uint64(32))) * np.uint64(0xD6E8FEB86659FD93)
    return x ^ (x >> np.uint64(32))


def printable(words):
    return ((words.view(np.uint8).reshape(-1, 8) - np.uint8(33)) < 94).all(1)


def same_hash(one):
    """Another text of the same length with the hash of `one`, all 64 bits of it; of a long one with the same prefix."""
    letters = np.random.default_rng(len(one)).integers(33, 127, (200_000, 8), np.uint8)
    if len(one) == 12:  # length, 4 bytes, 8 bytes
        head = np.uint32(12).tobytes()
        letters[:, :4] = np.frombuffer(head, np.uint8)
        return next(colliding(head + one, letters, lambda first: first))[4:]
    letters[:, :4] = np.frombuffer(one[:4], np.uint8)

    def state(first):
        found = mixed(np.uint64(len(one)), first)
        for at in range(8, len(one) - 8, 8):
            found = mixed(found, np.frombuffer(one[at : at + 8], np.uint64))
        return found

    return next(colliding(one, letters, state))


def colliding(one, letters, state):
    firsts, last = letters.view(np.uint64)[:, 0], np.frombuffer(one[-8:], np.uint64)
    ends = INVERSE * (state(np.frombuffer(one[:8], np.uint64)) ^ state(firsts) ^ last * ODD_64)
    for at in np.flatnonzero(printable(ends)):
        yield firsts[at].tobytes() + one[8:-8] + ends[at].tobytes()


@pytest.mark.parametrize("length", slow_but([12, 16, 24], 16))
def test_ids_with_the_same_hash_are_told_apart(length):
    one = "C00012345678-a-long-one-"[:length]
    other = same_hash(one.encode()).decode()
    assert other != one
    texts = [np.frombuffer(text.encode(), np.uint8) for text in (one, other)]
    views = [np.frombuffer(np.uint32(length).tobytes() + text.tobytes()[:12], np.int64) for text in texts]
    short = length <= text_views.LONGEST_INLINE
    first, second = (
        text_views.mixed(*view.tolist()) if short else text_views.hash_bytes(text.ctypes.data, length)
        for view, text in zip(views, texts, strict=True)
    )
    assert first == second
    ids = [one, other, other, one, "C", one]
    frame = pl.DataFrame([(who, MIDNIGHT - timedelta(1), 1.0, None, who, None, None, None) for who in ids], schema=RAW, orient="row")
    for size in (1, 2, 6):  # of one row each: every id is the first text of its batch
        for rows in (frame, frame.reverse()):
            found = fed(rows, Terms(AS_OF, 90.0, None), size=size, threads=2).summary().frame
            assert_frame_equal(found, expected(rows, Terms(AS_OF, 90.0, None)))
    known = fed(frame, Terms(AS_OF, 90.0, None), known=pl.Series([other]), threads=1).summary().frame
    assert known.select("customer_id", "orders").rows() == [(other, 2)]


@pytest.mark.slow
def test_tables_grow_and_their_memory_goes_back():
    rows, customers = 700_000, 290_000  # three chunks of records
    random = np.random.default_rng(3)
    who = np.concatenate([np.arange(customers), random.integers(0, customers, rows - customers)])
    random.shuffle(who)
    ids = pl.Series(who).cast(pl.String)
    ids = pl.select(pl.when(pl.Series(who % 3 == 0)).then(pl.concat_str(pl.lit("a long id "), ids)).otherwise(ids)).to_series()
    towns = pl.Series([f"{number} town{' with a long name' * (number % 2)}" for number in range(5_000)])
    frame = pl.DataFrame(
        {
            "customer_id": ids,
            "order_id": pl.repeat(None, rows, dtype=pl.String, eager=True),
            "time": pl.Series(random.integers(1_700_000_000_000_000, 1_783_000_000_000_000, rows)).cast(TIME),
            "amount": random.integers(-(10**4), 10**6, rows),
            "refund": random.integers(0, 2, rows),
            "is_order": random.random(rows) < 0.9,
            "province": towns.gather(random.integers(0, 5_000, rows)),
            "city": towns.gather(random.integers(0, 5_000, rows)),
            "district": pl.repeat(None, rows, dtype=pl.String, eager=True),
        }
    )
    terms = Terms(AS_OF, 90.0, 365)
    there = summarize_frame(frame, terms)
    for threads in (1, 3):
        aggregator = Aggregator(terms, threads=threads)
        for part in frame.iter_slices(150_000):
            aggregator.add_orders(part)
        chunks = [weakref.ref(chunk) for owner in aggregator._owners for chunk in (*owner.hots[:1], *owner.colds[:1])]
        found = aggregator.summary()
        assert_frame_equal(found.frame, there.frame)
        assert (found.first, found.last) == (there.first, there.last)
        assert all(chunk() is None for chunk in chunks)
        assert (found.frame["customer_id"].to_arrow().to_pylist()) == there.frame["customer_id"].to_list()


def test_an_error_in_a_thread_is_raised_and_ends_no_process():
    aggregator = Aggregator(Terms(AS_OF, 90.0, None), threads=2)
    aggregator._owners[1].reserve = lambda rows: (_ for _ in ()).throw(MemoryError("none left"))
    frame = pl.DataFrame({"id": [f"C{number}" for number in range(100)], "time": MIDNIGHT - timedelta(1), "amount": 1.0})
    with pytest.raises(MemoryError, match="none left"):
        aggregator.add_all([Batch(frame["id"], frame["time"], frame["amount"])], digits=2)
