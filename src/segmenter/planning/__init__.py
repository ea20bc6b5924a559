"""Whom to invite, in which group and when."""

from segmenter.planning.simple import Planned as Planned
from segmenter.planning.simple import plan as plan
