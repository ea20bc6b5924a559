"""The demo shop lives on after a launch, by the law that it lived by before."""

import json
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import openpyxl
import polars as pl
import pytest
from jobs import run_command, settings_of
from polars.testing import assert_frame_equal

from segmenter import launch_settings
from segmenter.demo.aftermath import After, live_on
from segmenter.demo.calls import CALLS
from segmenter.demo.filled_sheets import fill_sheets
from segmenter.demo.past_launch import read_demo_launch
from segmenter.demo.shop import Shop, expected_spend, simulate
from segmenter.demo.shop_files import later_shop_outputs, new_shop_outputs
from segmenter.errors import ConfigError, InputError
from segmenter.launch_stages import plan_launch
from segmenter.loader import read_tables
from segmenter.report.call_sheet_book import BookMaker
from segmenter.report.call_sheets import call_sheets
from segmenter.report.launch_outputs import launch_outputs
from segmenter.report.outputs import write_outputs
from segmenter.report.plan_words import in_words
from segmenter.sources.answers import read_answers
from segmenter.tables import ANSWERS

AS_OF, DAYS = date(2026, 7, 1), 30
END = AS_OF + timedelta(days=DAYS)
FRAMES = ("orders", "customers", "events", "referrals")


@pytest.fixture(scope="module")
def shop() -> Shop:
    return simulate(20_000, 730, AS_OF, seed=7)


@pytest.fixture(scope="module")
def invited(shop: Shop) -> pl.DataFrame:
    """Every second customer, a third of them a week later."""
    number = pl.col("customer_id").str.slice(1).cast(pl.Int64)
    later = AS_OF + timedelta(days=7)
    return shop.truth.filter(number % 2 == 0).select("customer_id", pl.when(number % 3 == 0).then(later).otherwise(AS_OF).alias("call_on"))


@pytest.fixture(scope="module")
def after(shop: Shop, invited: pl.DataFrame) -> After:
    return live_on(shop, DAYS, invited, effect=0.5, seed=7)


