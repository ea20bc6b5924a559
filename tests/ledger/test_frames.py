"""Rows on their way into the ledger."""

import polars as pl
import pytest
from plans import launch, planned, said

from segmenter.ledger import (
    LedgerError,
    list_invitations,
    record_answers,
    record_plan,
)


def test_wrong_rows_are_told_together_and_nothing_is_written(ledger):
    record_plan(ledger, launch(), planned("ab"))
    wrong = planned("ab").with_columns(status=pl.lit("planed"), score=pl.lit("high")).drop("agent")
    with pytest.raises(LedgerError) as caught:
        record_plan(ledger, launch(), wrong)
    assert caught.value.problems == (
        "invitations: should have a column agent; there are: customer_id, group, score, status, stratum, wave",
        'invitations.status: should be planned or held_out (got "planed"); nearest: planned',
        "invitations.score: should be Float64 (got String)",
    )
    with pytest.raises(LedgerError, match=r"each customer once \(got a and 0 others more often\)"):
        record_plan(ledger, launch(), planned("aab"))
    with pytest.raises(LedgerError, match=r'launch.name: should be a launch in .* \(got "sprig"\); nearest: spring'):
        record_answers(ledger, "sprig", said("joined", "a"))
    with pytest.raises(LedgerError, match=r'answers.answer: should be .* \(got "yes"\)'):
        record_answers(ledger, "spring", said("yes", "a"))
    with pytest.raises(LedgerError, match=r"answers.customer_id: is needed in every row \(got 1 empty\)"):
        record_answers(ledger, "spring", said("joined", "a").with_columns(customer_id=pl.lit(None, dtype=pl.String)))
    assert list_invitations(ledger).select("customer_id", "answer").rows() == [("a", None), ("b", None)]
