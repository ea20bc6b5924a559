"""What a launch decided on a customer, in words: for the terminal only, as a customer's id is in it."""

from collections.abc import Iterator
from datetime import date
from math import ceil

from segmenter import money
from segmenter.evaluation.explanation import Explanation
from segmenter.measures.spec import MONEY
from segmenter.report.labels import Labels
from segmenter.report.language import translate
from segmenter.report.sections import Report, Section, Strong, Table, Text, columns, row, text
from segmenter.rules import ELIGIBLE
from segmenter.sources.results_folder import LaunchResults
from segmenter.words import Lang


def explanation_report(found: Explanation, results: LaunchResults, lang: Lang) -> Report:
    """Tell a customer's way through a launch."""
    words = _Words(found, results, Labels(lang, results.settings.launch.currency))
    told = Section(brief=(*words.decision(), *words.otherwise(), words.rules(), *words.score(), words.measures()))
    return Report("", "", found.customer_id, "", sections=(told,))


class _Words:
    def __init__(self, found: Explanation, results: LaunchResults, labels: Labels) -> None:
        self.found, self.results, self.labels = found, results, labels

    def decision(self) -> Iterator[Text]:
        """Say what was decided, and where the customer stands."""
        found, say, launch = self.found, self.labels.say, self.results.settings.launch
        yield text(Strong(f"{found.customer_id}: {self._outcome()}"))
        yield text(say(f"launch {launch.name}, as of {self.results.as_of}", f"活动 {launch.name}，数据截至 {self.results.as_of}"))
        parts = [self._decided(name, value) for name, value in found.decisions.items() if value is not None and value != "other"]
        if parts:
            yield text(say("; ", "；").join(parts))

    def _outcome(self) -> str:
        found, labels, say = self.found, self.labels, self.labels.say
        match found.outcome:
            case "invited":
                return say("invited", "已列入邀请名单")
            case "held_out":
                return say("in the control group: ", "在留出组：") + labels.left_out("held_out")
            case "left_out":
                return say("may be invited, and is not: ", "符合条件但未邀请：") + labels.left_out(found.left_out or "size")
        return say("not invited: ", "不邀请：") + labels.rule(found.verdict)

    def _decided(self, name: str, value: object) -> str:
        labels, say = self.labels, self.labels.say
        named = {
            **{"region": ("region", "地区"), "segment": ("segment", "客群"), "persona": ("persona", "画像"), "role": ("role", "角色")},
            **{"topic": ("topic", "主题"), "rank": ("rank", "排名"), "wave": ("wave", "批次"), "group": ("group", "群")},
            **{"agent": ("agent", "客服"), "call_on": ("call on", "外呼日期"), "join_chance": ("chance to join", "预计入群率")},
        }
        shown = str(value)
        match name, value:
            case "segment", int():
                shown = translate(self.results.segment_names().get(value, str(value)), labels.lang)
            case "wave", int():
                shown = labels.wave(value)
            case "role", str():
                shown = labels.role(value)
            case "join_chance", float():
                shown = labels.share(value)
            case "rank", int():
                shown = labels.number(value)
        return say(f"{named[name][0]} {shown}", f"{named[name][1]} {shown}")

    def otherwise(self) -> Iterator[Text]:
        """Say what would have to be otherwise for an invitation; only what is sure to be enough."""
        found, labels, say = self.found, self.labels, self.labels.say
        if found.outcome == "invited":
            return
        if found.outcome == "held_out":
            en = "Nothing would have to be otherwise: chance alone held this customer out."
            yield text(say(en, "无需改变任何条件：该客户仅因随机抽取而留出。"))
            return
        yield text(say("What would have to be otherwise for an invitation:", "若要获得邀请，需要："))
        for rule in found.failed:
            if rule.measure is None or rule.limit is None:
                yield text(say("  not: ", "  不属于：") + labels.rule(rule.rule))
            else:
                yield text("  " + self._instead(rule.measure, rule.limit, rule.value, floor=rule.floor))
        if found.enough is None:
            en = "  and a place: no score is known to be enough, as others than the best by score may have the places"
            yield text(say(en, "  并有名额：名额并非只按评分分配，无法给出足够的评分"))
            return
        score, enough = f"{found.score:.2f}", f"{ceil(found.enough * 100) / 100:.2f}"
        if found.score > found.enough:
            yield text(say(f"  the score is high enough: {score}, above {enough}", f"  评分已足够：{score}，高于 {enough}"))
        else:
            yield text(say(f"  a score above {enough} instead of {score}", f"  评分高于 {enough}（现为 {score}）"))
        if found.alternatives:
            en = "  which any one of these alone would make, all else being as it is:"
            yield text(say(en, "  在其他条件不变时，仅以下任一项即可达到："))
            for other in found.alternatives:
                yield text("    " + self._instead(other.measure, other.needed, other.value, floor=other.floor))
        if found.chance:
            share = labels.share(found.chance)
            en = f"  (of those chosen so, {share} are held out at random, to measure the launch)"
            yield text(say(en, f"  （其中 {share} 会被随机留出，用于衡量活动效果）"))

    def _instead(self, measure: str, needed: float, value: float | None, *, floor: bool) -> str:
        name, asked, now = self._measure(measure), self._value(measure, needed), self._value(measure, value)
        en = f"{name}: at {'least' if floor else 'most'} {asked} instead of {now}"
        return self.labels.say(en, f"{name}：{'至少' if floor else '至多'} {asked}（现为 {now}）")

    def _value(self, measure: str, value: object) -> str:
        if value is None:
            return self.labels.say("none", "无")
        if measure in MONEY and isinstance(value, int):
            return f"{money.exact(value, self.labels.currency)} {self.labels.currency}"
        return self.labels.value(measure, value) if isinstance(value, int | float | date) else str(value)

    def _measure(self, name: str) -> str:
        kind = name.removeprefix("events_")
        return self.labels.measure(name) if kind == name else self.labels.say(f"events: {kind}", f"互动：{kind}")

    def rules(self) -> Table:
        """List the rules."""
        say, settings = self.labels.say, self.results.settings
        headings = (say("Rule: removes who is", "规则：排除"), say("Threshold", "条件"), say("Here", "该客户"), say("Passed", "通过"))
        lines = tuple(
            row(
                self.labels.rule(rule.rule),
                self.labels.rule_detail(rule.rule, settings.rules),
                "" if rule.measure is None else f"{self._measure(rule.measure)}{say(': ', '：')}{self._value(rule.measure, rule.value)}",
                say("yes", "是") if rule.passed else say("NO", "否"),
                role="" if rule.passed else "now",
            )
            for rule in self.found.rules
        )
        return Table(columns(*headings, left=(0, 1, 2, 3)), lines, say("Rules", "规则"))

    def score(self) -> Iterator[Text | Table]:
        """Show what made the score, and where that stands."""
        found, labels, say = self.found, self.labels, self.labels.say
        headings = (say("Component", "分项"), say("Value (0–1)", "取值（0–1）"), say("Weight", "权重"), say("Points", "得分"))
        lines = [
            row(labels.component(part.component), f"{part.value:.3f}", labels.share(part.weight), f"{part.points:.2f}")
            for part in found.parts
        ]
        total = sum(part.points for part in found.parts)
        lines.append(row(say("Sum", "合计"), "", "", f"{total:.2f}", role="sum"))
        title = say("Score", "评分") if found.adds_up else say("Components: reasons and key users", "分项：用于说明理由和挑选核心用户")
        yield Table(columns(*headings), tuple(lines), title)
        where = labels.say(f" in {found.unit}", f"（{found.unit}）") if found.unit else ""
        may = say("has", "排") if found.verdict == ELIGIBLE else say("would have", "若符合条件将排")
        score, place, of = f"{found.score:.2f}", labels.number(found.place), labels.number(found.of)
        en = f"The score is {score}, which {may} place {place} among the {of} who may be invited{where}."
        yield text(say(en, f"评分 {score}，在符合条件的 {of} 位客户{where}中{may}第 {place} 位。"))
        if not found.adds_up:
            en = f"It is not the sum of the components: {self.results.manifest['ranking']['sentence']}"
            yield text(say(en, f"评分并非各分项之和：{self.results.manifest['ranking']['sentence']}"))

    def measures(self) -> Table:
        """List the measures."""
        say = self.labels.say
        said = {name: value for name, value in self.found.measures.items() if value or not name.startswith("events_")}
        lines = tuple(row(self._measure(name), self._value(name, value)) for name, value in said.items())
        return Table(columns(say("Measure", "指标"), say("Value", "数值")), lines, say("Measures", "指标"))
