"""The two compiled loops that every order passes: it is checked and handed to its customer's thread, then added to the record.

Imports Numba. Most of the time is waiting for memory: each order touches a slot and a record that are in no cache. So the rows are
taken in blocks, and everything that a block will touch is asked for before the first of it is used.
"""

from typing import Any

import numpy as np

from segmenter.measures.customer_records import BLOCK, CHUNK, CHUNK_BITS, NEVER, give_back, number_of, weigh
from segmenter.measures.place_names import comes_after
from segmenter.measures.place_names import number_of as number_of_place
from segmenter.measures.raw_memory import jit, load, load_byte, load_float, load_int, prefetch, store, store_byte, store_int
from segmenter.measures.record_layout import (
    CITY,
    CITY_AT,
    COUNTS,
    DECAYED,
    DISTRICT,
    DISTRICT_AT,
    FIRST,
    HOT,
    LAST,
    LONGEST_FIRST,
    LOWER,
    OUTER,
    PROVINCE,
    PROVINCE_AT,
    RANGES,
    SPEND,
    THIRD,
)
from segmenter.measures.text_views import FALLBACK, FULL, address_of, hash_bytes, is_long, length_of, mixed
from segmenter.money import LARGEST
from segmenter.tables import DAY, LATEST

# The addresses of a batch's columns, 0 for what it has not, and how it is to be read.
BATCH = np.dtype(
    [
        *((name, np.int64) for name in ("ids", "no_id", "id_texts", "times", "no_time")),
        # Amounts in currency units, of which whole minor units are made at `paid`; 0 where they are already there.
        *((name, np.int64) for name in ("decimals", "integers", "no_amount", "paid")),
        ("scale", np.float64),
        *((name, np.int64) for name in ("fallback", "levels", "places")),  # places: for each level views, missing, buffers, codes
        *((name, np.int64) for name in ("rows", "tags", "counts", "share", "counts_width", "threads")),  # what is handed over
        *((name, np.int64) for name in ("order_times", "refunds", "back", "provinces", "cities", "districts", "records")),
        ("trusted", np.bool_),  # it was read before: ids and places stand for themselves
        ("only_known", np.bool_),  # no new customers
        ("only_ids", np.bool_),  # customers get their numbers, and no order is added
    ]
)
SEEN = np.dtype([("later", np.int64), ("first", np.int64), ("last", np.int64)])  # rows at or after the as-of date; times


