"""How many invitations a launch takes to reach its target, where `plan.size` is auto."""

from collections.abc import Callable
from dataclasses import replace

from segmenter.evaluation.forecast import Forecast, forecast, say_amount
from segmenter.measures.past import Past
from segmenter.messages import Message
from segmenter.planning import InvitationPlan
from segmenter.planning.group_invitations import fit_mean
from segmenter.settings import CoreSettings

_ROUNDS = 5  # the days of the calls, by which the forecast counts, move with the number of invitations


def plan_for_target(
    choose: Callable[[CoreSettings], InvitationPlan], past: Past, settings: CoreSettings
) -> tuple[InvitationPlan, Forecast | None, tuple[Message, ...]]:
    """Plan, and forecast what comes of it; of `plan.size=auto` so many, the best first, as reach the target with `launch.confidence`.

    These are never fewer than a group takes. Where nothing reaches the target, or nothing can be forecast, the plan is as without one.
    """

    def attempt(chosen: CoreSettings) -> tuple[InvitationPlan, Forecast | None, tuple[Message, ...]]:
        planned = choose(chosen)
        return planned, *forecast(planned.customers, planned.join_chances, past, chosen)

    first = attempt(settings)
    planned, expected, doubts = first
    if settings.plan.size != "auto" or expected is None or expected.target is None:
        return first
    fewest = fit_mean(planned.join_chances.mean, planned.join_chances, settings.plan, expected.available).few
    target = say_amount(expected.target, settings.launch.currency)
    size = 0
    for _ in range(_ROUNDS):
        if expected.needed is None:
            sentence = "{target} is out of reach (launch.target): not even all {available:,} who could be invited reach it; set a lower one"
            beyond = Message("evaluation.target_out_of_reach", sentence, target=target, available=expected.available)
            return first[0], first[1], (beyond, *first[2])
        size = min(max(expected.needed, fewest, size + 1), expected.available)
        planned, expected, doubts = attempt(_with_size(settings, size))
        if expected is None or (expected.chance or 0.0) >= settings.launch.confidence or size == expected.available:
            break
    sentence = "plan.size=auto came to {size:,} invitations: so many reach {target} with a chance of {confidence:g} %, and fill a group"
    note = Message("evaluation.size_for_target", sentence, size=size, target=target, confidence=100 * settings.launch.confidence)
    return replace(planned, notes=(*planned.notes, note)), expected, doubts


def _with_size(settings: CoreSettings, size: int) -> CoreSettings:
    return settings.model_copy(update={"plan": settings.plan.model_copy(update={"size": size})})
