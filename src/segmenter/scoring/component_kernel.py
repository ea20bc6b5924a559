"""The weighted score, compiled: from measures to components and score in one pass over blocks of rows, on all cores.

The same bytes as the definition in `scorer` and `quantiles`, which is the one to read. A count of few distinct values is
looked up in a table that the definition fills. Any other number is put between its knots by an index over the leading bits
of its distance from the first knot, then by a search without branches among the few knots of that bucket.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.compiled import compiled
from segmenter.measures.arrow_columns import column_of
from segmenter.scoring.components import REACH, counts, halved, rounded
from segmenter.scoring.quantiles import QuantileMap, image, slopes
from segmenter.settings import ScoringSettings
from segmenter.settings.role_points import ROLE

Floats = NDArray[np.float64]
Raw = Callable[[slice, Floats], NDArray[Any]]  # give the raw numbers of some rows, as they are or written into the array
Step = Callable[[slice, Floats, Floats], None]  # write a component of some rows, and add its part to their total

_BLOCK = 1 << 16  # rows that a thread takes at once: their total stays in the cache while the components add to it
_CHUNK = 4096  # rows whose numbers in between stay in the innermost cache
_TABLE = 1 << 16  # the longest table
_BUCKETS = 1 << 13  # the longest index
_SHIFT = 45  # of a float's 64 bits remain the sign, the exponent and 7 more


def score(
    frame: pl.DataFrame, settings: ScoringSettings, quantiles: QuantileMap, shares: Mapping[str, float], *, threads: int | None = None
) -> list[pl.Series] | None:
    """Give ``component_<name>`` (0 to 1) and ``score``, the same bytes at any number of threads.

    None where a measure is not of whole numbers of 32 or 64 bits, or has nulls besides `days_since_order`: the definition takes more.
    """
    rows = frame.height
    if rows == 0 or (steps := _steps(frame, settings, quantiles, shares)) is None:
        return None
    components = {name: (np.empty if name in steps else np.zeros)(rows) for name in shares}
    total = np.zeros(rows)

    def block(start: int) -> None:
        here = slice(start, min(start + _BLOCK, rows))
        for name, step in steps.items():
            step(here, components[name][here], total[here])
        rounded(total[here])

    with ThreadPoolExecutor(threads or pl.thread_pool_size()) as pool:
        list(pool.map(block, range(0, rows, _BLOCK)))
    return [*(column_of(f"component_{name}", values) for name, values in components.items()), column_of("score", total)]


def _steps(frame: pl.DataFrame, settings: ScoringSettings, quantiles: QuantileMap, shares: Mapping[str, float]) -> dict[str, Step] | None:
    """Prepare the components in which customers differ; None where the definition is needed."""
    sums = {
        "spend": [("spend_window", 1.0)],
        "decayed_spend": [("decayed_spend", 1.0)],
        "frequency": [("orders", 1.0)],
        "engagement": counts(frame, settings.engagement),
        "advocacy": counts(frame, settings.advocacy),
    }
    days = frame["days_since_order"]
    recent, before = frame["spend_90d"], frame["spend_90d_before"]
    measures = [frame[name] for pairs in sums.values() for name, _ in pairs]
    if any(measure.dtype not in (pl.Int32, pl.Int64) or measure.has_nulls() for measure in (*measures, recent, before)):
        return None
    steps: dict[str, Step] = {}
    for name, knots, levels in zip(shares, quantiles.knots_, quantiles.levels_, strict=True):
        weight, terms = 100 * shares[name], sums.get(name, [])
        if len(knots) == 1:  # all 0
            continue
        if name.startswith(ROLE) or name == REACH:
            steps[name] = _interpolated(partial(_part, _values(frame[name])), knots, levels, weight)
            continue
        if name == "recency":
            low, high = (cast(int | None, bound) or 0 for bound in (days.min(), days.max()))
            if days.dtype != pl.Int32 or high - low >= _TABLE:
                return None
            left = np.array(halved(range(low, high + 1), settings.half_life_days), np.float64)
            table = image(left, knots, levels)
            steps[name] = _looked_up(days, low, table, image(np.zeros(1), knots, levels)[0], weight)
        elif name == "growth":
            steps[name] = _interpolated(_changes(_values(recent), _values(before)), knots, levels, weight)
        elif len(terms) == 1:
            steps[name] = _of_one(frame[terms[0][0]], terms[0][1], knots, levels, weight)
        else:
            steps[name] = _interpolated(_sums([(_values(frame[measure]), factor) for measure, factor in terms]), knots, levels, weight)
    return steps


def _of_one(measure: pl.Series, factor: float, knots: Floats, levels: Floats, weight: float) -> Step:
    if measure.dtype != pl.Int32 or not knots[-1] - knots[0] < factor * _TABLE:
        values = _values(measure)
        return _interpolated(lambda here, _: values[here], knots, levels, weight, factor)
    # Beyond these the image is the first level, or the last.
    low, high = math.floor(knots[0] / factor) - 1, math.ceil(knots[-1] / factor) + 1
    table = image(np.arange(low, high + 1) * factor, knots, levels)
    return _looked_up(measure, low, table, table[0], weight)


def _values(measure: pl.Series) -> NDArray[Any]:
    values = measure.to_numpy()
    values.flags.writeable = False  # as most come: another kind of array would be compiled for anew
    return values


def _part(values: NDArray[Any], here: slice, _: Floats) -> NDArray[Any]:
    return values[here]


def _looked_up(measure: pl.Series, low: int, table: Floats, missing: float, weight: float) -> Step:
    array = measure.to_arrow()
    bits, buffer = array.buffers()
    values = np.frombuffer(buffer, np.int32)[array.offset : array.offset + len(array)]
    valid = np.frombuffer(b"" if bits is None else bits, np.uint8)

    def step(here: slice, out: Floats, total: Floats) -> None:
        _look_up(values[here], valid, array.offset + here.start, low, table, missing, weight, out, total)

    return step


def _interpolated(raw: Raw, knots: Floats, levels: Floats, weight: float, factor: float = 1.0) -> Step:
    index, steep = _index(knots), slopes(knots, levels)

    def step(here: slice, out: Floats, total: Floats) -> None:
        _interpolate(raw(here, out), factor, *index, steep, levels, weight, out, total)

    return step


def _sums(terms: Sequence[tuple[NDArray[Any], float]]) -> Raw:
    def raw(here: slice, out: Floats) -> Floats:
        out.fill(0.0)
        for values, factor in terms:
            out += values[here] * factor
        return out

    return raw


def _changes(recent: NDArray[Any], before: NDArray[Any]) -> Raw:
    def raw(here: slice, out: Floats) -> Floats:
        _change(recent[here], before[here], out)
        return out

    return raw


def _index(knots: Floats) -> tuple[Floats, NDArray[np.uint32], int, int]:
    """Prepare the search: padded knots, each bucket's first candidate, the key before the first bucket, the first stride.

    The key of a value, the leading bits of its distance from the first knot, rises with it: so a knot of a lower key is below
    the value, one of a higher key above it, and only those of its own bucket are to be compared with it.
    """
    keys = (knots - knots[0]).view(np.int64) >> _SHIFT
    base = int(max(keys[1] - 1, keys[-1] - _BUCKETS))
    buckets = np.maximum(keys - base, 0)
    first = np.maximum(np.searchsorted(buckets, np.arange(buckets[-1] + 1)) - 1, 0).astype(np.uint32)
    stride = 1 << (int(np.bincount(buckets).max()).bit_length() - 1)
    return np.append(knots, np.full(2 * stride, np.inf)), first, base, stride


@compiled
def _look_up(
    values: NDArray[np.int32],
    valid: NDArray[np.uint8],
    offset: int,
    low: int,
    table: Floats,
    missing: float,
    weight: float,
    out: Floats,
    total: Floats,
) -> None:
    last, masked = len(table) - 1, len(valid) > 0
    for i in range(len(values)):
        image = table[np.uint64(min(max(int(values[i]) - low, 0), last))]  # where null, the value may be any
        if masked:
            bit = np.uint64(offset + i)
            image = image if (valid[bit >> np.uint64(3)] >> np.uint8(bit & np.uint64(7))) & np.uint8(1) else missing
        out[i] = image
        total[i] += image * weight


@compiled
def _change(recent: NDArray[Any], before: NDArray[Any], out: Floats) -> None:
    for i in range(len(out)):
        now, then = np.float64(max(recent[i], 0)), np.float64(max(before[i], 0))
        both = now + then
        out[i] = (now - then) / both if both > 0 else 0.0


@compiled
def _interpolate(
    values: NDArray[Any],
    factor: float,
    knots: Floats,
    first: NDArray[np.uint32],
    base: int,
    stride: int,
    slopes: Floats,
    levels: Floats,
    weight: float,
    out: Floats,
    total: Floats,
) -> None:
    """Map values, which may lie where their images go."""
    low, high = knots[0], knots[len(levels) - 1]
    inside, distance, left = np.empty(_CHUNK), np.empty(_CHUNK), np.empty(_CHUNK, np.uint32)
    bits = distance.view(np.int64)
    for start in range(0, len(values), _CHUNK):
        chunk, images, part = values[start : start + _CHUNK], out[start : start + _CHUNK], total[start : start + _CHUNK]
        for i in range(len(chunk)):
            value = np.float64(chunk[i]) * factor
            value = value if value > low else low
            value = value if value < high else high
            inside[i], distance[i] = value, value - low
        for i in range(len(chunk)):
            bucket = (bits[i] >> _SHIFT) - base
            left[i] = first[np.uint64(bucket if bucket > 0 else 0)]
        step = stride
        while step > 1:
            for i in range(len(chunk)):
                left[i] += np.uint32(step) * np.uint32(knots[np.uint64(left[i]) + np.uint64(step)] <= inside[i])
            step >>= 1
        for i in range(len(chunk)):
            knot = np.uint64(left[i])
            knot += np.uint64(knots[knot + np.uint64(1)] <= inside[i])
            image = levels[knot] + slopes[knot] * (inside[i] - knots[knot])
            images[i] = image
            part[i] += image * weight