@jit
def examine(  # noqa: PLR0915 - one loop, as below
    start: int, stop: int, batch: Any, layout: Any, names: Any, seen: Any, thread: int
) -> int:
    """Check rows, number their places, and hand each to the thread that owns its customer: it is listed in that thread's `rows`.

    Gives the row at which the tables of names were full, or `stop`.
    """
    ids, no_id, times, no_time, no_amount = batch.ids, batch.no_id, batch.times, batch.no_time, batch.no_amount
    decimals, integers, paid, scale, fallback = batch.decimals, batch.integers, batch.paid, batch.scale, batch.fallback
    rows, tags, share, threads, levels, trusted = batch.rows, batch.tags, batch.share, batch.threads, batch.levels, batch.trusted
    counts = batch.counts + 8 * batch.counts_width * thread
    as_of, handed = np.int64(layout.today * DAY), share * threads * thread
    later, first, last, end = np.int64(0), NEVER, np.int64(-1), stop
    for row in range(start, stop):
        time = np.int64(0)
        if times != 0:
            time = load(times + 8 * row)
            if time < 0 or time >= LATEST or (no_time != 0 and load_byte(no_time + row)):
                store_byte(fallback + row, np.uint8(1))
                continue
            if time >= as_of:
                later, first, last = later + 1, min(first, time), max(last, time)
                store_byte(fallback + row, np.uint8(0))
                continue
        if load_byte(fallback + row) or (no_id != 0 and load_byte(no_id + row)) or (no_amount != 0 and load_byte(no_amount + row)):
            store_byte(fallback + row, np.uint8(1))
            continue
        if decimals != 0 or integers != 0:
            amount = np.rint((load_float(decimals + 8 * row) if decimals != 0 else np.float64(load(integers + 8 * row))) * scale)
            if not abs(amount) <= LARGEST:
                store_byte(fallback + row, np.uint8(1))
                continue
            store(paid + 8 * row, np.int64(amount))
        lowest = np.int64(0)
        for level in range(levels):
            place = batch.places + 32 * level
            code, missing = np.int64(-1), load(place + 8)
            if not (missing != 0 and load_byte(missing + row)):
                view = load(place) + 16 * row
                code = number_of_place(load(view), load(view + 8), trusted, load(place + 16), names)
                lowest = min(lowest, code)
            store_int(load(place + 24) + 4 * row, np.int32(code * threads + thread if code >= 0 else code))
        if lowest == FULL:
            end = row
            break
        if lowest == FALLBACK:
            store_byte(fallback + row, np.uint8(1))
            continue
        if times != 0:
            first, last = min(first, time), max(last, time)
        k0, k1 = load(ids + 16 * row), load(ids + 16 * row + 8)
        length = length_of(k0)
        hashed = np.uint64(hash_bytes(address_of(k1, batch.id_texts), length)) if is_long(length) else np.uint64(mixed(k0, k1))
        owner = np.int64((hashed >> np.uint64(32)) % np.uint64(threads))
        count = load(counts + 8 * owner)
        at = handed + owner * share + count
        store_int(rows + 4 * at, np.int32(row))
        store_int(tags + 4 * at, np.int32(np.uint32(hashed & np.uint64(0xFFFFFFFF))))
        store(counts + 8 * owner, count + 1)
    seen.later += later
    seen.first, seen.last = min(seen.first, first), max(seen.last, last)
    return end


