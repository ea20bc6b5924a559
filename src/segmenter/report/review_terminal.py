"""What a person sees when a review is done."""

from rich.table import Table
from rich.text import Text

from segmenter.evaluation.review import Review
from segmenter.report.labels import Labels
from segmenter.report.launch_terminal import Terminal, show_warnings
from segmenter.report.review_words import accepted, cohort, hidden
from segmenter.settings import ReviewJob
from segmenter.words import say, visible


def show_review(found: Review, settings: ReviewJob) -> None:
    """Show who spent what, how the launch stands, what it brought, and what to open.

    Parameters
    ----------
    found : Review
        What it brought.
    settings : ReviewJob
        The config.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> show_review(SimpleNamespace(doubts=(), warnings=()), SimpleNamespace(lang="en", out="outputs/spring_review"))
    outputs/spring_review
    """
    lang, out = settings.lang, settings.out
    show_warnings((*found.warnings, *found.doubts), lang)
    console = Terminal()
    if not console.is_terminal:
        print(visible(str(out)))
        return
    labels = Labels(lang, found.launched.currency)
    console.print(_cohorts(found, labels))
    for sentence in (accepted(found, labels), found.standing.sentence, found.lift_sentence):
        if sentence:
            console.print(sentence, highlight=False)
    console.print(say(lang, "Open:", "打开："), f"{out}/review.html", soft_wrap=True)


def _cohorts(found: Review, labels: Labels) -> Table:
    said = labels.say(f"day {found.days} of {found.launched.horizon_days}", f"第 {found.days} / {found.launched.horizon_days} 天")
    table = Table(title=Text(f"{found.launched.name} · {found.launched.as_of} · {said}"), title_justify="left")
    table.add_column("")
    for en, zh in (("customers", "客户数"), ("bought", "购买率"), ("sales", "消费额"), ("each", "人均")):
        table.add_column(labels.say(en, zh), justify="right")
    for name, customers, buyers, _, sales in found.cohorts.rows():
        if name == "joined" and found.standing.state == "unknown":
            continue
        share = labels.share(buyers / customers if customers else None)
        each = hidden(customers, sales / customers if customers else None)
        table.add_row(cohort(name, labels), f"{customers:,}", share, labels.money(hidden(customers, sales)), labels.money(each))
    return table
