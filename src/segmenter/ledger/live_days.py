"""The days of a committed launch's live events."""

import json
from datetime import date

from segmenter.launch_record import LaunchRecord
from segmenter.ledger.connection import Ledger
from segmenter.ledger.day_facts import find_results
from segmenter.ledger.pending_plans import MANIFEST
from segmenter.planning.live_events import list_live_events
from segmenter.settings import CoreSettings


def find_live_days(ledger: Ledger, launch: LaunchRecord, settings: CoreSettings) -> tuple[date, ...]:
    """Give the days of a launch's live events: by the config where it has some, else by the results that were committed.

    None where these are gone, or are of a version that did not say it.
    """
    if settings.launch.live_events is not None:
        return tuple(event.day for event in list_live_events(settings, launch.as_of))
    if (folder := find_results(ledger, launch.name)) is None:
        return ()
    said = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return tuple(map(date.fromisoformat, said.get("live_events", ())))
