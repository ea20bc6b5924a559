"""Who may be invited: a verdict for every customer, the funnel, and what neighbouring thresholds would give."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter import money
from segmenter.applicants import KNOWN_BY, is_unknown, say_without_orders
from segmenter.conditions import conditions
from segmenter.errors import InputError
from segmenter.messages import Message
from segmenter.person_rules import Flags, flagged, preceded, reached, share_phones
from segmenter.regions import find_members, locate_customers, say_undecided
from segmenter.roles import HOLDS
from segmenter.settings import LaunchSettings, RulesSettings
from segmenter.settings.role_points import ROLE

ELIGIBLE = "eligible"
Counts = NDArray[np.uint16]
_STEPS = (0.5, 0.8, 1.0, 1.25, 2.0)


@dataclass(frozen=True)
class Verdicts:
    """What the rules say.

    Parameters
    ----------
    customers : DataFrame
        The frame with ``verdict``: the first rule that removed the customer, or ``eligible``; and ``failed_rules``: the names of all that
        would, one a line, null where that is the verdict alone.
    funnel : DataFrame
        For each rule in order: ``rule``, ``before``, ``removed``, ``removed_only`` (by no other rule), ``left``.
    what_if : DataFrame
        For each numeric rule and neighbouring threshold: ``rule``, ``threshold`` (currency units, orders or days),
        ``eligible``, ``change`` against now, ``current``.
    warnings : tuple of Message
        What a person should know.
    """

    customers: pl.DataFrame
    funnel: pl.DataFrame
    what_if: pl.DataFrame
    warnings: tuple[Message, ...]

    @property
    def eligible(self) -> pl.Series:
        """Whom the rules keep: a Boolean for each customer."""
        return self.customers["verdict"] == ELIGIBLE


@dataclass(frozen=True)
class Threshold:
    """A rule with a threshold: which measure, and whether it is a floor or a ceiling."""

    name: str
    measure: str
    threshold: float
    floor: bool
    currency: str | None = None  # of a measure that is money
    unknown: pl.Expr | None = None  # of whom it cannot be decided, and who are kept

    def limit(self, threshold: float) -> int:
        """Give a threshold in the measure's own unit: money in minor units."""
        return round(threshold) if self.currency is None else money.to_minor(threshold, self.currency)

    def keeps(self, threshold: float) -> pl.Expr:
        """Say who passes at a threshold."""
        limit, measure = self.limit(threshold), pl.col(self.measure)
        kept = (measure >= limit if self.floor else measure <= limit).fill_null(value=False)
        return kept if self.unknown is None else kept | self.unknown

    def neighbours(self) -> list[float]:
        """Half to double the threshold; whole numbers where the rule counts."""
        if self.threshold == 0:
            return [0.0, 1.0]
        if self.floor and self.currency is None:
            return sorted({max(0.0, self.threshold + step) for step in (-2, -1, 0, 1, 2)})
        digits = 2 if self.currency is not None and self.threshold < 10 else 0
        return sorted({self.threshold if step == 1 else float(round(self.threshold * step, digits)) for step in _STEPS})


