"""The compiled score and the definition come to the same bytes."""

import numpy as np
import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from jobs import run_python

import segmenter
from segmenter.scoring import component_kernel, fit_scorer
from segmenter.scoring import scorer as definition

MONEY = st.one_of(st.integers(-50, 300), st.integers(-(10**7), 10**9), st.integers(-(2**63), 2**63 - 1))
COUNT = st.one_of(st.integers(0, 9), st.integers(0, 2**31 - 1))
MEASURES = {
    "spend_window": (pl.Int64, MONEY),
    "decayed_spend": (pl.Int64, MONEY),
    "orders": (pl.Int32, COUNT),
    "days_since_order": (pl.Int32, st.none() | st.integers(1, 4000)),
    "spend_90d": (pl.Int64, MONEY),
    "spend_90d_before": (pl.Int64, MONEY),
    "referrals": (pl.Int32, COUNT),
    "events_visit": (pl.Int32, COUNT),
    "events_campaign": (pl.Int32, COUNT),
    "role_support": (pl.Float64, st.sampled_from([0.0, 1e-9, 0.25, 0.5]) | st.floats(0, 1)),
}


@st.composite
def customers(draw):
    """Few or many, some measures equal for all; the frame may be in pieces."""
    rows = draw(st.integers(1, 40))
    columns = {
        name: [draw(values)] * rows if draw(st.integers(0, 4)) == 0 else draw(st.lists(values, min_size=rows, max_size=rows))
        for name, (_, values) in MEASURES.items()
    }
    frame = pl.DataFrame(columns, schema={name: kind for name, (kind, _) in MEASURES.items()})
    frame = frame.drop(name for name in ("referrals", "events_visit", "events_campaign") if draw(st.integers(0, 3)) == 0)
    verdict = ["eligible", *draw(st.lists(st.sampled_from(["eligible", "staff"]), min_size=rows - 1, max_size=rows - 1))]
    frame = frame.with_columns(verdict=pl.Series(verdict))
    cut = draw(st.integers(0, rows))
    return pl.concat([frame[:cut], frame[cut:]], rechunk=False)


def compiled_score(frame, scorer, **ways):
    return component_kernel.score(frame, scorer.settings, scorer.quantiles, scorer.shares, **ways)


def both(frame, scorer, **ways):
    compiled, defined = compiled_score(frame, scorer, **ways), definition._score(frame, scorer)
    assert [series.name for series in compiled] == [series.name for series in defined]
    for ours, theirs in zip(compiled, defined, strict=True):
        assert ours.to_numpy().tobytes() == theirs.to_numpy().tobytes(), ours.name
    return compiled


@pytest.mark.slow
@settings(deadline=None, phases=set(Phase) - {Phase.explain})
@given(customers(), st.integers(2, 30), st.sampled_from([0.1, 7, 90]), st.integers(1, 3), st.integers(1, 50), st.integers(1, 9))
def test_the_same_bytes_whatever_the_customers_threads_and_blocks(frame, knots, half_life, threads, block, table):
    points = {"scoring.engagement.campaign": frame.height % 2 * 1.7}
    changes = points | {"scoring.knots": knots, "scoring.half_life_days": half_life, "scoring.weights.growth": frame.height % 3}
    changes |= {"scoring.role_weights": {"support": 7.0}}
    scorer = fit_scorer(frame, segmenter.launch_settings(changes).scoring)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(component_kernel, "_BLOCK", block)
        first = both(frame, scorer, threads=threads)
        patch.setattr(component_kernel, "_BUCKETS", table)  # short indices: searches in crowded buckets
        patch.setattr(component_kernel, "_TABLE", 5000)
        assert [s.to_list() for s in both(frame, scorer)] == [s.to_list() for s in first]
    other = frame.with_columns(pl.col("spend_window", "decayed_spend") // 3, pl.col("orders") // 2, pl.col("spend_90d_before").reverse())
    both(other, scorer)
    both(frame.drop("events_visit", strict=False), scorer)


def many(rows):
    random = np.random.default_rng(5)
    orders = (1 + random.pareto(1.1, rows)).clip(max=10**6).astype(np.int32)
    spend = (orders * random.lognormal(8, 2, rows)).astype(np.int64) - 2_000
    return pl.DataFrame(
        {
            "spend_window": spend,
            "decayed_spend": spend // 7,
            "orders": orders,
            "days_since_order": pl.Series(random.integers(-60, 800, rows, dtype=np.int32)).clip(0).replace(0, None),
            "spend_90d": spend // random.integers(1, 9, rows),
            "spend_90d_before": spend // random.integers(1, 9, rows),
            "referrals": random.poisson(0.2, rows).astype(np.int32),
            "events_visit": random.poisson(2, rows).astype(np.int32),
            "events_campaign": random.poisson(1, rows).astype(np.int32),
            "role_support": random.random(rows) * (random.random(rows) < 0.1),
            "verdict": "eligible",
        }
    )


@pytest.mark.slow
@pytest.mark.parametrize("knots", [2, 256, 10_000])
def test_the_same_bytes_over_several_blocks_and_slices(knots):
    frame = many(200_000)
    scorer = fit_scorer(frame, segmenter.launch_settings({"scoring.knots": knots, "scoring.role_weights": {"support": 7.0}}).scoring)
    both(frame, scorer)
    both(frame[70_001:], scorer)  # the mask of nulls begins inside a byte


def test_what_is_not_of_plain_integers_is_left_to_the_definition():
    frame = many(50)
    scorer = fit_scorer(frame, segmenter.launch_settings({}).scoring)
    assert compiled_score(frame.with_columns(pl.col("orders").cast(pl.Float64)), scorer) is None
    assert compiled_score(frame.with_columns(days_since_order=pl.lit(1e6).cast(pl.Float64)), scorer) is None
    holes = frame.with_columns(pl.when(pl.col("orders") > 1).then("orders"))
    assert compiled_score(holes, scorer) is None
    with pytest.raises(ValueError, match="frequency contains NaN"):
        scorer.score(holes)


def test_many_customers_are_scored_compiled_and_few_are_not(monkeypatch):
    frame, calls = many(1000), []
    scorer = fit_scorer(frame, segmenter.launch_settings({}).scoring)
    compiled = component_kernel.score
    monkeypatch.setattr(component_kernel, "score", lambda *args: calls.append(1) or compiled(*args))
    few = scorer.score(frame)
    assert not calls
    monkeypatch.setattr(definition, "COMPILED_FROM", 1000)
    assert scorer.score(frame).equals(few)
    assert calls


@pytest.mark.slow
def test_it_is_compiled_for_this_run_where_no_cache_can_be_written(tmp_path):
    (tmp_path / "file").touch()  # where the folder should be
    script = """
import numpy as np
from segmenter.scoring import component_kernel
out = np.empty(1)
component_kernel._change(np.array([3]), np.array([1]), out)
print(out[0], type(component_kernel._change._cache).__name__)
"""
    home = {name: str(tmp_path / "file") for name in ("HOME", "XDG_CACHE_HOME", "LOCALAPPDATA")}
    done = run_python("-c", script, **home, NUMBA_CACHE_LOCATOR_CLASSES="UserWideCacheLocator")
    assert done.stdout.split() == ["0.5", "NullCache"]
