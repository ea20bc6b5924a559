"""No silent loss: an export with damaged cells gives the same totals, or a told difference that accounts for them to the cent.

What nobody could see is not tried: a digit that became another digit, a row that is missing, two customers exchanged, a date moved by a
day, an amount of 12 that should have been 21.
"""

import csv
import io
import random
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jobs import settings_of

from segmenter.errors import InputError
from segmenter.findings import messages_of
from segmenter.loader import read_tables

pytestmark = pytest.mark.slow

HEADER = ["order_id", "customer_id", "time", "amount", "product", "province"]
ID, CUSTOMER, TIME, AMOUNT, PRODUCT = range(5)
ROWS = 80
Row = list[str]
# A file: lines with the row that each came from, None for those that never were orders.
Lines = list[tuple[str, int | None]]


def shop(seed: int) -> list[Row]:
    """Give rows of a small shop: amounts with two decimals, order ids that are unique, customers who come back."""
    draw = random.Random(seed)
    start = datetime(2026, 3, 1, 9)
    rows = []
    for number in range(ROWS):
        when = start + timedelta(hours=34 * number, minutes=draw.randrange(600))
        amount = f"{draw.choice([9, 25, 130, 1480]) + draw.random() * 7:.2f}"
        product = draw.choice(["gauze", "masks, blue", "swabs"])
        province = draw.choice(["四川", "广东"])
        rows.append([f"A{10_000 + number}", f"K{draw.randrange(12):03}", f"{when:%Y-%m-%d %H:%M:%S}", amount, product, province])
    return rows


def line(row: Row) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(row)
    return text.getvalue()


def cell(column: int, write: Callable[[str], str], share: float = 0.03) -> Callable[[list[Row], random.Random], Lines]:
    """Damage a few cells of a column."""

    def damage(rows: list[Row], draw: random.Random) -> Lines:
        chosen = set(draw.sample(range(len(rows)), max(1, round(share * len(rows)))))
        changed = [[*row[:column], write(row[column]), *row[column + 1 :]] if at in chosen else row for at, row in enumerate(rows)]
        return [(line(row), at) for at, row in enumerate(changed)]

    return damage


def whole(column: int, write: Callable[[str], str]) -> Callable[[list[Row], random.Random], Lines]:
    """Write a whole column otherwise."""
    return cell(column, write, 1.0)


def lines(change: Callable[[Lines, random.Random], Lines]) -> Callable[[list[Row], random.Random], Lines]:
    """Damage the lines of a file."""
    return lambda rows, draw: change([(line(row), at) for at, row in enumerate(rows)], draw)


def one(write: Callable[[str], str]) -> Callable[[list[Row], random.Random], Lines]:
    """Damage one line."""

    def damage(whole: Lines, draw: random.Random) -> Lines:
        chosen = draw.randrange(len(whole))
        return [(write(text), at) if number == chosen else (text, at) for number, (text, at) in enumerate(whole)]

    return lines(damage)


def insert(text: Callable[[Lines, random.Random], str], *, end: bool = False) -> Callable[[list[Row], random.Random], Lines]:
    """Put a line in that is no order."""

    def damage(whole: Lines, draw: random.Random) -> Lines:
        at = len(whole) if end else draw.randrange(len(whole))
        return [*whole[:at], (text(whole, draw), None), *whole[at:]]

    return lines(damage)


def total(whole: Lines, draw: random.Random) -> str:
    amounts = [Decimal(next(csv.reader([text]))[AMOUNT]) for text, _ in whole]
    return f"合计,,,{sum(amounts)},,"


def european(text: str) -> str:
    return f"{Decimal(text):,.2f}".translate(str.maketrans(",.", ".,"))


def shifted(text: str) -> str:
    row = next(csv.reader([text]))
    return line(["", *row[:-1]])


def left(text: str) -> str:
    row = next(csv.reader([text]))
    return line([*row[1:], ""])


def doubled(share: float) -> Callable[[Lines, random.Random], Lines]:
    def damage(whole: Lines, draw: random.Random) -> Lines:
        chosen = draw.sample(range(len(whole)), max(1, round(share * len(whole))))
        # Twice is no order of its own: the copies never were.
        return [*whole, *((whole[at][0], None) for at in chosen)]

    return damage