def apply_rules(
    frame: pl.DataFrame,
    settings: RulesSettings,
    launch: LaunchSettings,
    precedents: pl.DataFrame | None = None,
    not_customers: Collection[str] = (),
    planned: Collection[str] = (),
) -> Verdicts:
    """Give every customer a verdict.

    Parameters
    ----------
    frame : DataFrame
        The measures, with regions in one spelling.
    settings : RulesSettings
        The rules; amounts in currency units. A rule that is off removes nobody and is not in the funnel.
    launch : LaunchSettings
        Its currency, and the date from which the cool-off counts back.
    precedents : DataFrame or None
        What earlier launches did, see `segmenter.tables.PRECEDENTS`; without it their rules are off.
    not_customers : collection of str, optional
        Ids that stand for nobody: the first rule removes them.
    planned : collection of str, optional
        Ids of the plan that goes on, where the launch is planned again: no other id comes in by the phone of one of them.

    Returns
    -------
    Verdicts
        With the funnel and the what-if table.

    Raises
    ------
    InputError
        A named region has no customer.
    ConfigError
        A custom rule's SQL cannot be computed.

    Examples
    --------
    >>> import segmenter
    >>> settings = segmenter.launch_settings({"rules.orders.min": 2, "rules.recency.max_days": None})
    >>> frame = pl.DataFrame({"customer_id": ["a", "b"], "orders": [1, 3], "staff": [False] * 2,
    ...                       "blocked": [False] * 2, "do_not_contact": [False] * 2})
    >>> apply_rules(frame, settings.rules, settings.launch).customers["verdict"].to_list()
    ['orders_min', 'eligible']
    """
    limits = thresholds(frame, settings, launch)
    regional, warnings = _regional(frame, settings, launch)
    warnings += say_without_orders(frame, [rule.name for rule in limits], settings)
    keeps = {
        **({"not_customer": ~frame["customer_id"].is_in(list(not_customers))} if not_customers else {}),
        **flagged(frame, settings),
        **({} if precedents is None else preceded(frame, settings, launch, precedents)),
        **regional,
        **{rule.name: frame.select(rule.keeps(rule.threshold)).to_series() for rule in limits},
        **({} if launch.role is None else {"role": frame[f"{ROLE}{launch.role}"] >= HOLDS}),
        **_custom(frame, settings, launch),
        **reached(frame, settings),
        # At last, so that of seeds, too, it is known whether the rules would keep them.
        **({"seed": frame["lookalike"].is_null()} if "lookalike" in frame.columns else {}),
    }
    fails = {name: ~keep.fill_null(value=True).to_numpy() for name, keep in keeps.items()}
    shared = share_phones(frame, settings, fails, planned)
    if shared is not None:
        fails["per_phone"] = shared[0] | shared[1]
    failed = np.zeros(frame.height, dtype=np.uint16)
    first = np.full(frame.height, len(fails), dtype=np.uint16)
    for number, fail in reversed(list(enumerate(fails.values()))):
        failed += fail
        first *= ~fail  # arithmetic, as it does not wait for a branch
        first += np.multiply(fail, number, dtype=np.uint16)
    verdict = pl.Series("verdict", [*fails, ELIGIBLE], dtype=pl.String).gather(pl.Series(first, dtype=pl.UInt32))
    behind = None if shared is None else shared[2]
    several = pl.Series("failed_rules", _several(fails, failed if behind is None else failed + behind, behind))
    removed = [int(np.count_nonzero(first == number)) for number in range(len(fails))]
    what_if = _what_if(frame, limits, fails, failed if shared is None else failed - shared[1])
    return Verdicts(
        frame.with_columns(verdict, several).drop("shared_phone", strict=False),
        _funnel(removed, fails, failed),
        what_if,
        tuple(warnings),
    )


def _several(fails: Mapping[str, Flags], failed: Counts, behind: Flags | None) -> pl.Series:
    """Name all rules that remove a customer where these are several: one text for each set of rules, as there are few of them.

    Who is `behind` another with their phone would be removed for it, were they not for something else.
    """
    several = failed > 1
    of_each = {name: fail if behind is None or name != "per_phone" else fail | behind for name, fail in fails.items()}
    number = np.zeros(len(failed), np.int64)
    for at, fail in enumerate(of_each.values(), 1):
        number = 2 * number + fail
        if at % 60 == 0:  # before they are too large
            number = np.unique(number, return_inverse=True)[1]
    frame = pl.DataFrame({"number": number}).with_columns(pl.when(pl.Series(several)).then("number"))
    sets = frame.with_row_index("row").drop_nulls().unique("number", keep="any")
    names = ["\n".join(name for name, fail in of_each.items() if fail[row]) for row in sets["row"]]
    texts = sets.select("number", pl.Series("names", names, dtype=pl.String))
    return frame.join(texts, on="number", how="left", maintain_order="left")["names"]


def thresholds(frame: pl.DataFrame, settings: RulesSettings, launch: LaunchSettings) -> list[Threshold]:
    """List the rules with a threshold that are on, in their order."""
    recency = {"orders": "days_since_order", "events": "days_since_event", "either": "days_since_activity"}[settings.recency.source]
    rules = [
        ("spend_min", "spend_window", settings.spend.min, True, launch.currency),
        ("spend_max", "spend_window", settings.spend.max, False, launch.currency),
        ("orders_min", "orders", settings.orders.min, True, None),
        ("recency", recency, settings.recency.max_days, False, None),
    ]
    on = [Threshold(name, measure, limit, floor, currency) for name, measure, limit, floor, currency in rules if limit is not None]
    open_ = "applicant" in frame.columns and settings.applicants == "keep"
    return [replace(rule, unknown=is_unknown(rule.measure)) for rule in on] if open_ else on


