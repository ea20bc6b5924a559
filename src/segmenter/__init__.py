"""Decide whom to invite into a new customer community."""
