from datetime import date

import polars as pl
import pytest
from jobs import settings_of
from marks import slow_but

from segmenter.evaluation.fission import DAILY, TOTALS, Simulation
from segmenter.evaluation.past_bringing import Bringing, Channel
from segmenter.messages import Message
from segmenter.planning.join_chances import learn_join_chances
from segmenter.report.labels import Labels
from segmenter.report.page import render_page
from segmenter.report.simulation_outputs import simulation_outputs
from segmenter.report.simulation_report import conclude_simulation, simulation_report


def frame(names, *rows, **more):
    columns = [f"{name}{end}" for name in names for end in ("_low", "", "_high")]
    return pl.DataFrame([dict.fromkeys(columns, 0) | row for row in rows], schema_overrides=dict.fromkeys(columns, pl.Int64)).with_columns(
        **more
    )


def simulation(recommended=None, **difference):
    people = {"members_low": 100, "members": 120, "members_high": 150}
    net = {f"net{end}": None for end in ("_low", "", "_high")}
    own = {"tier": "modest", "people_low": 3, "people": 9, "people_high": 20, "each_low": 700, "each": 900, "each_high": 4_000}
    known = Bringing(1, 50, Channel(1.0, 1), Channel(2.0, 20), Channel(1.0, 5), 20)
    days = pl.Series([date(2026, 7, 1), date(2026, 7, 2)] * 2)
    return Simulation(
        totals=frame(TOTALS, {"tier": "none", **people, **net}, {"tier": "modest", **people, **net}),
        daily=frame(DAILY, *({"tier": tier, **people} for tier in ("none", "none", "modest", "modest")), day=days),
        generations=frame(("members",), {"tier": "none", "generation": 0, **people}, {"tier": "modest", "generation": 1, **people}),
        differences=frame(TOTALS, own | net | difference),
        recommended=recommended,
        runs=200,
        joining=learn_join_chances(None, as_of=date(2026, 7, 1), chance=0.3, evidence=20),
        bringing=known,
        chances=None,
        notes=(Message("evaluation.simulated_alone", "Nobody knows anybody."),),
        warnings=(),
    )


@pytest.mark.parametrize("lang", slow_but(["en", "zh"], "zh"))
def test_the_page_has_every_tier_and_what_it_promises(lang):
    job = settings_of("simulate", f"lang={lang}", "launch.as_of=2026-07-01", "fission.tiers.generous=null")
    page = render_page(simulation_report(simulation(), job), lang)
    assert page.count("<svg") >= 1
    assert "1: 30 %" in page
    assert ("不知道客户之间谁认识谁" in page) == (lang == "zh")


def test_it_says_only_what_an_interval_supports():
    labels = Labels("en", "CNY")
    sure = " ".join(conclude_simulation(simulation(), labels))
    assert "3 to 20 more" in sure
    assert "7.00" in sure or "¥7" in sure
    assert "cannot be told" in " ".join(conclude_simulation(simulation(people_low=-1), labels))
    paying = simulation(recommended="modest", net_low=1, net=2, net_high=3)
    assert "Take “modest”" in conclude_simulation(paying, labels)[0]
    assert "No tier surely pays" in conclude_simulation(simulation(net_low=-1, net=2, net_high=3), labels)[0]


def test_its_files_hold_no_customer_and_its_record_the_few_figures():
    outputs = simulation_outputs(simulation(), settings_of("simulate", "launch.as_of=2026-07-01", "fission.tiers.generous=null"))
    assert {file.name for file in outputs.files} == {"tiers.csv", "by_day.csv", "generations.csv", "differences.csv", "simulate.html"}
    assert all(file.public for file in outputs.files)
    assert outputs.record is not None
    assert outputs.record.metrics["members.none"] == 120
