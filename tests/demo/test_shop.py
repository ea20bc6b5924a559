import shlex
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from jobs import settings_of
from polars.testing import assert_frame_equal

from segmenter import canonical_tables, launch_settings, measure
from segmenter.demo.shop import Shop, expected_spend, season, simulate
from segmenter.regions import resolve_places
from segmenter.roles import HOLDS, with_roles

ROOT = Path(__file__).parents[2]
AS_OF, DAYS = date(2026, 7, 1), 730
START = AS_OF - timedelta(days=DAYS)
FRAMES = ("orders", "customers", "events", "referrals", "truth")


@pytest.fixture(scope="module")
def shop() -> Shop:
    return simulate(20_000, DAYS, AS_OF, seed=7)


@pytest.fixture(scope="module")
def orders(shop: Shop) -> pl.DataFrame:
    """Orders and refunds with their times, and when their customers came and went."""
    joined, truth = shop.customers.select("customer_id", "type", "joined"), shop.truth
    return shop.orders.with_columns(pl.col("time").str.to_datetime()).join(joined, on="customer_id").join(truth, on="customer_id")


def gini(values: pl.Series) -> float:
    ordered = np.sort(np.maximum(values.to_numpy(), 0))
    return float(1 - 2 * np.mean(np.cumsum(ordered) / ordered.sum()) + 1 / len(ordered))


def test_the_same_arguments_give_the_same_shop_and_another_seed_another() -> None:
    one, same, other = (simulate(300, 200, AS_OF, seed) for seed in (1, 1, -1))
    for name in FRAMES:
        assert_frame_equal(getattr(one, name), getattr(same, name))
        assert not getattr(one, name).equals(getattr(other, name))


@pytest.mark.parametrize(("customers", "days"), [(1, 1), (1, 400), (50, 1)])
def test_the_smallest_shops(customers: int, days: int) -> None:
    shop = simulate(customers, days, AS_OF, seed=3)
    assert shop.customers.height == shop.truth.height == customers
    assert expected_spend(shop.truth, 0)["expected_spend"].to_list() == [0.0] * customers


