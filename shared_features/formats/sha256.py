"""SHA-256 of many texts of one buffer: in a compiled loop where the processor has instructions for it.

`hashlib` has them too, but it holds the GIL for each short text, so that threads wait for one another.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

import numpy as np
from numba.core.errors import NumbaError
from numpy.typing import NDArray

from shared_features.formats import sha256_loops

_LOOPS: Any = sha256_loops
_SIZE = 32
Bytes = NDArray[np.uint8]
Int64 = NDArray[np.int64]


def digests(data: Bytes, starts: Int64, ends: Int64) -> Bytes:
    """uint8[n, 32]: the digest of each data[starts[i]:ends[i]]."""
    return _by_loop(data, starts, ends) if _loop_is_right() else _by_hashlib(data, starts, ends)


def _by_loop(data: Bytes, starts: Int64, ends: Int64) -> Bytes:
    found = np.empty((len(starts), _SIZE), np.uint8)
    state, last = np.empty(len(_LOOPS.FIRST), np.uint32), np.empty(2 * _LOOPS.BLOCK, np.uint8)
    _LOOPS.hash_texts_into(data, starts, ends, _LOOPS.FIRST, state, last, found)
    return found


def _by_hashlib(data: Bytes, starts: Int64, ends: Int64) -> Bytes:
    whole, sha256 = data.data, hashlib.sha256
    spans = zip(starts.tolist(), ends.tolist(), strict=True)
    found = b"".join([sha256(whole[start:end]).digest() for start, end in spans])
    return np.frombuffer(found, np.uint8).reshape(-1, _SIZE)


@cache
def _loop_is_right() -> bool:
    """Whether it can be compiled, and gives what `hashlib` does for texts with all ways to end in a block."""
    if not _LOOPS.has_instructions():
        return False
    ends = np.cumsum(np.arange(3 * _LOOPS.BLOCK))
    texts = (np.arange(ends[-1]) * 37 % 251).astype(np.uint8), np.append(0, ends)[:-1], ends
    try:
        return bool((_by_loop(*texts) == _by_hashlib(*texts)).all())
    except (NumbaError, RuntimeError):  # a later LLVM may have other names for the instructions
        return False
