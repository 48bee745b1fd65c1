"""Shard meta: which events a shard's states are made of, in the online store. `shard_meta_bytes.py` has its bytes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import NamedTuple

COMMIT_ID_BYTES = 16
Partition = tuple[str, str, int]
"""Topic, its id, partition."""
OffsetRange = tuple[int, int]
"""Offsets from the first up to, not with, the second."""
Gap = tuple[Partition, int, int]
"""Offsets from the first up to, not with, the second were gone before this shard could apply them."""


class VectorEntry(NamedTuple):
    """How far one partition was applied; -1 for nothing yet."""

    offset: int
    consumed_until_us: int


class Progress(NamedTuple):
    """How far a rebuild is: events and entities done, of so many that are known to be wanted."""

    began_at_us: int
    done: int
    total: int


NOT_BEGUN = Progress(0, 0, 0)


@dataclass(frozen=True)
class ShardMeta:
    """What a shard's states are: a build, and how far each partition was applied to it.

    While `behind`, the states are being rebuilt: there is no vector, and nothing may be served. erasures: the sum over
    the events tables of the group's sources, when it was built or an erasure reached it. key: of the meta itself.
    built_at_us: when its build began, by the clock of the job; 0 if unknown.
    """

    commit_id: bytes
    build_id: int
    behind: bool
    fingerprint: str
    committed_at_us: int
    vector: dict[Partition, VectorEntry] = field(default_factory=dict)
    gaps: tuple[Gap, ...] = ()
    progress: Progress = NOT_BEGUN
    erasures: int = 0
    key: bytes = b""
    built_at_us: int = 0

    @property
    def consumed_until_us(self) -> int | None:
        """The record time up to which every partition was read; None without partitions, or where one has none yet."""
        slowest_us = min((each.consumed_until_us for each in self.vector.values()), default=-1)
        return slowest_us if slowest_us >= 0 else None

    @cached_property
    def gaps_digest(self) -> int:
        """64 bits that name the offsets that were gone; 0 when there are none."""
        return gaps_digest(self.gaps)


def gaps_digest(gaps: Sequence[Gap]) -> int:
    """64 bits that name these offsets; 0 when there are none."""
    if not gaps:
        return 0
    named = [
        (partition, *span)
        for partition in sorted({gap[0] for gap in gaps})
        for span in merged((first, past) for of, first, past in gaps if of == partition)
    ]
    return int.from_bytes(sha256(repr(named).encode()).digest()[:8], "little")


def merged(spans: Iterable[OffsetRange]) -> list[OffsetRange]:
    """The same offsets in as few spans as can be, ascending."""
    found: list[OffsetRange] = []
    for first, past in sorted(spans):
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], past))
        else:
            found.append((first, past))
    return found
