"""Regions: one name for a region, however shops spell it."""

from segmenter.regions.places import resolve_places
from segmenter.regions.region_names import Pairs, matching, pairs_of, plain, with_regions

__all__ = ["Pairs", "matching", "pairs_of", "plain", "resolve_places", "with_regions"]
