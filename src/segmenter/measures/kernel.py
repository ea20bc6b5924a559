"""The compiled inner loops of the history kernel. Imports Numba, so it is imported where it is used.

A customer has a record in two parts: a hot one of one cache line, which every order touches, and a cold one, which only recent
orders, refunds and orders that may tell the latest place touch. Records are found through open-addressed slots that hold 32 bits
of the id's hash and the record's number; the id itself stands in the record, so that equal hashes are told apart. A thread owns
the customers whose hash falls to it, and nobody else touches their records: no locks, and no order of rows makes a difference.

Ids are Arrow string views (Arrow columnar format, "Variable-size Binary View Layout"): up to 12 bytes stand in the view itself.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic as _intrinsic

from segmenter.compiled import compiled
from segmenter.money import LARGEST
from segmenter.tables import LATEST, NOTHING

# Hot record, in words of 8 bytes
K0, K1, SPEND, WINDOW, DECAYED, FIRST, LAST, COUNTS = range(8)  # COUNTS: orders (32 bits), rest of the decayed sum (16), flags
# Cold record
REFUNDS, S30, S60, S90, S180, PLACE_AT, PLACE, O30, O90, REFUND_COUNTS = range(10)  # O30, O90: two counts of 32 bits each
HOT, COLD = 8, 10
CHUNK_BITS = 17
CHUNK = 1 << CHUNK_BITS  # records

LONGEST_INLINE = 12
INTEGER = 0xFFFFFFFF  # in the place of a text's length: the id is a whole number
DAY = 86_400_000_000
NEVER = np.int64(2**62)
NO_DAY = 0x7FFFFFFF
ODD, FULL = -2, -3
BLOCK = 64  # rows whose records are fetched at a time
LOAD = 0.6  # of the slots
_PLACE_OF_LAST = 1  # flag: the place is that of the last order
_LONGEST_NOTHING = max(len(text) for text in NOTHING)
_NOTHING = np.array([int.from_bytes(text.encode(), "little") for text in NOTHING], np.int64)

jit: Any = compiled
intrinsic: Any = _intrinsic


def _load(bits: int) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(builder.inttoptr(arguments[0], ir.IntType(bits).as_pointer()), align=1)

    return codegen


@intrinsic
def load(typing: Any, address: Any) -> Any:
    """Read 8 bytes."""
    return types.int64(types.int64), _load(64)


@intrinsic
def load_float(typing: Any, address: Any) -> Any:
    """Read 8 bytes as a float."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(builder.inttoptr(arguments[0], ir.DoubleType().as_pointer()), align=1)

    return types.float64(types.int64), codegen


@intrinsic
def load_int(typing: Any, address: Any) -> Any:
    """Read 4 bytes."""
    return types.int32(types.int64), _load(32)


@intrinsic
def load_byte(typing: Any, address: Any) -> Any:
    """Read a byte."""
    return types.uint8(types.int64), _load(8)


def _store(bits: int) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store(arguments[1], builder.inttoptr(arguments[0], ir.IntType(bits).as_pointer()), align=1)
        return context.get_dummy_value()

    return codegen


@intrinsic
def store(typing: Any, address: Any, value: Any) -> Any:
    """Write 8 bytes."""
    return types.void(types.int64, types.int64), _store(64)


@intrinsic
def store_int(typing: Any, address: Any, value: Any) -> Any:
    """Write 4 bytes."""
    return types.void(types.int64, types.int32), _store(32)


@intrinsic
def store_byte(typing: Any, address: Any, value: Any) -> Any:
    """Write a byte."""
    return types.void(types.int64, types.uint8), _store(8)


@intrinsic
def prefetch(typing: Any, address: Any) -> Any:
    """Ask for a cache line."""

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        function = builder.module.declare_intrinsic("llvm.prefetch", [byte], kind)
        builder.call(function, [builder.inttoptr(arguments[0], byte), *(ir.Constant(number, value) for value in (0, 3, 1))])
        return context.get_dummy_value()

    return types.void(types.int64), codegen


