"""The page of a review: what the launch brought, and why one may believe it, without a customer id or a contact in it."""

from typing import Any

import polars as pl

from segmenter.evaluation.acceptance import OVER
from segmenter.evaluation.lift import Estimate
from segmenter.evaluation.review import Review
from segmenter.money import digits
from segmenter.report import charts
from segmenter.report.labels import Labels
from segmenter.report.page import page
from segmenter.report.review_words import accepted, cohort, hidden, method, over, theme, value
from segmenter.settings import ReviewCore

Row = dict[str, Any]
_ROWS = 12  # of each table of answers; acceptance.csv has them all
_SOME = 30  # asked: a larger share of fewer would make all other bars short


def review_page(found: Review, settings: ReviewCore) -> str:
    """Write what a launch brought as one HTML page that loads nothing.

    Parameters
    ----------
    found : Review
        What it brought.
    settings : ReviewCore
        What the review was made with; `lang` chooses the words.

    Returns
    -------
    str
        The page; the same for the same findings.

    Examples
    --------
    >>> import segmenter
    >>> from datetime import date
    >>> from segmenter.evaluation.review import Launched, review
    >>> from segmenter.tables import INVITED, ORDERS
    >>> launched = Launched("spring", date(2026, 7, 1), date(2026, 7, 31), 10_000, "CNY")
    >>> row = {"launch": "spring", "in_plan": True, "planned_at": launched.as_of, "status": "planned"}
    >>> people = pl.DataFrame([row | {"customer_id": each} for each in "abc"], INVITED)
    >>> settings = segmenter.review_settings({"review.as_of": "2026-07-31"})
    >>> found = review(launched, people, pl.DataFrame(schema=ORDERS), settings)
    >>> found.standing.sentence in review_page(found, settings)
    True
    """
    labels = Labels(settings.lang, found.launched.currency)
    return page(
        "review.html.j2",
        labels,
        launch=settings.launch,
        found=found,
        first=labels.day(found.launched.as_of),
        ends_on=labels.day(found.launched.ends_on),
        as_of=labels.day(found.as_of),
        last_order=labels.day(found.last_order) if found.last_order else "–",
        accepted=accepted(found, labels),
        tiles=_tiles(found, labels),
        chart=_sales(found, labels),
        weeks=_weeks(found, labels),
        arms=_arms(found, labels),
        estimates=_estimates(found, labels),
        answers=_answers(found, labels),
        reasons=_reasons(found, labels),
    )


def _joined_sales(found: Review) -> float | None:
    return None if found.standing.state == "unknown" else hidden(found.counts["joined"], found.standing.sales)


def _tiles(found: Review, labels: Labels) -> list[Row]:
    counts, standing, launched = found.counts, found.standing, found.launched
    known, everyone = standing.state != "unknown", found.acceptance.filter(over="all").row(0, named=True)
    sales, target = _joined_sales(found), launched.target
    reached = None if sales is None or not target else sales / target
    best = found.lift.best if found.lift else None
    figures = [
        (
            labels.say("Asked", "已联系") if known else labels.say("To be asked by now", "应已联系"),
            labels.number(everyone["asked"]),
            labels.say("of {} invited", "共邀请 {} 位").format(labels.number(counts["invited"])),
        ),
        (
            labels.say("Joined", "已加入"),
            labels.number(counts["joined"] if known else None),
            labels.say("{} of those asked", "占已联系客户的 {}").format(labels.share(everyone["share"] if known else None)),
        ),
        (
            labels.say("Their sales", "加入者消费额"),
            labels.money(sales),
            labels.say("in the {} days", "{} 天内").format(found.days)
            if found.over
            else labels.say("in {} of {} days", "{1} 天中的前 {0} 天").format(found.days, launched.horizon_days),
        ),
        (
            labels.say("Target", "目标"),
            labels.money(target),
            labels.say("none was set", "未设目标")
            if target is None
            else labels.say("{} of it reached", "已完成 {}").format(labels.share(reached)),
        ),
        (
            labels.say("The invitation brought", "邀请带来的销售额"),
            "–" if best is None else labels.say("not shown", "未证实") if best.low <= 0 <= best.high else _money(best.total, labels),
            labels.say("cannot be measured", "无法衡量") if best is None else _between(best, labels),
        ),
    ]
    return [{"name": name, "figure": figure, "note": note} for name, figure, note in figures]


def _sales(found: Review, labels: Labels) -> str:
    """Draw the sales of those who joined, added up, against the straight line to the target."""
    if _joined_sales(found) is None:
        return ""
    horizon, target = found.launched.horizon_days, found.launched.target
    points = [(0.0, 0.0), *((float(day), float(sales)) for day, sales in found.daily.select("day", "joined_so_far").rows())]
    drawn = [charts.Line(cohort("joined", labels), points, charts.STRONG)]
    if target is not None:
        drawn.insert(0, charts.Line(labels.say("to the target", "目标进度线"), [(0, 0), (horizon, target)], charts.ACCENT, dashed=True))
    return charts.lines(
        labels.say("Sales of those who joined, day by day", "加入者逐日累计消费额"),
        drawn,
        _days(horizon),
        _levels(max(target or 0, *(level for _, level in points)), labels),
        labels.say("days since {}", "自 {} 起的天数").format(found.launched.as_of),
    )


