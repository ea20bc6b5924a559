"""People who answered an open call: screened and ranked with all others, and what is unknown of them said."""

from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import segmenter
from segmenter.errors import InputError

P = "1380000000"
ORDERS = pl.DataFrame(
    {"customer_id": [*"aabc"], "time": ["2026-06-30", "2026-05-01", "2026-06-01", "2024-01-01"], "amount": [900.0, 50.0, 20.0, 700.0]}
)
CUSTOMERS = pl.DataFrame(
    {"customer_id": [*"abc"], "name": ["Ann", "Bob", "Cy"], "phone": [P + "1", None, P + "3"], "staff": [False, False, True]}
)
APPLICANTS = pl.DataFrame(
    {
        "customer_id": ["b", "c", "x", "y", "x", "z"],
        "name": ["Robert", None, "Xi", "Yu", "Xi", "Zed"],
        "phone": [P + "2", None, P + "7", P + "8", P + "7", P + "9"],
        "province": ["四川", None, "四川", "Guangdong", "四川", None],
        "time": ["2026-06-20", "2026-06-20", "2026-06-21", "2026-06-22", "2026-06-29", "2026-07-01"],
        "channel": ["海报", "store", "colleague", "carrier pigeon", "poster", "shop"],
    }
)
SETTINGS = {"launch.as_of": "2026-07-01", "scoring": "weighted", "plan.holdout": 0, "rules.spend.min": 100, "plan.key_users": 0}


def tables(applicants=APPLICANTS, customers=CUSTOMERS, **overrides):
    settings = segmenter.launch_settings(
        {**SETTINGS, "data.customers.contact": ["phone"], "data.applicants.contact": ["phone"], "data.max_reject_share": 1, **overrides}
    )
    raw = {"orders": ORDERS, "applicants": applicants} | ({} if customers is None else {"customers": customers})
    return segmenter.canonical_tables(raw, settings.data, settings.launch), settings


def planned(*args, **overrides):
    read, settings = tables(*args, **overrides)
    return segmenter.plan_launch(read, settings)


def test_applicants_are_screened_and_ranked_with_the_customers():
    plan = planned()
    assert dict(plan.customers.select("customer_id", "verdict").rows()) == {
        **{"a": "eligible", "b": "spend_min", "c": "staff"},  # what is known of b and c counts, whatever they applied for
        **{"x": "eligible", "y": "eligible"},
    }  # z applied too late
    assert plan.invite_list.select("customer_id", "channel").rows() == [("a", "phone"), ("x", "colleague"), ("y", "phone")]
    assert plan.invitations["channel"].to_list() == ["phone", "colleague", "phone"]
    known = plan.customers.filter(customer_id="x").row(0, named=True)
    assert (known["applicant"], known["orders"], known["last_order_at"], known["joined"]) == (True, 0, None, date(2026, 6, 21))
    said = segmenter.in_words(plan, segmenter.launch_settings(SETTINGS)).invite_list["reason"].to_list()
    assert said[1].startswith("applied, ")
    assert {"rules.applicants_kept", "launch.applicants"} <= {message.code for message in (*plan.warnings, *plan.notes)}
    assert plan.what_if.filter("current")["eligible"].unique().to_list() == [3]


def test_rules_that_cannot_be_decided_remove_where_that_is_asked_for():
    plan = planned(**{"rules.applicants": "remove"})
    verdicts = dict(plan.customers.select("customer_id", "verdict").rows())
    assert (verdicts["x"], verdicts["y"]) == ("spend_min", "spend_min")
    assert "rules.applicants_removed" in {message.code for message in plan.warnings}


def test_a_channel_that_is_none_and_a_second_application_are_counted():
    read, _ = tables()
    assert read.reads["applicants"] == {"rows": 6, "filtered": 0, "later": 1, "rejected": 0, "kept": 4, "dropped": 1, "noted": 1}
    assert read.rejects.select("table", "column", "value").rows() == [("applicants", "channel", "carrier pigeon")]


def test_contacts_of_applicants_fill_what_the_shop_lacks_and_others_stand_beside_its_own():
    read, _ = tables()
    assert read.contacts is not None
    rows = [("a", "Ann", P + "1"), ("b", "Bob", P + "2"), ("c", "Cy", P + "3"), ("x", "Xi", P + "7"), ("y", "Yu", P + "8")]
    assert read.contacts.columns == ["customer_id", "name", "phone"]
    assert read.contacts.sort("customer_id").rows() == rows
    people = APPLICANTS.with_columns(mobile=pl.when(pl.col("customer_id") == "c").then(pl.lit("13900000000")).otherwise("phone")).drop(
        "phone"
    )
    read, _ = tables(people, **{"data.applicants.contact": ["mobile"]})
    assert read.contacts is not None
    assert read.contacts.sort("customer_id").rows() == [(*row, "13900000000" if row[0] == "c" else None) for row in rows]
    assert read.contacts.columns == ["customer_id", "name", "phone", "mobile"]
    read, _ = tables(people.rename({"mobile": "phone"}))
    assert read.contacts is not None
    assert read.contacts.columns == ["customer_id", "name", "phone", "phone applied"]


def test_without_a_table_of_customers_applicants_are_added_to_those_with_orders():
    plan = planned(APPLICANTS, None)
    assert set(plan.customers["customer_id"]) == set("abcxy")
    assert plan.customers.filter(customer_id="x")["region"].to_list() == ["四川"]
    assert set(plan.invite_list["customer_id"]) == set("axy")


def test_attributes_of_the_customers_are_read_of_applicants_who_have_them():
    people = APPLICANTS.with_columns(type=pl.lit("clinic"))
    read, _ = tables(people, CUSTOMERS.with_columns(type=pl.lit("hospital")), **{"data.customers.attributes": ["type"]})
    assert dict(read.customers.select("customer_id", "type").rows()) == dict.fromkeys("abc", "hospital") | dict.fromkeys("xy", "clinic")


def test_who_is_out_as_a_member_stays_out_as_an_applicant():
    plan = planned(APPLICANTS.with_columns(customer_id=pl.lit("c")).head(1))
    assert set(plan.invite_list["customer_id"]) == {"a"}


@pytest.mark.parametrize("key", ["customer_id", "phone"])
def test_a_column_that_is_not_there_is_told(key):
    with pytest.raises(InputError, match=rf"data\.applicants.*{key}"):
        tables(APPLICANTS.drop(key))


@pytest.mark.slow
@settings(max_examples=6)
@given(st.randoms(use_true_random=False), st.booleans())
def test_neither_the_order_of_rows_nor_later_applications_change_anything(random, with_customers):
    customers = CUSTOMERS if with_customers else None
    later = pl.DataFrame({"customer_id": ["a", "q"], "time": ["2026-07-01", "2026-08-01"], "channel": ["shop", "shop"]})
    rows = list(range(APPLICANTS.height))
    random.shuffle(rows)
    plan, again = planned(APPLICANTS, customers), planned(pl.concat([APPLICANTS[rows], later], how="diagonal"), customers)
    for name in ("customers", "invite_list", "invitations"):
        assert getattr(again, name).equals(getattr(plan, name)), name
