"""Moved to `terminal`."""

from segmenter.report.terminal import Terminal, progress, show_run, show_warnings

__all__ = ["Terminal", "progress", "show_run", "show_warnings"]
