"""The library's way to the defaults of ``conf/``, without Hydra."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from segmenter.home import HOME
from segmenter.settings import FrameLaunch, parse


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

    config = OmegaConf.create(_defaults())
    for key, value in overrides.items():
        OmegaConf.update(config, key, list(value) if isinstance(value, tuple) else value, merge=False, force_add=True)
    return parse(FrameLaunch, config)


@cache
def _defaults() -> dict[str, Any]:
    from omegaconf import OmegaConf

    def load(name: str) -> Any:
        return OmegaConf.to_container(OmegaConf.load(HOME / "conf" / f"{name}.yaml"), resolve=False)

    launch, base = load("launch"), load("base")
    chosen = {group: choice for entry in launch["defaults"] if not isinstance(entry, str) for group, choice in entry.items()}
    return {
        "launch": launch["launch"],
        "data": load("data/_tables"),
        **{group: load(f"{group}/{chosen[group]}") for group in ("rules", "scoring", "segments", "plan")},
        "seed": base["seed"],
        "lang": base["lang"],
    }
