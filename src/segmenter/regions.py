"""Region names, spelt as shops spell them: 四川省 = 四川, 内蒙古自治区 = 内蒙古, United  kingdom = United Kingdom."""

import re
import unicodedata
from collections.abc import Mapping

import polars as pl

from segmenter.errors import InputError, nearest
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
    """Take off what does not tell regions apart: width, outer and double spaces, 省, 市, 自治区 and the like.

    Parameters
    ----------
    name : str
        A region's name at one level.

    Returns
    -------
    str
        The short name, its case kept.

    Examples
    --------
    >>> [plain(name) for name in ("四川省", "内蒙古自治区", "凉山彝族自治州", " United  Kingdom ")]
    ['四川', '内蒙古', '凉山', 'United Kingdom']
    """
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


def _city(province: str, city: str) -> str:
    return "吉林市" if province == city == "吉林" else city


def _aliases(rule: RegionRule) -> dict[str, str]:
    return {plain(name).casefold(): plain(target).casefold() for name, target in rule.aliases.items()}


def with_regions(frame: pl.DataFrame, rule: RegionRule) -> pl.DataFrame:
    """Bring the names of regions into one spelling.

    Parameters
    ----------
    frame : DataFrame
        With ``province`` and ``city`` as found.
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
    # One column may hold both levels: 四川省/成都市.
    both = pl.col("city").is_null() & (pl.col("province").str.count_matches("/", literal=True) == 1)
    levels = pl.col("province").str.split("/")
    frame = frame.with_columns(
        pl.when(both).then(levels.list.first()).otherwise("province").alias("province"),
        pl.when(both).then(levels.list.last()).otherwise("city").alias("city"),
    )
    aliases = _aliases(rule)
    targets = {plain(target).casefold(): plain(target) for target in rule.aliases.values()}
    spelt = {}
    for level in ("province", "city"):
        counts = frame[level].drop_nulls().value_counts().sort(["count", level], descending=[True, False])
        names: dict[str, str] = {}
        for name in counts[level]:
            names.setdefault(_key(name, aliases), plain(name))
        spelt[level] = {name: targets.get(key := _key(name, aliases), names[key]) for name in counts[level]}
    frame = frame.with_columns(pl.col(level).replace_strict(spelt[level], default=None, return_dtype=pl.String) for level in spelt)
    jilin = (pl.col("province") == "吉林") & (pl.col("city") == "吉林")
    frame = frame.with_columns(pl.when(jilin).then(pl.lit("吉林市")).otherwise("city").alias("city"))
    return frame.with_columns(pl.concat_str("province", "city", separator="/", ignore_nulls=True).replace("", None).alias("region"))


def matching(frame: pl.DataFrame, names: tuple[str, ...], rule: RegionRule, key: str) -> tuple[pl.Series, list[str]]:
    """Find the customers of named regions.

    Parameters
    ----------
    frame : DataFrame
        As `with_regions` gives it.
    names : tuple of str
        Of either level, or of both: ``四川``, ``成都``, ``四川/成都``.
    rule : RegionRule
        Its aliases, and whether names that match nobody are allowed.
    key : str
        The config key of the names, for messages.

    Returns
    -------
    Series
        Boolean, one per customer.
    list of str
        A warning for each name that matches nobody, where that is allowed.

    Raises
    ------
    InputError
        A name matches nobody, and `allow_missing` is false.

    Examples
    --------
    >>> rule = RegionRule(include=(), exclude=(), allow_missing=False, aliases={})
    >>> frame = pl.DataFrame({"province": ["四川", "云南"], "city": ["成都", "昆明"]})
    >>> matching(frame, ("成都市",), rule, "rules.region.exclude")[0].to_list()
    [True, False]
    """
    aliases = _aliases(rule)
    pairs = frame.select("province", "city").unique().rows()
    keys = {pair: tuple(_key(name, aliases) if name is not None else None for name in pair) for pair in pairs}
    wanted: set[tuple[str | None, str | None]] = set()
    missing = []
    for name in names:
        parts = [_key(part, aliases) for part in name.split("/")]
        if len(parts) == 2:
            parts[1] = _city(parts[0], parts[1])
        hits = {pair for pair, both in keys.items() if both == tuple(parts) or (len(parts) == 1 and parts[0] in both)}
        if not hits:
            known = {part for pair in pairs for part in pair if part is not None} | {
                "/".join(p for p in pair if p) for pair in pairs if "/" in name
            }
            missing.append(f'{key}: no customer is in "{name}"{nearest(name, known)}')
        wanted |= hits
    if missing and not rule.allow_missing:
        raise InputError(*missing, "rules.region.allow_missing=true lets names match nobody")
    found = pl.DataFrame(list(wanted), schema={"province": pl.String, "city": pl.String}, orient="row").with_columns(found=True)
    hit = frame.select("province", "city").join(found, on=["province", "city"], how="left", nulls_equal=True, maintain_order="left")
    return hit["found"].fill_null(value=False), missing
