"""Exact integers beyond 64 bits, and the quotient of two integers rounded once, as Python rounds `a / b`."""

import math

import numpy as np

from shared_features.kernel.loops.compiled import compiled, inlined

_1, _32, _63 = np.uint64(1), np.uint64(32), np.uint64(63)
_LOW = np.uint64(0xFFFF_FFFF)
_ZERO = np.uint64(0)
_QUOTIENT_BITS = 55  # 53 of a double, one to round by, one more so that the sticky bit stands below it


@inlined
def multiply(a, b):
    """(high, low) of the product of two unsigned words."""
    a_low, a_high, b_low, b_high = a & _LOW, a >> _32, b & _LOW, b >> _32
    low = a_low * b_low
    middle = a_high * b_low + (low >> _32)
    middle_low = a_low * b_high + (middle & _LOW)
    return a_high * b_high + (middle >> _32) + (middle_low >> _32), (middle_low << _32) | (low & _LOW)


@inlined
def add_wide(high, low, more_high, more_low):
    """(high, low) of the sum of two two's complement 128-bit numbers."""
    total = np.uint64(low) + np.uint64(more_low)
    return high + np.int64(more_high) + np.int64(total < np.uint64(more_low)), np.int64(total)


@inlined
def magnitude(high, low):
    """(high, low) of the absolute value of a two's complement 128-bit number, as unsigned words."""
    high, low = np.uint64(high), np.uint64(low)
    if high >> _63:
        low = ~low + _1
        high = ~high + np.uint64(low == _ZERO)
    return high, low


@compiled
def spread(count, squares_high, squares_low, sum_high, sum_low):
    """Three words, highest first, of count * squares - sum * sum, which is never negative; the sum's magnitude."""
    carry, a0 = multiply(squares_low, count)
    a2, a1 = multiply(squares_high, count)
    a1 += carry
    a2 += np.uint64(a1 < carry)
    b1, b0 = multiply(sum_low, sum_low)
    cross_high, cross_low = multiply(sum_low, sum_high)
    b2 = sum_high * sum_high + (cross_high << _1) + (cross_low >> _63)
    cross_low <<= _1
    b1 += cross_low
    b2 += np.uint64(b1 < cross_low)
    d0 = a0 - b0
    borrow = np.uint64(a0 < b0)
    d1 = a1 - b1 - borrow
    borrow = np.uint64(a1 < b1 or (a1 == b1 and borrow != _ZERO))
    return a2 - b2 - borrow, d1, d0


@compiled
def divide(w2, w1, w0, divisor):
    """The double nearest to a 192-bit number divided by `0 < divisor < 2**63`; of two as near, the even one.

    Long division bit by bit until the quotient has more bits than a double, the rest is one sticky bit.
    """
    if w2 == _ZERO and w1 == _ZERO and w0 == _ZERO:
        return 0.0
    place = 191
    while w2 == _ZERO:
        w2, w1, w0 = w1, w0, _ZERO
        place -= 64
    quotient, remainder, bits = _ZERO, _ZERO, 0
    while bits < _QUOTIENT_BITS:
        remainder = (remainder << _1) | (w2 >> _63)
        w2 = (w2 << _1) | (w1 >> _63)
        w1 = (w1 << _1) | (w0 >> _63)
        w0 <<= _1
        fits = remainder >= divisor
        if fits:
            remainder -= divisor
        quotient = (quotient << _1) | np.uint64(fits)
        if quotient != _ZERO:
            bits += 1
        place -= 1
    if remainder != _ZERO or w2 != _ZERO or w1 != _ZERO or w0 != _ZERO:
        quotient |= _1
    half = quotient >> np.uint64(2)
    tail = quotient & np.uint64(3)
    if tail == np.uint64(3) or (tail == np.uint64(2) and half & _1):
        half += _1
    return math.ldexp(np.float64(half), place + 3)
