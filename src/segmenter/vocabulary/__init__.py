"""How shops and people write things, in English and Chinese: the YAML files beside this module."""

from functools import cache
from importlib.resources import files
from typing import Any

import yaml

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def vocabulary(name: str) -> dict[str, Any]:
    """Give what stands in a file of this folder; nobody changes it."""
    found: dict[str, Any] = yaml.load(files(__name__).joinpath(f"{name}.yaml").read_bytes(), _LOADER)
    return found
