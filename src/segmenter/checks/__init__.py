"""Checks and decisions on the values of an input: frames in, decisions and findings out."""
