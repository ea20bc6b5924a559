import json
from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any

import polars as pl
import pytest
from four_kinds import shop
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import segmenter
from segmenter.errors import ConfigError, InputError
from segmenter.segments import MEASURES, features, segment
from segmenter.segments.fitted import Fitted, KeptSegments, keep_segments, made_by

SPRING, SUMMER = date(2026, 7, 1), date(2026, 8, 1)
PLAIN = Fitted({"names": ["甲"], "edges": [0.1, 1e300]}, None, "春季", SPRING)


def asked(**overrides: Any) -> Any:
    keys = {name.replace("__", "."): value for name, value in overrides.items()}
    few = {} if "segments" in keys and keys["segments"] != "kmeans" else {"segments.bootstraps": 2}
    return segmenter.launch_settings({"launch.as_of": str(SUMMER)} | few | keys)


@cache
def fitted(**overrides: Any) -> Fitted:
    """What a launch on a shop of four kinds keeps, as it is read back from its file."""
    settings, (frame, _) = asked(**overrides), shop(800)
    found = segment(frame, settings.segments, seed=1, currency="CNY")
    kept = Fitted(made_by(found.fitted, "spring", SPRING, "Asia/Shanghai"), None, "spring", SPRING)
    return replace(Fitted.from_dict(json.loads(json.dumps(kept.to_dict(), allow_nan=False))), customers=found.labels)


def kept(**overrides: Any) -> KeptSegments:
    found, said = keep_segments(fitted(**overrides), asked(**overrides), SUMMER, MEASURES)
    assert found is not None
    assert said == []
    return found


def test_comes_back_from_json_as_it_was() -> None:
    for one in (PLAIN, Fitted(None, None)):
        assert Fitted.from_dict(json.loads(json.dumps(one.to_dict()))) == one


@pytest.mark.parametrize("facts", [None, [], {}, 3, {"version": "1"}, {"version": 1}, PLAIN.to_dict() | {"as_of": "soon"}])
def test_says_that_a_file_is_damaged(facts: object) -> None:
    with pytest.raises(InputError, match=r"is not as `segmenter launch` wrote it.*segments\.from=new"):
        Fitted.from_dict(facts)


def test_says_that_a_file_is_of_another_version() -> None:
    with pytest.raises(InputError, match=r"should be of version 1 \(got 2\)"):
        Fitted.from_dict(PLAIN.to_dict() | {"version": 2})


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["kmeans", "rfm"])
def test_the_same_customers_stay_where_they_are(kind: str) -> None:
    frame, _ = shop(800)
    first = segment(frame, asked(segments=kind).segments, seed=1, currency="CNY")
    again = segment(frame.reverse(), asked(segments=kind).segments, seed=2, currency="CNY", kept=kept(segments=kind))
    assert_frame_equal(again.labels, first.labels)
    assert_frame_equal(again.profiles, first.profiles)
    assert again.names == first.names
    assert again.fitted == fitted(segments=kind).segments
    assert again.kept is not None
    assert again.kept.moves is not None
    assert again.kept.moves.filter(pl.col("before") != pl.col("now")).is_empty()
    assert again.kept.drift["psi"].to_list() == [0.0] * (1 + len(MEASURES))


def test_ids_that_are_written_otherwise_now_are_the_same_customers() -> None:
    frame, _ = shop(800)
    found = segment(frame, asked().segments, seed=1, currency="CNY", kept=replace(kept(), since=replace(fitted(), customers=_lower())))
    assert found.kept is not None
    assert found.kept.moves is not None
    assert found.kept.moves.filter(pl.col("before") != pl.col("now")).is_empty()
    assert found.kept.moves["customers"].sum() == 800


def _lower() -> pl.DataFrame:
    assert fitted().customers is not None
    return fitted().customers.with_columns(pl.col("customer_id").str.to_lowercase())


