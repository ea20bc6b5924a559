"""The results of a launch, read back: nothing is computed again."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from os import PathLike
from pathlib import Path
from typing import Any

import polars as pl
import polars.selectors as cs

from segmenter.errors import ConfigError, InputError, nearest
from segmenter.evaluation.explanation import Explanation, explain_customers, field_columns
from segmenter.measures.spec import MONEY
from segmenter.messages import Message
from segmenter.money import digits
from segmenter.rules import ELIGIBLE
from segmenter.segments.fitted import FILE
from segmenter.settings import CoreSettings, parse
from segmenter.sources.raw import sha256

_MANIFEST, _CUSTOMERS = "manifest.json", "customers.parquet"
_NEAR = 2_000  # ids that are looked at for the nearest


@dataclass(frozen=True)
class LaunchResults:
    """The results of a launch: `key` is the setting that named their folder."""

    key: str
    folder: Path
    manifest: dict[str, Any]
    settings: CoreSettings

    @property
    def as_of(self) -> date:
        """The date that the launch saw the shop at."""
        return date.fromisoformat(self.manifest["as_of"])

    @property
    def runs(self) -> bool:
        """Whether it was planned again while it ran."""
        return bool(self.manifest["draft"]["record"]["as_of"] != self.manifest["as_of"])

    @property
    def customers(self) -> pl.LazyFrame:
        """Every customer, with money in minor units, as the core has it."""
        frame = pl.scan_parquet(self.folder / _CUSTOMERS).with_columns((cs.categorical() | cs.enum()).cast(pl.String))
        money = [name for name in frame.collect_schema().names() if name in MONEY]
        return frame.with_columns((pl.col(money) * 10 ** digits(self.settings.launch.currency)).cast(pl.Int64)) if money else frame

    def segment_names(self) -> dict[int, str]:
        """Name the segments, as messages; nothing where they have no names."""
        try:
            named = json.loads((self.folder / FILE).read_text(encoding="utf-8"))["segments"]["names"]
            return {int(each["segment"]): Message.from_dict(each["name"]) for each in named}
        except (OSError, ValueError, KeyError, TypeError):
            return {}


def read_results(folder: str | PathLike[str], key: str = "results") -> LaunchResults:
    """Read what a launch says of itself; a ConfigError where a folder holds no launch of this version, or not as it was written."""
    path = Path(folder)
    try:
        manifest = json.loads((path / _MANIFEST).read_text(encoding="utf-8"))
        job, known, config = manifest.get("job", "launch"), manifest["files"], manifest["config"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else f"{_MANIFEST} is not as it was written"
        sentence = "{key}: should be the folder of a launch's results (got {folder}: {reason})"
        raise ConfigError(Message("sources.no_results", sentence, key=key, folder=path, reason=reason)) from error
    if job != "launch":
        sentence = "{key}: should be the results of `segmenter launch` (got {folder}, those of `segmenter {job}`)"
        raise ConfigError(Message("sources.other_results", sentence, key=key, folder=path, job=job))
    try:
        settings = parse(CoreSettings, {name: config[name] for name in CoreSettings.model_fields})
        found = LaunchResults(key, path, manifest, settings)
        _ = manifest["rules"], manifest["ranking"]["sentence"], found.as_of, found.runs
    except (ConfigError, KeyError, TypeError, ValueError) as error:
        sentence = (
            "{key}: {folder} was written by another version of segmenter ({version}), which does not say all that is needed; launch again"
        )
        version = str(manifest.get("segmenter"))
        raise ConfigError(Message("sources.results_version", sentence, key=key, folder=path, version=version)) from error
    kept = path / _CUSTOMERS
    if not kept.is_file() or sha256(kept) != known.get(_CUSTOMERS, {}).get("sha256"):
        sentence = "{key}: {file} in {folder} is gone or was changed since the launch wrote it; launch again"
        raise ConfigError(Message("sources.results_changed", sentence, key=key, file=_CUSTOMERS, folder=path))
    return found


def explain(results: str | PathLike[str], customer_id: str) -> Explanation:
    """Explain what a launch decided on a customer, from its results alone.

    Parameters
    ----------
    results : path
        The folder that ``segmenter launch`` wrote.
    customer_id : str
        The customer's id as the shop has it. Results know no names and no phones.

    Returns
    -------
    Explanation
        Measures, rules, components, what was decided, and what would have to be otherwise for an invitation; money in minor units.

    Raises
    ------
    ConfigError
        The folder holds no launch's results, those of an older version, or customers that were changed since.
    InputError
        There is no such customer.

    Examples
    --------
    >>> explain("outputs/nowhere", "C000001")
    Traceback (most recent call last):
    segmenter.errors.ConfigError: results: should be the folder of a launch's results (got outputs/nowhere: No such file or directory)
    """
    return explain_some(read_results(results), [customer_id])[0]


def explain_some(results: LaunchResults, ids: Sequence[str]) -> list[Explanation]:
    """Explain what a launch decided on some customers, in the order in which they are named."""
    wanted = list(dict.fromkeys(ids))
    rows = results.customers.filter(pl.col("customer_id").is_in(wanted)).collect()
    if unknown := [name for name in wanted if name not in set(rows["customer_id"])]:
        raise InputError(*_unknown(results, unknown))
    names = field_columns(results.settings, rows.columns)
    field = results.customers.filter(verdict=ELIGIBLE).select(names).collect()
    explained = {
        each.customer_id: each for each in explain_customers(rows, field, results.settings, results.manifest["rules"], running=results.runs)
    }
    return [explained[name] for name in wanted]


def _unknown(results: LaunchResults, ids: Sequence[str]) -> Iterator[Message]:
    known = results.customers.select("customer_id").collect().to_series()
    bare = _bare(known)
    for name in ids:
        alike = known.filter(bare == _bare(pl.Series([name]))[0])
        if alike.is_empty():
            size = max(len(name) - 2, 1)
            alike = known.filter(known.str.starts_with(name[:size]) | known.str.ends_with(name[-size:])).head(_NEAR)
        sentence = '{results} has no customer "{name}"{nearest}; results know customers by their ids, not by names or phones'
        near = nearest(name, alike) if len(alike) else ""
        yield Message("sources.unknown_customer", sentence, results=results.folder, name=name, nearest=near)


def _bare(ids: pl.Series) -> pl.Series:
    """Leave out of ids what people mistype: case, signs, and zeros before a number."""
    return ids.str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]", "").str.replace_all(r"(^|\D)0+(\d)", "$1$2")


def read_pair(a: Path, b: Path) -> tuple[LaunchResults, LaunchResults]:
    """Read the results of two launches that can be compared; a ConfigError says all that is wrong with either."""
    found: list[LaunchResults] = []
    problems: list[str] = []
    for key, folder in (("a", a), ("b", b)):
        try:
            found.append(read_results(folder, key))
        except ConfigError as error:
            problems += error.messages
    if not problems:
        versions, currencies = [each.manifest["segmenter"] for each in found], [each.settings.launch.currency for each in found]
        if len(set(versions)) > 1:
            sentence = "b: should be of the same version of segmenter as a (got {b} and {a}); launch both again with this one"
            problems.append(Message("sources.pair_versions", sentence, a=versions[0], b=versions[1]))
        if len(set(currencies)) > 1:
            sentence = "b: should be in the currency of a (got {b} and {a}), as amounts of two currencies tell nothing beside each other"
            problems.append(Message("sources.pair_currencies", sentence, a=currencies[0], b=currencies[1]))
    if problems:
        raise ConfigError(*problems)
    return found[0], found[1]
