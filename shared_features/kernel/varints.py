"""Variable-length integers: seven bits a byte, low ones first (LEB128), signed ones zigzagged to small unsigned."""

import numpy as np

from shared_features.kernel.compiled import inlined

_ZERO, _ONE, _SEVEN, _LAST_BIT = np.uint64(0), np.uint64(1), np.uint64(7), np.uint64(63)
_MORE = np.uint64(128)
MOST_BYTES, MOST_WIDE_BYTES = 10, 19


@inlined
def zigzag(number):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """0, -1, 1, -2, ... to 0, 1, 2, 3, ..."""
    return np.uint64((number << 1) ^ (number >> 63))


@inlined
def unzigzag(word):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """The signed integer that `zigzag` made this of."""
    return np.int64(word >> _ONE) ^ -np.int64(word & _ONE)


@inlined
def put_varint(buffer, at, word):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Write an unsigned word; returns where the next byte goes."""
    word = np.uint64(word)
    while word >= _MORE:
        buffer[at] = np.uint8(word | _MORE)
        word >>= _SEVEN
        at += 1
    buffer[at] = np.uint8(word)
    return at + 1


@inlined
def get_varint(buffer, at, end):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """(word, where the next byte is); beyond `end` when the bytes stop in the middle."""
    word, shift = _ZERO, _ZERO
    while at < end:
        byte = np.uint64(buffer[at])
        at += 1
        word |= (byte & np.uint64(127)) << shift
        if byte < _MORE:
            return word, at
        shift += _SEVEN
        if shift > _LAST_BIT:
            break
    return _ZERO, end + 1


@inlined
def put_wide(buffer, at, high, low):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """Write a two's complement 128-bit integer; returns where the next byte goes."""
    sign = np.uint64(high >> 63)
    top = ((np.uint64(high) << _ONE) | (np.uint64(low) >> _LAST_BIT)) ^ sign
    word = (np.uint64(low) << _ONE) ^ sign
    while top != _ZERO:
        buffer[at] = np.uint8(word | _MORE)
        word = (word >> _SEVEN) | (top << np.uint64(57))
        top >>= _SEVEN
        at += 1
    return put_varint(buffer, at, word)


@inlined
def get_wide(buffer, at, end):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
    """(high, low, where the next byte is) of a 128-bit integer; beyond `end` when the bytes stop in the middle."""
    top, word, shift = _ZERO, _ZERO, _ZERO
    while at < end:
        byte = np.uint64(buffer[at])
        at += 1
        bits = byte & np.uint64(127)
        if shift <= _LAST_BIT:
            word |= bits << shift
            if shift > np.uint64(57):
                top |= bits >> (np.uint64(64) - shift)
        else:
            top |= bits << (shift - np.uint64(64))
        if byte < _MORE:
            sign = _ZERO - (word & _ONE)
            low = ((word >> _ONE) | (top << _LAST_BIT)) ^ sign
            return np.int64((top >> _ONE) ^ sign), np.int64(low), at
        shift += _SEVEN
        if shift > np.uint64(126):
            break
    return 0, 0, end + 1
