"""What numba compiles of `json_columns`: where the values of many JSON texts stand.

Texts come as `data` and `offsets`: text i is data[offsets[i]:offsets[i + 1]]. A loop that meets what it does not know
says so, and its caller reads the texts with a parser. So a loop knows the plain spellings alone.
"""

import numpy as np

from shared_features.formats.json_number_loops import UNKNOWN, after_number, after_space, is_digit
from shared_features.kernel.loops.compiled import called, compiled, inlined

_QUOTE, _BACKSLASH, _SPACE, _COLON, _COMMA = 34, 92, 32, 58, 44
_MINUS = 45
_OPEN, _CLOSE, _BEGIN, _END = 91, 93, 123, 125  # [ ] { }
_NULL, _TRUE, _FALSE = (np.frombuffer(each, np.uint8).copy() for each in (b"null", b"true", b"false"))


@inlined
def _is_key(data, start, end, keys, first, past):
    if end - start != past - first:
        return False
    same = True
    for at in range(past - first):
        same &= data[start + at] == keys[first + at]
    return same


@inlined
def _is_text(data, start, end, text):
    return _is_key(data, start, end, text, 0, text.size)


@inlined
def _after_string(data, at, end, plain):
    """Behind the closing quote of the string that begins at `at`. plain: whether it may have no backslash."""
    at += 1
    while at < end and data[at] != _QUOTE:
        if data[at] < _SPACE:
            return UNKNOWN
        if data[at] == _BACKSLASH:
            if plain:
                return UNKNOWN
            at += 1
        at += 1
    return at + 1 if at < end else UNKNOWN


@called
def _after_value(data, at, end):
    """Behind the text, number or literal that begins at `at`."""
    if at >= end:
        return UNKNOWN
    if data[at] == _QUOTE:
        return _after_string(data, at, end, False)
    if data[at] == _MINUS or is_digit(data[at]):
        return after_number(data, at, end)
    for size in (4, 5):
        if at + size <= end and (
            _is_text(data, at, at + size, _NULL)
            or _is_text(data, at, at + size, _TRUE)
            or _is_text(data, at, at + size, _FALSE)
        ):
            return at + size
    return UNKNOWN


@called
def _after_key(data, at, end):
    """Behind the closing quote of the key that begins at `at`."""
    if at >= end or data[at] != _QUOTE:
        return UNKNOWN
    return _after_string(data, at, end, True)


@inlined
def _after_colon(data, at, end):
    """At the value behind a key."""
    at = after_space(data, at, end)
    if at >= end or data[at] != _COLON:
        return UNKNOWN
    return after_space(data, at + 1, end)


@called
def _after_instance(data, at, end, keys, key_offsets, starts, ends, number):
    """Note where the value of each key stands in the object that begins at `at`. Behind it, or UNKNOWN."""
    at = after_space(data, at + 1, end)
    while True:
        begin, at = at + 1, _after_key(data, at, end)
        if at < 0:
            return UNKNOWN
        close, at = at - 1, _after_colon(data, at, end)
        if at < 0:
            return UNKNOWN
        start, at = at, _after_value(data, at, end)
        if at < 0:
            return UNKNOWN
        for key in range(key_offsets.size - 1):
            if _is_key(data, begin, close, keys, key_offsets[key], key_offsets[key + 1]):
                if ends[key, number] >= 0:
                    return UNKNOWN  # it stands there twice
                starts[key, number] = UNKNOWN if _is_text(data, start, at, _NULL) else start
                ends[key, number] = at
        at = after_space(data, at, end)
        if at >= end or (data[at] != _COMMA and data[at] != _END):
            return UNKNOWN
        if data[at] == _END:
            return at + 1
        at = after_space(data, at + 1, end)


@called
def _after_instances(data, at, end, keys, key_offsets, starts, ends, number):
    """The same of a list of objects. Returns the place behind it, or UNKNOWN, and the number behind the last object."""
    if at >= end or data[at] != _OPEN:
        return UNKNOWN, number
    at = after_space(data, at + 1, end)
    while True:
        if at >= end or data[at] != _BEGIN:
            return UNKNOWN, number
        for key in range(key_offsets.size - 1):
            starts[key, number] = ends[key, number] = UNKNOWN
        at = _after_instance(data, at, end, keys, key_offsets, starts, ends, number)
        if at < 0:
            return UNKNOWN, number
        number += 1
        at = after_space(data, at, end)
        if at >= end or (data[at] != _COMMA and data[at] != _CLOSE):
            return UNKNOWN, number
        if data[at] == _CLOSE:
            return at + 1, number
        at = after_space(data, at + 1, end)


@compiled
def find_instances(data, offsets, member, keys, key_offsets, counts, starts, ends):
    """Of bodies {"<member>": [{"<key>": value}]}: how many objects each has, and where their values stand.

    starts, ends: [keys, objects]; a start of UNKNOWN: null, or no such key. Returns how many objects there are, or
    UNKNOWN where a body is spelled in another way.
    """
    found = 0
    for row in range(counts.size):
        end, first, seen = offsets[row + 1], found, False
        at = after_space(data, offsets[row], end)
        if at >= end or data[at] != _BEGIN:
            return UNKNOWN
        at = after_space(data, at + 1, end)
        while True:
            begin, at = at + 1, _after_key(data, at, end)
            if at < 0:
                return UNKNOWN
            is_member, at = _is_text(data, begin, at - 1, member), _after_colon(data, at, end)
            if at < 0 or (is_member and seen):
                return UNKNOWN
            if is_member:
                seen = True
                at, found = _after_instances(data, at, end, keys, key_offsets, starts, ends, found)
            else:
                at = _after_value(data, at, end)
            if at < 0:
                return UNKNOWN
            at = after_space(data, at, end)
            if at >= end or (data[at] != _COMMA and data[at] != _END):
                return UNKNOWN
            if data[at] == _END:
                break
            at = after_space(data, at + 1, end)
        if not seen or after_space(data, at + 1, end) != end:
            return UNKNOWN
        counts[row] = found - first
    return found
