"""A plan of few customers of whom it is known who brings whom."""

import polars as pl

import segmenter
from segmenter.planning import plan
from segmenter.spread import make_graph
from segmenter.spread.launch_spread import EdgeChances, LaunchSpread


def frame_of(many):
    places = ["四川", "山东", "江苏", "河南", "广东"]
    return pl.DataFrame(
        {
            "customer_id": [f"c{i:03}" for i in range(many)],
            "verdict": ["eligible" if i % 10 or not i else "blocked" for i in range(many)],
            "score": [100.0 * i / many for i in range(many)],
            "province": [places[i % len(places)] for i in range(many)],
            "city": None,
            "spend": [100 * i for i in range(many)],
            "component_advocacy": [float(i % 7) for i in range(many)],
            "component_engagement": 0.0,
            "days_known": 500,
            "referrals": 0,
            "segment": 1,
            "type": ["clinic" if 30 <= i < 60 else "shop" for i in range(many)],
        },
        schema_overrides={"city": pl.String},
    )


def spread_of(frame, ties, *, eligible=True, unit="people", friends=0.0):
    """Customers bring others by number with certainty."""
    ids = frame["customer_id"].sort()
    edges = pl.DataFrame(
        {"from_id": [ids[one] for one, _ in ties], "to_id": [ids[other] for _, other in ties], "chance": 1.0},
        schema={"from_id": pl.String, "to_id": pl.String, "chance": pl.Float64},
    )
    graph, may = make_graph(edges, ids), pl.lit(eligible) & (pl.col("verdict") == "eligible")
    known = frame.sort("customer_id").select(person="customer_id", value=pl.lit(1.0 + friends), eligible=may)
    people = known.with_columns(friends=pl.lit(friends), newcomer=pl.lit(1.0))
    return LaunchSpread(graph, people, EdgeChances(edges, False, 0, 0), unit)


def planned(frame, spread, **limits):
    limits = {"fill_confidence": None, "smallest": 1} | limits
    kind = {"plan": limits.pop("kind", "simple"), "launch.as_of": "2026-07-01"}
    return plan(frame, segmenter.launch_settings(kind | {f"plan.{name}": value for name, value in limits.items()}), spread=spread)
