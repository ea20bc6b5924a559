"""Every number of every setting has bounds, and whatever lies within them is planned for 60 customers in no time."""

import math
import re
from datetime import date
from functools import partial
from types import UnionType
from typing import Annotated, Union, get_args, get_origin

import polars as pl
import pytest
from jobs import settings_of
from marks import slow_but
from pydantic import BaseModel

import segmenter
from segmenter.errors import ConfigError, SegmenterError
from segmenter.report.language import translate
from segmenter.settings import AllocatedPlan, BacktestJob, DemoJob, FrameLaunch, LaunchJob, ReviewJob, TuneJob, parse
from segmenter.settings.check import RENAMED

HUGE = [10**6, 10**9, 10**18, 2**63, 10**20, 10**300]
ENDS = [0, -1, 1, 2, *HUGE, 1e-300, 0.5, 1.0, 1e13, 1e300, math.inf, -math.inf, math.nan, True]


def sides(annotation):
    if get_origin(annotation) in (Union, UnionType):
        return [side for each in get_args(annotation) for side in sides(each)]
    return sides(get_args(annotation)[0]) if get_origin(annotation) is Annotated else [annotation]


def numbers(model, path=()):
    """List the dotted keys of a model's numbers."""
    for name, field in model.model_fields.items():
        for side in sides(field.annotation):
            if side in (int, float):
                yield (*path, name)
            elif isinstance(side, type) and issubclass(side, BaseModel):
                yield from numbers(side, (*path, name))


CORE = sorted({".".join(path) for path in numbers(FrameLaunch)})
ALLOCATED = sorted({f"plan.{'.'.join(path)}" for path in numbers(AllocatedPlan)})


@pytest.mark.parametrize("model", [LaunchJob, BacktestJob, ReviewJob, TuneJob, DemoJob], ids=lambda model: model.__name__)
def test_every_number_has_an_upper_bound(model):
    def walk(schema, where):
        match schema:
            case {"type": "integer" | "number"} if not {"maximum", "exclusiveMaximum"} & set(schema):
                yield where
            case dict():
                for name, each in schema.items():
                    yield from walk(each, f"{where}.{name}")
            case list():
                for each in schema:
                    yield from walk(each, where)

    free = list(walk(model.model_json_schema(), ""))
    # The Spark options are Spark's own; `size` and `k` check themselves.
    assert [where for where in free if not re.search(r"SparkEngine|\.size\.|\.k\.", where)] == []


@pytest.fixture(scope="module")
def tables():
    rows = [(f"c{n % 60}", date(2026, 1 + n % 6, 1 + n % 28), n % 97, "四川" if n % 3 else "云南") for n in range(300)]
    orders = pl.DataFrame(rows, schema=["customer_id", "time", "amount", "province"], orient="row")
    settings = segmenter.launch_settings({"launch.as_of": "2026-07-01"})
    return segmenter.canonical_tables({"orders": orders}, settings.data, settings.launch)


def planned(tables, overrides):
    try:
        settings = segmenter.launch_settings({"launch.as_of": "2026-07-01", "scoring": "weighted", "segments.k": 1, **overrides})
        return segmenter.plan_launch(tables, settings).counts["customers"] == 60
    except SegmenterError:
        return True


@pytest.mark.parametrize(
    "key", ["plan.group_capacity", "plan.size", "plan.smallest", "plan.key_users", "plan.wave_size", "plan.max_groups"]
)
@pytest.mark.parametrize("plan", slow_but(["simple", "allocated"], "allocated"))
def test_the_largest_that_is_allowed_takes_no_more_than_the_customers_do(tables, key, plan, monkeypatch):
    def small(shape, *rest, **more):
        assert math.prod(shape if isinstance(shape, tuple) else (shape,)) <= 100_000
        return zeros(shape, *rest, **more)

    import numpy as np

    zeros, arange = np.zeros, np.arange
    monkeypatch.setattr("numpy.zeros", small)
    monkeypatch.setattr("numpy.arange", lambda *ends, **more: checked(arange, ends, more))

    def checked(function, ends, more):
        assert (ends[0] if len(ends) == 1 else (ends[1] - ends[0]) / (ends[2] if len(ends) > 2 else 1)) <= 100_000
        return function(*ends, **more)

    assert planned(tables, {"plan": plan, "plan.fill_confidence": None if key == "plan.size" else 0.9, key: 10**6})