@jit
def _mixed(a: int, b: int) -> int:
    """Hash 16 bytes; the finaliser is that of MurmurHash3."""
    x = np.uint64(a) ^ (np.uint64(b) * np.uint64(0x9E3779B97F4A7C15))
    x ^= x >> np.uint64(32)
    x *= np.uint64(0xD6E8FEB86659FD93)
    x ^= x >> np.uint64(32)
    x *= np.uint64(0xD6E8FEB86659FD93)
    return x ^ (x >> np.uint64(32))


@jit
def _hash_bytes(address: int, length: int) -> int:
    state = np.uint64(length)
    place = 0
    while place + 8 <= length:
        state = _mixed(np.int64(state), load(address + place))
        place += 8
    rest = np.uint64(0)
    while place < length:
        rest = (rest << np.uint64(8)) | np.uint64(load_byte(address + place))
        place += 1
    return _mixed(np.int64(state), np.int64(rest))


@jit
def _equal_bytes(one: int, other: int, length: int) -> bool:
    place = 0
    while place + 8 <= length:
        if load(one + place) != load(other + place):
            return False
        place += 8
    while place < length:
        if load_byte(one + place) != load_byte(other + place):
            return False
        place += 1
    return True


@jit
def _length(k0: int) -> int:
    return np.int64(np.uint64(k0) & np.uint64(0xFFFFFFFF))


@jit
def _long(length: int) -> bool:
    return LONGEST_INLINE < length < INTEGER


@jit
def _text_of_view(k1: int, buffers: int) -> int:
    """Give the address of a long text; `buffers` is that of the list of its buffers' addresses."""
    return load(buffers + 8 * (k1 & 0xFFFFFFFF)) + (k1 >> 32)


@jit
def _may_be_space(address: int) -> bool:
    """Tell by its first bytes in UTF-8 whether a character may be a space or a control character: U+0085, U+00A0, U+1680, U+2000, ..."""
    first = load_byte(address)
    if first < 0xC2:
        return first <= 0x20
    if first > 0xE3:
        return False
    second = load_byte(address + 1)
    return (
        (first == 0xC2 and second <= 0xA0)
        or (first == 0xE1 and second == 0x9A)
        or (first == 0xE2 and second <= 0x81)
        or (first == 0xE3 and second == 0x80)
    )


@jit
def _plain(address: int, length: int) -> int:
    """Tell a text that stands for itself (1) from one that stands for nothing (0), as `fields.text` does; -1: the slow way must decide."""
    if length == 0:
        return 0
    last = length - 1
    while last > 0 and (load_byte(address + last) & 0xC0) == 0x80:
        last -= 1
    if _may_be_space(address) or _may_be_space(address + last):
        return -1
    if length > _LONGEST_NOTHING:
        return 1
    word = np.int64(0)
    for place in range(length - 1, -1, -1):
        byte = np.int64(load_byte(address + place))
        word = (word << 8) | (byte + 32 if 65 <= byte <= 90 else byte)
    for nothing in _NOTHING:
        if word == nothing:
            return 0
    return 1


@jit
def interned(
    k0: int,
    k1: int,
    trusted: bool,
    buffers: int,
    slots: int,
    mask: int,
    names: int,
    meanings: int,
    arena: int,
    room: int,
    state: int,
) -> int:
    """Give the number of a place's name: -1 for nothing, -2 for the slow way, `FULL` where the tables are. All tables are addresses.

    `trusted`: the slow way has read it, and only the empty text is nothing. `state`: names, bytes of the arena in use.
    """
    length = _length(k0)
    if trusted and length == 0:
        return -1
    long = _long(length)
    address = _text_of_view(k1, buffers) if long else np.int64(0)
    hashed = _hash_bytes(address, length) if long else _mixed(k0, k1)
    place = np.int64(hashed) & mask
    while True:
        number = load(slots + 8 * place) - 1
        if number < 0:
            break
        name = names + 16 * number
        if load(name) == k0:
            known = load(name + 8)
            if (not long and known == k1) or (long and _equal_bytes(arena + known, address, length)):
                return number if trusted else load(meanings + 8 * number)
        place = (place + 1) & mask
    number, used = load(state), load(state + 8)
    if 2 * (number + 1) > mask or (long and used + length + 8 > room):
        return FULL
    name = names + 16 * number
    store(name, k0)
    store(name + 8, used if long else k1)
    if long:
        for byte in range(length):
            store_byte(arena + used + byte, load_byte(address + byte))
        store(state + 8, used + length)
    plain = _plain(address if long else name + 4, length)
    meaning = number if plain == 1 else np.int64(plain - 1)
    store(meanings + 8 * number, meaning)
    store(slots + 8 * place, number + 1)
    store(state, number + 1)
    return number if trusted else meaning


