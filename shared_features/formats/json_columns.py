"""Values of many JSON texts as columns, without an object for each.

What is spelled plainly, compiled loops read. Of all else they know nothing, and each function here says None: its
caller then asks a parser, which says the same of plain texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shared_features.formats import json_loops, json_number_loops
from shared_features.formats.logged_columns import Int64, Texts, as_texts, for_reading

_FIND: Any = json_loops
_NUMBERS: Any = json_number_loops


class Values(NamedTuple):
    """A value of each of `n` objects, as JSON: data[starts[i]:ends[i]]. A start of -1: null, or none."""

    data: NDArray[np.uint8]
    starts: Int64
    ends: Int64

    @property
    def there(self) -> NDArray[np.bool_]:
        """bool[n]: which are not null."""
        return self.starts >= 0

    def texts(self) -> list[bytes]:
        """Each value as JSON."""
        whole = self.data.tobytes()
        spans = zip(self.starts.tolist(), self.ends.tolist(), strict=True)
        return [whole[start:end] if start >= 0 else b"null" for start, end in spans]


def values_of_objects(texts: Texts, member: str, keys: Sequence[str]) -> tuple[list[Values], Int64] | None:
    """Of bodies like {"<member>": [{"<key>": value}]}: the values of each key, and int64[n]: how many objects each has.

    None where a body is spelled in another way: it nests more, names a key twice, or has no object.
    """
    most = int(np.count_nonzero(texts.data == ord("{")))
    starts, ends = np.empty((len(keys), most), np.int64), np.empty((len(keys), most), np.int64)
    counts, names = np.empty(len(texts.sizes), np.int64), as_texts([each.encode() for each in keys])
    wanted = np.frombuffer(member.encode(), np.uint8)
    found = _FIND.find_instances(*for_reading(*texts, wanted, *names), counts, starts, ends)
    if found < 0:
        return None
    values = [
        Values(texts.data, start[:found], end[:found]) for start, end in zip(starts, ends, strict=True)
    ]  # fmt: skip
    return values, counts


def integers(values: Values) -> Int64 | None:
    """int64[n]; 0 for null."""
    found = np.empty(len(values.starts), np.int64)
    return found if _NUMBERS.get_integers(*for_reading(*values), found) else None


def floats(values: Values) -> NDArray[np.float64] | None:
    """float64[n], each the one nearest to its text; 0 for null."""
    found = np.empty(len(values.starts), np.float64)
    return found if _NUMBERS.get_floats(*for_reading(*values), found) else None


def float_lists(lists: Texts) -> tuple[NDArray[np.float32], Int64] | None:
    """Many JSON lists of numbers, one after the other: float32 of the float64 of each, and int64[n]: how many."""
    numbers, counts = np.empty(len(lists.data) // 2 + 1, np.float32), np.empty(len(lists.sizes), np.int64)
    found = _NUMBERS.get_float_lists(*for_reading(*lists), numbers, counts)
    return (numbers[:found], counts) if found >= 0 else None
