import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from segmenter.scoring import rfm as module

numbers = st.one_of(st.integers(-3, 3), st.integers(-(10**12), 10**12))
customers = st.lists(
    st.tuples(numbers, st.integers(0, 4), st.one_of(st.none(), st.integers(1, 400)), st.sampled_from(["eligible", "staff"])),
    min_size=1,
    max_size=40,
).filter(lambda rows: any(row[3] == "eligible" for row in rows))


def fitted(frame):
    return module.fit(frame, None, None, horizon_days=30, seed=1)


def frame_of(rows):
    schema = {"spend_window": pl.Int64, "orders": pl.Int32, "days_since_order": pl.Int32, "verdict": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def points_by_hand(rows):
    """One to five for each of three measures: the share of the eligible who have less, in fifths."""
    telling = [(spend, orders, -(10**6) if days is None else -days) for spend, orders, days, _ in rows]
    eligible = [values for values, row in zip(telling, rows, strict=True) if row[3] == "eligible"]
    found = []
    for values in telling:
        below = [sum(other[place] < value for other in eligible) for place, value in enumerate(values)]
        found.append(sum(min(5 * each // len(eligible), 4) + 1 for each in below))
    return found


@given(customers)
def test_rfm_points_are_fifths_of_the_eligible_and_equal_values_get_equal_points(rows):
    frame = frame_of(rows)
    rfm = fitted(frame)
    points, values = rfm.points(frame), rfm.values(frame)
    assert points.tolist() == points_by_hand(rows)
    assert ((values >= points) & (values < points + 1)).all()
    for one, mine in enumerate(rows):
        for other, others in enumerate(rows):
            if points[one] == points[other] and mine[3] == others[3] == "eligible":
                assert (values[one] > values[other]) == (mine[0] > others[0])  # by spend
    mixed = fitted(frame.reverse())
    assert (mixed.values(frame) == values).all()


def test_rfm_of_few():
    one = frame_of([(5, 1, 3, "eligible")])
    assert fitted(one).points(one).tolist() == [3]
    two = frame_of([(5, 1, None, "eligible"), (9, 1, None, "eligible")])
    assert fitted(two).values(two).tolist() == [3.0, 5 + 1 / 3]
    # Fifths of a hundred are fifths, not four parts and a rest.
    many = frame_of([(place, place, 100 - place, "eligible") for place in range(100)])
    assert np.unique(fitted(many).points(many), return_counts=True)[1].tolist() == [20] * 5
