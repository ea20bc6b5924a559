"""What a notebook shows of a launch: pages in a frame of their own, which load nothing and run nothing."""

from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING

import polars as pl

from segmenter.evaluation.explanation import Explanation
from segmenter.report.labels import Labels
from segmenter.report.launch_choice import funnel
from segmenter.report.launch_report import launch_report, top_of_list
from segmenter.report.page import render_page
from segmenter.report.sections import Report, Section
from segmenter.report.terminal import brief_text
from segmenter.settings import CoreSettings
from segmenter.words import Lang

if TYPE_CHECKING:
    from segmenter.launch_plan import LaunchPlan


def launch_cell(plan: "LaunchPlan", settings: CoreSettings, rejects: pl.DataFrame) -> str:
    """Show what a launch came to, its funnel, and who is first on the list: a cell is its owner's, a page is passed on."""
    whole, labels = launch_report(plan, settings, rejects), Labels(settings.lang, settings.launch.currency)
    first = Section(labels.say("First on the list", "名单前列"), (replace(top_of_list(plan, settings, labels), title=""),))
    return _framed(replace(whole, sections=(funnel(plan, settings, labels), first)), settings.lang)


def _framed(report: Report, lang: Lang) -> str:
    page, title, style = escape(render_page(report, lang)), escape(report.name), "width: 100%; height: 34rem; border: 0"
    return f'<iframe title="{title}" sandbox="allow-same-origin" srcdoc="{page}" style="{style}"></iframe>'  # no script may run


@dataclass(frozen=True, repr=False)
class Told:
    """A customer's way through a launch, in words: as text, and in a notebook as a page; `facts` has the same as numbers."""

    facts: Explanation
    report: Report
    lang: Lang

    def __repr__(self) -> str:
        return brief_text(self.report)

    def _repr_html_(self) -> str:
        sections = tuple(replace(section, blocks=section.brief) for section in self.report.sections)
        return _framed(replace(self.report, sections=sections), self.lang)
