import polars as pl
from four_customers import frame

import segmenter
from segmenter.scoring.components import COMPONENTS, halved, points, raw_components, uncounted_kinds

SETTINGS = segmenter.launch_settings(
    {"scoring.engagement": {"VISIT": 1, "浏览": 0.5}, "scoring.advocacy": {"referral": 5, "review": 3}}
).scoring


def test_every_component_is_a_number_for_every_customer():
    raw = frame().select(expression.alias(name) for name, expression in raw_components(frame(), SETTINGS).items())
    assert tuple(raw.columns) == COMPONENTS
    assert raw.null_count().row(0) == (0,) * len(COMPONENTS)
    assert raw["engagement"].to_list() == [0, 2, 2, 1]
    assert raw["advocacy"].to_list() == [0, 5, 15, 0]
    assert raw["growth"].to_list() == [1, 0.2, -1, 0]
    assert raw["recency"][3] == 0  # who never ordered


def test_half_is_left_after_the_half_life():
    assert halved([0, 90, 180], 90) == [1.0, 0.5, 0.25]
    days = frame(days_since_order=[0.0, 30.0, 60.0, None])
    recency = days.select(raw_components(days, SETTINGS)["recency"]).to_series()
    assert recency.to_list() == [*halved([0, 30, 60], 90), 0]


def test_kinds_of_events_that_the_shop_has_not_got_give_no_points():
    assert pl.DataFrame({"events_visit": [2], "referrals": [1]}).select(points(frame(), {"share": 9})).item() == 0


def test_kinds_without_points_are_named():
    (message,) = uncounted_kinds(frame(), SETTINGS)
    assert message.facts["kinds"] == ["feedback"]
    assert uncounted_kinds(frame().drop("events_feedback"), SETTINGS) == []
