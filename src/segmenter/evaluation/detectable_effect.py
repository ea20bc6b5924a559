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
        As `planning.plan` gives them: ``customer_id``, ``invited``, ``held_out``, ``stratum``, ``province``, ``city``, and the measures
        ``spend``, ``spend_30d``, ``spend_90d``.
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
    >>> people |= {"customer_id": list("abcd"), "province": None, "city": None}
    >>> frame = pl.DataFrame(people | {"spend_30d": [1, 0, 2, 0], "spend_90d": 0})
    >>> measurable(frame, segmenter.launch_settings({"lang": "en"}))[1]
    ('Only 2 customers are held out, fewer than 500: a lift can hardly be shown. A launch this small can hardly be measured.',)
    """
    plan, lang = settings.plan, settings.lang
    whole = plan.holdout_by == "region"
    people = customers.filter(pl.col("invited") | pl.col("held_out")).with_columns(region_of(plan).alias("cluster"))
    if whole:
        people = people.drop_nulls("cluster")  # who has no region could not be held out, so there is nobody to compare them with
    unit = "cluster" if whole else "customer_id"
    held, invited = (people.filter(arm)[unit].n_unique() for arm in ("held_out", "invited"))
    if min(held, invited) < LEAST:
        why = "plan.holdout=0" if not plan.holdout else say(lang, "the launch is too small", "规模太小")
        few = say(lang, f"Only {held} held out of {held + invited:,}", f"{held + invited:,} 个中仅留出 {held} 个")
        en = f"{few if held else 'Nobody is held out'} ({why}): what the launch brings cannot be told from what would have come anyway."
        return (say(lang, en, f"{few if held else '未设留出组'}（{why}）：将无法区分活动带来的销售与本来就会发生的销售。"),), ()
    scale = "spend_30d" if settings.launch.horizon_days <= _LONG else "spend_90d"
    past = people.select(
        pl.col(scale).alias("spend"),
        (pl.col("spend") - pl.col(scale)).alias("before"),
        pl.col("cluster" if whole else "stratum"),
    )
    units = held + invited
    told = holdout_advice(units, held / units, outlook(past), currency=settings.launch.currency, lang=lang, by=plan.holdout_by)
    return told[:1], told[1:]
