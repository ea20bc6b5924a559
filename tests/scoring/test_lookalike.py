"""Look-alikes: it finds the like of seeds, names what gives them away, says how far to trust it, and gives the same for the same customers."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import segmenter
from segmenter.errors import InputError
from segmenter.measures.spec import MONEY
from segmenter.scoring.lookalike import fit
from segmenter.tracking.served_model import ServedModel

SETTINGS = segmenter.launch_settings({"scoring": "lookalike", "scoring.seeds": "seeds.csv"}).scoring


def shop(seeds=300, customers=3_000, seed=1, **more):
    """Customers of whom some like the community, which spend and city tell in part; some of these are seeds."""
    chance = np.random.default_rng(seed)
    spend, gap = chance.lognormal(8, 1, customers).round(), chance.exponential(20, customers)
    city = chance.choice(["Chengdu", "Mianyang", "Yibin"], customers)
    likes = 2 * np.log(spend) - 16 + 1.5 * (city == "Yibin") + chance.normal(0, 1, customers) > 2
    chosen = np.zeros(customers, bool)
    chosen[np.flatnonzero(likes)[:seeds]] = True
    frame = pl.DataFrame({"customer_id": [f"C{number:05}" for number in range(customers)], "spend": spend, "city": city})
    gaps = pl.Series(np.where(chance.random(customers) < 0.3, np.nan, gap)).fill_nan(None)
    frame = frame.with_columns(average_gap_days=gaps, likes=pl.Series(likes), noise=pl.Series(chance.random(customers)))
    frame = frame.with_columns(pl.Series(name, make(chosen, chance)) for name, make in more.items())
    seed_of = pl.when(pl.Series(chosen))
    return frame.with_columns(lookalike=seed_of.then(pl.lit("seed")), verdict=seed_of.then(pl.lit("seed")).otherwise(pl.lit("eligible")))


def learned(frame):
    return fit(frame.drop("likes"), SETTINGS, None, horizon_days=30, seed=1)


@pytest.fixture(scope="module")
def ranking():
    return learned(shop())


def test_the_like_of_seeds_come_first_and_what_it_says_of_itself_holds(ranking):
    frame = shop()
    others = frame.filter(verdict="eligible")
    values = ranking.values(others)
    first = others["likes"].to_numpy()[np.argsort(-values)[:270]].mean()
    assert first > 3 * others["likes"].mean()
    assert (values > 0).all()
    assert (values < 1).all()
    said = ranking.evidence(None, horizon_days=30, seed=1)
    assert said.model["seeds"] == 300
    assert said.model["found"][1] < said.model["found"][0] < said.model["found"][2]
    assert said.model["lift"][1] > 2
    assert set(said.measures["measure"].head(2)) == {"spend", "city"}
    assert not said.warnings


def test_fewer_than_200_seeds_are_told_apart_by_a_line_and_fewer_than_50_are_said_to_be_few():
    ranking = learned(shop(seeds=40))
    assert ranking.trees is None
    [warning] = ranking.basis.warnings
    assert "40 seeds are few" in warning


def test_seeds_that_differ_in_nothing_are_said_to_be_found_by_chance():
    frame = shop(seeds=100).with_columns(pl.col("lookalike").shuffle(seed=4), city=pl.lit("Yibin"))
    frame = frame.with_columns(verdict=pl.when(pl.col("lookalike").is_null()).then(pl.lit("eligible")).otherwise(pl.lit("seed")))
    [warning] = learned(frame).basis.warnings
    assert "not in these columns" in warning


@pytest.mark.slow
def test_seeds_that_the_rules_would_remove_are_said():
    lapsed = pl.col("lookalike").is_not_null() & (pl.int_range(pl.len()) % 4 > 0)
    frame = shop().with_columns(verdict=pl.when(lapsed).then(pl.lit("recency")).otherwise("verdict"))
    [warning] = learned(frame).basis.warnings
    assert "(recency)" in warning


LEAKS = {
    "a_number_of_their_own": lambda seeds, chance: np.where(seeds, 5.0, 0) + chance.random(len(seeds)),
    "a_word_of_their_own": lambda seeds, chance: np.where(
        seeds & (chance.random(len(seeds)) < 0.4), "vip", chance.choice(["a", "b"], len(seeds))
    ),
    "a_gap_that_others_have": lambda seeds, chance: [None if not seed else "called" for seed in seeds],
    "a_number_that_they_lack": lambda seeds, chance: [None if seed else chance.random() for seed in seeds],
    "an_event_that_most_have": lambda seeds, chance: (seeds & (chance.random(len(seeds)) < 0.6)).astype(int),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", LEAKS)
def test_a_column_that_gives_seeds_away_is_named_and_left_out(ranking, name):
    found = learned(shop(**{name: LEAKS[name]}))
    [warning] = found.basis.warnings
    assert name in warning
    assert name not in found.columns
    assert found.columns == ranking.columns


@pytest.mark.slow
def test_that_rules_keep_others_in_one_region_gives_no_seeds_away():
    chance = np.random.default_rng(2)
    frame = shop(seeds=200)
    abroad = pl.Series(chance.random(frame.height) < 0.6) & pl.col("lookalike").is_not_null()
    places = {"province": pl.lit("Sichuan"), "city": pl.col("city")}
    frame = frame.with_columns(pl.when(abroad).then(pl.lit(f"other {name}")).otherwise(place).alias(name) for name, place in places.items())
    ranking = learned(frame)
    assert not ranking.basis.warnings
    assert ranking.columns == ["spend", "average_gap_days", "noise", "city"]
    # Nobody's city is like abroad: Yibin stays what it was worth.
    values = ranking.values(
        frame.head(1)
        .with_columns(spend=pl.lit(3_000.0))
        .join(pl.DataFrame({"town": ["Yibin", "Mianyang"]}), how="cross")
        .with_columns(city="town")
    )
    assert values[0] > values[1]


@pytest.mark.slow
def test_what_a_condition_names_is_not_learned_from():
    asked = segmenter.launch_settings({"scoring": "lookalike", "scoring.seeds": "sql: spend > 5000 AND noise > 0.5"}).scoring
    assert set(fit(shop().drop("likes"), asked, None, horizon_days=30, seed=1).columns) == {"city", "average_gap_days"}


@pytest.mark.slow
def test_what_came_after_the_seeds_were_chosen_is_not_learned_from():
    chance = np.random.default_rng(1)
    ids = [f"C{number:04}" for number in range(1_200)]
    likes = chance.random(1_200) < 0.3
    days = [("2026-03-01", 1 + 3 * likes), ("2026-06-01", 1 + 40 * (np.arange(1_200) < 150))]  # the first 150 are chosen between
    rows = [(name, day, 10.0) for day, often in days for name, count in zip(ids, often, strict=True) for _ in range(count)]
    orders = pl.DataFrame(rows, ["customer_id", "time", "amount"], orient="row").with_columns(
        order_id=pl.int_range(pl.len()).cast(pl.String)
    )
    overrides = {"launch.as_of": "2026-07-01", "scoring": "lookalike", "scoring.seeds": "seeds.csv"}
    for more, lately in (({}, True), ({"scoring.seeds_on": "2026-05-01"}, False)):
        asked = segmenter.launch_settings({**overrides, **more, "plan.size": 100})
        tables = segmenter.canonical_tables({"orders": orders}, asked.data, asked.launch)
        tables = replace(tables, seeds=pl.Series(ids[:150]).filter(pl.Series(likes[:150])))
        plan = segmenter.plan_launch(tables, asked)
        assert plan.ranking.model["on"] == more.get("scoring.seeds_on")
        assert set(plan.customers.filter("invited")["lookalike"]) == {None}
        assert any("gives the seeds away" in str(warning) for warning in plan.warnings) is lately


@pytest.mark.parametrize(
    ("frame", "part"),
    [
        (shop(seeds=1), "10 seeds to learn from (got 1)"),
        (shop().with_columns(verdict=pl.lit("seed")), "10 others who may be invited (got 0)"),
        (shop().select("customer_id", "lookalike", "verdict", likes=1), "do not differ"),
        (shop().drop("lookalike"), "only as the launch's own"),
        (
            shop(seeds=20).with_columns(verdict=pl.when(pl.col("lookalike").is_not_null()).then(pl.lit("staff")).otherwise("verdict")),
            "(got 0)",
        ),
    ],
)
def test_what_cannot_be_learned_from_has_its_message(frame, part):
    with pytest.raises(InputError, match=part.replace("(", r"\(").replace(")", r"\)")):
        learned(frame)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2_999), st.integers(1, 400))
def test_a_customer_is_as_alike_alone_as_among_others(ranking, start, count):
    frame = shop()
    whole = ranking.values(frame)
    assert np.array_equal(ranking.values(frame[start : start + count]), whole[start : start + count])
    assert np.array_equal(ranking.values(frame.reverse()), whole[::-1])


@pytest.mark.slow
def test_the_launchs_model_scores_others_by_their_places_too():
    chance = np.random.default_rng(3)
    rows = [(f"C{number:03}", f"2026-0{chance.integers(1, 7)}-10", 10.0 * (1 + number % 7)) for number in range(300) for _ in range(3)]
    orders = pl.DataFrame(rows, ["customer_id", "time", "amount"], orient="row").with_columns(
        order_id=pl.int_range(pl.len()).cast(pl.String)
    )
    city = pl.when(pl.int_range(pl.len()) % 2 == 0).then(pl.lit("Yibin")).otherwise(pl.lit("Mianyang"))
    customers = pl.DataFrame({"customer_id": [f"C{number:03}" for number in range(300)]}).with_columns(city=city)
    asked = segmenter.launch_settings({"launch.as_of": "2026-07-01", "scoring": "lookalike", "scoring.seeds": "VIP/seeds.csv"})
    tables = segmenter.canonical_tables({"orders": orders, "customers": customers}, asked.data, asked.launch)
    seeds = customers["customer_id"].gather([*range(0, 60, 2), *range(1, 13, 2)])
    plan = segmenter.plan_launch(replace(tables, seeds=seeds), asked)
    assert plan.ranking.model["from"] == "seeds.csv"
    assert "city" in plan.model.columns
    rows = segmenter.to_units(plan.customers, list(MONEY), "CNY").to_pandas()
    assert ServedModel(plan.model).predict(rows)["score"].to_list() == pytest.approx(plan.customers["score"].to_list(), abs=1e-9)


@pytest.mark.slow
def test_learned_again_on_other_threads_not_a_bit_differs(ranking, monkeypatch):
    frame = shop()
    monkeypatch.setattr("os.cpu_count", lambda: 5)
    again = learned(frame)
    assert np.array_equal(again.values(frame), ranking.values(frame))
    assert ranking.values(frame[:0]).shape == (0,)
