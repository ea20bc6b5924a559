"""The whole config of each job."""

from typing import Annotated, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from segmenter.errors import nearest
from segmenter.settings.engines import EngineSettings
from segmenter.settings.planning import AnyPlan, category_key
from segmenter.settings.sources import DataSettings, DemoSettings, MappingSettings
from segmenter.settings.stages import (
    AnyScoring,
    LaunchSettings,
    MlflowSettings,
    NoTracking,
    RulesSettings,
    SegmentsSettings,
)
from segmenter.settings.types import MOST, AsOf, Days, Folder, Seed, Settings, is_currency_code, is_file_name, is_timezone, off
from segmenter.words import Lang


class CoreSettings(Settings):
    """What `plan_launch` needs: a launch without its sources and outputs."""

    launch: LaunchSettings
    rules: RulesSettings
    scoring: AnyScoring
    segments: SegmentsSettings
    plan: AnyPlan
    seed: Seed
    lang: Lang


class FrameLaunch(CoreSettings):
    """A launch on frames that a program holds already."""

    data: MappingSettings


class HistorySettings(Settings):
    """What is kept of the orders."""

    store: Annotated[str | None, BeforeValidator(off)]


class LedgerSettings(Settings):
    """Where invitations and answers are kept."""

    use: bool
    url: str | None


class LaunchJob(CoreSettings):
    """The whole config of `segmenter launch`."""

    # Named in the manifest: results replace only those of the same job.
    job: ClassVar[str] = "launch"
    data: DataSettings
    engine: EngineSettings
    history: HistorySettings
    ledger: LedgerSettings
    tracking: Annotated[MlflowSettings | NoTracking, Field(discriminator="kind")]
    out: Folder
    overwrite: bool

    @model_validator(mode="after")
    def _at_hand(self) -> "LaunchJob":
        if self.scoring.kind in ("clv", "learned") and self.engine.kind != "local":
            raise ValueError(f"scoring: {self.scoring.kind} looks at single orders, which need engine=local (got {self.engine.kind})")
        if self.by_category and self.engine.kind != "local":
            rule = "category looks at single orders, which need engine=local"
            raise ValueError(f"{category_key(self.plan)}: {rule} (got {self.engine.kind})")
        return self

    @property
    def by_category(self) -> bool:
        """Whether the plan needs the orders' categories: an attribute of that name is the customers' own."""
        return category_key(self.plan) is not None and "category" not in self.data.customers.attributes


class BacktestSettings(Settings):
    """Which launches are replayed, and how they are judged."""

    rankings: tuple[str, ...] | None
    cuts: tuple[AsOf, ...] | None
    first: AsOf | None
    last: AsOf | None
    step_days: Days
    most: Annotated[int, Field(ge=1, le=200)]
    horizon_days: Annotated[int, Field(ge=1, le=1_000)]
    customers: Annotated[int, Field(ge=1_000, le=MOST)] | None


class BacktestCore(CoreSettings):
    """What `backtest` needs."""

    backtest: BacktestSettings
    rankings: dict[str, AnyScoring]

    @model_validator(mode="after")
    def _known(self) -> "BacktestCore":
        wrong = [name for name in self.backtest.rankings or () if name not in self.rankings]
        if wrong:
            hints = "; ".join(f"{name}{nearest(name, self.rankings)}" for name in wrong)
            raise ValueError(f"backtest.rankings: should be among {', '.join(self.rankings)} (got {hints})")
        if taken := {"best", "random"} & set(self.rankings):
            raise ValueError(f"rankings: should not be called {' or '.join(sorted(taken))}, which are the two ends of every comparison")
        return self


class FrameBacktest(BacktestCore):
    """A backtest on frames that a program holds already."""

    data: MappingSettings


class BacktestJob(LaunchJob, BacktestCore):
    """The whole config of `segmenter backtest`: that of the launch, and what is replayed."""

    job: ClassVar[str] = "backtest"

    @model_validator(mode="after")
    def _replayable(self) -> "BacktestJob":
        if self.engine.kind != "local":
            raise ValueError(f"engine: past dates are looked at order by order, which needs engine=local (got {self.engine.kind})")
        return self


class ReviewSettings(Settings):
    """What came of a launch, and until when."""

    as_of: AsOf | None
    answers: tuple[Annotated[str, Field(min_length=1)], ...]
    before_days: Days


class ReviewCore(CoreSettings):
    """What `review` needs."""

    review: ReviewSettings


class FrameReview(ReviewCore):
    """A review on frames that a program holds already."""

    data: MappingSettings


class ReviewJob(LaunchJob, ReviewCore):
    """The whole config of `segmenter review`: that of the launch, and what came of it."""

    job: ClassVar[str] = "review"

    @model_validator(mode="after")
    def _reviewable(self) -> "ReviewJob":
        if not self.ledger.use:
            raise ValueError("ledger.use: should be true, as the ledger says who was invited (got false)")
        if self.engine.kind != "local":
            raise ValueError(f"engine: single orders are looked at, which needs engine=local (got {self.engine.kind})")
        if self.data.kind == "demo":
            raise ValueError(
                "data: the demo shop ends with its launch; let it live on with `segmenter demo results=outputs/launch`, "
                "then review with data=demo_after (got demo)"
            )
        return self


class TuneSettings(Settings):
    """How weights and half-life are searched for."""

    trials: Annotated[int, Field(ge=1, le=10_000)]
    half_lives: Annotated[tuple[Annotated[float, Field(gt=0, le=36_525)], ...], Field(min_length=1)]
    held_back: Annotated[float, Field(gt=0, lt=1)]


class TuneCore(BacktestCore):
    """What `tune` needs."""

    tune: TuneSettings

    @model_validator(mode="after")
    def _own_names(self) -> "TuneCore":
        if taken := {"tuned", "present"} & set(self.rankings):
            raise ValueError(f"rankings: should not be called {' or '.join(sorted(taken))}, which is what others are compared with")
        return self


class TuneJob(BacktestJob, TuneCore):
    """The whole config of `segmenter tune`: that of the backtest, and what is tried."""

    job: ClassVar[str] = "tune"


class DemoLaunch(Settings):
    """What `segmenter demo` needs of a launch: the one that its files are for."""

    name: Annotated[str, AfterValidator(is_file_name)]
    as_of: AsOf | None
    timezone: Annotated[str, AfterValidator(is_timezone)]
    currency: Annotated[str, AfterValidator(is_currency_code)]


class DemoJob(Settings):
    """The whole config of `segmenter demo`."""

    job: ClassVar[str] = "demo"
    launch: DemoLaunch
    data: DemoSettings
    customers: Annotated[int, Field(ge=100, le=5_000_000)]
    results: Annotated[str, Field(min_length=1)] | None
    effect: Annotated[float, Field(ge=0, le=10)]
    out: Folder
    overwrite: bool
    seed: Seed
    lang: Lang
