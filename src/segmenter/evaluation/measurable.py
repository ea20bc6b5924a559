"""What the hold-out of a launch will be able to show."""

import polars as pl

from segmenter.evaluation.lift_sums import LEAST
from segmenter.evaluation.power import holdout_advice, outlook
from segmenter.planning.candidates import region_of
from segmenter.settings import CoreSettings
from segmenter.words import say

_LONG = 45  # days from which on a horizon is more like 90 days than like 30


def measurable(customers: pl.DataFrame, settings: CoreSettings) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Say before the launch how small a lift its hold-out can show.

    How much customers differ is judged by what those of the launch spent last: in the 30 days before it, or in 90 where the horizon is
    longer. As they were chosen for what they did lately, that is rather too much, and so is the smallest lift.

    Parameters
    ----------
    customers : DataFrame
        As `planning.plan` gives them: ``invited``, ``held_out``, ``stratum``, and the measures ``spend``, ``spend_30d``, ``spend_90d``.
    settings : CoreSettings
        The launch.

    Returns
    -------
    notes, warnings : tuple of str
        The sentence with the smallest lift; and what should be changed.

    Examples
    --------
    >>> import segmenter
    >>> people = {"invited": [True, True, False, False], "held_out": [False, False, True, True], "stratum": "a", "spend": [9, 8, 7, 6]}
    >>> frame = pl.DataFrame(people | {"spend_30d": [1, 0, 2, 0], "spend_90d": 0, "province": None, "city": None})
    >>> measurable(frame, segmenter.launch_settings({"lang": "en"}))[1]
    ('Only 2 customers are held out, fewer than 500: a lift can hardly be shown. A launch this small can hardly be measured.',)
    """
    plan, lang = settings.plan, settings.lang
    people = customers.filter(pl.col("invited") | pl.col("held_out"))
    invited = int(people["invited"].sum())
    held = people.height - invited
    if min(held, invited) < LEAST:
        why = "plan.holdout=0" if not plan.holdout else say(lang, "the launch is too small", "规模太小")
        en = f"Nobody is held out ({why}): what the launch brings cannot be told from what would have come anyway."
        return (say(lang, en, f"未设留出组（{why}）：将无法区分活动带来的销售与本来就会发生的销售。"),), ()
    scale = "spend_30d" if settings.launch.horizon_days <= _LONG else "spend_90d"
    whole = plan.holdout_by == "region"
    past = people.select(
        pl.col(scale).alias("spend"),
        (pl.col("spend") - pl.col(scale)).alias("before"),
        region_of(plan).fill_null("").alias("cluster") if whole else pl.col("stratum"),
    )
    units = past["cluster"].n_unique() if whole else people.height
    share = round((past.filter(people["held_out"])["cluster"].n_unique() if whole else held) / units, 3)
    told = holdout_advice(units, share, outlook(past), currency=settings.launch.currency, lang=lang, by=plan.holdout_by)
    return told[:1], told[1:]
