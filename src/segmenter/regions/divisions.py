"""The world as a tree: countries, and China's provinces, cities and districts, those of the past too, with all their names.

The tables beside it are made by `tests/regions/make_tables.py`.
"""

import csv
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import product

from segmenter.vocabulary import vocabulary

WORLD = 0  # the place that all others are in
COUNTRY, PROVINCE, CITY, DISTRICT = range(4)
# How a name names a place: in full, by what is left without its ending, or by letters that mean it only where nothing else stands there.
CODE, STEM, FULL = range(3)
Names = dict[str, int]  # name: how it names

_PEOPLES = sorted(vocabulary("places")["peoples"].split(), key=len, reverse=True)
_PEOPLED = re.compile(f"^(..+?)(?:(?:{'|'.join(_PEOPLES)})族?|各族)+自治([州县旗区])$")
_ENDINGS = {
    PROVINCE: ("特别行政区", "自治区", "省", "市"),
    CITY: ("地区", "林区", "市", "盟", "县"),
    DISTRICT: ("自治旗", "族自治县", "新区", "特区", "区", "县", "市", "旗"),
}


@dataclass(frozen=True)
class Place:
    """A place of the tree; `parent` is the number of the place that it is in."""

    code: str
    name: str
    short: str
    level: int
    parent: int
    names: Names


def _short(name: str, level: int) -> tuple[str, str]:
    """Take off the ending of a name; and how people shorten it who keep one: 凉山彝族自治州 is 凉山, and 凉山州."""
    if peopled := _PEOPLED.match(name):
        stem, kind = peopled.groups()
        return stem, stem + kind if kind != "区" else name
    for ending in _ENDINGS[level]:
        if name.endswith(ending) and len(name) > len(ending) + 1:
            return name.removesuffix(ending), name
    return name, name


def _latin(pinyin: str, stem: int) -> Names:
    """Spell a name in Latin letters, its stem with and without blanks, and the whole; ü as v, u and yu."""
    syllables = [
        [u for one in part.split("/") for u in ((one, one[0] + "u", one[0] + "yu") if "v" in one else (one,))] for part in pinyin.split()
    ]
    names: Names = {}
    if stem > 1:
        for read in product(*syllables[:stem]):
            names |= {"".join(read): STEM, " ".join(read): STEM}
    for read in product(*(syllables if len(syllables) < 6 else [part[:1] for part in syllables])):
        names["".join(read)] = FULL
        if stem == 1:
            names[" ".join(read)] = FULL
    return names


def _names(name: str, level: int, pinyin: str, also: str) -> tuple[str, Names]:
    stem, kept = _short(name, level)
    names: Names = {name: FULL, kept: FULL} | _latin(pinyin, len(stem))
    for other in also.split("|"):
        if other:
            names[other.removeprefix("?")] = CODE if len(other) < 2 + other.isascii() or other[0] == "?" else STEM
    if level == PROVINCE:
        names |= {stem + "省": FULL, stem + "自治区": FULL}
    names.setdefault(stem, STEM)
    return stem, names


def _table(name: str) -> list[dict[str, str]]:
    text = (files("segmenter.regions") / name).read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))


@cache
def places() -> tuple[Place, ...]:
    """List all places; each stands after the place that it is in."""
    found = [Place("", "", "", COUNTRY, WORLD, {})]
    rows = _table("divisions.csv")
    beyond = {"HK": "81", "MO": "82", "TW": "71"}
    foreign: dict[str, Names] = {}
    for row in _table("countries.csv"):
        names = {name: CODE if len(name) < 4 and name.isascii() else FULL for name in row["names"].split("|")}
        if row["code"] in beyond:
            foreign[beyond[row["code"]]] = names
        else:
            english = row["names"].partition("|")[0]
            found.append(Place(row["code"], english, english, COUNTRY, WORLD, {row["code"]: CODE} | names))
    today: set[str] = set()
    number = {place.code: at for at, place in enumerate(found)}
    provinces = frozenset(_short(row["name"], PROVINCE)[0] for row in rows if len(row["code"]) == 2)
    for row in sorted(rows, key=lambda row: (row["now"] != "", len(row["code"]))):
        code, now = row["code"], row["now"]
        above = number["CN"] if len(code) == 2 else number.get(now or code[:4], number.get(now[:2] or code[:2], WORLD))
        level = len(code) // 2
        # Counties right under a province stand where cities stand; the districts of 北京 are districts.
        if level == DISTRICT and not now and found[above].level == PROVINCE and not found[above].name.endswith("市"):
            level = CITY
        stem, names = _names(row["name"], level, row["pinyin"], row["also"])
        if now and (found[number[now]].level == level or len(now) == 6):
            for name, form in names.items():  # its name of the past; what is left without the ending may be another one's today
                if form == FULL or name not in today:
                    found[number[now]].names.setdefault(name, form)
            continue
        today |= {name for name, form in names.items() if form == STEM and not now}
        if row["name"].startswith("市"):  # 枣庄市中区 is not in 枣庄市
            names[found[above].short + row["name"]] = FULL
        short = row["name"] if level == DISTRICT else stem
        if level == CITY and stem in provinces:
            short = stem + ("州" if row["name"].endswith("州") else "市")  # 吉林市, 海南州
        number.setdefault(code, len(found))
        found.append(Place(code, row["name"], short, level, above, names | foreign.get(code, {})))
    return tuple(found)


@cache
def parts_of_the_world() -> dict[str, str]:
    """Give the part of the world, by its number in M49, of each country."""
    return {row["code"]: row["part"] for row in _table("countries.csv")}


@cache
def path(place: int) -> tuple[int, ...]:
    """Give the places that a place is in, the largest first, and itself at last; without the world."""
    return () if place == WORLD else (*path(places()[place].parent), place)