@jit
def add(  # noqa: PLR0912, PLR0915 - one loop, without calls that cost as much as their work
    start: int, stop: int, source: int, batch: Any, layout: Any, owner: Any, names: int, arenas: int
) -> int:
    """Add the rows that the thread `source` has handed to this owner to its customers' records, or only make these.

    `names` and `arenas` are the addresses of those of each thread's names of places. Gives the place in the list of rows at which slots or
    arena were full, or `stop`.
    """
    ids, times, amounts = batch.ids, batch.order_times, batch.paid
    refunds, back, provinces, cities, districts = batch.refunds, batch.back, batch.provinces, batch.cities, batch.districts
    records, fallback, only_ids, threads, thread = batch.records, batch.fallback, batch.only_ids, batch.threads, owner.thread
    handed = 4 * batch.share * (threads * source + thread)
    rows, tags = batch.rows + handed, batch.tags + handed
    today, day_table, ranges, words, orders = layout.today, layout.days, layout.ranges, layout.words, 8 * layout.orders
    slots, mask, hots, colds = owner.slots, owner.mask, owner.hots, owner.colds
    spare, nobody, by_day = owner.spare, owner.spare + 8 * BLOCK, owner.by_day
    thirds, weights = owner.thirds, layout.weights
    lower, learned, of_day_weights = 8 * (words - LOWER), weights != 0, 4 * len(LONGEST_FIRST)
    recent, as_of, in_chunk = layout.recent, np.int64(today * DAY), np.int64(CHUNK - 1)
    for start_of_block in range(start, stop, BLOCK):
        end = min(start_of_block + BLOCK, stop)
        for index in range(end, min(end + BLOCK, stop)):
            prefetch(slots + 8 * (np.int64(load_int(tags + 4 * index)) & mask))
        # First whose they are, by the hash alone, so that all records of a block are on their way at once.
        for index in range(start_of_block, end):
            tag = np.int64(load_int(tags + 4 * index)) & 0xFFFFFFFF
            slot = tag & mask
            entry = load(slots + 8 * slot)
            while entry != 0 and (entry >> 32) & 0xFFFFFFFF != tag:
                slot = (slot + 1) & mask
                entry = load(slots + 8 * slot)
            number = (entry & 0xFFFFFFFF) - 1
            row = np.int64(load_int(rows + 4 * index))
            if entry == 0:
                number = number_of(row, tag, batch, owner, words, learned)
                if number == FULL:
                    end = index
                    break
                if number == FALLBACK:
                    store_byte(fallback + row, np.uint8(1))
                    store(spare + 8 * (index - start_of_block), number)
                    continue
            store(spare + 8 * (index - start_of_block), number)
            prefetch(load(hots + 8 * (number >> CHUNK_BITS)) + 8 * HOT * (number & in_chunk))
            if only_ids:
                continue
            cold = load(colds + 8 * (number >> CHUNK_BITS)) + 8 * words * (number & in_chunk)
            cold = cold if load(times + 8 * row) >= recent else nobody
            prefetch(cold)
            prefetch(cold + 64)
            if learned:
                third = load(thirds + 8 * (number >> CHUNK_BITS)) + 8 * THIRD * (number & in_chunk)
                prefetch(third)
                prefetch(third + 64)
        if not only_ids and (provinces != 0 or cities != 0 or districts != 0):
            # An order that is the latest so far may change the place.
            for index in range(start_of_block, end):
                number = max(load(spare + 8 * (index - start_of_block)), np.int64(0))
                hot = load(hots + 8 * (number >> CHUNK_BITS)) + 8 * HOT * (number & in_chunk)
                cold = load(colds + 8 * (number >> CHUNK_BITS)) + 8 * words * (number & in_chunk)
                latest = load(times + 8 * np.int64(load_int(rows + 4 * index))) >= load(hot + 8 * LAST)
                prefetch(cold + 8 * PROVINCE_AT if latest else nobody)
                if cities != 0 or districts != 0:
                    prefetch(cold + lower if latest else nobody)
        for index in range(start_of_block, end):
            number = load(spare + 8 * (index - start_of_block))
            if number < 0:
                continue
            row = np.int64(load_int(rows + 4 * index))
            hot = load(hots + 8 * (number >> CHUNK_BITS)) + 8 * HOT * (number & in_chunk)
            k0 = load(ids + 16 * row)
            if is_long(length_of(k0)) or load(hot) != k0 or load(hot + 8) != load(ids + 16 * row + 8):
                # A long id, or another one with the same hash.
                tag = np.int64(load_int(tags + 4 * index)) & 0xFFFFFFFF
                number = number_of(row, tag, batch, owner, words, learned)
                if number == FULL:
                    return index
                if number == FALLBACK:
                    store_byte(fallback + row, np.uint8(1))
                    continue
                hot = load(hots + 8 * (number >> CHUNK_BITS)) + 8 * HOT * (number & in_chunk)
            if records != 0:
                store_int(records + 4 * row, np.int32(number * threads + thread))
            if only_ids:
                continue
            cold = load(colds + 8 * (number >> CHUNK_BITS)) + 8 * words * (number & in_chunk)
            third = load(thirds + 8 * (number >> CHUNK_BITS)) + 8 * THIRD * (number & in_chunk)
            time, amount = load(times + 8 * row), load(amounts + 8 * row)
            if time >= as_of:
                owner.later += 1
                continue
            days = today - np.int64(np.uint64(time) // np.uint64(DAY))
            if refunds == 0:
                is_order = amount >= 0 and not (back != 0 and load_byte(back + row))
                refund = np.int64(0) if is_order else abs(amount)
                amount = amount if is_order else min(amount, np.int64(0))
            else:
                is_order = not load_byte(back + row)
                refund = load(refunds + 8 * row)
            store(by_day + 16 * days, load(by_day + 16 * days) + 1)
            store(by_day + 16 * days + 8, load(by_day + 16 * days + 8) + amount)
            counts = load(hot + 8 * COUNTS)
            last = load(hot + 8 * LAST)
            told = counts >> 48  # the levels of the place that the last order named, a bit for each
            province = load_int(provinces + 4 * row) if provinces != 0 else np.int32(-1)
            city = load_int(cities + 4 * row) if cities != 0 else np.int32(-1)
            district = load_int(districts + 4 * row) if districts != 0 else np.int32(-1)
            tells = np.int64(province >= 0) | np.int64(city >= 0) << 1 | np.int64(district >= 0) << 2
            if tells != 0:
                at = (np.int64(is_order) << 60) + time
                if at >= (np.int64(1) << 60) + last or tells & ~told != 0:
                    tell(at, province, city, district, cold, cold + lower, threads, names, arenas)
            if is_order and time >= last:
                told = tells | (told if time == last else np.int64(0))
            # Without branches where chance decides: a wrong guess costs as much as the arithmetic.
            # The amount is weighed in two parts: a product stays inside 64 bits wherever the sum of the amounts does.
            of_day = load(day_table + 8 * days)
            weight, of_range = of_day & 0xFFFFFFFF, of_day >> 32
            rest = ((counts >> 32) & 0xFFFF) + (amount & 0xFFFF) * weight
            store(hot + 8 * DECAYED, load(hot + 8 * DECAYED) + (amount >> 16) * weight + (rest >> 16))
            store(hot + 8 * COUNTS, (told << 48) | ((rest & 0xFFFF) << 32) | ((counts & 0xFFFFFFFF) + np.int64(is_order)))
            store(hot + 8 * SPEND, load(hot + 8 * SPEND) + amount)
            store(hot + 8 * OUTER, load(hot + 8 * OUTER) + amount * np.int64(of_range == ranges))
            store(hot + 8 * LAST, max(last, time if is_order else np.int64(-1)))
            store(hot + 8 * FIRST, min(load(hot + 8 * FIRST), time if is_order else NEVER))
            kept = cold if of_range < ranges else nobody
            spent, counted = kept + 8 * (RANGES + of_range), kept + orders + 4 * of_range
            store(spent, load(spent) + amount)
            store_int(counted, load_int(counted) + np.int32(is_order))
            if learned:
                weigh(third, weights + of_day_weights * days, amount, is_order)
            if refund > 0 or not is_order:
                give_back(cold, days, refund, is_order, of_range, layout)
        if end < min(start_of_block + BLOCK, stop):
            return end
    return stop


@jit
def tell(at: int, province: int, city: int, district: int, cold: int, lower: int, threads: int, names: int, arenas: int) -> None:
    """Keep what a row says of the place, for each level that it names, unless a later row said it; of two at a time the larger name."""
    if province >= 0:
        held, place = load(cold + 8 * PROVINCE_AT), cold + 8 * PROVINCE
        if at > held or (at == held and comes_after((province,), (load_int(place),), threads, names, arenas)):
            store(cold + 8 * PROVINCE_AT, at)
            store_int(place, province)
    if city >= 0:
        held, place = load(lower + 8 * CITY_AT), lower + 8 * CITY
        if at > held or (at == held and comes_after((province, city), (load_int(place + 4), load_int(place)), threads, names, arenas)):
            store(lower + 8 * CITY_AT, at)
            store_int(place, city)
            store_int(place + 4, province)
    if district >= 0:
        held, place, name = load(lower + 8 * DISTRICT_AT), lower + 8 * DISTRICT, cold + 8 * PROVINCE + 4
        other = (load_int(place + 4), load_int(place), load_int(name))
        if at > held or (at == held and comes_after((province, city, district), other, threads, names, arenas)):
            store(lower + 8 * DISTRICT_AT, at)
            store_int(name, district)
            store_int(place, city)
            store_int(place + 4, province)
