"""Rows of a stream that are not what they seem: they are read as all rows elsewhere, which says why some are rejected."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from segmenter.sources.expressions import FILE, ROW, columns_of
from segmenter.sources.file_days import Span, days_of_files
from segmenter.sources.order_rows import order_rows
from segmenter.sources.parquet_stream import Stream
from segmenter.sources.row_mapping import map_rows

ROWS = 200_000  # that are read at a time


@dataclass
class FallbackRows:
    """Rows of some files of a stream on their way to be read, and what became of those before them."""

    stream: Stream
    files: Sequence[int]
    ids: pl.Series | None  # the customers of the customers table
    frames: list[pl.DataFrame] = field(default_factory=list)
    rejects: list[pl.DataFrame] = field(default_factory=list)
    reads: dict[str, int] = field(default_factory=lambda: {"later": 0, "rejected": 0, "kept": 0})
    days: list[Span] = field(default_factory=list)  # of files, see `order_rows.join_days`
    waiting: int = 0
    blank: int = 0

    def put(self, rows: pl.DataFrame) -> bool:
        """Take rows; say whether there are enough to read."""
        self.frames.append(rows)
        self.waiting += rows.height
        return self.waiting >= ROWS

    def read(self) -> pl.DataFrame:
        """Read what waits, and give the good rows in it."""
        frame = self._without_blanks(self.with_places(pl.concat(self.frames)))
        self.frames, self.waiting = [], 0
        rows = map_rows("orders", frame, self.stream.settings, self.stream.launch, formats=self.stream.formats, written=self.stream.written)
        rows.spellings = self.stream.spellings
        good = order_rows(rows, self.stream.settings, self.stream.launch, self.ids)
        if len(self.stream.paths) > 1 and self.stream.launch.as_of is not None:
            self.days += days_of_files(good, self.stream.launch.as_of)
        self.rejects.append(rows.rejects())
        for what in self.reads:
            self.reads[what] += rows.reads[what]
        return good

    def blanks(self, rows: pl.DataFrame) -> int:
        """Count rows in which nothing stands."""
        return rows.height - self._without_blanks(self.with_places(rows)).height

    def with_places(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Say in which file each row stands, and where in it, from 1."""
        starts = np.cumsum([0, *(self.stream.heights[at] for at in self.files)])
        file = np.searchsorted(starts, frame[ROW].to_numpy(), side="right") - 1
        names = pl.Series([self.stream.names[at] for at in self.files], dtype=pl.String)
        return frame.with_columns(pl.Series(ROW, frame[ROW].to_numpy().astype(np.int64) - starts[file] + 1), names.gather(file).alias(FILE))

    def _without_blanks(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Drop rows in which nothing stands: they are no rows."""
        nothing = frame.select(pl.all_horizontal(pl.col(columns_of(frame)).is_null())).to_series()
        if not nothing.any():
            return frame
        blank = frame.filter(nothing).select(FILE, ROW)
        if others := [name for name in self.stream.schema if name not in frame.columns]:
            paths = dict(zip(self.stream.names, self.stream.paths, strict=True))
            found = [
                pl.scan_parquet(paths[name], glob=False, hive_partitioning=False)
                .select(pl.all_horizontal(pl.col(others).is_null()).alias("nothing"))
                .collect()["nothing"]
                .gather(rows[ROW] - 1)
                .to_frame()
                .with_columns(rows)
                for (name,), rows in blank.partition_by(FILE, as_dict=True).items()
            ]
            blank = pl.concat(found).filter("nothing").drop("nothing")
        self.blank += blank.height
        return frame.join(blank, on=[FILE, ROW], how="anti", maintain_order="left")
