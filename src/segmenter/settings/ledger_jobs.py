"""The whole config of each job that reads results and the ledger, and no shop."""

from segmenter.settings.eligibility import RulesSettings
from segmenter.settings.types import Folder, Seed, Settings
from segmenter.words import Lang


class LedgerPlace(Settings):
    """Which ledger, or which database of a draft."""

    url: str | None


class LedgerBased(Settings):
    """What the jobs share that read no shop."""

    out: Folder
    ledger: LedgerPlace
    overwrite: bool
    seed: Seed
    lang: Lang


class CommitJob(LedgerBased):
    """The whole config of `segmenter commit` and `segmenter cancel`."""

    exports_database: LedgerPlace


class LedgerJob(LedgerBased):
    """The whole config of `segmenter ledger`."""

    rules: RulesSettings
