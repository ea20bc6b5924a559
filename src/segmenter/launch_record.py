"""What is known of a launch once it is planned: the ledger keeps it, and a review measures by it."""

from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True)
class LaunchRecord:
    """A launch as it was planned.

    Parameters
    ----------
    name : str
        Says which launch it is: planned again under the same name, it is the same one.
    community : str
        What its customers are invited into; several launches may have the same.
    as_of : date
        Its as-of date, which is also the date of its plan and its first day.
    horizon_days : int
        How long it runs, ≥ 1.
    target : int or None
        Sales to reach, in minor units of `currency`.
    currency : str
        ISO 4217 code.
    settings : str
        Fingerprint of the config; empty where it does not matter.
    holdout : float or None
        The share that was to be held out; None where it is not known.

    Examples
    --------
    >>> LaunchRecord("spring", "tea", date(2026, 7, 1), 30, None, "CNY").ends_on
    datetime.date(2026, 7, 31)
    """

    name: str
    community: str
    as_of: date
    horizon_days: int
    target: int | None
    currency: str
    settings: str = ""
    holdout: float | None = None

    @property
    def ends_on(self) -> date:
        """The first day that no longer counts."""
        return self.as_of + timedelta(days=self.horizon_days)
