"""Orders aggregated as they are read come to the same as orders read at once and then aggregated."""

import random
from datetime import date, datetime, timedelta

import hypothesis
import polars as pl
import pytest
from hypothesis import strategies as st
from jobs import exit_code
from marks import slow_but
from polars.testing import assert_frame_equal
from shop_files import data_of

import segmenter
from segmenter.errors import InputError
from segmenter.loader import read_tables
from segmenter.measures import shop_orders
from segmenter.measures.definition import summarize_frame
from segmenter.measures.sampling import Sampling, is_sampled
from segmenter.settings import FilesSettings, parse
from segmenter.sources import fallback_rows, run_recorder
from segmenter.tables import Terms

TERMS = Terms(date(2026, 7, 1), 90.0, 200)
WHO = ["a", "b", " a ", "客户", "a customer with a long name", "N/A", "", None, "c\u3000", "£5", "さとう"]
WHERE = ["四川省", "云南", None, "さいたま市", " 北京", "null", "a province with a long name", "\xa0"]


@pytest.fixture(autouse=True)
def _stream(monkeypatch):
    monkeypatch.setattr(shop_orders, "KERNEL_ROWS", 0)


def shop(rows, seed=1):
    """Messy orders; wholly blank rows among them, and rows in which only a column stands that is not needed."""
    chance = random.Random(seed)
    records = []
    for number in range(rows):
        when = datetime(2026, 7, 20) - timedelta(minutes=chance.randrange(600_000))
        record = {
            "customer_id": chance.choice(WHO),
            "time": chance.choice([when] * 20 + [None, datetime(1969, 5, 1), datetime(2201, 1, 1), datetime(2026, 7, 1)]),
            "amount": chance.choice([round(chance.uniform(-50, 500), 3)] * 20 + [None, float("nan"), 1e12, 0.005, -0.0]),
            "province": chance.choice(WHERE),
            "city": chance.choice(WHERE),
            "currency": chance.choice(["CNY"] * 20 + ["rmb", "￥", "USD", " CNY", "", None]),
            "kind": chance.choice(["sale"] * 9 + ["return", None]),
            "quantity": chance.choice([1, 2, 3, -1, None]),
            "note": str(number),
        }
        records.append(chance.choice([record] * 30 + [dict.fromkeys(record), dict.fromkeys(record) | {"note": "only a note"}]))
    schema = {"customer_id": pl.String, "time": pl.Datetime("us"), "amount": pl.Float64, "province": pl.String, "city": pl.String}
    return pl.DataFrame(records, schema=schema | {"currency": pl.String, "kind": pl.String, "quantity": pl.Int64, "note": pl.String})


SHOP = shop(700)


