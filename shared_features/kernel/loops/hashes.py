"""Hashes of 64-bit words.

`mix64` is the finaliser of splitmix64 (Steele, Lea, Flood 2014): a bijection on 64 bits, so distinct integers never
collide, and `unmix64` takes it back.
"""

import numpy as np

from shared_features.kernel.loops.compiled import compiled, inlined

_GOLDEN = np.uint64(0x9E37_79B9_7F4A_7C15)
_FIRST, _FIRST_INVERSE = np.uint64(0xBF58_476D_1CE4_E5B9), np.uint64(0x96DE_1B17_3F11_9089)
_SECOND, _SECOND_INVERSE = np.uint64(0x94D0_49BB_1331_11EB), np.uint64(0x3196_42B2_D24D_8EC3)
_27, _30, _31 = np.uint64(27), np.uint64(30), np.uint64(31)
_54, _60, _62 = np.uint64(54), np.uint64(60), np.uint64(62)


@inlined
def mix64(word):
    """A word to a well-mixed one, one to one."""
    word = np.uint64(word) + _GOLDEN
    word = (word ^ (word >> _30)) * _FIRST
    word = (word ^ (word >> _27)) * _SECOND
    return word ^ (word >> _31)


@inlined
def unmix64(word):
    """The word that `mix64` made this of."""
    word = np.uint64(word)
    word = (word ^ (word >> _31) ^ (word >> _62)) * _SECOND_INVERSE
    word = (word ^ (word >> _27) ^ (word >> _54)) * _FIRST_INVERSE
    return (word ^ (word >> _30) ^ (word >> _60)) - _GOLDEN


@compiled
def hash_bytes_into(buffer, offsets, hashes):
    for i in range(hashes.size):
        at, end = offsets[i], offsets[i + 1]
        state = mix64(np.uint64(end - at))
        while at < end:
            word = np.uint64(0)
            for byte in range(min(8, end - at)):
                word |= np.uint64(buffer[at + byte]) << np.uint64(8 * byte)
            state = mix64(state ^ word)
            at += 8
        hashes[i] = state


@compiled
def hash_integers_into(values, hashes):
    for i in range(values.size):
        hashes[i] = mix64(values[i])


@compiled
def combine_into(accumulated, hashes, combined):
    for i in range(hashes.size):
        combined[i] = mix64(accumulated[i] * _GOLDEN + hashes[i])