@jit
def examine(
    start: int,
    stop: int,
    raw: bool,
    trusted: bool,
    views: int,
    no_id: int,
    texts: int,
    times: int,
    no_time: int,
    as_of: int,
    decimals: int,
    whole: int,
    no_amount: int,
    scale: float,
    odd: int,
    levels: int,
    places: int,
    slots: int,
    mask: int,
    names: int,
    meanings: int,
    arena: int,
    room: int,
    state: int,
    paid: int,
    rows: int,
    tags: int,
    counts: int,
    share: int,
    thread: int,
    threads: int,
    seen: int,
) -> int:
    """Check rows, number their places, and hand each to the thread that owns its customer.

    Addresses everywhere, 0 for what there is not: arrays that may and that may not be written to are different types to Numba,
    which would compile anew for each. `places`: for each level the addresses of its views, of its missing, of its buffers'
    addresses and of where its codes go. `seen`: rows at or after the as-of date, the first and the last time. Gives the row at
    which the tables of places were full, or `stop`.
    """
    for row in range(start, stop):
        time = load(times + 8 * row)
        if time < 0 or time >= LATEST or (no_time != 0 and load_byte(no_time + row)):
            store_byte(odd + row, np.uint8(1))
            continue
        if time >= as_of:
            store(seen, load(seen) + 1)
            store(seen + 8, min(load(seen + 8), time))
            store(seen + 16, max(load(seen + 16), time))
            store_byte(odd + row, np.uint8(0))
            continue
        if load_byte(odd + row) or (no_id != 0 and load_byte(no_id + row)) or (no_amount != 0 and load_byte(no_amount + row)):
            store_byte(odd + row, np.uint8(1))
            continue
        if raw:
            amount = (load_float(decimals + 8 * row) if decimals != 0 else np.float64(load(whole + 8 * row))) * scale
            amount = np.rint(amount)
            if not abs(amount) <= LARGEST:
                store_byte(odd + row, np.uint8(1))
                continue
            store(paid + 8 * row, np.int64(amount))
        lowest = np.int64(0)
        for level in range(levels):
            place = places + 32 * level
            code, missing = np.int64(-1), load(place + 8)
            if not (missing != 0 and load_byte(missing + row)):
                view = load(place) + 16 * row
                k0, k1 = load(view), load(view + 8)
                code = interned(k0, k1, trusted, load(place + 16), slots, mask, names, meanings, arena, room, state)
                lowest = min(lowest, code)
            store_int(load(place + 24) + 4 * row, np.int32(code * threads + thread if code >= 0 else code))
        if lowest == FULL:
            return row
        if lowest == -2:
            store_byte(odd + row, np.uint8(1))
            continue
        store(seen + 8, min(load(seen + 8), time))
        store(seen + 16, max(load(seen + 16), time))
        k0, k1 = load(views + 16 * row), load(views + 16 * row + 8)
        length = _length(k0)
        hashed = np.uint64(_hash_bytes(_text_of_view(k1, texts), length)) if _long(length) else np.uint64(_mixed(k0, k1))
        owner = np.int64((hashed >> np.uint64(32)) % np.uint64(threads))
        count = load(counts + 8 * owner)
        store_int(rows + 4 * (owner * share + count), np.int32(row))
        store_int(tags + 4 * (owner * share + count), np.int32(np.uint32(hashed & np.uint64(0xFFFFFFFF))))
        store(counts + 8 * owner, count + 1)
    return stop