def test_everything_happens_in_the_history_and_while_one_is_a_customer(shop: Shop, orders: pl.DataFrame) -> None:
    for frame in (shop.orders, shop.events, shop.referrals):
        assert frame["time"].str.contains(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$").all()
        assert frame["time"].is_sorted()
        assert f"{START}" <= frame["time"][0] <= frame["time"][-1] < f"{AS_OF}"
    assert (shop.customers["joined"] < AS_OF).all()
    placed = orders.filter(pl.col("amount") > 0)
    day = pl.col("time").dt.date()
    assert placed.select(((day >= pl.col("joined")) & (pl.col("alive") | (day < pl.col("dropped_at")))).all()).item()
    gone = shop.truth.filter(~pl.col("alive"))["dropped_at"]
    assert gone.null_count() == 0
    assert (gone < AS_OF).all()
    assert shop.truth.filter("alive")["dropped_at"].null_count() == shop.truth["alive"].sum()


def test_rows_refer_to_each_other(shop: Shop) -> None:
    assert shop.customers["customer_id"].n_unique() == shop.customers["phone"].n_unique() == 20_000
    assert shop.truth["customer_id"].equals(shop.customers["customer_id"])
    assert shop.orders["order_id"].n_unique() == shop.orders.height
    for frame, column in (
        (shop.orders, "customer_id"),
        (shop.events, "customer_id"),
        (shop.referrals, "customer_id"),
        (shop.referrals, "friend_id"),
    ):
        assert frame.join(shop.customers, left_on=column, right_on="customer_id", how="anti").is_empty()

    refunds = shop.orders.filter(pl.col("amount") < 0).with_columns(pl.col("order_id").str.strip_prefix("R"))
    both = refunds.join(shop.orders, on=["order_id", "customer_id", "category"], suffix="_placed")
    assert both.height == refunds.height > 0
    assert (both["time"] > both["time_placed"]).all()
    assert (-both["amount"] <= both["amount_placed"]).all()

    joined = shop.customers.select("customer_id", "joined")
    brought = shop.referrals.join(joined, on="customer_id").join(joined, left_on="friend_id", right_on="customer_id", suffix="_friend")
    assert brought["friend_id"].is_unique().all()
    assert (brought["joined"] <= brought["joined_friend"]).all()
    assert (brought["customer_id"] < brought["friend_id"]).all()  # numbers go by joining: nobody brings whoever brought them
    assert (brought["time"].str.slice(0, 10) == brought["joined_friend"].cast(pl.String)).all()


def test_the_shop_looks_like_a_wholesale_platform(shop: Shop) -> None:
    counts = shop.truth.join(
        shop.orders.group_by("customer_id").agg(pl.col("amount").sum(), (pl.col("amount") > 0).sum().alias("orders")),
        on="customer_id",
        how="left",
    ).fill_null(0)
    assert 7 < counts["orders"].to_numpy().mean() < 10
    assert 0.05 < (counts["orders"] == 0).to_numpy().mean() < 0.4
    assert 0.6 < gini(counts.filter(pl.col("orders") > 0)["amount"]) < gini(counts["amount"]) < 0.82
    assert counts["amount"].sort().to_numpy()[-200:].sum() > 0.15 * counts["amount"].to_numpy().sum()  # the first hundredth
    assert 0.4 < shop.truth["alive"].to_numpy().mean() < 0.7
    assert (shop.orders["amount"] < 0).to_numpy().mean() == pytest.approx(0.03, abs=0.003)
    assert shop.customers.select(pl.col("staff", "blocked", "do_not_contact").mean()).row(0) == pytest.approx(
        (0.005, 0.007, 0.03), abs=0.004
    )

    sizes = shop.customers["account"].drop_nulls().value_counts()["count"]
    assert sizes.to_numpy().max() > 30 > np.median(sizes.to_numpy()) > 2
    abusers = shop.orders.join(shop.customers.filter("blocked"), on="customer_id")["amount"].to_numpy()
    assert np.median(abusers) < 0.05 * np.median(shop.orders["amount"].to_numpy())


@pytest.fixture(scope="module")
def in_roles(shop: Shop) -> pl.DataFrame:
    settings = launch_settings({"launch.as_of": str(AS_OF)})
    orders, customers = shop.orders.select("customer_id", "time", "amount"), shop.customers.select("customer_id", "joined", "staff")
    tables = canonical_tables(
        {"orders": orders, "customers": customers, "events": shop.events, "referrals": shop.referrals}, settings.data, settings.launch
    )
    frame = with_roles(measure(tables, as_of=AS_OF, half_life_days=90), tables, settings, AS_OF, 90)
    return frame.join(shop.truth, on="customer_id")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("role", "true"), [("support", "answers"), ("product", "ideas"), ("content", "posts"), ("acquisition", "influence")]
)
def test_who_answers_who_brings_and_who_writes_is_found_by_their_roles(in_roles: pl.DataFrame, role: str, true: str) -> None:
    frame, few = in_roles, in_roles.height // 20
    top, best = frame.top_k(few, by=f"role_{role}"), frame.top_k(few, by=true)
    assert len(set(top["customer_id"]) & set(best["customer_id"])) / few >= 3 * 0.05
    assert (frame[f"role_{role}"] >= HOLDS).mean() < 0.06
    if true != "influence":  # of which everybody has some
        assert top[true].mean() >= 3 * frame[true].mean()


def test_all_provinces_in_uneven_number_and_some_in_another_spelling(shop: Shop) -> None:
    spelt = shop.customers["province"]
    names = spelt.unique().to_frame().with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in ("city", "district", "address"))
    plain = spelt.replace(names["province"], resolve_places(names)["province"])
    assert plain.n_unique() == 31
    assert set(plain.value_counts(sort=True)["province"][:5]) == {"广东", "山东", "河南", "江苏", "四川"}
    assert {"四川省", "四川", "Sichuan"} <= set(spelt)
    assert 0.01 < 1 - spelt.str.contains("(省|市|区)$").to_numpy().mean() < 0.03
    cities = pl.DataFrame({"province": plain, "city": shop.customers["city"]}).unique()
    assert cities["city"].str.ends_with("市").all()
    assert cities["city"].n_unique() == cities.height > 100  # each in one province


