"""Nobody or hardly anybody may be invited: which rule does it, and which launches."""

from datetime import timedelta

import polars as pl

from segmenter.messages import Message, Obstacle
from segmenter.settings import CoreSettings
from segmenter.tables import PastLaunches

_EMPTIED = 0.05  # of those who pass all other rules


def nobody_eligible(funnel: pl.DataFrame) -> list[Message]:
    """Say that no customer is eligible, and what each rule does."""
    sentence = "  {rule}: {before:,} before, {removed:,} removed ({only:,} by it alone), {left:,} left"
    unreached = (
        "  rules.reachable: nobody of these {before:,} can be reached; `segmenter check` says what their contacts are; name other columns "
        "in data.customers.contact, or set rules.reachable=null"
    )
    return [
        Message("rules.nobody", "rules: no customer is eligible; loosen the rule that removes too many:"),
        *(
            Message("rules.step", sentence, rule=rule, before=before, removed=removed, only=only, left=left)
            for rule, before, removed, only, left in funnel.rows()
        ),
        *(
            Message("rules.unreached", unreached, before=before)
            for before in funnel.filter(pl.col("before") > 0, rule="reachable", left=0)["before"]
        ),
    ]


def say_keepers(past: PastLaunches | None, settings: CoreSettings) -> list[Message]:
    """Say which other launches keep customers out, and the way to take one back."""
    launch, cooloff = settings.launch, settings.rules.cooloff_days
    if past is None or launch.as_of is None:
        return []
    others = past.invited.filter(pl.col("launch") != launch.name, "in_plan")
    held = (pl.col("status") == "held_out") & (pl.col("ends_on") > launch.as_of) & pl.lit(settings.rules.held_out)
    cooling = (
        (pl.col("status") == "planned") & (pl.col("planned_at") > launch.as_of - timedelta(days=cooloff or 0)) & pl.lit(cooloff is not None)
    )
    counts = others.group_by("launch", "as_of").agg(held.sum().alias("held"), cooling.sum().alias("cooling"), pl.col("answer").count())
    sentence = "  launch {launch} of {as_of} keeps {cooling:,} invited and {held:,} of its control group out{way_out}"
    cancel = Message("rules.cancel", "; if it was a try, `segmenter cancel` with out= its folder takes it back")
    return [
        Message("rules.kept_out", sentence, launch=name, as_of=day, cooling=cooling, held=held, way_out="" if answers else cancel)
        for name, day, held, cooling, answers in counts.sort("as_of", "launch").rows()
        if held or cooling
    ]


def say_emptied(funnel: pl.DataFrame, settings: CoreSettings) -> list[Obstacle]:
    """Say which rule all but empties the list, if one does: half of a size that is asked for is not there, or hardly anybody is.

    Places, a role and rules of one's own are meant to leave few, as long as they leave as many as are asked for.
    """
    if funnel.is_empty():
        return []
    rule, only, left = *funnel.sort("removed_only").select("rule", "removed_only").row(-1), funnel["left"][-1]
    size, meant = settings.plan.size, {"region_include", "region_exclude", "role", *(custom.name for custom in settings.rules.custom)}
    if left >= size / 2 or only < left if isinstance(size, int) else left > _EMPTIED * (left + only) or rule in meant:
        return []
    sentence = "only {left:,} are eligible: {rule} alone keeps out {only:,} who pass all other rules; loosen it, or look at its column"
    return [Obstacle("rules.emptied", sentence, left=left, rule=rule, only=only)]
