"""Commands that a person may paste into a shell."""

import re
import shlex
from collections.abc import Sequence

_PLAIN = re.compile(r"(?!(?:null|true|false|on|off|yes|no|nan|inf)$)[A-Za-z./][\w./+-]*|\d{4}-\d\d-\d\d", re.ASCII | re.IGNORECASE)


def override(key: str, value: str | Sequence[str]) -> str:
    r"""Give key=value as both the shell and Hydra read it, whatever stands in it.

    >>> print(override("out", "my shop"), override("launch.name", "$(id)"), override("review.answers", ["back"]))
    'out="my shop"' 'launch.name="$(id)"' 'review.answers=[back]'
    """
    text = _hydra(value) if isinstance(value, str) else f"[{','.join(map(_hydra, value))}]"
    return shlex.quote(f"{key}={text}")


def _hydra(value: str) -> str:
    from hydra.core.override_parser.types import Quote, QuotedString

    if _PLAIN.fullmatch(value):
        return value
    # OmegaConf takes ${…} for the value of another key.
    return QuotedString(re.sub(r"(\\*)\$\{", r"\1\1\\${", value), Quote.double).with_quotes()
