"""Who came through whom, in words and tables: generations, key users against what was expected of them, bridges between groups."""

import polars as pl

from segmenter.evaluation.generations import Generations
from segmenter.evaluation.launch_sales import FEW
from segmenter.evaluation.review import Review
from segmenter.report.labels import Labels
from segmenter.report.review_words import hide_few, name_value
from segmenter.report.sections import Cell, Grid, Section, Table, columns, note, row, text

_ROWS = 12  # of each table; came_through.csv has them all


def generation_sections(review: Review, labels: Labels) -> tuple[Section, ...]:
    """Show who came through whom, where it is known of anybody."""
    if (through := review.through) is None:
        return ()
    say, sentences = labels.say, tuple(text(sentence) for sentence in say_through(review, labels))
    en = (
        "Generation 0 was invited; 1 came through them, 2 through those, and so on. Through whom somebody came is what the sheets and "
        "lists say, or else the referrals since the launch. Each member is in came_through.csv."
    )
    zh = (
        "第 0 代为受邀加入者，第 1 代由他们带来，第 2 代再由第 1 代带来，以此类推；"
        "依据外呼表和名单的填写，没有填写的按活动开始后的推荐记录。逐人明细见 came_through.csv。"
    )
    tables = (_generations(through, labels), *_bridges(through, labels)), _key_users(through, labels)
    brief = _key_users(through, labels, ids=True)
    return (
        Section(
            say("Who came through whom", "谁带来了谁"),
            (*sentences, note(say(en, zh)), Grid(tuple(filter(None, tables)))),
            (*sentences, *brief),
        ),
    )


def say_through(review: Review, labels: Labels) -> list[str]:
    """Say how many came through others, whether that goes on by itself, and how it stands against what was expected."""
    through, say = review.through, labels.say
    if through is None:
        return []
    members, brought = labels.number(through.people.height), labels.number(through.brought)
    en = f"{brought} of the {members} members came through somebody else, as far as sheets, lists and referrals say."
    said = [say(en, f"{members} 位成员中，{brought} 位由他人带来（以外呼表、名单和推荐记录为准）。")]
    said += [_say_reproduction(through, labels)] if through.reproduction else []
    if (expected := through.expected) is not None:
        low, high, mean = (f"{value:,.0f}" for value in (expected.low, expected.high, expected.mean))
        en = f"The key users who joined or brought somebody were expected to bring {mean} within {review.launch.horizon_days} days"
        en += f" (by chance {low} to {high})"
        zh = f"已加入或已带来人的核心用户预计在 {review.launch.horizon_days} 天内带来 {mean} 人（随机波动范围 {low} 至 {high}）"
        en += f", and brought {through.through:,}" + ("" if review.over else f" in the first {review.days}")
        zh += f"，{'' if review.over else f'前 {review.days} 天'}实际带来 {through.through:,} 人"
        verdict = _compare(review)
        said.append(say(f"{en}{verdict[0]}.", f"{zh}{verdict[1]}。"))
    if through.new:
        en = f"By the referrals members brought {through.new:,} people who were new to the shop; {through.new_customers:,} have ordered."
        zh = f"按推荐记录，成员为店铺带来 {through.new:,} 位新人，其中 {through.new_customers:,} 位已下单。"
        said.append(say(en, zh))
    return said


def _say_reproduction(through: Generations, labels: Labels) -> str:
    rate = through.reproduction
    assert rate is not None
    end = ("whether it goes on by itself cannot be told yet", "能否自行增长尚无法判断")
    if rate.high < 1:
        end = (
            "each generation is smaller than the one before, and it dies out without new invitations",
            "一代比一代少，不再邀请就会停下来",
        )
    elif rate.low > 1:
        end = ("each generation is larger than the one before, and it grows by itself", "一代比一代多，会自行增长")
    en = f"Each of the {through.settled:,} members who have been there for {through.settled_days} days or more brought"
    en += f" {rate.mean:.2f} others on average ({rate.low:.2f}–{rate.high:.2f}): {end[0]}."
    zh = f"加入满 {through.settled_days} 天的 {through.settled:,} 位成员平均每人带来 {rate.mean:.2f} 人"
    zh += f"（{rate.low:.2f}–{rate.high:.2f}）：{end[1]}。"
    return labels.say(en, zh)


def _compare(review: Review) -> tuple[str, str]:
    """Say how what key users brought stands to what was expected; before the end only that it is more already."""
    assert review.through is not None
    assert review.through.expected is not None
    expected, found = review.through.expected, review.through.through
    if found > expected.high:
        return ": more than chance explains", "，超出随机波动"
    if not review.over:
        return "", ""
    if found < expected.low:
        return ": fewer than chance explains", "，低于随机波动"
    return ": as expected", "，与预期相符"


