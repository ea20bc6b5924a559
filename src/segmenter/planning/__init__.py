"""Whom to invite, in which group, when and by whom."""

from segmenter.planning.planner import Planned as Planned
from segmenter.planning.planner import plan as plan
