"""Two launches beside each other: who is invited by one of them only, and why; who moved; which settings differ. Nothing is computed again.

Who is in one only has one reason. By which rule the other launch removed them is told by its results; whether that comes of the data or of
the settings is told by their measures, held against the other's threshold. Where both differ, and no threshold decides, results alone
cannot say which of them it was, and the reason is `BOTH`.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import polars as pl

from segmenter.measures import spec
from segmenter.rules import ELIGIBLE, Threshold, thresholds
from segmenter.settings import CoreSettings

IN, OUT, MOVED = "in", "out", "moved"
# Why somebody is in one only. The other launch: does not know them; drew them for its control group; keeps to earlier launches; has other
# measures of them; has other settings; has both; or gives their place to others, while they and the settings are the same.
REASONS = UNKNOWN, CONTROL, LEDGER, DATA, SETTINGS, BOTH, OTHERS = "unknown", "control", "ledger", "data", "settings", "both", "others"
_LEDGER = ("member", "refused", "wrong_number", "agreed", "refused_lately", "held_out", "cooloff", "invitations")
_DECISIONS = ("verdict", "invited", "held_out", "rank", "wave", "group", "segment", "score")
_MOVES = ("rank", "wave", "group", "segment")
_ASIDE = {"out", "overwrite", "tracking", "history", "ledger.contacts"}
_SIDES = ("_a", "_b")
# The settings of a rule, where these are not called as it is.
_SPEND, _REGION = ("rules.spend",), ("rules.region",)
_KEYS = {
    **{"spend_min": _SPEND, "spend_max": _SPEND, "region_include": _REGION, "region_exclude": _REGION, "region_unknown": _REGION},
    **{"reachable": ("rules.reachable", "rules.phones"), "orders_min": ("rules.orders",), "seed": ("scoring", "rules.per_account")},
    "role": ("launch.role", "roles"),
}
_PLACES = ("province", "city", "district")
_CHOICE: tuple[str, ...] = ("scoring", "plan", "platform", "spread", "segments", "topics", "roles", "seed", "launch.role", "launch.target")
_CHOICE += ("launch.horizon_days", "launch.live_events", "launch.confidence")
# What settings and not the shop alone make of the orders; and what no rule or score asks for.
_MADE = {"spend_window", "spend_outside", "decayed_spend", *(measure.name for measure in spec.LEARNING), "role", "topic", "topic_share"}
_MADE |= {"expected_spend", "expected_uplift", "lookalike", "persona", "failed_rules", "left_out", "reach", "brings"}
_MADE |= {"agent", "call_on", "join_chance", "stratum", "region", *_DECISIONS}


@dataclass(frozen=True)
class LaunchSide:
    """One of two launches: its customers as its results have them, its settings, and its whole config."""

    customers: pl.LazyFrame
    settings: CoreSettings
    config: Mapping[str, Any]
    segments: Mapping[int, str]  # their names; empty where they have none


@dataclass(frozen=True)
class LaunchChanges:
    """What differs between two launches, a and b.

    Parameters
    ----------
    customers : DataFrame
        One row for each who is in, out or moved, by id: ``customer_id``, ``change`` (in: invited by b only; out: by a only; moved: by
        both, with another rank, wave, group or segment), ``reason`` (one of `REASONS`; null where moved), ``rule`` (by which the other
        launch removed them), ``measures`` (those that differ, of who is in or out), and ``verdict``, ``invited``, ``held_out``, ``rank``,
        ``wave``, ``group``, ``segment``, ``score`` by a and by b (``_a``, ``_b``).
    counts : mapping of str to int
        ``invited_a``, ``invited_b``, ``in``, ``out``, ``stayed``; of these ``rank``, ``wave``, ``group``, ``segment``: for whom it differs.
    segments : DataFrame
        ``segment_a``, ``segment_b``, ``customers``: of those whom both launches may invite; segments by name, or by number.
    settings : tuple of (str, object, object)
        The keys that differ, with both values.
    """

    customers: pl.DataFrame
    counts: Mapping[str, int]
    segments: pl.DataFrame
    settings: tuple[tuple[str, Any, Any], ...]


def compare_launches(a: LaunchSide, b: LaunchSide) -> LaunchChanges:
    """Compare two launches of one currency. What is `IN` one way is `OUT` the other, for the same reason."""
    settings = tuple(setting_differences(a.config, b.config))
    both = _beside(a.customers, b.customers).with_columns(pl.col("invited_a", "invited_b").fill_null(value=False))
    segments = both.filter(verdict_a=ELIGIBLE, verdict_b=ELIGIBLE).group_by("segment_a", "segment_b").agg(customers=pl.len().cast(pl.Int64))
    either = _named(both.filter(pl.col("invited_a") | pl.col("invited_b")), a, b)
    change = (
        pl.when(pl.col("invited_a") & pl.col("invited_b")).then(pl.lit(MOVED)).when("invited_b").then(pl.lit(IN)).otherwise(pl.lit(OUT))
    )
    either = either.with_columns(change.alias("change"))
    stayed = either.filter(change=MOVED)
    moved = {name: pl.col(f"{name}_a").ne_missing(pl.col(f"{name}_b")) for name in _MOVES}
    alone = _with_reasons(either.filter(pl.col("change") != MOVED), a, b, [key for key, _, _ in settings])
    listed = pl.concat([alone, stayed.filter(pl.any_horizontal(moved.values()))], how="diagonal")
    columns = ("customer_id", "change", "reason", "rule", "measures", *(f"{name}{side}" for name in _DECISIONS for side in _SIDES))
    return LaunchChanges(
        listed.select(columns).sort("customer_id"),
        {
            **{f"invited{side}": int(either[f"invited{side}"].sum()) for side in _SIDES},
            **{name: int((alone["change"] == name).sum()) for name in (IN, OUT)},
            "stayed": stayed.height,
            **{name: int(stayed.select(differs.sum()).item()) for name, differs in moved.items()},
        },
        _named(segments.sort("segment_a", "segment_b", nulls_last=True), a, b),
        settings,
    )


def _beside(a: pl.LazyFrame, b: pl.LazyFrame) -> pl.DataFrame:
    """Put what was decided on all customers side by side."""
    chosen = pl.col("customer_id"), pl.col(_DECISIONS)
    left, right = (frame.select(chosen[0], chosen[1].name.suffix(side)).collect() for frame, side in zip((a, b), _SIDES, strict=True))
    if left["customer_id"].equals(right["customer_id"]):  # two settings, or two days: without a join, which takes longer than all else
        return left.hstack(right.drop("customer_id").get_columns())
    return left.join(right, on="customer_id", how="full", coalesce=True)


def _named(frame: pl.DataFrame, a: LaunchSide, b: LaunchSide) -> pl.DataFrame:
    """Put the segments' names in the place of their numbers, which mean something else in every launch."""
    return frame.with_columns(
        pl.col(f"segment{side}").cast(pl.String).replace({str(number): name for number, name in launch.segments.items()})
        for side, launch in zip(_SIDES, (a, b), strict=True)
    )


