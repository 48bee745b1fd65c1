"""64-bit hashes of keys, texts and contents; the same on every machine and in every process.

`mix64` is the finaliser of splitmix64 (Steele, Lea, Flood 2014): a bijection on 64 bits, so distinct integers never
collide, and `unmix64` takes it back.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from shared_features.kernel.loops.hashes import combine_into, hash_bytes_into, hash_integers_into

TEXT_CODE_BITS = 52
_TEXT_CODE_MASK = np.uint64((1 << TEXT_CODE_BITS) - 1)
_WORD = (1 << 64) - 1
_MISSING_TEXT = np.uint64(0xA5B1_7C0D_93E6_42F8)  # what None hashes to: unlike any text, the empty one included


def hash_bytes(buffer: NDArray[np.uint8], offsets: NDArray[np.int64]) -> NDArray[np.uint64]:
    """One hash per slice `buffer[offsets[i]:offsets[i + 1]]`.

    Shape: buffer uint8, offsets int64 of n + 1, result uint64 of n. Eight bytes at a time, little-endian, seeded by
    the length, so that trailing zero bytes count.
    """
    hashes = np.empty(len(offsets) - 1, np.uint64)
    hash_bytes_into(np.ascontiguousarray(buffer, np.uint8), np.ascontiguousarray(offsets, np.int64), hashes)
    return hashes


def hash_integers(values: NDArray[np.int64]) -> NDArray[np.uint64]:
    """One hash per integer; distinct integers have distinct hashes."""
    hashes = np.empty(len(values), np.uint64)
    hash_integers_into(np.ascontiguousarray(values, np.int64), hashes)
    return hashes


def hash_texts(texts: Sequence[str | None]) -> NDArray[np.uint64]:
    """One hash per text, of its UTF-8 bytes; None has one of its own."""
    missing = [i for i, text in enumerate(texts) if text is None]
    encoded = [text.encode() if text is not None else b"" for text in texts]
    offsets = np.zeros(len(encoded) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, encoded), np.int64, len(encoded)), out=offsets[1:])
    hashes = hash_bytes(np.frombuffer(b"".join(encoded), np.uint8), offsets)
    hashes[missing] = _MISSING_TEXT
    return hashes


def text_codes(texts: Sequence[str | None]) -> NDArray[np.int64]:
    """A text as a 52-bit integer: exact in float64, so it can be kept, compared and counted like a number.

    Texts collide with probability 2^-52. The code of None says nothing: whether a value is missing stands beside it.
    """
    return (hash_texts(texts) & _TEXT_CODE_MASK).astype(np.int64)


def text_code(text: str) -> int:
    """`text_codes` of one text without Numba, whose first call takes a second: a program may need no other hash."""
    encoded = text.encode()
    state = _mixed(len(encoded))
    for at in range(0, len(encoded), 8):
        state = _mixed(state ^ int.from_bytes(encoded[at : at + 8], "little"))
    return state & int(_TEXT_CODE_MASK)


def _mixed(word: int) -> int:
    """`loops.hashes.mix64`."""
    word = (word + 0x9E37_79B9_7F4A_7C15) & _WORD
    word = ((word ^ (word >> 30)) * 0xBF58_476D_1CE4_E5B9) & _WORD
    word = ((word ^ (word >> 27)) * 0x94D0_49BB_1331_11EB) & _WORD
    return word ^ (word >> 31)


def combine(accumulated: NDArray[np.uint64], hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Hashes of longer contents: what was accumulated so far, then one part more; the order of parts counts."""
    combined = np.empty(len(hashes), np.uint64)
    combine_into(np.ascontiguousarray(accumulated, np.uint64), np.ascontiguousarray(hashes, np.uint64), combined)
    return combined
