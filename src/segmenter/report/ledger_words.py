"""What a person hears of the ledger: a plan that is the launch now or no longer, and the launches in it."""

import polars as pl

from segmenter.ledger import Draft
from segmenter.report.language import say
from segmenter.report.sections import Report, Section, Table, columns, marked, row, text
from segmenter.report.shell_commands import next_command, own_words
from segmenter.report.terminal import show_brief, show_warnings
from segmenter.words import Lang

_KEPT_OUT = (
    "Whom a launch invited, other launches leave alone until the cool-off is over (rules.cooloff_days); its control group, until it ends.",
    "受邀客户在冷却期（rules.cooloff_days）内不会被其他活动邀请；留出组则到该活动结束为止。",
)


def say_committed(draft: Draft, invited: int, listed: str | None, lang: Lang) -> None:
    """Say what was committed, into which table of another system the list went, and what comes next."""
    show_warnings(draft.obstacles, (), lang)
    name = draft.record.name
    en = f"{name} is the launch now: {invited:,} invitations are recorded, results in {draft.place}"
    zh = f"{name} 已正式生效：已登记 {invited:,} 人的邀请，结果位于 {draft.place}"
    back = say(lang, "Back, as long as nobody has answered: `{cancel}`", "在无人答复之前可以撤销： `{cancel}`")
    cancel = next_command("cancel", own_words(), {"out": draft.place.as_posix()})
    table = [] if listed is None else [text(say(lang, f"The list is in the table {listed}", f"名单已写入数据表 {listed}"))]
    _show(text(say(lang, en, zh)), *table, marked(back, cancel=cancel))


def say_cancelled(draft: Draft, invited: int, held_out: int, lang: Lang) -> None:
    """Say who is free again."""
    name = draft.record.name
    en = f"{name} is a draft again: {invited:,} invited and {held_out:,} of the control group are kept out of no other launch by it"
    _show(text(say(lang, en, f"{name} 已撤销，恢复为草稿：{invited:,} 位受邀客户和 {held_out:,} 位留出客户不再受其限制")))


def show_launches(launches: pl.DataFrame, lang: Lang) -> None:
    """List the launches."""
    if launches.is_empty():
        _show(text(say(lang, "No launch is committed in this ledger.", "台账中还没有正式生效的活动。")))
        return
    headings = (
        *(("launch", "活动"), ("as of", "数据截至"), ("ends before", "截止（不含）"), ("invited", "邀请"), ("control group", "留出")),
        *(("answers", "答复"), ("kept out until", "限制至")),
    )
    rows = tuple(
        row(*("–" if value is None else f"{value:,}" if isinstance(value, int) else str(value) for value in values))
        for values in launches.select("launch", "as_of", "ends_on", "invited", "held_out", "answers", "invited_until").rows()
    )
    _show(Table(columns(*(say(lang, *heading) for heading in headings), left=(0,)), rows), text(say(lang, *_KEPT_OUT)))


def _show(*blocks: object) -> None:
    show_brief(Report("", "", "", "", sections=(Section(brief=blocks),)))  # type: ignore[arg-type]
