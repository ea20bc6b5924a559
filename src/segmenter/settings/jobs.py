"""The whole config of each job."""

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from segmenter.errors import nearest
from segmenter.messages import Message
from segmenter.settings.eligibility import RulesSettings
from segmenter.settings.planning import AnyPlan, PlatformSettings, column_key
from segmenter.settings.rankings import AnyScoring
from segmenter.settings.rewards import FissionSettings
from segmenter.settings.role_points import Roles, check_roles
from segmenter.settings.sources import DataSettings, DemoSettings, MappingSettings
from segmenter.settings.stages import (
    AnySegments,
    EngineSettings,
    ExportsDatabase,
    HistorySettings,
    LaunchSettings,
    LedgerSettings,
    LocalEngine,
    MlflowSettings,
    NoSpread,
    NoTracking,
    PersonaList,
    SpreadSettings,
    TopicsSettings,
    check_scripts,
)
from segmenter.settings.types import MOST, AsOf, Days, Folder, RunSettings, Seed, Settings, as_list
from segmenter.words import Lang


class CoreSettings(Settings):
    """What `plan_launch` needs: a launch without its sources and outputs."""

    launch: LaunchSettings
    rules: RulesSettings
    scoring: AnyScoring
    segments: AnySegments
    topics: TopicsSettings
    personas: PersonaList
    roles: Roles
    spread: SpreadSettings
    plan: AnyPlan
    platform: PlatformSettings
    seed: Seed
    lang: Lang

    @model_validator(mode="after")
    def _on_platform(self) -> "CoreSettings":
        check_scripts(self.personas, self.launch)
        if problems := self.platform.misfits(self.plan):
            sentence = "{problems}; lower it, or choose another platform"
            raise ValueError(Message("planning.on_platform", sentence, problems=tuple(problems)))
        if isinstance(self.spread, NoSpread) and "reach" in self.plan.key_user_components:
            sentence = "plan.key_user_components: reach is whom somebody would bring, which takes spread=referrals (got spread=off)"
            raise ValueError(Message("planning.reach_off", sentence))
        rankings = {f"rankings.{name}": each for name, each in getattr(self, "rankings", {}).items()}
        check_roles(self.roles, self.launch.role, {"scoring": self.scoring, **rankings}, self.plan)
        return self

    @property
    def topics_asked(self) -> str | None:
        """The key that asks for the customers' topics, if one does."""
        return "topics.use" if self.topics.use else column_key(self.plan, "topic")


class FrameLaunch(CoreSettings):
    """A launch on frames that a program holds already."""

    data: MappingSettings

    @property
    def by_category(self) -> bool:
        """Whether plan, topics or ranking take the orders' categories: an attribute of that name is the customers' own."""
        asked = {"category": column_key(self.plan, "category") or self.scoring.takes_categories or None, "topic": self.topics_asked}
        return any(key is not None and name not in self.data.customers.attributes for name, key in asked.items())

    @property
    def needs_every_order(self) -> bool:
        """Whether orders that were aggregated while they were read would not do: the ranking or the plan looks at each customer's."""
        return self.scoring.needs_every_order or self.by_category


class LaunchJob(FrameLaunch, RunSettings):
    """The whole config of `segmenter launch`."""

    # Named in the manifest: results replace only those of the same job.
    job: ClassVar[str] = "launch"
    data: DataSettings
    engine: EngineSettings
    history: HistorySettings
    ledger: LedgerSettings
    tracking: Annotated[MlflowSettings | NoTracking, Field(discriminator="kind")]
    exports: Annotated[tuple[Literal["csv", "wecom", "meta", "database"], ...], BeforeValidator(as_list)]
    exports_database: ExportsDatabase
    out: Folder
    overwrite: bool
    from_run: Annotated[Folder | None, Field(exclude=True)]
    from_run_changed: Annotated[Literal["stop", "allow"], Field(exclude=True)]

    @model_validator(mode="after")
    def _exported(self) -> "LaunchJob":
        if "database" in self.exports and self.exports_database.url is None:
            sentence = "exports_database.url: is needed by exports=[database], such as {forms}"
            raise ValueError(Message("settings.exports_url", sentence, forms="sqlite:///crm.db"))
        return self

    @model_validator(mode="after")
    def _at_hand(self) -> "LaunchJob":
        match self.engine:
            case LocalEngine():
                return self
            case engine if self.scoring.needs_every_order:
                sentence = "scoring: {kind} looks at the single orders of all customers, which need engine=local (got {engine})"
                raise ValueError(Message("settings.scoring_engine", sentence, kind=self.scoring.kind, engine=engine.kind))
            case engine if self.by_category:
                sentence = "{key}: what customers buy needs their single orders, and so engine=local (got {engine})"
                key = column_key(self.plan, "category") or self.topics_asked or "scoring.categories"
                raise ValueError(Message("settings.category_engine", sentence, key=key, engine=engine.kind))
        return self


