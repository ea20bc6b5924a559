"""Region names, spelt as shops spell them: 四川省 = 四川, 内蒙古自治区 = 内蒙古, United  kingdom = United Kingdom."""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from segmenter.errors import nearest
from segmenter.messages import Message
from segmenter.settings import RegionRule

# The autonomous regions and prefectures, whose full names go on with the names of peoples: 凉山彝族自治州, 新疆维吾尔自治区.
_REGIONS = ("内蒙古", "广西", "西藏", "宁夏", "新疆")
_PREFECTURES = (
    *("延边", "恩施", "湘西", "阿坝", "甘孜", "凉山", "黔西南", "黔东南", "黔南", "楚雄"),
    *("红河", "文山", "西双版纳", "大理", "德宏", "怒江", "迪庆", "临夏", "甘南", "海北"),
    *("黄南", "海南", "果洛", "玉树", "海西", "昌吉", "博尔塔拉", "巴音郭楞", "克孜勒苏", "伊犁"),
)
_ENDINGS = re.compile("(?:特别行政区|省|市|地区|盟)$")
# Short names that would fall together with another region's.
_APART = {"海南州": "海南州", "吉林市": "吉林市"}


def plain(name: str) -> str:
    """Take off what does not tell regions apart: width, outer and double spaces, 省, 市, 自治区 and the like; the case stays."""
    name = " ".join(unicodedata.normalize("NFKC", name).split())
    if re.search(r"[\u3400-\u9fff]", name):
        name = name.replace(" ", "")
    for full, short, names in (("自治区", "", _REGIONS), ("自治州", "州", _PREFECTURES)):
        for known in names:
            if name == known + short or (name.startswith(known) and name.endswith(full)):
                return _APART.get(known + short, known)
    stripped = _APART.get(name, _ENDINGS.sub("", name))
    return stripped if len(stripped) > 1 else name


def _key(name: str, aliases: Mapping[str, str]) -> str:
    key = plain(name).casefold()
    return aliases.get(key, key)


def _city(province: str | None, city: str | None) -> str | None:
    return "吉林市" if province == city == "吉林" else city


def _aliases(rule: RegionRule) -> dict[str, str]:
    return {plain(name).casefold(): plain(target).casefold() for name, target in rule.aliases.items()}


def with_regions(frame: pl.DataFrame, rule: RegionRule) -> pl.DataFrame:
    """Bring the names of regions into one spelling.

    Parameters
    ----------
    frame : DataFrame
        With ``province`` and ``city`` as they are.
    rule : RegionRule
        Its aliases.

    Returns
    -------
    DataFrame
        With ``province`` and ``city`` in one spelling each (an alias's target, else the most frequent one, ties by
        name), and ``region``: ``province/city``, one of them where only one is known, null where none is.

    Examples
    --------
    >>> rule = RegionRule(include=(), exclude=(), allow_missing=False, aliases={"Sichuan": "四川"})
    >>> frame = pl.DataFrame({"province": ["四川省", "SICHUAN"], "city": ["成都市", None]})
    >>> with_regions(frame, rule)["region"].to_list()
    ['四川/成都', '四川']
    """
    # Each pair of names is looked at once, however many customers share it.
    pairs = pairs_of(frame)
    parted = [_parted(*pair) for pair in pairs.pairs]
    aliases = _aliases(rule)
    targets = {plain(target).casefold(): plain(target) for target in rule.aliases.values()}
    spelt = []
    for level in (0, 1):
        counts: Counter[str] = Counter()
        for names, customers in zip(parted, pairs.counts, strict=True):
            if (name := names[level]) is not None:
                counts[name] += customers
        shown: dict[str, str] = {}
        for name in sorted(counts, key=lambda name: (-counts[name], name)):
            shown.setdefault(_key(name, aliases), plain(name))
        spelt.append({name: targets.get(key := _key(name, aliases), shown[key]) for name in counts})
    regions = [_region(*(None if name is None else of[name] for name, of in zip(names, spelt, strict=True))) for names in parted]
    table = pl.DataFrame(regions, schema=dict.fromkeys(("province", "city", "region"), pl.String), orient="row")
    return frame.with_columns(column.gather(pairs.rows) for column in table.get_columns())


@dataclass(frozen=True)
class Pairs:
    """The different pairs of province and city: each once, in the order of the names, those without last.

    With how many customers each has, and for each customer the number of the pair.
    """

    pairs: list[tuple[str | None, str | None]]
    counts: list[int]
    rows: pl.Series


def pairs_of(frame: pl.DataFrame) -> Pairs:
    """List the different pairs of province and city in a frame."""
    pairs = frame.select("province", "city").with_row_index("row").group_by("province", "city").agg("row", pl.len())
    pairs = pairs.sort("province", "city", nulls_last=True)
    # Number by number into the customers' rows: a join on text would cost many times as much.
    rows = np.zeros(frame.height, dtype=np.uint32)
    rows[pairs["row"].explode(empty_as_null=False).to_numpy()] = np.repeat(np.arange(pairs.height, dtype=np.uint32), pairs["len"])
    return Pairs(pairs.select("province", "city").rows(), pairs["len"].to_list(), pl.Series(rows))


def _parted(province: str | None, city: str | None) -> tuple[str | None, str | None]:
    """Part what one column may hold of both levels: 四川省/成都市."""
    if city is None and province is not None and province.count("/") == 1:
        first, _, last = province.partition("/")
        return first, last
    return province, city


def _region(province: str | None, city: str | None) -> tuple[str | None, str | None, str | None]:
    city = _city(province, city)
    return province, city, "/".join(name for name in (province, city) if name is not None) or None


def matching(
    frame: pl.DataFrame, names: tuple[str, ...], rule: RegionRule, key: str, pairs: Pairs | None = None
) -> tuple[pl.Series, list[Message]]:
    """Find the customers of named regions, and a message for each name that matches nobody.

    A name is of either level, or of both: ``四川``, ``成都``, ``四川/成都``. The key is the config's, for messages; the pairs are what
    `pairs_of` gives for the frame, where that is at hand.
    """
    aliases = _aliases(rule)
    pairs = pairs_of(frame) if pairs is None else pairs
    keys = {pair: tuple(_key(name, aliases) if name is not None else None for name in pair) for pair in pairs.pairs}
    wanted: set[tuple[str | None, str | None]] = set()
    missing = []
    for name in names:
        parts: list[str | None] = [_key(part, aliases) for part in name.split("/")]
        if len(parts) == 2:
            parts[1] = _city(parts[0], parts[1])
        hits = {pair for pair, both in keys.items() if both == tuple(parts) or (len(parts) == 1 and parts[0] in both)}
        if not hits:
            known = {part for pair in keys for part in pair if part is not None}
            if "/" in name:
                known |= {"/".join(part for part in pair if part) for pair in keys}
            sentence = '{key}: no customer is in "{name}"{nearest}'
            missing.append(Message("rules.region", sentence, key=key, name=name, nearest=nearest(name, known)))
        wanted |= hits
    return pl.Series([pair in wanted for pair in pairs.pairs], dtype=pl.Boolean).gather(pairs.rows), missing
