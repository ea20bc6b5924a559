"""Past launches as experiments: who was invited, who was held out at random, and what they spent; and the ranking learned from them."""

from dataclasses import replace
from datetime import date
from math import ceil

import polars as pl

from segmenter.errors import InputError
from segmenter.evaluation.detectable_effect import expect_spend, solve_detectable_effect
from segmenter.evaluation.launch_lift import drew_regions
from segmenter.evaluation.lift_sums import MIN_UNITS
from segmenter.evaluation.qini import TOPS, Gain, measure_qini, measure_uplift
from segmenter.measures.past import Past
from segmenter.messages import Message
from segmenter.planning.control_group import took_part
from segmenter.scoring.ranking import Evidence, Floats
from segmenter.scoring.spend import BY_SPEND
from segmenter.scoring.uplift import MEASURES, UpliftRanking, learn_uplift
from segmenter.settings import UpliftSettings

_FEWEST = 40  # customers of an arm, below which trees find nothing to split


def fit_uplift(settings: UpliftSettings, past: Past | None, *, seed: int) -> UpliftRanking:
    """Learn who spends more because they are invited, from the launches that were over before the date that the past ends at.

    InputError where no launch held anybody out, or where they are too small to show an effect of `settings.detectable`. Where it does not
    clearly beat the ranking by spend, a warning says so.
    """
    if past is None:
        raise InputError(Message("scoring.no_past", "scoring: {kind} needs the shop's past, which was not read", kind=settings.kind))
    key = ("uplift", past.until, settings.detectable, seed)
    return past.once(key, lambda: _fit(settings, past, seed))


def _fit(settings: UpliftSettings, past: Past, seed: int) -> UpliftRanking:
    launches = list_experiments(past)
    detectable = check_size(launches, settings.detectable, past.end)
    ranking, tried = learn_uplift(launches, list(MEASURES), seed=seed)
    return replace(ranking, basis=judge(tried, BY_SPEND.values(tried), detectable))


def list_experiments(past: Past) -> pl.DataFrame:
    """List the customers of past launches as they were at each: ``launch``, ``invited``, ``spend`` in its horizon, and the measures.

    Only launches that are over count, as far as the orders go, and that held out customers at random, not regions.
    """
    known = past.tables.launches
    rows = pl.DataFrame(schema={"status": pl.String}) if known is None else known.invited
    if rows.is_empty():
        return rows
    drawn = rows.filter("in_plan", pl.col("status").is_not_null(), pl.col("ends_on") <= past.end)
    drawn = drawn.with_columns(invited=pl.col("status") == "planned")
    frames = []
    for (name, as_of, ends_on), people in drawn.sort("launch").group_by("launch", "as_of", "ends_on", maintain_order=True):
        frame = past.measures(as_of).join(
            people.filter(took_part()).select("customer_id", "invited", "region"), on="customer_id", validate="1:1"
        )
        arms = frame["invited"].sum(), (~frame["invited"]).sum()
        if min(arms) < MIN_UNITS or drew_regions(frame):
            continue
        later = past.later(frame["customer_id"], as_of, (ends_on - as_of).days).select("spend")
        frames.append(frame.select(pl.lit(name).alias("launch"), "customer_id", "invited", *MEASURES, before="spend").hstack(later))
    return pl.concat(frames) if frames else rows.clear()


def check_size(launches: pl.DataFrame, limit: float, end: date) -> float:
    """Give the smallest share of what customers spend that launches could show as an effect; InputError where it is above the limit."""
    if launches.is_empty():
        sentence = (
            "scoring=uplift: learns from launches that held out customers at random and were over by {end}, as far as the orders go; the "
            "ledger has none; hold some out of each launch (plan.holdout), and learn when it is over; use scoring=auto until then"
        )
        raise InputError(Message("scoring.no_experiments", sentence, end=end))
    held_out = int((~launches["invited"]).sum())
    share = held_out / launches.height
    expected = expect_spend(launches.select("spend", "before", pl.col("launch").alias("stratum")))
    found = solve_detectable_effect(launches.height, share, expected) if expected.variance and expected.mean > 0 else None
    if found is None or found.percent is None:
        sentence = "scoring=uplift: who was in the {held_out:,} held out or invited hardly spent anything since: nothing to learn from"
        raise InputError(Message("scoring.no_spend_since", sentence, held_out=held_out))
    if found.percent <= 100 * limit and min(held_out, launches.height - held_out) >= _FEWEST:
        return found.percent / 100
    need = max(ceil(launches.height * (found.percent / 100 / limit) ** 2), ceil(_FEWEST / min(share, 1 - share)))
    sentence = (
        "scoring=uplift: the launches that are over, {customers:,} customers of whom {held_out:,} were held out, can show an effect of "
        "{percent:.3g} % of what customers spend or more; to tell whom an invitation moves takes {limit:.3g} % (scoring.detectable): about "
        "{need:,} customers with {need_held:,} held out; use scoring=auto until then"
    )
    facts = {"customers": launches.height, "held_out": held_out, "percent": found.percent, "limit": 100 * limit}
    raise InputError(Message("scoring.small_experiments", sentence, **facts, need=need, need_held=ceil(share * need)))


def judge(tried: pl.DataFrame, spend: Floats, detectable: float) -> Evidence:
    """Compare a ranking with that by spend on customers whom it had not learned from: see `learn_uplift` and `qini`."""
    scores = {"uplift": tried["score"].to_numpy(), "spend": spend}
    tops = {name: [measure_uplift(tried, score, percent) for percent in TOPS] for name, score in scores.items()}
    qini = {name: measure_qini(tried, score) for name, score in scores.items()}
    better = measure_qini(tried, scores["uplift"], scores["spend"])
    warnings: tuple[Message, ...] = ()
    if qini["uplift"].low <= 0:
        sentence = (
            "scoring=uplift: the launches do not tell who spends more because of an invitation: what this ranking brings cannot be told "
            "from inviting at random; use scoring=auto, or learn from more launches"
        )
        warnings = (Message("scoring.uplift_unknown", sentence),)
    elif better.low <= 0:
        sentence = "scoring=uplift: on these launches it does not clearly bring more than inviting by spend would"
        warnings = (Message("scoring.uplift_not_better", sentence),)
    model = {
        "launches": tried["launch"].unique().sort().to_list(),
        "customers": tried.height,
        "held_out": int((~tried["invited"]).sum()),
        "detectable": round(detectable, 4),
        "effect": _plain(measure_uplift(tried, scores["uplift"])),
        "qini": {name: _plain(gain) for name, gain in qini.items()},
        "better": _plain(better),
        "tops": {name: [_plain(gain) for gain in gains] for name, gains in tops.items()},
    }
    return Evidence(model=model, warnings=warnings)


def _plain(gain: Gain) -> list[float]:
    return [round(value, 4) for value in gain]
