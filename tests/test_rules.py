from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import segmenter
from segmenter.errors import ConfigError, InputError
from segmenter.rules import ELIGIBLE, apply_rules
from segmenter.tables import PRECEDENTS


def customers(**columns):
    frame = {
        "customer_id": list("abcdef"),
        "staff": False,
        "blocked": False,
        "do_not_contact": False,
        "province": "四川",
        "city": None,
        "spend": 0,
        "spend_window": 0,
        "orders": 1,
    } | columns
    return pl.DataFrame(frame, schema_overrides={"city": pl.String, "spend_window": pl.Int64})


def ruled(frame, **overrides):
    settings = segmenter.launch_settings(
        {"rules.recency.max_days": None, **{name.replace("__", "."): value for name, value in overrides.items()}}
    )
    return apply_rules(frame, settings.rules, settings.launch)


def test_the_first_rule_in_order_gives_the_verdict_and_the_funnel_adds_up():
    frame = customers(
        staff=[True, False, False, False, False, False],
        blocked=[True, True, False, False, False, False],
        do_not_contact=[False, False, True, False, False, False],
    )
    frame = frame.with_columns(
        spend_window=pl.Series([0, 0, 0, 9_999, 10_000, 20_000]), days_since_order=pl.Series([1, 1, 1, 1, None, 60], dtype=pl.Int32)
    )
    done = ruled(frame, rules__spend__min=100, rules__recency__max_days=60, rules__recency__source="orders")
    assert done.customers["verdict"].to_list() == ["staff", "blocked", "consent", "spend_min", "recency", ELIGIBLE]
    assert done.funnel.rows() == [
        ("staff", 6, 1, 0, 5),
        ("blocked", 5, 1, 0, 4),
        ("consent", 4, 1, 0, 3),
        ("spend_min", 3, 1, 1, 2),
        ("recency", 2, 1, 1, 1),
    ]


def test_a_rule_that_is_off_is_not_in_the_funnel():
    done = ruled(customers(), rules__staff=False, rules__blocked=False, rules__consent=False)
    assert done.funnel.is_empty()
    assert set(done.customers["verdict"]) == {ELIGIBLE}


def test_what_if_tells_what_neighbouring_thresholds_would_give():
    done = ruled(customers(spend_window=[4_999, 5_000, 10_000, 12_500, 20_000, 30_000]), rules__spend__min=100)
    assert done.what_if.rows() == [
        ("spend_min", 50.0, 5, 1, False),
        ("spend_min", 80.0, 4, 0, False),
        ("spend_min", 100.0, 4, 0, True),
        ("spend_min", 125.0, 3, -1, False),
        ("spend_min", 200.0, 2, -2, False),
    ]


def test_custom_rules_are_sql_over_the_measures_in_currency_units():
    frame = customers(spend=[1_000, 2_000, 3_000, None, 5_000, 6_000])
    done = ruled(frame, rules__custom=[{"name": "loyal", "keep": "spend >= 20 AND orders < 2 AND customer_id <> 'f'"}])
    assert done.customers["verdict"].to_list() == ["loyal", ELIGIBLE, ELIGIBLE, "loyal", ELIGIBLE, "loyal"]


def test_custom_rules_that_cannot_be_computed_are_named_all_at_once():
    custom = [
        {"name": "a", "keep": "spnd > 1"},
        {"name": "b", "keep": "spend +"},
        {"name": "c", "keep": "spend + 1"},
        {"name": "d", "keep": "city > 3"},
    ]
    with pytest.raises(ConfigError) as error:
        ruled(customers(), rules__custom=custom)
    first, second, third, fourth = error.value.problems
    assert first == 'rules.custom.0.keep (a): there is no measure "spnd"; nearest: spend'
    assert second.startswith('rules.custom.1.keep (b): "spend +" cannot be computed')
    assert third == 'rules.custom.2.keep (c): "spend + 1" should be true or false for each customer'
    assert fourth.startswith('rules.custom.3.keep (d): "city > 3" cannot be computed')


def test_regions_that_match_nobody_are_named_for_both_lists():
    with pytest.raises(InputError) as error:
        ruled(customers(), rules__region__include=["四州"], rules__region__exclude=["云南"])
    assert [line.split(":")[0] for line in error.value.problems] == [
        "rules.region.include",
        "rules.region.exclude",
        "rules.region.allow_missing=true lets names match nobody",
    ]


