"""What the rejected rows hold."""

from datetime import date

import polars as pl
import pytest

from segmenter.checks.reject_summary import TableSource, summarize_rejects
from segmenter.findings import Finding
from segmenter.sources.reject_reasons import NO_AMOUNT, reason_of, with_facts
from segmenter.tables import REJECTED

REASON = str(with_facts(NO_AMOUNT, largest="10"))
MAY, JUNE = date(2026, 5, 1), date(2026, 6, 30)


def summary(
    *amounts, kept=100, turnover=1_000_000, files=1, day=None, names=None, share=0.05, decimal="auto", reason=REASON
) -> list[Finding]:
    rejects = pl.DataFrame(
        [
            ("orders", "a.csv" if names is None else names[at], at + 1, "amount", f"x{at}", reason, amount, day, False)
            for at, amount in enumerate(amounts)
        ],
        schema=REJECTED,
        orient="row",
    )
    return summarize_rejects(
        {"orders": {"rejected": len(amounts), "kept": kept}},
        rejects,
        {"orders": TableSource(turnover, files, (MAY, JUNE))},
        currency="EUR",
        decimal=decimal,
        max_share=share,
        reason_of=reason_of,
    )


def test_a_few_rows_are_a_warning_with_their_money_and_the_three_worth_most():
    (finding,) = summary(100, 300, 200, 400, None, kept=100, turnover=10**6)
    assert finding.level == "warning"
    assert finding.message == (
        "orders: 5 of 105 rows (4.8%) were left out, with 10.00 EUR as far as it can be read, 0.1% of the money: "
        '5 × amount is no amount, or beyond 10, such as "x3", "x1", "x2"'
    )


@pytest.mark.parametrize(
    ("amounts", "more", "level"),
    [
        ([100], {"kept": 10_000, "turnover": 10**9}, "note"),
        ([100], {"kept": 100}, "warning"),
        ([60_000], {}, "stop"),  # 1 of 101 rows, and 5.7 % of the money
        ([60_000], {"share": 0.1}, "warning"),
        ([0] * 6, {"kept": 100}, "stop"),
        ([5], {"kept": 0, "turnover": 0, "share": 1}, "stop"),
        ([None], {"turnover": 0}, "warning"),
    ],
)
def test_a_share_of_the_rows_or_of_the_money_stops(amounts, more, level):
    assert summary(*amounts, **more)[0].level == level


@pytest.mark.parametrize(
    ("amounts", "more", "said"),
    [
        ([-5, -7], {}, "all of them are refunds"),
        ([-5, 7], {}, ""),
        ([40_000], {}, "they are 4 times as large as the others on average"),
        ([10_000], {}, ""),
        ([1] * 3, {"files": 2}, "all of them stand in a.csv"),
        ([1] * 3, {"files": 2, "names": ["a.csv", "b.csv", "a.csv"]}, ""),
        ([1] * 2, {"files": 2}, ""),
        ([1] * 3, {"day": MAY}, "all of them are of 2026-05"),
        ([1] * 3, {}, ""),
    ],
)
def test_what_rejected_rows_have_in_common_is_said(amounts, more, said):
    assert [fact for fact in (summary(*amounts, **more)[0].message.facts["common"],) if fact] == ([f"; {said}"] if said else [])


def test_the_key_that_reads_them_is_named():
    assert 'data.decimal="," or auto may read them' in summary(1, decimal=".")[0].message
    assert "data.decimal" not in summary(1)[0].message
    assert "data.orders.where" in summary(1, reason="is empty")[0].message
    head, line = summary(*[1] * 10)
    assert head.message.index("Mend") < head.message.index("max_reject_share")
    assert line.message == '  10 × amount is no amount, or beyond 10, such as "x0", "x1", "x2"'


def test_rows_dropped_as_asked_are_a_note_and_no_rejects():
    counts = {"orders": {"rejected": 0, "dropped": 5, "kept": 20}, "customers": {"rejected": 0, "kept": 3}}
    (finding,) = summarize_rejects(counts, REJECTED.to_frame(), {}, currency="EUR", decimal="auto", max_share=0.05, reason_of=reason_of)
    assert (finding.level, finding.message.code, finding.message.facts["count"]) == ("note", "amounts.dropped", 5)
