"""Rankings in words: their names, whom each puts first, and how a launch's own came about."""

from collections.abc import Mapping

from segmenter.evaluation.auto import CHANCE, below_chance
from segmenter.report.language import Lang, say
from segmenter.scoring.ranking import RankingReport

BEST, RANDOM = "best", "random"  # the two ends between which rankings lie
_ENDS = {BEST: ("best possible", "理论上限"), RANDOM: ("by chance", "随机抽取")}
# Whom a ranking puts first.
_MEANINGS = {
    "spend": ("who has spent most so far", "按历史累计消费额排序"),
    "decayed": ("who has spent most, where older orders count less and less", "按消费额排序，越早的订单权重越低"),
    "recency": ("who ordered last", "按最近下单时间排序"),
    "rfm": (
        "points from 1 to 5 each for recency, frequency and spend, added up: the usual answer",
        "最近下单、频次、金额各打 1–5 分后相加，业内最常用的做法",
    ),
    "weighted": (
        "a sum of spend, recency, frequency and more, with the weights of the config",
        "按配置的权重，对消费额、下单频次、最近下单等加权求和",
    ),
    "clv": ("how much a model of buying habits expects each to spend", "用购买习惯模型预测每位客户将来的消费额"),
    "learned": ("how much a model expects that learned from this shop's own past", "用本店历史数据训练模型，预测每位客户将来的消费额"),
    "uplift": (
        "who spends more because of an invitation, learned from past launches and their control groups",
        "根据以往活动和留出组，预测邀请能让每位客户多消费多少",
    ),
    "lookalike": ("who is most like the seeds", "按与种子客户的相似程度排序"),
    "auto": ("at each date, the way that had been best on this shop's past until then", "每次自动选用此前在本店历史上表现最好的方式"),
}
# What the customers of a launch are ranked by, where that needs no further facts.
_RANKED_BY = {
    "weighted": ("by the weighted score of their components", "各项加权评分"),
    "spend": ("by net spend", "净消费额"),
    "decayed": ("by net spend in which older orders count less", "按时间衰减的净消费额（越久的订单权重越低）"),
    "recency": ("by their last order, the latest first", "最近一次下单时间，越近越靠前"),
    "rfm": ("by RFM: fifths of recency, frequency and spend", "RFM 五分位得分之和"),
    "uplift": (
        "by what an invitation can be expected to bring, learned from past launches and their control groups",
        "邀请预计带来的增量消费",
    ),
}

# What the money on a list means where `auto` chose a blend.
_MEANT = (" Expected spend is the learned ranking's, put in the order of the blend.", "预期消费额出自学习模型，按混合后的名次对应。")


def ranking_name(name: str, lang: Lang) -> str:
    """Name a ranking: only the two ends are called otherwise than in the config."""
    return say(lang, *_ENDS[name]) if name in _ENDS else name


def ranking_meaning(name: str, lang: Lang) -> str:
    """Say whom a ranking puts first; empty for one of the user's own."""
    return say(lang, *_MEANINGS[name]) if name in _MEANINGS else ""


def ranking_sentence(report: RankingReport, lang: Lang) -> str:
    """Say how the customers of a launch were ranked."""
    days = report.horizon_days
    if report.choice is not None:
        means = dict(report.trials.rows())
        chosen = choice_sentence(report.choice, means, report.trial_cuts, lang, report.trial_buyers)
        return say(lang, " ", "").join([chosen, *([_learned(report, lang)] if report.learned_cuts else [])])
    if report.learned_cuts:
        return _learned(report, lang)
    if report.kind == "lookalike":
        return _alike(report, lang)
    if report.kind in _RANKED_BY:
        en, zh = _RANKED_BY[report.kind]
        return say(lang, f"Customers are ranked {en}.", f"客户按{zh}排序。")
    often = "how often they buy times how much they spend at a time"
    en = f"Customers are ranked by what they can be expected to spend in the next {days} days: {often}."
    return say(lang, en, f"客户按未来 {days} 天的预期消费排序：预期购买次数 × 预期单次消费。")


