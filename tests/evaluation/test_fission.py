import pickle
from dataclasses import replace

import polars as pl
import pytest
from jobs import settings_of
from scipy.stats import binom

import segmenter
from benchmarks.simulate import AS_OF, launches
from segmenter.demo.shop import simulate
from segmenter.errors import InputError
from segmenter.evaluation.fission import TOTALS, simulate_fission
from segmenter.launch_stages import plan_launch
from segmenter.tables import INVITED, PRECEDENTS, PastLaunches


def settings(*overrides):
    few = ("scoring=spend", "segments=rfm", "topics.use=false", "personas=[]", "plan.size=150", "fission.runs=100")
    return settings_of("simulate", f"launch.as_of={AS_OF}", *few, *overrides)


def planned(job, shuffle=None):
    shop = simulate(1_000, 400, AS_OF, 3).tables()
    if shuffle:
        shop = {name: table.sample(fraction=1, shuffle=True, seed=shuffle) for name, table in shop.items()}
    tables = segmenter.canonical_tables(shop, job.data, job.launch)
    return plan_launch(tables, job), tables


@pytest.fixture(scope="module")
def first():
    job = settings("fission.margin=0.3", "fission.tiers.generous=null", "+fission.tiers.amounts={1: 20, 3: 100}")
    plan, tables = planned(job)
    return job, plan, tables, simulate_fission(plan.customers, plan.groups, tables, job)


def test_every_tier_is_there_with_every_figure_in_its_band(first):
    *_, found = first
    assert found.totals["tier"].to_list() == ["none", "modest", "amounts"]
    for name in TOTALS:
        for frame in (found.totals, found.differences):
            told = frame.drop_nulls(name)
            assert (told[f"{name}_low"] <= told[name]).all()
            assert (told[name] <= told[f"{name}_high"]).all()
    assert found.totals.filter(tier="none").select("cost_low", "cost_high").row(0) == (0, 0)
    assert (found.differences["members_low"] >= -2).all()  # in the same runs hardly anybody is lost to a reward
    assert found.daily.group_by("tier").len()["len"].to_list() == [30] * 3
    last = found.daily.filter(pl.col("day") == pl.col("day").max()).sort("tier")
    assert last["members"].to_list() == found.totals.sort("tier")["members"].to_list()


@pytest.mark.slow
def test_the_order_of_rows_changes_nothing(first):
    job, *_, found = first
    plan, tables = planned(job, shuffle=5)
    again = simulate_fission(plan.customers, plan.groups, tables, job)
    assert pickle.dumps((again.totals, again.daily, again.differences)) == pickle.dumps((found.totals, found.daily, found.differences))


@pytest.mark.slow
def test_what_is_not_known_is_said(first):
    job, plan, tables, found = first
    codes = {each.code for each in found.notes}
    assert {"evaluation.simulated_response", "evaluation.simulated_guessed", "evaluation.simulated_sales"} <= codes
    alone = replace(tables, referrals=tables.referrals.clear())
    nobody = simulate_fission(plan.customers.with_columns(referrals=pl.lit(0, pl.Int64)), plan.groups, alone, job)
    assert nobody.chances is None
    assert nobody.totals["people_high"].to_list() == [0, 0, 0]
    assert "evaluation.simulated_alone" in {each.code for each in nobody.notes}


@pytest.mark.slow
def test_groups_that_are_too_small_are_said(first):
    job, plan, tables, _ = first
    small = job.model_copy(update={"plan": job.plan.model_copy(update={"group_capacity": 20, "smallest": 5})})
    found = simulate_fission(plan.customers, plan.groups, tables, small)
    assert (found.totals["members_high"] <= 20 * plan.groups.height).all()
    assert "evaluation.simulated_full" in {each.code for each in found.warnings}


def test_a_launch_that_runs_is_not_simulated(first):
    job, plan, tables, _ = first
    running = PastLaunches(PRECEDENTS.to_frame(), INVITED.to_frame(), running=INVITED.to_frame())
    with pytest.raises(InputError, match="runs already"):
        simulate_fission(plan.customers, plan.groups, replace(tables, launches=running), job)


@pytest.mark.slow
def test_without_a_history_there_are_no_sales():
    job = settings("launch.horizon_days=395")
    plan, tables = planned(job)
    found = simulate_fission(plan.customers, plan.groups, tables, job)
    assert found.totals["sales"].null_count() == 3
    assert "sales" not in found.daily.columns
    assert "evaluation.simulated_no_sales" in {each.code for each in found.notes}


@pytest.mark.slow
def test_the_bands_hold_on_shops_whose_truth_is_known():
    """In 72 to 88 % of launches; of so few, as far as chance allows in 999 of 1,000."""
    held = {"members": [], "cost": []}
    for _, tier, figures in launches(0, 30, 2_500):
        for name, inside in held.items():
            low, _, high, true = figures[name]
            if name != "cost" or tier != "none":
                inside.append(low <= true <= high)
    for name, inside in held.items():
        assert binom.ppf(1e-3, len(inside), 0.72) <= sum(inside) <= binom.isf(1e-3, len(inside), 0.88), name
