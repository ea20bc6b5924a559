"""What the ledger answers to rules, reviews and whoever learns from past launches."""

from datetime import timedelta

import polars as pl
from plans import DAY, launch, planned, said

from segmenter.ledger import (
    list_answers,
    list_held_out,
    list_invitations,
    list_invited,
    list_last_words,
    list_launches,
    list_members,
    list_refused_for_good,
    open_ledger,
    record_answers,
    record_plan,
)
from segmenter.themes import themed


def test_a_ledger_without_plans_reads_as_empty_and_leaves_no_file(tmp_path):
    ledger = open_ledger(None, tmp_path / "outputs" / "results")
    for frame in (
        list_launches(ledger),
        list_invitations(ledger),
        list_answers(ledger),
        list_members(ledger, DAY),
        list_held_out(ledger, "spring", DAY),
    ):
        assert frame.is_empty()
    assert list(tmp_path.iterdir()) == []


def test_what_is_read_back_is_what_was_planned_and_answered(ledger):
    ids = ["C1", "客户,2", 'three "quotes"', "4\nlines", "", " N/A", "\\N", "null"]
    frame = pl.DataFrame(
        {
            "customer_id": ids,
            "status": ["planned"] * 7 + ["held_out"],
            "wave": [1, 2, None, None, 5, 6, 7, 8],
            "group": ["四川-1", "", None, "a,b", '"', "\\N", "null", "g"],
            "agent": [None, *["李"] * 7],
            "score": [0.1, 1 / 3, 1e-300, None, float("nan"), 99.99999999999999, -0.0, 5e300],
            "stratum": ["", None, *["s"] * 6],
            "region": ["四川", "", None, *["x"] * 5],
            "segment": ["0", None, *["big, old"] * 6],
            "channel": ["phone", None, "poster", *["message"] * 5],
            "brings": [31.25, None, *[0.0] * 6],
            "planned_at": [DAY, None, DAY + timedelta(days=7), *[DAY] * 5],
            "name": "not kept",
        }
    )
    record_plan(ledger, launch(), frame.sample(fraction=1, shuffle=True, seed=1))
    found = list_invitations(ledger)
    expected = frame.with_columns(pl.col("planned_at").fill_null(DAY), pl.col("score").fill_nan(None), pl.col("wave").cast(pl.Int64))
    assert found.select(frame.drop("name").columns).rows() == expected.drop("name").sort("customer_id").rows()
    assert found.drop("customer_id", "in_plan", *frame.columns[1:-1]).unique().rows() == [
        ("spring", "tea", DAY, DAY + timedelta(days=30), *[None] * 9)
    ]
    kept = [("spring", "tea", DAY, 30, DAY + timedelta(days=30), 30_000_000, "CNY", "e3b0c442", 0.1, "planned", 7, 1)]
    assert list_launches(ledger).rows() == kept
    rows = [(name, "refused", DAY, "表,1.xlsx", reason) for name, reason in zip(ids, [None, "", "太远, 不来", *["x\ny"] * 5], strict=True)]
    told = pl.DataFrame(rows, schema=["customer_id", "answer", "answered_on", "source", "reason"], orient="row")
    assert record_answers(ledger, "spring", told) == len(ids)
    assert list_answers(ledger).select(told.columns).rows() == themed(told).sort("customer_id").rows()


def test_a_replaced_plan_leaves_answers_and_what_they_answered_to(ledger):
    record_plan(ledger, launch(), planned("abc", "h", wave=1))
    record_plan(ledger, launch("autumn"), planned("xyz"))
    record_answers(ledger, "spring", said("not_reached", "ab"))
    record_plan(ledger, launch(), planned("bcd", "h", wave=2))
    found = list_invitations(ledger, "spring").select("customer_id", "in_plan", "status", "wave", "answer")
    assert found.rows() == [
        ("a", False, "planned", 1, "not_reached"),
        ("b", True, "planned", 1, "not_reached"),  # it was the invitation of wave 1 that nobody answered
        ("c", True, "planned", 2, None),
        ("d", True, "planned", 2, None),
        ("h", True, "held_out", None, None),
    ]
    later = DAY + timedelta(days=5)
    assert record_answers(ledger, "spring", said("joined", "abq", later)) == 3
    found = list_invitations(ledger, "spring").filter(answer="joined").select("customer_id", "in_plan", "status", "wave", "answered_on")
    assert found.rows() == [("a", False, "planned", 1, later), ("b", True, "planned", 2, later), ("q", False, None, None, later)]
    assert list_invitations(ledger, "spring", before=later).filter(answer="joined").is_empty()
    history = list_answers(ledger).select("customer_id", "answer", "current").rows()
    assert history == [
        ("a", "not_reached", False),
        ("a", "joined", True),
        ("b", "not_reached", False),
        ("b", "joined", True),
        ("q", "joined", True),
    ]
    assert list_launches(ledger)["launch"].to_list() == ["autumn", "spring"]
    assert list_invitations(ledger, "autumn")["customer_id"].to_list() == ["x", "y", "z"]


