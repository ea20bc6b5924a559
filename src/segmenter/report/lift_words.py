"""The measured lift in plain words, and what casts doubt on it."""

import polars as pl

from segmenter.evaluation.lift import Lift, measure
from segmenter.evaluation.power import ENOUGH
from segmenter.money import amount
from segmenter.words import Lang, say

DOUBTFUL = 0.001  # a p-value below it is hardly chance: looked at after every launch, it must not cry wolf
FEW_REGIONS = 5


def sentence(lift: Lift, *, currency: str, lang: Lang) -> str:
    """Say what being invited brought.

    Parameters
    ----------
    lift : Lift
        As measured.
    currency : str
        ISO 4217 code.
    lang : {"en", "zh"}
        The language.

    Returns
    -------
    str
        The effect with its 95 % interval, or that none could be shown, and which effect it is.

    Examples
    --------
    >>> spend, before = [90000, 0, 70000, 0, 50000, 0, 0, 10000], [800, 100, 600, 0, 700, 100, 0, 300]
    >>> rows = {"customer_id": list("abcdefgh"), "invited": [True] * 4 + [False] * 4, "stratum": ["all"] * 8}
    >>> said = sentence(measure(pl.DataFrame(rows | {"spend": spend, "before": before})), currency="CNY", lang="en")
    >>> said.split(". ")[0]
    'No effect could be shown: it lies between -93 and 1,240 (95 % interval)'
    """
    best = lift.best
    if best.low <= 0 <= best.high:
        low, high = (amount(each, currency) for each in (best.total_low, best.total_high))
        en = f"No effect could be shown: it lies between {low} and {high} (95 % interval)."
        zh = f"未能证实邀请有效果：其效果介于 {low} 与 {high} 之间（95% 置信区间）。"
    elif best.low > 0:
        total, low, high = (amount(each, currency) for each in (best.total, best.total_low, best.total_high))
        en = f"The invitation brought {total}, between {low} and {high} (95 % interval); {_tenths(lift.anyway, 'en')}."
        zh = f"邀请带来 {total}（95% 置信区间：{low} 至 {high}）；{_tenths(lift.anyway, 'zh')}。"
    else:
        total, low, high = (amount(-each, currency) for each in (best.total, best.total_high, best.total_low))
        en = f"The invitation cost sales: {total}, between {low} and {high} (95 % interval)."
        zh = f"邀请反而使销售额减少 {total}（95% 置信区间：{low} 至 {high}）。"
    if lift.measured == "direct":
        en += " It is the direct effect of an invitation on the person invited."
        zh += "这是邀请对受邀者本人的直接效果。"
    else:
        en += " It is the total effect on a region, with what its people bring about in each other."
        zh += "这是对整个地区的总效果，包含客户之间的相互带动。"
    return say(lang, en, zh)


