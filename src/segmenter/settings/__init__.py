"""The config as strict, frozen models, and the one function that checks it.

No default stands here: all of them are in ``conf/``.
"""

from segmenter.settings.check import parse as parse
from segmenter.settings.check import shareable as shareable
from segmenter.settings.check import without_password as without_password
from segmenter.settings.engines import DuckdbEngine as DuckdbEngine
from segmenter.settings.engines import EngineSettings as EngineSettings
from segmenter.settings.engines import LocalEngine as LocalEngine
from segmenter.settings.engines import SparkEngine as SparkEngine
from segmenter.settings.jobs import CoreSettings as CoreSettings
from segmenter.settings.jobs import DemoJob as DemoJob
from segmenter.settings.jobs import DemoLaunch as DemoLaunch
from segmenter.settings.jobs import FrameLaunch as FrameLaunch
from segmenter.settings.jobs import LaunchJob as LaunchJob
from segmenter.settings.sources import CustomersColumns as CustomersColumns
from segmenter.settings.sources import CustomersFile as CustomersFile
from segmenter.settings.sources import CustomersQuery as CustomersQuery
from segmenter.settings.sources import CustomersSettings as CustomersSettings
from segmenter.settings.sources import DatabaseSettings as DatabaseSettings
from segmenter.settings.sources import DemoSettings as DemoSettings
from segmenter.settings.sources import EventsColumns as EventsColumns
from segmenter.settings.sources import EventsFile as EventsFile
from segmenter.settings.sources import EventsQuery as EventsQuery
from segmenter.settings.sources import EventsSettings as EventsSettings
from segmenter.settings.sources import FilesSettings as FilesSettings
from segmenter.settings.sources import MappingSettings as MappingSettings
from segmenter.settings.sources import OrdersColumns as OrdersColumns
from segmenter.settings.sources import OrdersFile as OrdersFile
from segmenter.settings.sources import OrdersQuery as OrdersQuery
from segmenter.settings.sources import OrdersSettings as OrdersSettings
from segmenter.settings.sources import ReferralsColumns as ReferralsColumns
from segmenter.settings.sources import ReferralsFile as ReferralsFile
from segmenter.settings.sources import ReferralsQuery as ReferralsQuery
from segmenter.settings.sources import ReferralsSettings as ReferralsSettings
from segmenter.settings.sources import ShopSettings as ShopSettings
from segmenter.settings.sources import TableSettings as TableSettings
from segmenter.settings.stages import CustomRule as CustomRule
from segmenter.settings.stages import LaunchSettings as LaunchSettings
from segmenter.settings.stages import MlflowSettings as MlflowSettings
from segmenter.settings.stages import NoTracking as NoTracking
from segmenter.settings.stages import OrdersRule as OrdersRule
from segmenter.settings.stages import PlanSettings as PlanSettings
from segmenter.settings.stages import RecencyRule as RecencyRule
from segmenter.settings.stages import RegionRule as RegionRule
from segmenter.settings.stages import RulesSettings as RulesSettings
from segmenter.settings.stages import SegmentsSettings as SegmentsSettings
from segmenter.settings.stages import SpendRule as SpendRule
from segmenter.settings.stages import WeightedSettings as WeightedSettings
from segmenter.settings.stages import Weights as Weights
from segmenter.settings.types import Component as Component
from segmenter.settings.types import Settings as Settings
