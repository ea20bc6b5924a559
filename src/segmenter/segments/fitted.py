"""What a launch fitted, as plain JSON: the next launch of the same community uses it again, so that both can be compared."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from segmenter.errors import InputError
from segmenter.messages import Message

VERSION = 1
FILE = "fitted.json"  # in a results folder


@dataclass(frozen=True)
class Fitted:
    """What was fitted in a launch, as plain values: what each part holds is known to the module that made it.

    Parameters
    ----------
    segments, topics : mapping or None
        None where the launch had none of these.
    launch, as_of : str, date or None
        The launch whose results hold it.

    Examples
    --------
    >>> fitted = Fitted({"names": ["all"]}, None, "spring", date(2026, 7, 1))
    >>> Fitted.from_dict(fitted.to_dict()) == fitted
    True
    """

    segments: Mapping[str, Any] | None
    topics: Mapping[str, Any] | None
    launch: str | None = None
    as_of: date | None = None

    def to_dict(self) -> dict[str, Any]:
        """Give what `fitted.json` holds."""
        as_of = None if self.as_of is None else str(self.as_of)
        return {"version": VERSION, "launch": self.launch, "as_of": as_of, "segments": self.segments, "topics": self.topics}

    @classmethod
    def from_dict(cls, facts: Any) -> "Fitted":
        """Read back what `fitted.json` holds; an InputError says what is wrong with it."""
        match facts:
            case {"version": int(version)} if version != VERSION:
                sentence = "should be of version {version} (got {got}); use the segmenter that wrote it, or segments.from=new"
                raise InputError(Message("segments.fitted_version", sentence, version=VERSION, got=version))
            case {"version": int(), "launch": str() | None, "as_of": str() | None, "segments": dict() | None, "topics": dict() | None}:
                try:
                    as_of = None if facts["as_of"] is None else date.fromisoformat(facts["as_of"])
                    return cls(facts["segments"], facts["topics"], facts["launch"], as_of)
                except ValueError:
                    pass
        sentence = "is not as `segmenter launch` wrote it; name another launch's, or make the segments new with segments.from=new"
        raise InputError(Message("segments.fitted_damaged", sentence))