@jit
def _byte_of_place(code: int, index: int, threads: int, names: int, arenas: int) -> int:
    """Give a byte of a place's name, -1 past its end; `names` and `arenas` are addresses of addresses, by thread."""
    if code < 0:
        return -1
    thread, number = code % threads, code // threads
    name = load(names + 8 * thread) + 16 * number
    length = _length(load(name))
    if index >= length:
        return -1
    text = load(arenas + 8 * thread) + load(name + 8) if _long(length) else name + 4
    return np.int64(load_byte(text + index))


@jit
def _later_place(province: int, city: int, other_province: int, other_city: int, threads: int, names: int, arenas: int) -> bool:
    """Tell whether "province, 1F, city" comes after the other one, byte by byte."""
    if province == other_province and city == other_city:
        return False
    one = other = 0
    ones, others = province, other_province
    one_left = other_left = True
    while True:
        a, b = _byte_of_place(ones, one, threads, names, arenas), _byte_of_place(others, other, threads, names, arenas)
        one += 1
        other += 1
        if a < 0 and one_left:
            a, ones, one, one_left = np.int64(0x1F), city, 0, False
        if b < 0 and other_left:
            b, others, other, other_left = np.int64(0x1F), other_city, 0, False
        if a != b:
            return a > b
        if a < 0:
            return False


@jit
def _found(
    row: int,
    tag: int,
    trusted: bool,
    only_known: bool,
    views: int,
    texts: int,
    slots: int,
    mask: int,
    hots: int,
    colds: int,
    arena: int,
    room: int,
    state: int,
) -> int:
    """Find a row's customer, or make a record: its number, `ODD` or `FULL`."""
    k0, k1 = load(views + 16 * row), load(views + 16 * row + 8)
    length = _length(k0)
    long = _long(length)
    text = _text_of_view(k1, texts) if long else np.int64(0)
    place = tag & mask
    while True:
        entry = load(slots + 8 * place)
        if entry == 0:
            break
        if (entry >> 32) & 0xFFFFFFFF == tag:
            number = (entry & 0xFFFFFFFF) - 1
            hot = load(hots + 8 * (number >> CHUNK_BITS)) + 8 * HOT * (number & (CHUNK - 1))
            if load(hot) == k0:
                known = load(hot + 8)
                if (not long and known == k1) or (long and _equal_bytes(arena + known, text, length)):
                    return number
        place = (place + 1) & mask
    if only_known or (not trusted and length != INTEGER and _plain(text if long else views + 16 * row + 4, length) != 1):
        return ODD
    number, used = load(state), load(state + 8)
    if number + 1 > np.int64((mask + 1) * LOAD) or (long and used + length + 8 > room):
        return FULL
    store(state, number + 1)
    store(slots + 8 * place, (tag << 32) | (number + 1))
    hot = load(hots + 8 * (number >> CHUNK_BITS)) + 8 * HOT * (number & (CHUNK - 1))
    cold = load(colds + 8 * (number >> CHUNK_BITS)) + 8 * COLD * (number & (CHUNK - 1))
    for word in range(HOT):
        store(hot + 8 * word, 0)
    for word in range(COLD):
        store(cold + 8 * word, 0)
    store(hot + 8 * K0, k0)
    store(hot + 8 * K1, used if long else k1)
    if long:
        for byte in range(length):
            store_byte(arena + used + byte, load_byte(text + byte))
        store(state + 8, used + length)
    store(hot + 8 * FIRST, NEVER)
    store(hot + 8 * LAST, -1)
    store(cold + 8 * PLACE_AT, -1)
    store(cold + 8 * PLACE, -1)
    store(cold + 8 * REFUND_COUNTS, np.int64(NO_DAY) << 32)
    return number