def doubts(
    frame: pl.DataFrame, lift: Lift, *, share: float | None, days: int, horizon_days: int, joined: int, lang: Lang
) -> tuple[str, ...]:
    r"""Say what casts doubt on a measured lift.

    The sample ratio is tested as [1]_ advises, exactly, and past spend within strata as the lift is; both warn where p < .001.

    Parameters
    ----------
    frame : DataFrame
        As for `measure`.
    lift : Lift
        As measured on it.
    share : float or None
        Of the launch's customers that the plan was to hold out, from 0 to below 1; None: not known, and not compared.
    days : int
        Passed since the launch.
    horizon_days : int
        After which the lift was to be measured.
    joined : int
        Held-out customers who joined all the same.
    lang : {"en", "zh"}
        The language.

    Returns
    -------
    tuple of str
        One sentence each; empty where there is no doubt.

    References
    ----------
    .. [1] Fabijan, A. et al. (2019). Diagnosing sample ratio mismatch in online controlled experiments: a taxonomy and rules of thumb
       for practitioners. KDD '19, 2156-2164.

    Examples
    --------
    >>> rows = {"customer_id": list("abcd"), "invited": [True, True, False, False], "stratum": ["all"] * 4}
    >>> frame = pl.DataFrame(rows | {"spend": [9, 4, 7, 0], "before": [8, 3, 7, 2]})
    >>> print(*doubts(frame, measure(frame), share=0.5, days=10, horizon_days=30, joined=1, lang="en"), sep="\n")
    Only 10 of 30 days have passed: figures will still move, and who looks often finds an effect by chance. Decide on day 30.
    1 of the 2 held-out customers (50 %) joined all the same: the effect shown is too small.
    Only 2 customers were held out, fewer than 500: one large buyer more or less decides.
    """
    found = []
    if days < horizon_days:
        en = f"Only {days} of {horizon_days} days have passed: figures will still move, and who looks often finds an effect by chance. "
        zh = f"{horizon_days} 天中才过去 {days} 天：数字还会变动，频繁查看容易把偶然当成效果。请在第 {horizon_days} 天再下结论。"
        found.append(say(lang, en + f"Decide on day {horizon_days}.", zh))
    if share is not None:
        found += _unequal(lift, share, lang)
    found += _unbalanced(frame, lang)
    if joined:
        percent = f"{100 * joined / lift.held_out:.2g} %"
        who = f"{joined:,} of the {lift.held_out:,} held-out customers ({percent})"
        en = f"{who} joined all the same: the effect shown is too small."
        zh = f"{lift.held_out:,} 位留出客户中有 {joined:,} 位（{percent}）仍然加入了社群：测得的效果因此偏小。"
        found.append(say(lang, en, zh))
    if lift.held_out < ENOUGH:
        en = f"Only {lift.held_out:,} customers were held out, fewer than {ENOUGH}: one large buyer more or less decides."
        zh = f"只留出了 {lift.held_out:,} 位客户，不足 {ENOUGH} 位：个别大客户就足以左右结果。"
        found.append(say(lang, en, zh))
    if lift.regions and min(lift.regions_held_out, lift.regions - lift.regions_held_out) < FEW_REGIONS:
        en = (
            f"{lift.regions_held_out} of {lift.regions} regions were held out, with fewer than {FEW_REGIONS} on a side: one region decides."
        )
        zh = f"{lift.regions} 个地区中留出 {lift.regions_held_out} 个，有一方不足 {FEW_REGIONS} 个：个别地区就足以左右结果。"
        found.append(say(lang, en, zh))
    return tuple(found)


def _unequal(lift: Lift, share: float, lang: Lang) -> list[str]:
    from scipy.stats import binomtest

    customers = lift.invited + lift.held_out
    # Regions are unequal by nature: no ratio of people is expected of them.
    if lift.measured == "total" or binomtest(lift.held_out, customers, share).pvalue >= DOUBTFUL:
        return []
    expected = f"{share * customers:,.0f}"
    en = f"{lift.held_out:,} of {customers:,} customers are held out, where the plan has {expected}: more than chance explains. "
    en += "Some were lost or moved between the two, as when a launch is planned anew after the calls began, and the lift may be wrong: "
    en += "find out why before using it."
    zh = f"{customers:,} 位客户中留出了 {lift.held_out:,} 位，而计划应约为 {expected} 位，偏差不像偶然。"
    return [say(lang, en, zh + "可能有客户丢失或被换组（例如开始外呼后又重新规划），提升值可能有误：请先查明原因再使用。")]


def _unbalanced(frame: pl.DataFrame, lang: Lang) -> list[str]:
    past = measure(frame.with_columns(spend="before", before=pl.lit(0, pl.Int64)))
    if past.best.p >= DOUBTFUL:
        return []
    level = past.sales / past.invited - past.best.effect  # of the held out, were they spread over strata like the invited
    apart = f"{abs(100 * past.best.effect / level):.2g} % " if level > 0 else ""
    more = past.best.effect > 0
    en = (
        f"Those invited had spent {apart}{'more' if more else 'less'} than those held out before the launch, by more than chance explains: "
    )
    zh = f"活动开始前受邀客户的消费比留出客户{'高' if more else '低'}{' ' if apart else ''}{apart.strip()}，差距不像偶然："
    return [say(lang, en + "the two were not alike, and the lift may be wrong.", zh + "两组本来就不同，提升值可能有误。")]


def _tenths(anyway: float | None, lang: Lang) -> str:
    tenths = round(10 * (anyway or 0.0))
    if tenths >= 10:
        return say(lang, "nearly all of the sales would have come anyway", "受邀客户的销售额几乎全部本来就会发生")
    if tenths <= 0:
        return say(lang, "hardly any of the sales would have come anyway", "受邀客户的销售额若不邀请几乎都不会发生")
    return say(lang, f"{tenths} in 10 of the sales would have come anyway", f"受邀客户的销售额中约有 {tenths} 成本来就会发生")
