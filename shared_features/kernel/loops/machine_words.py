"""What Numba does not spell: words at any byte of a buffer, where a word's bits begin and end, calls of an address,
fetching ahead, loops that the compiler leaves as they are.

Indices are taken as they are: no bounds, and no counting from the end.
"""

from collections.abc import Callable
from typing import Any

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

_FOR_READING, _NEAR, _DATA = 0, 3, 1  # what LLVM's prefetch is told


def instruction(function: Callable[..., Any]) -> Any:
    """An intrinsic; what it is called with is not what it is written with."""
    return intrinsic(function)


@instruction
def load_word(typing_context: Any, buffer: Any, at: Any) -> Any:
    """The 8 bytes at `buffer[at]`, a uint8 array, as an unsigned little-endian word."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(_place(context, builder, signature, arguments), align=1)

    return types.uint64(buffer, types.int64), generate


@instruction
def store_word(typing_context: Any, buffer: Any, at: Any, word: Any) -> Any:
    """Write a word as 8 little-endian bytes to `buffer[at]`, a uint8 array."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store(arguments[2], _place(context, builder, signature, arguments), align=1)
        return context.get_dummy_value()

    return types.void(buffer, types.int64, types.uint64), generate


@instruction
def leading_zeros(typing_context: Any, word: Any) -> Any:
    """How many zero bits stand above the highest one of an unsigned word; 64 for 0."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctlz(arguments[0], cgutils.false_bit)

    return types.int64(types.uint64), generate


@instruction
def trailing_zeros(typing_context: Any, word: Any) -> Any:
    """How many zero bits stand below the lowest one of an unsigned word; 64 for 0."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], cgutils.false_bit)

    return types.int64(types.uint64), generate


@instruction
def one_by_one(typing_context: Any) -> Any:
    """In the body of a loop: its rounds run one after the other. A loop of few rounds loses by four at a time."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        nothing = cgutils.ir.InlineAsm(cgutils.ir.FunctionType(cgutils.ir.VoidType(), []), "", "", side_effect=True)
        builder.call(nothing, [])
        return context.get_dummy_value()

    return types.void(), generate


@instruction
def word_at(typing_context: Any, words: Any, *place: Any) -> Any:
    """`words[place]` of an int64 array without gaps. A place does not count from the end, which takes instructions."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        at, *others = cgutils.unpack_tuple(builder, arguments[1])
        for length, other in zip(cgutils.unpack_tuple(builder, array.shape)[1:], others, strict=True):
            at = builder.add(builder.mul(at, length, flags=("nsw",)), other, flags=("nsw",))
        return builder.load(cgutils.gep_inbounds(builder, array.data, at))

    return types.int64(words, types.UniTuple(types.int64, words.ndim)), generate


@instruction
def put_word(typing_context: Any, words: Any, at: Any, word: Any) -> Any:
    """`words[at] = word` of an int64 vector without gaps, as `word_at` reads it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        builder.store(arguments[2], cgutils.gep_inbounds(builder, array.data, arguments[1]))
        return context.get_dummy_value()

    return types.void(words, types.int64, types.int64), generate


@instruction
def prefetch(typing_context: Any, array: Any, index: Any) -> Any:
    """Have the processor load an element, or the row of a matrix that begins there, into its cache meanwhile."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        held = context.make_array(signature.args[0])(context, builder, arguments[0])
        stride = cgutils.unpack_tuple(builder, held.strides)[0]
        address = builder.add(builder.ptrtoint(held.data, stride.type), builder.mul(arguments[1], stride))
        pointer, number = cgutils.voidptr_t, cgutils.int32_t
        function = cgutils.ir.FunctionType(cgutils.ir.VoidType(), [pointer, number, number, number])
        called = builder.module.declare_intrinsic("llvm.prefetch", (pointer,), function)
        builder.call(called, [builder.inttoptr(address, pointer), *(number(n) for n in (_FOR_READING, _NEAR, _DATA))])
        return context.get_dummy_value()

    return types.void(array, types.int64), generate


@instruction
def call_finalizer(typing_context: Any, address: Any, row: Any, at: Any, kept: Any, scale: Any, as_of_us: Any) -> Any:
    """The value that a finalizer makes; it lies at the address, and gets arrays as pointers to their first element."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointers = [
            context.make_array(kind)(context, builder, array).data
            for kind, array in zip(signature.args[1:4], arguments[1:4], strict=True)
        ]
        passed = [*pointers, *arguments[4:]]
        function = cgutils.ir.FunctionType(context.get_value_type(types.float64), [each.type for each in passed])
        return builder.call(builder.inttoptr(arguments[0], function.as_pointer()), passed)

    return types.float64(types.int64, row, at, kept, types.int64, types.int64), generate


def _place(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    array = context.make_array(signature.args[0])(context, builder, arguments[0])
    word = context.get_value_type(types.uint64)
    return builder.bitcast(cgutils.gep_inbounds(builder, array.data, arguments[1]), word.as_pointer())
