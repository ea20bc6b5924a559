"""How a launch stands against its target, in figures and in a sentence."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

import polars as pl

from segmenter.money import amount
from segmenter.words import Lang, say

State = Literal["met", "missed", "reached", "on_course", "behind", "no_target", "unknown"]
FEW = 5  # what fewer customers spend would tell what single ones spend


@dataclass(frozen=True)
class Standing:
    """Sales of those who joined, against the target.

    Parameters
    ----------
    state : str
        After the launch's end ``met`` or ``missed``; before it ``reached`` (already), ``on_course`` or ``behind`` a straight line to the
        target; ``no_target``; ``unknown`` where no answers are known, so that nobody counts as joined.
    sales : int
        Of those who joined, since the launch began, in minor units; also before they joined.
    target : int or None
        In minor units.
    pace : int or None
        What a straight line to the target has reached by now.
    ahead : int or None
        Sales less the target once the launch is over or it is reached, before that less `pace`.
    projected : int or None
        Where a straight line through the sales so far ends.
    reached_on : date or None
        The first day at whose end sales had reached the target.
    sentence : str
        All of it in words.
    """

    state: State
    sales: int
    target: int | None
    pace: int | None
    ahead: int | None
    projected: int | None
    reached_on: date | None
    sentence: str


def stand(
    daily: pl.DataFrame, target: int | None, *, days: int, horizon_days: int, joined: int, known: bool, currency: str, lang: Lang
) -> Standing:
    """Compare the sales of those who joined with the target.

    Parameters
    ----------
    daily : DataFrame
        One row for each day so far: ``date``, ``joined``, the sales to those who joined.
    target : int or None
        In minor units.
    days, horizon_days : int
        Passed since the launch began, at most those it runs.
    joined : int
        Customers.
    known : bool
        Whether there are any answers.
    currency : str
        ISO 4217 code.
    lang : {"en", "zh"}
        The language.

    Returns
    -------
    Standing
        The amounts of fewer than 5 customers are not in the sentence.

    Examples
    --------
    >>> daily = pl.DataFrame({"date": [date(2026, 7, 1), date(2026, 7, 2)], "joined": [40_000, 50_000]})
    >>> stand(daily, 1_000_00, days=2, horizon_days=4, joined=9, known=True, currency="CNY", lang="en").sentence
    'On course: after 2 of 4 days those who joined have spent 900, where a straight line to the target of 1,000 asks for 500. At this \
pace it ends at 1,800.'
    """
    over, sales = days >= horizon_days, int(daily["joined"].sum())
    told = daily.select("date", pl.col("joined").cum_sum()).filter(pl.col("joined") >= (target or 0))["date"]
    reached_on = None if target is None or told.is_empty() else told[0]
    pace = None if target is None else target * days // horizon_days
    projected = sales * horizon_days // days
    state: State
    if not known:
        state = "unknown"
    elif target is None:
        state = "no_target"
    elif over:
        state = "met" if sales >= target else "missed"
    else:
        state = "reached" if sales >= target else "on_course" if sales >= (pace or 0) else "behind"
    against = pace if state in ("on_course", "behind") else target
    ahead = None if against is None or state == "unknown" else sales - against
    found = Standing(state, sales, target, pace, ahead, projected, reached_on if known else None, "")
    return Standing(**{**vars(found), "sentence": _sentence(found, days, horizon_days, joined, currency, lang)})


def _sentence(found: Standing, days: int, horizon_days: int, joined: int, currency: str, lang: Lang) -> str:
    if found.state == "unknown":
        en, zh = "No answers are known yet, so nobody counts as joined", "尚无任何答复记录，无法得知谁已加入"
        if found.target is not None:
            en, zh = f"{en}, and nothing can be said about the target", f"{zh}，因此还不能对照目标"
        return say(lang, f"{en}.", f"{zh}。")
    if joined < FEW:
        en = f"Fewer than {FEW} customers have joined: what they spend is not told here."
        told = say(lang, en, f"加入的客户不足 {FEW} 位，为保护隐私，这里不显示其消费额。")
        return _bare(found.state, lang) + told
    sales, target, ahead, pace, projected = (
        amount(each or 0, currency) for each in (found.sales, found.target, abs(found.ahead or 0), found.pace, found.projected)
    )
    part = f"{100 * found.sales / found.target:.0f} %" if found.target else ""
    match found.state:
        case "met":
            en = f"The target is met: those who joined spent {sales} in the {horizon_days} days, {ahead} more than the target of {target}; "
            zh = f"目标已达成：{horizon_days} 天内已加入客户共消费 {sales}，比目标 {target} 多 {ahead}；于 {found.reached_on} 达到。"
            return say(lang, en + f"it was reached on {found.reached_on}.", zh)
        case "missed":
            en = f"The target is missed: those who joined spent {sales} in the {horizon_days} days, {ahead} short of the target of {target}"
            zh = f"目标未达成：{horizon_days} 天内已加入客户共消费 {sales}，距目标 {target} 还差 {ahead}（完成 {part}）。"
            return say(lang, f"{en} ({part} of it).", zh)
        case "reached":
            en = f"The target is reached already: after {days} of {horizon_days} days those who joined have spent {sales}, {ahead} more "
            zh = f"目标已提前达到：{horizon_days} 天中过去 {days} 天，已加入客户共消费 {sales}，比目标 {target} 多 {ahead}；"
            return say(
                lang, en + f"than the target of {target}; it was reached on {found.reached_on}.", zh + f"于 {found.reached_on} 达到。"
            )
        case "on_course" | "behind":
            ahead_en, ahead_zh = ("On course", "进度正常") if found.state == "on_course" else ("Behind", "进度落后")
            en = (
                f"{ahead_en}: after {days} of {horizon_days} days those who joined have spent {sales}, where a straight line to the target "
            )
            zh = f"{ahead_zh}：{horizon_days} 天中过去 {days} 天，已加入客户共消费 {sales}，按目标 {target} 匀速推进此时应为 {pace}；"
            return say(
                lang, en + f"of {target} asks for {pace}. At this pace it ends at {projected}.", zh + f"照此速度最终约为 {projected}。"
            )
        case _:
            when = say(lang, f"{days} of {horizon_days}", f"{horizon_days} 天中过去 {days} 天，") if days < horizon_days else ""
            en = f"Those who joined have spent {sales} in {when or f'the {days}'} days. The launch had no target."
            return say(lang, en, f"{when or f'{days} 天内，'}已加入客户共消费 {sales}。本次活动未设目标。")


def _bare(state: State, lang: Lang) -> str:
    """Say how it stands without an amount."""
    told = {
        "met": ("The target is met. ", "目标已达成。"),
        "missed": ("The target is missed. ", "目标未达成。"),
        "reached": ("The target is reached already. ", "目标已提前达到。"),
        "on_course": ("On course. ", "进度正常。"),
        "behind": ("Behind. ", "进度落后。"),
    }
    return say(lang, *told[state]) if state in told else ""
