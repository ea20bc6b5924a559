"""Decide whom to invite into a new customer community, and prove afterwards that the choice was right.

`launch` takes a shop's data frames and gives whom to invite, to be looked at in a notebook; `demo_tables` has a shop to try it on.

The same in steps, each a function over Polars frames: `canonical_tables`, `measure`, `with_regions`, `apply_rules`, `fit_scorer`,
`segment`, `plan`, `with_reasons`; and `plan_launch`, which composes them, and whose plan `in_words` says in the launch's language.
`launch_settings` gives their settings. `backtest` replays launches at past dates, `review` says what a launch brought;
`backtest_settings` and `review_settings` give their settings. `explain` tells a customer's way through a launch from its results.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from segmenter.version import __version__ as __version__

if TYPE_CHECKING:
    from segmenter.defaults import backtest_settings as backtest_settings
    from segmenter.defaults import launch_settings as launch_settings
    from segmenter.defaults import review_settings as review_settings
    from segmenter.demo.demo_tables import demo_tables as demo_tables
    from segmenter.errors import ConfigError as ConfigError
    from segmenter.errors import InputError as InputError
    from segmenter.errors import SegmenterError as SegmenterError
    from segmenter.evaluation.backtest import Backtest as Backtest
    from segmenter.evaluation.backtest import backtest as backtest
    from segmenter.evaluation.explanation import Explanation as Explanation
    from segmenter.evaluation.review import Review as Review
    from segmenter.evaluation.review import review as review
    from segmenter.launch_plan import LaunchPlan as LaunchPlan
    from segmenter.launch_record import LaunchRecord as LaunchRecord
    from segmenter.launch_stages import plan_launch as plan_launch
    from segmenter.library import Launch as Launch
    from segmenter.library import launch as launch
    from segmenter.measures import measure as measure
    from segmenter.money import to_units as to_units
    from segmenter.planning import plan as plan
    from segmenter.regions import with_regions as with_regions
    from segmenter.report.plan_words import in_words as in_words
    from segmenter.rules import apply_rules as apply_rules
    from segmenter.scoring import fit_scorer as fit_scorer
    from segmenter.scoring import with_reasons as with_reasons
    from segmenter.segments import segment as segment
    from segmenter.sources.mapping import canonical_tables as canonical_tables
    from segmenter.sources.results_folder import explain as explain
    from segmenter.tables import Tables as Tables


# Imported when first used: `segmenter --help` needs none of them.
_PLACES = {
    "launch": "library",
    "Launch": "library",
    "demo_tables": "demo.demo_tables",
    "explain": "sources.results_folder",
    "Explanation": "evaluation.explanation",
    "launch_settings": "defaults",
    "backtest_settings": "defaults",
    "review_settings": "defaults",
    "Backtest": "evaluation.backtest",
    "backtest": "evaluation.backtest",
    "LaunchRecord": "launch_record",
    "Review": "evaluation.review",
    "review": "evaluation.review",
    "ConfigError": "errors",
    "InputError": "errors",
    "SegmenterError": "errors",
    "LaunchPlan": "launch_plan",
    "plan_launch": "launch_stages",
    "to_units": "money",
    "with_regions": "regions",
    "in_words": "report.plan_words",
    "apply_rules": "rules",
    "fit_scorer": "scoring",
    "with_reasons": "scoring",
    "segment": "segments",
    "canonical_tables": "sources.mapping",
    "measure": "measures",
    "plan": "planning",
    "Tables": "tables",
}
__all__ = sorted(_PLACES)  # noqa: PLE0605 - the names are the table's


def __getattr__(name: str) -> object:
    if name not in _PLACES:
        raise AttributeError(f"module 'segmenter' has no attribute '{name}'")
    return getattr(import_module(f"segmenter.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_PLACES])