flags = st.lists(st.booleans(), min_size=6, max_size=6)
spends = st.lists(st.integers(-10_000, 10_000), min_size=6, max_size=6)


@given(flags, flags, spends, st.integers(0, 100), st.integers(0, 100))
def test_counts_are_conserved_and_a_looser_rule_keeps_no_fewer(staff, blocked, spend, low, high):
    low, high = sorted((low, high))
    frame = customers(staff=staff, blocked=blocked, spend_window=spend)
    loose, strict = ruled(frame, rules__spend__min=low), ruled(frame, rules__spend__min=high)
    for done in (loose, strict):
        assert done.funnel["removed"].sum() + (done.customers["verdict"] == ELIGIBLE).sum() == 6
        assert (done.funnel["removed_only"] <= done.funnel["removed"]).all()
        now = done.what_if.filter("current")["eligible"].item()
        assert now == (done.customers["verdict"] == ELIGIBLE).sum() == done.funnel["left"][-1]
    assert (loose.customers["verdict"] == ELIGIBLE).sum() >= (strict.customers["verdict"] == ELIGIBLE).sum()


def test_earlier_launches_keep_customers_out_and_appear_only_where_there_were_any():
    settings = segmenter.launch_settings(
        {
            "launch.as_of": "2026-07-01",
            "rules.recency.max_days": None,
            "rules.region.exclude": [],
            "rules.cooloff_days": 30,
            "rules.invitations": {"max": 2, "days": 365},
        }
    )
    names = [
        "agreed",
        "both",
        "mended?",
        "refused",
        "thought",
        "wrong",
        "held",
        "joined",
        "lately",
        "long ago",
        "new",
        "never again",
        "often",
    ]
    flags = dict.fromkeys(("staff", "blocked", "do_not_contact"), False)
    frame = pl.DataFrame({"customer_id": names, "province": "四川", "city": None}).with_columns(**{k: pl.lit(v) for k, v in flags.items()})
    known = [
        ("held", None, 0, False, False, date(2026, 7, 15)),
        ("joined", date(2026, 1, 1), 1, True, False, None),
        ("lately", date(2026, 6, 2), 1, False, False, None),
        ("long ago", date(2026, 6, 1), 1, False, False, None),
        ("never again", date(2026, 1, 1), 1, False, True, None),
        ("often", date(2026, 1, 1), 2, False, False, None),
        ("unknown here", date(2026, 1, 1), 9, True, True, None),
    ]
    last = {
        "agreed": {"agreed_on": date(2025, 1, 1)},
        "both": {"agreed_on": date(2026, 6, 1), "held_out_until": date(2026, 7, 9)},
        "wrong": {"wrong_number_on": date(2025, 7, 2)},
        "mended?": {"wrong_number_on": date(2025, 7, 1)},
        "refused": {"refused_on": date(2026, 1, 3)},
        "thought": {"refused_on": date(2026, 1, 2)},
    }
    rows = [dict(zip(PRECEDENTS.names(), row, strict=False)) for row in known]
    rows += [{"customer_id": name, "invitations": 0, "member": False, "refused": False, **on} for name, on in last.items()]
    precedents = pl.DataFrame(rows, schema=PRECEDENTS)
    ruled = apply_rules(frame, settings.rules, settings.launch, precedents)
    assert dict(ruled.customers.select("customer_id", "verdict").rows()) == {
        **{
            "agreed": "agreed",
            "both": "held_out",
            "mended?": "eligible",
            "refused": "refused_lately",
            "thought": "eligible",
            "wrong": "wrong_number",
        },
        "held": "held_out",
        "joined": "member",
        "lately": "cooloff",
        "long ago": "eligible",
        "new": "eligible",
        "never again": "refused",
        "often": "invitations",
    }
    assert ruled.funnel["rule"].to_list() == [
        *("staff", "blocked", "consent", "member", "refused", "held_out", "wrong_number"),
        *("agreed", "refused_lately", "cooloff", "invitations"),
    ]
    off = settings.rules.model_copy(update={"agreed_days": 0, "wrong_number_days": None, "refused_days": 0})
    verdicts = dict(apply_rules(frame, off, settings.launch, precedents).customers.select("customer_id", "verdict").rows())
    assert [verdicts[name] for name in last] == ["eligible", "held_out", "wrong_number", "wrong_number", "eligible", "eligible"]
    assert apply_rules(frame, settings.rules, settings.launch).funnel["rule"].to_list() == ["staff", "blocked", "consent"]
