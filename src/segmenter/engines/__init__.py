"""Engines that read and aggregate orders elsewhere than in this process: one row per customer comes back."""
