"""A launch's plan in words, in the launch's language: what the results, the pages and the ledger hold."""

from dataclasses import replace

import polars as pl

from segmenter.launch_plan import LaunchPlan
from segmenter.report.language import told, translate
from segmenter.report.reason_words import reason_text
from segmenter.segments.profiles import archetype_of
from segmenter.settings import CoreSettings

_FACTS = ("reasons", "spend_top", "orders_top")


def in_words(plan: LaunchPlan, settings: CoreSettings) -> LaunchPlan:
    """Say what a plan holds as facts: the reasons of the invited, the names of the segments, notes, warnings and obstacles.

    Parameters
    ----------
    plan : LaunchPlan
        As `plan_launch` gives it.
    settings : CoreSettings
        Its settings: language, currency, window of the spend.

    Returns
    -------
    LaunchPlan
        With ``reason`` in place of its facts in `invite_list`, and names and sentences in the language of the settings.

    Examples
    --------
    >>> import segmenter
    >>> settings = segmenter.launch_settings({"launch.as_of": "2026-07-01", "lang": "zh"})
    >>> orders = pl.DataFrame({"customer_id": ["a", "b"], "time": ["2026-06-30", "2026-06-01"], "amount": [12.5, 7.5]})
    >>> tables = segmenter.canonical_tables({"orders": orders}, settings.data, settings.launch)
    >>> segmenter.in_words(segmenter.plan_launch(tables, settings), settings).invite_list["reason"].to_list()
    ['累计消费 12 元，最近下单 2026-06-30', '最近下单 2026-06-01']
    """
    lang = settings.lang
    facts = plan.invite_list.select("customer_id", *_FACTS)
    chosen = facts.join(plan.customers.filter("invited"), on="customer_id", how="left", maintain_order="left")
    reason = chosen.select(
        reason_text(chosen, settings.scoring, window_days=settings.rules.spend.window_days, currency=settings.launch.currency, lang=lang)
    ).to_series()
    listed = plan.invite_list.with_columns(reasons=reason).rename({"reasons": "reason"}).drop("spend_top", "orders_top")
    english, names = plan.segments["name"], [translate(name, lang) for name in plan.segmentation.names]
    meant = [archetype_of(name) for name in plan.segmentation.names]
    texts = {
        "name": names,
        "who": [translate(each.who, lang) for each in meant],
        "advice": [translate(each.advice, lang) for each in meant],
    }
    return replace(
        plan,
        invite_list=listed,
        segments=plan.segments.with_columns(pl.Series(key, words, dtype=pl.String) for key, words in texts.items()),
        invitations=plan.invitations.with_columns(pl.col("segment").replace(english, names)),
        segmentation=replace(plan.segmentation, why=translate(plan.segmentation.why, lang)),
        notes=tuple(translate(note, lang) for note in plan.notes),
        warnings=tuple(told(warning, lang) for warning in plan.warnings),
        obstacles=tuple(told(obstacle, lang) for obstacle in plan.obstacles),
    )
