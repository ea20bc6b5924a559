"""Looks at the values of an input: frames in, decisions and findings out."""
