"""Finds the names of places in texts, many texts at once: each text becomes the short sequence of what was found in it."""

from functools import cache
from importlib.resources import files
from typing import NamedTuple

import polars as pl

from segmenter.regions.divisions import CITY, CODE, COUNTRY, DISTRICT, FULL, PROVINCE, STEM, path, places
from segmenter.vocabulary import vocabulary

_KIND_LEVELS = {"province": (PROVINCE,), "any": (PROVINCE, CITY, DISTRICT), "city": (CITY,), "district": (DISTRICT,)}
_FIRST = 0xF0000  # found names are written as the letters from here on, which no text has
_known: dict[str, str] = {}  # what was found in texts: those of one launch come again as of each date
_FEW, _MOST, _SHORT = 20_000, 200_000, 20_000
NOISE, EDGE, NO_PLACE = "~", ",", chr(0x10FFFD)


class Pattern(NamedTuple):
    """What a found name may mean: places and how it names them, or the levels of the name before it, or a zone of it."""

    meant: tuple[tuple[int, int], ...] = ()
    kinds: tuple[int, ...] = ()
    ending: str | None = None
    bounded: bool = False  # a name that stands between blanks, as words in Latin letters do
    letters: int = 0


def _folded(texts: pl.Series) -> pl.Series:
    """Take off what does not tell names apart: width, case, accents, traditional characters, digits; each word between two blanks."""
    traditional, simple = (files("segmenter.regions") / "characters.txt").read_text("utf-8").split()
    ending_apart = r"(\p{Han})\s+([省市区县州盟旗](?:\s|$))"
    texts = texts.str.normalize("NFKD").str.to_lowercase().str.replace_all(r"[\p{Mn}\p{Nd}\p{Cf}'’ʼ`´]+", "")
    texts = texts.str.replace_many(list(traditional), list(simple)).str.replace_all(ending_apart, "$1$2")
    texts = texts.str.replace_all("&", " and ", literal=True).str.replace_all(r"[,;|/\\:()\[\]{}<>、。\n\r\t\"“”#]+", " , ")
    texts = texts.str.replace_all(r"(\p{Han})([\p{Latin},])", "$1 $2").str.replace_all(r"([\p{Latin},])(\p{Han})", "$1 $2")
    return " " + texts.str.replace_all(r"[\s.·•_\-–—+*>→]+", "  ").str.strip_chars(" ") + " "


@cache
def _patterns() -> tuple[tuple[pl.Series, pl.Series], tuple[pl.Series, pl.Series], tuple[Pattern, ...]]:
    """List all names as they stand in folded texts, Chinese and others, the longest first, with what replaces each; and what each means."""
    named = [(name, at, form) for at, place in enumerate(places()) for name, form in place.names.items()]
    names = pl.DataFrame(named, schema=["name", "place", "form"], orient="row")
    names = names.with_columns(_folded(names["name"]).alias("text"))
    han = pl.col("text").str.contains(r"\p{Han}") & (pl.col("form") != CODE)
    names = names.with_columns(text=pl.when(han).then(pl.col("text").str.strip_chars()).otherwise("text"), bounded=~han)
    meant: dict[str, dict[int, int]] = {}
    bounded: dict[str, bool] = {}
    for text, place, form, apart in names.select("text", "place", "form", "bounded").rows():
        bounded[text] = apart
        forms = meant.setdefault(text, {})
        forms[place] = max(form, forms.get(place, form))
    for place, text in _other_names(set(meant)):
        meant.setdefault(text, {})[place] = FULL
        bounded[text] = False
    found = {
        text: Pattern(tuple(sorted(forms.items())), bounded=bounded[text], letters=len(text.replace(" ", "")))
        for text, forms in meant.items()
    }
    words = vocabulary("places")
    for kind, levels in _KIND_LEVELS.items():
        for word in words["kinds"][kind]:
            text = " " + "  ".join(word.split()) + " "
            found[text] = Pattern(found[text].meant if text in found else (), levels, words["endings"].get(word), bounded=True)
    for zone in words["zones"].split():
        found.setdefault(zone, Pattern(kinds=(COUNTRY,)))
    # First the bare names of districts, then those of cities: the letters say which are bare.
    found = dict(sorted(found.items(), key=lambda item: _bareness(item[1])))
    letters = {text: chr(_FIRST + at) for at, text in enumerate(found)}
    written = {text: f" {letter} " if found[text].bounded else letter for text, letter in letters.items()}
    written |= {text: NOISE for text in _streets() if text not in written}
    written |= dict.fromkeys(words["no_places"].split(), NO_PLACE)
    order = pl.DataFrame({"text": [*written], "written": [*written.values()]}).sort(
        pl.col("text").str.len_chars(), "text", descending=[True, False]
    )
    han = pl.col("text").str.contains(r"\p{Han}")
    chinese, others = order.filter(han).select(pl.all().implode()), order.filter(~han).select(pl.all().implode())
    return (chinese["text"], chinese["written"]), (others["text"], others["written"]), tuple(found.values())


