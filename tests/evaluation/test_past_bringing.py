from datetime import date, datetime

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from segmenter.evaluation.past_bringing import Channel, find_new, learn_bringing, list_members, share_by_day
from segmenter.spread.launch_spread import EdgeChances
from segmenter.tables import INVITED, REFERRALS

BEGAN, ENDED, AS_OF = date(2026, 5, 1), date(2026, 5, 31), date(2026, 7, 1)
FATIGUE = share_by_day(0.7, 30)


def invited(*rows):
    about = {"launch": "spring", "community": "vip", "as_of": BEGAN, "ends_on": ENDED, "answer": "joined"}
    names = ("customer_id", "answered_on", "brought_by")
    frame = pl.DataFrame(
        [about | dict(zip(names, row, strict=True)) for row in rows], schema_overrides={name: INVITED[name] for name in names}
    )
    return pl.concat([INVITED.to_frame(), frame], how="diagonal_relaxed")


def people(**friends):
    return pl.DataFrame({"person": list(friends), "friends": list(friends.values()), "known_days": [400] * len(friends)})


def edges(*rows):
    return pl.DataFrame(rows, schema={"from_id": pl.String, "to_id": pl.String, "chance": pl.Float64}, orient="row")


def referrals(*rows):
    return pl.DataFrame(rows, schema=REFERRALS, orient="row")


def learned(frame, known, chances=None, brought=()):
    members, made = list_members(frame, 30, AS_OF), referrals(*brought)
    return learn_bringing(members, find_new(members, made), known, chances, FATIGUE, AS_OF)


@given(st.floats(0.05, 1), st.integers(1, 100))
def test_of_a_horizon_each_week_has_its_share(fatigue, days):
    share = share_by_day(fatigue, days)
    assert abs(share[-1] - 1) < 1e-9
    assert (np.diff(share) >= 0).all()


def test_whom_members_brought_is_counted_by_the_way_they_came():
    frame = invited(("a", date(2026, 5, 1), None), ("b", date(2026, 5, 8), "a"), ("c", date(2026, 5, 9), "a"), ("z", date(2026, 5, 9), "a"))
    brought = [
        ("a", "n", datetime(2026, 5, 20)),  # as a member
        ("a", "m", datetime(2026, 4, 20)),  # before
        ("a", "o", datetime(2026, 6, 20)),  # when the launch was over
        ("a", "c", datetime(2026, 5, 9)),  # who is in the group
        ("q", "p", datetime(2026, 5, 20)),  # by nobody of the group
    ]
    chances = EdgeChances(edges(("a", "y", 0.2), ("b", "x", 0.4)), learned=False, asked=10, joined=1)
    found = learned(frame, people(a=0.6, b=0.1, c=0.1), chances, brought)
    assert (found.launches, found.members) == (1, 4)
    assert (found.ties.brought, found.others.brought, found.customers, found.new.brought) == (1, 2, 2, 1)
    # a had 30 days, the others less.
    assert abs(found.ties.expected - 10 * 0.3 * (FATIGUE[28] + FATIGUE[21] + 2 * FATIGUE[20]) / 4) < 1e-9
    assert 0.6 * FATIGUE[28] < found.others.expected < 0.6 + 3 * 0.3
    assert abs(found.new.expected - (0.6 * 30 + 0.1 * 23 + 0.1 * 22 + 0.8 / 3 * 22) / 30) < 1e-9


def test_answers_on_the_day_of_the_launch_or_later_are_not_known():
    assert learned(invited(("a", AS_OF, None)), people(a=1.0)).members == 0
    assert learned(None, people(a=1.0)).launches == 0


@given(st.floats(0.5, 100), st.integers(0, 200))
def test_what_was_brought_outweighs_what_was_expected(expected, brought):
    drawn = Channel(expected, brought).draws(np.random.default_rng(1), 4_000)
    assert abs(drawn.mean() / ((brought + 0.5) / expected) - 1) < 0.2
    assert Channel(expected, brought).learned
    assert not Channel(0.0, 0).learned
