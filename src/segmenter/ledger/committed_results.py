"""What the results of a committed launch still say of it: where they are, who calls, the days of its live events, its segments."""

import json
import os
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from segmenter.errors import ConfigError, InputError
from segmenter.launch_record import LaunchRecord
from segmenter.ledger.connection import Ledger, connect_reader
from segmenter.ledger.pending_plans import MANIFEST, fingerprint_of
from segmenter.ledger.queries import list_launches
from segmenter.ledger.schema import PLANNED, table
from segmenter.messages import Message
from segmenter.planning.live_events import list_live_events
from segmenter.segments.fitted import FILE, LAST, NEW, Fitted
from segmenter.settings import AgentSettings, CoreSettings

_CUSTOMERS = "customers.parquet"


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


def last_results(ledger: Ledger | None, settings: CoreSettings, as_of: date) -> Path | None:
    """Give the results of the community's launch before this one, where they are there and as they were committed."""
    if ledger is None:
        return None
    others = list_launches(ledger).filter(
        pl.col("as_of") < as_of, pl.col("launch") != settings.launch.name, state=PLANNED, community=settings.launch.community
    )
    last = others.sort("as_of", "launch")["launch"].tail(1).to_list()
    return find_results(ledger, last[0]) if last else None


def find_fitted(ledger: Ledger | None, settings: CoreSettings, as_of: date) -> tuple[Fitted | None, list[Message]]:
    """Give what an earlier launch fitted, as `segments.from` wants it, and what there is to say of it; None where all is made new.

    Running launches keep what is their own. `last` is the launch of the community with the last as-of date before this one; where its
    results cannot be read any more, a message says so. Where the config names the results, a ConfigError says what is wrong with them.
    """
    wanted, launch = settings.segments.from_, settings.launch
    planned = None if ledger is None else list_launches(ledger).filter(pl.col("as_of") < as_of, state=PLANNED).sort("as_of", "launch")
    known = [] if planned is None else planned.filter((pl.col("launch") == launch.name) & (pl.col("ends_on") > as_of)).to_dicts()
    if not known and wanted not in (NEW, LAST):
        return _read_fitted(Path(os.path.expanduser(wanted)), wanted), []
    if not known and planned is not None and wanted == LAST:
        known = planned.filter(community=launch.community).tail(1).to_dicts()
    if ledger is None or not known:
        return None, []
    name, began = known[0]["launch"], known[0]["as_of"]
    facts, own = {"launch": name, "as_of": began}, name == launch.name and known[0]["ends_on"] > as_of
    said = []
    if own and wanted != LAST:
        sentence = "segments.from: counts for nothing, as {launch} is running since {as_of} and keeps its segments"
        said = [Message("ledger.running_segments", sentence, **facts)]
    folder = find_results(ledger, name)
    if folder is None or not (folder / FILE).is_file():
        sentence = (
            "segments: are made new and cannot be compared with those of {launch} as of {as_of}, whose results are no longer where they "
            "were, were changed, or are of an older version; where they are elsewhere, name their folder with segments.from=FOLDER"
        )
        return None, [Message("ledger.segments_gone", sentence, **facts)]
    try:
        return _read_fitted(folder, str(folder)), said
    except ConfigError as error:
        sentence = "segments: are made new and cannot be compared with those of {launch} as of {as_of} ({why})"
        return None, [Message("ledger.segments_unread", sentence, **facts, why=error.reason)]


def _read_fitted(path: Path, shown: str) -> Fitted:
    """Read what a launch fitted from its results, or from a file of them alone, with the customers where they are there."""
    file = path
    try:
        file = path / FILE if path.is_dir() else path
        fitted = Fitted.from_dict(json.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        sentence = "segments.from: should be new, last, or the results of a launch, with {file} (got {path}: {reason})"
        reason = error.strerror or str(error)
        raise ConfigError(Message("ledger.no_fitted", sentence, file=FILE, path=shown, reason=reason)) from error
    except (InputError, ValueError, RecursionError) as error:
        why = error.reason if isinstance(error, InputError) else Message("ledger.no_json", "is no JSON")
        raise ConfigError(Message("ledger.bad_fitted", "segments.from: {path} {why}", path=file, why=why)) from error
    try:
        customers = pl.read_parquet(file.with_name(_CUSTOMERS), columns=["customer_id", "segment"])
    except (OSError, pl.exceptions.PolarsError):  # who moved where is not known then, and the report says so
        return fitted
    return replace(fitted, customers=customers)
