"""What numba compiles of `logged_columns`: JSON of whole columns, and numbers out of them, without the GIL.

Texts come as `data` and `offsets`: text i is data[offsets[i]:offsets[i + 1]]. `put_*` write a field of each record into
`out` at its place, and move the places.
"""

import numpy as np

from shared_features.kernel.loops.compiled import compiled, inlined

_QUOTE, _BACKSLASH, _SPACE, _ZERO, _MINUS = 34, 92, 32, 48, 45
_OPEN, _CLOSE, _COMMA = 91, 93, 44
_SHORT_ESCAPES = (98, 116, 110, 0, 102, 114)  # b t n - f r: of the characters 8 to 13
_MOST_DIGITS = 18  # of a number that fits int64 whatever its digits are


@inlined
def copy(source, start, size, out, place):
    # An index without a sign cannot count from the end, so that no byte is looked at twice.
    for at in range(size):
        out[np.uint64(place + at)] = source[np.uint64(start + at)]


@compiled
def extend_for_escapes(data, offsets, extents):
    """Set extents to the most bytes that each text takes as JSON, without its quotes."""
    for row in range(extents.size):
        escaped = 0
        for at in range(offsets[row], offsets[row + 1]):
            byte = data[np.uint64(at)]
            escaped += (byte == _QUOTE) + (byte == _BACKSLASH) + 5 * (byte < _SPACE)
        extents[row] = offsets[row + 1] - offsets[row] + escaped


@compiled
def compare_texts(data, offsets, others, same):
    """Whether each text is its row of others."""
    size = others.shape[1]
    for row in range(same.size):
        start = offsets[row]
        different = offsets[row + 1] - start != size
        for at in range(0 if different else size):
            different |= data[np.uint64(start + at)] != others[row, at]
        same[row] = not different


@compiled
def put_pieces(data, offsets, of, out, places):
    """The piece of each record as it is."""
    for row in range(of.size):
        start, place = offsets[of[row]], places[row]
        size = offsets[of[row] + 1] - start
        copy(data, start, size, out, place)
        places[row] = place + size


@compiled
def put_texts(prefix, data, offsets, extents, out, places):
    """The prefix, and the text in quotes, escaped as msgspec does. extents: of `extend_for_escapes`."""
    for row in range(places.size):
        place = places[row]
        copy(prefix, 0, prefix.size, out, place)
        place += prefix.size
        out[place] = _QUOTE
        place += 1
        start, size = offsets[row], offsets[row + 1] - offsets[row]
        plain = size if extents[row] == size else 0
        copy(data, start, plain, out, place)
        place += plain
        for at in range(start + plain, start + size):
            byte = data[at]
            if byte in (_QUOTE, _BACKSLASH):
                out[place] = _BACKSLASH
                out[place + 1] = byte
                place += 2
            elif byte >= _SPACE:
                out[place] = byte
                place += 1
            else:
                out[place] = _BACKSLASH
                short = _SHORT_ESCAPES[byte - 8] if 8 <= byte <= 13 else 0
                if short:
                    out[place + 1] = short
                    place += 2
                else:
                    out[place + 1] = 117  # u
                    out[place + 2] = _ZERO
                    out[place + 3] = _ZERO
                    out[place + 4] = _ZERO + (byte >> 4)
                    low = byte & 15
                    out[place + 5] = _ZERO + low if low < 10 else 87 + low
                    place += 6
        out[place] = _QUOTE
        places[row] = place + 1


@compiled
def put_integers(prefix, values, out, places):
    """The prefix, and the number."""
    for row in range(values.size):
        place, value = places[row], values[row]
        copy(prefix, 0, prefix.size, out, place)
        place += prefix.size
        if value < 0:
            out[place] = _MINUS
            place += 1
        rest = np.uint64(-value) if value < 0 else np.uint64(value)
        digits, above = 1, rest // np.uint64(10)
        while above > np.uint64(0):
            above //= np.uint64(10)
            digits += 1
        for at in range(digits):
            out[place + digits - 1 - at] = np.uint8(rest % np.uint64(10)) + np.uint8(_ZERO)
            rest //= np.uint64(10)
        places[row] = place + digits


@compiled
def get_base64(data, offsets, values, out, starts):
    """Decode each text to out[starts[i]:starts[i + 1]], whose size is right. Returns whether all are base64."""
    for row in range(offsets.size - 1):
        at, place, end = offsets[row], starts[row], starts[row + 1]
        if (offsets[row + 1] - at) % 4:
            return False
        wrong = np.uint8(0)
        while end - place >= 3:
            first, second, third, fourth = (
                values[data[at]], values[data[at + 1]], values[data[at + 2]], values[data[at + 3]],
            )  # fmt: skip
            wrong |= first | second | third | fourth
            out[place] = first << 2 | second >> 4
            out[place + 1] = second << 4 | third >> 2
            out[place + 2] = third << 6 | fourth
            at += 4
            place += 3
        if place < end:
            first, second = values[data[at]], values[data[at + 1]]
            third = values[data[at + 2]] if end - place == 2 else np.uint8(0)
            wrong |= first | second | third
            out[place] = first << 2 | second >> 4
            if end - place == 2:
                out[place + 1] = second << 4 | third >> 2
        if wrong > 63:
            return False
    return True


@compiled
def get_integer_lists(data, offsets, numbers, counts):
    """Numbers of lists like [1,-2]. Returns how many there are; -1 where a list is spelled in another way."""
    found = 0
    for row in range(counts.size):
        at, end = offsets[row], offsets[row + 1]
        if end - at < 2 or data[at] != _OPEN or data[end - 1] != _CLOSE:
            return -1
        at += 1
        end -= 1
        first = found
        while at < end:
            negative = data[at] == _MINUS
            if negative:
                at += 1
            begin, value = at, np.int64(0)
            while at < end and _ZERO <= data[at] < _ZERO + 10:
                value = value * 10 + (np.int64(data[at]) - _ZERO)
                at += 1
            size = at - begin
            if size == 0 or size > _MOST_DIGITS or (data[begin] == _ZERO and size > 1):
                return -1
            if at < end and (data[at] != _COMMA or at + 1 == end):
                return -1
            numbers[found] = -value if negative else value
            found += 1
            at += 1
        counts[row] = found - first
    return found
