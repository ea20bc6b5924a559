"""What a launch brought, and why one may believe it, without a customer id or a contact in it."""

from collections.abc import Sequence

import polars as pl

from segmenter.evaluation.review import Review
from segmenter.money import digits
from segmenter.report import charts
from segmenter.report.generation_report import generation_sections
from segmenter.report.labels import Labels
from segmenter.report.language import told
from segmenter.report.review_conclusion import conclude_review
from segmenter.report.review_groups import group_sections
from segmenter.report.review_tables import answer_tables, cohort_table, estimate_table, reason_table, say_money, say_range, sum_table
from segmenter.report.review_words import COHORT_WORDS, hide_few, say_acceptance, say_launch_lift, say_progress
from segmenter.report.sections import Advice, Fact, Figure, Glossary, Grid, Report, Section, Steps, Table, columns, marked, note, row, text
from segmenter.report.shell_commands import elsewhere, next_command
from segmenter.settings import ReviewCore, ReviewJob


def review_report(review: Review, settings: ReviewCore, typed: Sequence[str] = ()) -> Report:
    """Say what a launch brought, in the launch's language; `typed` is what the user gave the job, for the commands that come next."""
    launch, labels = settings.launch, Labels(settings.lang, review.launch.currency)
    say, lang = labels.say, settings.lang
    accepted = say_acceptance(review, labels)
    result, *todo = conclude_review(review, labels)
    details = (text(say_progress(review, lang)), text(say_launch_lift(review, lang)), *([note(accepted)] if accepted else []))
    return Report(
        kind=say("review of the launch", "活动复盘"),
        eyebrow=say("Review: what the launch brought", "活动复盘：这次邀请带来了什么"),
        name=review.launch.name,
        topic=launch.topic or "",
        dates=(
            Fact(say("Began", "开始"), labels.day(review.launch.as_of)),
            Fact(say("Ends before", "截止（不含当日）"), labels.day(review.launch.ends_on)),
            Fact(say("Counted here: what came before", "统计截止（不含当日）"), labels.day(review.as_of)),
            Fact(say("Last order", "最近一单"), labels.day(review.last_order) if review.last_order else "–"),
        ),
        advice=Advice((text(result), *details), "attention" if review.progress.state in ("missed", "behind") else "good"),
        tiles=_tiles(review, labels),
        caution=say("Before you believe it", "解读前请注意"),
        warnings=tuple(told(warning, lang) for warning in (*review.doubts, *review.warnings)),
        sections=(
            _next_steps(review, todo, settings, typed, labels),
            *_sales(review, labels),
            *_lift(review, labels),
            *_answers(review, labels),
            *generation_sections(review, labels),
            *group_sections(review, settings, labels),
            _words(labels),
            _summary(review, settings, labels),
        ),
        footer=labels.footer(launch.timezone),
    )


def _joined_sales(review: Review) -> float | None:
    return None if review.progress.state == "unknown" else hide_few(review.counts["joined"], review.progress.sales)


def _tiles(review: Review, labels: Labels) -> tuple[Fact, ...]:
    say, counts, target = labels.say, review.counts, review.launch.target
    known, everyone = review.progress.state != "unknown", review.acceptance.filter(over="all").row(0, named=True)
    sales = _joined_sales(review)
    reached = None if sales is None or not target else sales / target
    so_far = say(f"in {review.days} of {review.launch.horizon_days} days", f"{review.launch.horizon_days} 天中的前 {review.days} 天")
    best = review.lift.best if review.lift else None
    brought = "–" if best is None else say("not shown", "未证实") if best.low <= 0 <= best.high else say_money(best.total, labels)
    return (
        Fact(
            say("Asked", "已联系") if known else say("To be asked by now", "应已联系"),
            labels.number(everyone["asked"]),
            say("of {} invited", "共邀请 {} 位").format(labels.number(counts["invited"])),
        ),
        Fact(
            say("Joined", "已加入"),
            labels.number(counts["joined"] if known else None),
            say("{} of those asked", "占已联系客户的 {}").format(labels.share(everyone["share"] if known else None)),
        ),
        Fact(
            say("Their sales", "加入者消费额"),
            labels.money(sales),
            say("in the {} days", "{} 天内").format(review.days) if review.over else so_far,
        ),
        Fact(
            say("Target", "目标"),
            labels.money(target),
            say("none was set", "未设目标") if target is None else say("{} of it reached", "已完成 {}").format(labels.share(reached)),
        ),
        Fact(
            say("The invitation brought", "邀请带来的销售额"),
            brought,
            say("cannot be measured", "无法衡量") if best is None else say_range(best, labels),
        ),
    )


