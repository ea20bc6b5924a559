"""The customer list of the simulated shop: names, chains, places, flags and contacts."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TYPES = ("pharmacy", "clinic", "hospital")
_SUFFIXES = ("大药房", "药店", "药房", "诊所", "门诊部", "卫生室", "医院", "中医院", "康复医院")  # three of each type
_BRANDS = [first + second for first in "康仁同济益寿福德华瑞永春百健恒" for second in "民和堂安源生芝林惠佳宁辉"]

# Province as written in full, short and in Latin letters; weight; its larger cities, largest first.
_LINES = """
广东省 广东 Guangdong 11.5 广州 深圳 佛山 东莞 惠州 中山 汕头
山东省 山东 Shandong 9.2 济南 青岛 临沂 潍坊 烟台 济宁
河南省 河南 Henan 8.6 郑州 洛阳 南阳 周口 商丘 新乡
江苏省 江苏 Jiangsu 8.0 南京 苏州 徐州 无锡 南通 盐城
四川省 四川 Sichuan 7.8 成都 绵阳 南充 宜宾 达州 泸州
河北省 河北 Hebei 5.4 石家庄 保定 唐山 邯郸 沧州
湖南省 湖南 Hunan 4.8 长沙 衡阳 岳阳 常德 邵阳
浙江省 浙江 Zhejiang 4.7 杭州 宁波 温州 金华 台州
安徽省 安徽 Anhui 4.4 合肥 阜阳 六安 芜湖 安庆
湖北省 湖北 Hubei 4.2 武汉 襄阳 宜昌 荆州 黄冈
广西壮族自治区 广西 Guangxi 3.3 南宁 桂林 柳州 玉林
云南省 云南 Yunnan 3.1 昆明 曲靖 玉溪 昭通
江西省 江西 Jiangxi 3.0 南昌 赣州 上饶 九江
辽宁省 辽宁 Liaoning 2.9 沈阳 大连 鞍山 锦州
陕西省 陕西 Shaanxi 2.7 西安 宝鸡 咸阳 汉中
福建省 福建 Fujian 2.6 福州 厦门 泉州 漳州
贵州省 贵州 Guizhou 2.5 贵阳 遵义 毕节 安顺
黑龙江省 黑龙江 Heilongjiang 2.2 哈尔滨 齐齐哈尔 大庆 牡丹江
山西省 山西 Shanxi 2.1 太原 临汾 运城 大同
重庆市 重庆 Chongqing 2.0 重庆
吉林省 吉林 Jilin 1.6 长春 吉林 四平 通化
上海市 上海 Shanghai 1.5 上海
北京市 北京 Beijing 1.5 北京
甘肃省 甘肃 Gansu 1.4 兰州 天水 庆阳 酒泉
内蒙古自治区 内蒙古 Neimenggu 1.3 呼和浩特 包头 赤峰 通辽
新疆维吾尔自治区 新疆 Xinjiang 1.2 乌鲁木齐 克拉玛依 哈密 吐鲁番
天津市 天津 Tianjin 0.9 天津
海南省 海南 Hainan 0.7 海口 三亚 儋州
宁夏回族自治区 宁夏 Ningxia 0.5 银川 吴忠 石嘴山
青海省 青海 Qinghai 0.3 西宁 海东
西藏自治区 西藏 Xizang 0.1 拉萨 日喀则 昌都
"""
_PROVINCES = [line.split() for line in _LINES.strip().splitlines()]
_SPELLINGS = [line[column] for line in _PROVINCES for column in range(3)]
_CITIES = [line[4:] for line in _PROVINCES]
_MOST = max(map(len, _CITIES))
PROVINCE_WEIGHTS = np.array([float(line[3]) for line in _PROVINCES])
# A province's second city is half as large as its first, its third a third.
_CITY_WEIGHTS = np.array([[1 / rank if rank <= len(cities) else 0 for rank in range(1, _MOST + 1)] for cities in _CITIES])
_CITY_NAMES = [name for cities in _CITIES for name in cities + [""] * (_MOST - len(cities))]


def draw_customers(
    rng: np.random.Generator, ids: pl.Series, kind: Ints, region: Ints, rest: dict[str, pl.Series], *, before: int = 0
) -> pl.DataFrame:
    """Draw what a customer list holds, one row per customer; `before` customers are there already.

    One province in fifty is spelt in another way, as in tables that many hands have filled.
    """
    n = len(ids)
    city = region * _MOST + pick(rng, _CITY_WEIGHTS, region)

    # Chains are of uneven size: of the brands in a province, the first have the most branches.
    chain = (kind == 0) & (rng.random(n) < 0.35)
    chains = np.clip(np.bincount(region[chain], minlength=len(_PROVINCES)) // 10, 1, len(_BRANDS))[region]
    share = rng.random(n)
    brand = np.where(chain, (chains * share**2).astype(np.int64) + 37 * region, (len(_BRANDS) * share).astype(np.int64))
    spelling = np.searchsorted([0.98, 0.995], rng.random(n), side="right")  # in full, short, in Latin letters
    made = pl.DataFrame(
        {
            "city": look_up(_CITY_NAMES, city),
            "brand": look_up(_BRANDS, brand % len(_BRANDS)),
            "suffix": look_up(_SUFFIXES, kind * 3 + rng.choice(3, n, p=[0.6, 0.25, 0.15])),
            "short": look_up(_SPELLINGS, region * 3 + 1),
            "chain": chain,
            "branch": rng.integers(1, 200, n),
            "has_wechat": rng.random(n) < 0.7,
            "number": (np.arange(before, before + n) * 61_803_399 + 31_415_926) % 10**8,  # one each, in no order
        }
    )
    branch = pl.when("chain").then(pl.format("{}店", "branch")).otherwise(pl.lit(""))
    number = pl.col("number").cast(pl.String).str.zfill(8)
    made = made.select(
        name=pl.concat_str("city", "brand", "suffix", branch),
        account=pl.when("chain").then(pl.concat_str("short", "brand", pl.lit("医药连锁有限公司"))),
        city=pl.col("city") + "市",
        phone="145" + number,  # mobiles of data cards: nobody is called by one
        wechat=pl.when("has_wechat").then("wx_" + number),
    )
    return pl.DataFrame(
        {
            "customer_id": ids,
            "name": made["name"],
            "type": look_up(TYPES, kind),
            "account": made["account"],
            "province": look_up(_SPELLINGS, region * 3 + spelling),
            "city": made["city"],
            **rest,
            "phone": made["phone"],
            "wechat": made["wechat"],
        }
    )


def find_regions(provinces: pl.Series) -> Ints:
    """Give the index of provinces in `PROVINCE_WEIGHTS`."""
    known = {name: number // 3 for number, name in enumerate(_SPELLINGS)}
    return provinces.replace_strict(known, return_dtype=pl.Int64).to_numpy()


def look_up(words: Sequence[str | None], index: Ints) -> pl.Series:
    """Turn indices into words."""
    return pl.Series(words, dtype=pl.String).gather(index)


def pick(rng: np.random.Generator, weights: Floats, row: Ints) -> Ints:
    """Draw a column for each entry, by the weights of its row."""
    edges = np.cumsum(weights, axis=1)
    edges /= edges[:, -1:]
    drawn = rng.random(len(row))
    column = np.zeros(len(row), dtype=np.int64)
    for edge in edges.T[:-1]:
        column += drawn >= edge[row]
    return column
