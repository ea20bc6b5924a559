"""Which of . and , is the decimal mark of a column."""

import itertools

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmenter import money
from segmenter.checks.decimal_mark import clear_mark, decide, evidence, merge, totals
from segmenter.checks.number_format import NumberFormat


def decided(currency, cells, *, asked="auto", amount=True, hint=None):
    """Give the numbers, and the codes of what is said."""
    values = pl.Series("a", cells, dtype=pl.String)
    how, findings = decide(
        evidence(values, currency),
        "Betrag",
        currency,
        asked,
        amount=amount,
        hint=hint,
        totals=lambda: totals(values, currency, money.digits(currency)),
    )
    stops = [finding.message for finding in findings if finding.level == "stop"]
    return how.read(values, currency).to_list(), [finding.message.code for finding in findings], stops


@pytest.mark.parametrize(
    ("currency", "cells", "numbers"),
    [
        # Some cells can be read in one way only.
        ("EUR", ["1.250,40", "1.250", "980"], [1250.4, 1250, 980]),
        ("EUR", ["12,50", "1.250"], [12.5, 1250]),
        ("USD", ["1,250.40", "45,500"], [1250.4, 45500]),
        ("EUR", ["1.250.000", "2.400"], [1_250_000, 2400]),
        ("CHF", ["1'234.50", "980"], [1234.5, 980]),
        ("EUR", ["1 250,40", "2.400"], [1250.4, 2400]),
        ("INR", ["1,23,456.00", "45,500"], [123_456, 45_500]),
        ("TND", ["0,990", "45,500", "101,000"], [0.99, 45.5, 101]),
        ("KWD", ["0.990", "45.500"], [0.99, 45.5]),
        ("USD", ["12.5", "3.75", "7.125"], [12.5, 3.75, 7.125]),
        ("EUR", ["12.500", "0.990", "3.250"], [12.5, 0.99, 3.25]),
        ("TND", ["١٬٢٣٤٫٥٠٠", "١٢٣"], [1234.5, 123]),
        # None can, and the other cells and the currency decide.
        ("EUR", ["1.250 €", "980 €", "75 €"], [1250, 980, 75]),
        ("CNY", ["1,250", "980"], [1250, 980]),
        ("CNY", ["1,250", "2,400"], [1250, 2400]),
        ("IDR", ["Rp 150.000", "Rp 85.000"], [150_000, 85_000]),
        ("JPY", ["1.250", "12.000"], [1250, 12_000]),
        ("TND", ["45,500", "12,750"], [45.5, 12.75]),
        ("TND", ["45,500", "980"], [45.5, 980]),
        ("OMR", ["12.750", "1.250"], [12.75, 1.25]),
        ("CNY", ["5", "12"], [5, 12]),
    ],
)
def test_one_decision_reads_all_cells_of_a_column(currency, cells, numbers):
    for order in itertools.islice(itertools.permutations(range(len(cells))), 6):
        read, _, stops = decided(currency, [cells[at] for at in order])
        assert (read, stops) == ([numbers[at] for at in order], [])


@pytest.mark.parametrize(
    ("currency", "cells", "dot", "comma"),
    [
        ("EUR", ["1.250", "2.400"], "3.65 EUR", "3,650.00 EUR"),
        ("KWD", ["1,250", "980"], "2,230.000 KWD", "981.250 KWD"),
        ("CNY", ["1.250", "980"], "981.25 CNY", "2,230.00 CNY"),
        ("EUR", ["1.250", "2,400"], "2,401.25 EUR", "1,252.40 EUR"),
        ("EUR", ["12,50", "12.50", "1.250"], "26.25 EUR", "1,275.00 EUR"),
        ("JPY", ["1.250", "2400"], "2,401 JPY", "3,650 JPY"),
    ],
)
def test_where_both_readings_fit_it_stops_with_both_totals(currency, cells, dot, comma):
    _, _, (stop,) = decided(currency, cells)
    assert (stop.code, stop.facts["dot_total"], stop.facts["comma_total"]) == ("amounts.two_readings", dot, comma)
    assert 'data.decimal=. or data.decimal=","' in stop