def setting_differences(
    a: Mapping[str, Any], b: Mapping[str, Any], of: str = "", aside: Collection[str] = _ASIDE
) -> Iterator[tuple[str, Any, Any]]:
    """List the keys that differ, but for those of where results go."""
    for key in dict.fromkeys(sorted(chain(a, b))):
        then, now = a.get(key), b.get(key)
        if of + key in aside or then == now:
            continue
        if isinstance(then, Mapping) and isinstance(now, Mapping):
            yield from setting_differences(then, now, f"{of}{key}.", aside)
        else:
            yield of + key, then, now


def _with_reasons(alone: pl.DataFrame, a: LaunchSide, b: LaunchSide, differing: Sequence[str]) -> pl.DataFrame:
    """Say of those who are in one only why."""
    rows = alone.join(_compare_measures(alone["customer_id"], a, b), on="customer_id", how="left", maintain_order="left")
    parts = [
        rows.filter(change=change).with_columns(
            _reason(rows, without, with_, side, other, differing),
            pl.when(pl.col(f"verdict{side}") != ELIGIBLE).then(f"verdict{side}").alias("rule"),
        )
        for change, without, with_, side, other in ((IN, a, b, "_a", "_b"), (OUT, b, a, "_b", "_a"))
    ]
    return pl.concat(parts)


