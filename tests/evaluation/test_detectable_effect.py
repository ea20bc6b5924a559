import polars as pl

import segmenter
from segmenter.evaluation.detectable_effect import measurable


def told(invited, held, province="四川", **overrides):
    people = invited + held
    frame = pl.DataFrame(
        {
            "customer_id": [f"{i:04}" for i in range(people)],
            "invited": [True] * invited + [False] * held,
            "held_out": [False] * invited + [True] * held,
            "stratum": "四川|1",
            "spend": [1000 + 7 * i for i in range(people)],
            "spend_30d": [i % 9 for i in range(people)],
            "spend_90d": 0,
            "province": province,
            "city": None,
        }
    )
    return measurable(frame, segmenter.launch_settings(overrides))


def test_the_sentence_counts_those_who_are_held_out():
    # 10.05 %, which as 0.101 would be 119 of them.
    (note,), (warning,) = told(1056, 118)
    assert note.startswith("Holding out 10.1 % (118 of 1,174 customers)")
    assert warning.startswith("Only 118 customers are held out")
    assert told(1131, 126)[0][0].count("10 %") == 1  # 10.02 % is the same share


def test_too_few_to_measure_anything():
    assert told(5, 0)[0][0].startswith("Nobody is held out (the launch is too small)")
    assert told(1, 1)[0][0].startswith("Only 1 held out of 2 (the launch is too small)")
    assert told(5, 0, **{"plan.holdout": 0})[0][0].startswith("Nobody is held out (plan.holdout=0)")


def test_of_whole_regions_those_count_and_not_who_has_none():
    places = ["四川", "云南", None, "重庆", "贵州", "贵州"]
    terms = {"plan.holdout": 0.2, "plan.holdout_by": "region"}
    assert told(3, 3, pl.Series(places), **terms)[0][0].startswith("Holding out 50 % (2 of 4 regions)")
    assert told(4, 2, pl.Series(places), **terms)[0][0].startswith("Only 1 held out of 4 (the launch is too small)")
