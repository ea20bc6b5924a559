"""What an answer means: the phrases in it, put together so that no refusal is ever taken for a yes, nor a yes for a refusal."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from typing import NamedTuple

from segmenter.sources.answer_spelling import Units, alarms, may_turn, near, plain, spoken, turns, units_of
from segmenter.vocabulary import vocabulary


class Meaning(NamedTuple):
    """What an answer says: one of the ledger's states, or ``none`` where nobody has called yet; and what it says besides."""

    answer: str
    reason: str | None = None
    attempts: int | None = None  # calls that it tells of


class Clause(NamedTuple):
    """What was found between two marks: what its phrases say, in their order, and whether something is left that turns them round."""

    says: tuple[str, ...]
    left: Units
    turned: bool
    unclear: bool  # too much of it is left


class Hints(NamedTuple):
    """Whether there is a yes (True) or a no (False) in an answer, something that may turn it round, and a turn in its course."""

    sides: set[bool]
    turned: bool
    ordered: bool


class Pattern(NamedTuple):
    """A phrase of the vocabulary: one of the options of each part."""

    says: str
    parts: tuple[tuple[Units, ...], ...]
    whole: bool  # counts only where it is all that stands between two marks


NOT_YET = Meaning("none")
YES, NO = {"joined", "agreed"}, {"refused", "refused_for_good"}  # states that never are taken for each other
_YES, _NO = {*YES, "in", "yes"}, {*NO, "left", "averse"}
_STATES = {
    "in": "joined",
    "yes": "joined",
    "left": "refused",
    "averse": "refused",
    "contact": "agreed",
    "not_in": "thinking",
    "vague": "thinking",
    "later": "call_back",
    "busy": "not_reached",
}
_LETTERS = ({"y", "n"}, {"y", "n", "no"})  # that count where they are the whole answer, or a clause
_MOST = 3  # slips, which are too many
_LONG = 6  # letters of a word that is no part of another
_PARTS = {"filler", "doubt", "turn", "before"}  # that say nothing alone
_SOFT = {"not_reached", "not_in", "call_back"}  # where a misspelt "not" does no harm
_OPTION = re.compile(r"\(([^()]*)\)")


@cache
def patterns() -> tuple[Pattern, ...]:
    """Give the patterns of the vocabulary in its order, with what each says."""
    return tuple(_pattern(says, pattern) for says, written in vocabulary("answers")["phrases"].items() for pattern in written)


def _pattern(says: str, written: str) -> Pattern:
    classes = vocabulary("answers")["classes"]
    parts = _OPTION.split(plain(re.sub(r"<(\w+)>", lambda name: f"({classes[name[1]]})", written.removeprefix("="))))
    return Pattern(says, tuple(_options(part, chosen=bool(place % 2)) for place, part in enumerate(parts) if part), written[0] == "=")


def _options(part: str, *, chosen: bool) -> tuple[Units, ...]:
    return tuple(dict.fromkeys(units_of(option) for option in (part.split("|") if chosen else [part])))


@cache
def _by_first() -> dict[str, list[int]]:
    """Index the patterns by the units that they may begin with."""
    index: dict[str, list[int]] = {}
    for number, pattern in enumerate(patterns()):
        for options in pattern.parts:
            for option in filter(None, options):
                if number not in index.setdefault(option[0], []):
                    index[option[0]].append(number)
            if () not in options:
                break
    return index


@lru_cache(maxsize=8192)
def _nearly_first(unit: str) -> frozenset[int]:
    return frozenset(number for other, numbers in _by_first().items() if near(unit, other) for number in numbers)


@lru_cache(maxsize=65_536)
def meaning_of_phrases(text: str) -> Meaning | None:
    """Understand an answer; None where it cannot be told.

    An answer that is a phrase means that; otherwise its phrases are put together: those of each clause, from the left and the longest
    first; what is left there may be spelt like one. What then is left may say anything but turn a yes round.
    """
    whole = units_of(words := spoken(text))
    size, said = _longest(whole, fuzzy=False)
    if size < len(whole) or said in _PARTS or not whole or "?" in words:
        said = _together(_clauses(words), doubted="?" in words) or ""
    if not said:
        return None
    attempts = attempts_in(text) if said == "not_reached" else None
    return Meaning(_STATES.get(said, said), "left the group" if said == "left" else None, attempts)