def test_how_it_was_read_is_told_where_that_is_not_plain():
    assert decided("CNY", ["12.50", "-3", None])[1] == []
    assert decided("CNY", ["1,250.00", "3.00"])[1] == ["amounts.decimal"]
    assert decided("EUR", ["12,50"])[1] == ["amounts.decimal"]
    assert decided("CNY", ["1.2万", "5"])[:2] == ([12_000, 5], ["amounts.words"])
    assert decided("EUR", ["43.00", "46.00", "8.950,40"])[:2] == ([43, 46, 8950.4], ["amounts.two_marks"])
    assert decided("EUR", ["500.00 DR", "20.00 CR", "30.00 DR"])[:2] == ([500, -20, 30], ["amounts.given_back"])
    assert decided("EUR", ["500.00", "20.00 DR", "30.00"])[:2] == ([500, -20, 30], ["amounts.given_back"])
    assert decided("EUR", ["500.00 CR", "20.00 CR"])[:2] == ([500, 20], ["amounts.marked"])


def test_a_thousand_among_cents_is_no_number():
    assert decided("EUR", ["12.50", "3.20", "1.250"])[0] == [12.5, 3.2, None]
    assert decided("EUR", ["12.5", "3.25", "1.250", "7.125"])[0] == [12.5, 3.25, None, 7.125]
    how = NumberFormat(".", only=False, doubtful="all")
    assert how.in_doubt(pl.Series(["1.250", "12.50", "x", None]), "EUR").to_list() == [True, False, False, False]


def test_what_the_config_names_stands():
    assert decided("EUR", ["1.250", "12,50"], asked=".") == ([1.25, None], [], [])
    assert decided("EUR", ["1.250", "12,50"], asked=",") == ([1250, 12.5], [], [])
    assert decided("TND", ["0,990"], asked=".") == ([None], [], [])


def test_other_columns_decide_where_a_column_does_not():
    assert decided("EUR", ["1.000", "2.000"], amount=False, hint=".")[0] == [1, 2]
    assert decided("EUR", ["1.000", "2.000"], amount=False, hint=",")[0] == [1000, 2000]
    marks = [clear_mark(evidence(pl.Series(cells), "EUR")) for cells in (["12,5"], ["12.5", "3"], ["12.5", "12,5"], ["1.250"])]
    assert marks == [",", ".", None, None]


@given(
    st.lists(st.tuples(st.integers(-(10**9), 10**9), st.booleans()), min_size=1, max_size=30),
    st.sampled_from(["EUR", "JPY", "KWD", "CNY"]),
    st.sampled_from([".", ","]),
    st.sampled_from(["other mark", "'", " ", "\u00a0"]),
)
def test_a_column_is_read_as_it_was_written_or_it_is_told(minors, currency, decimal, grouping):
    places = money.digits(currency)
    grouping = {".": ",", ",": "."}[decimal] if grouping == "other mark" else grouping
    cells = []
    for minor, grouped in minors:
        whole, rest = divmod(abs(minor), 10**places)
        text = f"{whole:,}".replace(",", grouping) if grouped else str(whole)
        cells.append(("-" if minor < 0 else "") + text + (f"{decimal}{rest:0{places}d}" if places else ""))
    read, codes, stops = decided(currency, cells)
    wanted = [minor / 10**places for minor, _ in minors]
    lost = [got is None for got in read]
    assert stops or all(none or abs(got - want) < 1e-6 for none, got, want in zip(lost, read, wanted, strict=True)), (cells, codes)


@given(st.lists(st.sampled_from(["1.250", "12,50", "3.5", "980", "x", None, "(5)", "1.2e3", "5 CR"]), max_size=20), st.integers(0, 20))
def test_the_parts_of_a_column_show_what_the_whole_does(cells, at):
    values = pl.Series("a", cells, dtype=pl.String)
    whole = merge([evidence(values, "EUR")])
    parts = merge([evidence(values[:at], "EUR"), evidence(values[at:], "EUR")])
    assert whole.select(sorted(whole.columns)).rows() == parts.select(sorted(whole.columns)).rows()
