"""Lanes: eight words side by side, which the processor adds in one instruction, or in two or four where it is older.

A row of a pool is loaded from its first word on, also where it has fewer words than there are lanes: the lanes behind
it hold what comes next in memory. So a pool has words to spare behind its last row (`rows_to_spare`).
"""

from typing import Any

from numba import types
from numba.core import cgutils
from numba.extending import models, register_model

from shared_features.kernel.loops.machine_words import instruction

LANES = 8
_LAST_BIT = 63
_VECTOR = cgutils.ir.VectorType(cgutils.ir.IntType(64), LANES)


def rows_to_spare(words: int) -> int:
    """How many rows of so many words a pool has to have behind its last one."""
    return -(-(LANES - 1) // words)


class _Lanes(types.Type):
    """Numba's name of eight words."""


@register_model(_Lanes)
class _LanesModel(models.PrimitiveModel):
    """How the compiler holds them."""

    def __init__(self, manager: Any, lanes: Any) -> None:
        super().__init__(manager, lanes, _VECTOR)


_LANES = _Lanes("lanes")


@instruction
def no_lanes(typing_context: Any) -> Any:
    """Eight times 0."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _all(0)

    return _LANES(), generate


@instruction
def lanes_at(typing_context: Any, rows: Any, row: Any, first: Any) -> Any:
    """The eight words from `rows[row, first]` on, of an int64 matrix without gaps."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        width = cgutils.unpack_tuple(builder, array.shape)[1]
        at = builder.add(builder.mul(arguments[1], width, flags=("nsw",)), arguments[2], flags=("nsw",))
        return builder.load(_pointer(builder, array, at), align=8)

    return _LANES(rows, types.int64, types.int64), generate


@instruction
def put_lanes(typing_context: Any, words: Any, first: Any, lanes: Any) -> Any:
    """Write eight words to `words[first]` and those behind it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        builder.store(arguments[2], _pointer(builder, array, arguments[1]), align=8)
        return context.get_dummy_value()

    return types.void(words, types.int64, _LANES), generate


@instruction
def add_lanes(typing_context: Any, lanes: Any, more: Any) -> Any:
    """The sums, each modulo 2**64."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.add(*arguments)

    return _LANES(_LANES, _LANES), generate


@instruction
def carries(typing_context: Any, sums: Any, added: Any) -> Any:
    """1 where adding the unsigned words gave a sum beyond 64 bits, else 0."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.zext(builder.icmp_unsigned("<", *arguments), _VECTOR)

    return _LANES(_LANES, _LANES), generate


@instruction
def signs(typing_context: Any, lanes: Any) -> Any:
    """-1 where a word is negative, else 0: the high word of its 128 bits."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ashr(arguments[0], _all(_LAST_BIT))

    return _LANES(_LANES), generate


def _all(number: int) -> cgutils.ir.Constant:
    return cgutils.ir.Constant(_VECTOR, [number] * LANES)


def _pointer(builder: Any, array: Any, at: Any) -> Any:
    return builder.bitcast(cgutils.gep_inbounds(builder, array.data, at), _VECTOR.as_pointer())