@pytest.mark.slow
@pytest.mark.parametrize("key", sorted({*CORE, *ALLOCATED}))
def test_extreme_numbers_are_planned_or_refused(tables, key):
    for value in ENDS:
        for plan in ("simple", "allocated"):
            if plan == "allocated" or key in CORE:
                assert planned(tables, {"plan": plan, **({"plan.smallest": 5} if plan == "allocated" else {}), key: value}), (
                    key,
                    plan,
                    value,
                )


@pytest.mark.parametrize(
    ("config", "keys"),
    [
        ({"plan.size": {}}, ["plan.size"]),
        ({"plan.size": True, "segments.k": []}, ["segments.k", "plan.size"]),
        ({"plan.agents": [{"name": "a", "calls_per_day": 0}, 5]}, ["plan.agents[0].calls_per_day", "plan.agents[1]"]),
        ({"rules.custom": [{"name": "x"}]}, ["rules.custom[0].keep"]),
        ({"plan": "allocated", "plan.gifts.friends": {"0": 1, "3": "x"}}, ["plan.gifts.friends.0", "plan.gifts.friends.3"]),
        ({"plan": "allocated", "plan.layers": {"a": {"min": 2, "mst": 1}}}, ["plan.layers.a.min", "plan.layers.a.mst"]),
        ({"scoring.kind": "foo"}, ["scoring.kind"]),
        ({"scoring.kind": []}, ["scoring.kind"]),
        ({"plan": 5}, ["plan"]),
        ({"launch": None}, ["launch"]),
        ({"rules.region.aliases": [1]}, ["rules.region.aliases"]),
        ({"plan.start": "0001-01-01", "plan.holidays": ["9999-12-31"]}, ["plan.start", "plan.holidays[0]"]),
    ],
)
def test_one_message_for_each_key_and_no_types_in_it(config, keys):
    from segmenter.defaults import _defaults

    values = {**_defaults(), "launch": {**_defaults()["launch"]}}
    with pytest.raises(ConfigError) as wrong:
        if len(config) == 1 and next(iter(config)) in ("plan", "launch"):
            parse(FrameLaunch, values | config)
        segmenter.launch_settings(config)
    assert [problem.partition(": ")[0] for problem in wrong.value.problems] == keys


def test_the_sides_of_a_union_are_told_together():
    with pytest.raises(ConfigError) as wrong:
        parse(LaunchJob, {"engine": {"kind": "spark", "master": "yarn", "conf": {"a": [], "b": {}}}})
    told = [problem.partition(": ")[0] for problem in wrong.value.problems]
    assert [key for key in told if key.startswith("engine")] == ["engine.conf.a", "engine.conf.b"]


def test_a_key_of_spark_s_is_given_once():
    with pytest.raises(ConfigError, match=r"engine\.conf: should have each key once \(got a\.b twice\)"):
        parse(LaunchJob, {"engine": {"kind": "spark", "master": "yarn", "conf": {"a": {"b": 1}, "a.b": 2}}})


@pytest.mark.parametrize("text", ["a\0b", "a\ud800", "\udcff"])
@pytest.mark.parametrize("key", ["launch.community", "rules.region.include", "rules.per_account", "rules.region.aliases"])
def test_text_that_nothing_takes_is_refused_by_its_key(text, key):
    value = [text] if key.endswith("include") else {text: "x"} if key.endswith("aliases") else text
    with pytest.raises(ConfigError) as wrong:
        segmenter.launch_settings({key: value})
    assert wrong.value.problems[0].startswith(key)
    str(wrong.value).encode()


@pytest.mark.parametrize(
    "name",
    [
        "CON",
        "nul.txt",
        "com1",
        "LPT9.x",
        "a.",
        "a ",
        " a",
        ".a",
        "..",
        "a/b",
        "a\\b",
        "a:b",
        "a\tb",
        "a\x1b[31m",
        "a\u202eb",
        "a\u200fb",
        "a\x85b",
        "",
        " ",
        "春" * 67,
        "a" * 201,
        "a\u2028b",
        "a?",
        "a*",
        'a"',
        "a<b",
        "a|b",
    ],
)
def test_a_launch_is_called_what_every_system_takes(name):
    with pytest.raises(ConfigError, match=r"launch\.name"):
        segmenter.launch_settings({"launch.name": name})


