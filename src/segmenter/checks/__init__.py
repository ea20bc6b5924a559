"""Checks and decisions on what a shop's values mean: frames in, decisions and findings out."""
