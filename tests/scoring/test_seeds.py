"""Seeds: where they come from, as of which date, who is nearly one, and what is said where there are none."""

from dataclasses import replace
from datetime import date, datetime

import polars as pl
import pytest

import segmenter
from segmenter.errors import ConfigError, InputError
from segmenter.scoring.seeds import with_seeds
from segmenter.tables import INVITED, PRECEDENTS, PastLaunches

AS_OF = date(2026, 7, 1)
FRAME = pl.DataFrame(
    {
        "customer_id": ["0001", "0002", "0003", "0004", "0005", "0006", "0007"],
        "spend": [100_00, 100_00, 300_00, 1_00, 1_00, 1_00, 1_00],
        "account": ["acme", "acme", None, "solo", None, None, None],
        "shared_phone": [None, None, 7, 7, None, None, None],
        "last_order_at": [datetime(2026, 6, day) for day in range(1, 8)],
    }
)
ORDERS = pl.DataFrame({"customer_id": ["0001"], "time": ["2026-06-01"], "amount": [1.0]})


def settings(seeds, **overrides):
    return segmenter.launch_settings({"launch.as_of": str(AS_OF), "scoring": "lookalike", "scoring.seeds": seeds, **overrides})


def tables(asked, seeds=None, launches=None):
    known = segmenter.canonical_tables({"orders": ORDERS}, asked.data, asked.launch)
    return replace(known, seeds=None if seeds is None else pl.Series("customer_id", seeds, dtype=pl.String), launches=launches)


def marked(seeds, asked=None, *, launches=None, frame=FRAME, as_of=AS_OF, **how):
    asked = asked or settings("seeds.csv")
    return with_seeds(frame, tables(asked, seeds, launches), asked, as_of, **how)


def marks(*args, **how):
    frame, _ = marked(*args, **how)
    return dict(frame.select("customer_id", "lookalike").drop_nulls().rows())


def joined(name="spring", ids=("0005",), day=date(2026, 6, 20), answer="joined"):
    rows = pl.DataFrame({"customer_id": ids}).with_columns(launch=pl.lit(name), answer=pl.lit(answer), answered_on=pl.lit(day))
    return PastLaunches(PRECEDENTS.to_frame(), pl.concat([INVITED.to_frame(), rows], how="diagonal").cast(INVITED))


def test_another_ranking_marks_nobody():
    asked = segmenter.launch_settings({"launch.as_of": str(AS_OF)})
    assert with_seeds(FRAME, tables(asked), asked, AS_OF) == (FRAME, ())


def test_who_has_a_seeds_phone_or_account_is_nearly_one_and_who_is_the_same_in_what_few_are():
    assert marks(["0003"]) == {"0003": "seed", "0004": "copy"}
    assert marks(["0001"]) == {"0001": "seed", "0002": "copy"}  # the same in all but when they ordered
    assert marks(["0001"], settings("x", **{"rules.per_account": "account"}), frame=FRAME.with_columns(spend=pl.int_range(7))) == {
        "0001": "seed",
        "0002": "copy",
    }
    alike = pl.concat([FRAME, FRAME.tail(1).with_columns(customer_id=pl.lit("0008"))])
    assert marks(["0007"], frame=alike) == {"0007": "seed"}  # four are the same: that says nothing


def test_seeds_are_those_of_a_file_of_a_launch_or_of_a_condition():
    assert marks(["0005"])["0005"] == "seed"
    assert marks(None, settings("launch:spring"), launches=joined())["0005"] == "seed"
    assert marks(None, settings("SQL: spend >= 300"))["0003"] == "seed"


def test_ids_that_are_written_otherwise_are_recognised_and_unknown_ones_are_said():
    frame, warnings = marked(["5", "9999"])
    assert frame.filter(lookalike="seed")["customer_id"].to_list() == ["0005"]
    [warning] = warnings
    assert "1 of 2 seeds are no customers, such as 9999" in warning


def test_at_an_earlier_date_only_what_was_known_then_counts():
    assert not marked(["0005", "9999"], earlier=True)[1]
    assert "0005" in marks(None, settings("launch:spring"), launches=joined(day=date(2026, 6, 20)), as_of=date(2026, 6, 21), earlier=True)
    for how in (
        {"seeds": None, "asked": settings("launch:spring"), "launches": joined(), "as_of": date(2026, 6, 20)},
        {"seeds": ["9999"]},
        {"seeds": None, "asked": settings("sql: spend > 10000")},
    ):
        with pytest.raises(InputError):
            marked(**how, earlier=True)


@pytest.mark.parametrize(
    ("how", "part"),
    [
        ({"seeds": ["x1", "x2"]}, "2 of 2 seeds are no customers, such as x1, x2"),
        ({"seeds": FRAME["customer_id"].to_list()}, "all 7 customers are seeds"),
        ({"seeds": None}, "was not read"),
        ({"seeds": None, "asked": settings("sql: spend > 10000")}, "holds for no customer"),
        ({"seeds": None, "asked": settings("launch:sprig"), "launches": joined()}, "launch sprig is not in the ledger"),
        ({"seeds": None, "asked": settings("launch:spring")}, "it has none"),
        ({"seeds": None, "asked": settings("launch:spring"), "launches": joined(answer="refused")}, "nobody had joined"),
    ],
)
def test_where_there_are_no_seeds_the_message_says_why(how, part):
    with pytest.raises(InputError, match=part):
        marked(**how)


@pytest.mark.parametrize("condition", ["spend >", "spent > 1", "spend", "read_csv('x')"])
def test_a_condition_that_cannot_be_read_is_an_error(condition):
    with pytest.raises(ConfigError, match=r"scoring\.seeds"):
        marked(None, settings(f"sql: {condition}"))


@pytest.mark.parametrize("seeds", [None, "", "launch:", "sql: "])
def test_no_seeds_at_all_is_an_error_of_the_config(seeds):
    with pytest.raises(ConfigError, match=r"launch:NAME"):
        settings(seeds)
