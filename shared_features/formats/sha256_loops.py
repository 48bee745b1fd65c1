"""What numba compiles of `sha256`: SHA-256 (FIPS 180-4) by the processor's own instructions, without the GIL.

The instructions are those of Intel's "SHA Extensions" (2013), by the names that LLVM has for them. What is compiled
here may only run where the processor `has_instructions`.
"""

from typing import Any

import numpy as np
from numba import types
from numba.core.cgutils import get_or_insert_function, ir
from numba.core.registry import cpu_target
from numba.extending import intrinsic

from shared_features.kernel.loops.compiled import compiled

BLOCK = 64
"""Bytes that are hashed in one step."""
_WORD = ir.IntType(32)
_FOUR = ir.VectorType(_WORD, 4)
_WORDS_OF_STATE = (5, 4, 1, 0, 7, 6, 3, 2)
"""The instructions hold the words a to h in two vectors: f e b a, and h g d c."""


def has_instructions():
    """Whether numba compiles for a processor that has them. What it compiles for is in the key of its cache."""
    triple, _, features = cpu_target.target_context.codegen().magic_tuple()
    return triple.startswith("x86_64") and "+sha" in features.split(",")


def _roots(root, bits, count):
    """The first 32 bits behind the point of the roots of the first primes."""
    primes = [each for each in range(2, 312) if all(each % other for other in range(2, each))]
    found = []
    for prime in primes[:count]:
        low, high = 0, prime << bits
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if middle**root <= prime << root * bits else (low, middle)
        found.append(low & 0xFFFF_FFFF)
    return found


_CONSTANTS = _roots(3, 32, 64)
FIRST = np.array(_roots(2, 32, 8), np.uint32)[list(_WORDS_OF_STATE)]
"""The state before the first block."""


def _add_block_to(typing, state, data, at):
    """Add the 64 bytes of data from `at` on to the state: uint32[8], in the order of `FIRST`."""

    def generate(context, builder, signature, given):
        def pointer(number, offset, kind):
            array = context.make_array(signature.args[number])(context, builder, given[number])
            return builder.bitcast(builder.gep(array.data, [offset]), kind.as_pointer())

        def call(name, *vectors):
            kind = ir.FunctionType(_FOUR, [_FOUR] * len(vectors))
            return builder.call(get_or_insert_function(builder.module, kind, f"llvm.{name}"), vectors)

        def mixed(one, other, lanes):
            return builder.shuffle_vector(one, other, ir.Constant(_FOUR, lanes))

        halves = [pointer(0, ir.Constant(ir.IntType(64), 4 * half), _FOUR) for half in range(2)]
        before = [builder.load(each, align=4) for each in halves]
        block = builder.bitcast(pointer(1, given[2], ir.IntType(8)), _FOUR.as_pointer())
        places = [builder.gep(block, [ir.Constant(_WORD, number)]) for number in range(4)]
        words = [call("bswap.v4i32", builder.load(each, align=1)) for each in places]
        low, high = before
        for step in range(16):
            added = builder.add(words[0], ir.Constant(_FOUR, _CONSTANTS[4 * step : 4 * step + 4]))
            high = call("x86.sha256rnds2", high, low, added)
            low = call("x86.sha256rnds2", low, high, mixed(added, added, [2, 3, 0, 0]))
            if step < 12:
                sum1 = builder.add(call("x86.sha256msg1", *words[:2]), mixed(words[2], words[3], [1, 2, 3, 4]))
                words.append(call("x86.sha256msg2", sum1, words[3]))
            words = words[1:]
        for place, one, other in zip(halves, before, (low, high), strict=True):
            builder.store(builder.add(one, other), place, align=4)
        return context.get_dummy_value()

    return types.void(state, data, at), generate


_add_block: Any = intrinsic(_add_block_to)


@compiled
def hash_texts_into(data, starts, ends, first, state, last, digests):
    """digests: uint8[n, 32], of data[starts[i]:ends[i]]. first: `FIRST`.

    state: uint32[8] and last: uint8[2 * BLOCK] to work in.
    """
    for row in range(starts.size):
        at, end = starts[row], ends[row]
        for word in range(8):
            state[word] = first[word]
        while end - at >= BLOCK:
            _add_block(state, data, at)
            at += BLOCK
        rest, bits = end - at, np.uint64(8 * (end - starts[row]))
        room = BLOCK if rest < BLOCK - 8 else 2 * BLOCK
        for byte in range(room):
            last[byte] = 0
        for byte in range(rest):
            last[byte] = data[np.uint64(at + byte)]
        last[rest] = 128
        for byte in range(8):
            last[room - 1 - byte] = np.uint8(bits >> np.uint64(8 * byte))
        for block in range(0, room, BLOCK):
            _add_block(state, last, block)
        for place in range(8):
            for byte in range(4):
                shift = np.uint32(24 - 8 * byte)
                digests[row, 4 * _WORDS_OF_STATE[place] + byte] = np.uint8(state[place] >> shift)