FULL = str.maketrans("0123456789.", "０１２３４５６７８９．")
ARABIC = str.maketrans("0123456789.", "٠١٢٣٤٥٦٧٨٩٫")
WHEN = "%Y-%m-%d %H:%M:%S"
EPOCH = datetime(1970, 1, 1)


def when(form: str) -> Callable[[str], str]:
    return lambda text: f"{datetime.strptime(text, WHEN):{form}}"


def serial(text: str) -> str:
    return f"{(datetime.strptime(text, WHEN) - datetime(1899, 12, 30)) / timedelta(days=1):.8f}"


KINDS: dict[str, Callable[[list[Row], random.Random], Lines]] = {
    # Amounts that cannot be read, or are written otherwise.
    "amount blank": cell(AMOUNT, lambda text: ""),
    "amount missing": cell(AMOUNT, lambda text: "N/A"),
    "amount a word": cell(AMOUNT, lambda text: "待定"),
    "amount an error": cell(AMOUNT, lambda text: "#REF!"),
    "amount of two": cell(AMOUNT, lambda text: f"{text}/{text}"),
    "amount with two points": cell(AMOUNT, lambda text: text.replace(".", "..")),
    "amount with the letter O": cell(AMOUNT, lambda text: text[:-1] + "O"),
    "amount in percent": cell(AMOUNT, lambda text: text + "%"),
    "amount too large": cell(AMOUNT, lambda text: "9" * 30),
    "amount a date": cell(AMOUNT, lambda text: "2026-06-01"),
    "amount of another currency": cell(AMOUNT, lambda text: f"USD {text}"),
    "amount with a sign": cell(AMOUNT, lambda text: f"¥{text}"),
    "amount with its unit": cell(AMOUNT, lambda text: f"{text}元"),
    "amount full width": cell(AMOUNT, lambda text: text.translate(FULL)),
    "amount in Arabic digits": cell(AMOUNT, lambda text: text.translate(ARABIC)),
    "amount grouped": cell(AMOUNT, lambda text: f"{Decimal(text):,.2f}"),
    "amount grouped by blanks": cell(AMOUNT, lambda text: f"{Decimal(text):,.2f}".replace(",", "\u202f")),
    "amount grouped by apostrophes": whole(AMOUNT, lambda text: f"{Decimal(text):,.2f}".replace(",", "'")),
    "amount with a blank": cell(AMOUNT, lambda text: f" {text} "),
    "amount of ten thousands": cell(AMOUNT, lambda text: f"{Decimal(text) / 10_000}万"),
    "amount scientific": cell(AMOUNT, lambda text: f"{Decimal(text):E}"),
    "amount with a comma in a few": cell(AMOUNT, european),
    "amount with a comma in all": whole(AMOUNT, european),
    # Times.
    "time blank": cell(TIME, lambda text: ""),
    "time of zeros": cell(TIME, lambda text: "0000-00-00 00:00:00"),
    "time of no calendar": cell(TIME, lambda text: "2026-13-45 10:00:00"),
    "time a word": cell(TIME, lambda text: "昨天"),
    "time cut off": cell(TIME, lambda text: text[:6]),
    "time of a hundred years ago": cell(TIME, lambda text: "1900-01-01 00:00:00"),
    "time serial in a few": cell(TIME, serial),
    "time serial in all": whole(TIME, serial),
    "time day first in all": whole(TIME, when("%d/%m/%Y %H:%M:%S")),
    "time month first in all": whole(TIME, when("%m/%d/%Y %H:%M:%S")),
    "time with points in a few": cell(TIME, when("%Y.%m.%d %H:%M:%S")),
    "time in Chinese": whole(TIME, when("%Y年%m月%d日 %H:%M:%S")),
    "time with an offset": whole(TIME, lambda text: f"{datetime.strptime(text, WHEN) - timedelta(hours=8):%Y-%m-%dT%H:%M:%S}+00:00"),
    "time with UTC": whole(TIME, lambda text: f"{datetime.strptime(text, WHEN) - timedelta(hours=8):%Y-%m-%d %H:%M:%S} UTC"),
    "time in seconds": whole(TIME, lambda text: str(int((datetime.strptime(text, WHEN) - EPOCH - timedelta(hours=8)).total_seconds()))),
    # Ids.
    "customer blank": cell(CUSTOMER, lambda text: ""),
    "customer null": cell(CUSTOMER, lambda text: "NULL"),
    "customer with blanks": cell(CUSTOMER, lambda text: f"  {text} "),
    "customer in another case": cell(CUSTOMER, str.lower),
    "customer full width": cell(CUSTOMER, lambda text: text.translate(FULL)),
    "customer with a zero width": cell(CUSTOMER, lambda text: f"{text}\u200b"),
    "customer of a spreadsheet": whole(CUSTOMER, lambda text: f'="{text}"'),
    "customer scientific": whole(CUSTOMER, lambda text: f"1.38E+{10 + int(text[1:]) % 2}"),
    "customer nobody": cell(CUSTOMER, lambda text: "散客", 0.3),
    "order ids used again": whole(ID, lambda text: f"A{int(text[1:]) % 20}"),
    # Rows.
    "row shifted right": one(shifted),
    "row shifted left": one(left),
    "row cut off": one(lambda text: text[: text.index(",") + 3]),
    "row with a field more": one(lambda text: f"{text},x,y"),
    "row with an open quote": one(lambda text: text.replace(",", ',"', 1)),
    "rows doubled": lines(doubled(0.03)),
    "many rows doubled": lines(doubled(0.5)),
    "a blank row": insert(lambda whole, draw: ""),
    "a row of blanks": insert(lambda whole, draw: ",,,,,"),
    "the header again": insert(lambda whole, draw: ",".join(HEADER)),
    "a total": insert(total, end=True),
    "a note at the end": insert(lambda whole, draw: "导出时间：2026-07-01 09:00", end=True),
}


