"""What an answer means by how people have written others: a second opinion on what its phrases say, which never crosses from no to yes."""

from collections import Counter
from collections.abc import Iterable
from functools import cache, lru_cache
from math import log
from typing import NamedTuple

from segmenter.sources.answer_phrases import NO, YES, Meaning, attempts_in, hints_in, is_phrase, meaning_of_phrases
from segmenter.sources.answer_spelling import Units, spoken, units_of
from segmenter.vocabulary import vocabulary

_FEW = 0.05  # what a word counts that an answer of a state has never had
_LITTLE, _ENOUGH, _MUCH = 0.4, 1.0, 7.5  # log odds: to say what phrases do not, a yes or no, and other than they do


_FRAME = "^", "$"
_SEEN = 0.6  # of the words, that examples must have


class Examples(NamedTuple):
    """How often each run of up to three words stands in the answers of each state."""

    counts: dict[str, Counter[Units]]
    known: frozenset[Units]


@lru_cache(maxsize=65_536)
def meaning_of(text: str) -> Meaning | None:
    """Understand an answer by its phrases, and where these do not tell, or examples strongly say otherwise, by those; None where unsure."""
    said, hints = meaning_of_phrases(text), hints_in(text)
    if is_phrase(text) or (said is not None and hints.ordered):
        return said
    state, odds = likeliest(units_of(spoken(text)), _examples())
    least = _MUCH if said is not None else _ENOUGH if state in YES | NO else _LITTLE
    if odds < least or (said is not None and said.answer == state):
        return said
    if said is not None and {said.answer in YES, state in YES} == {said.answer not in NO, state not in NO} == {True, False}:
        return None  # one says yes, and the other no
    to_yes = state in YES and not (hints.turned or False in hints.sides) and (said is None or said.answer in YES)
    to_no = state in NO and (True not in hints.sides or ((hints.turned or False in hints.sides) and not hints.ordered and odds >= _MUCH))
    if state in YES | NO and not (to_yes or to_no):
        return said
    return Meaning(state, attempts=attempts_in(text) if state == "not_reached" else None)


def learn(answers: Iterable[tuple[str, str]]) -> Examples:
    """Count what stands in answers, each given with its state."""
    counts: dict[str, Counter[Units]] = {}
    for text, state in answers:
        counts.setdefault(state, Counter()).update(_runs(units_of(spoken(text))))
    return Examples(counts, frozenset(run for count in counts.values() for run in count))


def likeliest(units: Units, examples: Examples) -> tuple[str, float]:
    """Give the state whose answers have such words, by naive Bayes, and by how much more than the next; runs overlap, so a third counts."""
    known = [run for run in _runs(units) if run in examples.known]
    scores = {}
    seen = [unit for unit, *more in known if not more and unit not in _FRAME]
    if len(seen) < _SEEN * len(set(units)) - 1 or sum(not is_phrase(unit, of="filler") for unit in seen) < 2:
        return "", 0.0  # it says nothing, or what nobody has written yet
    for state, count in examples.counts.items():
        total = count.total() + _FEW * len(examples.known)
        scores[state] = sum(log((count[run] + _FEW) / total) for run in known) / 3
    best, next_ = sorted(scores, key=lambda state: (-scores[state], state))[:2]
    return best, scores[best] - scores[next_]


def _runs(units: Units) -> list[Units]:
    framed = (_FRAME[0], *("0" if unit.isdigit() else unit for unit in units), _FRAME[1])
    return sorted({framed[at : at + size] for size in (1, 2, 3) for at in range(len(framed) - size + 1)})


@cache
def _examples() -> Examples:
    return learn(answer for answers in example_sets().values() for answer in answers)


def example_sets() -> dict[str, list[tuple[str, str]]]:
    """Give the answers of each set that was written at one time, with their states."""
    sets = vocabulary("answer_examples")
    return {name: [(text, state) for state, texts in answers.items() for text in texts] for name, answers in sets.items()}
