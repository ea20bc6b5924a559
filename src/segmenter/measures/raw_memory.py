"""Reads, writes and prefetches at an address, for compiled code. Imports Numba, so it is imported where it is used.

Why not arrays: whose record an order belongs to is known only when its id was looked up, so the record's cache lines have to be asked
for a few dozen rows ahead, by address; fields of 4 and of 8 bytes share a record; and arrays that may and that may not be written to
are different types to Numba, which would compile anew for each.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic as _intrinsic

from segmenter.compiled import compiled

jit: Any = compiled
intrinsic: Any = _intrinsic


def _load(kind: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(builder.inttoptr(arguments[0], kind.as_pointer()), align=1)

    return codegen


def _store(kind: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store(arguments[1], builder.inttoptr(arguments[0], kind.as_pointer()), align=1)
        return context.get_dummy_value()

    return codegen


@intrinsic
def load(typing: Any, address: Any) -> Any:
    """Read 8 bytes."""
    return types.int64(types.int64), _load(ir.IntType(64))


@intrinsic
def load_float(typing: Any, address: Any) -> Any:
    """Read 8 bytes as a float."""
    return types.float64(types.int64), _load(ir.DoubleType())


@intrinsic
def load_int(typing: Any, address: Any) -> Any:
    """Read 4 bytes."""
    return types.int32(types.int64), _load(ir.IntType(32))


@intrinsic
def load_short(typing: Any, address: Any) -> Any:
    """Read 2 bytes."""
    return types.uint16(types.int64), _load(ir.IntType(16))


@intrinsic
def load_byte(typing: Any, address: Any) -> Any:
    """Read a byte."""
    return types.uint8(types.int64), _load(ir.IntType(8))


@intrinsic
def store(typing: Any, address: Any, value: Any) -> Any:
    """Write 8 bytes."""
    return types.void(types.int64, types.int64), _store(ir.IntType(64))


@intrinsic
def store_int(typing: Any, address: Any, value: Any) -> Any:
    """Write 4 bytes."""
    return types.void(types.int64, types.int32), _store(ir.IntType(32))


@intrinsic
def store_byte(typing: Any, address: Any, value: Any) -> Any:
    """Write a byte."""
    return types.void(types.int64, types.uint8), _store(ir.IntType(8))


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
