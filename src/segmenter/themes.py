"""Why customers refuse, as themes: what agents wrote of a customer stays in their call sheets, and is counted by theme elsewhere."""

import re

import polars as pl

from segmenter.vocabulary import vocabulary

# The first that fits counts; that without a pattern is what an answer itself says, see `sources.answer_words`.
_PATTERNS = {theme: re.compile("|".join(patterns) or "(?!)") for theme, patterns in vocabulary("themes").items()}
OTHER = "other"
THEMES = (*_PATTERNS, OTHER)


def theme_of(reason: str) -> str | None:
    """Tell the theme of what an agent wrote, in English or Chinese, or which is a theme already; None where there is nothing."""
    words = " ".join(reason.lower().split())
    if not words or words in THEMES:
        return words or None
    return next((theme for theme, pattern in _PATTERNS.items() if pattern.search(words)), OTHER)


def themed(rows: pl.DataFrame) -> pl.DataFrame:
    """Put the theme in the place of each ``reason``."""
    known = {reason: theme_of(reason) for reason in rows["reason"].drop_nulls().unique()}
    return rows.with_columns(pl.col("reason").replace_strict(known, default=None, return_dtype=pl.String))
