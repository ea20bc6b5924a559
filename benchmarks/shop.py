"""A shop's orders as ten Parquet files, the same for the same size: `python -m benchmarks.shop --orders=50000000 --dir=DIR`.

One file at a time is in memory, a tenth of the orders. No row order, file or column statistic helps a reader: every file
holds all customers, and two years of times in random order.
"""

import argparse
import os
import shutil
import tempfile
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtr

VERSION = 1  # of what is generated: shops of another version are generated anew
SEED = 20260701
FILES = 10
ORDERS_PER_CUSTOMER = 12.2
AS_OF = date(2026, 7, 1)
LATER_AS_OF = date(2026, 7, 15)
# The weights by which customers are drawn are lognormal with this deviation, beside one order of each: half of them have one
# to three orders, the first hundredth about a third of all, the largest some ten thousand.
TAIL = 1.85
ELSEWHERE, NOWHERE = 0.05, 0.03  # orders that go to another province than the customer's; that name none
_HASH = np.uint64(0x9E3779B97F4A7C15)  # odd: neighbours get provinces and ids far apart

# Spellings as they are found in exports, all known to conf/rules/default.yaml; the first is the plain name. By population, roughly.
PROVINCES = (
    ("广东", "广东省", "Guangdong"),
    ("山东", "山东省"),
    ("河南", "河南省"),
    ("江苏", "江苏省", "Jiangsu"),
    ("四川", "四川省", "Sichuan"),
    ("河北", "河北省"),
    ("湖南", "湖南省"),
    ("浙江", "浙江省", "Zhejiang"),
    ("安徽", "安徽省"),
    ("湖北", "湖北省"),
    ("广西", "广西壮族自治区"),
    ("云南", "云南省", "Yunnan"),
    ("江西", "江西省"),
    ("辽宁", "辽宁省"),
    ("福建", "福建省"),
    ("陕西", "陕西省"),
    ("贵州", "贵州省"),
    ("山西", "山西省"),
    ("重庆", "重庆市"),
    ("黑龙江", "黑龙江省"),
    ("新疆", "新疆维吾尔自治区"),
    ("甘肃", "甘肃省"),
    ("上海", "上海市", "Shanghai"),
    ("吉林", "吉林省"),
    ("内蒙古", "内蒙古自治区"),
    ("北京", "北京市", "Beijing"),
    ("天津", "天津市"),
    ("海南", "海南省"),
    ("宁夏", "宁夏回族自治区"),
    ("青海", "青海省"),
    ("西藏", "西藏自治区"),
)
SPELLINGS = {spelling: names[0] for names in PROVINCES for spelling in names}


def customers_of(orders: int) -> int:
    return round(orders / ORDERS_PER_CUSTOMER)


def shop(orders: int, folder: Path | None = None) -> Path:
    """Generate a shop unless it is there, and give the folder of its ten files; what came later is in its subfolder `later`."""
    place = folder or Path(os.environ.get("SEGMENTER_SHOPS", Path(tempfile.gettempdir()) / "segmenter-shops")) / f"v{VERSION}-{orders}"
    mark = f"version {VERSION}, {orders} orders\n"
    # Hidden: no reader of the folder takes it for data.
    if (place / ".shop").exists() and (place / ".shop").read_text() == mark:
        return place
    if place.exists() and any(place.iterdir()):
        raise SystemExit(f"{place}: holds something else than this shop; take it away, or name another folder")
    place.parent.mkdir(parents=True, exist_ok=True)
    half = Path(tempfile.mkdtemp(dir=place.parent, prefix=f".{place.name}-"))
    try:
        (half / "later").mkdir()
        for number in range(FILES):
            orders_file(orders, number).write_parquet(half / f"orders-{number:02}.parquet")
        later_orders(orders).write_parquet(half / "later" / f"orders-{FILES:02}.parquet")
        (half / ".shop").write_text(mark)
        half.chmod(0o755)
        if place.exists():
            place.rmdir()
        half.rename(place)
    finally:
        shutil.rmtree(half, ignore_errors=True)
    return place


def orders_file(orders: int, number: int) -> pl.DataFrame:
    """Generate one of the ten files."""
    customers = customers_of(orders)
    random = np.random.default_rng([SEED, orders, number])
    rows = orders * (number + 1) // FILES - orders * number // FILES
    once = np.arange(number, customers, FILES)
    who = np.concatenate([once, _drawn(random, rows - once.size, customers)])
    random.shuffle(who)
    return _rows(random, who, customers, np.datetime64("2024-07-01", "us"), 730)


def later_orders(orders: int) -> pl.DataFrame:
    """Generate a fiftieth more, of the fortnight after: of known customers, and of a hundredth more who are new."""
    customers = customers_of(orders)
    random = np.random.default_rng([SEED, orders, FILES])
    new = np.arange(customers, customers + customers // 100)
    who = np.concatenate([new, _drawn(random, orders // 50 - new.size, customers)])
    random.shuffle(who)
    return _rows(random, who, customers, np.datetime64(AS_OF, "us"), (LATER_AS_OF - AS_OF).days)


def _drawn(random: np.random.Generator, rows: int, customers: int) -> NDArray[np.int64]:
    # Customers by rising weight exp(TAIL z), z normal: those of orders are normal about TAIL, so no table of weights is needed.
    share = ndtr(TAIL + random.standard_normal(rows))
    return np.minimum((share * customers).astype(np.int64), customers - 1)


def _rows(random: np.random.Generator, who: NDArray[np.int64], customers: int, start: np.datetime64, days: int) -> pl.DataFrame:
    rows = who.size
    seconds = random.integers(0, days * 86_400, rows).astype("timedelta64[s]")
    # Ids of the known are 0 to customers - 1 in an order of their own: the step and their number have no common factor.
    step = next(step for step in range(int(customers * 0.618), 2 * customers) if np.gcd(step, customers) == 1)
    ids = np.where(who < customers, who * step % customers, who)
    return pl.DataFrame(
        {
            "customer_id": pl.Series(ids).cast(pl.String).str.zfill(9),
            "time": start + seconds,
            "amount": random.lognormal(4, 1, rows).round(2),
            "province": _provinces(random, who),
        }
    ).with_columns(customer_id=pl.concat_str(pl.lit("C"), "customer_id"))


def _provinces(random: np.random.Generator, who: NDArray[np.int64]) -> pl.Series:
    weights = np.array([1 / (place + 5) for place in range(len(PROVINCES))])
    edges = np.cumsum(weights)[:-1] / weights.sum()
    where = (who.astype(np.uint64) * _HASH).astype(np.float64) / 2**64
    moved = random.random(who.size) < ELSEWHERE
    where[moved] = random.random(int(moved.sum()))
    names = [PROVINCES[place][spelling % len(PROVINCES[place])] for place in range(len(PROVINCES)) for spelling in range(12)]
    codes = np.searchsorted(edges, where, side="right") * 12 + random.integers(0, 12, who.size)
    found = pl.Series(names).gather(pl.Series(codes))
    return pl.select(pl.when(pl.Series(random.random(who.size) >= NOWHERE)).then(found)).to_series()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, required=True)
    parser.add_argument("--dir", type=Path, help="the folder to make; without it one named for the size, under $SEGMENTER_SHOPS")
    given = parser.parse_args()
    print(shop(given.orders, given.dir))
