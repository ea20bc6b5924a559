"""The config as strict, frozen models, and the one function that checks it.

No default stands here: all of them are in ``conf/``.
"""

from segmenter.settings.check import parse as parse
from segmenter.settings.eligibility import RegionRule as RegionRule
from segmenter.settings.eligibility import RulesSettings as RulesSettings
from segmenter.settings.first_steps import InitJob as InitJob
from segmenter.settings.jobs import BacktestCore as BacktestCore
from segmenter.settings.jobs import BacktestJob as BacktestJob
from segmenter.settings.jobs import CheckJob as CheckJob
from segmenter.settings.jobs import CommitJob as CommitJob
from segmenter.settings.jobs import CoreSettings as CoreSettings
from segmenter.settings.jobs import DemoJob as DemoJob
from segmenter.settings.jobs import FrameBacktest as FrameBacktest
from segmenter.settings.jobs import FrameLaunch as FrameLaunch
from segmenter.settings.jobs import FrameReview as FrameReview
from segmenter.settings.jobs import LaunchJob as LaunchJob
from segmenter.settings.jobs import LedgerJob as LedgerJob
from segmenter.settings.jobs import ReviewCore as ReviewCore
from segmenter.settings.jobs import ReviewJob as ReviewJob
from segmenter.settings.jobs import TuneCore as TuneCore
from segmenter.settings.jobs import TuneJob as TuneJob
from segmenter.settings.planning import AllocatedPlan as AllocatedPlan
from segmenter.settings.planning import AnyPlan as AnyPlan
from segmenter.settings.planning import PlanSettings as PlanSettings
from segmenter.settings.planning import SimplePlan as SimplePlan
from segmenter.settings.planning import category_key as category_key
from segmenter.settings.rankings import AnyScoring as AnyScoring
from segmenter.settings.rankings import AutoSettings as AutoSettings
from segmenter.settings.rankings import ClvSettings as ClvSettings
from segmenter.settings.rankings import DecayedSettings as DecayedSettings
from segmenter.settings.rankings import LearnedSettings as LearnedSettings
from segmenter.settings.rankings import LearningSettings as LearningSettings
from segmenter.settings.rankings import RecencySettings as RecencySettings
from segmenter.settings.rankings import RfmSettings as RfmSettings
from segmenter.settings.rankings import ScoringSettings as ScoringSettings
from segmenter.settings.rankings import SpendSettings as SpendSettings
from segmenter.settings.rankings import WeightedSettings as WeightedSettings
from segmenter.settings.rankings import Weights as Weights
from segmenter.settings.shareable import shareable as shareable
from segmenter.settings.shareable import without_password as without_password
from segmenter.settings.sources import DatabaseSettings as DatabaseSettings
from segmenter.settings.sources import DemoSettings as DemoSettings
from segmenter.settings.sources import FilesSettings as FilesSettings
from segmenter.settings.sources import MappingSettings as MappingSettings
from segmenter.settings.sources import OrdersSettings as OrdersSettings
from segmenter.settings.sources import ShopSettings as ShopSettings
from segmenter.settings.sources import TableSettings as TableSettings
from segmenter.settings.stages import EngineSettings as EngineSettings
from segmenter.settings.stages import LaunchBasics as LaunchBasics
from segmenter.settings.stages import LaunchSettings as LaunchSettings
from segmenter.settings.stages import LocalEngine as LocalEngine
from segmenter.settings.stages import MlflowSettings as MlflowSettings
from segmenter.settings.stages import NoTracking as NoTracking
from segmenter.settings.stages import SegmentsSettings as SegmentsSettings
from segmenter.settings.stages import SparkEngine as SparkEngine