def _generations(through: Generations, labels: Labels) -> Table:
    say, rows, everyone = labels.say, [], through.people.height
    few = _too_few(through.counts)
    for generation, members, customers, spend in through.counts.rows():
        names = {None: ("joined unasked", "未经邀请自行加入"), 0: ("0: invited", "第 0 代：受邀")}
        name = say(*names.get(generation, (f"{generation}: brought by {(generation or 1) - 1}", f"第 {generation} 代")))
        shown = spend if customers > few else None
        money = labels.money(shown), labels.money(None if shown is None else shown / customers)
        rows.append(row(name, labels.number(members), Cell(labels.share(members / everyone), part=members / everyone), *money))
    customers, spend = (int(through.counts[name].sum()) for name in ("customers", "spend"))
    money = labels.money(hide_few(customers, spend)), labels.money(hide_few(customers, spend / max(customers, 1)))
    rows.append(row(say("all members", "全部成员"), labels.number(everyone), Cell(labels.share(1.0), part=1.0), *money, role="sum"))
    headings = columns(say("Generation", "代"), say("Members", "成员"), say("Share", "占比"), say("Sales", "消费额"), say("Each", "人均"))
    return Table(headings, tuple(rows), title=say("Members by generation", "各代成员"), look="tight")


def _too_few(counts: pl.DataFrame) -> int:
    """Say of how many customers no sales are shown: what is left of all must not say either what single ones spend."""
    sizes, hidden, most = sorted(counts["customers"].to_list()), 0, 0
    for size in sizes:
        if size and (size < FEW or 0 < hidden < FEW):
            hidden, most = hidden + size, size
    return most


def _key_users(through: Generations, labels: Labels, *, ids: bool = False) -> tuple[Table, ...]:
    """Show what was expected of each key user and what they brought; the page names none of them."""
    if through.key_users.is_empty():
        return ()
    say, rows = labels.say, []
    for number, each in enumerate(through.key_users.head(_ROWS).to_dicts(), start=1):
        name = each["customer_id"] if ids else say(f"key user {number}", f"核心用户 {number}")
        joined = say("joined", "已加入") if each["joined"] else say("not joined", "未加入")
        cell = Cell(name, small=f"{name_value('group', each['group'], labels)} · {joined}")
        rows.append(row(cell, f"{each['brings']:,.1f}", labels.number(each["through"]), labels.number(each["new"])))
    more = through.key_users.height - len(rows)
    under = (say(f"and {more} more in came_through.csv", f"另有 {more} 位见 came_through.csv"),) if more else ()
    pairs = (("Key user", "核心用户"), ("Expected", "预计带来"), ("Members", "带来成员"), ("New to the shop", "带来新客"))
    headings = columns(*(say(*pair) for pair in pairs))
    return (Table(headings, tuple(rows), title=say("Key users", "核心用户"), look="tight", under=under),)


def _bridges(through: Generations, labels: Labels) -> tuple[Table, ...]:
    """Count who brought members into another group than their own, or into several."""
    if through.bridges.is_empty():
        return ()
    say = labels.say
    linked = through.bridges.group_by("groups").agg(pl.len().alias("people"), pl.col("brought").sum())
    linked = linked.sort("people", "groups", descending=[True, False])
    rows = tuple(row(groups, labels.number(people), labels.number(brought)) for groups, people, brought in linked.head(_ROWS).rows())
    headings = columns(say("Groups", "社群"), say("Bridges", "桥梁人数"), say("Brought", "带来"))
    en = "Who brought members into another group than their own, or into several: the column links of came_through.csv."
    under = (say(en, "把人带进其他社群或多个社群的成员，见 came_through.csv 的 links 列。"),)
    return (Table(headings, rows, title=say("Bridges between groups", "连接社群的人"), look="tight", under=under),)


def came_through(through: Generations) -> pl.DataFrame:
    """List for the file who came through whom: ids, and no more of anybody."""
    links = through.bridges.select("customer_id", links="groups")
    key_users = through.key_users.select("customer_id", "group", "brings", "through").join(through.people, on="customer_id", how="anti")
    listed = pl.concat([through.people.join(links, on="customer_id", how="left"), key_users], how="diagonal").sort("customer_id")
    kept = ("group", "generation", "brought_by", "joined_on", "brought", "through")
    return listed.select(pl.col("customer_id").alias("member"), *kept, pl.col("brings").round(2).alias("expected"), "links")