def _compare_measures(ids: pl.Series, a: LaunchSide, b: LaunchSide) -> pl.DataFrame:
    """Name the ``measures`` of customers that differ; say whether place or contacts do; and give those that rules look at, of both."""
    left, right = (side.customers.collect_schema().names() for side in (a, b))
    limits = {rule.measure for side in (a, b) for rule in _thresholds(side)}
    kinds = dict.fromkeys(name for name in (*left, *right) if name.startswith("events_"))
    own = [name for name in dict.fromkeys((*left, *kinds)) if name in kinds or (name in right and _is_own(name))]
    frames = []
    for side, columns in ((a, left), (b, right)):
        chosen = [name for name in columns if name in own or name in limits]
        frame = side.customers.select("customer_id", *chosen).filter(pl.col("customer_id").is_in(ids.implode())).collect()
        frames.append(frame.with_columns(pl.lit(0).alias(name) for name in own if name not in columns))  # no such events there
    both = frames[0].join(frames[1], on="customer_id", suffix="_b")
    asked = [name for name in left if name in limits and name in right]
    differs = {name: pl.col(name).ne_missing(pl.col(f"{name}_b")) for name in own}
    return both.select(
        "customer_id",
        pl.concat_str([pl.when(each).then(pl.lit(name)) for name, each in differs.items()], separator=", ", ignore_nulls=True)
        .replace("", None)
        .alias("measures"),
        pl.any_horizontal(differs[name] for name in _PLACES if name in differs).alias("#places"),
        pl.any_horizontal(pl.lit(value=False), *(each for name, each in differs.items() if name.startswith("has_"))).alias("#contacts"),
        *(pl.col(name).alias(f"{name}_a") for name in asked),
        *(pl.col(f"{name}_b") for name in asked),
    )


def _is_own(name: str) -> bool:
    return name not in _MADE and name != "customer_id" and not name.startswith(("component_", "role_"))


def _thresholds(side: LaunchSide) -> list[Threshold]:
    return thresholds(side.customers.collect_schema().to_frame(), side.settings.rules, side.settings.launch)


def _reason(rows: pl.DataFrame, without: LaunchSide, with_: LaunchSide, side: str, other: str, differing: Sequence[str]) -> pl.Expr:
    """Say why the launch `without` them has them not; what it decided ends in `side`."""
    verdict, data = pl.col(f"verdict{side}"), pl.col("measures").is_not_null()
    custom, others = ({rule.name: rule.keep for rule in each.settings.rules.custom} for each in (without, with_))
    why = pl.when(verdict.is_null()).then(pl.lit(UNKNOWN)).when(f"held_out{side}").then(pl.lit(CONTROL))
    why = why.when(verdict.is_in(_LEDGER)).then(pl.lit(LEDGER))
    for rule in _thresholds(without):
        if f"{rule.measure}{other}" in rows.columns and not (rule.measure == "spend_window" and "rules.spend.window_days" in differing):
            # Would what the other launch knew of them have been enough here?
            kept = pl.col(f"{rule.measure}{other}")
            enough = (kept >= rule.limit(rule.threshold) if rule.floor else kept <= rule.limit(rule.threshold)).fill_null(
                value=rule.unknown is not None
            )
            why = why.when(verdict == rule.name).then(pl.when(enough).then(pl.lit(DATA)).otherwise(pl.lit(SETTINGS)))
    for name in rows[f"verdict{side}"].unique().sort().drop_nulls():
        keys = _CHOICE if name == ELIGIBLE else _KEYS.get(name, (f"rules.{name}", f"rules.{name}_days"))
        settings = any(key == of or key.startswith(f"{of}.") for key in differing for of in keys) or custom.get(name) != others.get(name)
        changed = pl.col("#places") if name.startswith("region_") else pl.col("#contacts") if name == "reachable" else data
        why = why.when(verdict == name).then(
            pl.when(changed).then(pl.lit(BOTH if settings else DATA)).otherwise(pl.lit(SETTINGS if settings else OTHERS))
        )
    return why.otherwise(pl.lit(OTHERS)).alias("reason")