def test_the_tables_need_no_mapping(shop: Shop) -> None:
    settings = launch_settings(
        {"launch.as_of": str(AS_OF), "data.customers.contact": ("phone", "wechat"), "data.customers.attributes": ("type", "account")}
    )
    raw = {name: getattr(shop, name) for name in FRAMES[:-1]}
    tables = canonical_tables(raw, settings.data, settings.launch)
    assert tables.rejects.is_empty()
    assert tables.customers is not None
    for name, frame in raw.items():
        rows = tables.orders.single() if name == "orders" else getattr(tables, name)
        assert rows.height == frame.height
    assert tables.orders.single()["amount"].sum() == round(100 * shop.orders["amount"].to_numpy().sum())
    assert tables.orders.single()["is_order"].sum() == (shop.orders["amount"] > 0).sum()
    assert tables.customers["joined"].null_count() == 0


@pytest.mark.slow
def test_seasons(shop: Shop, orders: pl.DataFrame) -> None:
    placed = orders.filter(pl.col("amount") > 0)
    # What the truth expects of each day: everyone who was a customer on it, in its season.
    days = pl.DataFrame({"day": pl.date_range(START, AS_OF, closed="left", eager=True), "busy": season(START, DAYS)})
    there = pl.col("day").is_between(pl.col("joined"), pl.col("dropped_at").fill_null(AS_OF), closed="left")
    everyone = shop.truth.join(shop.customers, on="customer_id").select("joined", "dropped_at", "rate")
    expected = days.join(everyone, how="cross").filter(there).group_by("day").agg((pl.col("busy") * pl.col("rate")).sum())
    found = placed.group_by(pl.col("time").dt.date().alias("day")).agg(pl.len().alias("found"))
    both = expected.join(found, on="day").group_by(pl.col("day").dt.strftime("%Y-%m")).agg(pl.col("busy", "found").sum())
    assert both.height == 24
    assert ((both["found"] - both["busy"]).abs() < 5 * both["busy"].sqrt()).all()
    months = placed.filter(pl.col("time") >= date(2025, 7, 1)).group_by(pl.col("time").dt.month()).len().sort("time")["len"]
    assert months.arg_min() == 1  # spring festival
    assert months[11] > 1.2 * months[8]

    def share(category: str, month: int) -> float:
        of = placed.filter(pl.col("time").dt.month() == month)["category"]
        return float((of == category).sum() / len(of))

    assert share("感冒用药", 1) > 2 * share("感冒用药", 7)
    assert share("消毒防护", 7) > 1.5 * share("消毒防护", 1)
    hours = placed.group_by(pl.col("time").dt.hour()).len().sort("time")["len"]
    assert len(hours) == 24
    assert hours[10] > 10 * hours[3]


def test_most_of_what_customers_order_is_of_their_topic(shop: Shop, orders: pl.DataFrame) -> None:
    topics = shop.truth["topic"]
    assert topics.n_unique() == 5
    assert topics.null_count() / len(topics) == pytest.approx(0.15, abs=0.02)
    placed = orders.filter(pl.col("amount") > 0, pl.col("topic").is_not_null())
    of_topic = pl.col("topic").str.split(" · ").list.contains(pl.col("category"))
    by_topic = placed.group_by("topic").agg(of_topic.mean().alias("share"))
    assert by_topic["share"].is_between(0.75, 0.95).all()


def test_expected_spend_is_what_the_law_gives_on_average() -> None:
    # The law once more, day by day and order by order.
    horizon, runs, rng = 60, 3_000, np.random.default_rng(5)
    truth = simulate(60, 365, AS_OF, seed=11).truth
    hazard, rate, mean = (truth[name].to_numpy()[:, None] for name in ("hazard", "rate", "amount_mean"))
    there = np.repeat(truth["alive"].to_numpy()[:, None], runs, axis=1)
    spend = np.zeros(there.shape)
    for busy in season(AS_OF, horizon):
        there &= rng.random(there.shape) >= hazard
        placed = rng.poisson(rate * busy * there)
        who, run = (np.repeat(index.ravel(), placed.ravel()) for index in np.indices(placed.shape))
        amount = mean[who, 0] * np.exp(rng.normal(-0.18, 0.6, len(who)))
        back = np.where(rng.random(len(who)) < 0.6, 1, rng.uniform(0.1, 0.9, len(who))) * (rng.random(len(who)) < 0.03)
        np.add.at(spend, (who, run), amount * (1 - back))
    expected = expected_spend(truth, horizon)["expected_spend"].to_numpy()
    error = np.abs(spend.mean(axis=1) - expected)
    assert (error <= 5 * spend.std(axis=1) / np.sqrt(runs)).all()
    assert spend.mean(axis=1).sum() == pytest.approx(expected.sum(), rel=0.03)
    assert (expected[~truth["alive"].to_numpy()] == 0).all()
    assert np.count_nonzero(expected) > 20