def _sales(review: Review, labels: Labels) -> tuple[Section, ...]:
    """Show the sales of those who joined day by day, and at the end of each week."""
    if _joined_sales(review) is None:
        return ()
    say, target = labels.say, review.launch.target
    en = "What those who joined spent since the launch began, less refunds, added up; also what they bought before the day they joined."
    zh = "已加入客户自活动开始以来的消费额（扣除退款），逐日累计；含其加入当天之前的消费。"
    line = "" if not target else say(" The dashed line leads straight to the target.", " 虚线为匀速达成目标的进度。")
    blocks = Grid(((Figure(_chart(review, labels)),), (_weeks(review, labels),)))
    return (Section(say("Sales day by day", "逐日销售额"), (note(say(en, zh) + line), blocks)),)


def _chart(review: Review, labels: Labels) -> charts.Lines:
    horizon, target = review.launch.horizon_days, review.launch.target
    points = [(0.0, 0.0), *((float(day), float(sales)) for day, sales in review.daily.select("day", "joined_so_far").rows())]
    drawn = [charts.Line(labels.say(*COHORT_WORDS["joined"]), points, charts.STRONG)]
    if target is not None:
        drawn.insert(0, charts.Line(labels.say("to the target", "目标进度线"), [(0, 0), (horizon, target)], charts.ACCENT, dashed=True))
    return charts.Lines(
        labels.say("Sales of those who joined, day by day", "加入者逐日累计消费额"),
        drawn,
        mark_days(horizon),
        mark_amounts(max(target or 0, *(level for _, level in points)), labels),
        labels.say("days since {}", "自 {} 起的天数").format(review.launch.as_of),
    )