def choice_sentence(choice: str, means: Mapping[str, float], trials: int, lang: Lang, buyers: int = 0) -> str:
    """Say what `auto` chose, and why: `means` has each choice's mean share of later spend over so many trials, of so many buyers."""
    chosen, meant = _choice(choice, lang), say(lang, *_MEANT) if choice.startswith("blend") else ""
    if not trials:
        return say(lang, f"{chosen} was chosen, without a trial.{meant}", f"选用{chosen}，未能在历史上试验。{meant}")
    if below_chance(means):
        tried = say(lang, ", ", "，").join(f"{name} {means[name]:.1%}" for name in _singles(means))
        en = (
            f"No ranking did better than chance: over {trials} past launches the top 5, 10 and 20% of each held less of the later spend "
            f"than the {CHANCE:.1%} that chance would ({tried}). {chosen} was taken as the simplest."
        )
        zh = (
            f"没有排序方式优于随机：在过去 {trials} 次模拟启动中，各方式前 5%、10%、20% 客户占后续消费的平均比例"
            f"均不高于随机的 {CHANCE:.1%}（{tried}）。选用最简单的{chosen}。"
        )
        return say(lang, en, zh)
    others = say(lang, ", ", "，").join(f"{name} {means[name]:.1%}" for name in _singles(means) if name != choice)
    of = (
        say(lang, f"what {buyers:,} customers then spent", f" {buyers:,} 位客户后续消费")
        if buyers
        else say(lang, "the later spend", "后续消费")
    )
    en = f"{chosen} was chosen: over {trials} past launches its top 5, 10 and 20% held {means[choice]:.1%} of {of} on average ({others})."
    zh = f"选用{chosen}：在过去 {trials} 次模拟启动中，其前 5%、10%、20% 客户平均占{of}的 {means[choice]:.1%}（{others}）。"
    return say(lang, f"{en}{meant}", f"{zh}{meant}")


def _singles(means: Mapping[str, float]) -> list[str]:
    """Name what a choice is compared with: spend, spend that decays as it did best, and learned spend."""
    decayed = max((name for name in means if name.startswith("decayed")), key=lambda name: means[name])
    return ["learned", decayed, "spend"]


def _choice(name: str, lang: Lang) -> str:
    """Name a choice, and say what it is where the config has no ranking of its name."""
    of, _, days = name.rstrip("d").rpartition("_")
    if of == "blend":
        return say(
            lang,
            f"{name} (the mean standing by learned and by decayed spend, half-life {days} days)",
            f" {name}（学习模型与半衰期 {days} 天的衰减消费额的平均排名）",
        )
    return say(lang, f"{name} (half-life {days} days)", f" {name}（半衰期 {days} 天）") if of == "decayed" else say(lang, name, f" {name}")


def _learned(report: RankingReport, lang: Lang) -> str:
    count, latest, rows, days = len(report.learned_cuts), report.learned_cuts[0], f"{report.learned_rows:,}", report.horizon_days
    en = (
        f"The learned ranking expects what each customer will spend in the next {days} days, from {rows} customers as they were at "
        f"{count} past dates, the latest {latest}."
    )
    zh = f"学习模型根据过去 {count} 个日期（最近为 {latest}）的 {rows} 条客户记录，预测每位客户未来 {days} 天的消费。"
    if ratios := report.expected_over_realised:
        low, high, launches = min(ratios), max(ratios), len(ratios)
        en += f" At {launches} past launches what it expected of all customers was {low:.2f} to {high:.2f} times what came."
        zh += f"在过去 {launches} 次模拟启动中，其预测总额为实际消费的 {low:.2f} 至 {high:.2f} 倍。"
    return say(lang, en, zh)


def _alike(report: RankingReport, lang: Lang) -> str:
    """Say how alike they are to whom, and how far to trust it."""
    then = (f" as they were on {report.model['on']}", f"在 {report.model['on']} 时") if report.model["on"] else ("", "")
    found, method = report.model, {"logistic regression": "逻辑回归", "gradient boosting": "梯度提升树"}
    (share, low, high), lift, top = (100 * part for part in found["found"]), found["lift"], found["top"]
    en = (
        f"Customers are ranked by how alike they are to {found['seeds']:,} seeds ({found['from']}){then[0]}, told apart "
        f"from {found['others']:,} others by {found['model']}. Of seeds held out in turn, it found {share:.0f}% (95% interval "
        f"{low:.0f} to {high:.0f}%) in the first {top}% of the others: {lift[0]:.1f} times what chance would ({lift[1]:.1f} to "
        f"{lift[2]:.1f})."
    )
    zh = (
        f"客户按与 {found['seeds']:,} 位种子客户（{found['from']}）{then[1]}的相似程度排序"
        f"（{method[found['model']]}，与 {found['others']:,} 位其他客户对比）。"
        f"轮流留出的种子客户中，有 {share:.0f}%（95% 区间 {low:.0f}%–{high:.0f}%）排进其他客户的前 {top}%，"
        f"是随机的 {lift[0]:.1f} 倍（{lift[1]:.1f}–{lift[2]:.1f}）。"
    )
    return say(lang, en, zh)
