"""The library's way to the defaults of ``conf/``, without Hydra."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from segmenter.settings import FrameLaunch, parse

PACKAGE = Path(__file__).resolve().parent
# In a wheel conf/ and pipelines/ stand inside the package, in a checkout at its root.
HOME = PACKAGE if (PACKAGE / "pipelines").is_dir() else PACKAGE.parents[1]


def launch_settings(overrides: Mapping[str, Any]) -> FrameLaunch:
    """Give the defaults of a launch on frames, with some of them changed.

    Parameters
    ----------
    overrides : mapping of str to object
        Dotted keys of the config, as on the command line, such as ``{"rules.spend.min": 1000}``.

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
    from omegaconf import OmegaConf

    def load(name: str) -> Any:
        return OmegaConf.load(HOME / "conf" / f"{name}.yaml")

    launch, base = load("launch"), load("base")
    chosen = {group: choice for entry in launch.defaults if not isinstance(entry, str) for group, choice in entry.items()}
    config = OmegaConf.create(
        {
            "launch": launch.launch,
            "data": load("data/_tables"),
            **{group: load(f"{group}/{chosen[group]}") for group in ("rules", "scoring", "segments", "plan")},
            "seed": base.seed,
            "lang": base.lang,
        }
    )
    for key, value in overrides.items():
        OmegaConf.update(config, key, list(value) if isinstance(value, tuple) else value, merge=False, force_add=True)
    return parse(FrameLaunch, config)
