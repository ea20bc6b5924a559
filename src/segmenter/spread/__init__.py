"""Who brings whom: the key users from whom a community spreads furthest."""

from segmenter.spread.graph import Graph, cap_friends, cascade_chances, make_graph
from segmenter.spread.key_users import SpreadChoice, choose_key_users, estimate_reach

__all__ = ["Graph", "SpreadChoice", "cap_friends", "cascade_chances", "choose_key_users", "estimate_reach", "make_graph"]
