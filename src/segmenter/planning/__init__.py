"""Whom to invite, in which group, when and by whom."""

from segmenter.planning.key_user_facts import Estimate as Estimate
from segmenter.planning.key_user_facts import KeyUserChoice as KeyUserChoice
from segmenter.planning.live_events import LiveEvent as LiveEvent
from segmenter.planning.planner import InvitationPlan as InvitationPlan
from segmenter.planning.planner import plan as plan
from segmenter.planning.running_plan import still_ahead as still_ahead
