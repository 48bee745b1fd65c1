"""What numba compiles of `json_columns`: numbers out of JSON texts, with the bits that a parser gives.

A loop that meets what it does not know says so, and its caller takes a parser.
"""

import numpy as np

from shared_features.kernel.loops.compiled import compiled, inlined

_SPACE, _COMMA, _MINUS, _PLUS, _DOT, _ZERO, _OPEN, _CLOSE = 32, 44, 45, 43, 46, 48, 91, 93
_SMALL_E, _LARGE_E = 101, 69
_MOST_DIGITS = 18  # of a number that fits int64 whatever its digits are
_MOST_EXACT = np.uint64(2**53)
_POWERS = 10.0 ** np.arange(23)  # each of them exact in a float64
_LARGEST = 22
_NEAR = 2.0**-49  # more than three roundings of a float64
UNKNOWN = -1


@inlined
def after_space(data, at, end):
    while at < end and data[at] <= _SPACE and (data[at] == _SPACE or data[at] == 9 or data[at] == 10 or data[at] == 13):
        at += 1
    return at


@inlined
def is_digit(byte):
    return _ZERO <= byte < _ZERO + 10


@inlined
def after_digits(data, at, end):
    while at < end and is_digit(data[at]):
        at += 1
    return at


@inlined
def after_number(data, at, end):
    if data[at] == _MINUS:
        at += 1
    begin, at = at, after_digits(data, at, end)
    if at == begin or (data[begin] == _ZERO and at - begin > 1):
        return UNKNOWN
    if at < end and data[at] == _DOT:
        begin, at = at + 1, after_digits(data, at + 1, end)
        if at == begin:
            return UNKNOWN
    if at < end and (data[at] == _SMALL_E or data[at] == _LARGE_E):
        at += 1
        if at < end and (data[at] == _MINUS or data[at] == _PLUS):
            at += 1
        begin, at = at, after_digits(data, at, end)
        if at == begin:
            return UNKNOWN
    return at


@compiled
def get_integers(data, starts, ends, values):
    """The whole number at each place, 0 where the start is UNKNOWN. Returns whether all are spelled plainly."""
    for row in range(values.size):
        at, end = starts[row], ends[row]
        values[row] = 0
        if at < 0:
            continue
        negative = data[at] == _MINUS
        if negative:
            at += 1
        if end - at > _MOST_DIGITS or after_digits(data, at, end) != end:
            return False
        value = np.int64(0)
        for place in range(at, end):
            value = value * 10 + (np.int64(data[place]) - _ZERO)
        values[row] = -value if negative else value
    return True


@inlined
def _decimal(data, at, end):
    """Of a JSON number: its digits as a whole number, the power of ten to take it by, and whether the digits fit."""
    if data[at] == _MINUS:
        at += 1
    digits, size, power, behind = np.uint64(0), np.int64(0), np.int64(0), False
    while at < end and (data[at] == _DOT or is_digit(data[at])):
        if data[at] == _DOT:
            behind = True
        else:
            digits = digits * np.uint64(10) + np.uint64(data[at] - _ZERO)
            size += digits > np.uint64(0)
            power -= behind
        at += 1
    if at < end:
        at += 1
        sign = -1 if data[at] == _MINUS else 1
        at += data[at] == _MINUS or data[at] == _PLUS
        given = np.int64(0)
        while at < end and given < 1000:
            given = given * 10 + (np.int64(data[at]) - _ZERO)
            at += 1
        power += sign * given
    return digits, power, size < 20


@compiled
def get_floats(data, starts, ends, values):
    """The float64 of the number at each place, 0 where the start is UNKNOWN. Returns whether all could be taken.

    Digits and power of ten are exact in a float64, so that one division or product rounds once (Clinger 1990).
    """
    for row in range(values.size):
        at, end = starts[row], ends[row]
        values[row] = 0.0
        if at < 0:
            continue
        if data[at] != _MINUS and not is_digit(data[at]):
            return False
        digits, power, fits = _decimal(data, at, end)
        if not fits or digits > _MOST_EXACT or abs(power) > _LARGEST:
            return False
        value = np.float64(digits)
        value = value / _POWERS[-power] if power < 0 else value * _POWERS[power]
        values[row] = -value if data[at] == _MINUS else value
    return True


@compiled
def get_float_lists(data, offsets, values, counts):
    """float32 of lists of numbers like [0.5,1e-3], each as the float64 of its text gives it.

    Returns how many numbers there are, or UNKNOWN where one cannot be taken. A float64 that is a few roundings off
    gives the same float32, unless it is as near to the middle of two of them.
    """
    found = 0
    for row in range(counts.size):
        at, end, first = after_space(data, offsets[row], offsets[row + 1]), offsets[row + 1], found
        if at >= end or data[at] != _OPEN:
            return UNKNOWN
        while data[at] != _CLOSE:
            start = after_space(data, at + 1, end)
            if start >= end or (data[start] != _MINUS and not is_digit(data[start])):
                return UNKNOWN
            at = after_number(data, start, end)
            if at < 0:
                return UNKNOWN
            digits, power, fits = _decimal(data, start, at)
            if not fits or abs(power) > 2 * _LARGEST:
                return UNKNOWN
            value, far = np.float64(digits), max(0, abs(power) - _LARGEST)
            if power < 0:
                value = value / _POWERS[-power - far] / _POWERS[far]
            else:
                value = value * _POWERS[power - far] * _POWERS[far]
            low, high = np.float32(value * (1.0 - _NEAR)), np.float32(value * (1.0 + _NEAR))
            if low != high:
                return UNKNOWN
            values[found] = -low if data[start] == _MINUS else low
            found += 1
            at = after_space(data, at, end)
            if at >= end or (data[at] != _COMMA and data[at] != _CLOSE):
                return UNKNOWN
        if after_space(data, at + 1, end) != end:
            return UNKNOWN
        counts[row] = found - first
    return found
