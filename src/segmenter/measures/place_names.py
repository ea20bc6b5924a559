"""The names of provinces and cities that one thread has met, by number. Imports Numba."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmenter.measures.arrow_columns import Views, address, record
from segmenter.measures.raw_memory import jit, load, load_byte, store
from segmenter.measures.text_views import (
    FALLBACK,
    FULL,
    ITSELF,
    LONGEST_INLINE,
    UNSURE,
    address_of,
    copy_bytes,
    equal_bytes,
    hash_bytes,
    is_long,
    length_of,
    mixed,
    reading,
)

NO_NAME = -1
TABLES = np.dtype([(name, np.int64) for name in ("slots", "mask", "names", "meanings", "arena", "room", "count", "used")])


class PlaceNames:
    """Numbers names in the order of their coming; no other thread adds to them."""

    def __init__(self) -> None:
        self.slots = np.zeros(1 << 10, np.int64)
        self.names = np.zeros((1 << 9, 2), np.int64)  # as views; of long ones the second word is where they stand in the arena
        self.meanings = np.zeros(1 << 9, np.int64)
        self.arena = np.zeros(1 << 14, np.uint8)
        self.tables = self._tables(0, 0)

    def _tables(self, count: int, used: int) -> NDArray[np.void]:
        arrays = {"slots": self.slots, "names": self.names, "meanings": self.meanings, "arena": self.arena}
        return record(TABLES, **arrays, mask=len(self.slots) - 1, room=len(self.arena), count=count, used=used)

    def grow(self) -> None:
        """Double the tables."""
        count, used = int(self.tables["count"][0]), int(self.tables["used"][0])
        self.names, self.meanings = (np.concatenate([part, np.zeros_like(part)]) for part in (self.names, self.meanings))
        self.arena = np.concatenate([self.arena, np.zeros_like(self.arena)])
        self.slots = np.zeros(2 * len(self.slots), np.int64)
        _rehash(self.names, count, self.arena, self.slots)
        self.tables = self._tables(count, used)

    def texts(self) -> list[str]:
        """Give the names in the order of their numbers."""
        count = int(self.tables["count"][0])  # before the names, to which their thread may add meanwhile
        names, arena = self.names, self.arena
        short = names.view(np.uint8).reshape(-1, 16)
        texts: list[str] = []
        for number in range(count):
            length, start = int(names[number, 0] & 0xFFFFFFFF), int(names[number, 1])
            text = arena[start : start + length] if length > LONGEST_INLINE else short[number, 4 : 4 + length]
            texts.append(text.tobytes().decode())
        return texts

    def numbers(self, views: Views) -> list[int]:
        """Give numbers to names that were read before; `NO_NAME` for the empty one."""
        numbers = []
        for at in range(len(views.views) // 2):
            k0, k1 = views.views[2 * at : 2 * at + 2].tolist()
            while (number := number_of(k0, k1, True, address(views.buffers), self.tables[0])) == FULL:
                self.grow()
            numbers.append(number)
        return numbers


@jit
def number_of(k0: int, k1: int, trusted: bool, buffers: int, tables: Any) -> int:
    """Give the number of a name, or `NO_NAME`, `FALLBACK` where `fields.text` must read it, or `FULL` where the tables are.

    `trusted`: it was read before, and only the empty text is nothing.
    """
    length = length_of(k0)
    if trusted and length == 0:
        return NO_NAME
    long = is_long(length)
    text = address_of(k1, buffers) if long else np.int64(0)
    slots, mask, names, meanings, arena = tables.slots, tables.mask, tables.names, tables.meanings, tables.arena
    slot = np.int64(hash_bytes(text, length) if long else mixed(k0, k1)) & mask
    while True:
        number = load(slots + 8 * slot) - 1
        if number < 0:
            break
        name = names + 16 * number
        if load(name) == k0:
            known = load(name + 8)
            if (not long and known == k1) or (long and equal_bytes(arena + known, text, length)):
                return number if trusted else load(meanings + 8 * number)
        slot = (slot + 1) & mask
    number, used = tables.count, tables.used
    if 2 * (number + 1) > mask or (long and used + length + 8 > tables.room):
        return FULL
    name = names + 16 * number
    store(name, k0)
    store(name + 8, used if long else k1)
    if long:
        copy_bytes(text, arena + used, length)
        tables.used = used + length
    read = reading(text if long else name + 4, length)
    meaning = number if read == ITSELF else np.int64(FALLBACK if read == UNSURE else NO_NAME)
    store(meanings + 8 * number, meaning)
    store(slots + 8 * slot, number + 1)
    tables.count = number + 1
    return number if trusted else meaning


@jit
def _rehash(names: Any, count: int, arena: Any, slots: Any) -> None:
    mask = np.uint64(len(slots) - 1)
    for number in range(count):
        k0, k1 = names[number, 0], names[number, 1]
        length = length_of(k0)
        hashed = np.uint64(hash_bytes(arena.ctypes.data + k1, length)) if is_long(length) else np.uint64(mixed(k0, k1))
        slot = hashed & mask
        while slots[slot] != 0:
            slot = (slot + np.uint64(1)) & mask
        slots[slot] = number + 1


@jit
def _byte_at(code: int, index: int, threads: int, names: int, arenas: int) -> int:
    """Give a byte of a name, -1 past its end; `names` and `arenas` are addresses of addresses, by thread."""
    if code < 0:
        return -1
    thread, number = code % threads, code // threads
    name = load(names + 8 * thread) + 16 * number
    length = length_of(load(name))
    if index >= length:
        return -1
    text = load(arenas + 8 * thread) + load(name + 8) if is_long(length) else name + 4
    return np.int64(load_byte(text + index))


@jit
def same_name(one: int, other: int, threads: int, names: int, arenas: int) -> bool:
    """Tell whether two numbers, maybe of different threads, are of the same name, or both of none."""
    if one == other:
        return True
    index = 0
    while True:
        a, b = _byte_at(one, index, threads, names, arenas), _byte_at(other, index, threads, names, arenas)
        if a != b or a < 0:
            return a == b
        index += 1


@jit
def comes_after(place: Any, other: Any, threads: int, names: int, arenas: int) -> bool:
    """Tell whether the names of a place, with 1F between them, come after those of another one, byte by byte."""
    level = other_level = index = other_index = 0
    while True:
        a, b = _byte_at(place[level], index, threads, names, arenas), _byte_at(other[other_level], other_index, threads, names, arenas)
        index += 1
        other_index += 1
        if a < 0 and level < len(place) - 1:
            a, level, index = np.int64(0x1F), level + 1, 0
        if b < 0 and other_level < len(place) - 1:
            b, other_level, other_index = np.int64(0x1F), other_level + 1, 0
        if a != b:
            return a > b
        if a < 0:
            return False
