"""What tuning came to, in one sentence."""

import polars as pl

from segmenter.words import Lang, say


def advise_tuning(
    shares: pl.DataFrame, differences: pl.DataFrame, current: str, *, unchanged: bool, dates: int, horizon_days: int, lang: Lang
) -> tuple[bool, str]:
    """Say whether to use the tuned weights, by the dates that were held back.

    Parameters
    ----------
    shares, differences : DataFrame
        See `tune.Tuned`.
    current : str
        What the launch uses.
    unchanged : bool
        Whether no trial held more than the present weights.
    dates : int
        How many were held back.
    horizon_days : int
        How long after each was looked at.
    lang : {"en", "zh"}
        The language.

    Returns
    -------
    helped : bool
        Whether the tuned weights were clearly better.
    sentence : str
        For the terminal and the manifest.

    Examples
    --------
    >>> shares = pl.DataFrame({"ranking": ["tuned", "present"], "held_back": [0.5, 0.52]})
    >>> row = {"against": "present", "difference": -0.02, "low": -0.03, "high": 0.01, "clearly_better": False}
    >>> advise_tuning(shares, pl.DataFrame([row]), "present", unchanged=False, dates=3, horizon_days=30, lang="en")[1][:87]
    'Keep the present weights: tuning did not help. On the 3 dates held back, the 10 % whom '
    """
    found: dict[str, float | None] = dict(shares.select("ranking", "held_back").rows())
    kept = say(lang, "the present weights", "现用权重") if current == "present" else current
    tuned, present = found["tuned"], found[current]
    if tuned is None or present is None:
        en = f"Keep {kept}: whether tuning helps cannot be said, as the eligible customers spent nothing after the dates held back."
        return False, say(lang, en, f"请保留{kept}：在留作检验的日期之后，符合条件的客户均无消费，无法判断调优是否有用。")
    on = "On the date held back" if dates == 1 else f"On the {dates} dates held back"
    (row,) = differences.filter(against=current).to_dicts()
    if unchanged and current == "present":
        en = (
            f"Keep the present weights: no trial held more at the dates learned from. {on}, the 10 % whom they "
            f"put first spent {present:.1%} of everything in the {horizon_days} days after"
        )
        zh = (
            f"请保留现用权重：在学习所用的日期上，没有任何一次尝试更好。在留作检验的 {dates} 个日期，其排在最前的 10% 客户"
            f"在之后 {horizon_days} 天内贡献了 {present:.1%} 的消费"
        )
        return False, say(lang, en, zh) + _better(found, "present", lang)
    helped = bool(row["clearly_better"])
    if helped:
        verdict = say(lang, "Use the tuned weights", "建议采用调优后的权重")
    elif row["difference"] > 0:
        en = f"Keep {kept}, or try the tuned weights: it is not clear that they are better"
        verdict = say(lang, en, f"可保留{kept}，也可试用调优后的权重：是否更好尚不明确")
    else:
        verdict = say(lang, f"Keep {kept}: tuning did not help", f"请保留{kept}：调优没有帮助")
    en = (
        f"{verdict}. {on}, the 10 % whom the tuned weights put first spent {tuned:.1%} of everything in the "
        f"{horizon_days} days after, those of {kept} {present:.1%}"
    )
    zh = (
        f"{verdict}。在留作检验的 {dates} 个日期，调优后的权重排在最前的 10% 客户在之后 {horizon_days} 天内贡献了 {tuned:.1%} 的消费，"
        f"{kept}为 {present:.1%}"
    )
    return helped, say(lang, en, zh) + _apart(row, lang) + _better(found, "tuned" if helped else current, lang)


def _apart(row: dict[str, float], lang: Lang) -> str:
    """Give the difference in points of the share."""
    points = f"{100 * row['difference']:+.1f}".replace("-", "−")
    if row["low"] is None:
        return say(lang, f" ({points} points, on too few customers to be sure)", f"（相差 {points} 个百分点，涉及客户太少，无法确定）")
    low, high = (f"{100 * row[end]:+.1f}".replace("-", "−") for end in ("low", "high"))
    return say(lang, f" ({points} points, between {low} and {high})", f"（相差 {points} 个百分点，区间 {low} 至 {high}）")


def _better(found: dict[str, float | None], chosen: str, lang: Lang) -> str:
    """Name a ranking that held more than the one advised, should there be one."""
    known = {name: share for name, share in found.items() if share is not None}
    best = max(known, key=lambda name: known[name])
    if best == "tuned" or known[best] <= known[chosen]:
        return say(lang, ".", "。")
    en = f"; {best} held more there, {known[best]:.1%}: compare them with `segmenter backtest`."
    return say(lang, en, f"；{best} 在这些日期更高，为 {known[best]:.1%}，可用 segmenter backtest 进一步比较。")
