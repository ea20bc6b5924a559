"""How many invitations a launch takes to reach its target, where `plan.size` is auto."""

from collections.abc import Callable
from dataclasses import replace

from segmenter.evaluation.forecast import Forecast, forecast, say_amount, say_chance
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

    These are never fewer than a group takes, and as many more as fill the groups that have room for them. Where nobody's invitation is
    enough, or nothing can be forecast, the plan is as without a target.
    """

    def attempt(chosen: CoreSettings) -> tuple[InvitationPlan, Forecast | None, tuple[Message, ...]]:
        planned = choose(chosen)
        return planned, *forecast(planned.customers, planned.join_chances, past, chosen)

    first = attempt(settings)
    planned, expected, doubts = first
    if settings.plan.size != "auto" or expected is None or expected.target is None:
        return first
    lengths = fit_mean(planned.join_chances.mean, planned.join_chances, settings.plan, expected.available)
    target = say_amount(expected.target, settings.launch.currency)
    size = 0
    for _ in range(_ROUNDS):
        if expected.needed is None:
            sentence = (
                "plan.size=auto: even all {available:,} who could be invited reach {target} (launch.target) with a chance of less than "
                "{confidence:g} %, and {within_reach} with that chance; the plan is as without a target"
            )
            facts = {"target": target, "available": expected.available, "confidence": 100 * settings.launch.confidence}
            within_reach = say_amount(expected.within_reach, settings.launch.currency)
            beyond = Message("evaluation.size_out_of_reach", sentence, **facts, within_reach=within_reach)
            return first[0], first[1], (beyond, *first[2])
        size = max(expected.needed, size + 1)
        size = min(max(size, -(-size // lengths.many) * lengths.few), expected.available)
        planned, expected, doubts = attempt(_with_size(settings, size))
        if expected is None or (expected.chance or 0.0) >= settings.launch.confidence or size == expected.available:
            break
    if expected is None or expected.chance is None:
        return first
    sentence = "plan.size=auto came to {size:,} invitations, which reach {target} (launch.target) with a chance of {chance}"
    said = Message("evaluation.size_for_target", sentence, size=size, target=target, chance=say_chance(expected.chance))
    if expected.chance < settings.launch.confidence:
        return planned, expected, (said, *doubts)
    return replace(planned, notes=(*planned.notes, said)), expected, doubts


def _with_size(settings: CoreSettings, size: int) -> CoreSettings:
    return settings.model_copy(update={"plan": settings.plan.model_copy(update={"size": size})})
