"""What second calls brought, on answers written out."""

from datetime import date

import polars as pl

from segmenter.evaluation.second_calls import count_second_calls

UNTIL = date(2026, 8, 1)


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
    return pl.DataFrame(rows, schema_overrides={"hour": pl.Int64, "attempts": pl.Int64})


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
