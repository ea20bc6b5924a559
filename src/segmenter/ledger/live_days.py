"""The days of a committed launch's live events."""

import json
from datetime import date
from pathlib import Path

from segmenter.launch_record import LaunchRecord
from segmenter.ledger.connection import Ledger, connect_reader
from segmenter.ledger.pending_plans import MANIFEST, fingerprint_of
from segmenter.ledger.schema import PLANNED, table
from segmenter.planning.live_events import list_live_events
from segmenter.settings import CoreSettings


def find_live_days(ledger: Ledger, launch: LaunchRecord, settings: CoreSettings) -> tuple[date, ...]:
    """Give the days of a launch's live events: by the config where it has some, else by the results that were committed.

    None where these are gone, or are of a version that did not say it.
    """
    from sqlalchemy import select

    if settings.launch.live_events is not None:
        return tuple(event.day for event in list_live_events(settings, launch.as_of))
    plans = table("plans")
    query = select(plans.c.token, plans.c.place).where(plans.c.launch == launch.name, plans.c.state == PLANNED)
    with connect_reader(ledger) as connection:
        plan = None if connection is None else connection.execute(query).first()
    if plan is None or plan.place is None:
        return ()
    folder = (Path() if ledger.file is None else ledger.file.parent) / plan.place
    if plan.token is None or fingerprint_of(folder) != plan.token:
        return ()
    said = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return tuple(map(date.fromisoformat, said.get("live_events", ())))
