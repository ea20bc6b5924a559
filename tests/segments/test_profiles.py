from datetime import date

import polars as pl
from four_kinds import fixed, shop

from segmenter.messages import Message
from segmenter.segments import segment
from segmenter.segments.archetypes import ARCHETYPES
from segmenter.segments.profiles import TELLING, archetype_of


def test_what_customers_went_on_to_do_after_earlier_dates():
    frame, kind = shop(1_000)
    later = frame.with_columns(
        later_orders=pl.Series(kind == 0).cast(pl.Int64), later_spend=pl.when(pl.Series(kind == 0)).then(500).otherwise(0).cast(pl.Int64)
    )
    few = later.filter(pl.Series(kind != 1) | (pl.int_range(pl.len()) < 40))
    halves = {date(2026, 6, 1): few[:500], date(2026, 5, 2): few[500:]}
    profiles = segment(frame, fixed(4), seed=7, currency="CNY", behaviour=halves).profiles
    assert profiles["later_customers"].sum() == few.height
    told = {row["name"]: (row["later_share"], row["later_spend"]) for row in profiles.to_dicts()}
    assert told["loyal big buyers"][0] > 0.9
    assert told["loyal big buyers"][1] > 450
    assert [pair for name, pair in told.items() if name != "loyal big buyers"].count((None, None)) == 1
    assert profiles.filter(pl.col("later_customers") < TELLING)["later_share"].to_list() == [None]
    assert profiles["everyone_later_share"].unique().to_list() == [few["later_orders"].mean()]
    alone = segment(frame, fixed(4), seed=7, currency="CNY").profiles
    assert alone["later_customers"].to_list() == [0] * 4
    assert alone["everyone_later_share"].null_count() == 4


def test_a_name_says_what_to_do_whatever_was_added_to_it():
    lost = Message("segments.name", "{words}", words=(ARCHETYPES["lost"].name, Message("segments.less_spend", "lower spend")))
    assert archetype_of(lost) == archetype_of(Message.from_dict(lost.to_dict())) == ARCHETYPES["lost"]
    assert archetype_of(ARCHETYPES["everyone"].name) == ARCHETYPES["everyone"]
    assert archetype_of(Message("segments.of_a_later_version", "something else")) == ARCHETYPES["ordinary"]