@jit
def add(  # noqa: PLR0912, PLR0915 - one loop, without calls that cost as much as their work
    start: int,
    stop: int,
    raw: bool,
    trusted: bool,
    only_known: bool,
    insert: bool,
    rows: int,
    tags: int,
    views: int,
    texts: int,
    times: int,
    amounts: int,
    refunds: int,
    back: int,
    provinces: int,
    cities: int,
    odd: int,
    slots: int,
    mask: int,
    hots: int,
    colds: int,
    arena: int,
    room: int,
    state: int,
    today: int,
    window: int,
    weights: int,
    threads: int,
    names: int,
    arenas: int,
    offsets: int,
    records: int,
    thread: int,
    seen: int,
    spare: int,
) -> int:
    """Add a thread's rows to its customers' records, or only make these (`insert`); addresses everywhere, 0 for what there is not.

    Where there are `offsets`, `rows` are customers, and the orders of each lie between its offset and the next. `amounts` is what
    was paid where `raw`, else what adds to spend; `back` marks refunds. `state`: customers, bytes of the arena in use. `hots` and
    `colds` are the addresses of those of the chunks of records, with room for all rows. `records` takes the number of each row's
    customer. `seen`: orders at or after the as-of date. `spare`: room for a block's customers, then for a cold record that nobody
    reads. Gives the place in `rows` at which slots or arena were full, or `stop`.
    """
    recent, as_of, in_chunk = np.int64((today - 180) * DAY), np.int64(today * DAY), np.int64(CHUNK - 1)
    nobody = spare + 8 * BLOCK
    for start_of_block in range(start, stop, BLOCK):
        end = min(start_of_block + BLOCK, stop)
        for index in range(end, min(end + BLOCK, stop)):
            prefetch(slots + 8 * (np.int64(load_int(tags + 4 * index)) & mask))
        # First whose they are, by the hash alone, so that all records of a block are on their way at once.
        for index in range(start_of_block, end):
            tag = np.int64(load_int(tags + 4 * index)) & 0xFFFFFFFF
            place = tag & mask
            entry = load(slots + 8 * place)
            while entry != 0 and (entry >> 32) & 0xFFFFFFFF != tag:
                place = (place + 1) & mask
                entry = load(slots + 8 * place)
            number = (entry & 0xFFFFFFFF) - 1
            row = np.int64(load_int(rows + 4 * index))
            if entry == 0:
                number = _found(row, tag, trusted, only_known, views, texts, slots, mask, hots, colds, arena, room, state)
                if number == FULL:
                    end = index
                    break
                if number == ODD:
                    store_byte(odd + row, np.uint8(1))
                    store(spare + 8 * (index - start_of_block), number)
                    continue
            store(spare + 8 * (index - start_of_block), number)
            prefetch(load(hots + 8 * (number >> CHUNK_BITS)) + 8 * HOT * (number & in_chunk))
            cold = load(colds + 8 * (number >> CHUNK_BITS)) + 8 * COLD * (number & in_chunk)
            if offsets == 0:
                cold = cold if load(times + 8 * row) >= recent else nobody
            prefetch(cold)
            prefetch(cold + 64)
        if offsets == 0 and (provinces != 0 or cities != 0):
            # An order that is the latest so far may change the place.
            for index in range(start_of_block, end):
                number = max(load(spare + 8 * (index - start_of_block)), np.int64(0))
                hot = load(hots + 8 * (number >> CHUNK_BITS)) + 8 * HOT * (number & in_chunk)
                cold = load(colds + 8 * (number >> CHUNK_BITS)) + 8 * COLD * (number & in_chunk)
                latest = load(times + 8 * np.int64(load_int(rows + 4 * index))) >= load(hot + 8 * LAST)
                prefetch(cold + 8 * PLACE_AT if latest else nobody)
        for index in range(start_of_block, end):
            number = load(spare + 8 * (index - start_of_block))
            if number < 0:
                continue
            row = np.int64(load_int(rows + 4 * index))
            hot = load(hots + 8 * (number >> CHUNK_BITS)) + 8 * HOT * (number & in_chunk)
            k0 = load(views + 16 * row)
            if _long(_length(k0)) or load(hot) != k0 or load(hot + 8) != load(views + 16 * row + 8):
                # A long id, or another one with the same hash.
                tag = np.int64(load_int(tags + 4 * index)) & 0xFFFFFFFF
                number = _found(row, tag, trusted, only_known, views, texts, slots, mask, hots, colds, arena, room, state)
                if number == FULL:
                    return index
                if number == ODD:
                    store_byte(odd + row, np.uint8(1))
                    continue
                hot = load(hots + 8 * (number >> CHUNK_BITS)) + 8 * HOT * (number & in_chunk)
            if records != 0:
                store_int(records + 4 * row, np.int32(number * threads + thread))
            if insert:
                continue
            cold = load(colds + 8 * (number >> CHUNK_BITS)) + 8 * COLD * (number & in_chunk)
            stop_row = row + 1
            if offsets != 0:
                row, stop_row = load(offsets + 8 * row), load(offsets + 8 * row + 8)
            for order in range(row, stop_row):
                time, amount = load(times + 8 * order), load(amounts + 8 * order)
                if time >= as_of:
                    store(seen, load(seen) + 1)
                    continue
                days = today - np.int64(np.uint64(time) // np.uint64(DAY))
                if raw:
                    placed = amount >= 0 and not (back != 0 and load_byte(back + order))
                    refund = np.int64(0) if placed else abs(amount)
                    amount = amount if placed else min(amount, np.int64(0))
                else:
                    placed = not load_byte(back + order)
                    refund = load(refunds + 8 * order)
                counts = load(hot + 8 * COUNTS)
                last = load(hot + 8 * LAST)
                flag = counts >> 48
                province = np.int64(load_int(provinces + 4 * order)) if provinces != 0 else np.int64(-1)
                city = np.int64(load_int(cities + 4 * order)) if cities != 0 else np.int64(-1)
                if province >= 0 or city >= 0:
                    at = (np.int64(placed) << 60) + time
                    if not (flag == _PLACE_OF_LAST and at < (np.int64(1) << 60) + last):
                        before = load(cold + 8 * PLACE_AT)
                        newer = at > before
                        if at == before:
                            there = load(cold + 8 * PLACE)
                            newer = _later_place(
                                province, city, np.int64(np.int32(there & 0xFFFFFFFF)), there >> 32, threads, names, arenas
                            )
                        if newer:
                            store(cold + 8 * PLACE_AT, at)
                            store(cold + 8 * PLACE, (city << 32) | (province & 0xFFFFFFFF))
                    if placed and time >= last:
                        flag = np.int64(_PLACE_OF_LAST)
                elif placed and time > last:
                    flag = np.int64(0)
                # Without branches where chance decides: a wrong guess costs as much as the arithmetic.
                # The amount is weighed in two parts: a product stays inside 64 bits wherever the sum of the amounts does.
                weight = load(weights + 8 * days)
                rest = ((counts >> 32) & 0xFFFF) + (amount & 0xFFFF) * weight
                store(hot + 8 * DECAYED, load(hot + 8 * DECAYED) + (amount >> 16) * weight + (rest >> 16))
                store(hot + 8 * COUNTS, (flag << 48) | ((rest & 0xFFFF) << 32) | ((counts & 0xFFFFFFFF) + np.int64(placed)))
                store(hot + 8 * SPEND, load(hot + 8 * SPEND) + amount)
                store(hot + 8 * WINDOW, load(hot + 8 * WINDOW) + amount * np.int64(days <= window))
                store(hot + 8 * LAST, max(last, time if placed else np.int64(-1)))
                store(hot + 8 * FIRST, min(load(hot + 8 * FIRST), time if placed else NEVER))
                period = np.int64(days > 30) + np.int64(days > 60) + np.int64(days > 90)
                of_days = cold if days <= 180 else nobody
                spent, counted = of_days + 8 * (S30 + period), of_days + 8 * O30 + 4 * period
                store(spent, load(spent) + amount)
                store_int(counted, load_int(counted) + np.int32(placed))
                if refund > 0 or not placed:
                    store(cold + 8 * REFUNDS, load(cold + 8 * REFUNDS) + refund)
                    both = load(cold + 8 * REFUND_COUNTS)
                    first = both >> 32
                    if not placed:
                        first = max(days, first) if first != NO_DAY else days
                    store(cold + 8 * REFUND_COUNTS, (first << 32) | ((both & 0xFFFFFFFF) + np.int64(refund > 0)))
        if end < min(start_of_block + BLOCK, stop):
            return end
    return stop


@jit
def rehash(old: Any, new: Any) -> None:
    """Move slots into a larger table."""
    mask = np.uint64(len(new) - 1)
    for entry in old:
        if entry != 0:
            place = (entry >> np.uint64(32)) & mask
            while new[np.int64(place)] != 0:
                place = (place + np.uint64(1)) & mask
            new[np.int64(place)] = entry


@jit
def extract(count: int, hot: int, cold: int, start: int, today: int, windowed: bool, text_base: int, views: int, columns: int) -> None:
    """Write a chunk's records as columns; `columns` is the address of the addresses of `adding.LONGS` and `adding.NUMBERS`."""
    for record in range(count):
        h, c, at = hot + 8 * HOT * record, cold + 8 * COLD * record, start + record
        k0, k1 = load(h + 8 * K0), load(h + 8 * K1)
        # A long text lies in the arena, which Arrow sees as buffers of 2**30 bytes.
        store(views + 16 * at, k0)
        store(views + 16 * at + 8, ((k1 & 0x3FFFFFFF) << 32) | (text_base + (k1 >> 30)) if _long(_length(k0)) else k1)
        spend, first = load(h + 8 * SPEND), load(h + 8 * FIRST)
        s30, s60, s90 = load(c + 8 * S30), load(c + 8 * S60), load(c + 8 * S90)
        recent, earlier, refunds = load(c + 8 * O30), load(c + 8 * O90), load(c + 8 * REFUND_COUNTS)
        o30, o60, place = recent & 0xFFFFFFFF, recent >> 32, load(c + 8 * PLACE)
        days = np.int64(-1) if refunds >> 32 == NO_DAY else refunds >> 32
        if first != NEVER:
            days = max(days, today - first // DAY)
        _put(columns, 0, at, spend)
        _put(columns, 1, at, load(h + 8 * WINDOW) if windowed else spend)
        _put(columns, 2, at, load(c + 8 * REFUNDS))
        _put(columns, 3, at, load(h + 8 * DECAYED))
        _put(columns, 4, at, s30)
        _put(columns, 5, at, s60)
        _put(columns, 6, at, s30 + s60 + s90)
        _put(columns, 7, at, load(c + 8 * S180))
        _put(columns, 8, at, first)
        _put(columns, 9, at, load(h + 8 * LAST))
        _put_int(columns, 10, at, load(h + 8 * COUNTS) & 0xFFFFFFFF)
        _put_int(columns, 11, at, refunds & 0xFFFFFFFF)
        _put_int(columns, 12, at, o30)
        _put_int(columns, 13, at, o60)
        _put_int(columns, 14, at, o30 + o60 + (earlier & 0xFFFFFFFF))
        _put_int(columns, 15, at, earlier >> 32)
        _put_int(columns, 16, at, days)
        _put_int(columns, 17, at, place)
        _put_int(columns, 18, at, place >> 32)


@jit
def _put(columns: int, column: int, at: int, value: int) -> None:
    store(load(columns + 8 * column) + 8 * at, value)


@jit
def _put_int(columns: int, column: int, at: int, value: int) -> None:
    store_int(load(columns + 8 * column) + 4 * at, np.int32(value & 0xFFFFFFFF))


@jit
def rehash_names(names: Any, count: int, arena: Any, slots: Any) -> None:
    """Put the names of places into larger slots."""
    mask = np.uint64(len(slots) - 1)
    for number in range(count):
        k0, k1 = names[number, 0], names[number, 1]
        length = _length(k0)
        hashed = np.uint64(_hash_bytes(arena.ctypes.data + k1, length)) if _long(length) else np.uint64(_mixed(k0, k1))
        place = hashed & mask
        while slots[place] != 0:
            place = (place + np.uint64(1)) & mask
        slots[place] = number + 1


@jit
def views_of(records: Any, hots: int, threads: int, bases: Any, views: Any) -> None:
    """Give the ids of customers by their numbers as string views; `hots` is the address, by thread, of the addresses of chunks."""
    for place in range(len(records)):
        thread, number = records[place] % threads, np.int64(records[place]) // threads
        hot = load(load(hots + 8 * thread) + 8 * (number >> CHUNK_BITS)) + 8 * HOT * (number & (CHUNK - 1))
        k0, k1 = load(hot + 8 * K0), load(hot + 8 * K1)
        views[place, 0], views[place, 1] = k0, ((k1 & 0x3FFFFFFF) << 32) | (bases[thread] + (k1 >> 30)) if _long(_length(k0)) else k1
