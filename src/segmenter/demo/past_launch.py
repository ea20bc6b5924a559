"""A launch of the simulated shop, as its results folder tells of it."""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from segmenter.errors import InputError
from segmenter.settings import ShopSettings
from segmenter.words import Lang


@dataclass(frozen=True)
class DemoLaunched:
    """A launch of the simulated shop.

    Parameters
    ----------
    name : str
        Its name.
    shop : ShopSettings
        The size of the shop.
    as_of : date
        Its as-of date.
    horizon_days : int
        How long it runs.
    seed : int
        Of the shop.
    lang : {"en", "zh"}
        Of its call sheets.
    invited : DataFrame
        ``customer_id`` and ``call_on`` (Date).
    sheets : tuple of Path
        Its call sheets.
    """

    name: str
    shop: ShopSettings
    as_of: date
    horizon_days: int
    seed: int
    lang: Lang
    invited: pl.DataFrame
    sheets: tuple[Path, ...]


def demo_launched(results: Path) -> DemoLaunched:
    """Read what a launch of the simulated shop was.

    Parameters
    ----------
    results : Path
        Its results folder.

    Returns
    -------
    DemoLaunched
        The launch.

    Raises
    ------
    InputError
        The folder holds no launch, or none of the simulated shop.

    Examples
    --------
    >>> demo_launched(Path("nowhere"))
    Traceback (most recent call last):
    segmenter.errors.InputError: results: should be the folder of a launch, with manifest.json (got nowhere); run segmenter launch
    """
    try:
        manifest = json.loads((results / "manifest.json").read_text(encoding="utf-8"))
        config = manifest["config"]
        launch, data = config["launch"], config["data"]
        if data["kind"] != "demo":
            raise InputError(
                f"results: should be those of a launch on data=demo (got data={data['kind']} in {results}); only that shop lives on"
            )
        as_of = date.fromisoformat(launch["as_of"])
        invites = pl.read_parquet(results / "invite_list.parquet")
        return DemoLaunched(
            name=launch["name"],
            shop=ShopSettings(**data["shop"]),
            as_of=as_of,
            horizon_days=launch["horizon_days"],
            seed=config["seed"],
            lang=config["lang"],
            invited=invites.select("customer_id", "call_on"),
            sheets=tuple(sorted((results / "call_sheets").glob("*.xlsx"))),
        )
    except FileNotFoundError as error:
        rule = f"should be the folder of a launch, with {Path(error.filename).name}"
        raise InputError(f"results: {rule} (got {results}); run segmenter launch") from error
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"results: should be written by this version (got {results}, which lacks {error}); launch again") from error