def totals(rows: list[Row], without: set[int] = frozenset()) -> dict[str, tuple[int, date]]:
    """Give the cents and the last day of each customer."""
    found: dict[str, tuple[int, date]] = {}
    for at, row in enumerate(rows):
        if at not in without:
            cents, day = found.get(row[CUSTOMER], (0, date.min))
            found[row[CUSTOMER]] = cents + int(Decimal(row[AMOUNT]) * 100), max(day, datetime.strptime(row[TIME], WHEN).date())
    return found


def judge(path: Path, rows: list[Row], damaged: Lines) -> str:
    """Say what became of a damaged file: `same`, `stopped`, `rejected` or `told`; or what nobody was told."""
    path.write_text("\n".join([",".join(HEADER), *(text for text, _ in damaged)]) + "\n", encoding="utf-8")
    job = settings_of("launch", "data=files", f"data.orders.path={path}", "launch.as_of=2026-07-15", "data.max_reject_share=0.2")
    try:
        tables = read_tables(job.data, job.launch, seed=1, stop=False).tables
    except InputError:
        return "stopped"
    if messages_of(tables.findings, "stop"):
        return "stopped"
    by_customer = tables.orders.single().group_by("customer_id").agg(pl.col("amount").sum(), pl.col("time").max().dt.date())
    found = {customer: (cents, day) for customer, cents, day in by_customer.rows()}
    if found == totals(rows):
        return "same"
    warnings = messages_of(tables.findings, "warning")
    origins = {2 + number: at for number, (_, at) in enumerate(damaged)}
    lost = {origins[number] for number in tables.rejects["row"] if origins.get(number) is not None}
    if found == totals(rows, lost):
        return "rejected" if warnings else "rejected without a word"
    difference = sum(cents for cents, _ in found.values()) - sum(cents for cents, _ in totals(rows, lost).values())
    said = " ".join(warnings)
    if warnings and (f"{abs(difference) / 100:,.2f}" in said or (difference == 0 and any(w.code.startswith("ids.") for w in warnings))):
        return "told"
    return f"silently {difference / 100:+,.2f} ({said})"


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=2, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000))
def test_nothing_is_lost_in_silence(tmp_path, kind, seed):
    rows = shop(seed)
    assert judge(tmp_path / "orders.csv", rows, KINDS[kind](rows, random.Random(seed))) in ("same", "stopped", "rejected", "told")
