"""Who stands in each group before anybody is invited: colleagues and house accounts. They take places, and count in nothing else."""

import polars as pl

from segmenter.errors import ConfigError
from segmenter.hashing import uniform
from segmenter.messages import Message
from segmenter.planning.call_messages import list_first
from segmenter.regions import find_members
from segmenter.regions.region_names import region_of
from segmenter.settings import CoreSettings

# ``starter`` is a customer id where the ``kind`` is staff, else a name as the settings have it: of a colleague or a house account.
STARTERS = pl.Schema({"group": pl.String(), "starter": pl.String(), "kind": pl.String()})
NO_STARTERS = STARTERS.to_frame()
_PLACE = pl.selectors.by_name("province", "city", "district", require_all=False)


def reserve_places(frame: pl.DataFrame, settings: CoreSettings) -> CoreSettings:
    """Take the places of starters off what a group can hold: as many as may stand in one."""
    plan, places = settings.plan, _count_places(frame, settings)
    if not places:
        return settings
    left, needed = plan.group_capacity - places, plan.smallest
    if left < needed:
        sentence = (
            "plan.starters: {places:,} in each group leave {left:,} of plan.group_capacity={capacity:,} places, and {needed:,} are needed; "
            "lower plan.starters_per_group, or name fewer"
        )
        facts = {"places": places, "left": left, "capacity": plan.group_capacity, "needed": needed}
        raise ConfigError(Message("planning.starters_many", sentence, **facts))
    return settings.model_copy(update={"plan": plan.model_copy(update={"group_capacity": left})})


def _count_places(frame: pl.DataFrame, settings: CoreSettings) -> int:
    match settings.plan.starters:
        case None:
            return 0
        case "staff":
            if not settings.rules.staff:
                sentence = "plan.starters: staff stand in the groups already, and would be invited too (rules.staff=false); set it to true"
                raise ConfigError(Message("planning.starters_invited", sentence))
            known = int(frame.select(_is_staff().sum()).item())
        case named:
            known = len(named)
    return min(settings.plan.starters_per_group, known)


def stand_starters(
    frame: pl.DataFrame, invitations: pl.DataFrame, settings: CoreSettings
) -> tuple[pl.DataFrame, tuple[Message, ...], tuple[Message, ...]]:
    """Say who stands in which group, as `STARTERS`; with notes and warnings. Invitations have ``row`` (of the frame) and ``group``."""
    plan = settings.plan
    if not plan.starters:
        return NO_STARTERS, (), ()
    people = frame.select(_PLACE)[invitations["row"]].with_columns(invitations["group"], region_of(plan))
    standing, warnings = _staff(frame, people, settings) if plan.starters == "staff" else _named(people, settings)
    kept = standing.group_by("group", maintain_order=True).head(plan.starters_per_group)
    if more := standing.height - kept.height if plan.starters != "staff" else 0:
        sentence = "plan.starters_per_group: {more:,} places of starters in groups are more than {most} a group, the last named stay out"
        warnings += (Message("planning.starters_over", sentence, more=more, most=plan.starters_per_group),)
    groups = invitations["group"].unique().sort()
    if empty := groups.filter(~groups.is_in(kept["group"].implode())).to_list():
        sentence = "plan.starters: nobody stands in {groups} before others are invited: no starter is of there"
        warnings += (Message("planning.starters_none", sentence, groups=list_first(empty)),)
    if kept.is_empty():
        return kept, (), warnings
    kinds = dict(kept.group_by("kind").agg(pl.col("starter").n_unique()).rows())
    sentence = (
        "Who stands in the groups before anybody is invited: {colleagues:,} of the colleagues, {house:,} of the house accounts; {places:,} "
        "of each group's places are theirs, and they count in no figure."
    )
    places = _count_places(frame, settings)
    facts = {"colleagues": kinds.get("staff", 0) + kinds.get("colleague", 0), "house": kinds.get("house", 0), "places": places}
    return kept.sort("group", maintain_order=True), (Message("planning.starters", sentence, **facts),), warnings


def _is_staff() -> pl.Expr:
    return pl.col("staff") & ~pl.col("blocked")


def _staff(frame: pl.DataFrame, people: pl.DataFrame, settings: CoreSettings) -> tuple[pl.DataFrame, tuple[Message, ...]]:
    """Let the shop's own staff stand in the groups of their region, others in each of them as far as there are."""
    staff = frame.filter(_is_staff()).select("customer_id", region_of(settings.plan))
    both = people.select("group", "region").unique().join(staff, on="region").select("group", starter="customer_id").unique()
    drawn = [
        part.with_columns(uniform(part["starter"], settings.seed, f"starters {group}").alias("turn"))
        for (group,), part in both.sort("group", "starter").partition_by("group", as_dict=True, maintain_order=True).items()
    ]
    turns = pl.concat([both.clear().with_columns(turn=pl.lit(0.0)), *drawn]).sort("group", "turn", "starter")
    return turns.select("group", "starter", kind=pl.lit("staff")), ()


def _named(people: pl.DataFrame, settings: CoreSettings) -> tuple[pl.DataFrame, tuple[Message, ...]]:
    """Let those who are named stand in the groups that have people of their regions, in the order in which they are named."""
    places = people.select(
        "group", "province", "city", "district" if "district" in people.columns else pl.lit(None, pl.String).alias("district")
    )
    places = places.with_columns(pl.col("province", "city", "district").cast(pl.String)).unique().sort(pl.all(), nulls_last=True)
    rows: list[tuple[str, str, str]] = []
    unknown: list[str] = []
    for starter in settings.plan.starters or ():
        assert not isinstance(starter, str)
        inside = pl.repeat(True, places.height, eager=True)
        if starter.regions:
            members = find_members(places, starter.regions, settings.rules.region, "plan.starters")
            inside, unknown = members.inside, unknown + ([starter.name] if not members.inside.any() else [])
        kind = "house" if starter.house else "colleague"
        rows += [(group, starter.name, kind) for group in places.filter(inside)["group"].unique().sort()]
    sentence = "plan.starters: nobody who is invited is of the regions of {names}, who stand in no group"
    warnings = (Message("planning.starters_unknown", sentence, names=list_first(unknown)),) if unknown else ()
    return pl.DataFrame(rows, schema=STARTERS, orient="row"), warnings
