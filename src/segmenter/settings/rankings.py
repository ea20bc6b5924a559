"""The rankings: a class for each, and `AnyScoring`, which is one of them.

What a ranking needs to know of a shop stands here as fields of its class, so that nobody asks for its name. The ranking itself is
the module of `segmenter.scoring` (of `segmenter.evaluation` for `auto`) that is called as its `kind`.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator

from segmenter.messages import Message
from segmenter.settings.types import MOST, AsOf, Days, Settings, Weight, is_mapping


class Weights(Settings):
    """What each component weighs, on any scale."""

    spend: Weight
    decayed_spend: Weight
    frequency: Weight
    recency: Weight
    engagement: Weight
    advocacy: Weight
    growth: Weight


class ScoringSettings(Settings):
    """What every ranking has: the components, which give the reasons and choose the key users."""

    # Of a ranking: does it look at earlier dates; does it take every customer's purchase days (`timeline.PURCHASES`); and does it, with
    # or without these, take the single orders of all customers, so that orders aggregated elsewhere will not do?
    needs_past: ClassVar[bool] = False
    needs_purchases: ClassVar[bool] = False
    needs_every_order: ClassVar[bool] = False
    # Does it take the orders' categories, where there are some; and which file of customer ids?
    takes_categories: ClassVar[bool] = False
    seeds_file: ClassVar[str | None] = None

    half_life_days: Annotated[float, Field(gt=0, le=36_525)]
    weights: Weights
    # Files that `tune` wrote before there were roles do not have it.
    role_weights: Annotated[dict[str, Weight], BeforeValidator(is_mapping), Field(default_factory=dict)]
    engagement: dict[str, Weight]
    advocacy: dict[str, Weight]
    knots: Annotated[int, Field(ge=2, le=10_000)]
    max_reasons: Annotated[int, Field(ge=1, le=7)]
    kind: str

    @model_validator(mode="after")
    def _some_weight(self) -> "ScoringSettings":
        if not any((*self.weights.model_dump().values(), *self.role_weights.values())):
            raise ValueError(Message("settings.no_weight", "weights: at least one should be > 0 (got all 0)"))
        return self


class WeightedSettings(ScoringSettings):
    """The weighted score."""

    kind: Literal["weighted"]


def weighted_of(scoring: ScoringSettings) -> WeightedSettings:
    """Give the weighted score of the components that every ranking has."""
    return WeightedSettings(**{name: getattr(scoring, name) for name in ScoringSettings.model_fields} | {"kind": "weighted"})


class SpendSettings(ScoringSettings):
    """By net spend."""

    kind: Literal["spend"]


class DecayedSettings(ScoringSettings):
    """By net spend in which older orders count less."""

    kind: Literal["decayed"]


class RecencySettings(ScoringSettings):
    """By the last order."""

    kind: Literal["recency"]


class RfmSettings(ScoringSettings):
    """By fifths of recency, frequency and spend."""

    kind: Literal["rfm"]


class ClvSettings(ScoringSettings):
    """Expected spend by models of repeat buying."""

    needs_past: ClassVar[bool] = True
    needs_purchases: ClassVar[bool] = True
    needs_every_order: ClassVar[bool] = True

    kind: Literal["clv"]
    model: Literal["bg_nbd", "mbg_nbd"]
    time_unit: Literal["days", "weeks"]


class LearningSettings(ScoringSettings):
    """How expected spend is learned from the shop's own past."""

    needs_past: ClassVar[bool] = True

    cuts: Annotated[int, Field(ge=1, le=100)]
    step_days: Days | None
    rows: Annotated[int, Field(ge=10_000, le=MOST)]
    tree_rows: Annotated[int, Field(ge=10_000, le=MOST)]
    trees: Annotated[int, Field(ge=1, le=2_000)]
    leaves: Annotated[int, Field(ge=2, le=255)]
    trials: Annotated[int, Field(ge=1, le=50)]


class LearnedSettings(LearningSettings):
    """Expected spend, learned from the shop's own past."""

    kind: Literal["learned"]


class AutoSettings(LearningSettings):
    """The ranking that was best on the shop's own past."""

    kind: Literal["auto"]


class UpliftSettings(ScoringSettings):
    """By what an invitation brings, learned from launches with control groups."""

    needs_past: ClassVar[bool] = True
    needs_every_order: ClassVar[bool] = True

    kind: Literal["uplift"]
    detectable: Annotated[float, Field(gt=0, le=10)]


class LookalikeSettings(ScoringSettings):
    """By likeness to seeds."""

    kind: Literal["lookalike"]
    seeds: str | None
    seeds_on: AsOf | None
    others: Annotated[int, Field(ge=1_000, le=1_000_000)]
    categories: bool

    @model_validator(mode="after")
    def _some_seeds(self) -> "LookalikeSettings":
        if not (self.seeds or "").strip() or "" in (self.launch, self.condition):
            sentence = (
                "seeds: should be a file with a column of customer ids, launch:NAME (who joined it), or sql:CONDITION (over the measures "
                "and attributes) (got {seeds})"
            )
            raise ValueError(Message("settings.no_seeds", sentence, seeds=self.seeds or "nothing"))
        return self

    @property
    def needs_past(self) -> bool:  # type: ignore[override]  # a question of its fields
        """Whether it looks at the customers as they were when seeds were chosen."""
        return self.launch is not None or self.seeds_on is not None

    @property
    def needs_every_order(self) -> bool:  # type: ignore[override]
        """The same: of all of them."""
        return self.needs_past

    @property
    def launch(self) -> str | None:
        """The launch whose joiners are the seeds."""
        return self._after("launch:")

    @property
    def condition(self) -> str | None:
        """The SQL that holds for seeds."""
        return self._after("sql:")

    @property
    def takes_categories(self) -> bool:  # type: ignore[override]
        """Whether it learns from them."""
        return self.categories

    @property
    def seeds_file(self) -> str | None:  # type: ignore[override]
        """The file that lists the seeds."""
        return None if self.seeds is None or self.launch is not None or self.condition is not None else self.seeds

    def _after(self, word: str) -> str | None:
        given = self.seeds or ""
        return given[len(word) :].strip() if given.lower().startswith(word) else None


AnyScoring = Annotated[
    WeightedSettings
    | SpendSettings
    | DecayedSettings
    | RecencySettings
    | RfmSettings
    | ClvSettings
    | LearnedSettings
    | AutoSettings
    | UpliftSettings
    | LookalikeSettings,
    Field(discriminator="kind"),
]
