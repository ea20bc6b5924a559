"""A launch of the simulated shop, read back from its results folder."""

import json
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from segmenter.errors import InputError
from segmenter.messages import Message
from segmenter.settings import ShopSettings
from segmenter.words import Lang

_AGENTS = ("agent ", "客服 ")  # what the names of their workbooks begin with; they fill in their own


@dataclass(frozen=True)
class DemoLaunch:
    """What the shop's life after a launch depends on."""

    name: str
    shop: ShopSettings
    as_of: date
    horizon_days: int
    seed: int
    lang: Lang
    invited: pl.DataFrame  # customer_id, call_on (Date) and group
    sheets: tuple[Path, ...]
    typed: tuple[str, ...] = ()  # what the user gave it
    place: Path | None = None  # of its results
    live_events: tuple[date, ...] = ()
    capacity: int | None = None  # members that a group holds

    @property
    def ends_on(self) -> date:
        """The first day that no longer counts."""
        return self.as_of + timedelta(days=self.horizon_days)


def read_demo_launch(results: Path) -> DemoLaunch:
    """Read what a launch of the simulated shop was."""
    try:
        manifest = json.loads((results / "manifest.json").read_text(encoding="utf-8"))
        config = manifest["config"]
        launch, data = config["launch"], config["data"]
        if data["kind"] != "demo":
            sentence = "results: should be those of a launch on data=demo (got data={kind} in {folder}); only that shop lives on"
            raise InputError(Message("demo.other_data", sentence, kind=data["kind"], folder=results))
        invites = pl.read_parquet(results / "invite_list.parquet")
        return DemoLaunch(
            name=launch["name"],
            shop=ShopSettings(**data["shop"]),
            as_of=date.fromisoformat(launch["as_of"]),
            horizon_days=launch["horizon_days"],
            seed=config["seed"],
            lang=config["lang"],
            invited=invites.select("customer_id", "call_on", "group"),
            live_events=tuple(map(date.fromisoformat, manifest.get("live_events", ()))),
            sheets=tuple(sorted((results / "call_sheets").glob("*.xlsx"), key=lambda path: (not path.name.startswith(_AGENTS), path.name))),
            capacity=config.get("plan", {}).get("group_capacity"),
            typed=tuple(manifest.get("typed", ())),
            place=results,
        )
    except FileNotFoundError as error:
        sentence = "results: should be the folder of a launch, with {file} (got {folder}); run segmenter launch"
        raise InputError(Message("demo.no_launch", sentence, file=Path(error.filename).name, folder=results)) from error
    except (KeyError, TypeError, ValueError) as error:
        sentence = "results: should be written by this version (got {folder}, which lacks {what}); launch again"
        raise InputError(Message("demo.old_results", sentence, folder=results, what=str(error))) from error
