"""Regions: what places are meant, however shops spell them."""

from segmenter.regions.areas import areas_of
from segmenter.regions.named_regions import Members, find_members, locate_customers
from segmenter.regions.places import resolve_places
from segmenter.regions.region_names import with_regions
from segmenter.regions.undecided import say_undecided, say_unrecognised

__all__ = ["Members", "areas_of", "find_members", "locate_customers", "resolve_places", "say_undecided", "say_unrecognised", "with_regions"]
