"""What a backtest came to: which ranking to use, and why one may believe it, without a customer id or a contact in it."""

from collections.abc import Sequence

import polars as pl

from segmenter.evaluation.backtest import Backtest
from segmenter.report import backtest_evidence, backtest_tables
from segmenter.report.backtest_tables import Means, times
from segmenter.report.backtest_words import advice, leader
from segmenter.report.labels import Labels
from segmenter.report.language import told
from segmenter.report.ranking_words import BEST, RANDOM, ranking_meaning
from segmenter.report.sections import Advice, Code, Fact, Glossary, Grid, Report, Section, Steps, lead, marked, note, text
from segmenter.report.shell_commands import next_command
from segmenter.settings import BacktestCore, BacktestJob

_SIMPLE = ("rfm", "spend", "decayed", "recency", "weighted")  # the first of them to compare with: the usual answer


def backtest_report(found: Backtest, settings: BacktestCore, typed: Sequence[str] = ()) -> Report:
    """Say what a backtest found, in the launch's language."""
    launch, labels = settings.launch, Labels(settings.lang, settings.launch.currency)
    say = labels.say
    means: Means = {means["ranking"]: means for means in found.results.filter(pl.col("cut").is_null()).to_dicts()}
    size, shown = _size(means, settings), _shown(found, means)
    kinds: dict[str, str] = {name: scoring.kind for name, scoring in settings.rankings.items()}
    return Report(
        kind=say("ranking backtest", "排序方式回测"),
        eyebrow=say("Backtest: which ranking finds the right customers", "历史回测：哪种排序方式更能找对客户"),
        name=launch.name,
        topic=launch.topic or "",
        advice=Advice((*lead(advice(found, labels.lang)), note(*_method(found, labels)))),
        tiles=_tiles(found, means, size, labels),
        caution=say("Before you believe it", "解读前请注意"),
        warnings=tuple(told(warning, labels.lang) for warning in found.warnings),
        sections=(
            backtest_tables.tops(found, means, shown, size, labels),
            backtest_tables.rankings(found, means, size, settings, labels),
            backtest_tables.over_time(found, shown, labels),
            *backtest_evidence.claims(found, means, labels),
            *backtest_evidence.choices(found, labels),
            _next_steps(found, kinds, typed, labels),
            _words(found, [name for name in means if kinds.get(name, name) == name], labels),
            _summary(found, settings, labels),
        ),
        footer=labels.footer(launch.timezone),
    )


def _size(means: Means, settings: BacktestCore) -> int | None:
    """Give how many are invited; None where that is everyone, which says nothing of a ranking."""
    share = means[RANDOM]["spend_share_size"]
    return settings.plan.size if isinstance(settings.plan.size, int) and (share is None or share < 1) else None


def _shown(found: Backtest, means: Means) -> list[str]:
    """Choose at most five rankings to draw, the most important last: the two ends, a rival, that in use and the recommended one."""
    rankings = [name for name in means if name not in (BEST, RANDOM)]
    chosen = [name for name in dict.fromkeys((found.current, found.recommended)) if name in rankings]
    simple = leader(found) or next((name for name in (*_SIMPLE, *rankings) if name in rankings and name not in chosen), None)
    return [RANDOM, BEST, *([simple] if simple else []), *chosen]


def _method(found: Backtest, labels: Labels) -> list[str]:
    days, cuts = found.horizon_days, len(found.cuts)
    first, last = labels.day(min(found.cuts)), labels.day(max(found.cuts))
    when_en, when_zh = f"On {cuts} past dates, from {first} to {last},", f"我们回到过去的 {cuts} 个日期（{first}至{last}）模拟邀请"
    if cuts == 1:
        when_en, when_zh = f"On a past date ({first})", f"我们回到过去的 {first} 这一天模拟了一次邀请"
    ranked = "we pretended to launch, ranked the eligible customers by what was known then, and looked at what they really spent"
    en = f"{when_en} {ranked} in the {days} days after."
    said = [labels.say(en, f"{when_zh}：只用当时已知的数据给符合条件的客户排序，再看他们之后 {days} 天的真实消费。")]
    if buyers := found.chance.buyers:
        en = f" This rests on {buyers:,} customers who bought in these days."
        said.append(labels.say(en, f"结论基于这些天里购买过的 {buyers:,} 位客户。"))
    return said


