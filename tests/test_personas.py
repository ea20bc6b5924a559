import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import segmenter
from segmenter.errors import ConfigError, InputError
from segmenter.personas import Overlaps, check_personas, count_personas, with_personas
from segmenter.settings import PersonaSettings

FRAME = pl.DataFrame(
    {
        "customer_id": ["a", "b", "c", "d"],
        "spend": [1_000, 20_000, 90_000, None],
        "type": ["clinic", "clinic", "pharmacy", None],
        "verdict": ["eligible", "recency", "eligible", "eligible"],
        "invited": [True, False, False, True],
    }
)
CLINIC = {"name": "clinic", "where": "type = 'clinic'"}
BIG = {"name": "big", "where": "spend >= 200"}


def personas(*wanted: dict[str, str]) -> tuple[PersonaSettings, ...]:
    return segmenter.launch_settings({"personas": list(wanted)}).personas


def assigned(*wanted: dict[str, str], frame: pl.DataFrame = FRAME) -> tuple[list[str], Overlaps]:
    customers, overlaps = with_personas(frame, personas(*wanted), "CNY")
    return customers["persona"].to_list(), overlaps


def test_the_first_that_matches_counts_in_currency_units_and_others_are_other():
    assert assigned(CLINIC, BIG)[0] == ["clinic", "clinic", "big", "other"]
    assert assigned(BIG, CLINIC)[0] == ["clinic", "big", "big", "other"]


def test_overlaps_are_counted_with_those_further_down():
    _, done = assigned(CLINIC, BIG, {"name": "anybody", "where": "customer_id <> 'd'"})
    assert done.also == {"clinic": {"big": 1, "anybody": 2}, "big": {"anybody": 1}}
    customers, _ = with_personas(FRAME, personas(CLINIC, BIG), "CNY")
    table = count_personas(customers, personas(CLINIC, BIG), done.also)
    assert table.rows() == [("clinic", 2, 1, 1, "big 1 · anybody 2"), ("big", 1, 1, 0, "anybody 1"), ("other", 1, 1, 1, None)]
    assert count_personas(FRAME, (), {}).is_empty()
    assert with_personas(FRAME, (), "CNY")[0] is FRAME


def test_a_persona_that_nobody_is_says_why():
    wanted = [CLINIC, {"name": "hospitals", "where": "type = 'hospital'"}, {"name": "too", "where": "type LIKE 'cl%'"}]
    nobody, shadowed = assigned(*wanted)[1].warnings
    assert (nobody.code, shadowed.code) == ("personas.nobody", "personas.shadowed")
    assert nobody.startswith("personas.1.where (hospitals)")
    assert shadowed.facts["count"] == 2
    assert shadowed.facts["above"] == ("clinic",)


def test_conditions_that_cannot_be_computed_are_named_all_at_once_before_any_work():
    wrong = personas({"name": "a", "where": "spnd > 1"}, CLINIC, {"name": "b", "where": "spend +"}, {"name": "c", "where": "spend + 1"})
    with pytest.raises(ConfigError) as error:
        check_personas(FRAME, wrong, "CNY")
    first, second, third = error.value.problems
    assert first == 'personas.0.where (a): there is no measure "spnd"; nearest: spend'
    assert second.startswith("personas.2.where (b)")
    assert third.startswith("personas.3.where (c)")


def test_topics_may_be_named_before_they_are_there_and_the_name_is_ours():
    check_personas(FRAME, personas({"name": "a", "where": "topic = 'tea' AND topic_share > 0.5"}), "CNY")
    with pytest.raises(InputError, match="persona"):
        check_personas(FRAME.with_columns(persona=pl.lit("mine")), personas(CLINIC), "CNY")
    check_personas(FRAME.with_columns(persona=pl.lit("mine")), (), "CNY")


@pytest.mark.parametrize(
    ("wanted", "named"),
    [
        ([CLINIC, CLINIC], "clinic"),
        ([{"name": "other", "where": "spend > 1"}], "other"),
        ([{**CLINIC, "script": "Hello {nmae}"}], "{nmae}"),
        ([{**CLINIC, "script": "Hello {name}: {hook}"}], "personas.0.script: has {hook}, which needs hook"),
        ([{**CLINIC, "script": "Hello from {shop}"}], "launch.shop"),
        ([{"name": "x"}], "personas[0].where"),
        ([{**CLINIC, "hoook": "x"}], "nearest: hook"),
        ("mine", "personas: should be a list"),
    ],
)
def test_settings_that_are_wrong_are_named(wanted, named):
    with pytest.raises(ConfigError) as error:
        segmenter.launch_settings({"personas": wanted})
    assert named in str(error.value)


@pytest.mark.slow
@given(
    st.permutations(range(4)),
    st.lists(st.sampled_from([CLINIC, BIG, {"name": "known", "where": "type IS NOT NULL"}]), unique_by=str, min_size=1),
)
def test_nothing_depends_on_the_order_of_rows(order, wanted):
    (straight, also), (turned, again) = assigned(*wanted), assigned(*wanted, frame=FRAME[order])
    assert [straight[row] for row in order] == turned
    assert also == again
    assert {*straight} <= {*(each["name"] for each in wanted), "other"}


def test_a_launch_has_them_as_columns_and_layers(small_shop):
    wanted = [
        {"name": "hospital", "where": "spend > 50000"},
        {"name": "village", "where": "orders < 3"},
        {"name": "none", "where": "orders < 0"},
    ]
    plain = segmenter.launch_settings({"launch.as_of": "2026-07-01", "scoring": "spend", "segments.k": 2, "plan.size": 50})
    settings = segmenter.launch_settings(
        {"launch.as_of": "2026-07-01", "scoring": "spend", "segments.k": 2, "plan.size": 50, "personas": wanted}
    )
    made, before = segmenter.plan_launch(small_shop, settings), segmenter.plan_launch(small_shop, plain)
    assert made.personas["customers"].sum() == made.customers.height
    assert made.personas["invited"].sum() == made.invite_list.height == 50
    assert [warning.code for warning in made.warnings if warning.code.startswith("personas")] == ["personas.nobody"]
    assert made.invite_list.drop("persona").equals(before.invite_list)
    assert before.personas.is_empty()
    assert "persona" not in before.customers.columns
    layered = {
        "plan": "allocated",
        "plan.layer_by": "persona",
        "plan.topic": "persona",
        "plan.by_region": "none",
        "plan.holdout": 0,
        "personas": wanted,
    }
    plan = segmenter.plan_launch(small_shop, segmenter.launch_settings({"launch.as_of": "2026-07-01", "scoring": "spend", **layered}))
    assert set(plan.layers["layer"]) <= {"hospital", "village", "other"}
    assert plan.groups["topic"].drop_nulls().is_in(["hospital", "village", "other"]).all()
