"""Roles: what customers do for a community, as points for kinds of events."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from segmenter.errors import nearest
from segmenter.messages import Message
from segmenter.settings.planning import AllocatedPlan, AnyPlan
from segmenter.settings.rankings import ScoringSettings
from segmenter.settings.types import is_mapping

MEMBER = "member"  # the layer of who holds no role
ROLE = "role_"  # before a role's name: its column, and its component
_TENURES = ("expert", "regular", "newcomer")


def _are_names(roles: Mapping[str, object]) -> Mapping[str, object]:
    if wrong := [name for name in roles if name == MEMBER or not re.fullmatch(r"[^\W\d_]\w{0,39}", name)]:
        sentence = "should have names of letters, digits and _, a letter first, and not {member} (got {names})"
        raise ValueError(Message("settings.role_names", sentence, member=MEMBER, names=tuple(wrong)))
    return roles


# Points, not so many that whole numbers could not hold their sum.
Kinds = Annotated[dict[str, Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]], BeforeValidator(is_mapping), Field(min_length=1)]
Roles = Annotated[dict[str, Kinds], BeforeValidator(is_mapping), AfterValidator(_are_names)]


def check_roles(roles: Roles, community: str | None, rankings: Mapping[str, ScoringSettings], plan: AnyPlan) -> None:
    """Refuse roles that are named, by the launch, rankings by their keys and the plan, where there are none of that name."""
    if problems := list(_problems(roles, community, rankings, plan)):
        raise ValueError(Message("settings.roles", "{problems}", problems=tuple(problems)))


def _problems(roles: Roles, community: str | None, rankings: Mapping[str, ScoringSettings], plan: AnyPlan) -> Iterator[Message]:
    named = [] if community is None else [("launch.role", community)]
    named += [(f"{key}.role_weights", name) for key, scoring in rankings.items() for name in scoring.role_weights]
    named += [("plan.key_user_components", name.removeprefix(ROLE)) for name in plan.key_user_components if name.startswith(ROLE)]
    for key, name in named:
        if name not in roles:
            sentence = "{key}: should name one of the roles (got {name}{hint})"
            yield Message("settings.no_such_role", sentence, key=key, name=name, hint=nearest(name, roles))
    match plan:
        case AllocatedPlan(layer_by="role", layers=layers) if old := [name for name in layers if name in _TENURES and name not in roles]:
            sentence = "plan.layer_by: {layers}: these are layers by plan.layer_by=tenure now; role is what customers do for the community"
            yield Message("settings.layer_by_tenure", sentence, layers=tuple(old))
        case AllocatedPlan(layer_by="role") if not roles:
            yield Message("settings.no_roles", "plan.layer_by: role needs roles (got none); choose roles=space, or name some")