def _tiles(found: Backtest, means: Means, size: int | None, labels: Labels) -> tuple[Fact, ...]:
    chosen, chance, best = (means.get(name, {}) for name in (found.recommended, RANDOM, BEST))
    say, days, precision = labels.say, found.horizon_days, "precision_10" if size is None else "precision_size"
    invited = say("the top 10%", "前 10% 客户") if size is None else say(f"the top {size:,}", f"前 {size:,} 名客户")
    of_random, (low, high) = labels.share(chance.get(precision)), map(labels.share, (found.chance.low, found.chance.high))
    between = say(f", who would hold {low} to {high}", f"，后者占 {low} 至 {high}") if found.chance.buyers else ""
    return (
        Fact(
            say("Later spend in the top 10%", "前 10% 客户的后续消费占比"),
            labels.share(chosen.get("spend_share_10")),
            say(
                f"of what was spent in the {days} days after, ranked by {found.recommended}",
                f"按 {found.recommended} 排序，占之后 {days} 天消费额的比例",
            ),
        ),
        Fact(
            say("Against chance", "与随机抽取相比"),
            times(chosen.get("lift_10"), labels),
            say("as much as if the 10% were drawn at random", "同样邀请 10% 的客户，是随机抽取的多少倍") + between,
        ),
        Fact(
            say(f"Buyers among {invited}", f"{invited}的购买率"),
            labels.share(chosen.get(precision)),
            say(f"bought within {days} days; {of_random} of customers drawn at random", f"之后 {days} 天内有购买；随机抽取为 {of_random}"),
        ),
        Fact(
            say("Best possible", "理论上限"),
            labels.share(best.get("spend_share_10")),
            say("of later spend in the top 10%, with hindsight: no ranking can hold more", "事后才知道的最优排序，前 10% 也只有这么多"),
        ),
    )


def _next_steps(found: Backtest, kinds: dict[str, str], typed: Sequence[str], labels: Labels) -> Section:
    say = labels.say
    again = say(
        "Run this backtest again every few months, and when the range, the prices or the customers have changed: what was best may change "
        "too.",
        "每隔几个月，或商品、价格、客群有较大变化时，请重新回测：最好的方式可能会变。",
    )
    limits = say(
        "A backtest says who will buy, not who buys because of the invitation: only a launch with a control group can tell that.",
        "回测只能说明谁会购买，不能说明谁因为受邀才购买；后者需要在邀请时随机留出一部分客户作对照。",
    )
    name = found.recommended
    dropped = dict.fromkeys(("backtest.", "rankings.", "scoring.", "out"))
    change = marked(_change(found, kinds, labels), name=name, launch=next_command("launch", typed, {**dropped, "scoring": name}))
    return Section(say("What to do next", "下一步"), (Steps((change, text(again), text(limits))),))


def _change(found: Backtest, kinds: dict[str, str], labels: Labels) -> str:
    """Say what follows: nothing, or to change to a ranking of the config's own or of the user's."""
    say, name = labels.say, found.recommended
    if name == found.current:
        return say("Nothing has to change: the launch already ranks by `{name}`.", "无需调整，目前就是按这种方式排序：`{name}`。")
    start = say("Let the next launch rank by it: ", "下次邀请请改用推荐的排序方式：")
    if kinds.get(name) == name:
        return f"{start}`{{launch}}`"
    en = "put the settings under `rankings.{name}` in the place of those under `scoring`."
    return start + say(en, "把配置中 `rankings.{name}` 的内容填到 `scoring`。")


def _words(found: Backtest, names: list[str], labels: Labels) -> Section:
    say, days = labels.say, found.horizon_days
    meanings = tuple((name, meaning) for name in names if (meaning := ranking_meaning(name, labels.lang)))
    figures = {
        say("Later spend", "后续消费"): say(
            f"what the eligible customers spent, less refunds, in the {days} days after a date",
            f"符合条件的客户在回测日期之后 {days} 天内的消费额（扣除退款）",
        ),
        say("Lift", "提升"): say(
            "how many times as much a ranking's top 10% spent as 10% drawn at random: 1× is no better than chance",
            "排名前 10% 的消费额是随机抽取 10% 的多少倍；1 倍等于没有效果",
        ),
        say("Buyers", "购买率"): say(
            "of those at the top, the share who bought at all (precision)", "排在前面的客户中，之后有购买的比例（precision）"
        ),
        say("Gini", "基尼系数"): say(
            "how good the whole order is, not only its top: 0 as by chance, 1 as with hindsight",
            "衡量整个排序而不只是前列：0 相当于随机，1 相当于事后最优",
        ),
        say("By chance", "随机抽取"): say("what customers drawn at random would bring on average", "随机抽取客户的平均结果"),
        say("Best possible", "理论上限"): say(
            "the order of those who know what came: the most that any ranking could reach. It may hold over 100%, as others returned "
            "more than they bought",
            "事后按真实消费额排序的结果，任何方式都无法超过。有的客户退款多于消费，因此可能超过 100%",
        ),
    }
    rankings = [(Glossary(meanings, say("Rankings: whom they put first", "排序方式")),)] if meanings else []
    return Section(say("Words", "名词解释"), (Grid((*rankings, (Glossary(tuple(figures.items()), say("Figures", "指标")),))),))


def _summary(found: Backtest, settings: BacktestCore, labels: Labels) -> Section:
    """Say in the terminal which ranking to use, and what to open."""
    page = [text(labels.say("Open: ", "打开： "), Code(f"{settings.out}/backtest.html"))] if isinstance(settings, BacktestJob) else []
    doubts = [note(doubt) for doubt in backtest_tables.cautions(found, labels)]
    return Section(brief=(*doubts, text(advice(found, labels.lang)), *page))
