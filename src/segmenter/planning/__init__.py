"""Whom to invite, in which group, when and by whom."""

from segmenter.planning.planned import Planned as Planned
from segmenter.planning.planned import plan as plan
