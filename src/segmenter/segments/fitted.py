"""What a launch fitted, as plain JSON: the next launch of the same community uses it again, so that both can be compared."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import polars as pl

from segmenter.errors import ConfigError, InputError
from segmenter.messages import Message
from segmenter.settings import CoreSettings, SegmentsSettings

VERSION = 1
FILE = "fitted.json"  # in a results folder
NEW, LAST = "new", "last"


@dataclass(frozen=True)
class Fitted:
    """What was fitted in a launch, as plain values: what each part holds is known to the module that made it.

    Parameters
    ----------
    segments, topics : mapping or None
        None where the launch had none of these.
    launch, as_of : str, date or None
        The launch whose results hold it.
    customers : DataFrame or None
        Its customers, ``customer_id`` and ``segment`` (null: not eligible), where they are known still; no part of `to_dict`.

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
    customers: pl.DataFrame | None = field(default=None, compare=False, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Give what `fitted.json` holds."""
        as_of = None if self.as_of is None else str(self.as_of)
        facts = {"version": VERSION, "launch": self.launch, "as_of": as_of, "segments": self.segments, "topics": self.topics}
        return facts | {"sha256": _digest(facts)}

    @classmethod
    def from_dict(cls, facts: Any) -> "Fitted":
        """Read back what `fitted.json` holds; an InputError says what is wrong with it."""
        match facts:
            case {"version": int(version)} if version != VERSION:
                sentence = "should be of version {version} (got {got}); use the segmenter that wrote it, or segments.from=new"
                raise InputError(Message("segments.fitted_version", sentence, version=VERSION, got=version))
            case {"sha256": str(digest)} if digest == _digest({name: part for name, part in facts.items() if name != "sha256"}):
                as_of = None if facts["as_of"] is None else date.fromisoformat(facts["as_of"])
                return cls(facts["segments"], facts["topics"], facts["launch"], as_of)
        raise InputError(_damaged())


def _digest(facts: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class KeptSegments:
    """The segments of an earlier launch, ready to be used again."""

    facts: Mapping[str, Any]
    model: Any  # an estimator that can predict
    names: Mapping[int, Message]
    sizes: Mapping[int, int]  # how many customers they had when they were made
    made: tuple[str, date]  # the launch that they were made for
    since: Fitted  # the launch that had them last


def describe_segments(
    model: Any,
    profiles: pl.DataFrame,
    names: Sequence[Message],
    settings: SegmentsSettings,
    currency: str,
    measures: Sequence[str],
    deciles: Mapping[str, Any],
) -> dict[str, Any]:
    """Give what is kept of segments; `made_by` adds where and when."""
    return {
        "settings": settings.model_dump(mode="json", exclude={"from_"}),
        "currency": currency,
        "measures": list(measures),
        "model": model.to_dict(),
        "names": [
            {"segment": segment, "name": name.to_dict(), "customers": size}
            for name, (segment, size) in zip(names, profiles.select("segment", "size").rows(), strict=True)
        ],
        "deciles": deciles,
    }


def made_by(facts: Mapping[str, Any], launch: str, as_of: date, timezone: str) -> Mapping[str, Any]:
    """Say of new segments which launch they were made for; those that were kept say it already."""
    return facts if "launch" in facts else {"launch": launch, "as_of": str(as_of), "timezone": timezone, **facts}


def keep_segments(
    fitted: Fitted | None, settings: CoreSettings, as_of: date, measures: Sequence[str], *, running: bool = False
) -> tuple[KeptSegments | None, list[Message]]:
    """Give the segments of an earlier launch, where this one may use them; else say why not. A running launch keeps its own.

    Where the config names the launch, a ConfigError says why not. One segment is no division to keep.
    """
    wanted = LAST if running else settings.segments.from_
    if fitted is None or fitted.segments is None or wanted == NEW:
        return None, []
    try:
        kept = _read_segments(fitted)
        why = tuple(_misfits(kept, settings, as_of, measures, anew=wanted == LAST))
        if not why:
            return (kept if len(kept.names) > 1 else None), []
    except InputError as error:
        why = (error.reason,)
    launch = fitted.launch or ""
    if wanted == LAST:
        sentence = "segments: are made new and cannot be compared with those of {launch}: {why}"
        return None, [Message("segments.made_new", sentence, launch=launch, why=why)]
    sentence = "segments.from: should be a launch whose segments fit this one (got {launch}: {why}); or use segments.from=new"
    raise ConfigError(Message("segments.unfit", sentence, launch=launch, why=why))


def _misfits(kept: KeptSegments, settings: CoreSettings, as_of: date, measures: Sequence[str], *, anew: bool) -> Iterator[str]:
    sentence, facts, asked = "{what} was {then} and is {now}", kept.facts, settings.segments.model_dump(mode="json")
    pairs: list[tuple[str, Any, Any]] = [
        ("launch.currency", facts["currency"], settings.launch.currency),
        ("launch.timezone", facts["timezone"], settings.launch.timezone),
        ("segments.kind", facts["settings"]["kind"], asked["kind"]),
    ]
    if kept.since.as_of is not None and kept.since.as_of > as_of:
        pairs.append(("launch.as_of", str(kept.since.as_of), str(as_of)))
    if anew:  # who asks for other segments gets them
        pairs += [(f"segments.{key}", then, asked[key]) for key, then in facts["settings"].items() if key in asked and key != "kind"]
    elif isinstance(number := asked.get("k"), int):
        pairs.append(("segments.k", len(kept.names), number))
    for what, then, now in pairs:
        if then != now:
            yield Message("segments.misfit", sentence, what=what, then=then, now=now)
    if facts["measures"] != list(measures):
        yield Message("segments.other_measures", "the measures are those of another version")


def _read_segments(fitted: Fitted) -> KeptSegments:
    from segmenter.segments.clusters import Segmenter
    from segmenter.segments.rfm_segments import RfmGrid

    facts = fitted.segments
    assert facts is not None
    try:
        kinds: dict[str, Any] = {"kmeans": Segmenter, "rfm": RfmGrid}
        model = kinds[facts["settings"]["kind"]].from_dict(facts["model"])
        names = {int(each["segment"]): Message.from_dict(each["name"]) for each in facts["names"]}
        sizes = {int(each["segment"]): int(each["customers"]) for each in facts["names"]}
        return KeptSegments(facts, model, names, sizes, (facts["launch"], date.fromisoformat(facts["as_of"])), fitted)
    except (KeyError, ValueError, TypeError, AttributeError, IndexError) as error:
        raise InputError(_damaged()) from error


def _damaged() -> Message:
    sentence = "is not as `segmenter launch` wrote it; name another launch's, or make the segments new with segments.from=new"
    return Message("segments.fitted_damaged", sentence)