def test_past_spend_agrees_with_the_truth(shop: Shop, orders: pl.DataFrame) -> None:
    began = AS_OF - timedelta(days=180)
    whole = shop.truth.join(shop.customers.select("customer_id", "joined"), on="customer_id").filter("alive", pl.col("joined") < began)
    net = orders.filter(pl.col("time") >= began).group_by("customer_id").agg(pl.col("amount").sum())
    both = whole.join(net, on="customer_id", how="left").with_columns(pl.col("amount").fill_null(0))
    placed = both["rate"].to_numpy() * season(began, 180).sum()
    expected = placed * both["amount_mean"].to_numpy() * (1 - 0.03 * 0.8)
    deviation = np.sqrt((placed * (both["amount_mean"].to_numpy() * np.exp(0.18)) ** 2).sum())  # of a compound Poisson sum
    assert abs(both["amount"].to_numpy().sum() - expected.sum()) < 4 * deviation < 0.15 * expected.sum()
    assert pl.DataFrame({"net": both["amount"], "expected": expected}).select(pl.corr("net", "expected", method="spearman")).item() > 0.8


def test_influence_shows_in_events_and_referrals_and_activity_in_joining(shop: Shop) -> None:
    spoken = shop.events.filter(pl.col("kind").is_in(["feedback", "review", "share"])).group_by("customer_id").len("spoken")
    brought = shop.referrals.group_by("customer_id").len("brought")
    seen = shop.events.filter(pl.col("time") >= f"{AS_OF - timedelta(days=60)}").select("customer_id", seen=True).unique()
    each = shop.truth.join(spoken, on="customer_id", how="left").join(brought, on="customer_id", how="left")
    each = each.join(seen, on="customer_id", how="left").with_columns(
        pl.col("spoken", "brought").fill_null(0), pl.col("seen").fill_null(False)
    )
    high = pl.col("influence") > pl.col("influence").quantile(0.8)
    for column in ("spoken", "brought", "join_probability"):
        assert each.filter(high)[column].to_numpy().mean() > 1.4 * each.filter(~high)[column].to_numpy().mean(), column
    assert (
        each.filter("seen")["join_probability"].to_numpy().mean() > 1.5 * each.filter(~pl.col("seen"))["join_probability"].to_numpy().mean()
    )
    assert each["join_probability"].is_between(0, 1, closed="none").all()


def run_demo(folder: Path, *overrides: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(ROOT / "pipelines" / "demo.py"), *overrides]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8", check=False)


@pytest.mark.slow
def test_the_script_writes_the_tables_and_says_how_to_launch_on_them(tmp_path: Path) -> None:
    done = run_demo(tmp_path, "out=我的 shop", "customers=120", "launch.name=一月")
    assert done.returncode == 0, done.stderr
    out = tmp_path / "我的 shop"
    assert [path.name for path in tmp_path.iterdir()] == ["我的 shop"]
    assert sorted(path.name for path in out.iterdir()) == ["customers.csv", "events.csv", "manifest.json", "orders.csv", "referrals.csv"]
    assert (out / "customers.csv").read_bytes().startswith("\ufeffcustomer_id,name,type".encode())

    shop = simulate(120, DAYS, AS_OF, seed=20260101)
    for name in ("orders", "customers", "events", "referrals"):
        frame = getattr(shop, name)
        assert_frame_equal(pl.read_csv(out / f"{name}.csv", schema=frame.schema), frame)
    line = next(line for line in done.stdout.splitlines() if line.startswith("segmenter launch "))
    job = settings_of("launch", *shlex.split(line)[2:])
    assert job.launch.name == "一月"
    assert job.launch.as_of == AS_OF
    assert job.data.kind == "files"
    assert job.data.orders.path == "我的 shop/orders.csv"
    assert job.data.customers.contact == ("phone", "wechat")
