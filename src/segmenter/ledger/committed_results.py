"""What the results of a committed launch still say of it: where they are, who calls, the days of its live events."""

import json
from datetime import date
from pathlib import Path
from typing import Any

from segmenter.launch_record import LaunchRecord
from segmenter.ledger.connection import Ledger, connect_reader
from segmenter.ledger.pending_plans import MANIFEST, fingerprint_of
from segmenter.ledger.schema import PLANNED, table
from segmenter.planning.live_events import list_live_events
from segmenter.settings import AgentSettings, CoreSettings


def find_live_days(ledger: Ledger, launch: LaunchRecord, settings: CoreSettings) -> tuple[date, ...]:
    """Give the days of a launch's live events: by the config where it has some, else by the results that were committed.

    None where these are gone, or are of a version that did not say it.
    """
    if settings.launch.live_events is not None:
        return tuple(event.day for event in list_live_events(settings, launch.as_of))
    return tuple(map(date.fromisoformat, _read_manifest(ledger, launch.name).get("live_events", ())))


def find_agents(ledger: Ledger, launch: LaunchRecord, settings: CoreSettings) -> tuple[AgentSettings, ...]:
    """Give who calls: by the config where it has some, else by the results that were committed; nobody where these are gone."""
    config = {} if settings.plan.agents else _read_manifest(ledger, launch.name).get("config", {})
    kept = config.get("plan", {}).get("agents", ())
    return settings.plan.agents or tuple(AgentSettings.model_validate_json(json.dumps(agent)) for agent in kept)


def _read_manifest(ledger: Ledger, launch: str) -> dict[str, Any]:
    folder = find_results(ledger, launch)
    found: dict[str, Any] = {} if folder is None else json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return found


def find_results(ledger: Ledger, launch: str) -> Path | None:
    """Give the folder of a launch's results, where it is there and as it was committed."""
    from sqlalchemy import select

    plans = table("plans")
    with connect_reader(ledger) as connection:
        if connection is None:
            return None
        row = connection.execute(select(plans.c.token, plans.c.place).where(plans.c.state == PLANNED, plans.c.launch == launch)).first()
    if row is None or row.place is None:
        return None
    folder = (Path() if ledger.file is None else ledger.file.parent) / row.place
    return folder if fingerprint_of(folder) == row.token else None
