"""The rules about how a person can be reached; those of flags and earlier launches are in test_rules."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import segmenter
from segmenter.errors import ConfigError
from segmenter.evaluation.few_eligible import nobody_eligible
from segmenter.rules import ELIGIBLE, apply_rules
from segmenter.tables import REACH


def people(count, **columns):
    frame = {"customer_id": [f"c{at}" for at in range(count)], "staff": False, "blocked": False, "do_not_contact": False}
    frame |= {"spend": 0, "spend_window": 0, "orders": 1} | dict.fromkeys(REACH.names(), False) | {"shared_phone": None} | columns
    return pl.DataFrame(frame, schema_overrides={"shared_phone": pl.Int64, "spend_window": pl.Int64})


def ruled(frame, **overrides):
    settings = segmenter.launch_settings(
        {"rules.recency.max_days": None, **{name.replace("__", "."): value for name, value in overrides.items()}}
    )
    return apply_rules(frame, settings.rules, settings.launch)


def kept(frame, **overrides):
    return (ruled(frame, **overrides).customers["verdict"] == ELIGIBLE).to_list()


def test_reached_is_who_has_one_of_the_contacts_asked_for():
    names = [name for name in REACH.names() if name != "shared_phone"]
    each = people(7, **{name: [at == place for at in range(7)] for place, name in enumerate(names)})
    assert kept(each) == kept(each, rules__reachable="any") == [True] * 6 + [False]
    assert kept(each, rules__reachable=["phone"]) == [True] * 3 + [False] * 4
    assert kept(each, rules__reachable="phone", rules__phones=["mobile"]) == [True] + [False] * 6
    assert kept(each, rules__reachable=["wechat", "email"]) == [False] * 3 + [True, True, False, False]
    assert kept(each, rules__phones=["landline"]) == [False, True, False, True, True, True, False]
    assert kept(each, rules__reachable=None) == [True] * 7
    assert ruled(each).funnel["rule"].to_list()[-2:] == ["reachable", "per_phone"]


def test_a_shop_without_contacts_has_no_such_rule_unless_it_is_asked_for():
    frame = people(2).drop(REACH.names())
    assert not {"reachable", "per_phone"} & set(ruled(frame).funnel["rule"])
    with pytest.raises(ConfigError, match=r"rules\.reachable: no column .* \(got phone\); .*data\.customers\.contact"):
        ruled(frame, rules__reachable=["phone"])
    with pytest.raises(ConfigError, match=r"rules\.reachable: should be 'auto', 'phone', 'wechat', 'email' or 'any'|rules\.reachable\[0\]"):
        ruled(frame, rules__reachable=["fax"])


def test_where_nobody_can_be_reached_the_message_says_so():
    lines = nobody_eligible(ruled(people(3), rules__reachable=["phone"]).funnel)
    assert "rules.reachable: nobody of these 3 can be reached" in lines[-1]


def test_of_customers_with_one_phone_the_best_stays_whom_the_other_rules_keep():
    frame = people(
        6,
        has_mobile=True,
        shared_phone=[1, 1, 1, 2, 2, None],
        spend=[9, 5, 5, 7, 7, 0],
        spend_window=[0, 100, 100, 100, 100, 100],
    )
    done = ruled(frame, rules__spend__min=1)
    assert done.customers["verdict"].to_list() == ["spend_min", ELIGIBLE, "per_phone", ELIGIBLE, "per_phone", ELIGIBLE]
    assert "shared_phone" not in done.customers.columns
    assert kept(frame, rules__per_phone=False) == [True] * 6


def test_who_may_not_be_called_is_not_called_under_another_id():
    frame = people(4, has_mobile=True, shared_phone=[1, 1, 2, 2], do_not_contact=[True, False, False, False], orders=[1, 1, 0, 1])
    assert ruled(frame, rules__orders__min=1).customers["verdict"].to_list() == ["consent", "per_phone", "orders_min", ELIGIBLE]


def test_nobody_new_comes_into_a_running_launch_by_the_phone_of_its_control_group():
    frame = people(4, has_mobile=True, shared_phone=[1, 1, 2, 2], spend=[0, 9, 5, 5])
    settings = segmenter.launch_settings({"rules.recency.max_days": None})
    done = apply_rules(frame, settings.rules, settings.launch, planned=["c0", "c2", "c3"])
    assert done.customers["verdict"].to_list() == [ELIGIBLE, "per_phone", ELIGIBLE, ELIGIBLE]


rows = st.lists(
    st.tuples(st.booleans(), st.none() | st.integers(1, 3), st.integers(0, 3), st.integers(0, 300), st.booleans()), min_size=1, max_size=12
)


@pytest.mark.slow
@given(rows, st.integers(0, 3), st.randoms())
def test_no_phone_is_called_twice_and_what_if_is_what_would_be(drawn, low, random):
    blocked, phone, spend, window, mobile = (list(column) for column in zip(*drawn, strict=True))
    frame = people(len(drawn), blocked=blocked, shared_phone=phone, spend=spend, spend_window=window, has_mobile=mobile)
    done = ruled(frame, rules__spend__min=low)
    eligible = frame.filter(done.eligible)
    assert eligible["shared_phone"].drop_nulls().is_unique().all()
    forbidden = set(frame.filter("blocked")["shared_phone"].drop_nulls())
    assert not forbidden & set(eligible["shared_phone"])
    would = frame.filter("has_mobile", ~pl.col("blocked"), pl.col("spend_window") >= 100 * low)
    groups = would.filter(~pl.col("shared_phone").is_in(list(forbidden)).fill_null(value=False))["shared_phone"]
    assert eligible.height == groups.null_count() + groups.drop_nulls().n_unique()
    assert done.funnel["left"][-1] == eligible.height
    for threshold, count, _, current in done.what_if.select("threshold", "eligible", "change", "current").rows():
        assert count == ruled(frame, rules__spend__min=threshold).eligible.sum()
        assert not current or count == eligible.height
    order = list(range(len(drawn)))
    random.shuffle(order)
    again = ruled(frame[order], rules__spend__min=low).customers.sort("customer_id")
    assert again["verdict"].to_list() == done.customers.sort("customer_id")["verdict"].to_list()


def test_who_broke_the_rules_of_a_group_so_often_stays_out_also_under_another_id_with_their_phone():
    frame = people(5, has_mobile=True, events_violation=[0, 1, 2, 3, 0], shared_phone=[None, None, 7, None, 7])
    assert ruled(frame).customers["verdict"].to_list() == [ELIGIBLE, ELIGIBLE, "violations", "violations", "per_phone"]
    assert kept(frame, rules__violations=1) == [True, False, False, False, False]
    assert "violations" not in ruled(frame, rules__violations=None).funnel["rule"]
    assert "violations" not in ruled(frame.drop("events_violation")).funnel["rule"]