@lru_cache(maxsize=65_536)
def is_phrase(text: str, *, of: str | None = None) -> bool:
    """Tell whether an answer is a phrase of the vocabulary and nothing else; and whether it says what is asked for."""
    units = units_of(spoken(text))
    size, said = _longest(units, fuzzy=False)
    return 0 < size == len(units) and (said not in _PARTS if of is None else said == of)


def hints_in(text: str) -> Hints:
    """Tell what an answer's phrases say of yes and no, and of what may change that."""
    words = spoken(text)
    clauses = _clauses(words)
    all_said = {said for clause in clauses for said in clause.says}
    turned = "?" in words or bool(all_said & {"doubt", "wrong_number"}) or any(clause.turned for clause in clauses)
    return Hints(_sides(all_said), turned, bool(all_said & {"turn", "before"}))


def _clauses(words: str) -> list[Clause]:
    return [_read(units) for part in re.split(vocabulary("answers")["breaks"], words) if (units := units_of(part))]


@lru_cache(maxsize=8192)
def _read(units: Units) -> Clause:
    clause = _scan(units, fuzzy=False)
    silent = not set(clause.says) - _PARTS
    if not clause.left and not silent:
        return clause
    guessed = _scan(units, fuzzy=True)
    sure, other = _sides(clause.says), _sides(guessed.says)
    same = not other if clause.unclear else sure == other
    if (sure and same) or (False in sure and other != {False}) or (True in sure and False in other):
        return clause
    return guessed if silent or len(guessed.left) < len(clause.left) else clause


def _sides(says: Iterable[str]) -> set[bool]:
    """Tell whether there is a yes (True) or a no (False) in it."""
    return {said in _YES for said in says if said in _YES | _NO}


def _scan(units: Units, *, fuzzy: bool) -> Clause:
    says: list[str] = []
    left: list[str] = []
    place, single, turned, before = 0, False, False, ""
    while place < len(units):
        size, found = _longest(units[place:], fuzzy=fuzzy, alone=place == 0)
        if not size or (size == 1 and units[place] in _LETTERS[len(units) > 1]):  # "n/a", "no luck"
            found = ""
            left.append(units[place])
        elif found in {"in", "yes"} and size == 1 < len([unit for unit in units if not unit.isdigit()]):
            found = "filler"
        # What follows on what somebody does not want is no yes.
        elif found != "filler" and not (found == "in" and before in {"refused", "thinking"}):
            says.append(found)
            turned |= found in _YES and before in {"not_reached", "not_in", "none"}  # "nobody is in the group"
            single |= size == 1 and len(units[place]) < _LONG and found not in {*_PARTS, "later", "busy"}
        before = before if found in {"", "filler"} else found
        place += max(size, 1)
    left = [unit for unit in left if not unit.isdigit()]
    agrees = bool(set(says) & (_YES | {"contact"}))
    turned |= any(unit == "n" or turns(unit) or alarms(unit) or (agrees and may_turn(unit)) for unit in left)
    # One character or word may be a part of any other word, and what is only spelt like a phrase of two too.
    unclear = bool(left) if single or "in" in says or (fuzzy and len(units) < 4) else len(left) * 2 > len(units)
    return Clause(tuple(says), tuple(left), turned, unclear)


def _longest(units: Units, *, fuzzy: bool, alone: bool = True) -> tuple[int, str]:
    """Find the longest phrase that units begin with, and what it says: (0, "") where there is none.

    Two characters that are spelt like a phrase are one only where they stand ``alone``.
    """
    first = units[0] if units else ""
    exact = set(_by_first().get(first, ()))
    found = [(size, 0, number) for number in exact for size, _ in _ends(patterns()[number].parts, units, "")]
    if fuzzy:
        alike = _nearly_first(first) | exact
        guessed = [(number, *end) for number in alike for end in _ends(patterns()[number].parts, units, patterns()[number].says)]
        short = 0 if first.isascii() or (alone and len(units) < 4) else 2
        found += [(size, slips, number) for number, size, slips in guessed if 0 < slips <= (1 if size < 5 else 2) and size > short]
    found = [end for end in found if not patterns()[end[2]].whole or (alone and end[0] == len(units))]
    best = max(((size, -slips) for size, slips, _ in found if size), default=None)
    if best is None:
        return 0, ""
    chosen = sorted(number for size, slips, number in found if (size, -slips) == best)
    says = {_STATES.get(patterns()[number].says, patterns()[number].says) for number in chosen}
    if best[1] and (len(says) > 1 or says & _PARTS or (best[0] == 1 and len(first) == 1)):
        return _longest(units, fuzzy=False)
    return best[0], patterns()[chosen[0]].says


