"""What the eligible of earlier dates went on to do: what segments are judged by, and described with."""

from datetime import date

import polars as pl

from segmenter.errors import ConfigError, InputError
from segmenter.evaluation.as_of import past_snapshot
from segmenter.measures.past import Past
from segmenter.settings import CoreSettings

_DATES = 4
_CUSTOMERS = 20_000  # at most, of all at a date: a half, a quarter, ... by a hash of their ids


def past_behaviour(past: Past | None, settings: CoreSettings) -> dict[date, pl.DataFrame]:
    """Give by past date, the latest first, who was eligible then, by id: measures, region, and what came in `launch.horizon_days`.

    That is ``later_spend`` (Int64, net, minor units) and ``later_orders`` (Int64). Horizons do not overlap. A date at which a rule cannot
    be computed, or nobody was eligible, is left out; without a past, as where the ranking needs none, there are none.
    """
    if past is None:
        return {}
    horizon, few, frames = settings.launch.horizon_days, past.sample(_CUSTOMERS, settings.seed), {}
    for cut in few.cuts(horizon, horizon, _DATES):
        try:
            snapshot = past_snapshot(few, settings, cut, purchases=False)
        except (InputError, ConfigError):  # such as a rule on events of which there were none yet
            continue
        eligible = snapshot.customers.filter(snapshot.eligible)
        later = few.later(eligible["customer_id"], cut, horizon).select(pl.all().cast(pl.Int64).name.prefix("later_"))
        if eligible.height:
            frames[cut] = pl.concat([eligible, later], how="horizontal")
    return frames
