from datetime import date
from pathlib import Path

import polars as pl
import pytest

from segmenter.errors import LedgerError
from segmenter.ledger import Launch, Ledger, check_name, open_ledger, past_launches, record_answers, record_plan
from segmenter.tables import INVITED, PRECEDENTS

JULY = date(2026, 7, 1)


def planned(ledger: Ledger, name: str, as_of: date, community: str = "vip", **customers: str) -> None:
    rows = pl.DataFrame({"customer_id": list(customers), "status": list(customers.values())})
    rest = {"wave": 1, "group": "g", "agent": None, "score": 50.0, "stratum": "s"}
    record_plan(ledger, Launch(name, community, as_of, 30, None, "CNY", "f"), rows.with_columns(**{k: pl.lit(v) for k, v in rest.items()}))


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return open_ledger(None, tmp_path / "results")


def answered(ledger: Ledger, name: str, on: date, **answers: str) -> None:
    told = {"customer_id": list(answers), "answer": list(answers.values()), "answered_on": on, "source": "sheet.xlsx"}
    record_answers(ledger, name, pl.DataFrame(told))


def test_what_other_launches_did_stands_by_each_customer(ledger: Ledger) -> None:
    planned(ledger, "spring", date(2026, 4, 1), a="planned", b="planned", c="planned", d="held_out")
    planned(ledger, "june", date(2026, 6, 20), community="other", b="planned", e="held_out")
    answered(ledger, "spring", date(2026, 4, 3), a="joined", c="refused_for_good")
    answered(ledger, "june", JULY, b="joined")  # the day itself does not count any more
    known = past_launches(ledger, "july", JULY, community="vip", days=60)
    assert known is not None
    assert known.customers.schema == PRECEDENTS
    assert known.customers.rows() == [
        ("a", date(2026, 4, 1), 0, True, False, None),
        ("b", date(2026, 6, 20), 1, False, False, None),
        ("c", date(2026, 4, 1), 0, False, True, None),
        ("e", None, 0, False, False, date(2026, 7, 20)),
    ]
    assert known.invited.schema == INVITED
    assert known.invited.filter(launch="june")["answer"].null_count() == 2
    assert past_launches(ledger, "july", JULY, community="other", days=60).customers["member"].sum() == 0
    # Planned before all that, it has no past.
    assert past_launches(ledger, "march", date(2026, 3, 1), community="vip", days=60) is None


def test_a_plan_of_its_own_is_no_past_until_it_is_answered(ledger: Ledger) -> None:
    planned(ledger, "july", JULY, a="planned", b="held_out", c="planned")
    assert past_launches(ledger, "july", JULY, community="vip", days=365) is None
    answered(ledger, "july", date(2026, 7, 2), a="refused", c="no_answer")
    known = past_launches(ledger, "july", date(2026, 7, 3), community="vip", days=365)
    assert known is not None
    # Its own invitations do not stand in its way, but who has said no to it is not asked again.
    assert known.customers.rows() == [("a", None, 0, False, True, None)]
    assert known.invited["answer"].to_list() == ["refused", None, "no_answer"]


def test_a_launch_that_is_over_and_answered_keeps_its_name(ledger: Ledger) -> None:
    planned(ledger, "july", JULY, a="planned")
    check_name(ledger, "july", date(2026, 9, 1))  # nobody answered: nothing is lost
    answered(ledger, "july", date(2026, 7, 2), a="joined")
    check_name(ledger, "july", date(2026, 7, 30))
    check_name(ledger, "august", date(2026, 9, 1))
    with pytest.raises(LedgerError, match=r'that is over \(got "july", of 2026-07-01, which ended on 2026-07-31 with 1 answers'):
        check_name(ledger, "july", date(2026, 7, 31))
