"""What was found in the input, as a part of a report."""

from collections.abc import Sequence

from segmenter.findings import Finding, messages_of
from segmenter.report.labels import Labels
from segmenter.report.language import translate
from segmenter.report.sections import Section, Steps, note, text


def finding_sections(findings: Sequence[Finding], labels: Labels) -> list[Section]:
    """List how the input was read; warnings stand at the head of each report."""
    notes = messages_of(findings, "note")
    if not notes:
        return []
    say = labels.say
    about = say("What was taken for what. Each sentence names the key that changes it.", "以下为数据的识别方式；每条都写明可修改的配置项。")
    steps = Steps(tuple(text(translate(message, labels.lang)) for message in notes))
    return [Section(say("How the input was read", "数据是如何识别的"), (note(about), steps), whole=False)]
