"""What second calls brought, on answers written out."""

from datetime import date

import polars as pl
import pytest

from segmenter.demo.calls import call_month
from segmenter.demo.shop import simulate
from segmenter.evaluation.second_calls import count_second_calls

UNTIL = date(2026, 8, 1)
LEDGER = {"launch": pl.lit("spring"), "reason": pl.lit(None, pl.String), "call_on": pl.lit(None, pl.Date)}


def history(**people: str) -> pl.DataFrame:
    """Of each customer the answers day by day; `miss*3` tells of three calls, `in@15` of one at 15:00."""
    states = {"miss": "not_reached", "back": "call_back", "yes": "agreed", "in": "joined", "no": "refused", "wrong": "wrong_number"}
    rows = []
    for who, told in people.items():
        words = told.split()
        for place, word in enumerate(words):
            (name, _, attempts), (_, _, hour) = (word.partition("@")[0].partition("*"), word.partition("@"))
            row = {
                "customer_id": who,
                "status": "planned",
                "answer": states[name],
                "answered_on": date(2026, 7, 1 + place),
                "hour": int(hour) if hour else None,
            }
            row["source"] = "sheet"
            rows.append(
                row
                | {
                    "number": len(rows),
                    "attempts": int(attempts) if attempts else None,
                    "current": place == (next((at for at, word in enumerate(words) if word.startswith("in")), len(words) - 1)),
                }
            )
    return pl.DataFrame(rows, schema_overrides={"hour": pl.Int64, "attempts": pl.Int64}).with_columns(**LEDGER)


def test_who_joined_after_a_call_in_vain_joined_by_a_second_call():
    told = history(
        **{"a": "miss in", "b": "miss miss", "c": "miss no", "d": "in*2", "e": "miss*3", "f": "back in", "once": "miss", "first": "in"},
        **{"no": "no", "direct": "yes in", "late": "yes yes in", "pressed": "yes in@15", "lost": "yes miss", "dead": "wrong wrong"},
        **{"silent": "in miss", "listed": "in miss in"},  # called after they joined
    )
    found = count_second_calls(told.sample(fraction=1, shuffle=True, seed=1), UNTIL)
    assert found.select("before", "again", "reached", "joined", "refused").rows() == [
        ("all", 8, 5, 4, 1),
        ("not_reached", 5, 3, 2, 1),
        ("call_back", 1, 1, 1, 0),
        ("agreed", 2, 1, 1, 0),
    ]
    share, low, high = found.select("share", "low", "high").row(0)
    assert low < share == 0.5 < high


def test_nothing_later_and_nobody_of_the_control_group_counts():
    told = history(a="miss in")
    assert count_second_calls(told, date(2026, 7, 1)).is_empty()
    assert count_second_calls(told.with_columns(status=pl.lit("held_out")), UNTIL).is_empty()
    assert count_second_calls(None, UNTIL).is_empty()


@pytest.mark.slow
@pytest.mark.parametrize("attempts", [1, 3])
def test_of_the_demo_shops_month_what_second_calls_brought_lies_in_the_interval(attempts):
    as_of, until = date(2026, 7, 1), date(2026, 7, 31)
    truth = simulate(customers=6_000, days=400, as_of=as_of, seed=3).truth
    planned = truth.sort("customer_id").head(1_200).select("customer_id", call_on=pl.lit(as_of))
    calls = call_month(truth, planned, as_of, 30, attempts=attempts, seed=3)
    sheets = calls.select("customer_id", "answer", "hour", answered_on="called_on", source=pl.lit("sheet"))
    alone = calls.filter(pl.col("joins_on") > pl.col("called_on"), pl.col("joins_on") < until)
    members = alone.select(
        "customer_id", hour=pl.lit(None, pl.Int64), answer=pl.lit("joined"), answered_on="joins_on", source=pl.lit("members")
    )
    told = pl.concat([sheets, members], how="diagonal").sort("customer_id", "answered_on").with_row_index("number")
    told = told.with_columns(status=pl.lit("planned"), attempts=pl.lit(None, pl.Int64), current=pl.col("customer_id").is_last_distinct())
    told = told.with_columns(**LEDGER)
    found = count_second_calls(told, until).filter(before="all")
    brought = calls.filter(pl.col("attempt") > 1)["chance"].sum()
    if attempts == 1:
        assert (found.height, brought) == (0, 0)
        return
    low, high = found.select(pl.col("low", "high") * pl.col("again")).row(0)
    assert low < brought < high
