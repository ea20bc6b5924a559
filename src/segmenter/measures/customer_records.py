"""The customers of one thread, each with a record; nobody else touches them: no locks, and no order of rows makes a difference.

Records are found through open-addressed slots that hold 32 bits of the id's hash and the record's number; the id itself stands in the
record, so that equal hashes are told apart. One file because nothing else knows how a record is begun and read. Imports Numba.
"""

import mmap
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmenter.measures.arrow_columns import address, record
from segmenter.measures.place_names import same_name
from segmenter.measures.raw_memory import jit, load, load_int, store, store_int
from segmenter.measures.record_layout import (
    BY_HALF_LIFE,
    CITY,
    CITY_AT,
    DISTRICT,
    DISTRICT_AT,
    FIRST,
    HOT,
    K0,
    K1,
    LARGEST,
    LAST,
    LONGEST_FIRST,
    LOWER,
    OUTER,
    PROVINCE,
    PROVINCE_AT,
    REFUND_COUNTS,
    REFUNDS,
    THIRD,
    WIDTH,
)
from segmenter.measures.text_views import FALLBACK, FULL, INTEGER, ITSELF, address_of, copy_bytes, equal_bytes, is_long, length_of, reading
from segmenter.tables import BEFORE_PROVINCE, DAY, DISTRICTS, NEWER, OLDER, TOGETHER, WITH_PROVINCE

CHUNK_BITS = 17
CHUNK = 1 << CHUNK_BITS  # records
BLOCK = 64  # rows whose records are fetched at a time
NEVER = np.int64(2**62)
NO_DAY = 0x7FFFFFFF
_LOAD = 0.6  # of the slots
_NOTHING = np.zeros(0, np.int64)
TEXTS = 1 << 30  # the texts of an arena are shown to Arrow by the part of so many bytes in which they begin
TABLES = np.dtype(
    [
        (name, np.int64)
        for name in ("slots", "mask", "hots", "colds", "thirds", "arena", "room", "customers", "used", "later", "spare", "by_day", "thread")
    ]
)


class CustomerRecords:
    """Slots, records and long ids. The records lie in chunks, so that they never move."""

    def __init__(self, thread: int, words: int, days: int, *, learned: bool) -> None:
        self.words = words  # of a cold record
        self.learned = learned  # records have a third part
        self.slots = np.zeros(1 << 10, np.uint64)
        self.hots: list[NDArray[np.int64]] = []
        self.colds: list[NDArray[np.int64]] = []
        self.thirds: list[NDArray[np.int64]] = []
        self.chunks = np.zeros((3, 0), np.int64)  # their addresses
        self.arena = np.zeros(1 << 12, np.uint8)
        # Room for a block's customers, then for a cold record that nobody reads.
        self.spare = np.zeros(BLOCK + words + 2, np.int64)
        self.by_day = np.zeros((days + 1, 2), np.int64)  # of each day ago: its rows, and what they add to net spend
        self.tables = record(TABLES, spare=self.spare, by_day=self.by_day, thread=thread)
        self._point()

    def _point(self) -> None:
        new = record(TABLES, slots=self.slots, mask=len(self.slots) - 1, arena=self.arena, room=len(self.arena))
        new["hots"], new["colds"], new["thirds"] = (address(part) for part in self.chunks)
        for name in ("slots", "mask", "hots", "colds", "thirds", "arena", "room"):
            self.tables[name] = new[name]

    def __len__(self) -> int:
        return int(self.tables["customers"][0])

    def reserve(self, rows: int) -> None:
        """Have records for so many new customers; memory is taken only when they are written."""
        while len(self.hots) * CHUNK < len(self) + rows:
            self.hots.append(_memory(CHUNK * HOT))
            self.colds.append(_memory(CHUNK * self.words))
            self.thirds.append(_memory(CHUNK * THIRD) if self.learned else _NOTHING)
        if self.chunks.shape[1] != len(self.hots):
            self.chunks = np.array([[chunk.ctypes.data for chunk in part] for part in (self.hots, self.colds, self.thirds)], np.int64)
            self._point()

    def grow(self) -> None:
        """Double the slots, or the room for long ids: whichever was full."""
        if len(self) + 1 > int(len(self.slots) * _LOAD):
            slots = _memory(2 * len(self.slots)).view(np.uint64)
            _rehash(self.slots, slots)
            self.slots = slots
        else:
            self.arena = np.concatenate([self.arena, np.zeros_like(self.arena)])
        self._point()

    def texts(self) -> list[NDArray[np.uint8]]:
        """Show the long ids as buffers to Arrow."""
        return [self.arena[at : at + 2 * TEXTS - 1] for at in range(0, max(int(self.tables["used"][0]), 1), TEXTS)]


