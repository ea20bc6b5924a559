"""What a person should know of the answers that were read."""

from datetime import date, timedelta

import polars as pl

from segmenter.contacts import hide
from segmenter.words import Lang, say

LATE, EARLY = "is after the review's date", "is before the launch"
_FILES = 5  # shown


def answer_warnings(
    rows: pl.DataFrame, good: pl.DataFrame, rejects: pl.DataFrame, *, undated: int, planned: bool, before: date, lang: Lang
) -> tuple[str, ...]:
    r"""Say what was not taken, and what was taken other than it stands there.

    Parameters
    ----------
    rows : DataFrame
        All that was read: ``said`` (null: no answer), ``noted`` (Boolean: the answer's column is empty, the note is not).
    good : DataFrame
        The answers among them: ``customer_id``, ``written``, ``answered_on``, ``answer``, ``source``, ``row``.
    rejects : DataFrame
        See `tables.REJECTS`.
    undated : int
        Answers whose date was supposed.
    planned : bool
        Whether by the plan.
    before : date
        Of the review.
    lang : {"en", "zh"}
        The language.

    Returns
    -------
    tuple of str
        One sentence each.

    Examples
    --------
    >>> row = {"customer_id": "007", "written": "7", "answered_on": date(2026, 7, 3), "answer": "joined", "source": "a.csv", "row": 1}
    >>> good = pl.DataFrame([row])
    >>> rows = pl.DataFrame({"said": ["joined", None], "noted": [False, True]})
    >>> rejects = pl.DataFrame({"file": ["a.csv"], "row": [3], "reason": [LATE]})
    >>> rest = {"undated": 0, "planned": True, "before": date(2026, 7, 31), "lang": "en"}
    >>> print(*answer_warnings(rows, good, rejects, **rest), sep="\n")
    answers of 2026-07-31 or later: 1, which a later review counts
    customer ids not written as in the plan, but recognised: 1, such as "7" for 007
    rows with a note but no answer: 1, which count as not called yet
    """
    found = []
    if undated:
        day = before - timedelta(days=1)
        en, zh = (f"the planned day of the call, or {day}", f"计划外呼日（没有计划的按 {day}）") if planned else (f"{day}", f" {day} ")
        found.append((f"answers without a date: {undated:,}, which count as of {en}", f"{undated:,} 条答复没有日期，已按{zh}计入"))
    if whole := rejects.filter(pl.col("row").is_null())["file"].to_list():
        names = ", ".join(whole[:_FILES]) + (", …" if len(whole) > _FILES else "")
        found.append((f"files that could not be used: {names}; the rejects say why", f"以下文件无法使用：{names}，原因见拒收记录"))
    reasons = rejects.drop_nulls("row")["reason"]
    if late := int((reasons == LATE).sum()):
        zh = f"{late:,} 条答复的日期在 {before} 当天或之后，本次不计，以后复盘时再计入"
        found.append((f"answers of {before} or later: {late:,}, which a later review counts", zh))
    if early := int((reasons == EARLY).sum()):
        zh = f"{early:,} 条答复的日期早于活动开始，不予计入：是否为其他活动的名单？"
        found.append((f"answers of before the launch: {early:,}, which do not count: are they of another launch?", zh))
    if left := len(reasons) - late - early:
        found.append((f"rows of answers that could not be understood: {left:,}, see the rejects", f"{left:,} 行答复无法识别，见拒收记录"))
    slips = good.filter(pl.col("written") != pl.col("customer_id")).sort("source", "row")
    if slips.height:
        written, meant = map(hide, slips.select("written", "customer_id").row(0))
        en = f'customer ids not written as in the plan, but recognised: {slips.height:,}, such as "{written}" for {meant}'
        found.append((en, f"{slips.height:,} 个客户编号的写法与计划不同，已自动识别，例如“{written}”即 {meant}"))
    noted = rows.filter("noted")["said"]
    if taken := noted.count():
        zh = f"{taken:,} 条答复写在备注或其他栏里（答复栏为空），已照此计入"
        found.append((f"answers that stood in the notes or in a column beside, with the answer left empty: {taken:,}, which count", zh))
    if silent := noted.null_count():
        zh = f"{silent:,} 行只有备注、没有答复，按尚未联系计"
        found.append((f"rows with a note but no answer: {silent:,}, which count as not called yet", zh))
    apart = good.group_by("customer_id", "answered_on").agg(pl.col("answer").n_unique()).filter(pl.col("answer") > 1)
    if different := apart["customer_id"].n_unique():
        en = f"customers with different answers on one day: {different:,}; joined counts before refused, and that before no answer"
        found.append((en, f"{different:,} 位客户同一天有不同答复：以“已入群”优先，其次“拒绝”，最后“未接通”"))
    return tuple(say(lang, *each) for each in found)