@pytest.mark.parametrize("name", ["v1.2", "春季 VIP", "50%", "it's", "console", "com10", "a-b_c", "🎉"])
def test_other_names_are_taken(name):
    assert segmenter.launch_settings({"launch.name": name}).launch.name == name


@pytest.mark.parametrize("name", ["a\nb", "a\x1bb", "a\u202eb", "x" * 201, " "])
@pytest.mark.parametrize("key", ["launch.community", "plan.agents", "rules.custom"])
def test_other_names_stand_on_one_line(name, key):
    value = {"plan.agents": [{"name": name, "calls_per_day": 1}], "rules.custom": [{"name": name, "keep": "spend > 1"}]}.get(key, name)
    with pytest.raises(ConfigError, match=re.escape(key)):
        segmenter.launch_settings({key: value})


@pytest.mark.parametrize(
    ("spoken", "wrong"),
    [
        ({"launch.script": "Hello {nmae}"}, "{nmae}"),
        ({"launch.script": "Hello {0}{}"}, "{0}"),
        ({"launch.script": "Hello {name}: {offer}"}, "launch.offer"),
        ({"launch.script": "Hello {name}: {shop}", "launch.offer": "tea"}, "launch.shop"),
        ({"launch.group_rules": "no\nads"}, "group_rules"),
        ({"launch.offer": ""}, "offer"),
    ],
)
def test_what_agents_say_is_one_line_whose_fields_are_there(spoken, wrong):
    with pytest.raises(ConfigError, match=re.escape(wrong)) as caught:
        segmenter.launch_settings(spoken)
    assert len(caught.value.problems) == 1


def test_a_topic_is_one_line_of_any_length():
    assert segmenter.launch_settings({"launch.topic": "茶" * 7_000}).launch.topic
    with pytest.raises(ConfigError, match=r"launch\.topic"):
        segmenter.launch_settings({"launch.topic": "a\x1b[2Jb"})


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("rules.invitations.most", "rules.invitations.max"),
        ("plan.max_groups", None),
        ("plan.most_groups", "plan.max_groups"),
        ("plan.layers.expert.most", "plan.layers.expert.max"),
    ],
)
def test_a_key_that_had_another_name_once_says_the_new_one(old, new):
    if new is None:
        assert segmenter.launch_settings({"plan": "allocated", old: 3}).plan.max_groups == 3
        return
    with pytest.raises(ConfigError) as wrong:
        segmenter.launch_settings({"plan": "allocated", old: 0.3})
    assert wrong.value.problems == (f"{old}: is called {new} now",)


def test_every_key_that_was_renamed_is_gone_and_the_new_one_is_there():
    for old, name in RENAMED.items():
        job = {"backtest": BacktestJob, "tune": TuneJob}.get(old.partition(".")[0], LaunchJob)
        keys = {key.replace("{}", "*") for key in dotted(job)}
        assert f"{old.rpartition('.')[0]}.{name}" in keys
        assert old not in keys


def dotted(model, path=""):
    for name, field in model.model_fields.items():
        yield f"{path}{name}"
        for side in sides(field.annotation):
            inner, here = (get_args(side)[1], f"{path}{name}.{{}}.") if get_origin(side) is dict else (side, f"{path}{name}.")
            for model_side in sides(inner):
                if isinstance(model_side, type) and issubclass(model_side, BaseModel):
                    yield from dotted(model_side, here)


def test_wrong_values_can_be_said_in_chinese_too():
    wrong = {
        "plan.size": 0,
        "launch.as_of": "2026-02-29",
        "plan.start": 5,
        "rules.spend.min": -1,
        "rules.spend.max": "much",
        "launch.timezone": "Asia/Shangai",
        "launch.nme": 1,
    }
    with pytest.raises(ConfigError) as error:
        segmenter.launch_settings(wrong)
    english, chinese = str(error.value).splitlines(), error.value.text(partial(translate, lang="zh")).splitlines()
    assert len(english) == len(chinese) == len(wrong)
    for ours, theirs in zip(english, chinese, strict=True):
        assert theirs.startswith(ours.partition(":")[0])
        assert not re.search(r"\b(should|is|got|nearest)\b", theirs)


@pytest.mark.parametrize("preset", ["online_retail", "taobao"])
def test_a_preset_of_public_data_wants_its_folder(preset):
    with pytest.raises(ConfigError, match=r"^data\.dir: is needed"):
        settings_of("launch", f"data={preset}")
