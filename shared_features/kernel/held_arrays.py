"""Held arrays: a state and its tables as one table of addresses, for a compiled call that is made for each request.

Numba looks at every array of a call's arguments. The forty of a layout and its state take it 8 us, a table 0.3 us.
"""

from typing import Any

import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array
from numpy.typing import NDArray

from shared_features.kernel.layout_tables import LayoutTables
from shared_features.kernel.loops.compiled import inlined
from shared_features.kernel.loops.pools import Pools
from shared_features.kernel.replay import ReadRoom

_TOLD = 4  # numbers of a row: an address and at most three lengths
_LAYOUT_AT = 0
_POOLS_AT = _LAYOUT_AT + len(LayoutTables._fields)
_ROOM_AT = _POOLS_AT + len(Pools._fields)
HELD = _ROOM_AT + len(ReadRoom._fields)
"""How many rows of a table the three take; what a caller adds comes behind them."""


def held_arrays(*parts: tuple[Any, ...]) -> NDArray[np.int64]:
    """The table of these tuples' arrays: int64[arrays, 4], of each its address and its shape, of a number itself.

    The arrays have to live as long as the table is used. They are contiguous, and of int64, uint64 or float64.
    """
    every = [each for part in parts for each in part]
    table = np.zeros((len(every), _TOLD), np.int64)
    for row, each in zip(table, every, strict=True):
        if isinstance(each, np.ndarray):
            if not each.flags.c_contiguous or each.dtype.itemsize != 8:
                raise ValueError(f"an array of {each.dtype} with strides {each.strides} cannot be held")
            row[: 1 + each.ndim] = each.ctypes.data, *each.shape
        else:
            row[0] = each
    return table


def _array(kind: Any, dimensions: int) -> Any:
    """An intrinsic of (table, row): the array that the row tells of."""
    array_type = types.Array(kind, dimensions, "C")

    @intrinsic
    def array_at(typing_context: Any, table: Any, row: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            told = context.make_array(signature.args[0])(context, builder, arguments[0])
            first = builder.mul(arguments[1], context.get_constant(types.int64, _TOLD))
            address, *shape = (
                builder.load(cgutils.gep(builder, told.data, builder.add(first, context.get_constant(types.int64, at))))
                for at in range(1 + dimensions)
            )
            array = context.make_array(array_type)(context, builder)
            itemsize = context.get_constant(types.intp, 8)
            strides = [itemsize]
            for length in reversed(shape[1:]):
                strides.insert(0, builder.mul(strides[0], length))
            data = builder.inttoptr(address, array.data.type)
            populate_array(array, data, shape, strides, itemsize, meminfo=None)
            return array._getvalue()

        return array_type(table, types.int64), generate

    return array_at


integers, integer_rows, _integer_planes = (_array(types.int64, dimensions) for dimensions in (1, 2, 3))
doubles = _array(types.float64, 1)
_words, _word_rows, _word_planes = (_array(types.uint64, dimensions) for dimensions in (1, 2, 3))


@inlined
def held_layout(table):
    """The LayoutTables of a table."""
    at = _LAYOUT_AT
    return LayoutTables(
        integers(table, at),
        integers(table, at + 1),
        table[at + 2, 0],
        integers(table, at + 3),
        integers(table, at + 4),
        integers(table, at + 5),
        integers(table, at + 6),
        integers(table, at + 7),
        integers(table, at + 8),
        integers(table, at + 9),
        integers(table, at + 10),
        integers(table, at + 11),
        integers(table, at + 12),
        integer_rows(table, at + 13),
        integers(table, at + 14),
        integers(table, at + 15),
    )


@inlined
def held_pools(table):
    """The Pools of a table."""
    at = _POOLS_AT
    return Pools(
        integers(table, at),
        integers(table, at + 1),
        integer_rows(table, at + 2),
        _integer_planes(table, at + 3),
        integers(table, at + 4),
        integer_rows(table, at + 5),
        _words(table, at + 6),
        integer_rows(table, at + 7),
        integer_rows(table, at + 8),
        integer_rows(table, at + 9),
    )


@inlined
def held_room(table):
    """The ReadRoom of a table."""
    at = _ROOM_AT
    return ReadRoom(
        integers(table, at),
        _word_rows(table, at + 1),
        integer_rows(table, at + 2),
        integer_rows(table, at + 3),
        integers(table, at + 4),
        integers(table, at + 5),
        integer_rows(table, at + 6),
        _word_planes(table, at + 7),
        integers(table, at + 8),
        integers(table, at + 9),
        integers(table, at + 10),
        integers(table, at + 11),
    )