def _days(horizon: int) -> charts.Marks:
    step = next(each for each in (1, 2, 5, 7, 10, 14, 30, 60, 90, 200) if horizon / each <= 7)
    return [(day, str(day)) for day in [*range(0, horizon - step // 2, step), horizon]]


def _levels(most: float, labels: Labels) -> charts.Marks:
    """Mark round amounts up to the next one above the most; one unit where there is nothing."""
    from babel.numbers import format_compact_decimal

    most = max(most, 10 ** digits(labels.currency))
    unit = 10 ** max(len(str(int(most))) - 1, 0)
    step = next(unit * part for part in (0.2, 0.25, 0.5, 1, 2, 2.5) if most <= 5 * unit * part)
    levels = [round(step * place) for place in range(6) if place == 0 or step * (place - 1) < most]
    units = [level / 10 ** digits(labels.currency) for level in levels]
    return [
        (level, format_compact_decimal(each, locale=labels.locale, fraction_digits=1)) for level, each in zip(levels, units, strict=True)
    ]


def _weeks(found: Review, labels: Labels) -> list[Row]:
    """List the end of each week, and of the last day."""
    if _joined_sales(found) is None:
        return []
    shown = found.daily.filter((pl.col("day") % 7 == 0) | (pl.col("day") == found.days))
    ends = shown.with_columns(pl.col("joined_so_far").diff().fill_null(pl.col("joined_so_far")).alias("new")).to_dicts()
    return [
        {
            "day": row["day"],
            "date": str(row["date"]),
            "new": labels.money(row["new"]),
            "so_far": labels.money(row["joined_so_far"]),
            "target": labels.money(row["target_so_far"]),
            "ahead": "" if row["target_so_far"] is None else _signed(row["joined_so_far"] - row["target_so_far"], labels),
        }
        for row in ends
    ]


def _money(minor: float, labels: Labels) -> str:
    return labels.money(minor).replace("-", "−")


def _between(estimate: Estimate, labels: Labels) -> str:
    return labels.say("{} to {}", "{} 至 {}").format(_money(estimate.total_low, labels), _money(estimate.total_high, labels))


def _signed(difference: float, labels: Labels) -> str:
    return f"{'+' if difference > 0 else '−' if difference < 0 else ''}{labels.money(abs(difference))}"


def _arms(found: Review, labels: Labels) -> list[Row]:
    """Compare invited and held out, as the lift does; nothing where there is none."""
    if found.lift is None:
        return []
    sums = found.uplift.group_by("invited").agg(
        pl.len().alias("customers"), (pl.col("orders") > 0).sum().alias("buyers"), pl.col("before", "spend").sum()
    )
    return [
        {
            "name": cohort("invited" if row["invited"] else "held_out", labels),
            "customers": labels.number(row["customers"]),
            "before": labels.money(hidden(row["customers"], row["before"] / row["customers"])),
            "buyers": labels.share(row["buyers"] / row["customers"]),
            "spend": labels.money(hidden(row["customers"], row["spend"] / row["customers"])),
            "sales": labels.money(hidden(row["customers"], row["spend"])),
        }
        for row in sums.sort("invited", descending=True).to_dicts()
    ]


def _estimates(found: Review, labels: Labels) -> list[Row]:
    if found.lift is None:
        return []
    return [
        {
            "name": method(each.method, labels),
            "best": each is found.lift.best,
            "total": _money(each.total, labels),
            "between": _between(each, labels),
            "p": f"{each.p:.3f}" if each.p >= 0.0005 else "< 0.001",
        }
        for each in found.lift.estimates
    ]


def _answers(found: Review, labels: Labels) -> list[Row]:
    if found.standing.state == "unknown":
        return []
    most = max(found.acceptance.filter(pl.col("asked") >= _SOME)["share"].drop_nulls(), default=0) or 1
    tables = []
    counts = {name: sorted(found.acceptance.filter(over=name).select("asked", "joined", "refused").rows()) for name in OVER}
    for name in OVER:
        part = found.acceptance.filter(over=name)
        if name == "group" and counts["group"] == counts["region"]:
            continue  # regions of one group each
        shown = part.head(_ROWS) if name == "wave" else part.sort("asked", descending=True, maintain_order=True).head(_ROWS)
        rows = [
            {
                "name": value(name, row["value"], labels),
                "share": {"text": labels.share(row["share"]), "part": (row["share"] or 0) / most},
                "between": "" if row["share"] is None else f"{labels.share(row['low'])}–{labels.share(row['high'])}",
                **{key: labels.number(row[key]) for key in ("asked", "joined", "refused", "no_answer", "open")},
            }
            for row in shown.to_dicts()
        ]
        if rows:
            tables.append({"title": over(name, labels), "rows": rows, "more": part.height - len(rows)})
    return tables


def _reasons(found: Review, labels: Labels) -> list[Row]:
    """Count the themes of why customers refused; what agents wrote stays in their sheets."""
    rows = found.reasons.to_dicts()
    most = max((row["customers"] for row in rows), default=1)
    return [
        {
            "name": theme(row["reason"], labels),
            "customers": {"text": labels.number(row["customers"]), "part": row["customers"] / most},
            "for_good": labels.number(row["for_good"]),
        }
        for row in rows
    ]