def since(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.filter(pl.col("time") >= f"{AS_OF}")


def test_what_was_there_before_stays_and_the_new_rows_look_like_it(shop: Shop, after: After) -> None:
    for name in FRAMES:
        before, whole = getattr(shop, name), getattr(after.shop, name)
        assert whole.head(before.height).write_csv() == before.write_csv()
        assert whole.height > before.height
    for frame in (after.shop.orders, after.shop.events, after.shop.referrals):
        assert frame["time"].is_sorted()
        assert frame["time"][-1] < f"{END}"
        assert (
            frame.filter(pl.col("time") < f"{AS_OF}").height
            == getattr(shop, "orders" if "amount" in frame.columns else "events" if "kind" in frame.columns else "referrals").height
        )
    orders, customers, referrals = after.shop.orders, after.shop.customers, after.shop.referrals
    assert orders["order_id"].is_unique().all()
    assert customers.select(pl.col("customer_id", "phone").is_unique().all()).row(0) == (True, True)
    new = customers.tail(customers.height - shop.customers.height)
    assert new["joined"].is_between(AS_OF, END, closed="left").all()
    for frame, column in (
        (orders, "customer_id"),
        (after.shop.events, "customer_id"),
        (referrals, "customer_id"),
        (referrals, "friend_id"),
    ):
        assert frame.join(customers, left_on=column, right_on="customer_id", how="anti").is_empty()
    first = since(orders).join(new, on="customer_id").filter(pl.col("time").str.slice(0, 10).str.to_date() < pl.col("joined"))
    assert first.is_empty()
    refunds = since(orders).filter(pl.col("amount") < 0).with_columns(pl.col("order_id").str.strip_prefix("R"))
    both = refunds.join(orders, on=["order_id", "customer_id", "category"], suffix="_placed")
    assert both.height == refunds.height
    assert ((both["time"] > both["time_placed"]) & (-both["amount"] <= both["amount_placed"])).all()
    assert (both["time_placed"] < f"{AS_OF}").any()  # of orders before the launch, too


def test_who_was_not_invited_lives_as_if_nothing_had_happened(shop: Shop, invited: pl.DataFrame, after: After) -> None:
    nothing = live_on(shop, DAYS, invited.clear(), effect=0.5, seed=7)
    joined = after.effects.drop_nulls("joined_on")["customer_id"].implode()
    columns = pl.exclude("order_id")  # numbered through the day
    brought = after.shop.customers.tail(after.shop.customers.height - nothing.shop.customers.height)["customer_id"].implode()
    for name in ("orders", "events"):
        mine, theirs = (
            since(getattr(each.shop, name))
            .filter(~pl.col("customer_id").is_in(joined), ~pl.col("customer_id").is_in(brought))
            .select(columns)
            for each in (after, nothing)
        )
        assert_frame_equal(mine, theirs, check_row_order=False)
    gone = since(nothing.shop.orders).filter(pl.col("amount") > 0).join(shop.truth.filter(~pl.col("alive")), on="customer_id")
    assert gone.is_empty()
    # The law: what all can be expected to spend. Refunds of the last days come after the end.
    old = since(nothing.shop.orders).join(shop.truth, on="customer_id")
    assert old["amount"].sum() == pytest.approx(expected_spend(shop.truth, DAYS)["expected_spend"].sum(), rel=0.06)
    assert nothing.effects["effect"].sum() == nothing.effects["friends"].sum() == 0


@pytest.mark.slow
def test_answers_follow_the_chance_to_join(shop: Shop, invited: pl.DataFrame) -> None:
    after = live_on(shop, DAYS, invited, effect=0.5, seed=7, brings=0)  # whom others bring is no answer
    both = after.answers.drop("call_on").join(shop.truth, on="customer_id").join(invited, on="customer_id")
    assert both.height == invited.height
    joined = both.filter(answer="joined")
    expected = both["join_probability"].to_numpy()
    assert abs(joined.height - expected.sum()) < 4 * np.sqrt((expected * (1 - expected)).sum())
    assert joined["join_probability"].mean() > both["join_probability"].mean() + 0.02
    waited = after.calls.join(invited.rename({"call_on": "planned"}), on="customer_id")
    assert set((waited["called_on"] - waited["planned"]).dt.total_days()) == {0, 1, 2}
    shares = dict(both["answer"].value_counts(normalize=True).rows())
    assert set(shares) == {*ANSWERS, None}
    assert shares["refused"] > 4 * shares["refused_for_good"] > 0
    listed = after.effects.drop_nulls("joined_on")
    assert listed["customer_id"].to_list() == joined["customer_id"].to_list()
    assert listed["joined_on"].to_list() == joined["answered_on"].to_list()
    few = live_on(shop, DAYS, invited.head(50), effect=0.5, seed=7, brings=0).answers
    assert_frame_equal(few, after.answers.head(50))  # whatever others do
    late = live_on(shop, 7, invited, effect=0.5, seed=7).answers
    assert late["answered_on"].max() < AS_OF + timedelta(days=7)


@pytest.mark.slow
def test_the_effect_is_what_joining_brings_and_its_expectation_is_right_on_average(shop: Shop, invited: pl.DataFrame, after: After) -> None:
    nothing = live_on(shop, DAYS, invited, effect=0.0, seed=7)
    spent = [since(each.shop.orders).group_by("customer_id").agg(pl.col("amount").sum()) for each in (after, nothing)]
    gained = after.effects.join(spent[0], on="customer_id", how="left").join(spent[1], on="customer_id", how="left", suffix="_without")
    gained = gained.with_columns(gained=pl.col("amount").fill_null(0) - pl.col("amount_without").fill_null(0))
    assert (gained["gained"] - gained["effect"]).abs().max() < 0.005
    assert gained.filter(pl.col("joined_on").is_null()).select(pl.col("effect", "expected_effect").abs().max()).row(0) == (0, 0)
    # Each year of another luck, the same people join; what they bring is the expectation on average.
    effects = [live_on(shop, DAYS, invited, effect=4.0, seed=seed).effects for seed in range(6)]
    realised, expected = (sum(each[name].sum() for each in effects) for name in ("effect", "expected_effect"))
    assert realised == pytest.approx(expected, rel=0.04)
    assert 300 < sum(each["friends"].sum() for each in effects) < 20_000
    brought = after.shop.referrals.tail(after.shop.referrals.height - shop.referrals.height).join(after.effects, on="customer_id")
    assert brought.filter(pl.col("joined_on").is_not_null()).height >= after.effects["friends"].sum() > 0


@pytest.mark.slow
def test_the_same_arguments_live_the_same(shop: Shop, invited: pl.DataFrame, after: After) -> None:
    again = live_on(shop, DAYS, invited.reverse(), effect=0.5, seed=7)
    for name in FRAMES:
        assert_frame_equal(getattr(again.shop, name), getattr(after.shop, name))
    assert_frame_equal(again.answers, after.answers)
    assert_frame_equal(again.effects, after.effects)


def launch(folder: Path, *more: str) -> None:
    options = [
        *more,
        "data.shop.customers=600",
        "data.shop.days=400",
        "plan.size=80",
        "plan.by_region=none",
        "segments.k=2",
        "segments.bootstraps=2",
    ]
    settings = settings_of("launch", *options, "lang=zh", "tracking=none", f"out={folder}/outputs/demo")
    read = read_tables(settings.data, settings.launch, seed=settings.seed)
    write_outputs(launch_outputs(in_words(plan_launch(read.tables, settings), settings), read, settings), read, settings)


@pytest.mark.slow
def test_the_job_gives_back_filled_call_sheets_and_the_shop_up_to_then(tmp_path: Path) -> None:
    launch(tmp_path)
    said = run_command("demo", "results=outputs/demo", cwd=tmp_path).stdout
    follow_ups = [{*line.split()} for line in said.splitlines() if "data=demo_after" in line]
    for words in ("review launch.name=demo review.as_of=2026-07-31", "launch launch.name=next launch.as_of=2026-07-31"):
        assert any({"data.dir=demo_shop", *words.split()} <= line for line in follow_ups)
    out = tmp_path / "demo_shop"
    shop = simulate(600, 400, AS_OF, seed=20260101)
    for name in FRAMES:
        text = (out / f"{name}.csv").read_text(encoding="utf-8-sig")
        assert text.startswith(getattr(shop, name).write_csv(float_precision=2))
    (sheet,), (blank,) = (sorted(place.glob("*.xlsx")) for place in (out / "answers", tmp_path / "outputs" / "demo" / "call_sheets"))
    rows, before = (list(openpyxl.load_workbook(path).worksheets[0].iter_rows(values_only=True)) for path in (sheet, blank))
    assert rows[0] == before[0]
    answer = rows[0].index("答复")
    assert [row[: answer - 3] for row in rows] == [row[: answer - 3] for row in before]
    assert {"已入群", "拒绝", None} < {row[answer] for row in rows}

    invites = pl.read_parquet(tmp_path / "outputs" / "demo" / "invite_list.parquet").select("customer_id", "call_on")
    truth = live_on(shop, DAYS, invites, effect=0.25, seed=20260101)
    found = read_answers([str(sheet)], before=END, timezone="Asia/Shanghai", since=AS_OF)
    assert found.rejects.is_empty()
    assert found.answers.height + found.open == invites.height
    by_call = truth.answers.filter(answer="joined")
    assert found.answers.filter(answer="joined")["customer_id"].to_list() == by_call["customer_id"].to_list()
    lists = [pl.read_csv(path, encoding="gb18030", infer_schema=False) for path in (out / "answers").glob("*.csv")]
    listed = pl.concat(lists).drop_nulls("入群时间")
    assert set(listed["手机号"]) == set(truth.shop.customers.join(truth.members, on="customer_id")["phone"])
    assert truth.effects.drop_nulls("joined_on")["customer_id"].to_list() == truth.members["customer_id"].to_list()
    assert listed["邀请人"].null_count() == 0

    def written():  # but for the manifest, which tells overwrite
        return {path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file() and path.name != "manifest.json"}

    first = written()
    (out / "answers" / "of another launch.xlsx").write_bytes(b"")
    run_command("demo", "results=outputs/demo", "overwrite=true", cwd=tmp_path)
    assert written() == first

    manifest = tmp_path / "outputs" / "demo" / "manifest.json"
    told = json.loads(manifest.read_text(encoding="utf-8"))
    told["config"]["data"]["kind"] = "files"
    manifest.write_text(json.dumps(told), encoding="utf-8")
    with pytest.raises(InputError, match="only that shop lives on"):
        read_demo_launch(manifest.parent)
    del told["config"]["data"]["kind"]
    manifest.write_text(json.dumps(told), encoding="utf-8")
    with pytest.raises(InputError, match=r"lacks 'kind'.*launch again"):
        read_demo_launch(manifest.parent)
    with pytest.raises(InputError, match=r"with manifest.json .*run segmenter launch"):
        read_demo_launch(tmp_path)


@pytest.mark.slow
def test_an_answer_goes_into_one_of_the_workbooks_that_a_customer_stands_in(small_shop, tmp_path: Path) -> None:
    small = {"scoring": "weighted", "plan.size": 60, "plan.holdout": 0, "plan.by_region": "none", "segments.k": 2, "segments.bootstraps": 2}
    agents = {"plan.agents": [{"name": "Wang", "calls_per_day": 25, "regions": []}], "launch.as_of": "2026-07-01"}
    settings = launch_settings(small | agents)
    plan = in_words(plan_launch(small_shop, settings), settings)
    ids = plan.invite_list["customer_id"]
    given = pl.DataFrame({"customer_id": ids, "answer": "joined", "answered_on": date(2026, 7, 20), "reason": None})
    sheets = BookMaker(call_sheets(plan, settings, small_shop.contacts)).write(tmp_path)
    for order in (sheets, sheets[::-1]):
        copies = fill_sheets(order, given, tmp_path / "filled", seed=1, lang="en")
        found = read_answers([str(tmp_path / "filled")], before=date(2026, 7, 31), timezone="Asia/Shanghai")
        assert found.rejects.is_empty()
        assert (found.answers["customer_id"].sort().to_list(), found.open) == (ids.sort().to_list(), 0)
        assert {source.partition(" [")[0] for source in found.answers["source"]} == {copies[0].name}


def played(folder: Path, day: date, *options: str) -> pl.DataFrame:
    """Play a day of the demo's launch, and give the calls so far."""
    settings = settings_of("demo", f"results={folder}/outputs/demo", f"out={folder}/shop", f"day={day}", *options)
    past = read_demo_launch(folder / "outputs" / "demo")
    write_outputs(later_shop_outputs(settings, past), None, settings)
    return pl.read_csv(folder / "shop" / "calls.csv", schema=CALLS)


@pytest.mark.slow
def test_a_month_is_played_day_by_day(tmp_path: Path) -> None:
    launch(tmp_path)
    sheets, out = f"sheets={tmp_path}/outputs/demo/call_sheets", tmp_path / "shop"
    assert played(tmp_path, AS_OF - timedelta(days=1)).is_empty()
    first = played(tmp_path, AS_OF, sheets)
    written = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert_frame_equal(played(tmp_path, AS_OF, sheets), first)
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == written
    second = played(tmp_path, AS_OF + timedelta(days=1), sheets, "untidy=true")
    assert_frame_equal(second.filter(pl.col("called_on") == AS_OF), first)
    assert second.filter(pl.col("attempt") == 2).height > 50
    assert {path.name[:10] for path in (out / "answers").glob("2026*")} == {"2026-07-01", "2026-07-02"}
    orders = pl.read_csv(out / "orders.csv")["time"]
    assert f"{AS_OF + timedelta(days=1)}" < orders.max() < f"{AS_OF + timedelta(days=2)}"
    found = read_answers(
        [f"{out}/answers/{path.name}" for path in (out / "answers").glob("2026-07-01*")], before=END, timezone="Asia/Shanghai"
    )
    both = found.answers.join(first, on="customer_id", suffix="_said")
    assert both.height == first.height
    assert (both["answer"] == both["answer_said"]).mean() > 0.99
    with pytest.raises(ConfigError, match=r"day: should be from 2026-07-02 on .*got 2026-06-30"):
        played(tmp_path, AS_OF - timedelta(days=1))
    with pytest.raises(InputError, match="without any"):
        played(tmp_path, AS_OF + timedelta(days=2), f"sheets={tmp_path}/none")


def test_a_day_needs_a_launch() -> None:
    with pytest.raises(ConfigError, match="results: is needed"):
        new_shop_outputs(settings_of("demo", "day=2026-07-01"), AS_OF)


@pytest.mark.slow
def test_untidy_sheets_of_three_states_tell_the_truth(tmp_path: Path) -> None:
    launch(tmp_path, 'plan.agents=[{name: "王芳", calls_per_day: 20}, {name: "李强", calls_per_day: 20}, {name: Ann, calls_per_day: 20}]')
    settings = settings_of("demo", f"results={tmp_path}/outputs/demo", f"out={tmp_path}/shop", "untidy=true", "attempts=3")
    past = read_demo_launch(tmp_path / "outputs" / "demo")
    write_outputs(later_shop_outputs(settings, past), None, settings)
    files = sorted((tmp_path / "shop" / "answers").glob("2026*/*/*"))
    assert {path.suffix for path in files} == {".xlsx", ".csv"}
    assert {path.parent.parent.name for path in files} == {"2026-07-10", "2026-07-20", "2026-07-30"}
    assert all("答复" in path.read_text(encoding="gb18030") for path in files if path.suffix == ".csv")
    planned = past.invited.select("customer_id", planned_at="call_on")
    found = read_answers(list(map(str, files)), before=END, timezone="Asia/Shanghai", since=AS_OF, planned=planned)
    truth = live_on(simulate(600, 400, AS_OF, seed=20260101), DAYS, past.invited, effect=0.25, seed=20260101, attempts=3).answers
    strength = pl.col("answer").replace_strict(ANSWERS, range(len(ANSWERS)), return_dtype=pl.Int64)
    last = found.answers.sort("customer_id", "answered_on", strength).unique("customer_id", keep="last")
    both = truth.join(last, on="customer_id", how="left", suffix="_read")
    assert both.select(pl.col("answer").eq_missing(pl.col("answer_read")).mean()).item() > 0.97
    assert found.answers.height > truth.height * 1.5
