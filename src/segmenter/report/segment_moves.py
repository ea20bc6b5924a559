"""How the segments of an earlier launch fit the shop now, and who went from which to which."""

import polars as pl

from segmenter.report.labels import Labels, ratio
from segmenter.report.language import translate
from segmenter.report.sections import Cell, Section, Table, columns, row, text
from segmenter.segments.drift import MOVED, NEAR, OUT, SHIFTED, Continuation

_SIDES = ("before", "now")


def continuation(kept: Continuation | None, labels: Labels) -> list[Section]:
    """Show how far the shop has moved from what its segments were made of, and its customers from where they were."""
    if kept is None:
        return []
    say = labels.say
    share, tenth = labels.share(kept.near_border), f"{NEAR:.0%}"
    said = [
        text(
            say(
                f"{share} of the eligible are near a border: {tenth} more or less of one measure would put them in another segment. All "
                "others stay where they are as long as their measures hardly change.",
                f"符合条件的客户中 {share} 处于客群边界附近：某一项指标变动 {tenth} 即会换到另一客群；其余客户指标基本不变时，客群不变。",
            )
        )
    ]
    if kept.moves is not None:
        said.insert(0, text(_stayed(kept, kept.moves, labels)))
    else:
        said.append(text(say("Who was in which segment then is not known any more.", "当时的客户名单已不可用，无法比较客群变动。")))
    tables = [*([] if kept.moves is None else [_moves(kept, kept.moves, labels)]), _drift(kept, labels)]
    return [Section(say(f"Segments since {kept.since[0]}", f"自 {kept.since[0]} 以来的客群变化"), (*said, *tables), tuple(said[:1]))]


def moves_csv(kept: Continuation, moves: pl.DataFrame, labels: Labels) -> pl.DataFrame:
    """Give the moves with the segments' names: ``before``, ``now``, ``customers``."""
    sides = [pl.Series(side, [_name(kept, place, labels, then=side == "before") for place in moves[side]], pl.String) for side in _SIDES]
    return moves.with_columns(sides)


def _stayed(kept: Continuation, moves: pl.DataFrame, labels: Labels) -> str:
    launch, as_of = kept.since
    both = moves.filter(pl.col("before") != OUT, pl.col("now") != OUT)
    count, same = (int(frame["customers"].sum()) for frame in (both, both.filter(pl.col("before") == pl.col("now"))))
    day = "" if as_of is None else labels.day(as_of)
    return labels.say(
        f"Of the {labels.number(count)} customers who were in a segment for {launch} (as of {day}) and are in one now, "
        f"{labels.share(ratio(same, count))} are in the same.",
        f"{launch}（数据截至{day}）时和现在都在某一客群的 {labels.number(count)} 位客户中，{labels.share(ratio(same, count))} 仍在原客群。",
    )


def _name(kept: Continuation, place: int | None, labels: Labels, *, then: bool) -> str:
    if place is None:
        return labels.say("not a customer yet", "当时还不是客户") if then else labels.say("no customer any more", "已不在客户中")
    return labels.say("not eligible", "不符合条件") if place == OUT else translate(kept.names[place], labels.lang)


def _moves(kept: Continuation, moves: pl.DataFrame, labels: Labels) -> Table:
    say, number = labels.say, labels.number
    counts = {(before, now): count for before, now, count in moves.rows()}
    befores, nows = (
        [place for place in (*kept.names, OUT, None) if place in kept.names or place in moves[side].to_list()] for side in _SIDES
    )
    rows = []
    for before in befores:
        total = sum(counts.get((before, now), 0) for now in nows)
        cells = [_cell(counts.get((before, now), 0), total, labels) for now in nows]
        rows.append(row(_name(kept, before, labels, then=True), number(total), *cells))
    headings = (
        say("Then ↓ now →", "当时 ↓ 现在 →"),
        say("Customers then", "当时客户数"),
        *(_name(kept, now, labels, then=False) for now in nows),
    )
    under = say(
        "Shares are of the customers then. Not eligible are all whom the rules leave out, such as members and who was invited lately.",
        "百分比以当时的客户数为准。“不符合条件”指被规则排除的客户，包括已入群和近期已邀请的客户。",
    )
    title = say("Who moved from which segment to which", "客户在客群之间的变动")
    return Table(columns(*headings), tuple(rows), title, look="dense", under=(under,))


def _cell(count: int, total: int, labels: Labels) -> Cell:
    return Cell(labels.number(count), small=labels.share(ratio(count, total))) if count else Cell("–")


def _drift(kept: Continuation, labels: Labels) -> Table:
    say = labels.say
    rows = tuple(
        row(
            say("shares of the segments", "各客群占比") if name == "segment" else labels.measure(name),
            f"{psi:.2f}",
            _level(psi, chance, labels),
        )
        for name, psi, chance in kept.drift.sort(pl.col("measure") != "segment", -pl.col("psi")).rows()
    )
    launch, as_of = kept.made
    under = say(
        f"Population stability index of the eligible between then and now, over tenths of then: below {SHIFTED:g} the same, from {MOVED:g} "
        "on moved away; what chance alone would give counts as the same.",
        f"符合条件客户的群体稳定性指数（PSI），按当时的十分位计算：低于 {SHIFTED:g} 视为未变，{MOVED:g} 及以上视为明显变化；"
        "偶然波动范围内视为未变。",
    )
    title = say(
        f"The shop since {labels.day(as_of)}, when the segments were made for {launch}",
        f"自 {labels.day(as_of)}（为 {launch} 划分客群）以来的变化",
    )
    return Table(columns(say("Measure", "指标"), "PSI", "", left=(0, 2)), rows, title, look="tight", under=(under,))


def _level(psi: float, chance: float, labels: Labels) -> str:
    psi = round(psi, 2)  # as it is shown
    if psi < max(SHIFTED, chance):
        return labels.say("the same", "未变")
    return labels.say("somewhat shifted", "略有变化") if psi < MOVED else labels.say("moved away", "明显变化")