def _memory(words: int) -> NDArray[np.int64]:
    """Take zeroed memory straight from the system: it begins at a page, counts once it is written, and goes back when dropped."""
    if not hasattr(mmap, "MAP_PRIVATE"):  # Windows
        return np.frombuffer(mmap.mmap(-1, 8 * words), np.int64)
    memory = mmap.mmap(-1, 8 * words, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, "MADV_HUGEPAGE"):  # fewer look-ups of addresses: a tenth to a third of the time
        with suppress(OSError):  # a kernel that has none
            memory.madvise(mmap.MADV_HUGEPAGE)
    return np.frombuffer(memory, np.int64)


@jit
def number_of(row: int, tag: int, batch: Any, owner: Any, words: int, learned: bool) -> int:
    """Give the number of a row's customer, who may be new; `FALLBACK` where the fallback must read the row, `FULL` for no room."""
    k0, k1 = load(batch.ids + 16 * row), load(batch.ids + 16 * row + 8)
    length = length_of(k0)
    long = is_long(length)
    text = address_of(k1, batch.id_texts) if long else np.int64(0)
    slots, mask, arena = owner.slots, owner.mask, owner.arena
    slot = tag & mask
    while True:
        entry = load(slots + 8 * slot)
        if entry == 0:
            break
        if (entry >> 32) & 0xFFFFFFFF == tag:
            number = (entry & 0xFFFFFFFF) - 1
            hot = load(owner.hots + 8 * (number >> CHUNK_BITS)) + 8 * HOT * (number & (CHUNK - 1))
            if load(hot) == k0:
                known = load(hot + 8)
                if (not long and known == k1) or (long and equal_bytes(arena + known, text, length)):
                    return number
        slot = (slot + 1) & mask
    inline = batch.ids + 16 * row + 4
    if batch.only_known or (not batch.trusted and length != INTEGER and reading(text if long else inline, length) != ITSELF):
        return FALLBACK
    number, used = owner.customers, owner.used
    if number + 1 > np.int64((mask + 1) * _LOAD) or (long and used + length + 8 > owner.room):
        return FULL
    owner.customers = number + 1
    store(slots + 8 * slot, (tag << 32) | (number + 1))
    hot = load(owner.hots + 8 * (number >> CHUNK_BITS)) + 8 * HOT * (number & (CHUNK - 1))
    cold = load(owner.colds + 8 * (number >> CHUNK_BITS)) + 8 * words * (number & (CHUNK - 1))
    # All else is zero, as the system gives memory.
    store(hot + 8 * K0, k0)
    store(hot + 8 * K1, used if long else k1)
    if long:
        copy_bytes(text, arena + used, length)
        owner.used = used + length
    if batch.records == 0:
        third = load(owner.thirds + 8 * (number >> CHUNK_BITS)) + 8 * THIRD * (number & (CHUNK - 1))
        _begin(hot, cold, third, words, learned)
    return number