def saved(folder, frame, *, files=3, group=37):
    height = -(-frame.height // files)
    for number, part in enumerate(frame.iter_slices(height)):
        part.write_parquet(folder / f"orders-{number}.parquet", row_group_size=group)
    return folder


def settings_of(folder, changes, customers=None):
    people = {} if customers is None else {"customers.path": str(customers)}
    return parse(FilesSettings, data_of({"orders.path": str(folder), **people, "max_reject_share": 1.0, **changes}))


def same(folder, changes, *, terms=TERMS, customers=None, store=None):
    """Read both ways and compare; give what was streamed, None where it was not."""
    data = settings_of(folder, changes, customers)
    launch = segmenter.launch_settings({"launch.as_of": str(terms.as_of)}).launch
    ways = []
    for asked in (terms, None):
        try:
            ways.append(read_tables(data, launch, seed=1, terms=asked, store=store if asked else None, sampling=Sampling(2, 1)))
        except InputError as error:
            ways.append(error.problems)
    streamed, at_once = ways
    if isinstance(streamed, tuple) or isinstance(at_once, tuple):
        assert streamed == at_once
        return None
    there = summarize_frame(at_once.tables.orders.single(), terms)
    assert_frame_equal(streamed.tables.orders.aggregate.frame, there.frame)
    single, halvings = at_once.tables.orders.single(), streamed.tables.orders.halvings
    drawn = single.filter(is_sampled(single["customer_id"], halvings, 1)).drop("order_id")
    assert_frame_equal(streamed.tables.orders.single().select(drawn.columns), drawn, check_row_order=False)
    assert streamed.tables.reads == at_once.tables.reads
    columns = at_once.tables.rejects.columns
    assert_frame_equal(streamed.tables.rejects.sort(columns), at_once.tables.rejects.sort(columns))
    assert streamed.fingerprints == at_once.fingerprints
    assert_frame_equal(streamed.tables.profile.by_day, at_once.tables.profile.by_day)
    assert_frame_equal(streamed.tables.profile.by_file, at_once.tables.profile.by_file)
    of_times = [[finding for finding in read.tables.findings if finding.message.code.startswith("dates.")] for read in (streamed, at_once)]
    assert of_times[0] == of_times[1]
    assert not streamed.warnings
    written = [
        [str(found.message) for found in way.tables.findings if found.message.code == "amounts.decimal"] for way in (streamed, at_once)
    ]
    assert written[0] == written[1]
    return streamed


def _european(amount):
    return amount.cast(pl.String).str.replace(".", ",", literal=True).str.replace(r"^(-?\d)(\d\d\d)(,|$)", "${1}.${2}${3}") + " RMB"


AMOUNT = pl.col("amount")
ADDRESSES = pl.Series(
    [None, "四川省绵阳市涪城区临园路 1 号", " - ", "12 Baker Street", "广东 深圳 南山区", "somewhere", "上海市浦东新区张江路 8 号"]
).gather(pl.int_range(SHOP.height, eager=True) * 5 % 7)
CASES = {
    "as it is": (SHOP, {}),
    "no currency": (SHOP.drop("currency"), {}),
    "no places": (SHOP.drop("province", "city"), {}),
    "where": (SHOP, {"orders.where": "amount > 20 AND kind <> 'return'"}),
    "where, nulls wanted": (SHOP, {"orders.where": "amount IS NULL OR amount < 100"}),
    "where over text": (SHOP.with_columns(AMOUNT.cast(pl.String)), {"orders.where": "amount > 20"}),
    "where over all rows": (SHOP, {"orders.where": "quantity > AVG(quantity)"}),
    "where over a window": (SHOP, {"orders.where": "ROW_NUMBER() OVER (ORDER BY note) > 100"}),
    "where leaves none": (SHOP, {"orders.where": "amount > 1e15"}),
    "refunds": (SHOP, {"orders.refund": "kind = 'return'"}),
    "amounts computed": (SHOP, {"orders.columns.amount": "quantity * amount"}),
    "amounts computed from text": (SHOP.with_columns(AMOUNT.cast(pl.String)), {"orders.columns.amount": "quantity * amount"}),
    "ids and places computed": (SHOP, {"orders.columns.customer_id": "customer_id || kind", "orders.columns.city": "LOWER(note)"}),
    "ids are floats": (SHOP.with_columns(customer_id=AMOUNT.round()), {}),
    "ids are whole numbers": (SHOP.with_columns(customer_id=(AMOUNT // 9).cast(pl.Int32, strict=False)), {}),
    "ids are large": (SHOP.with_columns(customer_id=pl.col("quantity").cast(pl.UInt64, strict=False)), {}),
    "ids are true or false": (SHOP.with_columns(customer_id=AMOUNT > 100), {}),
    "amounts are text of three decimals": (SHOP.with_columns(AMOUNT.cast(pl.String)), {}),
    "amounts are text in another locale": (SHOP.with_columns(_european(AMOUNT)), {"orders.where": "kind <> 'return'"}),
    "amounts are text with a mark that is named": (SHOP.with_columns(_european(AMOUNT)), {"decimal": ","}),
    "times are text": (SHOP.with_columns(pl.col("time").dt.strftime("%Y/%m/%d %H:%M:%S")), {}),
    "times are text, the day first": (SHOP.with_columns(pl.col("time").dt.strftime("%d/%m/%Y %H:%M")), {}),
    "times are text in a zone": (SHOP.with_columns(pl.col("time").dt.strftime("%b %d, %Y %I:%M %p GMT")), {}),
    "times are days of a spreadsheet": (SHOP.with_columns(pl.col("time").dt.epoch("s") / 86400 + 25569), {}),
    "times are text of a format": (SHOP.with_columns(pl.col("time").dt.strftime("%d.%m.%Y")), {"orders.time_format": "%d.%m.%Y"}),
    "times have a zone": (SHOP.with_columns(pl.col("time").dt.replace_time_zone("UTC")), {}),
    "times are nanoseconds": (SHOP.with_columns(pl.col("time").cast(pl.Datetime("ns"))), {}),
    "times are dates": (SHOP.with_columns(pl.col("time").dt.date()), {}),
    "times are seconds": (SHOP.with_columns(pl.col("time").dt.epoch("s")), {"orders.time_format": "epoch_s"}),
    "amounts are text": (SHOP.with_columns(AMOUNT.round(2).cast(pl.String)), {}),
    "amounts are decimals": (SHOP.with_columns(AMOUNT.fill_nan(None).cast(pl.Decimal(20, 3))), {}),
    "amounts are whole numbers": (SHOP.with_columns(AMOUNT.cast(pl.Int16, strict=False)), {}),
    "places are categories": (SHOP.with_columns(pl.col("province").cast(pl.Categorical)), {}),
    "districts": (SHOP.with_columns(district=pl.col("city").reverse()), {}),
    "districts are numbers": (SHOP.with_columns(district=pl.col("quantity")), {}),
    "addresses": (SHOP.with_columns(address=ADDRESSES), {}),
    "addresses computed, all places known": (
        SHOP.with_columns(pl.col("province", "city").fill_null("x"), district=pl.lit("y"), where=ADDRESSES),
        {"orders.columns.address": "where"},
    ),
    "addresses computed of others": (SHOP, {"orders.columns.address": "province || ' ' || city"}),
    "addresses are lists": (SHOP.with_columns(address=pl.concat_list("province", "city")), {}),
    "other names": (SHOP.rename({"customer_id": "客户", "time": "下单 时间"}), {"orders.columns.customer_id": "客户", "orders.columns.time": "下单 时间"}),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_streaming_is_as_reading_at_once(name, tmp_path, monkeypatch):
    frame, changes = CASES[name]
    saved(tmp_path, frame)
    monkeypatch.setattr(fallback_rows, "ROWS", 60)  # fallback rows are read in several goes
    streamed = same(tmp_path, changes)
    if streamed is None:
        assert name == "where leaves none"
        return
    assert sum(streamed.tables.reads["orders"].values()) == 2 * streamed.tables.reads["orders"]["rows"]
    if name in ("as it is", "ids are whole numbers", "times are text"):
        assert same(tmp_path, changes, terms=Terms(date(2026, 3, 1), 7.0, None)) is not None


@pytest.mark.parametrize("ids", ["text", "whole numbers"])
def test_rows_of_those_who_are_no_customers_are_rejected(ids, tmp_path):
    (tmp_path / "orders").mkdir()
    frame = SHOP if ids == "text" else SHOP.with_columns(customer_id=(AMOUNT // 40).cast(pl.Int64, strict=False))
    saved(tmp_path / "orders", frame)
    people = ["a", "客户", "さとう", "who never ordered"] if ids == "text" else ["1", "2", "03", "-1", "who never ordered"]
    pl.DataFrame({"customer_id": people}).write_csv(tmp_path / "customers.csv")
    streamed = same(tmp_path / "orders", {}, customers=tmp_path / "customers.csv")
    assert streamed.tables.rejects.filter(reason="is no customer of the customers table").height
    assert set(streamed.tables.orders.aggregate.frame["customer_id"]) <= set(people)


def test_files_may_be_empty_or_one_row_or_have_nothing_but_nulls(tmp_path):
    for number, part in enumerate([SHOP[:0], SHOP[:1], SHOP[:0], SHOP[1:90], SHOP.clear(9), SHOP[90:]]):
        part.write_parquet(tmp_path / f"{number}.parquet", row_group_size=1 + 50 * number)
    assert same(tmp_path, {}) is not None  # the empty ones are the same, and no copies of orders


@pytest.mark.slow
def test_what_has_to_be_seen_together_is_read_at_once(tmp_path, monkeypatch):
    saved(tmp_path, SHOP)
    monkeypatch.setattr("segmenter.loader.aggregate_stream", None)
    launch = segmenter.launch_settings({"launch.as_of": "2026-07-01"}).launch
    for changes in ({"orders.repeats": "drop"}, {"orders.grain": "line", "orders.columns.order_id": "note"}):
        read = read_tables(settings_of(tmp_path, changes), launch, seed=1, terms=TERMS)
        alone = read_tables(settings_of(tmp_path, changes), launch, seed=1)
        assert_frame_equal(read.tables.orders.aggregate.frame, summarize_frame(alone.tables.orders.single(), TERMS).frame)
    SHOP.with_columns(pl.col("quantity").cast(pl.Float64)).write_parquet(tmp_path / "other.parquet")
    with pytest.raises(InputError, match="rows were rejected"):
        read_tables(settings_of(tmp_path, {"max_reject_share": 0.01}), launch, seed=1, terms=TERMS)


def damaged(folder):
    content = bytearray((folder / "orders-1.parquet").read_bytes())
    content[200:2200] = bytes(2000)
    (folder / "orders-1.parquet").write_bytes(content)


def cut(folder):
    path = folder / "orders-1.parquet"
    path.write_bytes(path.read_bytes()[:-900])


def copied(folder):
    (folder / "copy.parquet").write_bytes((folder / "orders-0.parquet").read_bytes())


def without_amounts(folder):
    for path in folder.glob("*.parquet"):
        pl.read_parquet(path).rename({"amount": "amnt"}).write_parquet(path)


def of_strangers(folder):
    for path in folder.glob("*.parquet"):
        pl.read_parquet(path).with_columns(amount=pl.lit("much")).write_parquet(path)


@pytest.mark.slow
@pytest.mark.parametrize("spoil", slow_but([damaged, cut, copied, without_amounts, of_strangers], damaged, of_strangers))
def test_bad_files_end_as_they_do_when_read_at_once(spoil, tmp_path, monkeypatch, capfd):
    folder = tmp_path / "shop"
    folder.mkdir()
    saved(
        folder,
        SHOP.filter(pl.col("customer_id").is_in(["a", "b"]), pl.col("currency") == "CNY", AMOUNT < 1e9, pl.col("time").dt.year() == 2026),
    )
    spoil(folder)
    said = []
    for fewest in (0, 10**9):
        monkeypatch.setattr(shop_orders, "KERNEL_ROWS", fewest)
        out = [f"out={tmp_path}/results", f"data.orders.path={folder}", "launch.as_of=2026-07-01", "tracking=none", "data=files"]
        assert exit_code("launch", *out) == 2
        said.append(capfd.readouterr().err)
        assert "Traceback" not in said[-1]
        assert not (tmp_path / "results").exists()
    assert said[0] == said[1]
    assert "data.orders" in said[0] or "orders: " in said[0]


# Physical values at the ends of types, and in the middle of them where orders are.
ENDS = {
    "day": [20600, 20600, 0, -1, 84370, 84371, 106751991, 106751992, -(2**31), 2**31 - 1, None],
    "time": [1780272000 * 10**6, 1780272000 * 10**3, 1780272000 * 10**9, 0, -1, -(2**63), 2**63 - 1, 2**62, 8210266876799999999, None],
    "whole": [7, 8, 0, -1, 2**31, 2**53 + 1, 2**63 - 1, -(2**63), -(2**63) + 1, None],
    "huge": [7, 8, 0, 2**63, 2**64 - 1, None],
    "number": [7.0, 12.5, -0.0, 0.005, float("inf"), float("-inf"), float("nan"), 1e10, 1e300, 5e-324, 2.0**53, None],
}
# An id such as 1e300 is a damaged one, which stops a launch; of a row that is rejected anyway, only the whole reading sees it.
ENDS["id"] = [number for number in ENDS["number"] if number is None or not 1e14 < number < float("inf")]
IDS = [(pl.Int64, "whole"), (pl.UInt64, "huge"), (pl.Int128, "whole"), (pl.Float64, "id"), (pl.Float32, "id")]
AMOUNTS = [
    *IDS[:3],
    (pl.Float64, "number"),
    (pl.Float32, "number"),
    (pl.Decimal(38, 2), "huge"),
    (pl.Decimal(38, 0), "whole"),
    (pl.Float16, "number"),
]
TIMES = [
    (pl.Date(), "day"),
    *((pl.Datetime(unit, zone), "time") for unit in ("ms", "us", "ns") for zone in (None, "UTC", "America/New_York")),
]


def hostile(draw, name, types, height):
    dtype, ends = draw(st.sampled_from(types))
    values = draw(st.lists(st.sampled_from(ENDS[ends]), min_size=height, max_size=height))
    if isinstance(dtype, pl.Decimal):
        physical = pl.Int128
    else:
        physical = pl.Int32 if dtype == pl.Date else pl.Int64 if isinstance(dtype, pl.Datetime) else dtype
    return pl.Series(name, values, dtype=physical).cast(dtype)


@st.composite
def frames(draw):
    height = draw(st.integers(1, 12))
    columns = [hostile(draw, name, types, height) for name, types in (("customer_id", IDS), ("time", TIMES), ("amount", AMOUNTS))]
    return pl.DataFrame([*columns, pl.Series("note", [str(row) for row in range(height)])])


@pytest.mark.slow
@hypothesis.settings(max_examples=20)
@hypothesis.given(frames(), st.sampled_from([{}, {"orders.where": "note <> '3'"}, {"orders.where": "time > '2020-01-01'"}]))
def test_values_at_the_ends_of_types_are_rejected_as_when_read_at_once(tmp_path_factory, frame, changes):
    folder = tmp_path_factory.mktemp("shop")
    saved(folder, frame, files=2, group=3)
    for _ in range(2):  # decoded, and recalled
        if (streamed := same(folder, changes, store=str(folder / "store"))) is None:
            break
        assert sum(streamed.tables.reads["orders"].values()) == 2 * frame.height


def test_one_impossible_date_costs_one_row(tmp_path):
    days = pl.Series("time", [20_600] * 3_000, dtype=pl.Int32)
    days[2_500] = 2**31 - 1
    saved(
        tmp_path,
        pl.DataFrame({"customer_id": [f"c{row % 90}" for row in range(3_000)], "time": days.cast(pl.Date), "amount": 5}),
        group=100,
    )
    reads = same(tmp_path, {}).tables.reads["orders"]
    assert reads == {"rows": 3_000, "filtered": 0, "later": 0, "rejected": 1, "kept": 2_999}


def lost(batches):
    return batches[:-1]


def twice(batches):
    return [*batches, batches[0]]


@pytest.mark.slow
@pytest.mark.parametrize("where", [{}, {"orders.where": "amount > 20"}])
@pytest.mark.parametrize("spoil", slow_but([lost, twice], lost))
def test_batches_that_do_not_add_up_to_their_files_end_the_job(spoil, where, tmp_path, monkeypatch):
    saved(tmp_path, SHOP)
    launch = segmenter.launch_settings({"launch.as_of": "2026-07-01"}).launch
    data, store = settings_of(tmp_path, where), str(tmp_path / "store")
    decode = pl.LazyFrame.collect_batches
    with monkeypatch.context() as patch:
        patch.setattr(pl.LazyFrame, "collect_batches", lambda frame, **ways: iter(spoil(list(decode(frame, chunk_size=50, **ways)))))
        for kept in (None, store):
            with pytest.raises(InputError, match=r"orders-\d.parquet: .* of its .* rows"):
                read_tables(data, launch, seed=1, terms=TERMS, store=kept)
    assert read_tables(data, launch, seed=1, terms=TERMS, store=store).tables.reads["orders"]["rows"] > 600  # nothing wrong was kept
    calls = []

    def second(frame, **ways):
        calls.append(frame)
        batches = list(decode(frame, chunk_size=50, **ways))
        return iter(batches if len(calls) == 1 else spoil(batches))

    monkeypatch.setattr(pl.LazyFrame, "collect_batches", second)
    with pytest.raises(InputError, match="rows"):
        read_tables(data, launch, seed=1, terms=TERMS, sampling=Sampling(10, 1))
    assert len(calls) == 2


def test_a_thread_that_panics_ends_the_job_with_its_message(tmp_path):
    days = pl.Series("time", [20_600, 2**31 - 1] * 5, dtype=pl.Int32).cast(pl.Date)
    saved(tmp_path, pl.DataFrame({"customer_id": ["a", "b"] * 5, "time": days, "amount": 5}), files=2, group=2)
    data, launch = (
        settings_of(tmp_path, {"orders.where": "CAST(time AS VARCHAR) > '2'"}),
        segmenter.launch_settings({"launch.as_of": "2026-07-01"}).launch,
    )
    for terms in (TERMS, None):
        with pytest.raises(InputError, match="out-of-range"):
            read_tables(data, launch, seed=1, terms=terms)


def test_rows_that_get_lost_on_their_way_into_the_store_end_the_job(tmp_path, monkeypatch):
    saved(tmp_path, SHOP, files=1)
    launch, store = segmenter.launch_settings({"launch.as_of": "2026-07-20"}).launch, str(tmp_path / "store")
    terms, narrow = Terms(date(2026, 7, 20), 90.0, 200), run_recorder.narrow
    monkeypatch.setattr(run_recorder, "narrow", lambda rows, file: narrow({name: values[:-1] for name, values in rows.items()}, file))
    with pytest.raises(InputError, match="do not add up"):
        read_tables(settings_of(tmp_path, {}), launch, seed=1, terms=terms, store=store)
    monkeypatch.undo()
    monkeypatch.setattr(shop_orders, "KERNEL_ROWS", 0)
    assert read_tables(settings_of(tmp_path, {}), launch, seed=1, terms=terms, store=store).warnings == ()


@pytest.mark.slow
def test_amounts_that_can_be_read_in_two_ways_stop_a_stream_as_they_do_when_read_at_once(tmp_path):
    frame = SHOP.with_columns(amount=pl.lit("1.250")).filter(pl.col("time") < datetime(2026, 6, 1))
    assert same(saved(tmp_path, frame), {}) is None
    with pytest.raises(InputError, match=r'data\.decimal: "amount" can be read in two ways'):
        read_tables(settings_of(tmp_path, {}), segmenter.launch_settings({"launch.as_of": "2026-07-01"}).launch, seed=1, terms=TERMS)
