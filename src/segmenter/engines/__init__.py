"""Engines that read and add up orders elsewhere than in this process: one row per customer comes back."""
