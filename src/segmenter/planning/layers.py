"""The layers of a group: experts, regulars and newcomers, roles, or what an attribute of the customers says."""

import polars as pl

from segmenter.errors import ConfigError, nearest
from segmenter.messages import Message
from segmenter.settings import AllocatedPlan
from segmenter.settings.role_points import MEMBER

EXPERT, REGULAR, NEWCOMER = "expert", "regular", "newcomer"
_OURS = {"customer_id", "verdict", "unit", "stratum"}  # text that groups and layers cannot be made of


def check_columns(candidates: pl.DataFrame, plan: AllocatedPlan) -> None:
    """Refuse to make layers or topics of a column that is not there."""
    own = [name for name, dtype in candidates.schema.items() if dtype == pl.String and name not in _OURS]
    problems = []
    for key, column, named in (
        ("topic", plan.topic, ["topic", "segment", "category"]),
        ("layer_by", plan.layer_by, ["tenure", "role", "topic", "segment", "category"]),
    ):
        there = {*own, *named} - ({"category", "role", "topic"} - {*candidates.columns})
        if column is not None and column not in there:
            others = [name for name in named if name != column]
            sentence = "plan.{key}: should be {others} or an attribute of the customers (got {column}){hint}"
            facts = {"key": key, "others": tuple(others), "column": column, "hint": nearest(column, [*others, *own])}
            problems.append(Message("planning.no_such_column", sentence, **facts))
    if problems:
        raise ConfigError(*problems)


def with_layer(candidates: pl.DataFrame, plan: AllocatedPlan) -> pl.DataFrame:
    """Add the ``layer``: by tenure, the best advocates are experts, who came lately newcomers, all others regulars."""
    if plan.layer_by != "tenure":
        return candidates.with_columns(layer=pl.col(plan.layer_by).cast(pl.String).fill_null(MEMBER if plan.layer_by == "role" else ""))
    place = pl.struct(-pl.col("advocacy"), pl.int_range(pl.len())).rank("ordinal")
    expert = (place <= round(plan.tenure.experts * candidates.height)) & (pl.col("advocacy") > 0)
    newcomer = pl.col("days_known") < plan.tenure.newcomer_days
    tenure = pl.when(expert).then(pl.lit(EXPERT)).when(newcomer).then(pl.lit(NEWCOMER)).otherwise(pl.lit(REGULAR))
    return candidates.with_columns(tenure.alias("layer"))


def check_layers(candidates: pl.DataFrame, plan: AllocatedPlan) -> tuple[Message, ...]:
    """Refuse layers that nobody is of, where their share is to be held; warn where it may be 0."""
    there = {EXPERT, REGULAR, NEWCOMER} if plan.layer_by == "tenure" else set(candidates["layer"].unique())
    wrong = {name: nearest(name, there) for name in plan.layers if name not in there}
    sentence = "plan.layers: should name layers that somebody eligible is of, by plan.layer_by={layer_by} (got {layer}{hint})"
    held = [
        Message("planning.no_such_layer", sentence, layer_by=plan.layer_by, layer=name, hint=hint)
        for name, hint in wrong.items()
        if plan.layers[name].min or plan.layer_by == "tenure"
    ]
    if held:
        raise ConfigError(*held)
    sentence = "plan.layers: nobody who is eligible is of layer {layer}{hint}"
    return tuple(Message("planning.empty_layer", sentence, layer=name, hint=hint) for name, hint in wrong.items())
