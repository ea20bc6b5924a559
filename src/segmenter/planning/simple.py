"""The best so many, cut into groups of one region, key users first."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from segmenter.errors import InputError
from segmenter.rules import ELIGIBLE
from segmenter.settings import PlanSettings
from segmenter.words import Lang, say


@dataclass(frozen=True)
class Planned:
    """Who is invited.

    Parameters
    ----------
    customers : DataFrame
        The frame with ``invited``, ``rank`` (from 1 among the invited), ``wave`` (1 for key users, 2 for the others) and ``group``.
    groups : DataFrame
        For each group: ``group``, ``region``, ``size``, ``key_users``, ``spend``.
    warnings : tuple of str
        What a person should know.
    """

    customers: pl.DataFrame
    groups: pl.DataFrame
    warnings: tuple[str, ...]


def plan(frame: pl.DataFrame, settings: PlanSettings, *, lang: Lang) -> Planned:
    """Choose whom to invite and form the groups.

    The best by score are invited, ties by customer id. Each region's invited customers make as few groups as the
    capacity allows, dealt by rank so that the groups are equally strong; in each group the best advocates come first.

    Parameters
    ----------
    frame : DataFrame
        One row per customer: ``verdict``, ``score``, ``component_*``, ``province``, ``city``, ``spend``.
    settings : PlanSettings
        Size, groups and key users.
    lang : {"en", "zh"}
        The language of warnings and of the name for "no region".

    Returns
    -------
    Planned
        The plan.

    Raises
    ------
    InputError
        Fewer are eligible than asked for, and `require_size` is true.

    Examples
    --------
    >>> import segmenter
    >>> settings = segmenter.launch_settings({"plan.size": 2, "plan.by_region": "none", "plan.key_users": 1})
    >>> frame = pl.DataFrame({"customer_id": ["a", "b", "c"], "verdict": "eligible", "score": [10.0, 90.0, 50.0], "spend": 1,
    ...     "province": "四川", "city": None, "component_advocacy": [0.0, 0.0, 1.0], "component_engagement": 0.0})
    >>> plan(frame, settings.plan, lang="en").customers.select("customer_id", "rank", "wave").rows()
    [('a', None, None), ('b', 1, 2), ('c', 2, 1)]
    """
    eligible = np.flatnonzero(frame["verdict"] == ELIGIBLE)
    warnings = []
    if isinstance(settings.size, int) and len(eligible) < settings.size:
        if settings.require_size:
            rule = f"{settings.size:,} are asked for, but only {len(eligible):,} are eligible"
            raise InputError(f"plan.size: {rule}; loosen a rule, or set plan.require_size=false")
        en = f"{len(eligible):,} eligible, {settings.size:,} asked for (plan.size): all who are eligible are on the list"
        zh = f"符合条件的客户只有 {len(eligible):,} 位，少于计划的 {settings.size:,} 位（plan.size），已全部列入名单"
        warnings.append(say(lang, en, zh))
    scores = frame["score"].to_numpy()[eligible]
    if isinstance(settings.size, int) and settings.size < len(eligible):
        # Only those who reach the last place's score can be on the list, ties included.
        eligible = eligible[scores >= np.partition(scores, -settings.size)[-settings.size]]
    best = frame[eligible].with_columns(pl.Series("row", eligible)).sort("score", "customer_id", descending=[True, False])
    if isinstance(settings.size, int):
        best = best.head(settings.size)
    grouped = _grouped(best.with_row_index("rank", offset=1), settings, lang)
    groups = (
        grouped.group_by("group")
        .agg(
            pl.col("unit").first().alias("region"),
            pl.len().cast(pl.Int64).alias("size"),
            (pl.col("wave") == 1).sum().cast(pl.Int64).alias("key_users"),
            pl.col("spend").sum(),
            pl.col("number").first(),
        )
        .sort("region", "number")
        .drop("number")
    )
    # By row number: a join on the ids of all customers would cost more than all of the above.
    place = np.full(frame.height, grouped.height, dtype=np.uint32)
    place[grouped["row"]] = np.arange(grouped.height, dtype=np.uint32)
    columns = grouped.select(pl.lit(value=True).alias("invited"), pl.col("rank").cast(pl.Int32), "wave", "group")
    rest = pl.DataFrame({"invited": [False], "rank": None, "wave": None, "group": None}, schema=columns.schema)
    customers = frame.with_columns(pl.concat([columns, rest])[pl.Series(place)].get_columns())
    return Planned(customers, groups, tuple(warnings))


def _grouped(best: pl.DataFrame, settings: PlanSettings, lang: Lang) -> pl.DataFrame:
    nowhere = pl.lit(say(lang, "no region", "无地区"))
    match settings.by_region:
        case "province":
            unit = pl.coalesce("province", nowhere)
        case "city":
            unit = pl.coalesce(pl.concat_str("province", "city", separator="/", ignore_nulls=True).replace("", None), nowhere)
        case _:
            unit = pl.lit(say(lang, "all", "全部"))
    order = pl.int_range(pl.len()).over("unit")
    groups = (pl.len().over("unit").cast(pl.Int64) + settings.group_capacity - 1) // settings.group_capacity
    best = best.with_columns(unit.alias("unit")).with_columns((order % groups + 1).alias("number"))
    best = best.with_columns(pl.format("{}-{}", "unit", "number").alias("group"))
    advocacy = pl.sum_horizontal(*(f"component_{name}" for name in settings.key_user_components), pl.lit(0.0))
    standing = best.with_columns(advocacy.alias("advocacy")).sort("group", "advocacy", "rank", descending=[False, True, False])
    place = pl.int_range(pl.len()).over("group")
    return standing.with_columns(pl.when(place < settings.key_users).then(1).otherwise(2).cast(pl.Int32).alias("wave")).sort("rank")