@jit
def _begin(hot: int, cold: int, third: int, words: int, learned: bool) -> None:
    """Begin a record that is all zero."""
    store(hot + 8 * FIRST, NEVER)
    store(hot + 8 * LAST, -1)
    if learned:
        store(third + 8 * LARGEST, -NEVER)
    store(cold + 8 * PROVINCE_AT, -1)
    store(cold + 8 * PROVINCE, -1)
    for word in range(words - LOWER, words):
        store(cold + 8 * word, -1)
    store(cold + 8 * REFUND_COUNTS, np.int64(NO_DAY) << 32)


@jit
def begin_again(count: int, hot: int, cold: int, third: int, words: int, learned: bool) -> None:
    """Begin the first records anew, for other customers."""
    for part, width in ((hot, HOT), (cold, words), (third, THIRD * np.int64(learned))):
        for word in range(count * width):
            store(part + 8 * word, 0)
    for number in range(count):
        _begin(hot + 8 * HOT * number, cold + 8 * words * number, third + 8 * THIRD * number, words, learned)


@jit
def weigh(third: int, weights: int, amount: int, is_order: bool) -> None:
    """Add an order to the sums by half-life, up to the first by which its day weighs nothing."""
    store(third + 8 * LARGEST, max(load(third + 8 * LARGEST), amount if is_order else -NEVER))
    for at in range(len(LONGEST_FIRST)):
        weight = np.int64(load_int(weights + 4 * at))
        if weight == 0:
            break
        decayed = third + 8 * BY_HALF_LIFE + 16 * at
        both = load(decayed + 8)
        rest = (both & 0xFFFF) + (amount & 0xFFFF) * weight
        store(decayed, load(decayed) + (amount >> 16) * weight + (rest >> 16))
        store(decayed + 8, both + (weight * np.int64(is_order) << 16) - (both & 0xFFFF) + (rest & 0xFFFF))


@jit
def give_back(cold: int, days: int, refund: int, is_order: bool, of_range: int, layout: Any) -> None:
    """Add what was given back to a cold record, so many days ago."""
    store(cold + 8 * REFUNDS, load(cold + 8 * REFUNDS) + refund)
    both = load(cold + 8 * REFUND_COUNTS)
    first = both >> 32
    if not is_order:
        first = max(days, first) if first != NO_DAY else days
    store(cold + 8 * REFUND_COUNTS, (first << 32) | ((both & 0xFFFFFFFF) + np.int64(refund > 0)))
    if layout.refunds != 0 and of_range < layout.ranges:
        spent, counted = cold + 8 * (layout.refunds + of_range), cold + 8 * layout.refund_orders + 4 * of_range
        store(spent, load(spent) + refund)
        store_int(counted, load_int(counted) + np.int32(refund > 0))


@jit
def _rehash(old: Any, new: Any) -> None:
    mask = np.uint64(len(new) - 1)
    for entry in old:
        if entry != 0:
            slot = (entry >> np.uint64(32)) & mask
            while new[np.int64(slot)] != 0:
                slot = (slot + np.uint64(1)) & mask
            new[np.int64(slot)] = entry