def _bareness(pattern: Pattern) -> int:
    if pattern.bounded or not pattern.meant or any(form != STEM for _, form in pattern.meant):
        return 2
    return 0 if all(places()[place].level == DISTRICT for place, _ in pattern.meant) else 1


@cache
def _bare_letters() -> tuple[str, str]:
    """Give the letters of the bare names of districts, and of all bare names, as ranges of a regular expression."""
    kinds = [_bareness(pattern) for pattern in _patterns()[2]]
    return tuple(f"[{chr(_FIRST)}-{chr(_FIRST + sum(kind < least for kind in kinds) - 1)}]" for least in (1, 2))  # type: ignore[return-value]


def _other_names(taken: set[str]) -> list[tuple[int, str]]:
    """Give names of districts with an ending that they do not have, where no other place has it: 江油县."""
    found = []
    for at, place in enumerate(places()):
        if place.level == DISTRICT:
            stems = [name for name, form in place.names.items() if form == STEM and len(name) > 1 and not name.isascii()]
            found += [(at, stem + ending) for stem in stems for ending in "区县市" if stem + ending not in taken]
    return found


def _streets() -> list[str]:
    """List what only looks like a city: 北京路. Where a district of the city goes on like that, 唐山路北区, it is none."""
    streets = vocabulary("places")["streets"].split()
    first: dict[int, set[str]] = {}
    for place in places():
        for above in path(place.parent):
            first.setdefault(above, set()).add(place.name[:1])
    return [
        stem + street
        for at, place in enumerate(places())
        if place.level in (PROVINCE, CITY)
        for stem, form in place.names.items()
        if form == STEM and not stem.isascii()
        for street in streets
        if street[0] not in first.get(at, ())
    ]


def find_names(texts: pl.Series) -> pl.Series:
    """Write each text as what was found in it: a letter for each name, ``~`` for what is none, ``,`` and blanks where words end.

    What a letter means says `meaning`; `NO_PLACE` stands for what an official list says where there is no such level.
    """
    different = texts.unique().drop_nulls()
    if different.len() > _FEW:
        return _find(texts).alias(texts.name)
    if len(_known) > _MOST:
        _known.clear()
    if new := [text for text in different if text not in _known]:
        _known.update(zip(new, _find(pl.Series(new)), strict=True))
    return pl.Series(texts.name, [None if text is None else _known[text] for text in texts], dtype=pl.String)


def _find(texts: pl.Series) -> pl.Series:
    """Find the names of each script only where a text has that script: to look for thousands has its price."""
    found = _folded(texts)
    for script, names in zip((r"\p{Han}", r"[^\p{Han}\P{L}]"), _patterns()[:2], strict=True):
        if found.str.contains(script).any():
            found = found.str.replace_many(*_present(names, found), leftmost=True)
    found = found.str.replace_all(r"[^ ,\x{F0000}-\x{10FFFD}]+", NOISE)
    # In the middle of a text bare names are none: 张海南, 朝阳门. So that a million addresses come to a few thousand sequences of names.
    districts, bare = _bare_letters()
    found = found.str.replace_all(f"{NOISE}{bare}+", NOISE).str.replace_all(f"{districts}{NOISE}", NOISE).str.replace_all("~{2,}", NOISE)
    found = found.str.replace_all(r" +", " ").str.replace_all(r"( ~){2,}", " ~").str.strip_chars(" ")
    return found.str.replace(rf"^({NO_PLACE}[ ,]*)+$", NO_PLACE)


def _present(names: tuple[pl.Series, pl.Series], texts: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Leave out names that stand in none of a few texts: to prepare the search for all takes a tenth of a second."""
    together = "\n".join(texts.drop_nulls())
    if len(together) > _SHORT:
        return names
    searched, written = (series.explode() for series in names)
    there = pl.Series([name in together for name in searched], dtype=pl.Boolean)
    return searched.filter(there).implode(), written.filter(there).implode()


def meaning(letter: str) -> Pattern:
    """Say what a letter of `find_names` means."""
    return _patterns()[2][ord(letter) - _FIRST]
