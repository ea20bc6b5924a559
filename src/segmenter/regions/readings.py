"""What the names found in a customer's columns say together: one place, several that it may be, or none."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from segmenter.regions.divisions import CITY, CODE, COUNTRY, DISTRICT, FULL, PROVINCE, STEM, WORLD, path, places
from segmenter.regions.place_patterns import EDGE, NO_PLACE, NOISE, meaning

ADDRESS = 3  # the column after province, city and district
# Cities whose bare name rather means a district elsewhere.
_NOT_THE_CITY = frozenset({"朝阳"})


@dataclass(frozen=True)
class Reading:
    """Where a customer may be.

    The places that fit all that is written; whether that is sure; for each column whether the path that the places share says what stands
    there (of what is not said nothing may be lost); and for each whether a place was recognised in it, if anything stands there.
    """

    places: tuple[int, ...]
    sure: bool
    said: tuple[bool, ...] = (False,) * 4
    recognised: tuple[bool, ...] = (False,) * 4


UNKNOWN = Reading((WORLD,), False)


@dataclass(frozen=True)
class _Name:
    """A name that was found: where, and what it may mean.

    A loose one needs another that says the same, a free one stands in the middle of a text, letters are no name.
    """

    column: int
    meant: tuple[tuple[int, int], ...]
    loose: bool = False
    free: bool = False
    letters: bool = False

    @property
    def places(self) -> tuple[int, ...]:
        return tuple(place for place, _ in self.meant)

    @property
    def full(self) -> bool:
        return any(form == FULL for _, form in self.meant)


def _level(place: int) -> int:
    return places()[place].level


def _names(column: int, text: str) -> tuple[list[_Name], bool]:
    """List the names in a text that count, and whether anything else stands there."""
    found: list[_Name] = []
    noisy = False
    for part in text.split(EDGE):
        named, noise = _part_names(column, part.strip())
        found += named
        noisy |= noise
    # Letters that mean a place do so only alone: CA, SC, 川.
    if len(found) > 1 or noisy:
        found = [name for name in found if not name.letters]
    return found, noisy


def _part_names(column: int, part: str) -> tuple[list[_Name], bool]:
    found: list[_Name] = []
    noise = NOISE in part
    fresh = True  # at a word's beginning, or right behind a name
    for at, letter in enumerate(part):
        if letter in (" ", NO_PLACE):
            fresh = True
        elif letter == NOISE:
            fresh = False
        else:
            pattern = meaning(letter)
            meant = pattern.meant
            if pattern.kinds and found and fresh and (kept := _of_kind(found[-1].meant, pattern.kinds, pattern.ending)):
                found[-1] = _Name(column, kept, False, found[-1].free, found[-1].letters)
                continue
            if pattern.bounded:
                if meant:
                    letters = pattern.letters < 4 and all(form == CODE for _, form in meant)
                    found.append(_Name(column, meant, False, noise, letters))
                fresh = True
                continue
            glued = part[at + 1 : at + 2] == NOISE
            if not fresh:  # 收件人四川省 is a place; bare names there are none, see `find_names`
                meant = tuple(one for one in meant if pattern.letters > 2 and _level(one[0]) != COUNTRY)
            if meant:
                bare = all(form == STEM for _, form in meant)
                found.append(_Name(column, meant, glued and bare, not fresh and all(_level(one) == DISTRICT for one, _ in meant)))
            fresh |= bool(meant)
    return found, noise


def _of_kind(meant: tuple[tuple[int, int], ...], kinds: tuple[int, ...], ending: str | None) -> tuple[tuple[int, int], ...]:
    """Keep of what a name may mean the places of the level that the word behind it says."""
    if kinds == (COUNTRY,):  # a zone
        return meant
    kept = [place for place, _ in meant if _level(place) in kinds]
    return tuple((place, FULL if ending is None or places()[place].name.endswith(ending) else STEM) for place in kept)


def _fits(name: _Name, place: int) -> bool:
    return any(one in path(place) for one in name.places)


def _score(place: int, names: list[_Name]) -> tuple[int, int]:
    """Count the names that say a place or what it is in, each for one level; those that name it more fully decide between equals."""
    free = list(names)
    count = weight = 0
    for level in reversed(path(place)):
        said = [(form, -at) for at, name in enumerate(free) for one, form in name.meant if one == level]
        if said:
            form, at = max(said)
            free.pop(-at)
            count, weight = count + 1, weight + form
        elif level == place:
            return 0, 0
    return count, weight


@lru_cache(maxsize=200_000)
def read_names(province: str | None, city: str | None, district: str | None, address: str | None, codes: str | None = None) -> Reading:
    """Read what `find_names` found in the columns of a customer; `codes` says whose letters two letters are: CN, or those of a country."""
    texts = (province, city, district, address)
    parsed = [([], False) if text is None else _names(column, text) for column, text in enumerate(texts)]
    names = [_of_codes(name, codes) for found, _ in parsed for name in found]
    names = _abroad([name for name in names if name.meant])
    strong = [name for name in names if not name.free]
    scores = {place: _score(place, names) for name in strong or names for place in name.places}
    if not strong and max(scores.values(), default=(0, 0))[0] < 2:
        return UNKNOWN
    most = max(scores.values())
    best = [place for place, score in scores.items() if score == most]
    best = sorted(place for place in best if not any(above in best for above in path(place)[:-1]))
    unfit = [name for name in strong if not any(_fits(name, place) for place in best) and not _is_noise(name, names, best)]
    if len(best) > 1 and len(strong) > 1 and (apart := [name for name in strong if not all(_fits(name, place) for place in best)]):
        unfit = [name for name in apart if not any(set(best) <= set(name.places) for name in apart)] or unfit
    if len(best) > 1 and not unfit:
        best = _likeliest(best, strong)
    fitting = [name for name in names if any(_fits(name, place) for place in best)]
    loose = all(name.loose for name in fitting) and len({name.places for name in fitting}) < 2
    possible = tuple(sorted({*best, *(place for name in unfit for place in name.places), *((WORLD,) if loose else ())}))
    shared = set(shared_path(possible))
    said = tuple(any(name.column == column and shared.intersection(name.places) for name in names) for column in range(4))
    recognised = tuple(texts[column] in (None, NO_PLACE) or any(name.column == column for name in fitting) for column in range(4))
    sure = len(possible) == 1 and all(recognised[:ADDRESS]) and not _may_be_smaller(possible[0], fitting)
    return Reading(possible, sure, said, recognised)


def _may_be_smaller(place: int, names: list[_Name]) -> bool:
    """Say whether a province is only known by its bare name in the cities' column, and has a city of that name: 吉林."""
    return (
        len(names) == 1
        and _level(place) == PROVINCE
        and names[0].column == CITY - 1
        and any(place in path(one)[:-1] for one in names[0].places)
    )


