"""What an answer means: the phrases in it, put together so that no refusal is ever taken for a yes, nor a yes for a refusal."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from functools import cache, lru_cache
from itertools import product
from typing import NamedTuple

from segmenter.vocabulary import vocabulary


class Meaning(NamedTuple):
    """What an answer says: one of the ledger's states, or ``none`` where nobody has called yet; and what it says besides."""

    answer: str
    reason: str | None = None
    attempts: int | None = None  # calls that it tells of


class Clause(NamedTuple):
    """What was found between two marks: what its phrases say, in their order, and whether something is left that turns them round."""

    says: tuple[str, ...]
    turned: bool
    unclear: bool  # more of it is unknown than known


Units = tuple[str, ...]  # characters of Chinese, words of Latin letters
NOT_YET = Meaning("none")
_YES, _NO = {"joined", "agreed", "in"}, {"refused", "refused_for_good", "left"}
_PARTS = {"filler", "doubt", "turn"}  # that say nothing alone
_SOFT = {"not_reached", "not_in", "call_back"}  # where a misspelt "not" does no harm
_UNIT = re.compile(r"[a-z0-9#]+|\S")
_BREAK = re.compile(r"[,;!?()\[\]…。、\n]|(?<!\d)[.:/]|[.:/](?!\d)|\s[-–—]+\s|[—–]")
_OPTION = re.compile(r"\(([^()]*)\)")
_COUNT = re.compile(r"(?<!第)(\d+|[一二两三四五六七八九十])\s*(?:次|遍|回(?!来)|个电话|times\b|attempts\b|calls\b|tries\b|x\b)")
_NUMBERS = {"一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "十": 10}
_WORDS = {"once": 1, "twice": 2, "two times": 2, "three times": 3, "thrice": 3, "four times": 4}


def plain(text: str) -> str:
    """Bring words into one form: lower case, simplified characters, no apostrophes."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("'", "").replace("’", "")
    return folded.translate(_characters())


@cache
def _characters() -> dict[int, str]:
    given = vocabulary("answers")["traditional"]
    return {ord(one): other for one, other in zip(given["from"], given["to"], strict=True)}


def units_of(text: str) -> Units:
    """Part words into what is compared, without what stands anywhere and changes nothing."""
    words = vocabulary("answers")
    kept = "".join(letter if letter.isalnum() or letter in words["marks"] else " " for letter in text)
    return tuple(unit for unit in _UNIT.findall(kept) if unit not in words["dropped"])


def _expanded(pattern: str) -> Iterator[str]:
    """Write out what "(a|b|)" stands for."""
    parts = _OPTION.split(pattern)
    yield from map("".join, product(*(part.split("|") if place % 2 else [part] for place, part in enumerate(parts))))


@cache
def phrases() -> dict[Units, str]:
    """Give every phrase of the vocabulary and what it says; of two meanings, that of the entry that stands first."""
    found: dict[Units, str] = {}
    for says, patterns in vocabulary("answers")["phrases"].items():
        for pattern in patterns:
            for phrase in _expanded(plain(pattern)):
                found.setdefault(units_of(phrase), says)
    found.pop((), None)
    return found


@cache
def _by_length() -> dict[int, list[tuple[Units, str]]]:
    lengths: dict[int, list[tuple[Units, str]]] = {}
    for phrase, says in phrases().items():
        if says not in _PARTS:
            lengths.setdefault(len(phrase), []).append((phrase, says))
    return lengths


@lru_cache(maxsize=65_536)
def meaning_of(text: str) -> Meaning | None:
    """Understand an answer; None where it cannot be told.

    An answer that is a phrase means that; otherwise its phrases are put together: those of each clause, from the left and the longest
    first; where there is none, those that are spelt like it. What is left may say anything but turn a yes round.
    """
    words = plain(text)
    whole = units_of(words)
    said = phrases().get(whole)
    if said is None or said in _PARTS:
        clauses = [_read(units) for part in _BREAK.split(words) if (units := units_of(part))]
        said = _together(clauses, doubted="?" in words)
    if said is None:
        return None
    attempts = _attempts(words) if said == "not_reached" else None
    if said == "left":
        return Meaning("refused", "left the group")
    return Meaning({"in": "joined", "contact": "agreed", "not_in": "thinking", "later": "call_back"}.get(said, said), None, attempts)


def says_not_in(text: str) -> bool:
    """Tell whether an answer says no more than that somebody is not in the group."""
    return phrases().get(units_of(plain(text))) == "not_in"


def _read(units: Units) -> Clause:
    clause = _scan(units, fuzzy=False)
    return _scan(units, fuzzy=True) if not set(clause.says) - _PARTS else clause


def _scan(units: Units, *, fuzzy: bool) -> Clause:
    says: list[str] = []
    left: list[str] = []
    known, place, single = 0, 0, False
    while place < len(units):
        size, found = _longest(units[place:], fuzzy=fuzzy)
        if not size:
            left.append(units[place])
        elif found != "filler":
            says.append(found)
            single |= size == 1 and found not in {*_PARTS, "later"}
        known += size
        place += max(size, 1)
    left = [unit for unit in left if not unit.isdigit()]
    turned = any(_turns(unit) or unit in vocabulary("answers")["negations"]["alarms"] for unit in left)
    # One character or word may be a part of any other word, and what is only spelt like a phrase of two too.
    unclear = bool(left) if single or (fuzzy and len(units) < 4) else len(left) > known
    return Clause(tuple(says), turned, unclear)


def _longest(units: Units, *, fuzzy: bool) -> tuple[int, str]:
    for size in range(min(len(units), max(_by_length())), 0, -1):
        said = phrases().get(units[:size])
        if said is None and fuzzy:
            near = {says for phrase, says in _by_length().get(size, ()) if _alike(units[:size], phrase, says)}
            said = near.pop() if len(near) == 1 else None
        if said is not None:
            return size, said
    return 0, ""


def _together(clauses: Sequence[Clause], *, doubted: bool) -> str | None:
    """Say what clauses come to; None where they say nothing, or both yes and no."""
    order = [said for clause in clauses for said in clause.says]
    if any(clause.unclear and set(clause.says) & (_YES | _NO | {"contact"}) for clause in clauses):
        return None
    all_said = set(order)
    if all_said & _YES and all_said & _NO:
        order = _last_word(order)
        all_said = set(order)
        if all_said & _YES and all_said & _NO:
            return None
    yes, no = bool(all_said & _YES), bool(all_said & _NO)
    turned = any(clause.turned for clause in clauses)
    if (turned or doubted or "doubt" in all_said) and (yes or "contact" in all_said and not no):
        return None
    if any(clause.turned and set(clause.says) & _NO for clause in clauses):
        return None  # "not that they refuse"
    if "wrong_number" in all_said:
        return None if yes else "wrong_number" if "call_back" not in all_said else "call_back"
    if no:
        return next(said for said in ("refused_for_good", "left", "refused") if said in all_said)
    waiting = all_said & {"not_in", "later", "thinking", "call_back", "agreed", "contact"}
    if "joined" in all_said and "not_in" not in all_said:
        return "joined"
    if "thinking" in all_said:
        return "thinking"
    if yes:
        return "agreed" if waiting or "joined" in all_said else "in"
    return next((said for said in ("not_reached", "none", "call_back", "contact", "not_in", "later") if said in all_said), None)


def _last_word(order: list[str]) -> list[str]:
    """Keep what follows the last turn, such as "but then", where it says yes or no; somebody who left a group had joined it before."""
    turns = [place for place, said in enumerate(order) if said == "turn"]
    if turns and set(order[turns[-1] :]) & (_YES | _NO):
        return order[turns[-1] :]
    if "left" in order and not set(order[order.index("left") :]) & _YES:
        return [said for said in order if said not in _YES]
    return order


def _attempts(words: str) -> int | None:
    if found := _COUNT.search(words):
        return _NUMBERS.get(found[1]) or min(int(found[1]), 99) or None
    return next((count for word, count in _WORDS.items() if re.search(rf"\b{word}\b", words)), None)


@cache
def _turning() -> re.Pattern[str]:
    return re.compile(vocabulary("answers")["negations"]["words"])


def _turns(unit: str) -> bool:
    return unit in vocabulary("answers")["negations"]["characters"] or _turning().match(unit) is not None


def _alike(units: Units, phrase: Units, says: str) -> bool:
    """Tell whether units are a phrase with a slip or two; what turns an answer round must stand there as it should."""
    slips = 0
    for one, other in zip(units, phrase, strict=True):
        if one != other:
            slips += 1
            turning = _turns(one) or (_turns(other) and says not in _SOFT)
            if slips > (1 if len(phrase) < 5 else 2) or turning or not _near(one, other):
                return False
    return len(phrase) > 1 or len(phrase[0]) > 1


@lru_cache(maxsize=65_536)
def _near(one: str, other: str) -> bool:
    if one.isascii() or other.isascii():
        long = len(one) > 3 < len(other) and one.isalpha() and other.isalpha()
        return long and SequenceMatcher(None, one, other, autojunk=False).ratio() >= 0.8
    return bool(_sounds(one) & _sounds(other)) or any({one, other} == set(pair) for pair in vocabulary("answers")["alike"].split())


@lru_cache(maxsize=8192)
def _sounds(character: str) -> frozenset[str]:
    """Give how a character is read, without tones, and without what many people do not tell apart: zh and z, ing and in."""
    from pypinyin import Style, pinyin

    heard = pinyin(character, style=Style.NORMAL, heteronym=True)[0]
    return frozenset(re.sub(r"(?<=^[zcs])h|(?<=n)g$", "", sound) for sound in heard)