def _ends(parts: tuple[tuple[Units, ...], ...], units: Units, guess: str, at: int = 0, slips: int = 0) -> Iterator[tuple[int, int]]:
    """Give where a pattern may end, and how many slips that takes: none, unless it says what to `guess`."""
    if not parts:
        yield at, slips
        return
    for option in parts[0]:
        made = slips
        for one, other in zip(units[at : at + len(option)], option, strict=False):
            if one != other:
                # What turns an answer round must stand there as it should.
                same = guess and not turns(one) and (guess in _SOFT or not turns(other)) and near(one, other)
                made += 1 if same else _MOST
        if made < _MOST and at + len(option) <= len(units):
            yield from _ends(parts[1:], units, guess, at + len(option), made)


def _together(clauses: Sequence[Clause], *, doubted: bool) -> str | None:
    """Say what clauses come to; None where they say nothing, or both yes and no."""
    last = max((place for place, clause in enumerate(clauses) if set(clause.says) & (_YES | _NO | {"thinking"})), default=0)
    clauses = [clause for place, clause in enumerate(clauses) if place >= last or "before" not in clause.says]
    sure = _sides(said for clause in clauses if not clause.unclear for said in clause.says)
    unsure = [set(clause.says) for clause in clauses if clause.unclear]
    if any(_sides(says) - (sure if len(sure) == 1 else set()) or ("contact" in says and not sure) for says in unsure):
        return None
    all_said = _in_the_end([said for clause in clauses for said in clause.says])
    if all_said & _YES and all_said & _NO:
        return None
    yes, no = bool(all_said & _YES), bool(all_said & _NO)
    turned = any(clause.turned for clause in clauses)
    if (turned or doubted or "doubt" in all_said) and (yes or ("contact" in all_said and not no)):
        return None
    if any(clause.turned and set(clause.says) & _NO for clause in clauses):
        return None  # "not that they refuse"
    if "wrong_number" in all_said:
        return None if yes else "call_back" if {"call_back", "later"} <= all_said else "wrong_number"
    if no:
        return next(said for said in ("refused_for_good", "left", "refused", "averse") if said in all_said)
    waiting = all_said & {"not_in", "later", "vague", "thinking", "call_back", "agreed", "contact"}
    if "joined" in all_said and "not_in" not in all_said:
        return "joined"
    if "thinking" in all_said:
        return "thinking"
    if yes:
        return "in" if "in" in all_said and not waiting and "joined" not in all_said else "agreed"
    if ("busy" in all_said and waiting) or ("vague" in all_said and all_said & {"call_back", "later"}):
        return "call_back"
    return next(
        (said for said in ("not_reached", "busy", "none", "call_back", "contact", "not_in", "vague", "later") if said in all_said), None
    )


def _in_the_end(order: list[str]) -> set[str]:
    """Leave out why somebody does not like to, where that is no refusal, and what a turn has made void."""
    if set(order) & (_YES | {"thinking", "vague", "call_back"}) and not set(order) & (_NO - {"averse"}):
        order = [said for said in order if said != "averse"]
    conflict = set(order) & _YES and set(order) & _NO
    return set(_last_word(order) if conflict or {"turn", "thinking"} <= set(order) else order)


def _last_word(order: list[str]) -> list[str]:
    """Keep what follows the last turn, such as "but then", where it says yes or no; somebody who left a group had joined it before."""
    last = max((place for place, said in enumerate(order) if said == "turn"), default=len(order))
    if set(order[last:]) & (_YES | _NO):
        return order[last:]
    if "left" in order and not set(order[order.index("left") :]) & _YES:
        return [said for said in order if said not in _YES]
    return order


def attempts_in(text: str) -> int | None:
    """Tell how many calls an answer tells of."""
    found = re.search(vocabulary("answers")["attempts"], spoken(text))
    return number_of(next(filter(None, found.groups()))) if found else None


def number_of(word: str) -> int | None:
    """Read a number in digits or in words; None where it is none, or beyond any count of days or calls."""
    number = int(word) if word.isdecimal() else vocabulary("answers")["numbers"].get(word)
    return number if number is not None and 0 < number < 100 else None
