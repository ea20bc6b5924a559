"""The place of a row: its levels as they stand, and out of the address what they leave empty."""

import polars as pl

from segmenter.regions import resolve_places
from segmenter.sources.rows import Rows
from segmenter.tables import LEVELS


def read_places(rows: Rows) -> dict[str, pl.Series]:
    """Read province, city and district; the address says what they do not, and is not kept."""
    levels = {level: rows.text(level) for level in LEVELS}
    if "address" not in rows.fields:
        return levels
    found = pl.DataFrame({**levels, "address": rows.text("address")})
    open_ = found.filter(pl.col("address").is_not_null(), pl.any_horizontal(pl.col(LEVELS).is_null())).unique()
    if open_.is_empty():
        return levels
    said = open_.hstack(resolve_places(open_).select(pl.col(level).alias(f"said_{level}") for level in LEVELS))
    joined = found.join(said, on=[*LEVELS, "address"], how="left", nulls_equal=True, maintain_order="left")
    return joined.select(pl.coalesce(level, f"said_{level}").alias(level) for level in LEVELS).to_dict()
