"""Orders and events become measures: one row per customer, as of a date."""

from segmenter.measures.customer_frame import measure as measure
