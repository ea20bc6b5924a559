"""Where conf/ and pipelines/ are. Imports nothing, for the command's sake."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
# In a wheel they stand inside the package, in a checkout at its root.
HOME = _PACKAGE if (_PACKAGE / "pipelines").is_dir() else _PACKAGE.parents[1]
