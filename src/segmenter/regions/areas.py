"""The areas that provinces and countries are parts of: China's macro-regions (华东, 西南), and M49's parts of the world."""

import polars as pl

from segmenter.regions.divisions import COUNTRY, PROVINCE, parts_of_the_world, path, places
from segmenter.regions.places import locate
from segmenter.words import Lang

# By the first digits of GB/T 2260's codes, whose 4 (中南) is usually told in two parts.
_CHINA = {
    **{"1": ("North China", "华北"), "2": ("Northeast China", "东北"), "3": ("East China", "华东"), "5": ("Southwest China", "西南")},
    **dict.fromkeys(("41", "42", "43"), ("Central China", "华中")),
    **dict.fromkeys(("44", "45", "46"), ("South China", "华南")),
    **{"6": ("Northwest China", "西北")},
    **dict.fromkeys(("7", "8"), ("Hong Kong, Macao and Taiwan", "港澳台")),
}


def areas_of(regions: pl.Series, lang: Lang) -> list[str | None]:
    """Name the area of each province or country, however it is written; None where no table knows it, or several are meant.

    >>> areas_of(pl.Series(["四川", "Guangdong Sheng", "Norway", "nowhere"]), "en")
    ['Southwest China', 'South China', 'Northern Europe', None]
    """
    frame = pl.DataFrame({"province": regions}, schema={"province": pl.String}).with_columns(pl.lit(None, pl.String).alias("city"))
    located = locate(frame, {})
    areas = []
    for reading in located.readings:
        found = {_area(place, lang) for place in reading.places}
        areas.append(found.pop() if len(found) == 1 else None)
    return [areas[row] for row in located.rows]


def _area(place: int, lang: Lang) -> str | None:
    above = {places()[one].level: places()[one].code for one in path(place)}
    if code := above.get(PROVINCE):
        english, chinese = _CHINA.get(code[:1]) or _CHINA[code[:2]]
        return chinese if lang == "zh" else english
    part = parts_of_the_world().get(above.get(COUNTRY, ""))
    if not part:
        return None
    from babel import Locale

    name: str = Locale.parse(lang).territories[part]
    return name
