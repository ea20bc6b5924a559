"""Ids that spreadsheets destroyed, that are one person's, that can be mended."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmenter.checks.id_forms import (
    damaged,
    may_be_mended,
    mended,
    odd_ids,
    person_key,
    recognize_ids,
    spellings,
    tell_damage,
    tell_spellings,
)
from segmenter.checks.nobody import is_word


def gone(*ids):
    return pl.Series(ids).filter(damaged(pl.Series(ids))).to_list()


def joined(*ids, rows=None):
    frame = pl.DataFrame({"customer_id": ids, "rows": rows or [1] * len(ids)}, schema_overrides={"rows": pl.Int64})
    return dict(spellings(frame).rows())


@pytest.mark.parametrize(
    "name",
    [
        "1.38E+10",
        "1,38E+10",
        "1.00E+05",
        "6.23e+17",
        "1E+11",
        "1.2345678901234568e17",
        "########",
        "#REF!",
        "2-Jan",
        "Jan-02",
        "03-Mar-2024",
        "1月2日",
        "2026-01-02 00:00:00",
        "2026/1/2",
        "2001年3月4日",
    ],
)
def test_what_a_spreadsheet_leaves_is_damage(name):
    assert gone("C001", name, "13800138000") == [name]


@pytest.mark.parametrize(
    "name", ["1E5", "12e7", "C1.5E", "#12", "##", "2024-A-12", "MAR2024X", "20260102", "138.5", "e+10", "2-January-house"]
)
def test_ids_that_only_look_so(name):
    assert gone("C001", name) == []


def test_numbers_beyond_fifteen_digits_are_damaged_where_more_end_in_zeros_than_chance_makes():
    rounded = ["623456789012345000", "623456789012346000", "623456789012347000"]
    assert gone(*rounded) == rounded
    assert gone("1234567890123450") == []  # one in ten
    assert gone("1234567890123450", "1234567890123460") == ["1234567890123450", "1234567890123460"]
    whole = [str(1234567890123000 + number) for number in range(400)]
    assert gone(*whole) == []
    assert gone(*(f"6234567890123456{number:02}" for number in range(1, 90)), *rounded) == rounded
    assert gone(None, "a") == []


def test_damage_says_column_rows_and_way_out():
    (finding,) = tell_damage(pl.Series(["1.38E+10"] * 4), ["row 2", "row 3"], "手机号", "data.orders.columns.customer_id")
    assert finding.level == "stop"
    assert "4 cells" in finding.message
    assert all(part in finding.message for part in ("手机号", "1.38E+10", "row 2, row 3", "export the table again"))
    (hidden,) = tell_damage(pl.Series(["1.3800138000E+10"]), ["row 2"], "a", "b")
    assert "1.3800138000" not in hidden.message  # it is a phone's number all the same


@pytest.mark.parametrize(("written", "read"), [('="0005"', "0005"), ("'0005", "0005"), ("12.0", "12"), ("12.000", "12"), ("’138", "138")])
def test_what_is_certain_is_mended(written, read):
    frame = pl.DataFrame({"v": [written]})
    assert frame.select(mended(pl.col("v"))).item() == read
    assert may_be_mended(frame["v"]).item()


@pytest.mark.parametrize("name", ["'t Hoen", "12.50", "1.0.0", "007", "a.0", "=A1"])
def test_other_ids_stay(name):
    assert pl.DataFrame({"v": [name]}).select(mended(pl.col("v"))).item() == name


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ann@Example.com", "ann@example.com"),
        ("138 0013 8000", "13800138000"),
        ("+8613800138000", "13800138000"),
        ("0086-138-0013-8000", "13800138000"),
        ("ＡＢ１２", "ab12"),
        ("x\u200by", "xy"),
        ("'abc", "abc"),
        ("+49 151 2345678", "491512345678"),
    ],
)
def test_spellings_of_one_person(one, other):
    assert len(set(joined(one, other).values())) == 1


def test_different_people_stay_apart():
    assert joined("12-3", "1-23", "a1", "a2", "ann@a.com", "ann@b.com", "7", "70") == {}
    assert joined("007", "0012", "7", "12") == {}  # no telling how long an id is
    assert joined("007", "7", "1234") == {}


def test_leading_zeros_are_lost_where_all_other_ids_have_one_length():
    assert joined("007", "7", "008", "123") == {"007": "007", "7": "007"}


def test_the_spelling_that_comes_most_often_is_shown_then_the_plainest():
    assert set(joined("A@b.c", "a@b.c", rows=[3, 2]).values()) == {"A@b.c"}
    assert set(joined("A@b.c", "a@b.c").values()) == {"a@b.c"}
    shuffled = joined("A@B.c", "a@b.c", "A@b.c"), joined("A@b.c", "A@B.c", "a@b.c")
    assert shuffled[0] == shuffled[1]


def test_what_is_told_hides_contacts_and_counts():
    found = spellings(pl.DataFrame({"customer_id": ["Ann@b.com", "ann@b.com"], "rows": [1, 2]}))
    totals = pl.DataFrame({"customer_id": ["Ann@b.com", "ann@b.com"], "orders": [1, 2]})
    (told,) = tell_spellings(found, totals, joined=False)
    assert told.level == "warning"
    assert told.message.startswith("2 customer ids with 3 orders may belong to 1 customers")
    assert "Ann@b" not in told.message
    assert tell_spellings(found, totals, joined=True)[0].level == "note"
    assert tell_spellings(found.clear(), totals, joined=True) == []


def test_known_ids_are_recognised_where_one_alone_is_meant():
    known = pl.Series(["007", "8", "08", "Zoë"])
    assert recognize_ids(pl.Series(["7", "8", "ZOË", "9", None]), known).to_list() == ["007", "8", "Zoë", "9", None]
    assert recognize_ids(pl.Series(["0008"]), known).to_list() == ["0008"]  # two could be meant


def test_a_key_keeps_leading_zeros():
    assert pl.DataFrame({"v": ["007"]}).select(person_key(pl.col("v"))).item() == "007"


@given(st.lists(st.text("0123456789AaéＡ一.-/='\" ()+eEjanmr#日月", max_size=16) | st.from_regex(r"[A-Za-z]{0,5}\d{1,16}", fullmatch=True)))
def test_no_check_has_anything_to_say_of_ids_that_are_not_odd(ids):
    frame = pl.DataFrame({"customer_id": ids}, schema={"customer_id": pl.String})
    plain = frame.join(odd_ids(frame), on="customer_id", how="anti")["customer_id"]
    assert not may_be_mended(plain).any()
    assert not damaged(plain).any()
    keys = plain.to_frame("v").select(person_key(pl.col("v"))).to_series()
    assert (keys == plain.str.to_lowercase()).all()
    assert not plain.to_frame("v").select(is_word("v")).to_series().any()
