"""Where the levels of a place are, whatever column, spelling or order they were written in."""

import polars as pl

LEVELS = ("province", "city", "district")


def resolve_places(frame: pl.DataFrame) -> pl.DataFrame:
    """Read places as they are written into their levels.

    Parameters
    ----------
    frame : DataFrame
        ``province``, ``city``, ``district`` and ``address`` (String, may be null) as found; best unique.

    Returns
    -------
    DataFrame
        A row for each, in the same order: ``province``, ``city``, ``district`` (short names, as `with_regions` shows them; what is not
        recognised as found) and ``sure`` (Boolean): whether all that was written has one reading.
    """
    return frame.select(LEVELS).with_columns(sure=pl.lit(value=False))