class CheckJob(LaunchJob):
    """The whole config of `segmenter check`: that of the launch."""

    job: ClassVar[str] = "check"


class BacktestSettings(Settings):
    """Which launches are replayed, and how they are judged."""

    rankings: tuple[str, ...] | None
    cuts: tuple[AsOf, ...] | None
    first: AsOf | None
    last: AsOf | None
    step_days: Days
    max_cuts: Annotated[int, Field(ge=1, le=200)]
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
            sentence = "backtest.rankings: should be among {rankings} (got {hints})"
            raise ValueError(Message("settings.unknown_rankings", sentence, rankings=tuple(self.rankings), hints=hints))
        if taken := {"best", "random"} & set(self.rankings):
            sentence = "rankings: should not be called {taken}, which are the two ends of every comparison"
            raise ValueError(Message("settings.reserved_ends", sentence, taken=" or ".join(sorted(taken))))
        return self


class FrameBacktest(BacktestCore):
    """A backtest on frames that a program holds already."""

    data: MappingSettings


class BacktestJob(LaunchJob, BacktestCore):
    """The whole config of `segmenter backtest`: that of the launch, and what is replayed."""

    job: ClassVar[str] = "backtest"

    @model_validator(mode="after")
    def _replayable(self) -> "BacktestJob":
        if not isinstance(self.engine, LocalEngine):
            sentence = "engine: past dates are looked at order by order, which needs engine=local (got {engine})"
            raise ValueError(Message("settings.backtest_engine", sentence, engine=self.engine.kind))
        return self


class ReviewSettings(Settings):
    """What came of a launch, and until when."""

    as_of: AsOf | None
    answers: tuple[Annotated[str, Field(min_length=1)], ...]
    day_sheets: str | None
    before_days: Days
    signs_of_life: tuple[Annotated[str, Field(min_length=1), AfterValidator(str.lower)], ...]
    silent_days: Annotated[int, Field(ge=1, le=366)]
    complaint_hours: Annotated[int, Field(ge=0, le=MOST)]
    event_days: Annotated[int, Field(ge=0, le=3)]
    event_weeks: Annotated[int, Field(ge=1, le=52)]
    settled_days: Annotated[int, Field(ge=0, le=366)]


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
            sentence = "ledger.use: should be true, as the ledger says who was invited (got false)"
            raise ValueError(Message("settings.review_ledger", sentence))
        if not isinstance(self.engine, LocalEngine):
            sentence = "engine: single orders are looked at, which needs engine=local (got {engine})"
            raise ValueError(Message("settings.review_engine", sentence, engine=self.engine.kind))
        if isinstance(self.data, DemoSettings):
            sentence = (
                "data: the demo shop ends with its launch; let it live on with `segmenter demo results=FOLDER` (the launch's), "
                "then review with data=demo_after (got demo)"
            )
            raise ValueError(Message("settings.review_demo", sentence))
        return self


class TodaySettings(Settings):
    """Which day, and who is called a second time."""

    as_of: AsOf | None
    attempts: Annotated[int, Field(ge=1, le=100)]
    second_calls: bool
    again_days: Days
    agreed_days: Days
    silent_days: Days


class TodayJob(ReviewJob):
    """The whole config of `segmenter today`: that of the review, and of the day."""

    job: ClassVar[str] = "today"
    today: TodaySettings


class SimulateCore(CoreSettings):
    """What `simulate` needs."""

    fission: FissionSettings


class SimulateJob(LaunchJob, SimulateCore):
    """The whole config of `segmenter simulate`: that of the launch, and what is compared."""

    job: ClassVar[str] = "simulate"


class TuneSettings(Settings):
    """How weights and half-life are searched for."""

    trials: Annotated[int, Field(ge=1, le=10_000)]
    half_lives: Annotated[tuple[Annotated[float, Field(gt=0, le=36_525)], ...], Field(min_length=1)]
    holdout: Annotated[float, Field(gt=0, lt=1)]


class TuneCore(BacktestCore):
    """What `tune` needs."""

    tune: TuneSettings

    @model_validator(mode="after")
    def _own_names(self) -> "TuneCore":
        if taken := {"tuned", "present"} & set(self.rankings):
            sentence = "rankings: should not be called {taken}, which is what others are compared with"
            raise ValueError(Message("settings.reserved_tuned", sentence, taken=" or ".join(sorted(taken))))
        return self


class TuneJob(BacktestJob, TuneCore):
    """The whole config of `segmenter tune`: that of the backtest, and what is tried."""

    job: ClassVar[str] = "tune"