def test_what_rules_ask(ledger):
    record_plan(ledger, launch("may", DAY - timedelta(days=40)), planned("abm", "h"))
    weeks = planned("bcd", "k").with_columns(planned_at=DAY - timedelta(days=10) + pl.int_range(4) * timedelta(days=7))
    record_plan(ledger, launch("june", DAY - timedelta(days=10)), weeks)
    record_plan(ledger, launch("today", community="coffee"), planned("e", "z"))
    record_plan(ledger, launch("tomorrow", DAY + timedelta(days=1)), planned("f", "y"))
    record_answers(ledger, "may", said("joined", "m", DAY - timedelta(days=30)))
    record_answers(ledger, "may", said("refused_for_good", "ab", DAY - timedelta(days=30)))
    record_answers(ledger, "june", said("joined", "b", DAY - timedelta(days=5)))
    record_answers(ledger, "june", said("refused_for_good", "c", DAY - timedelta(days=5)))
    record_answers(ledger, "june", said("refused", "c", DAY - timedelta(days=4)))
    record_answers(ledger, "today", said("refused_for_good", "e", DAY))  # on the day itself: not known yet
    day = timedelta(days=1)
    assert list_invited(ledger, "spring", DAY, 60).rows() == [
        *[("a", DAY - 40 * day, 1), ("b", DAY - 10 * day, 2), ("c", DAY - 3 * day, 1)],
        *[("d", DAY + 4 * day, 1), ("e", DAY, 1), ("m", DAY - 40 * day, 1)],
    ]
    assert list_invited(ledger, "june", DAY, 40)["customer_id"].to_list() == ["e"]
    assert list_invited(ledger, "june", DAY, 41)["customer_id"].to_list() == ["a", "b", "e", "m"]
    assert list_held_out(ledger, "spring", DAY).rows() == [("k", DAY + 20 * day), ("z", DAY + 30 * day)]
    assert list_held_out(ledger, "today", DAY + 20 * day)["customer_id"].to_list() == ["y"]
    assert list_members(ledger, DAY).rows() == [("b", "tea", "june", DAY - 5 * day), ("m", "tea", "may", DAY - 30 * day)]
    assert list_members(ledger, DAY, community="coffee").is_empty()
    assert list_refused_for_good(ledger, DAY).rows() == [("a", "may", DAY - 30 * day)]
    assert list_refused_for_good(ledger, DAY - 4 * day)["customer_id"].to_list() == ["a", "c"]
    assert list_refused_for_good(ledger, DAY - 5 * day)["customer_id"].to_list() == ["a", "b"]
    record_plan(ledger, launch("may", DAY - timedelta(days=40)), planned("x"))
    assert list_invited(ledger, "spring", DAY, 60).filter(customer_id="a")["last_invited"].to_list() == [DAY - 40 * day]
    assert list_invitations(ledger, before=DAY)["launch"].unique().sort().to_list() == ["june", "may", "today"]


def test_the_last_word_counts_to_whatever_launch_it_was_said_but_to_have_agreed_that_of_the_community(ledger):
    record_plan(ledger, launch("may", DAY - timedelta(days=60)), planned("abcdefg"))
    record_plan(ledger, launch("june", DAY - timedelta(days=30)), planned("abcdefg"))
    record_plan(ledger, launch("other", DAY - timedelta(days=20), community="coffee"), planned("abcdefg"))
    first, second, third = (DAY - timedelta(days=days) for days in (50, 20, 10))
    record_answers(ledger, "may", said("agreed", "abcde", first))
    record_answers(ledger, "june", said("joined", "a", second))
    record_answers(ledger, "june", said("refused", "b", second))
    record_answers(ledger, "june", said("not_reached", "c", second))
    record_answers(ledger, "june", said("wrong_number", "df", second))
    record_answers(ledger, "other", said("refused", "e", third))
    record_answers(ledger, "other", said("agreed", "g", third))
    record_answers(ledger, "other", said("thinking", "f", third))
    assert list_last_words(ledger, "july", DAY, community="tea").rows() == [
        *[("b", None, second, None), ("c", first, None, None), ("d", first, None, second), ("e", first, third, None)],
    ]
    # A number is wrong in a launch's own list too; what was said to it stands there otherwise.
    assert list_last_words(ledger, "june", DAY, community="tea").rows() == [
        *[("a", first, None, None), ("b", first, None, None), ("c", first, None, None), ("d", first, None, second)],
        ("e", first, third, None),
    ]
    assert list_last_words(ledger, "july", third, community="tea").filter(customer_id="f").rows() == [("f", None, None, second)]
