"""What a launch promises its members for the friends they bring, and what is assumed of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator

from segmenter.messages import Message
from segmenter.settings.stages import ReferralSpread
from segmenter.settings.types import Amount, Name, Settings, is_mapping


class Reward(Settings):
    """A reward: an amount in currency units, or a share of the bringer's average order."""

    amount: Amount | None = None
    share: Annotated[float, Field(ge=0, le=1)] | None = None

    @property
    def size(self) -> float:
        """Its figure, whatever its unit."""
        return (self.amount if self.share is None else self.share) or 0.0


def _without_null(tiers: object) -> object:
    """Drop tiers that are null: so a config is rid of those that were there."""
    kept = is_mapping(tiers)
    return {name: rewards for name, rewards in kept.items() if rewards is not None} if isinstance(kept, dict) else kept


def _as_reward(value: object) -> object:
    """Read "30 %" and numbers below 1 as shares, and all other numbers as amounts."""
    if isinstance(value, str) and (percent := re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*%\s*", value)):
        value = float(percent[1]) / 100
        if value > 1:
            sentence = "should be at most 100 % of an average order; give an amount to pay more"
            raise ValueError(Message("settings.reward_share", sentence))
        return {"share": value}
    if isinstance(value, int | float) and not isinstance(value, bool):
        return {"share": value} if 0 < value < 1 else {"amount": value}
    if isinstance(value, dict | Reward):
        return value
    sentence = 'should be an amount such as 50, or a share of an average order such as "30 %" or 0.3'
    raise ValueError(Message("settings.reward", sentence))


Friends = Annotated[int, Field(ge=1, le=10_000, strict=False)]
Rewards = Annotated[
    dict[Friends, Annotated[Reward, BeforeValidator(_as_reward, json_schema_input_type=Amount | str)]],
    BeforeValidator(is_mapping),
    Field(max_length=20),
]


@dataclass(frozen=True)
class Tier:
    """Rewards by friends brought: a bringer has that of the highest level reached, once."""

    name: str
    rewards: Mapping[int, Reward]


class Assumed(Settings):
    """A range within which something that nobody knows is assumed to lie, all of it as likely."""

    low: Annotated[float, Field(ge=0, le=100)]
    high: Annotated[float, Field(ge=0, le=100)]

    @model_validator(mode="after")
    def _ordered(self) -> "Assumed":
        if self.low > self.high:
            raise ValueError(Message("settings.range", "low should be ≤ high (got {low:g} > {high:g})", low=self.low, high=self.high))
        return self


class FissionSettings(Settings):
    """What `simulate` compares, and what it assumes."""

    runs: Annotated[int, Field(ge=100, le=10_000)]
    tiers: Annotated[dict[Name, Rewards], BeforeValidator(_without_null), Field(min_length=1, max_length=8)]
    response: Assumed
    fatigue: Annotated[float, Field(gt=0, le=1)]
    margin: Annotated[float, Field(gt=0, le=1)] | None
    network: ReferralSpread

    @property
    def offered(self) -> tuple[Tier, ...]:
        """The tiers, as they stand in the config."""
        return tuple(Tier(name, dict(sorted(rewards.items()))) for name, rewards in self.tiers.items())

    @model_validator(mode="after")
    def _rising(self) -> "FissionSettings":
        wrong = [problem for tier in self.offered for problem in _problems(tier)]
        if wrong:
            raise ValueError(Message("settings.of_tiers", "{problems}", problems=tuple(wrong)))
        return self


def _problems(tier: Tier) -> list[Message]:
    """Say what is wrong with a tier: two units, or less for more friends."""
    rewards = list(tier.rewards.items())
    if len({reward.share is None for _, reward in rewards}) > 1:
        sentence = "tiers.{tier}: should have amounts or shares, and not both"
        return [Message("settings.tier_units", sentence, tier=tier.name)]
    falling = [(more, less.size, own.size) for (_, less), (more, own) in pairwise(rewards) if own.size < less.size]
    sentence = "tiers.{tier}.{friends}: should be no less than for fewer friends (got {got:g} after {before:g})"
    return [Message("settings.tier_falls", sentence, tier=tier.name, friends=more, got=got, before=before) for more, before, got in falling]
