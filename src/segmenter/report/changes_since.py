"""What changed since the community's last launch, as a section of a launch's report; no customer is named."""

from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import polars.selectors as cs

from segmenter.errors import ConfigError
from segmenter.evaluation.launch_changes import IN, OUT, LaunchSide, compare_launches
from segmenter.report.changes_outputs import side_of
from segmenter.report.changes_report import moved_table, rules_table, why_table
from segmenter.report.labels import Labels
from segmenter.report.language import error_text
from segmenter.report.sections import Section, text
from segmenter.settings import LaunchJob
from segmenter.settings.shareable import shareable
from segmenter.sources.results_folder import read_results

if TYPE_CHECKING:
    from segmenter.launch_plan import LaunchPlan


_MOST = 500_000  # customers: two seconds


def since_last(folder: Path | None, plan: "LaunchPlan", settings: LaunchJob) -> list[Section]:
    """Say who is new on the list and who left it since the results in a folder, and why; or why that cannot be said."""
    if folder is None:
        return []
    labels = Labels(settings.lang, settings.launch.currency)
    say, number = labels.say, labels.number
    heading = say("Since the last launch", "与上次活动相比")
    try:
        last = read_results(folder)
    except ConfigError as error:
        return [Section(heading, (text(error_text(error, settings.lang)),))]
    if last.settings.launch.currency != settings.launch.currency:
        other = say("The last launch is in another currency and cannot be compared.", "上次活动的币种不同，无法比较。")
        return [Section(heading, (text(other),))]
    if plan.customers.height > _MOST:
        many = say("So many customers are compared by `segmenter compare` only.", "客户数量较多，请用 segmenter compare 对比。")
        return [Section(heading, (text(many),))]
    customers = plan.customers.lazy().with_columns((cs.categorical() | cs.enum()).cast(pl.String))
    segments = dict(plan.segments.select("segment", "name").rows())
    found = compare_launches(side_of(last, settings.lang), LaunchSide(customers, settings, shareable(settings), segments))
    counts = {name: number(found.counts[name]) for name in ("invited_a", "stayed", IN, OUT)}
    said = say(
        "Of the {invited_a} customers on the list of {name} (as of {day}), {stayed} are invited again and {out} are not; {in} are new.",
        "{name}（数据截至{day}）名单上的 {invited_a} 位客户中，{stayed} 位再次受邀，{out} 位不再受邀；另有 {in} 位新进。",
    ).format(**counts, name=last.settings.launch.name, day=labels.day(last.as_of))
    return [Section(heading, (text(said), why_table(found, labels), *rules_table(found, labels), moved_table(found, labels)), whole=False)]
