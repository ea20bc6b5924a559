"""Places in hundreds of spellings, made from the table: right, or said to be unsure."""

import random
import time

import polars as pl
import pytest

from segmenter.regions import resolve_places
from segmenter.regions.divisions import CITY, DISTRICT, PROVINCE, path, places

LEVELS = dict.fromkeys(("province", "city", "district", "address"), pl.String)
TRADITIONAL = str.maketrans("县区东龙广庆长乌宁阳贵苏绵云湾门岛济泽县丽红临", "縣區東龍廣慶長烏寧陽貴蘇綿雲灣門島濟澤縣麗紅臨")
STREETS = ["中山路 88 号", "人民路", "解放大街 5 号", "长虹大道 3 栋", "幸福花园", "朝阳街", "北京路 12 号", "南京东路 1 号"]


def resolved(*rows):
    return resolve_places(pl.DataFrame(rows, schema=LEVELS, orient="row")).rows()


def levels_of(number):
    at = {places()[one].level: places()[one] for one in path(number)}
    province, city, district = (at.get(level) for level in (PROVINCE, CITY, DISTRICT))
    right = (province.short, city.short if city else province.short if province.name.endswith("市") else None, district and district.short)
    return (province, city, district), right


def stem(place):
    if place is None:
        return None
    cut = place.name[:-1] if place.level == DISTRICT and "自治" not in place.name and "新区" not in place.name else place.short
    return cut if len(cut) > 1 else place.name


def spelt(number, draw):
    """A dozen ways to write a place."""
    (province, city, district), right = levels_of(number)
    long = [place and place.name for place in (province, city, district)]
    short = [stem(place) for place in (province, city, district)]
    whole, street = "".join(filter(None, long)), draw.choice(STREETS)
    pinyin = [
        place and "".join(sound.split("/")[0] for sound in SOUNDS[place.code][: len(name)])
        for place, name in zip((province, city, district), short, strict=True)
    ]
    ways = [
        (*long, None),
        (*short, None),
        (whole, None, None, None),
        (None, whole + street, None, None),
        (None, None, None, f"收件人 张三 {whole}{street}"),
        (None, None, None, f"中国{whole}{street}（上海银行旁）"),
        ("/".join(filter(None, long)), None, None, None),
        (None, " ".join(filter(None, long)), None, None),
        (*(name and name.translate(TRADITIONAL) for name in long), None),
        (*(name and name.title() for name in pinyin), None),
        (long[2] or long[1], long[1] if long[2] else long[0], long[0], None),
        (None, None, None, "12 Some Road, " + ", ".join(name.title() for name in reversed([*filter(None, pinyin)])) + ", China"),
    ]
    if district:
        ways += [(long[0], long[2], None, None), (None, long[1], long[2], None)]
    return [(way, right) for way in ways]


def sounds():
    import csv
    from importlib.resources import files

    rows = csv.DictReader((files("segmenter.regions") / "divisions.csv").read_text("utf-8").splitlines())
    found = {}
    for row in rows:
        found.setdefault(row["code"], row["pinyin"].split())
    return found


SOUNDS = sounds()


@pytest.mark.parametrize("seed", range(3))
def test_hundreds_of_spellings_are_right_or_said_to_be_unsure(seed):
    draw = random.Random(seed)
    numbers = [
        at
        for at, place in enumerate(places())
        if place.level >= PROVINCE and place.code[:2] not in ("71", "81", "82") and place.code in SOUNDS
    ]
    cases = [case for number in draw.sample(numbers, 40) for case in spelt(number, draw)]
    assert len(cases) >= 400
    read = resolved(*(way for way, _ in cases))
    wrong = [(way, right, got) for (way, right), got in zip(cases, read, strict=True) if got[:3] != right]
    assert len(wrong) <= len(cases) // 100, wrong
    assert not [
        case for case in wrong if case[2][3] and any(level not in (None, truth) for level, truth in zip(case[2], case[1], strict=False))
    ]


@pytest.mark.parametrize(
    ("address", "levels"),
    [
        ("四川省绵阳市涪城区临园路东段 72 号", ("四川", "绵阳", "涪城区")),
        ("上海市浦东新区南京路 100 号", ("上海", "上海", "浦东新区")),
        ("绵阳高新区普明南路", ("四川", "绵阳", None)),
        ("唐山路北区", ("河北", "唐山", "路北区")),
        ("山东青岛市北区", ("山东", "青岛", "市北区")),
        ("臺北市信義路", ("台湾", "台北", None)),
        ("Fucheng District, Mianyang 621000, Sichuan, P.R. China", ("四川", "绵阳", "涪城区")),
        ("10 Rue de Rivoli, Paris, France", ("France", None, None)),
    ],
)
def test_addresses(address, levels):
    assert resolved((None, None, None, address)) == [(*levels, True)]


@pytest.mark.parametrize(
    "row",
    [
        (None, "朝阳区", None, None),
        (None, "朝阳", None, None),
        (None, "通州", None, None),
        (None, "Suzhou", None, None),
        ("北京", "绵阳", None, None),
        ("四川", "绵羊", None, None),
        ("SC", None, None, None),
        (None, None, None, "南京东路 100 号"),
        (None, None, None, "长春藤小区 3 栋"),
        (None, None, None, "张海南收"),
        ("New Jersey", None, None, None),
        (None, "吉林", None, None),
    ],
)
def test_what_may_be_several_places_or_none_is_unsure(row):
    (read,) = resolved(row)
    assert not read[3]
    assert read[:3] == row[:3] or read[:3] == ("吉林", None, None)


def test_an_address_is_not_shown_where_it_is_not_understood_and_fills_only_what_is_empty():
    assert resolved(("四川", "成都", None, "西湖边 5 号"), ("四川", None, None, "绵阳市涪城区长虹大道")) == [
        ("四川", "成都", None, True),
        ("四川", "绵阳", "涪城区", True),
    ]


def test_a_different_address_for_each_of_many_customers_is_quick():
    many = 50_000
    addresses = [f"四川省绵阳市涪城区长虹大道{number}号幸福花园{number % 31}栋" for number in range(many)]
    frame = pl.DataFrame({"province": None, "city": None, "district": None, "address": addresses}, schema=LEVELS)
    resolve_places(frame.head(1))
    start = time.process_time()
    assert resolve_places(frame)["sure"].all()
    assert time.process_time() - start < 5
