"""Runs of orders in the store: folders of plain columns, which are mapped into memory. Imports Numba."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segmenter.measures.id_order import checksum
from segmenter.measures.order_runs import Make, Run, counted
from segmenter.messages import Message
from segmenter.sources.order_store import Store, StoredRun

_IDS, _PLACES, _STARTS = "ids.arrow", "places.arrow", "starts.npy"


def write_run(store: Store, fill: Callable[[Make], Run], files: Sequence[str | None]) -> tuple[StoredRun, Run]:
    """Write a run that `fill` makes of columns that it is given; `files` are by number."""
    with store.new_run() as folder:
        run = fill(lambda name, dtype, length: _allocate(folder / f"{name}.npy", dtype, length))
        run.ids.to_frame("customer_id").write_ipc(folder / _IDS, compression="lz4")
        run.places.to_frame("place").write_ipc(folder / _PLACES, compression="uncompressed")
        np.save(folder / _STARTS, run.starts)
        rows = counted(run.columns["file"], len(files)).tolist()
        return StoredRun(folder.name, list(files), rows, _sums(folder)), run


def open_run(store: Store, stored: StoredRun) -> Run:
    """Map a run; a ValueError or an OSError where it is not what was written."""
    folder = store.folder / stored.name
    if _sums(folder) != stored.sums:
        raise ValueError(Message("sources.store_content", "its content is not what was written"))
    ids, places = (pl.read_ipc((folder / name).read_bytes()).to_series().rechunk() for name in (_IDS, _PLACES))
    columns = {Path(name).stem: np.load(folder / name, mmap_mode="r") for name in stored.sums if name.endswith(".npy")}
    return Run(ids, np.array(columns.pop(Path(_STARTS).stem)), columns, places)


def _sums(folder: Path) -> dict[str, str]:
    """Give the checksums of all files of a run."""
    with ThreadPoolExecutor(pl.thread_pool_size()) as pool:
        paths = sorted(path for path in folder.iterdir())
        return {path.name: f"{found:016x}" for path, found in zip(paths, pool.map(_sum, paths), strict=True)}


def _sum(path: Path) -> int:
    content = np.memmap(path, np.uint8, "r")  # that of an empty file is refused
    words = len(content) // 8
    return int(checksum(content[: 8 * words].view(np.uint64), content[8 * words :]))


def _allocate(path: Path, dtype: Any, length: int) -> NDArray[Any]:
    """Make a column on disk that can be written as memory; a disk that is full says so now, and not by a signal then."""
    with path.open("wb") as file:
        header = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": (length,)}
        np.lib.format.write_array_header_1_0(file, header)
        start, size = file.tell(), np.dtype(dtype).itemsize * length
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, start + size)
        else:
            for at in range(0, size, 1 << 24):
                file.write(bytes(min(1 << 24, size - at)))
    column: NDArray[Any] = np.load(path, mmap_mode="r+")
    return column
