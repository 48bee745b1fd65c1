"""Columns of the prediction log in bulk: the digests of many records, their features, and their instants.

What `prediction_log` does for one record, here for as many as a file has, from the bytes of a column: no object is
made of a value.
"""

from __future__ import annotations

import binascii
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from shared_features.errors import FormatVersionError
from shared_features.formats import column_loops
from shared_features.formats.prediction_log import LoggedPrediction
from shared_features.formats.sha256 import digests

_LOOPS: Any = column_loops
Int64 = NDArray[np.int64]
Bytes = NDArray[np.uint8]
_DIGEST = 64
_DIGITS = 20
"""The most characters of an int64."""


class Texts(NamedTuple):
    """`n` texts: text i is data[offsets[i]:offsets[i + 1]], UTF-8. data: uint8. offsets: int64[n + 1]."""

    data: Bytes
    offsets: Int64

    @property
    def sizes(self) -> Int64:
        """int64[n]: bytes of each."""
        return np.diff(self.offsets)

    def are(self, others: Bytes) -> NDArray[np.bool_]:
        """bool[n]: whether each text is this one. others: uint8[n, size]."""
        found = np.empty(len(self.sizes), np.bool_)
        _LOOPS.compare_texts(*for_reading(self.data, self.offsets, others), found)
        return found

    def begin_and_end(self, first: str, last: str) -> bool:
        """Whether each text begins and ends with these characters."""
        if (self.sizes < 2).any():
            return False
        starts, ends = self.data[self.offsets[:-1]], self.data[self.offsets[1:] - 1]
        return bool((starts == ord(first)).all() and (ends == ord(last)).all())


class Shared(NamedTuple):
    """`n` texts, of which few differ. texts: each that there is. of: int64[n], which of them."""

    texts: Sequence[str]
    of: Int64


Column = Texts | Shared | Int64 | NDArray[np.bool_]


def as_texts(texts: Sequence[bytes]) -> Texts:
    """The same in one buffer."""
    return _texts(b"".join(texts), list(map(len, texts)))


def record_digests(columns: Mapping[str, Column], count: int) -> Bytes:
    """uint8[count, 64]: what the digest of each record must be: that of `encode_record`, hexadecimal.

    columns: by name, of `count` records.
    """
    fields = [name for name in LoggedPrediction.__struct_fields__ if name != "digest"]
    parts = [_part(columns[name], _prefix(name, "{" if name == fields[0] else ",")) for name in fields]
    parts.append(_pieces([b',"digest":""}'], np.zeros(count, np.int64)))
    ends = np.cumsum(sum(extents for extents, _ in parts), dtype=np.int64)
    starts = np.append(0, ends)[:count]
    text, places = np.empty(int(ends[-1]) if count else 0, np.uint8), starts.copy()
    for _, put in parts:
        put(text, places)
    return _buffer(binascii.hexlify(digests(text, starts, places).data)).reshape(count, _DIGEST)


def float_rows(matrices: Texts, wide: int) -> tuple[NDArray[np.float32], Int64]:
    """float32[rows, wide] of many encoded matrices, one after the other, and int64[n]: how many rows each has.

    Raises FormatVersionError where one is not base64 of whole rows.
    """
    sizes, padded = matrices.sizes, np.zeros(len(matrices.sizes), np.int64)
    for back in (1, 2):
        long = sizes >= back
        padded[long] += matrices.data[matrices.offsets[1:][long] - back] == ord("=")
    counts = sizes // 4 * 3 - padded
    if (counts % (4 * wide)).any():
        raise FormatVersionError(f"its features are not rows of {wide} numbers")
    starts = np.append(0, np.cumsum(counts))
    decoded = np.empty(int(starts[-1]), np.uint8)
    if not _LOOPS.get_base64(*for_reading(*matrices, _BASE64), decoded, *for_reading(starts)):
        raise FormatVersionError("its features are not base64")
    return decoded.view("<f4").astype(np.float32, copy=False).reshape(-1, wide), counts // (4 * wide)


def integer_lists(lists: Texts) -> tuple[Int64, Int64]:
    """Many JSON lists of whole numbers, one after the other: int64 of the numbers, and int64[n]: how many each has.

    Raises FormatVersionError where a text is not such a list.
    """
    numbers, counts = np.empty(len(lists.data) // 2 + 1, np.int64), np.empty(len(lists.sizes), np.int64)
    found = _LOOPS.get_integer_lists(*for_reading(*lists), numbers, counts)
    if found < 0:
        return _numbers_and_counts(lists)
    return numbers[:found], counts


def _numbers_and_counts(lists: Texts) -> tuple[Int64, Int64]:
    """The same of lists that are spelled in another way than `encode_numbers` does."""
    whole, bounds = lists.data.tobytes(), lists.offsets.tolist()
    try:
        parts = [_INTEGERS.decode(whole[start:end]) for start, end in pairwise(bounds)]
        numbers = np.array([number for part in parts for number in part], np.int64)
    except (msgspec.MsgspecError, OverflowError) as error:
        raise FormatVersionError(f"its instants are not a list of whole numbers: {error}") from error
    return numbers, np.array(list(map(len, parts)), np.int64)


_INTEGERS = msgspec.json.Decoder(list[int])
_BASE64 = np.full(256, 255, np.uint8)
_BASE64[list(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")] = np.arange(64)
_Put = Callable[[Bytes, Int64], None]
_Part = tuple[Int64, _Put]
"""The bytes that a field takes at most in each record, and what writes it at the place of each, and moves the place."""


def _part(column: Column, prefix: bytes) -> _Part:
    if isinstance(column, Texts):
        extents = np.empty(len(column.sizes), np.int64)
        _LOOPS.extend_for_escapes(*for_reading(*column), extents)
        return extents + len(prefix) + 2, _putting(_LOOPS.put_texts, _buffer(prefix), *column, extents)
    if isinstance(column, Shared):
        return _pieces([prefix + msgspec.json.encode(each) for each in column.texts], column.of)
    if column.dtype == np.bool_:
        return _pieces([prefix + b"false", prefix + b"true"], column.astype(np.int64))
    extents = np.full(len(column), len(prefix) + _DIGITS)
    return extents, _putting(_LOOPS.put_integers, _buffer(prefix), cast(Int64, column))


def _pieces(pieces: Sequence[bytes], of: Int64) -> _Part:
    """One of these texts in each record, as it is."""
    texts = as_texts(pieces)
    return (texts.sizes[of] if len(of) else of), _putting(_LOOPS.put_pieces, *texts, of)


def _putting(loop: Callable[..., None], *given: NDArray[Any]) -> _Put:
    return lambda text, places: loop(*for_reading(*given), text, places)


def for_reading(*arrays: NDArray[Any]) -> list[NDArray[Any]]:
    """For reading alone, all of them: numba compiles a loop again where some arrays are and others are not."""
    views = [np.ascontiguousarray(each).view() for each in arrays]
    for each in views:
        each.flags.writeable = False
    return views


@lru_cache
def _prefix(name: str, before: str) -> bytes:
    return f'{before}"{name}":'.encode()


def _buffer(content: bytes) -> Bytes:
    return np.frombuffer(content, np.uint8)


def _texts(data: bytes, sizes: Sequence[int]) -> Texts:
    return Texts(_buffer(data), np.append(0, np.cumsum(np.array(sizes, np.int64))))