@jit
def extract(
    count: int,
    hot: int,
    cold: int,
    third: int,
    start: int,
    layout: Any,
    cells: Any,
    first_text: int,
    views: int,
    columns: int,
    threads: int,
    names: int,
    arenas: int,
) -> None:
    """Write a chunk's records as columns.

    `columns` is the address of their addresses: of the measures as `cells` has them, then first and last order, days since the first
    row, province, city, district, and how they stand to each other. `names` and `arenas` are as in `place_names.comes_after`.
    """
    words, measures = layout.words, len(cells)
    for block in range(0, count, BLOCK):
        stop = min(block + BLOCK, count)
        for measure in range(measures):
            part, width, column = cells[measure, 0], cells[measure, WIDTH], load(columns + 8 * measure) + cells[measure, WIDTH] * start
            cell, step = (hot, 8 * HOT) if part == 1 else (cold, 8 * words) if part == 0 else (third, 8 * THIRD)
            cell += cells[measure, 1]
            for number in range(block, stop):
                total = cells[measure, 4] * load(hot + 8 * HOT * number + 8 * OUTER)
                for at in range(cells[measure, 2]):
                    value = cell + step * number + width * at
                    total += load(value) if width == 8 else np.int64(load_int(value))
                if width == 8:
                    store(column + 8 * number, total >> cells[measure, 5])
                else:
                    store_int(column + 4 * number, np.int32(total))
        for number in range(block, stop):
            h, c, at = hot + 8 * HOT * number, cold + 8 * words * number, start + number
            _put_view(views + 16 * at, load(h + 8 * K0), load(h + 8 * K1), first_text)
            first, refunds = load(h + 8 * FIRST), load(c + 8 * REFUND_COUNTS)
            days = np.int64(-1) if refunds >> 32 == NO_DAY else refunds >> 32
            if first != NEVER:
                days = max(days, layout.today - first // DAY)
            store(load(columns + 8 * measures) + 8 * at, first)
            store(load(columns + 8 * measures + 8) + 8 * at, load(h + 8 * LAST))
            store_int(load(columns + 8 * measures + 16) + 4 * at, np.int32(days))
            province, district = load_int(c + 8 * PROVINCE), load_int(c + 8 * PROVINCE + 4)
            lower = c + 8 * (words - LOWER)
            store_int(load(columns + 8 * measures + 24) + 4 * at, province)
            store_int(load(columns + 8 * measures + 32) + 4 * at, load_int(lower + 8 * CITY))
            store_int(load(columns + 8 * measures + 40) + 4 * at, district)
            apart = _apart(province, district, load(c + 8 * PROVINCE_AT), lower, threads, names, arenas)
            store_int(load(columns + 8 * measures + 48) + 4 * at, apart)


@jit
def _apart(province: int, district: int, province_at: int, lower: int, threads: int, names: int, arenas: int) -> int:
    """Say how the levels of a place stand to each other, as `place_levels.apart` does."""
    city, city_at, district_at = load_int(lower + 8 * CITY), load(lower + 8 * CITY_AT), load(lower + 8 * DISTRICT_AT)
    of_city = of_district = TOGETHER
    if city >= 0 and not same_name(load_int(lower + 8 * CITY + 4), province, threads, names, arenas):
        of_city = NEWER if city_at > province_at else OLDER
    if district >= 0:
        above = load_int(lower + 8 * DISTRICT + 4)
        in_province = same_name(above, province, threads, names, arenas)
        with_city = city >= 0 and same_name(above, load_int(lower + 8 * CITY + 4), threads, names, arenas)
        if not ((in_province or with_city) and same_name(load_int(lower + 8 * DISTRICT), city, threads, names, arenas)):
            if district_at <= city_at:
                of_district = OLDER
            elif in_province:
                of_district = WITH_PROVINCE
            else:
                of_district = NEWER if district_at > province_at else BEFORE_PROVINCE
    return np.int32(of_city + DISTRICTS * of_district)


@jit
def _put_view(view: int, k0: int, k1: int, first_text: int) -> None:
    """Write an id as a view: a long text lies in the arena, which Arrow sees as buffers of 2**30 bytes."""
    store(view, k0)
    store(view + 8, ((k1 & 0x3FFFFFFF) << 32) | (first_text + (k1 >> 30)) if is_long(length_of(k0)) else k1)


@jit
def write_ids(numbers: Any, hots: int, threads: int, first_texts: Any, views: int) -> None:
    """Give the ids of customers by their numbers as string views; `hots` is the address, by thread, of the addresses of chunks."""
    for at in range(len(numbers)):
        thread, number = numbers[at] % threads, np.int64(numbers[at]) // threads
        hot = load(load(hots + 8 * thread) + 8 * (number >> CHUNK_BITS)) + 8 * HOT * (number & (CHUNK - 1))
        _put_view(views + 16 * at, load(hot + 8 * K0), load(hot + 8 * K1), first_texts[thread])