@pytest.mark.slow
@given(st.integers(0, 2**32 - 1), st.integers(1, 300))
@settings(max_examples=20, deadline=None)
def test_whoever_is_around_a_customer_keeps_the_label(seed: int, count: int) -> None:
    frame, _ = shop(800)
    some = frame.sample(count, seed=seed)
    found = segment(some, asked().segments, seed=seed, currency="CNY", kept=kept())
    assert_frame_equal(found.labels, fitted().customers.join(some.select("customer_id"), on="customer_id", how="semi").sort("customer_id"))
    assert set(found.profiles["name"]) <= {str(name) for name in kept().names.values()}
    assert [str(kept().names[number]) for number in found.profiles["segment"]] == found.profiles["name"].to_list()
    assert found.model.predict(features(some)).tolist() == found.model.predict(features(some.reverse())).tolist()[::-1]


@pytest.mark.parametrize(
    ("overrides", "why"),
    [
        ({"launch__currency": "USD"}, "launch.currency was CNY and is USD"),
        ({"launch__timezone": "Europe/London"}, "launch.timezone was Asia/Shanghai and is Europe/London"),
        ({"segments__k": 7}, "segments.k was auto and is 7"),
        ({"segments": "rfm"}, "segments.kind was kmeans and is rfm"),
    ],
)
def test_segments_that_do_not_fit_are_made_new_and_this_is_said(overrides: dict[str, Any], why: str) -> None:
    found, said = keep_segments(fitted(), asked(**overrides), SUMMER, MEASURES)
    assert found is None
    assert said == [f"segments: are made new and cannot be compared with those of spring: {why}"]


def test_a_launch_that_is_named_has_to_fit() -> None:
    elsewhere = asked(segments__from="elsewhere", launch__currency="USD", segments__k=7)
    with pytest.raises(ConfigError, match=r"got spring: launch.currency was CNY and is USD, launch.as_of was 2026-07-01 and is 2026-06-30"):
        keep_segments(fitted(), elsewhere, date(2026, 6, 30), MEASURES)
    with pytest.raises(ConfigError, match="the measures are those of another version"):
        keep_segments(fitted(), asked(segments__from="elsewhere"), SUMMER, MEASURES[:-1])
    with pytest.raises(ConfigError, match=r"got spring: segments\.kind was kmeans and is rfm"):
        keep_segments(fitted(), asked(segments="rfm", segments__from="elsewhere"), SUMMER, MEASURES)
    named = asked(segments__from="elsewhere", segments__min_share=0.1)  # how they were made is not asked
    assert keep_segments(fitted(), named, SUMMER, MEASURES)[0] is not None


def test_new_ones_are_new_but_a_running_launch_keeps_its_own() -> None:
    new = asked(segments__from="new")
    assert keep_segments(fitted(), new, SUMMER, MEASURES) == (None, [])
    found, _ = keep_segments(fitted(), new, SUMMER, MEASURES, running=True)
    assert found is not None
    assert keep_segments(fitted(segments__k=1), asked(segments__k=1), SUMMER, MEASURES) == (None, [])  # one is no division


@given(st.data())
def test_whatever_is_changed_in_a_file_is_noticed(data: st.DataObject) -> None:
    facts = json.loads(json.dumps(fitted().to_dict()))
    place, way = facts, []
    while isinstance(place, dict | list) and place and (not way or data.draw(st.booleans())):
        parent = place
        way.append(data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place)))))
        place = place[way[-1]]
    before = parent[way[-1]]
    parent[way[-1]] = data.draw(st.sampled_from([None, "x", [], {}, [[]], -7]))
    if parent[way[-1]] != before:
        with pytest.raises(InputError):
            Fitted.from_dict(facts)


def test_what_another_version_kept_otherwise_is_made_new_and_said() -> None:
    facts = dict(fitted().segments)
    del facts["deciles"]
    found, said = keep_segments(replace(fitted(), segments={**facts, "model": {}}), asked(), SUMMER, MEASURES)
    assert found is None
    assert said[0].startswith("segments: are made new and cannot be compared with those of spring: is not as `segmenter launch` wrote it")
