"""Records in the order in which they became known, however many there are: sorted runs on the disk, then one merge."""

from __future__ import annotations

import heapq
import pickle
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import IO, Any

Outgoing = tuple[int, int, int, bytes, bytes]
"""When it became known (microseconds), its number in the file, number of its feed, key, value. Sorted as it stands."""

RUN = 200_000
_TOGETHER = 2_000


def in_order(records: Iterable[Outgoing], run: int = RUN) -> Iterator[Outgoing]:
    """The records sorted. Of one instant, the order of the file holds. Memory: one run."""
    with ExitStack() as stack:
        runs: list[Iterator[Outgoing]] = []
        held: list[Outgoing] = []
        for record in records:
            held.append(record)
            if len(held) >= run:
                runs.append(_read(_written(sorted(held), stack)))
                held = []
        yield from heapq.merge(*runs, sorted(held))


def _written(records: list[Outgoing], stack: ExitStack) -> IO[bytes]:
    file = tempfile.TemporaryFile(prefix="millrace-produce-")  # noqa: SIM115  # the stack closes it
    stack.callback(file.close)
    for first in range(0, len(records), _TOGETHER):
        pickle.dump(records[first : first + _TOGETHER], file, pickle.HIGHEST_PROTOCOL)
    file.seek(0)
    return file


def _read(file: IO[bytes]) -> Iterator[Outgoing]:
    while True:
        try:
            part: Any = pickle.load(file)
        except EOFError:
            return
        yield from part
