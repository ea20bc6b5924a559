"""The library's way to the defaults of ``conf/``, without Hydra."""

import json
import pickle
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Literal

from segmenter.errors import ConfigError, nearest
from segmenter.home import HOME
from segmenter.messages import Message
from segmenter.settings import DatabaseSettings, FilesSettings, FrameBacktest, FrameLaunch, FrameReview, LaunchSettings, ShopSettings, parse
from segmenter.yaml_loader import read_yaml

_GROUPS = ("rules", "scoring", "segments", "topics", "roles", "spread", "plan", "platform")


def launch_settings(overrides: Mapping[str, Any]) -> FrameLaunch:
    """Give the defaults of a launch on frames, with some of them changed.

    Parameters
    ----------
    overrides : mapping of str to object
        Dotted keys of the config, as on the command line, such as ``{"rules.spend.min": 1000}``; a group's name chooses one of its
        files, such as ``{"scoring": "learned"}``.

    Returns
    -------
    FrameLaunch
        The checked settings.

    Raises
    ------
    ConfigError
        A key is unknown or a value wrong.

    Examples
    --------
    >>> launch_settings({"plan.size": 50}).plan.size
    50
    """
    return parse(FrameLaunch, _changed(_fresh(), overrides))


def backtest_settings(overrides: Mapping[str, Any]) -> FrameBacktest:
    """Give the defaults of a backtest on frames, with some of them changed.

    Parameters
    ----------
    overrides : mapping of str to object
        As for `launch_settings`; those of ``backtest`` and ``rankings`` too.

    Returns
    -------
    FrameBacktest
        The checked settings.

    Raises
    ------
    ConfigError
        A key is unknown or a value wrong.

    Examples
    --------
    >>> backtest_settings({"backtest.step_days": 7}).backtest.step_days
    7
    """
    job = _load("backtest")
    names = [key.partition("@rankings.")[2] for entry in job["defaults"] if isinstance(entry, dict) for key in entry]
    rankings = {name: _load(f"scoring/{name}") for name in names}
    return parse(FrameBacktest, _changed(_fresh(backtest=job["backtest"], rankings=rankings), overrides))


def review_settings(overrides: Mapping[str, Any]) -> FrameReview:
    """Give the defaults of a review on frames, with some of them changed.

    Parameters
    ----------
    overrides : mapping of str to object
        As for `launch_settings`; those of ``review`` too.

    Returns
    -------
    FrameReview
        The checked settings.

    Raises
    ------
    ConfigError
        A key is unknown or a value wrong.

    Examples
    --------
    >>> review_settings({"review.as_of": "2026-07-31"}).review.before_days
    365
    """
    # Whoever has frames has no call sheets to read.
    review = {**_load("review")["review"], "answers": [], "day_sheets": None}
    return parse(FrameReview, _changed(_fresh(review=review), overrides))


def source_settings(kind: Literal["files", "database"], overrides: Mapping[str, Any]) -> FilesSettings | DatabaseSettings:
    """Give the defaults of a shop's ``files`` or ``database``, with some of them changed: dotted keys below ``data``."""
    from omegaconf import OmegaConf

    parts = [OmegaConf.load(HOME / "conf" / "data" / f"{name}.yaml") for name in ("_tables", kind)]
    merged: Any = OmegaConf.to_container(OmegaConf.merge(*parts), resolve=False)
    config = _changed(OmegaConf.create({key: value for key, value in merged.items() if key != "defaults"}), overrides)
    return parse(FilesSettings, config) if kind == "files" else parse(DatabaseSettings, config)


def launch_basics(overrides: Mapping[str, Any]) -> LaunchSettings:
    """Give the defaults of ``launch`` with some of its keys changed."""
    return parse(LaunchSettings, {**_defaults()["launch"], **overrides})


def demo_defaults() -> tuple[ShopSettings, date, int]:
    """Give the demo shop's size, its date, and the seed."""
    demo = _load("data/demo")
    return parse(ShopSettings, demo["data"]["shop"]), date.fromisoformat(demo["launch"]["as_of"]), int(_load("base")["seed"])


def _changed(config: Any, overrides: Mapping[str, Any]) -> Any:
    from omegaconf import OmegaConf

    chosen = {key: _load(f"{key}/{_known(key, value)}") for key, value in overrides.items() if key in _GROUPS}
    config.update(chosen)
    for key, value in overrides.items():
        if key not in chosen:
            OmegaConf.update(config, key, _plain(key, value), merge=False, force_add=True)
    return config


def _plain(key: str, value: object) -> object:
    """Give what a program may hold, dates and NumPy's numbers among it, as a file of the config has it."""

    def plain(other: Any) -> object:
        if isinstance(other, date | Path):
            return str(other).removesuffix(" 00:00:00")  # a day as pandas has it
        if isinstance(other, Decimal):
            return float(other)
        if type(other).__module__ == "numpy":
            return other.tolist()
        raise TypeError

    try:
        return json.loads(json.dumps(value, default=plain))
    except (TypeError, ValueError, RecursionError):
        sentence = "{key}: should be a number, a word, a date, or lists and mappings of these (got {type})"
        raise ConfigError(Message("settings.no_value", sentence, key=key, type=type(value).__name__)) from None


def _known(group: str, name: object) -> str:
    names = sorted(path.stem for path in (HOME / "conf" / group).glob("[!_]*.yaml"))
    if name not in names:
        sentence = "{group}: should be one of {names} (got {name!r}){nearest}"
        raise ConfigError(Message("settings.group", sentence, group=group, names=names, name=name, nearest=nearest(str(name), names)))
    return str(name)


@cache
def _load(name: str) -> Any:
    """Read a file of ``conf/`` with the files of its own group that it builds on."""
    own: Any = read_yaml(HOME / "conf" / f"{name}.yaml") or {}
    group = name.rpartition("/")[0]
    parts = [entry for entry in own.get("defaults", ()) if isinstance(entry, str) and entry != "_self_"] if group else []
    merged = {key: value for part in parts for key, value in _load(f"{group}/{part.partition('@')[0]}").items()}
    return {**merged, **{key: value for key, value in own.items() if key != "defaults" or not group}}


def _fresh(**more: Any) -> Any:
    """Give a config of the defaults and more, to be changed."""
    config = pickle.loads(_dumped())
    config.update(more)
    return config


@cache
def _dumped() -> bytes:
    """Keep OmegaConf's config of the defaults, which takes it ten times as long to make as this to be read."""
    from omegaconf import OmegaConf

    return pickle.dumps(OmegaConf.create(_defaults()))


@cache
def _defaults() -> dict[str, Any]:
    launch, base = _load("launch"), _load("base")
    chosen = {group: choice for entry in launch["defaults"] if not isinstance(entry, str) for group, choice in entry.items()}
    return {
        "launch": launch["launch"],
        "data": _load("data/_tables"),
        **{group: _load(f"{group}/{chosen[group]}") for group in _GROUPS},
        "personas": launch["personas"],
        "seed": base["seed"],
        "lang": base["lang"],
    }