def _fits_any(name: _Name, best: Iterable[int]) -> bool:
    return any(_fits(name, place) for place in best)


def _of_codes(name: _Name, codes: str | None) -> _Name:
    """Take letters as the column's other letters are: SC is 四川, or the Seychelles."""
    if codes is None or not all(form == CODE for _, form in name.meant):
        return name
    kept = tuple(one for one in name.meant if (_level(one[0]) == COUNTRY) == (codes != "CN") or len(name.meant) == 1)
    return _Name(name.column, kept or name.meant, name.loose, name.free, name.letters)


def _abroad(names: list[_Name]) -> list[_Name]:
    """Leave a foreign country's cities as they are, though one may sound like a Chinese one."""
    china = {"CN", "HK", "MO", "TW"}
    foreign = [n for n in names if n.column == 0 and all(_level(p) == COUNTRY and places()[p].code not in china for p in n.places)]
    return [name for name in names if name.column == 0] if foreign and all(name in foreign for name in names if name.column == 0) else names


def _is_noise(name: _Name, names: list[_Name], best: list[int]) -> bool:
    """Say whether a name behind one that fits, in the same text, is a street's or a shop's rather than a place that contradicts."""
    small = not name.full or all(_level(place) == DISTRICT for place in name.places)
    earlier = names[: names.index(name)]
    return small and any(one.column == name.column and _fits_any(one, best) for one in earlier)


def _likeliest(best: list[int], names: list[_Name]) -> list[int]:
    """Decide between places of one name: a province's is the province's, a city's the city's, if no more is said than the name."""
    level = min(_level(place) for place in best)
    largest = [place for place in best if _level(place) == level]
    bare = not any(name.full for name in names) and any(name.column != DISTRICT - 1 for name in names)
    apart = any(places()[place].short in _NOT_THE_CITY for place in largest)
    return largest if level == PROVINCE or (level == CITY and bare and not apart) else best


def shared_path(possible: tuple[int, ...]) -> tuple[int, ...]:
    """Give the path that several places share."""
    paths = [path(place) for place in possible]
    shared = []
    for step in zip(*paths, strict=False):
        if len(set(step)) > 1:
            break
        shared.append(step[0])
    return tuple(shared)