def _regional(frame: pl.DataFrame, settings: RulesSettings, launch: LaunchSettings) -> tuple[dict[str, pl.Series], list[Message]]:
    region = settings.region
    named = {name: names for name, names in (("include", region.include), ("exclude", region.exclude)) if names}
    if not named:
        return {}, []
    located = locate_customers(frame, region)
    found = {name: find_members(frame, names, region, f"rules.region.{name}", located) for name, names in named.items()}
    missing = [message for members in found.values() for message in members.missing]
    if missing and not region.allow_missing:
        raise InputError(*missing, Message("rules.allow_missing", "rules.region.allow_missing=true lets names match nobody"))
    keeps = {
        f"region_{name}": members.inside | members.undecided if name == "include" else ~members.inside for name, members in found.items()
    }
    within = np.logical_and.reduce([keep.to_numpy() for keep in keeps.values()])
    undecided = {name: members.undecided & pl.Series(within) for name, members in found.items()}
    open_ = [
        say_undecided(who, located, named[name], region, f"rules.region.{name}", money_spent(frame.select("^spend$").filter(who), launch))
        for name, who in undecided.items()
        if who.any()
    ]
    if open_ and region.unknown == "stop":
        raise InputError(*open_)
    if region.unknown != "keep":
        keeps["region_unknown"] = ~pl.Series(np.logical_or.reduce([who.to_numpy() for who in undecided.values()]))
    return keeps, [*missing, *(message for members in found.values() for message in members.ambiguous), *open_]


def money_spent(frame: pl.DataFrame, launch: LaunchSettings) -> str:
    """Say what customers spent, in words."""
    spend = int(frame["spend"].sum()) if "spend" in frame.columns else 0
    return f"{spend / 10 ** money.digits(launch.currency):,.0f} {launch.currency}"


def _custom(frame: pl.DataFrame, settings: RulesSettings, launch: LaunchSettings) -> dict[str, pl.Series]:
    texts = {f"rules.custom.{number}.keep ({rule.name})": rule.keep for number, rule in enumerate(settings.custom)}
    met = conditions(frame, texts, launch.currency)
    return {rule.name: keep for rule, keep in zip(settings.custom, met.values(), strict=True)}


def _funnel(removed: Sequence[int], fails: Mapping[str, Flags], failed: Counts) -> pl.DataFrame:
    left = [len(failed)]
    for count in removed:
        left.append(left[-1] - count)
    rows = [
        (name, before, before - after, int(np.count_nonzero(fail & (failed == 1))), after)
        for (name, fail), (before, after) in zip(fails.items(), pairwise(left), strict=True)
    ]
    schema = {"rule": pl.String, "before": pl.Int64, "removed": pl.Int64, "removed_only": pl.Int64, "left": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _what_if(frame: pl.DataFrame, thresholds: Sequence[Threshold], fails: Mapping[str, Flags], failed: Counts) -> pl.DataFrame:
    """Count who would be eligible; `failed` counts no rule for being one of several with one phone, of whom one counts here."""
    phone = "shared_phone" if "per_phone" in fails else pl.lit(None, pl.Int64).alias("shared_phone")
    rows: list[tuple[str, float, int, int, bool]] = []
    now = int(np.count_nonzero(~np.logical_or.reduce(list(fails.values()))))
    for rule in thresholds:
        others = frame.select(KNOWN_BY, rule.measure, phone).filter(pl.Series(failed == fails[rule.name]))  # who fails no other rule
        for threshold in rule.neighbours():
            phones = others.filter(rule.keeps(threshold))["shared_phone"]
            eligible = phones.null_count() + phones.drop_nulls().n_unique()
            rows.append((rule.name, threshold, eligible, eligible - now, threshold == rule.threshold))
    schema = {"rule": pl.String, "threshold": pl.Float64, "eligible": pl.Int64, "change": pl.Int64, "current": pl.Boolean}
    return pl.DataFrame(rows, schema=schema, orient="row")
