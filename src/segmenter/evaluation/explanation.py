"""What a launch decided on a customer and why, from its results; and what would have to be otherwise for an invitation.

What is said to be enough is enough: a score above that of somebody who was invited from the same region, with a few places to spare, as
the control group is drawn anew with whoever comes in; a measure whose component makes such a score even where its quantiles shift by a
knot (`scoring.quantiles`). Where nothing is sure to be enough, as where an integer program deals the places, nothing is said to be.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from segmenter.conditions import conditions
from segmenter.measures import spec
from segmenter.person_rules import VIOLATIONS
from segmenter.regions.region_names import region_of
from segmenter.roles import HOLDS
from segmenter.rules import ELIGIBLE, Threshold, thresholds
from segmenter.scoring.components import COMPONENTS, REACH, weights_of_roles
from segmenter.settings import CoreSettings, NoSpread, ReferralSpread, SimplePlan, WeightedSettings
from segmenter.settings.role_points import ROLE

SPARE = 5  # places between a score that is enough and the last that was
_OF_COMPONENTS = {"spend": "spend_window", "decayed_spend": "decayed_spend", "frequency": "orders", "recency": "days_since_order"}
_OF_RANKINGS = {"spend": "spend_window", "decayed": "decayed_spend", "recency": "days_since_order"}
_Limit = tuple[str, float, bool, Threshold | None]  # measure, limit, whether that is a floor, and the rule
_NAMES = tuple(measure.name for measure in spec.MEASURES)


@dataclass(frozen=True)
class RuleCheck:
    """A rule, and whether a customer passes it; of a rule with a threshold the measure, its value and its limit (money in minor units)."""

    rule: str
    passed: bool
    measure: str | None = None
    value: float | None = None
    limit: float | None = None
    floor: bool = False  # at least the limit, not at most


@dataclass(frozen=True)
class ScorePart:
    """A component of a customer: its value (0 to 1), its weight (0 to 1, all together 1), and the points (of 100) that both make."""

    component: str
    value: float
    weight: float
    points: float


@dataclass(frozen=True)
class Alternative:
    """What one measure would have to be, all others being as they are: at least `needed` where `floor` is true, else at most."""

    measure: str
    value: float | None
    needed: float
    floor: bool


@dataclass(frozen=True)
class Explanation:
    """A customer's way through a launch. Money is in minor units.

    Parameters
    ----------
    customer_id : str
        Who.
    outcome : str
        ``invited``; ``held_out``: drawn for the control group; ``left_out``: may be invited, and is not; ``removed`` by a rule.
    verdict : str
        The first rule that removed the customer, or ``eligible``.
    left_out : str or None
        Why somebody eligible is not invited, see `planning.InvitationPlan`.
    measures : mapping of str to object
        The measures, in the order of `measures.spec`.
    rules : tuple of RuleCheck
        Every rule that was on, in the order in which they were asked.
    parts : tuple of ScorePart
        The components.
    adds_up : bool
        Whether the score is the sum of the parts, rounded to 4 decimals, as with ``scoring=weighted``. Other rankings have their own score,
        and the components give reasons and choose key users.
    score : float
        From 0 to 100.
    place, of : int
        The place by score among those of the region who may be invited, and how many these are.
    unit : str or None
        That region: what a group keeps to, before regions are joined; None where that is not known, or groups keep to none.
    decisions : mapping of str to object
        ``rank``, ``wave``, ``group``, ``agent``, ``call_on``, ``join_chance``, ``segment``, ``persona``, ``role``, ``topic``, as far as
        there are such.
    enough : float or None
        With a score above this one, and no rule against it, the customer would have been chosen: invited, or by chance (`chance`) held out.
        None where no score is sure to be enough.
    chance : float
        The share of the chosen that are held out.
    alternatives : tuple of Alternative
        Measures, each of which alone would have made such a score.
    """

    customer_id: str
    outcome: Literal["invited", "held_out", "left_out", "removed"]
    verdict: str
    left_out: str | None
    measures: Mapping[str, Any]
    rules: tuple[RuleCheck, ...]
    parts: tuple[ScorePart, ...]
    adds_up: bool
    score: float
    place: int
    of: int
    unit: str | None
    decisions: Mapping[str, Any]
    enough: float | None = None
    chance: float = 0.0
    alternatives: tuple[Alternative, ...] = ()

    @property
    def failed(self) -> tuple[RuleCheck, ...]:
        """The rules that the customer would have to pass."""
        return tuple(rule for rule in self.rules if not rule.passed)


_DECISIONS = ("region", "segment", "persona", "role", "topic", "rank", "wave", "group", "agent", "call_on", "join_chance")


def field_columns(settings: CoreSettings, columns: Sequence[str]) -> list[str]:
    """List the columns of all eligible customers that an explanation of one needs."""
    needed = {"score", "invited", "province", "city", *_OF_COMPONENTS.values()}
    return [name for name in columns if name in needed or name.startswith("component_")]


def explain_customers(
    rows: pl.DataFrame, field: pl.DataFrame, settings: CoreSettings, rules: Sequence[str], *, running: bool = False
) -> Iterator[Explanation]:
    """Explain some customers of a launch, `rows` of its customers.

    `field` has the `field_columns` of all who are eligible, `rules` are the names of those that were on; `running` says that the launch
    was planned again after it began: then others than the best have places, and no score is sure to be enough.
    """
    weights = _weights(field, settings)
    limits = _limits(rows, settings)
    within = (region_of(settings.plan) if settings.plan.by_region != "none" else pl.lit(None, pl.String)).alias("unit")
    field, rows = field.with_columns(within), rows.with_columns(within)
    scores = {unit: mates["score"].sort() for (unit,), mates in field.select("unit", "score").group_by("unit")}
    cuts: dict[tuple[object, ...], float | None] = {}  # by place, as many customers are of one
    for number, row in enumerate(rows.rows(named=True)):
        alone, outcome, where = rows[number], _outcome(row), (row["province"], row["city"])
        mates = scores.get(row["unit"], field["score"].clear())
        parts = tuple(
            ScorePart(name, row[f"component_{name}"], weight, 100 * weight * row[f"component_{name}"]) for name, weight in weights.items()
        )
        open_ = outcome in ("left_out", "removed") and row["left_out"] != "no_uplift" and not running
        if open_ and where not in cuts:
            cuts[where] = _enough(field, alone, settings)
        enough = cuts[where] if open_ else None
        others = () if enough is None else tuple(_alternatives(row, alone, field, settings, weights, limits, enough))
        yield Explanation(
            customer_id=row["customer_id"],
            outcome=outcome,
            verdict=row["verdict"],
            left_out=row["left_out"] if outcome == "left_out" else None,
            measures={name: row[name] for name in (*_NAMES, *_kinds(rows)) if name in row},
            rules=_check_rules(row, rules, limits),
            parts=parts,
            adds_up=isinstance(settings.scoring, WeightedSettings),
            score=row["score"],
            place=len(mates) - int(mates.search_sorted(row["score"], "right")) + 1,
            of=len(mates),
            unit=row["unit"],
            decisions={name: row[name] for name in _DECISIONS if name in row},
            enough=enough,
            chance=settings.plan.holdout if settings.plan.holdout_by == "customer" else 0.0,
            alternatives=others,
        )


def _kinds(rows: pl.DataFrame) -> list[str]:
    return [name for name in rows.columns if name.startswith("events_")]


def _outcome(row: Mapping[str, Any]) -> Literal["invited", "held_out", "left_out", "removed"]:
    if row["invited"]:
        return "invited"
    if row["held_out"]:
        return "held_out"
    return "left_out" if row["verdict"] == ELIGIBLE else "removed"


def _weights(field: pl.DataFrame, settings: CoreSettings) -> dict[str, float]:
    """Give what each component counted for: nothing where all who are eligible are alike in it, see `scoring.scorer.fit_scorer`."""
    weights = {**{name: getattr(settings.scoring.weights, name) for name in COMPONENTS}, **weights_of_roles(settings.scoring)}
    if f"component_{REACH}" in field.columns and isinstance(settings.spread, ReferralSpread):
        weights[REACH] = settings.spread.weight
    counted = {name: weight if (field[f"component_{name}"] > 0).any() else 0.0 for name, weight in weights.items()}
    total = sum(counted.values())
    return {name: weight / total if total else 0.0 for name, weight in counted.items()}


def _limits(rows: pl.DataFrame, settings: CoreSettings) -> dict[str, _Limit]:
    """Give the measure and the limit of each rule that has one, and whether it is a floor."""
    limits: dict[str, _Limit] = {
        rule.name: (rule.measure, rule.limit(rule.threshold), rule.floor, rule)
        for rule in thresholds(rows, settings.rules, settings.launch)
    }
    if settings.rules.violations is not None and VIOLATIONS in rows.columns:
        limits["violations"] = VIOLATIONS, settings.rules.violations - 1, False, None
    if settings.launch.role is not None:
        limits["role"] = f"{ROLE}{settings.launch.role}", HOLDS, True, None
    return limits


def _check_rules(row: Mapping[str, Any], rules: Sequence[str], limits: Mapping[str, _Limit]) -> tuple[RuleCheck, ...]:
    failed, checks = _failed(row), []
    for rule in rules:
        measure, limit, floor, _ = limits.get(rule, (None, None, False, None))
        checks.append(RuleCheck(rule, rule not in failed, measure, None if measure is None else row[measure], limit, floor))
    return tuple(checks)


def _failed(row: Mapping[str, Any]) -> set[str]:
    return {row["verdict"], *(row["failed_rules"] or "").split("\n")}


def _enough(field: pl.DataFrame, row: pl.DataFrame, settings: CoreSettings) -> float | None:
    """Give a score above which somebody is sure to be chosen: that of one of the last who were."""
    plan = settings.plan
    if not isinstance(plan, SimplePlan) or not isinstance(settings.spread, NoSpread):
        return None
    invited = field.filter("invited")
    by_region = plan.holdout > 0 and plan.holdout_by == "region"
    if by_region or not (isinstance(plan.size, int) and plan.fill_confidence is not None):
        # Those of one region compete for the same places, whatever it was joined with; and none is of a region held out as a whole.
        where = region_of(plan) if by_region else pl.col("unit")
        invited = invited.filter(where.eq_missing(pl.lit(row.select(where).item(), pl.String)))
    lowest = invited["score"].sort().head(SPARE if plan.holdout else 1)
    return None if lowest.is_empty() else float(lowest[-1])


def _alternatives(
    row: Mapping[str, Any],
    alone: pl.DataFrame,
    field: pl.DataFrame,
    settings: CoreSettings,
    weights: Mapping[str, float],
    limits: Mapping[str, _Limit],
    enough: float,
) -> Iterator[Alternative]:
    """Find for each component of one measure, or for the measure that ranks, what it would have to be for a score above `enough`."""
    if row["score"] > enough:
        return
    failed = _failed(row)
    if isinstance(settings.scoring, WeightedSettings):
        images = []
        for name, measure in _OF_COMPONENTS.items():
            if points := 100 * weights[name]:
                spare = 2 / (settings.scoring.knots - 1)  # of both, as each stands between two knots
                images.append((measure, f"component_{name}", row[f"component_{name}"] + (enough - row["score"] + 1e-3) / points + spare))
    elif settings.scoring.kind in _OF_RANKINGS:
        images = [(_OF_RANKINGS[settings.scoring.kind], "score", enough)]
    else:
        return
    for measure, image, needed in images:
        floor = measure != "days_since_order"
        reached = field.filter(pl.col(image) > needed)[measure].drop_nulls()
        if reached.is_empty():
            continue
        value: Any = reached.min() if floor else reached.max()
        for of, limit, at_least, _ in limits.values():
            if of == measure and at_least == floor:  # a rule that asks for more
                value = max(value, limit) if floor else min(value, limit)
        changed = alone.with_columns(pl.lit(value, alone.schema[measure]).alias(measure))
        within = [changed.select(rule.keeps(rule.threshold)).item() for of, _, _, rule in limits.values() if rule and of == measure]
        # No rule on the measure, nor a custom one that keeps the customer as it is, may remove them then.
        texts = {rule.name: rule.keep for rule in settings.rules.custom if rule.name not in failed}
        if all(within) and all(kept.all() for kept in conditions(changed, texts, settings.launch.currency).values()):
            yield Alternative(measure, row[measure], value, floor)
