"""The lift of a launch, from its plan and what its customers spent; or why there is none."""

import polars as pl

from segmenter.evaluation.lift import Lift, measure
from segmenter.evaluation.lift_sums import LEAST
from segmenter.report.lift_words import doubts, sentence
from segmenter.words import Lang, say


def launch_lift(
    present: pl.DataFrame, *, days: int, horizon_days: int, holdout: float | None, currency: str, lang: Lang
) -> tuple[Lift | None, str, tuple[str, ...]]:
    """Measure what a launch's invitations brought.

    Parameters
    ----------
    present : DataFrame
        One row for each customer of the launch's present plan: ``customer_id``, ``status`` (``planned`` or ``held_out``), ``stratum`` and
        ``region`` (may be null), ``joined`` (Boolean), ``answer`` (null where there is none), and ``spend`` and ``before``, in minor
        units, since the launch and before it.
    days : int
        Passed since the launch.
    horizon_days : int
        Which it runs.
    holdout : float or None
        The share that was to be held out; None where it is not known.
    currency : str
        ISO 4217 code.
    lang : {"en", "zh"}
        The language.

    Returns
    -------
    Lift or None
        None where too few are held out, or nobody has bought anything.
    str
        The lift in words, or why there is none.
    tuple of str
        What casts doubt on it.

    Examples
    --------
    >>> rows = {"customer_id": ["a", "b"], "status": "planned", "stratum": "", "region": None, "joined": False, "answer": None}
    >>> frame = pl.DataFrame(rows | {"spend": 1, "before": 0})
    >>> launch_lift(frame, days=30, horizon_days=30, holdout=0, currency="CNY", lang="en")[1].split(",")[0]
    'Nobody was held out'
    """
    frame = present.select(
        "customer_id",
        (pl.col("status") == "planned").alias("invited"),
        pl.col("stratum").fill_null(""),
        *("spend", "before", "region", "joined", "answer"),
    )
    if by_region := _whole_regions(frame):
        # Who has no region could not be held out, so there is nobody to compare them with.
        frame = frame.drop_nulls("region").with_columns(pl.col("region").alias("cluster"))
    if why := _too_few(frame, lang, by_region=by_region):
        return None, why, ()
    if (frame["spend"] == 0).all():
        en = "Neither those invited nor those held out have bought anything since: there is nothing to compare yet."
        return None, say(lang, en, "活动开始以来，受邀客户和留出客户都还没有消费，暂时无法比较。"), ()
    lift = measure(frame)
    held = frame.filter(~pl.col("invited"))
    joined = int(held["joined"].sum())
    found = doubts(frame, lift, share=holdout, days=days, horizon_days=horizon_days, joined=joined, lang=lang)
    if others := held.filter(pl.col("answer").is_not_null() & ~pl.col("joined")).height:
        en = f"{others:,} held-out customers were asked all the same, and did not join: the list was not kept to."
        found += (say(lang, en, f"有 {others:,} 位留出客户仍被联系（未加入）：名单没有被严格执行。"),)
    return lift, sentence(lift, currency=currency, lang=lang), found


def _whole_regions(frame: pl.DataFrame) -> bool:
    """Tell from who was held out whether chance dealt regions: each held out whole or not at all, and more people than regions."""
    held = frame.filter(~pl.col("invited"))
    mixed = frame.group_by("region").agg(pl.col("invited").n_unique().alias("arms"))["arms"].max()
    return mixed == 1 and not held["region"].has_nulls() and held.height > held["region"].n_unique()


def _too_few(frame: pl.DataFrame, lang: Lang, *, by_region: bool) -> str:
    if frame["invited"].all():
        en = "Nobody was held out, so what the invitation brought cannot be told from what would have come anyway. "
        zh = "没有留出对照客户，无法区分哪些销售额是邀请带来的、哪些本来就会发生。"
        return say(lang, en + "Hold out a share of the next launch with plan.holdout=0.1.", zh + "下次请用 plan.holdout=0.1 留出一部分。")
    unit = "region" if by_region else "customer_id"
    held, invited = (frame.filter(pl.col("invited") == arm)[unit].n_unique() for arm in (False, True))
    if min(held, invited) >= LEAST:
        return ""
    things, counted = ("regions", "个地区") if by_region else ("customers", "位客户")
    en = f"{invited:,} {things} were invited and {held:,} held out: too few to measure what the invitation brought."
    return say(lang, en, f"邀请了 {invited:,} {counted}、留出 {held:,} {counted}：数量太少，无法衡量邀请的效果。")
