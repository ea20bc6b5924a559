"""Orders and events become measures: one row per customer, as of a date."""

from segmenter.history.measures import measure as measure