def mark_days(horizon: int) -> charts.Marks:
    """Mark a few days of a horizon."""
    step = next(days for days in (1, 2, 5, 7, 10, 14, 30, 60, 90, 200) if horizon / days <= 7)
    return [(day, str(day)) for day in [*range(0, horizon - step // 2, step), horizon]]


def mark_amounts(most: float, labels: Labels) -> charts.Marks:
    """Mark round amounts up to the next one above the most; one unit where there is nothing."""
    from babel.numbers import format_compact_decimal

    most = max(most, 10 ** digits(labels.currency))
    unit = 10 ** max(len(str(int(most))) - 1, 0)
    step = next(unit * part for part in (0.2, 0.25, 0.5, 1, 2, 2.5) if most <= 5 * unit * part)
    levels = [round(step * number) for number in range(6) if number == 0 or step * (number - 1) < most]
    units = [level / 10 ** digits(labels.currency) for level in levels]
    return [
        (level, format_compact_decimal(shown, locale=labels.locale, fraction_digits=1)) for level, shown in zip(levels, units, strict=True)
    ]


def _weeks(review: Review, labels: Labels) -> Table:
    """List the end of each week, and of the last day."""
    say, against = labels.say, bool(review.launch.target)
    shown = review.daily.filter((pl.col("day") % 7 == 0) | (pl.col("day") == review.days))
    ends = shown.with_columns(pl.col("joined_so_far").diff().fill_null(pl.col("joined_so_far")).alias("new")).to_dicts()
    rows = []
    for end in ends:
        cells = [str(end["day"]), str(end["date"]), labels.money(end["new"]), labels.money(end["joined_so_far"])]
        if against:
            cells += [labels.money(end["target_so_far"]), _signed(end["joined_so_far"] - end["target_so_far"], labels)]
        rows.append(row(*cells))
    headings = [say("End of day", "第几天"), say("Date", "日期"), say("New", "新增"), say("So far", "累计")]
    headings += [say("Straight line", "匀速进度"), say("Ahead", "领先")] if against else []
    under = (say("Every day is in sales.csv.", "每日明细见 sales.csv。"),)
    return Table(columns(*headings, left=(0, 1)), tuple(rows), look="tight", under=under)


def _signed(difference: float, labels: Labels) -> str:
    return f"{'+' if difference > 0 else '−' if difference < 0 else ''}{labels.money(abs(difference))}"


def _lift(review: Review, labels: Labels) -> tuple[Section, ...]:
    """Compare invited and held out, as the lift does; nothing where there is none."""
    if review.lift is None:
        return ()
    en = (
        "Customers of the control group, drawn at random, were as likely to buy as those invited. Whatever the invited spent more, the "
        "invitation brought; everyone invited counts, whether they joined or not."
    )
    zh = "随机留出的客户原本与受邀客户同样可能购买，受邀客户多消费的部分就是邀请带来的；所有受邀客户都计入，无论是否加入。"
    blocks = Grid(((sum_table(review, labels),), (estimate_table(review.lift, labels),)))
    return (Section(labels.say("What of it the invitation brought", "其中有多少是邀请带来的"), (note(labels.say(en, zh)), blocks)),)


def _answers(review: Review, labels: Labels) -> tuple[Section, ...]:
    if review.progress.state == "unknown":
        return ()
    en = (
        "Share of those asked who joined; below it, where it lies with 95% certainty. Where these ranges overlap widely, the difference "
        "may be chance. Open: nothing has been noted yet."
    )
    zh = "加入者占已联系客户的比例，下方为 95% 区间；区间大幅重叠时，差别可能只是偶然。“待记录”指尚无任何结果。"
    if not (tables := answer_tables(review, labels)):
        return ()
    blocks = Grid(tuple((table,) for table in (*tables, *reason_table(review, labels))))
    return (Section(labels.say("Who accepted", "谁接受了邀请"), (note(labels.say(en, zh)), blocks), whole=False),)


def _next_steps(review: Review, todo: Sequence[str], settings: ReviewCore, typed: Sequence[str], labels: Labels) -> Section:
    say, steps, name = labels.say, [], review.launch.name
    again = {"review.as_of": str(review.launch.ends_on), **({} if typed else {"launch.name": name})}
    beside = elsewhere(settings.out, f"{name}_review", f"{name}_next") if isinstance(settings, ReviewJob) else {"out": None}
    following = {"review.": None, **beside, "launch.name": f"{name}_next", "launch.as_of": str(review.as_of)}
    commands = {
        "ends": labels.day(review.launch.ends_on),
        "again": next_command("review", typed, again),
        "launch": next_command("launch", typed, following),
    }
    if review.progress.state == "unknown":
        en = "Collect the call sheets, and run the review again with `review.answers=[FOLDER]`."
        steps.append(say(en, "收齐外呼表后重新运行复盘，例如 `review.answers=[FOLDER]`。"))
    if not review.over:
        en = "Run the review again on {ends}, when the launch is over: only then decide. `{again}`"
        steps.append(say(en, "活动于 {ends} 结束，届时请重新运行复盘，再下结论。 `{again}`"))
    if not review.lift and (review.uplift["spend"] != 0).any():
        en = "Hold out a share of the next launch at random with `plan.holdout=0.1`: then it can be told what the invitation brings."
        steps.append(say(en, "下次邀请请随机留出一部分客户作对照： `plan.holdout=0.1`，才能知道邀请带来了什么。"))
    en = (
        "Plan the next launch under a new name: it knows these answers, leaves out who joined or refused for good, and expects as many to "
        "join as did here. `{launch}`"
    )
    zh = "用新的名称规划下一次活动：它会读取这些答复，跳过已加入或表示不再联系的客户，并按这次的加入率估算。 `{launch}`"
    return Section(
        say("What to do next", "下一步"), (Steps((*map(text, todo), *(marked(step, **commands) for step in [*steps, say(en, zh)]))),)
    )


def _words(labels: Labels) -> Section:
    say = labels.say
    entries = {
        say("Their sales", "加入者消费额"): say(
            "orders less refunds of everyone who joined, from the first day of the launch on: what the target asks for",
            "所有加入者自活动首日起的订单额（扣除退款），目标即以此衡量",
        ),
        say("Held out", "留出"): say(
            "the control group: customers like those invited, left out at random so that the launch can be measured",
            "与受邀客户同类、随机不邀请的客户，用来衡量活动效果",
        ),
        say("95% interval", "95% 区间"): say(
            "of a hundred launches measured like this, the true figure lies in the interval in about 95",
            "同样的方法衡量一百次，约有 95 次的真实值落在区间内",
        ),
        "p": say("how often chance alone would show a difference this large", "仅凭偶然出现这么大差别的概率"),
    }
    return Section(say("Words", "名词解释"), (Glossary(tuple(entries.items())),))


def _summary(review: Review, settings: ReviewCore, labels: Labels) -> Section:
    """Say in the terminal who spent what, how the launch stands, what it brought, and what to open."""
    sentences = (
        *(say_acceptance(review, labels), say_progress(review, labels.lang), say_launch_lift(review, labels.lang)),
        *conclude_review(review, labels)[1:],
    )
    page = (
        [marked(labels.say("Open: `{out}/review.html`", "打开： `{out}/review.html`"), out=str(settings.out))]
        if isinstance(settings, ReviewJob)
        else []
    )
    return Section(brief=(cohort_table(review, labels), *map(text, filter(None, sentences)), *page))
