"""What inviting by expected uplift brought where it was tried, beside inviting by spend and at random."""

from collections.abc import Sequence
from typing import Any

from segmenter.evaluation.qini import TOPS
from segmenter.report.labels import Labels
from segmenter.report.sections import Cell, Row, Section, Table, columns, note, row, text
from segmenter.scoring.ranking import RankingReport

_EACH = 1_000  # invitations, so that small effects are whole amounts
_RANKINGS = ("uplift", "spend")


def uplift(report: RankingReport, labels: Labels) -> list[Section]:
    """Show what each way to choose brought; nothing of a ranking that expects no uplift."""
    found, say = report.model, labels.say
    if "better" not in found:
        return []
    tops = [(say(f"first {top} %", f"前 {top}%"), [found["tops"][key][at] for key in _RANKINGS]) for at, top in enumerate(TOPS)]
    qini = [found["qini"][key] for key in _RANKINGS]
    lines = (*tops, (say("all of them", "全部"), [found["effect"]] * 2), (say("Qini", "Qini 值"), qini))
    heads = columns(say("Invited", "邀请范围"), say("by this ranking", "按本排序"), say("by spend", "按消费额"))
    table = Table(heads, tuple(_row(name, gains, labels) for name, gains in lines))
    launches, customers, held = len(found["launches"]), labels.number(found["customers"]), labels.number(found["held_out"])
    about = say(
        f"What an invitation brought within the horizon of past launches ({launches}): {customers} customers, of whom {held} were held out "
        f"at random. Each was ranked by what was learned from others. Money for {_EACH:,} invitations, with the 95% interval below; all of "
        "them, in any order, are what inviting at random brings. Qini: how much more, for each thousand customers, a list brings by the "
        "ranking than at random, averaged over lists of all lengths.",
        f"以往 {launches} 次活动期内邀请带来的增量消费：共 {customers} 位客户，其中随机留出 {held} 位；每位客户只用其他客户学得的模型排序。"
        f"金额按每 {_EACH:,} 次邀请计，下方为 95% 区间；“全部”即随机邀请的效果。Qini 值：按该排序比随机邀请每千位客户多带来的金额，"
        "取各种名单长度的平均。",
    )
    verdict = text(_verdict(found, labels))
    return [Section(say("What inviting them brings", "邀请能带来多少增量"), (verdict, note(about), table), (verdict,))]


def _verdict(found: dict[str, Any], labels: Labels) -> str:
    if found["qini"]["uplift"][1] <= 0:
        return labels.say(
            "Whom an invitation moves cannot be told from these launches: this ranking may be no better than chance.",
            "以往活动还不足以看出邀请对谁有效：本排序未必优于随机。",
        )
    if found["better"][1] <= 0:
        return labels.say(
            "It brought more than inviting at random, but not clearly more than inviting by spend.",
            "本排序的增量高于随机邀请，但没有明显高于按消费额邀请。",
        )
    return labels.say(
        "It brought clearly more than inviting by spend, and than at random.", "本排序的增量明显高于按消费额邀请，也高于随机邀请。"
    )


def _row(name: str, gains: Sequence[Sequence[float]], labels: Labels) -> Row:
    def cell(gain: Sequence[float]) -> Cell:
        value, low, high = (_money(amount, labels) for amount in gain)
        return Cell(value, labels.say(f"{low} to {high}", f"{low} 至 {high}"))

    return row(name, *map(cell, gains))


def _money(amount: float, labels: Labels) -> str:
    text_of = labels.money(abs(amount) * _EACH)
    return f"−{text_of}" if amount < 0 else text_of
